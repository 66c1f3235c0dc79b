"""Names of a module: what is reserved, and what collides once it is written the GraphQL way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.names import RESERVED_NAMES, RESERVED_TYPES, camel
from schema.problems import Place, Problem
from schema.spec import BUILTIN_MEMBERS, Action, Module
from schema.writes import ACTION_INPUTS

# What the members of each section are called.
MEMBERS: Mapping[str, str] = {
    "fields": "field",
    "relations": "relation",
    "computed_fields": "computed field",
    "actions": "action",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A member that has a name, and errors that leave nothing else of it."""

    name: str
    what: str
    place: Place


def check_names(module: Module, broken: Sequence[Broken] = ()) -> list[Problem]:
    """Return the problems with the names of a module and its members, those that have other errors too."""
    problems = list(_reserved(module, broken))
    seen: dict[str, tuple[str, Place]] = {}
    for api_name, what, place in _in_order(module, broken):
        if api_name in BUILTIN_MEMBERS and not (api_name == "id" and what == "field `id`"):
            problems.append(
                Problem(
                    "reserved-name",
                    f"{_upper(what)} would be called `{api_name}`, which every type has already.",
                    place,
                    hint="Choose another `name`"
                    + ("; `column` keeps the column." if what.startswith("field") else "."),
                )
            )
        elif api_name in seen:
            first, first_place = seen[api_name]
            problems.append(
                Problem(
                    "name-collision",
                    f"{_upper(what)} and {first} ({first_place}) are both called `{api_name}` in the API.",
                    place,
                    hint="Rename one of them.",
                )
            )
        else:
            seen[api_name] = (what, place)
    problems += _actions(module, broken)
    return problems


def _reserved(module: Module, broken: Sequence[Broken]) -> Iterator[Problem]:
    if module.type_name in RESERVED_TYPES or module.name in RESERVED_NAMES:
        yield Problem(
            "reserved-name",
            f"A module cannot be called `{module.name}`: the type `{module.type_name}` is part of the API already.",
            module.place,
            hint="Choose another `name`; `table` keeps the table.",
        )
    if module.plural_name in RESERVED_NAMES:
        yield Problem(
            "reserved-name", f"The plural `{module.plural_name}` is reserved.", module.place, hint="Set `plural_name`."
        )
    for name, place in (*_named(module), *((item.name, item.place) for item in broken)):
        if name in RESERVED_NAMES:
            yield Problem(
                "reserved-name",
                f"`{name}` is reserved by GraphQL or JavaScript.",
                place,
                hint="Choose another `name`; `column` keeps the column.",
            )


def _named(module: Module) -> Iterator[tuple[str, Place]]:
    yield from ((item.name, item.place) for item in module.fields)
    yield from ((item.name, item.place) for item in module.relations)
    yield from ((item.name, item.place) for item in module.computed)
    yield from ((item.name, item.place) for item in module.actions)


def _in_order(module: Module, broken: Sequence[Broken]) -> Iterator[tuple[str, str, Place]]:
    """Yield the members; where some are broken in the order of the files, so that the later one is the one too many."""
    if not broken:
        return _members(module)
    others = ((camel(item.name), f"{item.what} `{item.name}`", item.place) for item in broken if item.what != "action")
    members = sorted(
        (*_members(module), *others),
        key=lambda item: _position(module, item[2]),
    )
    return iter(members)


def _position(module: Module, place: Place) -> tuple[int, int, int]:
    """Order places by layer, then line and column."""
    return module.files.index(place.file), place.line, place.column


def _members(module: Module) -> Iterator[tuple[str, str, Place]]:
    """Yield every name that the type has, with what it is and where it stands."""
    for item in module.fields:
        if item.settings.get("virtual"):
            continue
        yield item.api_name, f"field `{item.name}`", item.place
        if item.raw_name:
            yield item.raw_name, f"the stored value of field `{item.name}`", item.place
    for relation in module.relations:
        yield relation.api_name, f"relation `{relation.name}`", relation.place
    for computed in module.computed:
        yield computed.api_name, f"computed field `{computed.name}`", computed.place


def _actions(module: Module, broken: Sequence[Broken]) -> Iterator[Problem]:
    seen: dict[str, Action | Broken] = {}
    found: list[Action | Broken] = [*module.actions, *(item for item in broken if item.what == "action")]
    for action in sorted(found, key=lambda item: _position(module, item.place)):
        name = camel(action.name)
        first = seen.setdefault(name, action)
        if first is action:
            yield from _arguments(action) if isinstance(action, Action) else ()
            continue
        said = f"Action `{action.name}` is here twice; the first is at {first.place}."
        if first.name != action.name:
            said = (
                f"Action `{action.name}` and action `{first.name}` ({first.place}) are both called `{name}` in the API."
            )
        yield Problem("name-collision", said, action.place, hint="Rename one of them.")


def _arguments(action: Action) -> Iterator[Problem]:
    """Find arguments that would be called like another, or like what every action is given."""
    seen: set[str] = set()
    for argument in action.args:
        name = argument.api_name
        if name in ACTION_INPUTS:
            yield Problem(
                "reserved-name",
                f"Argument `{argument.name}` of action `{action.name}` would be called `{name}`, which every action has already.",
                action.place,
                hint="Choose another name.",
            )
        elif name in seen:
            yield Problem(
                "name-collision",
                f"Two arguments of action `{action.name}` are called `{name}` in the API.",
                action.place,
                hint="Rename one of them.",
            )
        seen.add(name)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
