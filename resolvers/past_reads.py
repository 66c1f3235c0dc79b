"""Reading the past: entries of a row's history, events of the feed with the rows as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from resolvers.conduct import ChangeKind
from resolvers.context import Context
from resolvers.gone import seen_before
from resolvers.ids import write_id
from resolvers.images import Key
from resolvers.ledger import read_key
from resolvers.nodes import RowNode
from resolvers.past import UNDOING, UNDOING_RIGHTS, ChangesNode, HistoryNode, may_undo, write_change_id
from resolvers.shape import Answer, Record
from resolvers.statements import Statements
from resolvers.terms import Term
from schema.spec import Module
from schema.writes import writes_of
from storage import changes
from storage.changes import Change, make_key

ROUNDS = 20  # batches of the feed that one page may take, when most of them are not the caller's to hear of
_LOOK_BACK = 1_000  # ids before the newest one that may still be missing
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Named(Protocol):
    """A row as several views see it."""

    @property
    def records(self) -> Sequence[Record]:
        """One record a view."""


class Door(Protocol):
    """What reading the past needs of the door."""

    context: Context
    statements: Statements

    async def fetch(self, statement: Any) -> list[tuple[Any, ...]]:
        """Read rows."""

    async def records(
        self, module: Module, keys: Sequence[Key], views: Sequence[RowNode], sort: Sequence[Term] = ()
    ) -> Mapping[Key, Named]:
        """Read rows by their keys."""


async def read_history(door: Door, node: HistoryNode) -> list[dict[str, Any]]:
    """Read a row's history. Of a row that is there and not for the caller, there is none."""
    if node.module is None or node.first == 0:
        return []
    database = door.context.database
    there = bool(await door.records(node.module, [node.key], [RowNode(node.module, (), {})]))
    found = await changes.history(database, node.module.name, make_key(node.key), node.before, node.first)
    if not there and not await _was_seen(door, node, found):
        return []
    kinds = {change.id: change.kind for change in found}
    for change in found:
        if change.undoes is not None and change.undoes not in kinds:
            undone = await changes.one(database, change.undoes)
            kinds[change.undoes] = undone.kind if undone else ChangeKind.UPDATED
    return [_entry(door, node, change, kinds) for change in found]


async def _was_seen(door: Door, node: HistoryNode, found: Sequence[Change]) -> bool:
    """Answer whether the caller saw a row before it was removed.

    For a row that he never saw, and for one that never was, the same is asked: time must not tell them apart.
    """
    module = node.module
    if module is None:
        return False
    if node.before is not None:  # what it ended with is on the first page
        found = await changes.history(door.context.database, module.name, make_key(node.key), None, 1)
    is_gone = bool(found) and found[0].kind == ChangeKind.DELETED
    seen = await seen_before(door.statements, door.fetch, module, {node.key: found[0].fields if is_gone else {}})
    return is_gone and bool(seen)


def _entry(door: Door, node: HistoryNode, change: Change, kinds: Mapping[int, int]) -> dict[str, Any]:
    module, kind = node.module, ChangeKind(change.kind)
    if module is None:
        raise LookupError("A change without a module.")
    deeds = writes_of(module, door.context.audience).deeds
    shown = {name: pair for name, pair in change.fields.items() if name in node.fields}
    return {
        "id": write_change_id(module.type_name, change.id, kind),
        **_about(change),
        "fields": [{"field": node.fields[name], "before": pair[0], "after": pair[1]} for name, pair in shown.items()],
        "undoes": change.undoes and write_change_id(module.type_name, change.undoes, kinds[change.undoes]),
        "canBeUndone": _can_undo(door, module, change) and UNDOING[kind] in deeds,
        "requestId": change.request_id,
    }


def _can_undo(door: Door, module: Module, change: Change) -> bool:
    """Answer whether a change is one that the caller could take back, as far as his rights to the module go."""
    access, kind = door.context.access, ChangeKind(change.kind)
    return (
        change.origin is None
        and access.may(module, UNDOING_RIGHTS[kind])
        and may_undo(access, module, kind, change.fields)
    )


def _about(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "at": _EPOCH + timedelta(milliseconds=change.at),
        "by": {"kind": change.actor_kind, "id": change.actor_id, "login": change.actor_login},
    }


async def read_changes(door: Door, node: ChangesNode) -> dict[str, Any]:
    """Read a page of the feed. Without a cursor it is empty, and its cursor is where the feed stands now."""
    feed = door.context.feed
    if node.since is None:
        return {"changes": [], "cursor": node.cursors.write([await _position(door.context)]), "hasMore": False}
    first = max(node.first, 1)
    found: list[tuple[int, Event]] = []
    position, more = node.since, True
    for _ in range(ROUNDS):
        batch = await feed.read_since(position, first + 1 - len(found), list(node.modules))
        position, more = batch.upto, batch.more
        rows = await _rows(door, node, batch.changes)
        # What the caller may not see leaves its place to what comes after it.
        found += [
            (change.id, Event(node, change, rows[name])) for change in batch.changes if (name := _name(change)) in rows
        ]
        if not more or len(found) > first:
            break
    if len(found) > first:  # one more, which only shows that there is more
        position, more = found[first - 1][0], True
    return {"changes": [event for _, event in found[:first]], "cursor": node.cursors.write([position]), "hasMore": more}


async def _position(context: Context) -> int:
    """Return where the feed stands: up to the newest change, or to where an older one is still being committed."""
    newest = await changes.newest_id(context.database)
    return (await context.feed.read_since(max(0, newest - _LOOK_BACK), _LOOK_BACK, ())).upto


async def _rows(door: Door, node: ChangesNode, found: Sequence[Change]) -> dict[tuple[str, Key], dict[str, Record]]:
    """Read the rows of a page, one statement a module, as each `node` of the operation sees them.

    Rows that are not among the result are not the caller's to hear of; of those that are gone, those that he saw are.
    """
    keys: dict[str, dict[Key, None]] = {}
    gone: dict[str, dict[Key, Mapping[str, Sequence[Any]]]] = {}
    result: dict[tuple[str, Key], dict[str, Record]] = {}
    for change in found:
        name, key = _name(change)
        keys.setdefault(name, {})[key] = None
        if change.kind == ChangeKind.DELETED:
            gone.setdefault(name, {})[key] = change.fields
    for name, wanted in keys.items():
        module = node.modules[name]
        is_bounded = door.context.access.is_bounded(module)
        views = {key: rows[name] for key, rows in node.nodes.items()}
        if not is_bounded:
            result.update(((name, key), {}) for key in wanted)
        if views or is_bounded:
            there = await door.records(module, list(wanted), list(views.values()) or [RowNode(module, (), {})])
            result.update(((name, key), dict(zip(views, named.records, strict=False))) for key, named in there.items())
            lost = {key: fields for key, fields in gone.get(name, {}).items() if (name, key) not in result}
            seen = await seen_before(door.statements, door.fetch, module, lost)
            result.update(((name, key), {}) for key in seen)
    return result


def _name(change: Change) -> tuple[str, Key]:
    return change.module, read_key(change.row_key)


class Event(Answer):
    """One change of the feed."""

    __slots__ = ("_change", "_node", "_records")

    def __init__(self, node: ChangesNode, change: Change, records: Mapping[str, Record]) -> None:
        self._node = node
        self._change = change
        self._records = records

    def get(self, key: str) -> Any:
        """Read a part of the event."""
        name = self._node.parts[key]
        if name == "node":
            return self._records.get(key)
        change = self._change
        module = self._node.modules[change.module]
        values: dict[str, Any] = {
            **_about(change),
            "id": write_change_id(module.type_name, change.id, change.kind),
            "type": module.type_name,
            "rowId": write_id(module, read_key(change.row_key)),
            "changedFields": [api for field, api in self._node.fields[change.module].items() if field in change.fields],
        }
        return values[name]
