"use strict";
// GraphiQL for Lambdesk: subscriptions as event streams, and a documentation that follows the schema.

const ADDRESS = "/graphql";
const RETRY_MS = 2000;
// Says that a page of ours asks: the cookie of the session alone is not enough.
const OWN = { "x-csrf-token": document.querySelector("meta[name=csrf-token]").content };

const EXAMPLES = [
  `# The newest tickets, with everything one sees in a list.
query NewestTickets {
  tickets(first: 10, orderBy: [{ createdAt: DESC }]) {
    nodes {
      number
      title
      createdAt
      queue { name group { name } }
      owner { login }
      priority { name }
      state { name }
      customer { name }
    }
  }
}
`,
  `# Open tickets per queue; the keys of an aggregate lead to the rows.
query OpenTicketsPerQueue {
  ticketAggregate(groupBy: [QUEUE], filter: { state: { type: { name: { in: ["new", "open"] } } } }) {
    count
    key { queue { id name } }
  }
}
`,
  `# The third page of a list: put the endCursor of a page into $after.
query TicketsByPage($after: String) {
  tickets(first: 25, after: $after, filter: { title: { contains: "a" } }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { number title }
  }
}
`,
  `# Every module file, with what is wrong with it.
query Modules {
  modules {
    name
    version
    state
    files
    problems { level code message file line column hint excerpt }
  }
}
`,
  `# Says so whenever a module file changes the schema.
subscription SchemaChanges {
  schemaChanged {
    version
    changes { kind module description }
  }
}
`,
];

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

function theme() {
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function start() {
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const render = () =>
    root.render(
      React.createElement(GraphiQL, {
        fetcher: makeFetcher(),
        defaultTabs: EXAMPLES.map((query) => ({ query })),
        defaultTheme: theme(),
        shouldPersistHeaders: false,
        inputValueDeprecation: true,
        schemaDescription: true,
      }),
    );
  render();
  follow(render);
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
