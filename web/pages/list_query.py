"""The GraphQL operation of a list: a pure function of module, columns and state. Documents are kept, so that they are planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from graphql import GraphQLSchema

from web.pages.buttons import needs_key
from web.pages.cells import selection_of
from web.pages.filters import write_filter
from web.pages.list_state import ListState
from web.pages.view import Member, View

ROWS = "rows"
DOCUMENTS = 2_000
_PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True, slots=True)
class Query:
    """An operation with its variables. `wrong` names what of the state could not be said in the API."""

    document: str
    variables: Mapping[str, Any]
    wrong: tuple[str, ...] = ()


def list_query(state: ListState, schema: GraphQLSchema, zone: ZoneInfo) -> Query:
    """Make the operation of a page of rows."""
    variables, wrong = narrowing(state, schema, zone)
    variables |= _ordering(state, schema) | _paging(state)
    selection = _selection(state.view, state.columns)
    return Query(
        _document(*_names(state), tuple(variables), _types(schema, state.view), selection), variables, tuple(wrong)
    )


def count_query(state: ListState, schema: GraphQLSchema, zone: ZoneInfo) -> Query:
    """Make the operation that counts the rows of a filter."""
    variables, wrong = narrowing(state, schema, zone)
    return Query(
        _document(*_names(state), tuple(variables), _types(schema, state.view), "totalCount"), variables, tuple(wrong)
    )


def ids_query(state: ListState, schema: GraphQLSchema, zone: ZoneInfo, after: str, size: int) -> Query:
    """Make the operation that names the rows of a filter, a page of them."""
    variables, wrong = narrowing(state, schema, zone)
    variables |= {"first": size, **({"after": after} if after else {})}
    selection = "nodes { id } pageInfo { hasNextPage endCursor }"
    return Query(
        _document(*_names(state), tuple(variables), _types(schema, state.view), selection), variables, tuple(wrong)
    )


def narrowing(state: ListState, schema: GraphQLSchema, zone: ZoneInfo) -> tuple[dict[str, Any], list[str]]:
    """Return the variables that say which rows, and what could not be said."""
    found: dict[str, Any] = {}
    filter_, wrong = write_filter(state.conditions, zone)
    if filter_ is not None:
        found["filter"] = filter_
    if state.search and "search" in state.view.takes(schema):
        found["search"] = state.search
    return found, wrong


def order_of(state: ListState) -> list[Any] | None:
    """Return the order as the API takes it."""
    member = state.sort
    if member is None or not member.sorts:
        return None
    direction = "DESC" if state.descends else "ASC"
    return [{member.name: {member.shown: direction} if member.target else direction}]


def _ordering(state: ListState, schema: GraphQLSchema) -> dict[str, Any]:
    order = order_of(state)
    return {"orderBy": order} if order is not None and "orderBy" in state.view.takes(schema) else {}


def _paging(state: ListState) -> dict[str, Any]:
    if not state.view.module.has_id:
        return {"first": state.size, **({"offset": state.offset} if state.offset else {})}
    if state.before:
        return {"last": state.size, "before": state.before}
    return {"first": state.size, **({"after": state.after} if state.after else {})}


def _selection(view: View, columns: Sequence[Member]) -> str:
    own = ["id"] if view.module.has_id else []
    cells = [selection_of(member) for member in columns]
    if needs_key(view) and "databaseId" not in cells:
        own.append("databaseId")
    return f"nodes {{ {' '.join([*own, *cells])} }} {_PAGE_INFO}"


def _types(schema: GraphQLSchema, view: View) -> tuple[tuple[str, str], ...]:
    """Return the arguments of the list's root field with their types."""
    query = schema.query_type
    if query is None:
        return ()
    return tuple((name, str(argument.type)) for name, argument in query.fields[view.module.many_root].args.items())


def _names(state: ListState) -> tuple[str, str]:
    return state.view.module.type_name, state.view.module.many_root


@lru_cache(DOCUMENTS)
def _document(name: str, root: str, used: tuple[str, ...], types: tuple[tuple[str, str], ...], selection: str) -> str:
    known = dict(types)
    declared = ", ".join(f"${name}: {known[name]}" for name in used)
    given = ", ".join(f"{name}: ${name}" for name in used)
    # Nothing of what somebody typed is in the text: values are variables.
    head, arguments = (f"({declared})", f"({given})") if used else ("", "")
    return f"query {name}List{head} {{ {ROWS}: {root}{arguments} {{ {selection} }} }}"
