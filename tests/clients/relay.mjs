// The Relay compiler over our SDL, then the runtime and its store with what it made.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import relay from "relay-runtime";

const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery, getSingularSelector } = relay;

const [base, folder] = process.argv.slice(2);
const authorization = process.env.AUTHORIZATION;
const require = createRequire(import.meta.url);
const PAGE = 5;

async function compile() {
  const schema = await (await fetch(`${base}/schema.graphql`, { headers: { authorization } })).text();
  cpSync(path.join(import.meta.dirname, "relay"), path.join(folder, "src"), { recursive: true });
  mkdirSync(path.join(folder, "artifacts"));
  writeFileSync(path.join(folder, "schema.graphql"), schema);
  writeFileSync(
    path.join(folder, "relay.config.json"),
    JSON.stringify({
      src: "./src",
      schema: "./schema.graphql",
      language: "javascript",
      artifactDirectory: "./artifacts",
      eagerEsModules: false, // so that Node finds one artifact from another
    }),
  );
  execFileSync(require("relay-compiler"), [], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

const artifact = (name) => require(path.join(folder, "artifacts", `${name}.graphql.js`));

async function send(request, variables) {
  const answer = await fetch(`${base}/graphql`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: request.text, variables }),
  });
  return answer.json();
}

await compile();
const environment = new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
const records = () => environment.getStore().getSource();
const run = (query, variables) => fetchQuery(environment, query, variables).toPromise();

/** Read a fragment the way usePaginationFragment does: through the pointer that the query's data holds. */
function read(query, variables, fragment) {
  const root = environment.lookup(createOperationDescriptor(query, variables).fragment);
  return environment.lookup(getSingularSelector(fragment, root.data));
}

const query = artifact("pagesQuery");
const pages = artifact("pages_tickets");
await run(query, { first: PAGE });
// Nothing retains what it does not hold, so the records stay while this runs.
environment.retain(createOperationDescriptor(query, { first: PAGE }));
const first = read(query, { first: PAGE }, pages);
const { endCursor, hasNextPage } = first.data.tickets.pageInfo;
await run(artifact("pagesPaginationQuery"), { first: PAGE, after: endCursor });
const both = read(query, { first: PAGE }, pages);
const tickets = both.data.tickets.edges.map((edge) => edge.node);

const ticket = tickets[0];
const refetch = artifact("pagesTicketRefetchQuery");
await run(refetch, { id: ticket.id, count: 1 });
const refetched = environment.lookup(createOperationDescriptor(refetch, { id: ticket.id, count: 1 }).fragment);
const detail = environment.lookup(getSingularSelector(artifact("pages_ticket"), refetched.data.node));

console.log(
  JSON.stringify({
    first: first.data.tickets.edges.length,
    hasNextPage,
    isMissingData: both.isMissingData,
    ids: tickets.map((node) => node.id),
    recordType: records().get(ticket.id).__typename,
    queueRecord: records().get(ticket.queue.id).name,
    queueName: ticket.queue.name,
    refetched: records().get("client:root")[`node(id:"${ticket.id}")`].__ref,
    refetchedNumber: detail.data.number,
    listedNumber: ticket.number,
    articles: detail.data.articles.edges.length,
  }),
);
