// PostGraphile on the database of the first argument and the port of the second, as its documentation advises for production.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const [connectionString, port] = process.argv.slice(2);
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"], pubsub: false, poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, websockets: false, watch: false },
  grafast: { explain: false },
  disablePlugins: ["PgIndexBehaviorsPlugin"], // OTRS has no index on the time of the last change, by which agents sort
});
const server = createServer();
server.on("error", (error) => {
  throw error;
});
const serv = pgl.createServ(grafserv);
await serv.addTo(server);
await serv.ready?.();
server.listen(Number(port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
