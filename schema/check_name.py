"""Names of a module: what is reserved, and what collides once it is written the GraphQL way."""

from __future__ import annotations

from collections.abc import Iterator

from schema.names import RESERVED_NAMES, RESERVED_TYPES
from schema.problems import Place, Problem
from schema.spec import BUILTIN_MEMBERS, Module


def check_names(module: Module) -> list[Problem]:
    """Return the problems with the names of a module and its members."""
    problems = list(_reserved(module))
    seen: dict[str, tuple[str, Place]] = {}
    for api_name, what, place in _members(module):
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
    problems += _actions(module)
    return problems


def _reserved(module: Module) -> Iterator[Problem]:
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
    for name, place in _named(module):
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


def _actions(module: Module) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    for action in module.actions:
        if action.name in seen:
            yield Problem(
                "name-collision",
                f"Action `{action.name}` is here twice; the first is at {seen[action.name]}.",
                action.place,
                hint="Rename one of them.",
            )
        seen[action.name] = action.place


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
