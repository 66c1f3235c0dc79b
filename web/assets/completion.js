// What may be written where in a module file, from its JSON Schema. The place is told by indentation, as YAML tells it.

const SCHEMA_URL = "/schema/module.json";
const KEY = /^(\s*(?:-\s+)*)("?[\w-]+"?)\s*:/;
let loading = null;

function load() {
  loading ??= fetch(SCHEMA_URL).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)));
  return loading.catch(() => (loading = null));
}

// Every schema that a value may follow, without references and alternatives.
function alternatives(root, schema) {
  if (!schema) return [];
  if (schema.$ref) return alternatives(root, schema.$ref.split("/").slice(1).reduce((at, name) => at?.[name], root));
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((word) => schema[word] ?? []);
  return [schema, ...parts.flatMap((part) => alternatives(root, part))];
}

const things = (root, schemas) => schemas.flatMap((schema) => [schema, ...(schema.items ? things(root, alternatives(root, schema.items)) : [])]);

export function schemasAt(root, path) {
  let found = things(root, alternatives(root, root));
  for (const key of path) {
    const below = found.flatMap((schema) => schema.properties?.[key] ?? (typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []));
    found = things(root, below.flatMap((schema) => alternatives(root, schema)));
  }
  return found;
}

// The keys that lead to a line: of each line above that is indented less, the nearest.
function outer(lines, place, column) {
  const path = [];
  let limit = column;
  for (let at = place - 1; at >= 0 && limit > 0; at--) {
    const key = KEY.exec(lines[at]);
    if (!key || lines[at].trimStart().startsWith("#") || key[1].length >= limit) continue;
    path.unshift(key[2].replaceAll('"', ""));
    limit = key[1].length;
  }
  return path;
}

// Goes through a line up to the cursor: which braces are open, and which key the cursor's value belongs to.
function inner(text) {
  const open = [];
  let key = "";
  let word = "";
  for (const char of text) {
    if (char === "{" || char === "[") {
      open.push({ char, key });
      key = word = "";
    } else if (char === "}" || char === "]") {
      open.pop();
      key = word = "";
    } else if (char === ":") {
      key = word.trim();
      word = "";
    } else if (char === ",") {
      if (open.at(-1)?.char !== "[") key = "";
      word = "";
    } else word += char;
  }
  return { open, key, word };
}

export function placeOf(lines, place, column) {
  const text = lines[place].slice(0, column);
  const dashes = /^\s*(?:-\s+)*/.exec(text)[0].length;
  const { open, key, word } = inner(text.slice(dashes));
  const path = [...outer(lines, place, dashes), ...open.map((item) => item.key).filter(Boolean)];
  return { path: key ? [...path, key] : path, isValue: Boolean(key) || open.at(-1)?.char === "[", word: word.trimStart() };
}

function keysOf(schemas) {
  const found = new Map();
  for (const schema of schemas)
    for (const [label, told] of Object.entries(schema.properties ?? {})) found.set(label, told.description ?? "");
  return [...found].map(([label, info]) => ({ label, apply: `${label}: `, type: "property", info: info || undefined }));
}

function valuesOf(schemas) {
  const found = new Set();
  for (const schema of schemas) {
    for (const value of schema.enum ?? ("const" in schema ? [schema.const] : [])) if (value !== null) found.add(String(value));
    if (schema.type === "boolean") ["true", "false"].forEach((value) => found.add(value));
  }
  return [...found].map((label) => ({ label, type: "enum" }));
}

export async function completeFromSchema(context) {
  const doc = context.state.doc;
  const line = doc.lineAt(context.pos);
  const lines = Array.from({ length: line.number }, (_, place) => doc.line(place + 1).text);
  const { path, isValue, word } = placeOf(lines, line.number - 1, context.pos - line.from);
  if (!word && !context.explicit && !isValue) return null;
  const root = await load();
  if (!root) return null;
  const schemas = schemasAt(root, path);
  const options = isValue ? valuesOf(schemas) : keysOf(schemas);
  return options.length ? { from: context.pos - word.length, options, validFor: /^[\w-]*$/ } : null;
}
