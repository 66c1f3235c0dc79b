// What may leave a lambda: JSON, copied from own properties, no deeper and no larger than allowed.

// Thrown where a copy is larger than may cross. No Error: the stack of one can be written to although it is frozen.
const TOO_LARGE = Object.freeze({ __proto__: null, message: "The value is larger than may cross." });

const plain = new WeakSet(); // errors of ours, whose message says all

function unfit(what) {
  const error = new TypeError(`${what}.`);
  plain.add(error);
  return error;
}

const PROMISED = "The lambda returned a promise; lambdas are synchronous";

function take(state, size) {
  state.room -= size;
  if (state.room < 0) throw TOO_LARGE;
}

// Setting "__proto__" would change the prototype instead.
function put(object, key, value) {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function copyText(text, state) {
  take(state, text.length + 2);
  return text.toWellFormed();
}

function copyNumber(number, state) {
  if (!Number.isFinite(number)) throw unfit(`${number} cannot be a value`);
  take(state, 1);
  return number;
}

function copyList(list, state, depth) {
  const { length } = list;
  const copies = [];
  for (let index = 0; index < length; index++) copies[index] = copy(list[index], state, depth + 1);
  take(state, 1);
  return copies;
}

function copyProperties(object, state, depth) {
  const copies = {};
  const keys = Object.keys(object);
  if (state.sorted) keys.sort();
  for (const key of keys) {
    take(state, key.length + 3);
    const value = object[key];
    if (key === "then" && typeof value === "function") throw unfit(PROMISED);
    put(copies, key.toWellFormed(), copy(value, state, depth + 1));
  }
  take(state, 1);
  return copies;
}

function copyMap(map, state, depth) {
  const copies = {};
  Map.prototype.forEach.call(map, (value, key) => {
    if (typeof key !== "string" && typeof key !== "number") throw unfit("The keys of a Map must be texts or numbers");
    const name = String(key).toWellFormed();
    take(state, name.length + 3);
    put(copies, name, copy(value, state, depth + 1));
  });
  return copies;
}

function copySet(set, state, depth) {
  const copies = [];
  Set.prototype.forEach.call(set, (value) => {
    copies.push(copy(value, state, depth + 1));
  });
  return copies;
}

function copyDate(date, state) {
  const time = RealDate.prototype.getTime.call(date);
  if (Number.isNaN(time)) throw unfit("An invalid date cannot be a value");
  return copyText(new RealDate(time).toISOString(), state);
}

// A class of objects → how they are copied.
const COPIES = [
  [Piece, (piece, state) => copyText(Piece.text(piece), state)],
  [RealDate, copyDate],
  [Map, copyMap],
  [Set, copySet],
  [String, (box, state) => copyText(String.prototype.valueOf.call(box), state)],
  [Number, (box, state) => copyNumber(Number.prototype.valueOf.call(box), state)],
  [Boolean, (box) => Boolean.prototype.valueOf.call(box)],
  [
    Promise,
    () => {
      throw unfit(PROMISED);
    },
  ],
];

function copyObject(object, state, depth) {
  if (depth >= NESTING) throw unfit(`The value is nested deeper than ${NESTING} levels, or in a circle`);
  if (Array.isArray(object)) return copyList(object, state, depth);
  if (Object.getPrototypeOf(object) !== Object.prototype) {
    if (ArrayBuffer.isView(object) && !(object instanceof DataView)) return copyList(object, state, depth);
    for (const [Class, how] of COPIES) if (object instanceof Class) return how(object, state, depth);
  }
  return copyProperties(object, state, depth);
}

function copy(value, state, depth) {
  switch (typeof value) {
    case "string":
      return copyText(value, state);
    case "number":
      return copyNumber(value, state);
    case "bigint":
      return copyText(String(value), state);
    case "object":
      if (value !== null) return copyObject(value, state, depth);
    // falls through
    case "undefined":
      take(state, 1);
      return null;
    case "boolean":
      return value;
    default:
      throw unfit(`A ${typeof value} cannot be a value`);
  }
}

const ASCII = /^[\0-\x7f]*$/;

function byteLength(text) {
  return ASCII.test(text) ? text.length : unescape(encodeURIComponent(text)).length;
}

// The JSON of a value that holds no other, as `toJson` writes it; null where it takes a closer look.
function simpleJson(value, limit) {
  switch (typeof value) {
    case "string":
      // An escaped code unit takes six bytes, so this is small whatever is in it.
      return value.length * 6 + 2 <= limit ? JSON.stringify(value.toWellFormed()) : null;
    case "number":
      return Number.isFinite(value) ? `${value}` : null;
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return "null";
    default:
      return value === null ? "null" : null;
  }
}

// The JSON of a copy, or TOO_LARGE. What the room is counted by is a lower bound, so that it ends early; this is exact.
function toJson(value, limit, sorted = false) {
  const simple = simpleJson(value, limit);
  if (simple !== null) return simple;
  const text = JSON.stringify(copy(value, { room: limit, sorted }, 0));
  if (text.length * 3 > limit && byteLength(text) > limit) throw TOO_LARGE;
  return text;
}

// The beginning of a text, with a mark where something was cut off.
function cut(text, limit) {
  return (text.length > limit ? `${text.slice(0, Math.max(0, limit - 1))}…` : text).toWellFormed();
}
