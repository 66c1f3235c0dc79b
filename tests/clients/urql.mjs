// urql with graphcache, which knows the schema by introspection; subscriptions through graphql-ws.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { getIntrospectedSchema, minifyIntrospectionQuery } from "@urql/introspection";
import { getIntrospectionQuery } from "graphql";
import { createClient } from "graphql-ws";

const [base, site] = process.argv.slice(2);
const authorization = process.env.AUTHORIZATION;
const url = `${base}/graphql`;
const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));
console.error = (...words) => warnings.push(words.join(" "));

const introspection = await (
  await fetch(url, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery({ descriptions: false }) }),
  })
).json();
const schema = minifyIntrospectionQuery(getIntrospectedSchema(introspection.data));
const socket = createClient({ url: url.replace("http", "ws"), connectionParams: { authorization } });

const client = new Client({
  url,
  fetchOptions: { headers: { authorization } },
  preferGetMethod: false,
  exchanges: [
    cacheExchange({
      schema,
      resolvers: { Query: { tickets: relayPagination() } },
      keys: { PageInfo: () => null },
    }),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (operation) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: operation.query ?? "", variables: operation.variables }, sink) }),
      }),
    }),
  ],
});

const LIST = gql`
  query Tickets($after: String) {
    tickets(first: 5, after: $after, orderBy: [{ databaseId: ASC }]) {
      edges {
        node {
          id
          title
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
const first = await client.query(LIST, {}).toPromise();
const second = await client.query(LIST, { after: first.data.tickets.pageInfo.endCursor }).toPromise();
const merged = second.data.tickets.edges.map((edge) => edge.node.id);

// Schema awareness: what is nullable and not there yet is null, the rest comes at once, and the network completes it.
const MORE = gql`
  query More {
    tickets(first: 5, orderBy: [{ databaseId: ASC }]) {
      edges {
        node {
          id
          title
          customerUserLogin
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
const seen = await new Promise((resolve) => {
  const results = [];
  const source = client.query(MORE, {});
  const { unsubscribe } = source.subscribe((result) => {
    results.push({
      stale: result.stale,
      error: result.error?.message ?? null,
      logins: result.data?.tickets.edges.map((edge) => edge.node.customerUserLogin) ?? null,
    });
    if (!result.stale) {
      setTimeout(() => unsubscribe());
      resolve(results);
    }
  });
});

// A module is dropped in: whoever listens hears of the new schema.
const changed = await new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("schemaChanged said nothing for 20 s")), 20_000).unref();
  const events = [];
  const { unsubscribe } = client.subscription(gql`subscription { schemaChanged { version } }`, {}).subscribe((result) => {
    if (result.error) reject(result.error);
    events.push(result.data);
    setTimeout(() => unsubscribe());
    resolve(events);
  });
  setTimeout(() => {
    mkdirSync(site, { recursive: true });
    writeFileSync(
      path.join(site, "urql_note.yaml"),
      "module:\n  name: urql_note\n  table: urql_note\nfields:\n  - {name: text, type: string, required: true}\n",
    );
  }, 1000);
});
await socket.dispose();

console.log(JSON.stringify({ types: introspection.data.__schema.types.length, merged, seen, changed, warnings }));
process.exit(0);
