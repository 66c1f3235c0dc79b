"""Deeds with a ticket that need no form: take it, watch it, take a merge back, take a link away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.deeds import DONE, ERRORS, Deal, Done, read_done, update
from web.pages.form_page import VERSION
from web.pages.form_query import row_id
from web.pages.said import say
from web.pages.ticket_page import Around, show_around
from web.pages.ticket_sight import Sight, sight_of, ticket_address
from web.pages.view import Member
from web.pages.visit import Visit

REFUSED = 409
LOCKED = "lock"  # OTRS's name of the lock


async def take_ticket(visit: Visit) -> Response:
    """Make the caller the owner, and lock the ticket for him."""
    sight = sight_of(visit)
    owner, lock = sight.member("user_id"), sight.member("ticket_lock_id")
    if owner is None or lock is None or owner.target is None or lock.target is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    patch = {owner.name: _myself(visit, owner), lock.name: {lock.shown: LOCKED}}
    deal = update(sight.view, row_id(visit), visit.form.one(VERSION) or None, patch)
    return await carry_out(visit, sight, deal, "ticket-taken")


async def take_watch(visit: Visit) -> Response:
    """Let the caller watch the ticket."""
    return await _simple(visit, "watchTicket", "ticket-watched")


async def take_unwatch(visit: Visit) -> Response:
    """Let the caller watch the ticket no more."""
    return await _simple(visit, "unwatchTicket", "ticket-unwatched")


async def take_unmerge(visit: Visit) -> Response:
    """Take the newest merge of the ticket back."""
    return await _simple(visit, "unmergeTickets", "ticket-unmerged")


async def carry_out(visit: Visit, sight: Sight, deal: Deal, said: str) -> Response:
    """Send a mutation; then the ticket's page says that it is done, or why it is not."""
    done = await send(visit, deal)
    if done.is_done:
        return visit.see(say(ticket_address(visit, sight), said))
    return await show_around(visit, sight, Around(problem=refusal(visit, done), status=REFUSED))


async def send(visit: Visit, deal: Deal, once: str | None = None) -> Done:
    """Send a mutation and take its payload apart."""
    return read_done((await visit.ask(deal.document, deal.variables, once=once)).data[DONE])


def refusal(visit: Visit, done: Done) -> str:
    """Say why a deed was refused."""
    return visit.texts("deed-refused", why=" ".join(text for messages in done.errors.values() for text in messages))


def deal_of(name: str, variables: Mapping[str, Any], shown: str = "") -> Deal:
    """Make one of the desk's mutations, with its whole input as a variable."""
    type_name = f"{name[0].upper()}{name[1:]}Input!"
    return Deal(
        f"mutation Desk($in: {type_name}) {{ {DONE}: {name}(input: $in) {{ {shown} {ERRORS} }} }}", {"in": variables}
    )


async def _simple(visit: Visit, name: str, said: str) -> Response:
    return await carry_out(visit, sight_of(visit), deal_of(name, {"ticket": {"id": row_id(visit)}}), said)


def _myself(visit: Visit, owner: Member) -> Mapping[str, Any]:
    principal = visit.caller.principal
    if owner.shown == "databaseId":
        return {"databaseId": getattr(principal, "id", 0)}
    return {owner.shown: str(getattr(principal, "login", ""))}
