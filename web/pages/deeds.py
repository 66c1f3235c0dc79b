"""The mutations that pages send: documents made of a module's names, kept, with everything that was typed in variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schema.names import pascal
from schema.spec import Module
from schema.writes import Deed, deed_name, record_name
from web.pages.cells import selection_of
from web.pages.view import View

DONE = "done"
ERRORS = "errors { code message path }"
CONFLICT = "CONFLICT"
NOT_FOUND = "NOT_FOUND"
MOST_AT_ONCE = 10  # mutations of one request


@dataclass(frozen=True, slots=True)
class Deal:
    """A mutation to send."""

    document: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a mutation answered: its payload, and what is wrong with the input, by field; `None` stands for the whole."""

    payload: Mapping[str, Any]
    errors: Mapping[str | None, tuple[str, ...]]
    codes: frozenset[str]

    @property
    def is_done(self) -> bool:
        """Whether it was written."""
        return not self.errors


def create(view: View, record: Mapping[str, Any]) -> Deal:
    """Make a row."""
    module, name = view.module, record_name(view.module)
    document = (
        f"mutation {module.type_name}New($record: {module.type_name}Create!) {{ {DONE}: {deed_name(module, Deed.CREATE)}"
        f"(input: {{{name}: $record}}) {{ row: {name} {{ id }} {ERRORS} }} }}"
    )
    return Deal(document, {"record": record})


def update(view: View, row: str, version: str | None, patch: Mapping[str, Any]) -> Deal:
    """Change a row, unless it has another version by now; then it is answered as it is, as far as the change is about it."""
    module = view.module
    title = view.title
    told = [item for item in view.members.values() if item.name in patch or (title and item.name == title.name)]
    members = " ".join(selection_of(member) for member in told)
    document = (
        f"mutation {module.type_name}Edit($id: ID!, $version: String, $patch: {module.type_name}Patch!) "
        f"{{ {DONE}: {deed_name(module, Deed.UPDATE)}(input: {{key: {{id: $id}}, ifVersion: $version, patch: $patch}}) "
        f"{{ row: {record_name(module)} {{ id }} current {{ id version {members} }} {ERRORS} }} }}"
    )
    return Deal(document, {"id": row, "version": version, "patch": patch})


def remove(view: View, row: str, version: str | None = None) -> Deal:
    """Delete a row."""
    return _named(view.module, Deed.DELETE, row, version, f"gone: deleted{pascal(view.module.one_name)}Id")


def restore(view: View, row: str, version: str | None = None) -> Deal:
    """Bring a row back that was set invalid."""
    return _named(view.module, Deed.RESTORE, row, version, f"row: {record_name(view.module)} {{ id }}")


def _named(module: Module, deed: Deed, row: str, version: str | None, selection: str) -> Deal:
    document = (
        f"mutation {module.type_name}{deed.verb.capitalize()}($id: ID!, $version: String) {{ {DONE}: {deed_name(module, deed)}"
        f"(input: {{key: {{id: $id}}, ifVersion: $version}}) {{ {selection} {ERRORS} }} }}"
    )
    return Deal(document, {"id": row, "version": version})


def each(view: View, deed: Deed, rows: Sequence[str], patch: Mapping[str, Any] | None = None) -> Deal:
    """Do the same to several rows by their ids, at most ten at once."""
    module = view.module
    given = ", patch: $patch" if deed is Deed.UPDATE else ""
    declared = f"$patch: {module.type_name}Patch!" if deed is Deed.UPDATE else ""
    ids = "".join(f", $r{place}: ID!" for place in range(len(rows)))
    deeds = " ".join(
        f"d{place}: {deed_name(module, deed)}(input: {{key: {{id: $r{place}}}{given}}}) {{ {ERRORS} }}"
        for place in range(len(rows))
    )
    document = f"mutation {module.type_name}Each({(declared + ids).removeprefix(', ')}) {{ {deeds} }}"
    variables: dict[str, Any] = {f"r{place}": row for place, row in enumerate(rows)}
    return Deal(document, {**variables, "patch": patch} if deed is Deed.UPDATE else variables)


def by_filter(
    view: View, deed: Deed, narrowed: Mapping[str, Any], most: int, patch: Mapping[str, Any] | None = None
) -> Deal:
    """Do the same to all rows of a filter."""
    module = view.module
    name = deed_name(module, deed)
    given, declared = (
        (", patch: $patch", f", $patch: {module.type_name}Patch!") if deed is Deed.UPDATE_MANY else ("", "")
    )
    document = (
        f"mutation {module.type_name}All($filter: {module.type_name}Filter!, $most: Int!{declared}) {{ {DONE}: {name}"
        f"(input: {{filter: $filter, maxAffected: $most{given}}}) {{ affected {ERRORS} }} }}"
    )
    variables: dict[str, Any] = {"filter": narrowed, "most": most}
    return Deal(document, {**variables, "patch": patch} if declared else variables)


def read_done(payload: Mapping[str, Any]) -> Done:
    """Take a payload apart. The second step of a path is the field; a raw text stands for its reference."""
    found: dict[str | None, list[str]] = {}
    for error in payload["errors"]:
        path: Sequence[str] = error.get("path") or ()
        found.setdefault(str(path[1]) if len(path) > 1 else None, []).append(str(error["message"]))
    codes = frozenset(str(error["code"]) for error in payload["errors"])
    return Done(payload, {name: tuple(messages) for name, messages in found.items()}, codes)
