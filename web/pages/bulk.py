"""One deed for many rows: those that were chosen, or all that a query finds. By one mutation, where the module has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schema.writes import Deed
from web.pages.deeds import DONE, MOST_AT_ONCE, Deal, by_filter, each, read_done
from web.pages.list_query import ROWS, count_query, ids_query, narrowing
from web.pages.list_state import ListState
from web.pages.visit import Visit

AFFECTED_LIMIT = 5_000  # of one mutation by filter
ONE_BY_ONE_LIMIT = 500
PAGE_SIZE = 500
# What a button asks for: the deed for a row, and the one for all rows of a filter.
DEEDS: Mapping[str, tuple[Deed, Deed | None]] = {
    "set": (Deed.UPDATE, Deed.UPDATE_MANY),
    "delete": (Deed.DELETE, Deed.DELETE_MANY),
    "restore": (Deed.RESTORE, None),
}
SAID: Mapping[str, str] = {"set": "bulk-set", "delete": "bulk-deleted", "restore": "bulk-restored"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows: by their ids, or (`is_all`) whatever the query of the list finds."""

    state: ListState
    ids: tuple[str, ...]
    is_all: bool

    def limit(self, deed: str) -> int:
        """Return how many rows may be changed at once."""
        return AFFECTED_LIMIT if self.many(deed) else ONE_BY_ONE_LIMIT

    def many(self, deed: str) -> Deed | None:
        """Return the mutation by filter that does it; None where the module has none."""
        many = DEEDS[deed][1]
        return many if many is not None and self.state.view.may(many) else None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it: how many rows were changed, and why others were not."""

    done: int
    problems: tuple[str, ...] = ()


async def count(visit: Visit, chosen: Chosen) -> int:
    """Count the rows."""
    if not chosen.is_all:
        return len(chosen.ids)
    query = count_query(chosen.state, visit.schema, visit.look.time_zone())
    answer = await visit.ask(query.document, query.variables)
    return int(answer.data[ROWS]["totalCount"])


async def carry_out(visit: Visit, chosen: Chosen, deed: str, most: int, patch: Mapping[str, Any]) -> Told:
    """Do it. With more rows than were counted before, nothing is done where one mutation does it all."""
    many = chosen.many(deed)
    view = chosen.state.view
    if many is not None and chosen.is_all and not chosen.state.search:
        narrowed, _ = narrowing(chosen.state, visit.schema, visit.look.time_zone())
        return await _send(visit, by_filter(view, many, narrowed.get("filter", {}), most, patch))
    found = [row async for row in _rows(visit, chosen, most)] if chosen.is_all else list(chosen.ids)
    told = Told(0)
    size = PAGE_SIZE if many is not None else MOST_AT_ONCE
    for start in range(0, len(found), size):
        part = found[start : start + size]
        if many is not None:
            next_ = await _send(visit, by_filter(view, many, {"id": {"in": part}}, len(part), patch))
        else:
            deal = each(view, DEEDS[deed][0], part, patch)
            next_ = _tell(await visit.ask(deal.document, deal.variables), len(part))
        told = Told(told.done + next_.done, (*told.problems, *next_.problems))
    return told


async def _send(visit: Visit, deal: Deal) -> Told:
    answer = await visit.ask(deal.document, deal.variables)
    done = read_done(answer.data[DONE])
    messages = tuple(message for told in done.errors.values() for message in told)
    return Told(0 if messages else int(done.payload["affected"]), messages)


def _tell(answer: Any, count_: int) -> Told:
    found = [read_done(answer.data[f"d{place}"]) for place in range(count_)]
    problems = [message for done in found for told in done.errors.values() for message in told]
    return Told(sum(done.is_done for done in found), tuple(dict.fromkeys(problems)))


async def _rows(visit: Visit, chosen: Chosen, most: int) -> AsyncIterator[str]:
    """Yield the ids of the rows that a query finds, page by page."""
    after, left = "", most
    while left > 0:
        query = ids_query(chosen.state, visit.schema, visit.look.time_zone(), after, min(left, PAGE_SIZE))
        page = (await visit.ask(query.document, query.variables)).data[ROWS]
        for node in page["nodes"]:
            yield node["id"]
        left -= len(page["nodes"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def ids_of(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the ids in an address or form, each once."""
    return tuple(dict.fromkeys(value for name, value in pairs if name == "id"))[:PAGE_SIZE]
