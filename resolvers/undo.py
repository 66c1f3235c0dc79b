"""Taking a change back: the values before it are written again, by the same rules, unless somebody has changed them since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from identity.access import Right
from resolvers.assignments import Given, lookup_stored, stores_number
from resolvers.checks import fault
from resolvers.conduct import ChangeKind
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.gone import seen_before
from resolvers.hands import Hand, Hands
from resolvers.images import Image, Key, read_images
from resolvers.ledger import differs, read_kept, read_key
from resolvers.nodes import VersionSlot
from resolvers.outcome import Outcome, RowOutcome
from resolvers.past import UNDOING, UNDOING_RIGHTS, may_undo, read_change_id
from resolvers.predicate import KeyIn
from schema.spec import Field
from schema.writes import writes_of
from storage import changes
from storage.changes import Change

NAME = "undo"


async def take_back(hands: Hands) -> Outcome:
    """Take back the change that the input names."""
    named = read_change_id(hands.given["change"])
    change = await changes.one(hands.work.transaction, named.number) if named else None
    module = hands.node.module
    if named is None or change is None or change.module != module.name or change.kind != named.kind:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("change",)))
    key = read_key(change.row_key)
    image = await _image(hands, key, UNDOING_RIGHTS[named.kind]) if named.kind is not ChangeKind.DELETED else None
    if image is None and not await _saw(hands, change, key):
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("change",)))
    deeds = writes_of(module, hands.work.context.audience).deeds
    access = hands.work.context.access
    is_his = change.origin is None and may_undo(access, module, named.kind, change.fields)
    if UNDOING[named.kind] not in deeds or not is_his:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "nothing-to-undo", ("change",)))
    if image is not None and not image.allowed:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden", ("change",)))
    hands.writer.undoes = change.id
    return await _KINDS[named.kind](hands, change, image)


async def _saw(hands: Hands, change: Change, key: Key) -> bool:
    """Answer whether the caller saw a row before it was removed: of others there is nothing for him to take back."""
    if change.kind != ChangeKind.DELETED:
        return False
    fetch = hands.work.transaction.execute
    return key in await seen_before(hands.writer.statements, fetch, hands.node.module, {key: change.fields})


async def _image(hands: Hands, key: Key, right: Right) -> Image | None:
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
    return images[0] if images else None


async def _restore_values(hands: Hands, change: Change, image: Image | None) -> Outcome:
    there = _there(image)
    _unchanged_since(hands, change, there)
    given = _given(hands, change)
    await hands.writer.update(hands.node.module, there, given)
    return Outcome([RowOutcome(there.key)], affected=1)


async def _remove(hands: Hands, change: Change, image: Image | None) -> Outcome:
    there = _there(image)
    _unchanged_since(hands, change, there)
    await hands.writer.delete(hands.node.module, [there])
    return Outcome([RowOutcome(there.key)], affected=1)


def _there(image: Image | None) -> Image:
    if image is None:
        raise LookupError("A change of a row that is not there is taken back.")
    return image


async def _make_again(hands: Hands, change: Change, _image: Image | None) -> Outcome:
    module, key = hands.node.module, read_key(change.row_key)
    given = _given(hands, change)
    given.key = key[0] if module.has_database_id else None
    (result,) = await hands.writer.create(module, [given])
    if isinstance(result, list):
        raise Faulty(*result)
    return Outcome([RowOutcome(key)], affected=1)


_KINDS: Mapping[ChangeKind, Callable[[Hands, Change, Image | None], Awaitable[Outcome]]] = {
    ChangeKind.CREATED: _remove,
    ChangeKind.UPDATED: _restore_values,
    ChangeKind.DELETED: _make_again,
}


def _fields(hands: Hands, change: Change) -> Sequence[tuple[Field, Sequence[Any]]]:
    found = [(hands.node.module.field_named(name), pair) for name, pair in change.fields.items()]
    return [(item, pair) for item, pair in found if item is not None]


def _unchanged_since(hands: Hands, change: Change, image: Image) -> None:
    """Refuse where a field that the caller sees holds something else than the change gave it."""
    access, module = hands.work.context.access, hands.node.module
    faults = [
        fault(item, FaultCode.CONFLICT, "undo-changed").under("change")
        for item, pair in _fields(hands, change)
        if access.sees(module, item) and differs(image.fields.get(item.name), read_kept(item, pair[1]))
    ]
    if faults:
        raise Faulty(*faults)


def _given(hands: Hands, change: Change) -> Given:
    """Return what a row is given to be as it was. It is linked again only to rows that the caller sees."""
    access, modules = hands.work.context.access, hands.work.context.snapshot.modules
    given = Given(())
    for item, pair in _fields(hands, change):
        if hands.node.module.stamps(item.column):  # which are written by themselves
            continue
        value = read_kept(item, pair[0])
        target = modules.get(item.to or "")
        if value is None or target is None or not stores_number(item):
            given.values[item.name] = value
            continue
        if not access.may(target, Right.VIEW):
            raise Faulty(Fault(FaultCode.FORBIDDEN, "nothing-to-undo", ("change",)))
        if access.is_bounded(target):
            given.lookups[item.name] = lookup_stored(item, target, value, ("change",))
        else:
            given.values[item.name] = value
    return given


# The mutations that every server has.
HANDS: Mapping[str, Hand] = {NAME: Hand(take_back)}
