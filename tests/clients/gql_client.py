"""The Python client `gql`: the schema by introspection, a query made with its DSL, one checked before it is sent."""

import asyncio
import json
import os
import sys
from typing import Any

from gql import Client, gql
from gql.dsl import DSLQuery, DSLSchema, dsl_gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError

SIGNED_IN = {"authorization": os.environ["AUTHORIZATION"]}


async def use(url: str) -> dict[str, Any]:
    """Ask in every way that gql knows."""
    async with Client(
        transport=HTTPXAsyncTransport(url=url, headers=SIGNED_IN), fetch_schema_from_transport=True
    ) as session:
        schema = DSLSchema(session.client.schema)
        tickets = schema.Query.tickets(first=2, orderBy=[{"databaseId": "ASC"}]).select(
            schema.TicketConnection.totalCount,
            schema.TicketConnection.nodes.select(schema.Ticket.id, schema.Ticket.title),
        )
        made = await session.execute(dsl_gql(DSLQuery(tickets)))
        return {
            "dsl": made["tickets"],
            "unknown": await refusal(session, "{ tickets(first: 1) { nodes { tittle } } }"),
            "error": await refusal(session, '{ tickets(first: 1, after: "nonsense") { nodes { id } } }'),
            "socket": await over_websocket(url.replace("http", "ws", 1)),
        }


async def refusal(session: Any, text: str) -> dict[str, Any]:
    """Say who refused a document: gql itself, by the schema, or the server."""
    try:
        await session.execute(gql(text))
    except TransportQueryError as error:
        return {"by": "server", "errors": error.errors}
    except GraphQLError as error:
        return {"by": "gql", "message": error.message}
    return {"by": "nobody"}


async def over_websocket(url: str) -> Any:
    """Send a query over graphql-transport-ws."""
    async with Client(
        transport=WebsocketsTransport(url=url, subprotocols=["graphql-transport-ws"], init_payload=SIGNED_IN)
    ) as session:
        return await session.execute(gql("{ tickets(first: 1) { totalCount } }"))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(use(sys.argv[1]))))  # noqa: T201 # its answer to the test
