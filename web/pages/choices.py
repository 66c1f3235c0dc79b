"""The rows that a reference may be chosen from: asked for all references of a page in its one operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema

from schema.spec import Module
from schema.writes import soft_deletes
from web.pages.view import Member

MOST = 100  # beyond it one types instead of choosing


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reference offers. `is_cut` says that there are more rows: then they are searched for as one types."""

    names: tuple[str, ...]
    is_cut: bool = False


def choice_roots(members: Iterable[Member], schema: GraphQLSchema) -> list[str]:
    """Return the root fields of an operation that ask for the rows of references."""
    return [_root(target, shown, _arguments(target, shown, schema)) for target, shown in _targets(members)]


def search_query(member: Member, schema: GraphQLSchema, search: str) -> tuple[str, Mapping[str, Any]]:
    """Return the operation that finds rows of one reference by what they are called, and its variables."""
    target = member.target
    if target is None:
        raise TypeError("only references are searched for")
    arguments = {**_arguments(target, member.shown, schema), "filter": "$filter"}
    document = f"query {target.type_name}Options($filter: {target.type_name}Filter) {{ {_root(target, member.shown, arguments)} }}"
    return document, {"filter": _matching(target, member.shown, search)}


def _root(target: Module, shown: str, arguments: Mapping[str, str]) -> str:
    given = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    return f"options_{target.name}: {target.many_root}({given}) {{ nodes {{ {shown} }} }}"


def read_choices(members: Iterable[Member], data: Mapping[str, Any]) -> dict[str, Choices]:
    """Take the answers apart: the choices of each member, by its name."""
    found = {}
    for member in members:
        page = data.get(f"options_{member.target.name}") if member.target else None
        if page is not None:
            names = [str(node[member.shown]) for node in page["nodes"] if node and node[member.shown] is not None]
            found[member.name] = Choices(tuple(names[:MOST]), len(names) > MOST)
    return found


def _targets(members: Iterable[Member]) -> Sequence[tuple[Module, str]]:
    found = {member.target.name: (member.target, member.shown) for member in members if member.target is not None}
    return list(found.values())


def _arguments(target: Module, shown: str, schema: GraphQLSchema) -> dict[str, str]:
    """Offer rows that are in use, in the order of what they are called by."""
    takes = schema.query_type.fields[target.many_root].args if schema.query_type else {}
    given = {"first": str(MOST + 1)}
    if "orderBy" in takes and shown != "id":
        given["orderBy"] = f"[{{{shown}: ASC}}]"
    validity = _validity(target)
    if validity:
        given["filter"] = f"{{{validity}: {{eq: VALID}}}}"
    return given


def _matching(target: Module, shown: str, search: str) -> Mapping[str, Any]:
    wanted: dict[str, Any] = {shown: {"contains": search}}
    validity = _validity(target)
    return {**wanted, validity: {"eq": "VALID"}} if validity else wanted


def _validity(target: Module) -> str:
    item = next((item for item in target.shown_fields if item.kind == "validity" and item.filterable), None)
    return item.api_name if item is not None and soft_deletes(target) else ""
