"""The list of a module: one operation, and what it answered as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from schema.writes import Deed
from web.errors import Refused
from web.pages.cells import Reader, now
from web.pages.kept_rows import drawn_rows
from web.pages.list_parts import bulk_of, deeds_of, parts_of
from web.pages.list_query import ROWS, Query, count_query, list_query
from web.pages.list_state import ListState, read_state
from web.pages.live_names import list_watch
from web.pages.row_drawing import Rows
from web.pages.said import said_of
from web.pages.visit import Answer, Visit

MAX_QUERY_STRING = 30_000
MOST_PARAMETERS = 300
SEARCH_INPUT = "input#search"
LIVE_HEADER = "lambdesk-live"  # of what a page asks for by itself, because rows have changed
COUNT_AFTER_S = 3  # while rows keep changing, they are not counted each time


async def show_list(visit: Visit) -> Response:
    """Show a page of rows; htmx gets the part that changes, and the address that belongs to it."""
    state = read_list(visit)
    query = list_query(state, visit.schema, visit.look.time_zone())
    answer = await visit.ask(query.document, query.variables)
    values = _values(visit, state, query, answer)
    if not visit.is_htmx:
        return visit.page("list.html", **values)
    if is_live(visit):
        return visit.page("list.html", block="list", **values)
    pushes = "Replace" if visit.request.headers.get("hx-source", "") == SEARCH_INPUT else "Push"
    return visit.page("list.html", block="list", headers={f"HX-{pushes}-Url": state.here()}, **values)


def is_live(visit: Visit) -> bool:
    """Answer whether a page asks because something changed, and not because somebody clicked."""
    return LIVE_HEADER in visit.request.headers


async def show_count(visit: Visit) -> Response:
    """Say how many rows a filter finds: asked for behind the page, because counting may take longer than a page."""
    state = read_list(visit)
    query = count_query(state, visit.schema, visit.look.time_zone())
    answer = await visit.ask(query.document, query.variables)
    return visit.page("list.html", block="count", count=answer.data[ROWS]["totalCount"])


def read_list(visit: Visit) -> ListState:
    """Read the state of the list that the address names. Raises `Refused`."""
    return read_state(visit.view(), pairs_of(visit.request))


def pairs_of(request: Request) -> Sequence[tuple[str, str]]:
    """Return the parameters of an address. Raises `Refused`."""
    raw: bytes = request.scope["query_string"]
    if len(raw) > MAX_QUERY_STRING:
        raise Refused(414, "The address is too long.")
    try:
        return parse_qsl(raw.decode("ascii"), max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        raise Refused(400, "The address is not URL-encoded UTF-8, or has too many parameters.") from None


def reader_of(visit: Visit, *, brief: bool = True) -> Reader:
    """Return who reads the values of a page."""
    return Reader(visit.texts, visit.look.time_zone(), now(), brief)


def unread(errors: Sequence[Mapping[str, Any]]) -> frozenset[tuple[Any, ...]]:
    """Return the places of the cells that errors of an answer are about: row and response key."""
    return frozenset(tuple(error["path"][-2:]) for error in errors if len(error.get("path", ())) >= 2)  # noqa: PLR2004 - both


def _values(visit: Visit, state: ListState, query: Query, answer: Answer) -> Mapping[str, Any]:
    page = answer.data[ROWS]
    module = state.view.module
    info = page["pageInfo"]
    bulk, deeds = bulk_of(state.view), deeds_of(state.view, visit.look.lang)
    wrong, drawn = unread(answer.errors), drawn_rows(visit, state)
    rows = Rows(page["nodes"], state.columns, module.name, reader_of(visit), wrong, deeds, drawn)
    return {
        "state": state,
        "view": state.view,
        "kept": {name: part.fill({"nonce": visit.nonce}) for name, part in parts_of(visit, state).items()},
        "rows": rows,
        "wrong": [*state.wrong, *query.wrong],
        "newer": _before(state, info),
        "older": _after(state, info),
        "is_whole": not info["hasNextPage"] and not info["hasPreviousPage"] and not state.offset,
        "bulk": bulk,
        "creates": state.view.may(Deed.CREATE),
        "said": said_of(visit),
        "watch": list_watch(state),
        "count_after": COUNT_AFTER_S if is_live(visit) else 0,
        "notice": module.notice.in_language(visit.look.lang) if module.notice else "",
    }


def _after(state: ListState, info: Mapping[str, Any]) -> str:
    if not info["hasNextPage"]:
        return ""
    if not state.view.module.has_id:
        return state.address(offset=state.offset + state.size)
    return state.address(after=info["endCursor"], before="")


def _before(state: ListState, info: Mapping[str, Any]) -> str:
    if not info["hasPreviousPage"] and not state.offset:
        return ""
    if not state.view.module.has_id:
        return state.address(offset=max(0, state.offset - state.size))
    return state.address(before=info["startCursor"], after="")
