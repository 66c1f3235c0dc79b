// What a lambda may do while it runs over a row: ask, log, set, reject, and say what should happen.

const REJECTIONS_LIMIT = 100;
const MESSAGE_LIMIT = 500; // characters of what a failure or a rejection says

let job = null;
let row = null; // the one that a lambda runs over, null between rows

// Powers → what is said to a lambda without.
const MISSING = {
  gql: "gql is not available here.",
  sql: "db is not available here: the operator has to allow it.",
  http: "http is for actions, schedules and hooks after a write.",
  secret: "secret is for actions, schedules and hooks after a write.",
  write: "create, update, remove and note are for actions, schedules and hooks after a write.",
  set: "set is for hooks before a write.",
  reject: "reject is for actions and hooks before a write.",
};

function runningRow() {
  if (row === null) throw new Error("Helpers work only while the lambda runs.");
  return row;
}

function rowWith(power) {
  const running = runningRow();
  if (!running.powers.has(power)) throw new Error(MISSING[power]);
  running.did = true;
  return running;
}

// A lambda can catch what is thrown at it, but not undo this.
function fault(running, code, message) {
  const error = new RangeError(message);
  running.fault ??= { code, message, spot: spotOf(error) };
  return error;
}

function jsonFor(running, value, limit, what, sorted = false) {
  try {
    return toJson(value, limit, sorted);
  } catch (error) {
    if (error !== TOO_LARGE) throw error;
    throw fault(running, "LAMBDA_OUTPUT", `${what} is larger than ${limit} bytes.`);
  }
}

function keepQuestion(running, question) {
  const bytes = byteLength(question) + 1;
  if (bytes > job.room)
    throw fault(running, "LAMBDA_LIMIT", "The questions of this job are together larger than may cross.");
  job.room -= bytes;
  job.questions.add(question);
}

// No Error, whose stack would take longer to make than the lambda takes to run.
const NOT_YET = Object.freeze({
  __proto__: null,
  message: "The answer is not there yet; the lambda runs again when it is.",
});

const NAME = /^[A-Za-z_]\w*$/;
const VARIABLES_LIMIT = 16; // of those that are written here

// The question of almost every row, the same text with a few plain variables, as `toJson` writes it; null for any other.
// Each property is read once: a getter may say something else the next time.
function gqlJson(verb, args) {
  if (verb !== "gql") return null;
  const query = args[0];
  const variables = args[1];
  if (variables === null || query.length * 6 + 2 > QUESTION_LIMIT_BYTES) return null;
  if (Object.getPrototypeOf(variables) !== Object.prototype) return null;
  const keys = Object.keys(variables);
  if (keys.length > VARIABLES_LIMIT) return null;
  if (keys.length > 1) keys.sort();
  let inside = "";
  for (const key of keys) {
    const text = NAME.test(key) ? simpleJson(variables[key], QUESTION_LIMIT_BYTES) : null;
    if (text === null) return null;
    inside += inside === "" ? `"${key}":${text}` : `,"${key}":${text}`;
  }
  if (query !== job.query) {
    job.query = query;
    job.queryJson = JSON.stringify(query.toWellFormed());
  }
  const question = `["gql",[${job.queryJson},{${inside}}]]`;
  return question.length * 3 > QUESTION_LIMIT_BYTES ? null : question;
}

function ask(power, verb, args) {
  const running = rowWith(power);
  const question = gqlJson(verb, args) ?? jsonFor(running, [verb, args], QUESTION_LIMIT_BYTES, "A question", true);
  running.asked ??= new Set();
  if (running.asked.size >= QUESTIONS_LIMIT && !running.asked.has(question)) {
    throw fault(running, "LAMBDA_LIMIT", `A lambda may ask ${QUESTIONS_LIMIT} questions a row.`);
  }
  running.asked.add(question);
  const answer = job.answers.get(question);
  if (answer === undefined) {
    if (!job.questions.has(question)) keepQuestion(running, question);
    running.waits = true;
    throw NOT_YET;
  }
  if (typeof answer.error === "string") throw new Error(answer.error);
  answer.text ??= JSON.stringify(answer.value);
  return JSON.parse(answer.text);
}

function need(value, type, what) {
  if (typeof value !== type) throw new TypeError(`${what} must be a ${type}.`);
  return value;
}

function optional(value, what) {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${what} must be an object.`);
  return value;
}

// A row with a single column can be used as its value, too: files of GOTRS read it as `row.count` and as `row`.
function standingForItsValue(row) {
  const columns = row === null || typeof row !== "object" ? [] : Object.keys(row);
  const value = row?.[columns[0]];
  if (columns.length !== 1 || value === null || typeof value === "object") return row;
  const box = Object(value);
  const property = { value, writable: true, enumerable: true, configurable: true };
  return Reflect.defineProperty(box, columns[0], property) ? box : row;
}

const asking = {
  gql: (query, variables) =>
    ask("gql", "gql", [need(query, "string", "gql: the query"), optional(variables, "gql: the variables")]),

  db: {
    query: (sql, ...params) => ask("sql", "query", [need(sql, "string", "db.query: the statement"), ...params]),

    queryRow: (sql, ...params) =>
      standingForItsValue(ask("sql", "queryRow", [need(sql, "string", "db.queryRow: the statement"), ...params])),
  },

  http: {
    get: (url, options) => ask("http", "http", ["GET", String(url), null, optional(options, "http.get: the options")]),
    post: (url, body, options) =>
      ask("http", "http", ["POST", String(url), body ?? null, optional(options, "http.post: the options")]),
  },

  secret: (name) => ask("secret", "secret", [need(name, "string", "secret: the name")]),
};

function deed(verb, args) {
  const running = rowWith("write");
  const text = jsonFor(running, args, job.outputBytes, `What ${verb} is given`);
  running.deeds ??= [];
  if (running.deeds.length >= DEEDS_LIMIT) {
    throw fault(running, "LAMBDA_LIMIT", `A lambda may ask for ${DEEDS_LIMIT} operations.`);
  }
  running.deeds.push(`[${JSON.stringify(verb)},${text}]`);
}

function needKey(value, what) {
  if (typeof value !== "string" && typeof value !== "number")
    throw new TypeError(`${what} must be a text or a number.`);
  return value;
}

function needValues(value, what) {
  if (optional(value, what) === null) throw new TypeError(`${what} must be an object.`);
  return value;
}

const doing = {
  create: (module, values) =>
    deed("create", [need(module, "string", "create: the module"), needValues(values, "create: the values")]),

  update: (module, key, values) =>
    deed("update", [
      need(module, "string", "update: the module"),
      needKey(key, "update: the key"),
      needValues(values, "update: the values"),
    ]),

  remove: (module, key) =>
    deed("remove", [need(module, "string", "remove: the module"), needKey(key, "remove: the key")]),

  note: (ticket, text) => deed("note", [needKey(ticket, "note: the ticket"), String(text)]),

  set(field, value) {
    const running = rowWith("set");
    const name = JSON.stringify(need(field, "string", "set: the field").toWellFormed());
    const text = jsonFor(running, value, job.outputBytes, "A value");
    (running.values ??= new Map()).set(name, text);
  },

  // reject(field, message), or reject(message) for the row as a whole.
  reject(field, message) {
    const running = rowWith("reject");
    const [where, text] = message === undefined ? [null, field] : [cut(String(field), 100), message];
    running.rejections ??= [];
    if (running.rejections.length >= REJECTIONS_LIMIT)
      throw fault(running, "LAMBDA_LIMIT", "The lambda rejects too often.");
    running.rejections.push([where, cut(String(text), MESSAGE_LIMIT)]);
  },
};

function shown(value, limit) {
  if (typeof value === "string") return value.slice(0, limit + 1);
  if (value === undefined || typeof value === "function" || typeof value === "symbol")
    return String(value).slice(0, 40);
  if (typeof value === "number") return String(value);
  try {
    if (value instanceof Error) return cut(describe(value), limit);
    return toJson(value, limit);
  } catch (error) {
    return error === TOO_LARGE ? "(too large to show)" : `(${cut(describe(error), 80)})`;
  }
}

function log(...values) {
  const running = runningRow();
  if (running.logRoom <= 0) return;
  const room = running.logRoom;
  let line = "";
  for (const value of values) {
    if (line.length > room) break;
    line += (line === "" ? "" : " ") + shown(value, room);
  }
  let kept = line.toWellFormed();
  if (byteLength(kept) > room) {
    // A letter takes three bytes at most for each of its code units.
    kept = cut(kept, ASCII.test(kept) ? room - 2 : Math.floor(room / 3));
    running.logRoom = 0;
  } else {
    running.logRoom -= byteLength(kept) + 1;
  }
  running.did = true;
  (running.log ??= []).push(kept);
}

function randomOf(running) {
  running.random ??= makeRandom(digest(bytesOf(`${job.seed} ${running.batch} ${running.index}`)));
  return running.random();
}

const runningHelpers = {
  log: (...values) => log(...values),

  t: (key) => (Object.hasOwn(job?.texts ?? {}, key) ? job.texts[key] : String(key)),

  uuid() {
    const running = runningRow();
    const bytes = Array.from({ length: 16 }, () => Math.floor(randomOf(running) * 256));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};

const consoleMethods = {};
for (const name of ["log", "info", "warn", "error", "debug"]) consoleMethods[name] = (...values) => log(...values);

function installHelpers() {
  const everything = {
    ...textHelpers,
    ...dateHelpers,
    ...asking,
    ...doing,
    ...runningHelpers,
    console: consoleMethods,
  };
  for (const [name, value] of Object.entries(everything)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
  }
  Math.random = { random: () => (row === null ? 0 : randomOf(row)) }.random;
}
