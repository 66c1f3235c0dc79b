"""The rows that a reference may be chosen from: asked for all references of a page in its one operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema

from schema.outline import sorts
from schema.spec import Field, Module
from schema.writes import soft_deletes
from web.pages.view import Member

MOST = 100  # beyond it one types instead of choosing


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reference offers. `is_cut` says that there are more rows: then they are searched for as one types."""

    options: tuple[tuple[str, str], ...]  # what is sent, and what people read
    is_cut: bool = False


def choice_roots(members: Iterable[Member], schema: GraphQLSchema) -> list[str]:
    """Return the root fields of an operation that ask for the rows of references."""
    return [_root(member, _arguments(member, schema)) for member in _targets(members)]


def search_query(member: Member, schema: GraphQLSchema, search: str) -> tuple[str, Mapping[str, Any]]:
    """Return the operation that finds rows of one reference by what they are called, and its variables."""
    target = _target(member)
    root = _root(member, {**_arguments(member, schema), "filter": "$filter"})
    document = f"query {target.type_name}Options($filter: {target.type_name}Filter) {{ {root} }}"
    return document, {"filter": _matching(member, search)}


def _root(member: Member, arguments: Mapping[str, str]) -> str:
    target = _target(member)
    given = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    shown = " ".join(dict.fromkeys([member.shown, member.called]))
    return f"options_{target.name}: {target.many_root}({given}) {{ nodes {{ {shown} }} }}"


def _target(member: Member) -> Module:
    if member.target is None:
        raise TypeError("only references have rows to choose from")
    return member.target


def read_choices(members: Iterable[Member], data: Mapping[str, Any]) -> dict[str, Choices]:
    """Take the answers apart: the choices of each member, by its name."""
    found = {}
    for member in members:
        page = data.get(f"options_{member.target.name}") if member.target else None
        if page is not None:
            nodes = [node for node in page["nodes"] if node and node[member.shown] is not None]
            options = [(str(node[member.shown]), str(node[member.called] or node[member.shown])) for node in nodes]
            found[member.name] = Choices(tuple(options[:MOST]), len(options) > MOST)
    return found


def _targets(members: Iterable[Member]) -> Sequence[Member]:
    """Return one member for each module that is referred to."""
    return list({member.target.name: member for member in members if member.target is not None}.values())


def _arguments(member: Member, schema: GraphQLSchema) -> dict[str, str]:
    """Offer rows that are in use, in the order of what they are called."""
    target = _target(member)
    takes = schema.query_type.fields[target.many_root].args if schema.query_type else {}
    given = {"first": str(MOST + 1)}
    if "orderBy" in takes and _sorts(target, member.called):
        given["orderBy"] = f"[{{{member.called}: ASC}}]"
    validity = _validity(target)
    if validity:
        given["filter"] = f"{{{validity}: {{eq: VALID}}}}"
    return given


def _sorts(target: Module, name: str) -> bool:
    item = target.members.get(name)
    return name == "databaseId" or (isinstance(item, Field) and item.to is None and sorts(item))


def _matching(member: Member, search: str) -> Mapping[str, Any]:
    target = _target(member)
    item = target.members.get(member.called)
    is_text = isinstance(item, Field) and item.filterable and item.traits.filter == "StringFilter"
    wanted: dict[str, Any] = {member.called: {"contains": search}} if is_text and search else {}
    validity = _validity(target)
    return {**wanted, validity: {"eq": "VALID"}} if validity else wanted


def _validity(target: Module) -> str:
    item = next((item for item in target.shown_fields if item.kind == "validity" and item.filterable), None)
    return item.api_name if item is not None and soft_deletes(target) else ""
