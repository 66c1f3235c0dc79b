"""Operations to begin with, made of a module as its reader sees it: every one of them is valid for his schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type

from schema.outline import group_value_name, groups, outline_of
from schema.writes import Deed, deed_name, record_name, writes_of
from web.pages.cells import selection_of
from web.pages.deeds import ERRORS, create, remove, update
from web.pages.filters import choices_of, offer_of
from web.pages.portions import portions
from web.pages.query_samples import key_sample, sample, sample_object
from web.pages.texts import Texts
from web.pages.view import Member, View, is_stamp

ROWS = 10
ASKED = 200  # selections
_GOOD_GROUPS = ("select", "radio", "validity", "bool")  # of few values


@dataclass(frozen=True, slots=True)
class Example:
    """An operation with its variables; `key` names its text."""

    key: str
    document: str
    variables: Mapping[str, Any]


def examples_of(view: View, schema: GraphQLSchema, texts: Texts) -> Sequence[Example]:
    """Return the examples of a module."""
    return [*_reads(view, schema, texts), *_writes(view, schema), *_changes(view, schema)]


def create_example(view: View, schema: GraphQLSchema) -> tuple[str, Mapping[str, Any]]:
    """Return the mutation that makes a row, with the values that it needs at least."""
    return _deal(create(view, sample_object(schema, f"{view.module.type_name}Create")))


def update_example(view: View, schema: GraphQLSchema, row: str, version: str | None) -> tuple[str, Mapping[str, Any]]:
    """Return the mutation that changes a row: one field of those that may be changed."""
    return _deal(update(view, row, version, _patch(view, schema)))


def _reads(view: View, schema: GraphQLSchema, texts: Texts) -> Iterator[Example]:
    module, roots = view.module, _roots(schema.query_type)
    if module.many_root in roots:
        yield _list(view, schema, texts)
    if module.one_root in roots:
        members = portions((item for item in view.members.values() if not is_stamp(item)), ASKED)[0].selection
        key = key_sample(schema, f"{module.type_name}Key")
        document = (
            f"query One{module.type_name}($by: {module.type_name}Key!) "
            f"{{ {module.one_root}(by: $by) {{ id version {members} }} }}"
        )
        yield Example("example-one", document, {"by": key})
    aggregate = _aggregate(view, schema)
    if aggregate is not None:
        yield aggregate


def _list(view: View, schema: GraphQLSchema, texts: Texts) -> Example:
    module = view.module
    filter_ = next((made for member in view.columns if (made := _condition(member, schema, view, texts))), None)
    id_ = "id " if module.has_id else ""
    cells = " ".join(selection_of(member) for member in view.columns)
    declared, given, variables = "$first: Int", "first: $first", {"first": ROWS}
    if filter_ is not None and "filter" in view.takes(schema):
        declared += f", $filter: {module.type_name}Filter"
        given += ", filter: $filter"
        variables |= {"filter": filter_}
    document = (
        f"query {module.type_name}Page({declared}) {{ {module.many_root}({given}) "
        f"{{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {id_}{cells} }} }} }}"
    )
    return Example("example-list", document, variables)


def _condition(member: Member, schema: GraphQLSchema, view: View, texts: Texts) -> Any:
    """Return a filter on a member that most rows pass."""
    offer = offer_of(member)
    type_ = schema.get_type(f"{view.module.type_name}Filter")
    if offer is None or member.target is not None or not isinstance(type_, GraphQLInputObjectType):
        return None
    operators = get_named_type(type_.fields[member.name].type)
    if not isinstance(operators, GraphQLInputObjectType):
        return None
    options = [name for name, _ in choices_of(member, texts)]
    if "in" in operators.fields and options:
        return {member.name: {"in": options[:2]}}
    operator = next((name for name in ("contains", "gte", "eq") if name in operators.fields), None)
    return {member.name: {operator: sample(operators.fields[operator].type)}} if operator else None


def _aggregate(view: View, schema: GraphQLSchema) -> Example | None:
    module = view.module
    root = f"{module.one_root}Aggregate"
    type_ = schema.get_type(f"{module.type_name}GroupBy")
    if root not in _roots(schema.query_type) or not isinstance(type_, GraphQLEnumType):
        return None
    found = [
        (value, member)
        for value in groups(outline_of(module, view.audience), view.modules)
        if not value.bucket and (member := view.members.get(value.api_name)) is not None
    ]
    if not found:
        return None
    value, member = min(found, key=lambda pair: (pair[1].kind not in _GOOD_GROUPS, is_stamp(pair[1])))
    document = (
        f"query {module.type_name}Groups($by: [{module.type_name}GroupBy!]) "
        f"{{ {root}(groupBy: $by) {{ count key {{ {selection_of(member)} }} }} }}"
    )
    return Example("example-aggregate", document, {"by": [group_value_name(value)]})


def _writes(view: View, schema: GraphQLSchema) -> Iterator[Example]:
    module = view.module
    row = key_sample(schema, f"{module.type_name}Key").get("id") or "…"
    if view.may(Deed.CREATE):
        document = (
            f"mutation Create{module.type_name}($record: {module.type_name}Create!) {{ {deed_name(module, Deed.CREATE)}"
            f"(input: {{{record_name(module)}: $record}}) {{ {record_name(module)} {{ id version }} {ERRORS} }} }}"
        )
        yield Example("example-create", document, {"record": sample_object(schema, f"{module.type_name}Create")})
    if view.may(Deed.UPDATE):
        document = (
            f"mutation Update{module.type_name}($key: {module.type_name}Key!, $version: String, $patch: {module.type_name}Patch!) "
            f"{{ {deed_name(module, Deed.UPDATE)}(input: {{key: $key, ifVersion: $version, patch: $patch}}) "
            f"{{ {record_name(module)} {{ id version }} {ERRORS} }} }}"
        )
        key = key_sample(schema, f"{module.type_name}Key")
        yield Example("example-update", document, {"key": key, "version": None, "patch": _patch(view, schema)})
    if view.may(Deed.DELETE):
        yield Example("example-delete", *_deal(remove(view, row)))


def _changes(view: View, schema: GraphQLSchema) -> Iterator[Example]:
    module = view.module
    root = f"{module.one_root}Changed"
    if root not in _roots(schema.subscription_type):
        return
    cells = " ".join(selection_of(member) for member in view.columns)
    document = f"subscription {module.type_name}Changes {{ {root} {{ kind id changedFields {record_name(module)} {{ {cells} }} }} }}"
    yield Example("example-changes", document, {})


def _patch(view: View, schema: GraphQLSchema) -> Mapping[str, Any]:
    """Return a change of one field: the one that a row is called by, where it may be changed."""
    type_ = schema.get_type(f"{view.module.type_name}Patch")
    if not isinstance(type_, GraphQLInputObjectType):
        return {}
    readable = [item.api_name for item in writes_of(view.module, view.audience).patch if item.is_readable]
    title = view.title.name if view.title else ""
    names = sorted((name for name in readable if name in type_.fields), key=lambda name: name != title)
    return {name: sample(type_.fields[name].type) for name in names[:1]}


def _roots(type_: GraphQLObjectType | None) -> Mapping[str, Any]:
    return type_.fields if type_ is not None else {}


def _deal(deal: Any) -> tuple[str, Mapping[str, Any]]:
    return deal.document, deal.variables
