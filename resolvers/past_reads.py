"""Reading the past: entries of a row's history, events of the feed with the rows as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from resolvers.conduct import ChangeKind
from resolvers.context import Context
from resolvers.ids import write_id
from resolvers.images import Key
from resolvers.ledger import read_key
from resolvers.nodes import RowNode
from resolvers.past import ChangesNode, HistoryNode, write_change_id
from resolvers.shape import Answer, Record
from resolvers.terms import Term
from schema.spec import Module
from schema.writes import Deed, writes_of
from storage import changes
from storage.changes import Change, make_key

_LOOK_BACK = 1_000  # ids before the newest one that may still be missing
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What the caller must be able to do for a change of a kind to be taken back.
UNDOING: Mapping[ChangeKind, Deed] = {
    ChangeKind.CREATED: Deed.DELETE,
    ChangeKind.UPDATED: Deed.UPDATE,
    ChangeKind.DELETED: Deed.CREATE,
}


class Named(Protocol):
    """A row as several views see it."""

    @property
    def records(self) -> Sequence[Record]:
        """One record a view."""


class Door(Protocol):
    """What reading the past needs of the door."""

    context: Context

    async def records(
        self, module: Module, keys: Sequence[Key], views: Sequence[RowNode], sort: Sequence[Term] = ()
    ) -> Mapping[Key, Named]:
        """Read rows by their keys."""


async def read_history(door: Door, node: HistoryNode) -> list[dict[str, Any]]:
    """Read a row's history. Of a row that is there and not for the caller, there is none."""
    if node.module is None or node.first == 0:
        return []
    database = door.context.database
    found = await changes.history(database, node.module.name, make_key(node.key), node.before, node.first)
    if not found:
        return []
    there = await door.records(node.module, [node.key], [RowNode(node.module, (), {})])
    if not there and found[0].kind != ChangeKind.DELETED and node.before is None:
        return []
    kinds = {change.id: change.kind for change in found}
    for change in found:
        if change.undoes is not None and change.undoes not in kinds:
            undone = await changes.one(database, change.undoes)
            kinds[change.undoes] = undone.kind if undone else ChangeKind.UPDATED
    return [_entry(door, node, change, kinds) for change in found]


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
        "canBeUndone": UNDOING[kind] in deeds and change.origin is None and bool(change.fields),
        "requestId": change.request_id,
    }


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
    batch = await feed.read_since(node.since, max(node.first, 1), list(node.modules))
    rows = await _rows(door, node, batch.changes)
    events = [Event(node, change, rows.get((change.module, read_key(change.row_key)), {})) for change in batch.changes]
    return {"changes": events, "cursor": node.cursors.write([batch.upto]), "hasMore": batch.more}


async def _position(context: Context) -> int:
    """Return where the feed stands: up to the newest change, or to where an older one is still being committed."""
    newest = await changes.newest_id(context.database)
    return (await context.feed.read_since(max(0, newest - _LOOK_BACK), _LOOK_BACK, ())).upto


async def _rows(door: Door, node: ChangesNode, found: Sequence[Change]) -> dict[tuple[str, Key], dict[str, Record]]:
    """Read the rows of a page, one statement a module, as each `node` of the operation sees them."""
    if not node.nodes:
        return {}
    keys: dict[str, list[Key]] = {}
    for change in found:
        keys.setdefault(change.module, []).append(read_key(change.row_key))
    result: dict[tuple[str, Key], dict[str, Record]] = {}
    for name, wanted in keys.items():
        views = {key: rows[name] for key, rows in node.nodes.items()}
        there = await door.records(node.modules[name], list(dict.fromkeys(wanted)), list(views.values()))
        for key, named in there.items():
            result[name, key] = dict(zip(views, named.records, strict=True))
    return result


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
