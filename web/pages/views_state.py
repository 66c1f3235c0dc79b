"""Saved views and addresses of lists: a view is kept as the API takes a list, and opened as an address.

What a list does not know any more, or cannot show, stays in the address; the list names it and leaves it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from graphql import GraphQLSchema

from web.pages.filters import FLAGS, PREFIX, condition_kind, offer_of
from web.pages.list_query import narrowing, order_of
from web.pages.list_state import ListState
from web.pages.values import write_value
from web.pages.view import Member, View

_LETTERS = 100  # of what is named because it is left out


def settings_of(state: ListState, schema: GraphQLSchema, zone: ZoneInfo) -> Mapping[str, Any]:
    """Return what `saveView` takes of a list."""
    variables, _ = narrowing(state, schema, zone)
    return {
        "filter": variables.get("filter"),
        "search": variables.get("search"),
        "orderBy": order_of(state) if state.is_sorted else None,
        "columns": [member.path for member in state.chosen],
    }


def view_address(view: View, saved: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Return the address of a list that shows what a view keeps."""
    pairs = [("q", saved["search"])] if saved["search"] else []
    pairs += _filters(view, saved["filter"], zone)
    pairs += [("sort", text) for text in _order(saved["orderBy"])]
    if saved["columns"]:
        pairs.append(("c", ",".join(_column(view, path) for path in saved["columns"])))
    query = urlencode(pairs)
    base = f"/modules/{view.module.name}"
    return f"{base}?{query}" if query else base


def _filters(view: View, filter_: Any, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if not isinstance(filter_, dict):
        return
    for name, said in filter_.items():
        member = view.members.get(name)
        if name == "and" and isinstance(said, list):
            for part in said:
                yield from _filters(view, part, zone)
        elif member is None or offer_of(member) is None or not isinstance(said, dict):
            yield f"{PREFIX}{name}", json.dumps(said)[:_LETTERS]  # `or`, `not`, a field that is gone
        else:
            yield from _conditions(member, said, zone)


def _conditions(member: Member, said: Mapping[str, Any], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Say the operators of one field; of a reference, those of the key that its rows are called by."""
    if member.target is not None:
        for name, operators in said.items():
            if name != member.shown or not isinstance(operators, dict):
                yield f"{PREFIX}{member.name}.{name}", json.dumps(operators)[:_LETTERS]
        said = said.get(member.shown) or {}
    kind = condition_kind(member)
    for operator, value in said.items():
        values = value if isinstance(value, list) else [value]
        texts = [write_value("bool" if operator in FLAGS else kind, item, zone) for item in values]
        yield from ((f"{PREFIX}{member.name}.{operator}", text) for text in texts)


def _order(order: Any) -> Sequence[str]:
    """Return the first field that a view is ordered by: a list is ordered by one."""
    for item in order if isinstance(order, list) else ():
        for name, direction in item.items():
            told = next(iter(direction.values()), "") if isinstance(direction, dict) else direction
            return [f"{'-' * (told == 'DESC')}{name}"]
    return ()


def _column(view: View, path: str) -> str:
    """Return the name of a column; one that is gone keeps its path."""
    return next((member.name for member in view.members.values() if path in {member.path, member.name}), path)
