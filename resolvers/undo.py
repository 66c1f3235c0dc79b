"""Taking a change back: the values before it are written again, by the same rules, unless somebody has changed them since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from identity.access import Right
from resolvers.assignments import Given
from resolvers.checks import fault
from resolvers.conduct import ChangeKind
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hands import Hand, Hands
from resolvers.images import Image, Key, read_images
from resolvers.ledger import differs, read_key
from resolvers.nodes import VersionSlot
from resolvers.outcome import Outcome, RowOutcome
from resolvers.past import UNDOING, read_change_id
from resolvers.predicate import KeyIn
from schema.spec import Field
from schema.writes import writes_of
from storage import changes
from storage.changes import Change

NAME = "undo"

# What JSON cannot say was written as text into the history.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "epoch": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
}


async def take_back(hands: Hands) -> Outcome:
    """Take back the change that the input names."""
    named = read_change_id(hands.given["change"])
    change = await changes.one(hands.work.transaction, named.number) if named else None
    module = hands.node.module
    if named is None or change is None or change.module != module.name or change.kind != named.kind:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("change",)))
    deeds = writes_of(module, hands.work.context.audience).deeds
    if UNDOING[named.kind] not in deeds or change.origin is not None or not change.fields:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "nothing-to-undo", ("change",)))
    access = hands.work.context.access
    if not all(access.gives(module, item) for item, _ in _fields(hands, change)):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "nothing-to-undo", ("change",)))
    hands.writer.undoes = change.id
    key = read_key(change.row_key)
    return await _KINDS[named.kind](hands, change, key)


async def _image(hands: Hands, key: Key, right: Right) -> Image:
    writer, module = hands.writer, hands.node.module
    images = await read_images(
        writer.statements,
        module,
        [KeyIn((), module, (key,))],
        VersionSlot(()),
        hands.work.transaction.execute,
        right=right,
        columns=writer.conduct(module) is not None,
    )
    if not images:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("change",)))
    return images[0]


async def _restore_values(hands: Hands, change: Change, key: Key) -> Outcome:
    image = await _image(hands, key, Right.UPDATE)
    _unchanged_since(hands, change, image)
    given = Given((), _values(hands, change, 0))
    await hands.writer.update(hands.node.module, image, given)
    return Outcome([RowOutcome(key)], affected=1)


async def _remove(hands: Hands, change: Change, key: Key) -> Outcome:
    image = await _image(hands, key, Right.DELETE)
    _unchanged_since(hands, change, image)
    await hands.writer.delete(hands.node.module, [image])
    return Outcome([RowOutcome(key)], affected=1)


async def _make_again(hands: Hands, change: Change, key: Key) -> Outcome:
    module = hands.node.module
    given = Given((), _values(hands, change, 0), key=key[0] if module.has_database_id else None)
    (result,) = await hands.writer.create(module, [given])
    if isinstance(result, list):
        raise Faulty(*result)
    return Outcome([RowOutcome(key)], affected=1)


_KINDS: Mapping[ChangeKind, Callable[[Hands, Change, Key], Awaitable[Outcome]]] = {
    ChangeKind.CREATED: _remove,
    ChangeKind.UPDATED: _restore_values,
    ChangeKind.DELETED: _make_again,
}


def _fields(hands: Hands, change: Change) -> Sequence[tuple[Field, Sequence[Any]]]:
    found = [(hands.node.module.field_named(name), pair) for name, pair in change.fields.items()]
    return [(item, pair) for item, pair in found if item is not None]


def _unchanged_since(hands: Hands, change: Change, image: Image) -> None:
    """Refuse where a field holds something else than the change gave it."""
    faults = [
        fault(item, FaultCode.CONFLICT, "undo-changed").under("change")
        for item, pair in _fields(hands, change)
        if differs(image.fields.get(item.name), read_kept(item, pair[1]))
    ]
    if faults:
        raise Faulty(*faults)


def _values(hands: Hands, change: Change, side: int) -> dict[str, Any]:
    return {item.name: read_kept(item, pair[side]) for item, pair in _fields(hands, change) if _is_written(hands, item)}


def _is_written(hands: Hands, item: Field) -> bool:
    """Leave out what the database or the audit writes by itself."""
    module = hands.node.module
    return (
        item.column not in ("create_time", "create_by", "change_time", "change_by") or item.column in module.key_columns
    )


def read_kept(item: Field, value: Any) -> Any:
    """Return the API's value of what the history has as JSON."""
    read = _READ.get(item.kind)
    return value if value is None or read is None else read(value)


# The mutations that every server has.
HANDS: Mapping[str, Hand] = {NAME: Hand(take_back)}
