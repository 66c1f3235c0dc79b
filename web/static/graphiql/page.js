"use strict";
// GraphiQL for Lambdesk: subscriptions as event streams, and a documentation that follows the schema.

const ADDRESS = "/graphql";
const RETRY_MS = 2000;
// Says that a page of ours asks: the cookie of the session alone is not enough.
const OWN = { "x-csrf-token": document.querySelector("meta[name=csrf-token]").content };

// What a first visit begins with; examples of every module are in the menu above.
const WELCOME = `# Choose an example above, or write an operation; Ctrl-Space completes, Ctrl-Enter runs it.
query Welcome {
  schemaVersion
}
`;

function isSubscription(parameters, options) {
  const documentNode = options && options.documentAST;
  if (!documentNode) return /^\s*(#[^\n]*\n\s*)*subscription\b/.test(parameters.query);
  return documentNode.definitions.some(
    (node) =>
      node.kind === "OperationDefinition" &&
      node.operation === "subscription" &&
      (!parameters.operationName || (node.name && node.name.value === parameters.operationName)),
  );
}

async function* listen(parameters, headers, signal) {
  const answer = await fetch(ADDRESS, {
    method: "POST",
    headers: { ...OWN, ...headers, "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify(parameters),
    signal,
  });
  if (!(answer.headers.get("content-type") || "").startsWith("text/event-stream")) {
    yield await answer.json();
    return;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith("event: complete")) return;
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}

// An iterator whose return() ends the request: GraphiQL's stop button calls it.
function stream(parameters, headers) {
  const abort = new AbortController();
  const results = listen(parameters, headers, abort.signal);
  return {
    [Symbol.asyncIterator]() { return this; },
    next: () => results.next().catch((error) => {
      if (abort.signal.aborted) return { done: true, value: undefined };
      throw error;
    }),
    return: async () => {
      abort.abort();
      return { done: true, value: undefined };
    },
  };
}

async function ask(parameters, headers) {
  const answer = await fetch(ADDRESS, {
    method: "POST",
    headers: { ...OWN, ...headers, "content-type": "application/json", accept: "application/graphql-response+json, application/json" },
    body: JSON.stringify(parameters),
  });
  if (answer.status === 401 && !headers.authorization && !headers.Authorization) location.assign("/login?next=/graphiql");
  return answer.json();
}

// GraphiQL asks for the schema again whenever it gets another fetcher.
function makeFetcher() {
  return (parameters, options) => {
    const headers = (options && options.headers) || {};
    return isSubscription(parameters, options) ? stream(parameters, headers) : ask(parameters, headers);
  };
}

// --- operations that come from elsewhere: the menu of examples, and pages ("Show me the query") ---

// GraphiQL's own hands for its editors; it is there once GraphiQL was drawn, and another one after each change.
let editors = null;
const waiting = [];

function Hands() {
  editors = GraphiQL.React.useEditorContext({ nonNull: true });
  React.useEffect(pour);
  return null;
}

// Opens an operation in a tab of its own. Nothing runs before somebody presses the button.
function open(query, variables) {
  waiting.push({ query, variables });
  pour();
}

function pour() {
  if (!waiting.length || !editors?.queryEditor || !editors.variableEditor) return;
  const { query, variables } = waiting.shift();
  editors.addTab();
  setTimeout(() => {
    editors.queryEditor.setValue(query);
    editors.variableEditor.setValue(variables);
    pour();
  });
}

// What a page asked for stands behind the # of the address, which no server sees; it is taken out, so that reloading opens nothing.
function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (!told.get("query")) return {};
  history.replaceState(null, "", location.pathname);
  return { query: told.get("query"), variables: told.get("variables") || "" };
}

function openAddress() {
  const { query, variables } = readAddress();
  if (query) open(query, variables);
}

const modules = document.getElementById("example-module");
const examples = document.getElementById("example");
let offered = [];

async function offer() {
  const module = modules.value;
  let found = [];
  if (module) {
    const answer = await fetch(`/graphiql/examples/${encodeURIComponent(module)}`);
    if (answer.ok && modules.value === module) found = (await answer.json()).examples;
  }
  if (modules.value !== module) return;
  offered = found;
  examples.replaceChildren(examples.options[0], ...offered.map((item, place) => new Option(item.name, place)));
  examples.selectedIndex = 0;
  examples.disabled = !offered.length;
}

function choose() {
  const chosen = offered[examples.value];
  if (chosen && examples.value !== "") open(chosen.query, chosen.variables);
  examples.selectedIndex = 0;
}

function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function start() {
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const asked = readAddress();
  const render = () =>
    root.render(
      React.createElement(
        GraphiQL,
        {
          fetcher: makeFetcher(),
          ...asked,
          defaultQuery: WELCOME,
          defaultTheme: theme(),
          shouldPersistHeaders: false,
          inputValueDeprecation: true,
          schemaDescription: true,
        },
        React.createElement(GraphiQL.Logo, null, React.createElement(Hands)),
      ),
    );
  const changed = () => {
    render();
    offer();
  };
  modules.addEventListener("change", offer);
  examples.addEventListener("change", choose);
  window.addEventListener("hashchange", openAddress);
  document.getElementById("examples").hidden = false;
  render();
  follow(changed);
}

async function follow(changed) {
  let version = null;
  for (;;) {
    try {
      const current = await ask({ query: "{ schemaVersion }" }, {});
      if (current.data && version !== null && current.data.schemaVersion !== version) changed();
      if (current.data) version = current.data.schemaVersion;
      for await (const event of listen({ query: "subscription { schemaChanged { version } }" }, {}, undefined)) {
        if (!event.data) break;
        version = event.data.schemaChanged.version;
        changed();
      }
    } catch {
      // The server is away; it is asked again in a moment.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

start();
