// Everything that lambdas share is frozen, so that nothing of one row, caller or job can be left for another.

// What has no name of its own: prototypes of iterators and generators, the accessors of an error's stack.
function hidden() {
  const words = new Intl.Segmenter("en", { granularity: "word" }).segment("a b");
  return [
    [][Symbol.iterator](),
    ""[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    "a".matchAll(/a/g),
    words,
    words[Symbol.iterator](),
    Iterator.from({ next() {} }),
    [].values().map((value) => value),
    function* () {},
    async function () {},
    async function* () {},
    (function* () {})(),
    (async function* () {})(),
    new Error(""),
    new Piece(""),
  ];
}

// On these, a plain assignment to an object that inherits the name would fail once they are frozen.
const OVERRIDABLE = [
  [Object.prototype, null],
  [Function.prototype, ["constructor", "toString"]],
  [Array.prototype, ["constructor", "toString", "toLocaleString"]],
  [Date.prototype, ["constructor", "toString", "toJSON", "valueOf"]],
  [Map.prototype, ["constructor"]],
  [Set.prototype, ["constructor"]],
  [Promise.prototype, ["constructor", "then"]],
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map((Class) => [
    Class.prototype,
    ["constructor", "name", "message", "toString"],
  ]),
];

// A property that reads as before; assigning it to something that inherits it gives that a property of its own.
function makeOverridable(owner, name) {
  const found = Object.getOwnPropertyDescriptor(owner, name);
  if (found === undefined || !found.configurable || !("value" in found)) return;
  const { value, enumerable } = found;
  const accessors = {
    get: () => value,
    set(given) {
      if (this === owner || Object(this) !== this) throw new TypeError(`${String(name)} cannot be changed here.`);
      Object.defineProperty(this, name, { value: given, writable: true, enumerable: true, configurable: true });
    },
  };
  Object.defineProperty(owner, name, { get: accessors.get, set: accessors.set, enumerable, configurable: true });
}

function freezeAll() {
  for (const [owner, names] of OVERRIDABLE) {
    for (const name of names ?? Object.getOwnPropertyNames(owner)) makeOverridable(owner, name);
  }
  const seen = new Set();
  const waiting = [globalThis, RealDate, entry, ...hidden()];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (Object(value) !== value || seen.has(value)) continue;
    seen.add(value);
    waiting.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const found = Object.getOwnPropertyDescriptor(value, key);
      waiting.push(found.value, found.get, found.set);
    }
  }
  for (const value of seen) Object.freeze(value);
}

assertEngine();
fixDate();
fixFormats();
takeAway();
fixBuffers();
installHelpers();
freezeAll();
return entry;
