// What a lambda sees of time, chance and the machine: the job's clock, a generator seeded for each row, no more.

let clock = 0; // the job's time in milliseconds since 1970

const RealDate = Date;

function FixedDate(...args) {
  if (new.target === undefined) return new RealDate(clock).toString();
  return Reflect.construct(RealDate, args.length === 0 ? [clock] : args, new.target);
}

function fixDate() {
  Object.defineProperties(FixedDate, {
    name: { value: "Date" },
    length: { value: 7 },
    prototype: { value: RealDate.prototype },
    now: { value: { now: () => clock }.now, writable: true, configurable: true },
    parse: { value: RealDate.parse, writable: true, configurable: true },
    UTC: { value: RealDate.UTC, writable: true, configurable: true },
  });
  RealDate.prototype.constructor = FixedDate;
  delete RealDate.prototype.toTemporalInstant;
  globalThis.Date = FixedDate;
}

// Without an argument both would show the time of the machine.
function fixFormats() {
  const prototype = Intl.DateTimeFormat.prototype;
  const { get } = Object.getOwnPropertyDescriptor(prototype, "format");
  const { formatToParts } = prototype;
  Object.defineProperty(prototype, "format", {
    get: Object.getOwnPropertyDescriptor(
      {
        get format() {
          const format = Reflect.apply(get, this, []);
          return (date) => format(date === undefined ? clock : date);
        },
      },
      "format",
    ).get,
  });
  Object.defineProperty(prototype, "formatToParts", {
    value: {
      formatToParts(date) {
        return Reflect.apply(formatToParts, this, [date === undefined ? clock : date]);
      },
    }.formatToParts,
  });
}

// sfc32 over four words; `random()` is like Math.random.
function makeRandom(words) {
  let [a, b, c, d] = words;
  return () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
}

// What could reach beyond the job, keep something alive behind it, or hold memory that V8 does not count.
const ABSENT = [
  "SharedArrayBuffer",
  "Atomics",
  "WebAssembly",
  "FinalizationRegistry",
  "WeakRef",
  "Temporal",
  "ShadowRealm",
  "setTimeout",
  "clearTimeout",
  "__timer_manager",
  "gc",
];
const LEGACY = ["input", "$_", "lastMatch", "$&", "lastParen", "$+", "leftContext", "$`", "rightContext", "$'"];

function takeAway() {
  for (const name of ABSENT) if (!delete globalThis[name]) globalThis[name] = undefined;
  // The last match of a regular expression, wherever it was, can be read from these.
  for (const name of LEGACY) delete RegExp[name];
  for (let group = 1; group <= 9; group++) delete RegExp[`$${group}`];
  delete RegExp.prototype.compile;
  delete Error.captureStackTrace;
}

// A buffer that grows reserves memory before it uses it, and one that is given away leaves a hole behind.
function fixBuffers() {
  const Real = ArrayBuffer;
  const Fixed = function ArrayBuffer(length) {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    return Reflect.construct(Real, [length], new.target);
  };
  for (const name of ["resizable", "maxByteLength", "resize", "transfer", "transferToFixedLength", "detached"]) {
    delete Real.prototype[name];
  }
  Object.defineProperties(Fixed, {
    prototype: { value: Real.prototype, writable: false },
    isView: { value: Real.isView, writable: true, configurable: true },
    [Symbol.species]: Object.getOwnPropertyDescriptor(Real, Symbol.species),
  });
  Real.prototype.constructor = Fixed;
  globalThis.ArrayBuffer = Fixed;
}

function assertEngine() {
  let generates = true;
  try {
    new Function("return 1");
  } catch {
    generates = false;
  }
  if (generates || typeof WebAssembly !== "undefined") throw new Error("the flags of V8 are not in force");
  const winter = new RealDate(2020, 0, 1).getTime() === RealDate.UTC(2020, 0, 1);
  const summer = new RealDate(2020, 6, 1).getTime() === RealDate.UTC(2020, 6, 1);
  if (!winter || !summer) throw new Error("the time zone is not UTC");
}
