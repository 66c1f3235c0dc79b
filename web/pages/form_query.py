"""What a form asks for, as one operation: the row, the rows that its references may be chosen from, what defaults are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLDefaultInput, GraphQLInputObjectType, GraphQLSchema

from schema.spec import Caption, Field
from schema.writes import Deed, default_of, writes_of
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.choices import Choices, choice_roots, read_choices
from web.pages.inputs import values_of
from web.pages.portions import ROW, ask_whole_row
from web.pages.view import NUMBER, Member, View
from web.pages.visit import Visit

_NO_CELLS = frozenset({"file", "multiselect"})
MOST_ROOTS = 19  # of one operation, beside the row


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered: the row (of a form for a new one: none), choices by field, defaults by field."""

    row: Mapping[str, Any] | None
    choices: Mapping[str, Choices] = field(default_factory=dict)
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def form_members(view: View, *, is_new: bool) -> list[Member]:
    """Return the inputs of a form, in the order of its sections; also those that can be written and never read."""
    writes = writes_of(view.module, view.audience)
    placed = [name for _, names in view.sections for name in names]
    fields = {
        item.name: item for item in (writes.create if is_new else writes.patch) if view.access.gives(view.module, item)
    }
    found = [member for name in placed if (item := fields.get(name)) and (member := _member(view, item)) is not None]
    key = [Member("databaseId", NUMBER, "string")] if is_new and writes.names_key else []
    return [*key, *found]


def editable(view: View) -> frozenset[str]:
    """Name the members whose cells can be edited in a list."""
    if not view.may(Deed.UPDATE) or not view.module.has_id:
        return frozenset()
    return frozenset(
        item.name
        for item in form_members(view, is_new=False)
        if item.kind not in _NO_CELLS and item.name in view.members
    )


def _member(view: View, item: Field) -> Member | None:
    if not item.is_readable:
        return Member(item.api_name, item.label, item.kind, item) if view.access.gives(view.module, item) else None
    return next((member for member in view.members.values() if member.item is item), None)


async def ask_new(visit: Visit, view: View, members: Sequence[Member]) -> Asked:
    """Ask what a form for a new row needs."""
    references = _references(members)
    roots = choice_roots(references, visit.schema)
    named = {f"default_{item.name}": item for item in references if _default_key(item) is not None}
    roots += [_default_root(alias, member) for alias, member in named.items()][: MOST_ROOTS - len(roots)]
    defaults = _plain_defaults(visit.schema, view, members)
    if not roots:
        return Asked(None, defaults=defaults)
    answer = await visit.ask(f"query {view.module.type_name}Form {{ {' '.join(roots)} }}")
    told = {
        member.name: values_of(member, answer.data[alias], visit.look.time_zone())
        for alias, member in named.items()
        if answer.data.get(alias)
    }
    return Asked(None, read_choices(references, answer.data), {**defaults, **told})


async def ask_row(visit: Visit, view: View, members: Sequence[Member]) -> Asked:
    """Ask for a row and what its form needs. Raises `Refused` (404)."""
    references = _references(members)
    answer = await ask_whole_row(visit, view, "Form", row_id(visit), choice_roots(references, visit.schema))
    row = answer.data[ROW]
    if row is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return Asked(row, read_choices(references, answer.data))


def row_id(visit: Visit) -> str:
    """Return the global id in the address."""
    return str(visit.request.path_params["row"])


def heading_of(view: View, row: Mapping[str, Any]) -> str:
    """Return what a row is called."""
    title = view.title
    value = row.get(title.name) if title is not None else None
    if title is not None and title.target is not None and value is not None:
        value = value.get(title.called)
    return str(value if value not in {None, ""} else row.get("databaseId", row["id"]))


def section_captions(view: View) -> list[tuple[Caption | None, tuple[str, ...]]]:
    """Return the sections, with names of the API."""
    by_file = {item.name: item.api_name for item in view.module.fields}
    return [(title, tuple(by_file.get(name, name) for name in names)) for title, names in view.sections]


def _references(members: Sequence[Member]) -> list[Member]:
    """Return the references whose rows can be chosen, as many as one operation may ask for."""
    found: dict[str, list[Member]] = {}
    for member in members:
        if member.target is not None and member.shown != "id":
            found.setdefault(member.target.name, []).append(member)
    return [member for group in list(found.values())[:MOST_ROOTS] for member in group]


def _default_key(member: Member) -> Any:
    """Return the key of the row that a reference refers to where nobody chooses."""
    item = member.field
    default = default_of(item) if item is not None and item.by is None else None
    return default.value if default is not None and isinstance(default.value, int) else None


def _default_root(alias: str, member: Member) -> str:
    if member.target is None:
        raise TypeError("only references have a row as default")
    return f"{alias}: {member.target.one_root}(by: {{databaseId: {int(_default_key(member))}}}) {{ {member.shown} }}"


def _plain_defaults(schema: GraphQLSchema, view: View, members: Sequence[Member]) -> dict[str, tuple[str, ...]]:
    """Return the defaults that the input of a new row has in the API."""
    made = schema.get_type(f"{view.module.type_name}Create")
    fields = made.fields if isinstance(made, GraphQLInputObjectType) else {}
    found = {}
    for member in members:
        default = getattr(fields.get(member.name), "default", None)
        value = default.value if isinstance(default, GraphQLDefaultInput) else None
        if isinstance(value, list):
            found[member.name] = tuple(map(str, value))
        elif value is not None:
            found[member.name] = (_text(value),)
    return found


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
