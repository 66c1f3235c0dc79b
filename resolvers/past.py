"""What is asked of the past: ids of changes, and history and feed of changes as analysed nodes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLObjectType

from identity.access import Access, Right
from resolvers.conduct import ChangeKind
from resolvers.context import Context
from resolvers.cursors import CursorKey, bind
from resolvers.errors import BadRequest
from resolvers.gate import Gate, Use
from resolvers.ids import read_id
from resolvers.images import Key, kept_fields
from resolvers.ledger import keeps
from resolvers.nodes import RowNode
from resolvers.page import check_limit
from resolvers.selection import Selected, Selections
from schema.bindings import ToOne
from schema.spec import Module
from schema.writes import Deed

_MARK = "!"  # no name of a type
_LENGTH_LIMIT_CHARS = 500


# What the caller must be able to do for a change of a kind to be taken back, and the right that this is.
UNDOING: Mapping[ChangeKind, Deed] = {
    ChangeKind.CREATED: Deed.DELETE,
    ChangeKind.UPDATED: Deed.UPDATE,
    ChangeKind.DELETED: Deed.CREATE,
}
UNDOING_RIGHTS: Mapping[ChangeKind, Right] = {
    ChangeKind.CREATED: Right.DELETE,
    ChangeKind.UPDATED: Right.UPDATE,
    ChangeKind.DELETED: Right.CREATE,
}


def may_undo(access: Access, module: Module, kind: ChangeKind, fields: Collection[str]) -> bool:
    """Answer whether a change of these fields is the caller's to take back, as far as fields go.

    Whether one that he does not see held anything must not decide it: to remove a row gives no field, and all of one is made again.
    """
    found = [item for name in fields if (item := module.field_named(name)) is not None]
    if kind is ChangeKind.CREATED:
        return any(access.sees(module, item) for item in found)
    if kind is ChangeKind.DELETED:
        found += [item for item in kept_fields(module) if keeps(module, item) and not access.sees(module, item)]
    return bool(fields) and all(access.gives(module, item) for item in found)


@dataclass(frozen=True, slots=True)
class ChangeId:
    """What the id of a change says: of which type, which one, what happened."""

    type_name: str
    number: int
    kind: ChangeKind


@dataclass(frozen=True, slots=True, eq=False)
class HistoryNode:
    """`history(of:)`: of which row, which part; `fields` leads from a field to its name in the caller's API."""

    module: Module | None
    key: Key
    path: tuple[str, ...]
    first: int
    before: int | None
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class ChangesNode:
    """`changes(since:)`: `parts` leads from a response key of an event to its field, `nodes` to the rows' selections.

    `modules` are all whose changes the caller may be told of, by name; `fields` is by module.
    """

    path: tuple[str, ...]
    since: int | None
    first: int
    cursors: CursorKey
    modules: Mapping[str, Module]
    fields: Mapping[str, Mapping[str, str]]
    parts: Mapping[str, str]
    nodes: Mapping[str, Mapping[str, RowNode]]


def write_change_id(type_name: str, number: int, kind: int) -> str:
    """Make the id of a change."""
    text = json.dumps([_MARK, type_name, number, kind], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_change_id(text: str) -> ChangeId | None:
    """Read the id of a change; None for anything else."""
    if len(text) > _LENGTH_LIMIT_CHARS or not text.isascii():
        return None
    try:
        mark, type_name, number, kind = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = ChangeId(str(type_name), int(number), ChangeKind(kind))
    except (ValueError, TypeError, RecursionError):
        return None
    return found if mark == _MARK else None


class Analyst(Protocol):
    """What the analysis of the past needs of the analysis of the operation."""

    context: Context
    selections: Selections
    gate: Gate
    cost: int

    def row(self, selected: Selected, module: Module, hops: tuple[ToOne, ...], path: tuple[str, ...]) -> RowNode:
        """Analyse the selection of a row."""

    def type_named(self, name: str) -> GraphQLObjectType:
        """Return an object type of the caller's schema."""


def analyse_history(analyst: Analyst, selected: Selected) -> HistoryNode:
    """Analyse `history(of:)`. A row that nobody can name has no history."""
    args = selected.args
    context = analyst.context
    first = check_limit(args.get("first"), 0, f"{selected.name}.first")
    before = args.get("before")
    entry = read_change_id(before) if before is not None else None
    if before is not None and entry is None:
        raise BadRequest(f"{selected.name}.before: this is not the id of a change.")
    found = read_id(args["of"], context.snapshot.by_type_name)
    analyst.cost += first
    number = entry.number if entry else None
    if found is None or context.schema.get_type(found.module.type_name) is None:
        return HistoryNode(None, (), (selected.key,), first, number, {})
    analyst.gate.rows(found.module, selected.key)
    fields = shown_fields(analyst, found.module, selected.key)
    return HistoryNode(found.module, found.key, (selected.key,), first, number, fields)


def analyse_changes(analyst: Analyst, selected: Selected) -> ChangesNode:
    """Analyse `changes(since:)`."""
    args, context = selected.args, analyst.context
    first = check_limit(args.get("first"), 0, f"{selected.name}.first")
    cursors = CursorKey(context.secret, bind("changes", context.caller.kind, context.caller.id))
    since = args.get("since")
    number = None if since is None else int(cursors.read(since, 1, f"{selected.name}.since")[0])
    modules = _modules(analyst, selected)
    for module in modules.values():
        analyst.gate.rows(module, selected.key)
    parts: dict[str, str] = {}
    nodes: dict[str, dict[str, RowNode]] = {}
    for page_part in analyst.selections.below(selected, analyst.type_named("ChangeEvents")):
        if page_part.name != "changes":
            continue
        for part in analyst.selections.below(page_part, analyst.type_named("ChangeEvent")):
            parts[part.key] = part.name
            if part.name == "node":
                path = (*page_part.path, part.key)
                nodes[part.key] = {name: analyst.row(part, module, (), path) for name, module in modules.items()}
    analyst.cost += first * (1 + sum(max((row.cost for row in rows.values()), default=0) for rows in nodes.values()))
    fields = {name: shown_fields(analyst, module, selected.key) for name, module in modules.items()}
    return ChangesNode((selected.key,), number, first, cursors, modules, fields, parts, nodes)


def _modules(analyst: Analyst, selected: Selected) -> dict[str, Module]:
    snapshot, schema = analyst.context.snapshot, analyst.context.schema
    served = {
        name: module
        for name, module in snapshot.modules.items()
        if module.has_id and schema.get_type(module.type_name) is not None
    }
    wanted = selected.args.get("types")
    if wanted is None:  # all that the caller may view
        access = analyst.context.access
        return {name: module for name, module in served.items() if access.may(module, Right.VIEW)}
    by_type = {module.type_name: name for name, module in served.items()}
    for type_name in wanted:
        if type_name not in by_type:
            raise BadRequest(f"{selected.name}.types: there is no type of rows called {type_name[:60]!r}.")
    return {by_type[type_name]: served[by_type[type_name]] for type_name in wanted}


def shown_fields(analyst: Analyst, module: Module, at: str) -> dict[str, str]:
    """Return the fields whose past the caller may see: those that his schema has an output for, and that he may use."""
    shown = analyst.type_named(module.type_name).fields
    found = {}
    for item in analyst.gate.seen(module, module.fields):
        if item.api_name in shown or item.raw_name in shown:
            analyst.gate.name(module, item, Use.HISTORY, at)
            found[item.name] = item.api_name
    return found


def plain_parts(analyst: Analyst, selected: Selected, type_name: str) -> dict[str, Any]:
    """Return the fields selected in a plain object by response key."""
    return {part.key: part for part in analyst.selections.below(selected, analyst.type_named(type_name))}
