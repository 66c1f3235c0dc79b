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

const functions = new Map(); // key of a source → its function

// Which value goes where: [name, place of the value, references that lead there]. Once a batch, because calls are dear.
function planOf(shape) {
  const flat = [];
  const deep = [];
  shape.forEach(([references, names], at) => {
    for (const name of names) (references.length === 0 ? flat : deep).push([name, at, references]);
  });
  return { flat, deep };
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
  for (const step of plan.flat) item[step[0]] = values[step[1]];
  for (const [name, at, references] of plan.deep) insideOf(item, references)[name] = values[at];
  return item;
}

function startRow(batch, index) {
  return {
    powers: batch.powers,
    batch: batch.number,
    index,
    waits: false,
    fault: null,
    random: null,
    asked: new Set(),
    log: [],
    logRoom: job.logBytes,
    values: new Map(),
    rejections: [],
    deeds: [],
  };
}

function call(batch, at) {
  const item = batch.plan === null ? batch.rows[at] : itemOf(batch.rows[at], batch.plan);
  const before = batch.befores === null ? null : batch.befores[at];
  const value = Reflect.apply(batch.lambda, undefined, [
    item,
    JSON.parse(batch.args),
    JSON.parse(job.me),
    new RealDate(clock),
    before,
  ]);
  if (typeof value === "object" && value !== null && typeof value.then === "function") throw unfit(PROMISED);
  return toJson(value, job.outputBytes);
}

// The texts of what a lambda did beside returning a value; "" where it did nothing.
function deedsOf(running, failed) {
  const parts = [];
  if (failed !== null)
    parts.push(`"fail":${JSON.stringify([failed.code, failed.message, ...(failed.spot ?? [null, null])])}`);
  if (running.log.length > 0) parts.push(`"log":${JSON.stringify(running.log)}`);
  if (running.asked.size > 0) parts.push(`"asked":${running.asked.size}`);
  if (failed === null) {
    if (running.values.size > 0)
      parts.push(`"set":{${[...running.values].map(([name, text]) => `${name}:${text}`).join()}}`);
    if (running.rejections.length > 0) parts.push(`"reject":${JSON.stringify(running.rejections)}`);
    if (running.deeds.length > 0) parts.push(`"deeds":[${running.deeds.join()}]`);
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
    failed = failureOf(error);
  } finally {
    row = null;
  }
  if (running.fault !== null) failed = failure(running.fault.code, running.fault.message, running.fault.spot);
  else if (running.waits) return "0";
  return weigh(`[${failed === null ? text : "null"}${deedsOf(running, failed)}]`);
}

// Of what may cross, each row has this much for itself, so that it can at least fail.
const ROW_BYTES = 256;

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
  const lambda = functions.get(batch.key);
  if (lambda === undefined) return "null";
  const plan = batch.shape === null ? null : planOf(batch.shape);
  const ready = { ...batch, lambda, number, plan, powers: new Set(batch.powers), args: JSON.stringify(batch.args) };
  const texts = [];
  for (let at = 0; at < batch.rows.length; at++) texts.push(runRow(ready, at));
  return `[${texts.join()}]`;
}

function startJob(given) {
  clock = Math.trunc(given.now);
  locale = localeOf(given.me);
  const rows = given.batches.reduce((sum, batch) => sum + batch.rows.length, 0);
  const answers = new Map(
    given.answers.map(([question, answer]) => [toJson(question, QUESTION_LIMIT_BYTES, true), answer]),
  );
  return {
    answers,
    questions: new Set(),
    me: JSON.stringify(given.me),
    texts: given.texts,
    seed: given.seed,
    outputBytes: given.outputBytes,
    logBytes: given.logBytes,
    room: given.room - rows * ROW_BYTES,
  };
}

const entry = {
  // Keep the function of a source. The text is compared, so that a body which ends the function early is not taken.
  define(key, text, lambda) {
    if (typeof lambda !== "function" || Function.prototype.toString.call(lambda) !== text) return false;
    Object.freeze(lambda.prototype);
    functions.set(key, Object.freeze(lambda));
    return true;
  },

  forget: (key) => functions.delete(key),

  run(text) {
    const given = JSON.parse(text);
    job = startJob(given);
    try {
      const batches = given.batches.map(runBatch);
      return `{"batches":[${batches.join()}],"questions":[${[...job.questions].join()}]}`;
    } finally {
      job = null;
    }
  },
};
