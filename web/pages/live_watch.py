"""What a page watches: named by its own address, and asked for as the subscription that anybody could open at the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from web.pages.list_page import MAX_QUERY_STRING, MOST_PARAMETERS
from web.pages.list_query import narrowing
from web.pages.list_state import read_state
from web.pages.live_names import may_be_watched, other_end
from web.pages.view import View, view_of
from web.pages.visit import Visit

CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Watch:
    """A subscription to rows: its document and variables."""

    document: str
    variables: Mapping[str, Any]


def read_watch(visit: Visit, address: str) -> Watch | None:
    """Read what a page says that it watches; None where that is nothing that the caller could open."""
    path, _, query = address.partition("?")
    parts = [unquote(part) for part in path.split("/")[1:]]
    if len(parts) < 2 or parts[0] != "modules" or len(query) > MAX_QUERY_STRING:  # noqa: PLR2004 - `modules` and a name
        return None
    view = view_of(visit.snapshot, visit.access, parts[1])
    read = _READERS.get((len(parts), parts[3] if len(parts) > 3 else ""))  # noqa: PLR2004 - the word after the row
    return read(visit, view, parts, query) if view is not None and read is not None else None


def _read_list(visit: Visit, view: View, _parts: Sequence[str], query: str) -> Watch | None:
    try:
        pairs = parse_qsl(query, max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        return None
    variables, _ = narrowing(read_state(view, pairs), visit.schema, visit.look.time_zone())
    return _watch(view, variables.get("filter"))


def _read_row(_visit: Visit, view: View, parts: Sequence[str], _query: str) -> Watch | None:
    return _watch(view, {"id": {"eq": parts[2]}})


def _read_related(_visit: Visit, view: View, parts: Sequence[str], _query: str) -> Watch | None:
    found = other_end(view, parts[4])
    return _watch(found[0], {found[1]: {"id": {"eq": parts[2]}}}) if found is not None else None


_READERS: Mapping[tuple[int, str], Callable[[Visit, View, Sequence[str], str], Watch | None]] = {
    (2, ""): _read_list,
    (3, ""): _read_row,
    (5, "related"): _read_related,
}


def _watch(view: View, filter_: Any) -> Watch | None:
    if not may_be_watched(view):
        return None
    name, root = view.module.type_name, f"{view.module.one_root}Changed"
    return Watch(
        f"subscription {name}Watch($filter: {name}Filter) {{ {CHANGE}: {root}(filter: $filter) {{ kind id }} }}",
        {} if filter_ is None else {"filter": filter_},
    )
