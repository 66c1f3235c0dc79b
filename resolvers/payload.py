"""Payloads as the executor asks for them: what was written is read after the commit, through the same door as every read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.deed_nodes import AnyDeed, EdgePart, Part, PayloadNode, PlainPart, RecordPart, RowsPart
from resolvers.door import Door, Named
from resolvers.faults import Fault
from resolvers.ids import write_id
from resolvers.images import Key
from resolvers.messages import LANGUAGES, plain_params, text_of
from resolvers.nodes import RowNode
from resolvers.outcome import Outcome, RowOutcome
from resolvers.shape import Answer, Record


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows of one module that a payload shows: by key, as each view sees them."""

    views: Sequence[RowNode]
    rows: Mapping[Key, Named]

    def record(self, view: RowNode, key: Key) -> Record | None:
        """Return a row as one selection sees it; null where it is not there (any more), or not for the caller."""
        found = self.rows.get(key)
        return None if found is None else found.records[next(n for n, item in enumerate(self.views) if item is view)]


# By the name of the module, or why they could not be read.
Rows = Mapping[str, Shown] | Exception


async def read_rows(door: Door, node: PayloadNode, outcome: Outcome) -> Rows:
    """Read the rows that a payload shows. What was written stays written: a failure is told beside it, not instead."""
    if outcome.shown is not None:
        return {node.module.name: Shown(node.views, {key: Named(row, ()) for key, row in outcome.shown.items()})}
    own = [key for key in (*(row.key for row in outcome.rows), outcome.current) if key is not None]
    wanted: dict[str, list[Key]] = {node.module.name: own}
    views: dict[str, list[RowNode]] = {node.module.name: []}
    modules = {node.module.name: node.module}
    for view in node.views:
        modules[view.module.name] = view.module
        views.setdefault(view.module.name, []).append(view)
    for part in node.parts.values():
        if isinstance(part, RecordPart) and (key := outcome.beside(part.name)) is not None:
            wanted.setdefault(part.row.module.name, []).append(key)
    found: dict[str, Shown] = {}
    try:
        for name, module in modules.items():
            sort = [ordered.term for ordered in node.order] if module is node.module and node.wants_cursors else []
            keys = list(dict.fromkeys(wanted.get(name, ())))
            rows = await door.records(module, keys, views[name], sort) if keys and (views[name] or sort) else {}
            found[name] = Shown(views[name], rows)
    except Exception as error:  # noqa: BLE001 - the executor puts it where the row would stand, and it is masked there
        return error
    return found


def tell(faults: Sequence[Fault], languages: Sequence[str]) -> list[dict[str, Any]]:
    """Write faults as `UserError`s, in the caller's language."""
    language = next((language for language in languages if language in LANGUAGES), "en")
    return [
        {
            "code": fault.code.value,
            "message": text_of(fault.key, fault.params, languages),
            "path": None if fault.path is None else list(fault.path),
            "messageKey": fault.key,
            "params": plain_params(fault.params, language) or None,
        }
        for fault in faults
    ]


class Payload(Answer):
    """The payload of a mutation."""

    __slots__ = ("_languages", "_node", "_outcome", "_rows")

    def __init__(self, node: AnyDeed, outcome: Outcome, rows: Rows, languages: Sequence[str]) -> None:
        self._node = node
        self._outcome = outcome
        self._rows = rows
        self._languages = languages

    def get(self, key: str) -> Any:
        """Read a part of the payload."""
        part = self._node.payload.parts[key]
        if isinstance(part, RecordPart):
            return self.record(part.row, self._outcome.named(part.name))
        if isinstance(part, EdgePart):
            written = self._outcome.key
            return None if written is None else WrittenEdge(self, part, written)
        if isinstance(part, RowsPart):
            return [BulkRow(self, part, number, row) for number, row in enumerate(self._outcome.rows)]
        return self._plain(part.name)

    def record(self, row: RowNode, key: Key | None) -> Record | Exception | None:
        """Return a row as one selection sees it; an exception where it could not be read."""
        if key is None:
            return None
        return self._rows if isinstance(self._rows, Exception) else self._rows[row.module.name].record(row, key)

    def cursor(self, key: Key) -> Any:
        """Make the cursor of a row in the list without filter and order."""
        if isinstance(self._rows, Exception):
            return self._rows
        found = self._rows[self._node.module.name].rows.get(key)
        return None if found is None else self._node.payload.cursors.write(found.sort)

    def errors(self, faults: Sequence[Fault]) -> list[dict[str, Any]]:
        """Write faults for the client."""
        return tell(faults, self._languages)

    def _plain(self, name: str) -> Any:
        outcome, module = self._outcome, self._node.module
        if name == "errors":
            return self.errors(outcome.faults)
        if name == "clientMutationId":
            return self._node.client_mutation_id
        if name == "ids":
            return [write_id(module, row.key) for row in outcome.rows if row.key is not None]
        if name == "deleted":
            return None if outcome.key is None else write_id(module, outcome.key)
        if name in ("result", "log"):
            return outcome.told.get(name, [] if name == "log" else None)
        if name == "operations":
            return [self._operation(item) for item in outcome.told.get(name, ())]
        return {"affected": outcome.affected, "created": outcome.created}[name]

    def _operation(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {**item, "errors": self.errors(item.get("faults", ()))}


class WrittenEdge(Answer):
    """The row that was written, with its cursor."""

    __slots__ = ("_key", "_part", "_payload")

    def __init__(self, payload: Payload, part: EdgePart, key: Key) -> None:
        self._payload = payload
        self._part = part
        self._key = key

    def get(self, key: str) -> Any:
        """Read the cursor or the node."""
        row = self._part.slots[key]
        return self._payload.cursor(self._key) if row is None else self._payload.record(row, self._key)


class BulkRow(Answer):
    """One row of a list that was written."""

    __slots__ = ("_number", "_part", "_payload", "_row")

    def __init__(self, payload: Payload, part: RowsPart, number: int, row: RowOutcome) -> None:
        self._payload = payload
        self._part = part
        self._number = number
        self._row = row

    def get(self, key: str) -> Any:
        """Read the index, the record or the errors."""
        part: Part = self._part.parts[key]
        if isinstance(part, RecordPart):
            return self._payload.record(part.row, self._row.key)
        is_index = isinstance(part, PlainPart) and part.name == "index"
        return self._number if is_index else self._payload.errors(self._row.faults)
