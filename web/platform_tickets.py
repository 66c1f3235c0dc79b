"""What surrounds a ticket in the API: the keys that the caller holds to it, and the tickets that it is linked with."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from desk.around import OTHER_WAY, find_ticket, read_hold, read_links
from resolvers.ids import write_id
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.enum(description="How another ticket stands to a ticket.")
class TicketWay(Enum):
    """The ways of `desk.around`."""

    NORMAL = "NORMAL"
    PARENT = "PARENT"
    CHILD = "CHILD"
    OTHER = OTHER_WAY


@strawberry.type(description="What the caller may do with a ticket.")
class TicketHold:
    """The answer of `ticketHold`."""

    keys: list[str] = strawberry.field(
        description="OTRS's keys to the group of its queue (`ro`, `move_into`, `create`, `note`, `owner`, `priority`, `rw`); whoever owns it has all."
    )
    was_merged: bool = strawberry.field(description="Whether `unmergeTickets` finds a merge of it.")


@strawberry.type(description="A link of a ticket.")
class TicketLink:
    """A linked ticket by its id."""

    ticket: strawberry.ID = strawberry.field(description="The other ticket.")
    way: TicketWay
    type: str = strawberry.field(description="What the table of link types calls it.")


@strawberry.type
class TicketQuery:
    """Root fields about tickets."""

    @strawberry.field(description="What the caller may do with a ticket, by its global id; null where he sees none.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    async def ticket_hold(self, info: Info, ticket: strawberry.ID) -> TicketHold | None:
        """Tell keys."""
        found = await find_ticket(info.context, ticket)
        if found is None:
            return None
        hold = await read_hold(info.context, found[1])
        return TicketHold(keys=list(hold.keys), was_merged=hold.was_merged)

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="The tickets that a ticket is linked with, as far as the caller sees them; null where he does not see the ticket."
    )
    async def ticket_links(self, info: Info, ticket: strawberry.ID) -> list[TicketLink] | None:
        """List links."""
        found = await find_ticket(info.context, ticket)
        if found is None:
            return None
        module, number = found
        return [
            TicketLink(ticket=strawberry.ID(write_id(module, (item.number,))), way=TicketWay(item.way), type=item.type)
            for item in await read_links(info.context, module, number)
        ]
