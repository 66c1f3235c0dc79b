// The audits of graphql-http: what the GraphQL-over-HTTP specification asks of a server.
import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
const authorization = process.env.AUTHORIZATION;
const signedIn = (address, options) => fetch(address, { ...options, headers: { authorization, ...options?.headers } });
const results = await auditServer({ url, fetchFn: signedIn });
const found = await Promise.all(
  results.map(async ({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null })),
);
console.log(JSON.stringify(found));
