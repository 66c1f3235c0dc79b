"""`queueChanged(filter:)`: each change of a module's rows, held against the filter as it was before and as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from resolvers.analysis import Analyst, located
from resolvers.conduct import ChangeKind
from resolvers.context import Context
from resolvers.door import Door
from resolvers.draft import Draft
from resolvers.ghosts import ghost
from resolvers.ids import write_id
from resolvers.images import Key
from resolvers.ledger import read_key
from resolvers.nodes import RowNode, VersionSlot
from resolvers.past import shown_fields
from resolvers.predicate import All, KeyIn, Predicate
from resolvers.selection import Selected, Selections
from resolvers.shape import Answer, Record
from schema.bindings import ChangePart, ChangeRoot
from schema.spec import Module
from storage.changes import Change

_VERSION = "version"


@dataclass(frozen=True, slots=True, eq=False)
class ChangeNode:
    """An analysed subscription: `parts` leads from a response key to a part, `rows` to the selections of the row."""

    module: Module
    key: str
    where: Predicate
    parts: Mapping[str, str]
    rows: Mapping[str, RowNode]
    version: VersionSlot
    fields: Mapping[str, str]


def analyse_change(analyst: Analyst, selected: Selected, root: ChangeRoot) -> ChangeNode:
    """Analyse the one root of a subscription; everything it names passes the gate."""
    module = root.module
    analyst.gate.rows(module, selected.key)
    given = selected.args.get("filter")
    where = analyst.filters.read(module, given, f"{selected.name}.filter") if given is not None else All()
    parts: dict[str, str] = {}
    rows: dict[str, RowNode] = {}
    for part in analyst.selections.below(selected, analyst.type_named(f"{module.type_name}Change")):
        binding = part.binding
        parts[part.key] = binding.name if isinstance(binding, ChangePart) else ""
        if parts[part.key] == "record":
            rows[part.key] = analyst.row(part, module, (), (selected.key, part.key))
    version = analyst.version(module, (), selected.key)
    return ChangeNode(module, selected.key, where, parts, rows, version, shown_fields(analyst, module, selected.key))


class Follower:
    """Holds changes against one subscription, with the modules and rights of one moment."""

    def __init__(self, context: Context, node: ChangeNode) -> None:
        self._node = node
        self._door = Door(context)
        self._context = context

    async def event(self, change: Change) -> ChangeEvent | None:
        """Return what the subscriber is told of a change; None where it concerns no row of the filter."""
        key = read_key(change.row_key)
        records = await self._now(key)
        kind = ChangeKind(change.kind)
        if records is None:
            if kind is ChangeKind.CREATED or not await self._matched(key, change):
                return None
            return ChangeEvent(self._node, change, ChangeKind.DELETED, key, {})
        if kind is ChangeKind.DELETED:  # it is there again; what made it so is told by a change of its own
            return None
        return ChangeEvent(self._node, change, kind, key, records)

    async def event_of(self, changes: Sequence[Change]) -> ChangeEvent | None:
        """Return what the subscriber is told of several changes of different rows: of the newest that concerns him; None of none.

        All rows are looked for with one statement, and what they were before with another.
        """
        rows = {read_key(change.row_key): change for change in changes}
        there = await self._there(tuple(rows))
        for key, change in reversed(rows.items()):
            if key in there and (found := await self.event(change)) is not None:
                return found
        gone = {key: change for key, change in rows.items() if key not in there and change.kind != ChangeKind.CREATED}
        if not gone or not await self._any_matched(gone):
            return None
        key, change = next(reversed(gone.items()))
        return ChangeEvent(self._node, change, ChangeKind.DELETED, key, {})

    async def _there(self, keys: tuple[Key, ...]) -> frozenset[Key]:
        """Return those of the rows that the filter picks now."""
        node = self._node
        row = RowNode(node.module, (), {_VERSION: node.version})
        return frozenset(
            await self._door.records_where(node.module, All((KeyIn((), node.module, keys), node.where)), row)
        )

    async def _now(self, key: Key) -> dict[str, Record] | None:
        """Read the row as it is now, if the filter picks it."""
        node = self._node
        views = {**node.rows, _VERSION: RowNode(node.module, (), {_VERSION: node.version})}
        where = All((KeyIn((), node.module, (key,)), node.where))
        found = await self._door.picked(node.module, where, list(views.values()))
        return None if found is None else dict(zip(views, found, strict=True))

    async def _matched(self, key: Key, change: Change) -> bool:
        """Answer whether the filter picked the row before the change; where that is not known, the client is told."""
        return await self._any_matched({key: change})

    async def _any_matched(self, gone: Mapping[Key, Change]) -> bool:
        """Answer whether the filter picked any of the rows before its change."""
        node = self._node
        is_bounded = self._context.access.is_bounded(node.module)
        if isinstance(node.where, All) and not node.where.parts and not is_bounded:
            return True
        before = [self._before(key, change) for key, change in gone.items()]
        statement = before[0] if len(before) == 1 else sa.union_all(*before)
        return bool(await self._context.database.fetch(statement.limit(1)))

    def _before(self, key: Key, change: Change) -> sa.Select[Any]:
        """Ask whether the filter picked a row as it was before its change."""
        node = self._node
        speech = self._door.statements.speech()
        is_gone = change.kind == ChangeKind.DELETED
        base = ghost(speech, node.module, key, change.fields, is_gone=is_gone)
        if is_gone:
            speech = replace(speech, guard=self._door.statements.guard.of_gone(base))
        draft = Draft(speech, node.module, base)
        draft.where([node.where])
        return draft.statement()


class ChangeEvent(Answer):
    """What a subscriber is told."""

    __slots__ = ("_change", "_key", "_kind", "_node", "_records")

    def __init__(
        self, node: ChangeNode, change: Change, kind: ChangeKind, key: Key, records: Mapping[str, Record]
    ) -> None:
        self._node = node
        self._change = change
        self._kind = kind
        self._key = key
        self._records = records

    def get(self, key: str) -> Any:
        """Read a part of the event."""
        name = self._node.parts[key]
        if name == "record":
            return self._records.get(key)
        if name == "version":
            found = self._records.get(_VERSION)
            return found.get(_VERSION) if found else None
        if name == "changedFields":
            return [api for field, api in self._node.fields.items() if field in self._change.fields]
        return {"kind": int(self._kind), "id": write_id(self._node.module, self._key)}[name]


def analyse_subscription(context: Context, selections: Selections) -> ChangeNode | None:
    """Analyse a subscription; None when its root is written by hand."""
    analyst = Analyst(context, selections)
    for selected in selections.roots():
        with located(selected.nodes):
            if isinstance(selected.binding, ChangeRoot):
                return analyse_change(analyst, selected, selected.binding)
    return None
