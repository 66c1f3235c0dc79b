// Apollo Client: its normalised cache, relayStylePagination, fragments on an interface, persisted queries.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";

const [base] = process.argv.slice(2);
const authorization = process.env.AUTHORIZATION;
const sent = [];

async function remember(uri, options) {
  const { query, extensions } = JSON.parse(options.body);
  const answer = await fetch(uri, options);
  sent.push({ hasQuery: query !== undefined, hash: extensions?.persistedQuery?.sha256Hash, status: answer.status });
  return answer;
}

const kinds = await (
  await fetch(`${base}/graphql`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ query: "{ __schema { types { kind name possibleTypes { name } } } }" }),
  })
).json();
const possibleTypes = Object.fromEntries(
  kinds.data.__schema.types
    .filter(({ kind }) => kind === "INTERFACE" || kind === "UNION")
    .map(({ name, possibleTypes }) => [name, possibleTypes.map((type) => type.name)]),
);

function connect(...links) {
  return new ApolloClient({
    link: ApolloLink.from([...links, new HttpLink({ uri: `${base}/graphql`, headers: { authorization }, fetch: remember })]),
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: { Query: { fields: { tickets: relayStylePagination(["filter", "orderBy"]) } } },
    }),
  });
}

const client = connect();
const LIST = gql`
  query Tickets($first: Int!, $after: String) {
    tickets(first: $first, after: $after, orderBy: [{ databaseId: ASC }]) {
      edges {
        cursor
        node {
          id
          title
          queue {
            id
            name
          }
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`;

const first = (await client.query({ query: LIST, variables: { first: 5 } })).data;
const list = client.watchQuery({ query: LIST, variables: { first: 5 } });
list.subscribe(() => {});
await list.fetchMore({ variables: { first: 5, after: first.tickets.pageInfo.endCursor } });
const merged = client.readQuery({ query: LIST, variables: { first: 5 } });
const cache = client.cache.extract();
const ticket = merged.tickets.edges[0].node;

const NODE = gql`
  query Node($id: ID!) {
    node(id: $id) {
      id
      ...Subject
    }
  }
  fragment Subject on Ticket {
    title
    number
  }
`;
const node = (await client.query({ query: NODE, variables: { id: ticket.id } })).data.node;
const fromCache = client.readFragment({ id: `Ticket:${ticket.id}`, fragment: gql`fragment Number on Ticket { number }` });

sent.length = 0;
const hash = (text) => createHash("sha256").update(text).digest("hex");
const persisted = () => connect(new PersistedQueryLink({ sha256: hash }));
const unique = gql(`query Persisted { tickets(first: 1) { nodes { id title } } } # ${process.pid}`);
const one = await persisted().query({ query: unique });
const two = await persisted().query({ query: unique });

console.log(
  JSON.stringify({
    first: first.tickets.edges.length,
    ids: merged.tickets.edges.map((edge) => edge.node.id),
    ticketRecords: Object.keys(cache).filter((key) => key.startsWith("Ticket:")).length,
    queueReference: cache[`Ticket:${ticket.id}`].queue.__ref,
    queueId: ticket.queue.id,
    queueName: cache[`Queue:${ticket.queue.id}`].name,
    nodeTitle: node.title,
    listTitle: ticket.title,
    numberFromCache: fromCache.number,
    nodeNumber: node.number,
    persisted: sent.map(({ hasQuery, hash }) => ({ hasQuery, hash: hash !== undefined })),
    same: JSON.stringify(one.data) === JSON.stringify(two.data),
  }),
);
client.stop();
process.exit(0);
