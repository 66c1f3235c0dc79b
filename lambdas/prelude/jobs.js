// The way of a job: its batches, their rows, and what each row became.

const SPOT = /\blambda:(\d{1,9}):(\d{1,9})/;

// Where in a lambda an error was made, as [line, column] of its source; null where it does not say.
function spotOf(error) {
  try {
    const found = SPOT.exec(String(error.stack));
    return found === null ? null : [Number(found[1]) - 1, Number(found[2])];
  } catch {
    return null;
  }
}

function describe(error) {
  try {
    if (typeof error !== "object" || error === null) return String(error);
    const { name, message } = error;
    if (typeof message !== "string") return String(error);
    return plain.has(error) || typeof name !== "string" ? message : `${name}: ${message}`;
  } catch {
    return "The lambda threw something that cannot be shown.";
  }
}

function failure(code, message, spot = null) {
  return { code, message: cut(String(message), MESSAGE_LIMIT), spot };
}

function failureOf(error) {
  if (error === TOO_LARGE) return failure("LAMBDA_OUTPUT", `The value is larger than ${job.outputBytes} bytes.`);
  return failure("LAMBDA_FAILED", describe(error), typeof error === "object" && error !== null ? spotOf(error) : null);
}

const functions = new Map(); // key of a source → its function, and which of what it is given it names

const ANY_NAME = /\barguments\b|\\u/; // what may stand for a parameter's name, too

// Making what a lambda is given takes longer than most lambdas, so one that cannot name it goes without.
function namesIn(text) {
  const any = ANY_NAME.test(text);
  return { me: any || /\bme\b/.test(text), args: any || /\bargs\b/.test(text), now: any || /\bnow\b/.test(text) };
}

// Which value goes where: names beside the places of their values, and [references, names, places] of what is inside others.
// Once a batch, because calls and loops over pairs are dear.
function planOf(shape) {
  const flat = { names: [], places: [] };
  const deep = new Map();
  shape.forEach(([references, names], place) => {
    let target = flat;
    if (references.length > 0) {
      const path = references.join("\n");
      if (!deep.has(path)) deep.set(path, { references, names: [], places: [] });
      target = deep.get(path);
    }
    for (const name of names) {
      target.names.push(name);
      target.places.push(place);
    }
  });
  return { flat, deep: [...deep.values()].sort((a, b) => a.references.length - b.references.length) };
}

function fill(object, values, { names, places }) {
  for (let at = 0; at < names.length; at++) object[names[at]] = values[places[at]];
}

function insideOf(item, references) {
  let inside = item;
  for (const reference of references) {
    if (!Object.hasOwn(inside, reference) || Object(inside[reference]) !== inside[reference]) inside[reference] = {};
    inside = inside[reference];
  }
  return inside;
}

// A row that stands as values. What is inside a reference takes the place of the reference's own value.
function itemOf(values, plan) {
  const item = {};
  fill(item, values, plan.flat);
  for (const part of plan.deep) fill(insideOf(item, part.references), values, part);
  return item;
}

function startRow(batch, index) {
  return {
    powers: batch.powers,
    batch: batch.number,
    index,
    waits: false,
    did: false, // whether there is anything to tell beside its value
    fault: null,
    random: null,
    asked: null,
    log: null,
    logRoom: job.logBytes,
    values: null,
    rejections: null,
    deeds: null,
  };
}

function call(batch, at) {
  const item = batch.plan === null ? batch.rows[at] : itemOf(batch.rows[at], batch.plan);
  const before = batch.befores === null ? null : batch.befores[at];
  const { lambda, names } = batch; // called by itself: a lambda has no `this`
  const value = lambda(
    item,
    names.args ? JSON.parse(batch.args) : undefined,
    names.me ? JSON.parse(job.me) : undefined,
    names.now ? new RealDate(clock) : undefined,
    before,
  );
  if (typeof value === "object" && value !== null && typeof value.then === "function") throw unfit(PROMISED);
  return toJson(value, job.outputBytes);
}

// The texts of what a lambda did beside returning a value; "" where it did nothing.
function deedsOf(running, failed) {
  const { log, asked, values, rejections, deeds } = running;
  const parts = [];
  if (failed !== null)
    parts.push(`"fail":${JSON.stringify([failed.code, failed.message, ...(failed.spot ?? [null, null])])}`);
  if (log !== null) parts.push(`"log":${JSON.stringify(log)}`);
  if (asked !== null) parts.push(`"asked":${asked.size}`);
  if (failed === null) {
    if (values !== null) parts.push(`"set":{${[...values].map(([name, text]) => `${name}:${text}`).join()}}`);
    if (rejections !== null) parts.push(`"reject":${JSON.stringify(rejections)}`);
    if (deeds !== null) parts.push(`"deeds":[${deeds.join()}]`);
  }
  return parts.length === 0 ? "" : `,{${parts.join()}}`;
}

// One row: its outcome as JSON, or "0" where it waits for answers.
function runRow(batch, at) {
  const running = (row = startRow(batch, batch.indexes === null ? at : batch.indexes[at]));
  let text = "null";
  let failed = null;
  try {
    text = call(batch, at);
  } catch (error) {
    failed = running.waits ? null : failureOf(error);
  } finally {
    row = null;
  }
  if (running.fault !== null) failed = failure(running.fault.code, running.fault.message, running.fault.spot);
  else if (running.waits) return "0";
  const value = failed === null ? text : "null";
  const whole = failed === null && !running.did ? `[${value}]` : `[${value}${deedsOf(running, failed)}]`;
  return whole.length * 3 < ROW_BYTES ? whole : weigh(whole);
}

// Of what may cross, each row has this much for itself, so that it can at least fail.
const ROW_BYTES = 256; // a code unit takes three at most

function weigh(text) {
  const bytes = Math.max(0, byteLength(text) + 1 - ROW_BYTES);
  if (bytes <= job.room) {
    job.room -= bytes;
    return text;
  }
  const message = "What the lambdas of this job return is together larger than may cross.";
  return `[null,{"fail":["LAMBDA_OUTPUT","${message}",null,null]}]`;
}

function runBatch(batch, number) {
  const kept = functions.get(batch.key);
  if (kept === undefined) return "null";
  const plan = batch.shape === null ? null : planOf(batch.shape);
  const ready = { ...batch, ...kept, number, plan, powers: new Set(batch.powers), args: JSON.stringify(batch.args) };
  const texts = [];
  const { length } = batch.rows;
  for (let at = 0; at < length; at++) texts[at] = runRow(ready, at);
  return `[${texts.join()}]`;
}

function startJob(given) {
  clock = Math.trunc(given.now);
  locale = localeOf(given.me);
  const rows = given.batches.reduce((sum, batch) => sum + batch.rows.length, 0);
  return {
    answers: new Map(),
    query: null, // the last one of `gql`, and how it is written
    queryJson: "",
    questions: new Set(),
    me: JSON.stringify(given.me),
    texts: given.texts,
    seed: given.seed,
    outputBytes: given.outputBytes,
    logBytes: given.logBytes,
    room: given.room - rows * ROW_BYTES,
  };
}

const nameOf = (question) => gqlJson(question[0], question[1]) ?? toJson(question, QUESTION_LIMIT_BYTES, true);

const entry = {
  // Keep the function of a source. The text is compared, so that a body which ends the function early is not taken.
  define(key, text, lambda) {
    if (typeof lambda !== "function" || Function.prototype.toString.call(lambda) !== text) return false;
    Object.freeze(lambda.prototype);
    functions.set(key, { lambda: Object.freeze(lambda), names: namesIn(text.slice(text.indexOf("{"))) });
    return true;
  },

  forget: (key) => functions.delete(key),

  run(text) {
    const given = JSON.parse(text);
    job = startJob(given);
    try {
      for (const [question, answer] of given.answers) job.answers.set(nameOf(question), answer);
      const batches = given.batches.map(runBatch);
      return `{"batches":[${batches.join()}],"questions":[${[...job.questions].join()}]}`;
    } finally {
      job = null;
    }
  },
};
