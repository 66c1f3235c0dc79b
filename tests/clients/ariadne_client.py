"""Uses the package that ariadne-codegen made from our schema: typed calls, typed inputs, typed answers."""

import asyncio
import json
import os
import sys
from typing import Any


async def use(url: str) -> dict[str, Any]:
    """Walk two pages and fetch one row of them again."""
    import desk_client  # noqa: PLC0415 # made by the test, on the path given to main

    async with desk_client.Client(url=url, headers={"authorization": os.environ["AUTHORIZATION"]}) as client:
        wanted = desk_client.TicketFilter(
            queue=desk_client.QueueFilter(validity=desk_client.ValidityFilter(eq="VALID"))
        )
        first = await client.ticket_page(first=3, filter_=wanted)
        second = await client.ticket_page(first=3, after=first.tickets.page_info.end_cursor, filter_=wanted)
        row = await client.row(id=first.tickets.nodes[0].id)
        return {
            "type": type(first).__name__,
            "ids": [node.id for page in (first, second) for node in page.tickets.nodes],
            "validity": [node.queue.validity.value for node in first.tickets.nodes],
            "enum": type(first.tickets.nodes[0].queue.validity).__name__,
            "row": row.node.typename__,
            "sameTitle": row.node.title == first.tickets.nodes[0].title,
        }


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])
    print(json.dumps(asyncio.run(use(sys.argv[1]))))  # noqa: T201 # its answer to the test
