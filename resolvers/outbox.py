"""What lambdas are to be told of a write, noted in its own transaction: each hook after it becomes an entry of the outbox.

Hooks run as code of the module, so they are told of whole rows, without secrets; what they then ask for and do, they do as
whoever wrote the row. Who works entries off is in `resolvers.deliveries`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from identity.access import Right
from identity.principals import Principal, System
from identity.rights import unbounded
from lambdas.errors import FailureCode
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.guard import guard_of
from resolvers.images import Key, read_images
from resolvers.lambda_items import items_of
from resolvers.lambda_rows import input_value
from resolvers.nodes import VersionSlot
from resolvers.predicate import KeyIn
from resolvers.statements import Statements
from schema.spec import Code, Hook, Module
from storage.changes import make_key
from storage.outbox import CallerNote, NewEntry, Trouble, append

AFTER_CREATE, AFTER_UPDATE, AFTER_DELETE = "after_create", "after_update", "after_delete"
DEPTH_LIMIT = 5  # how many hooks may lead to each other
PAYLOAD_LIMIT_BYTES = 1024 * 1024
ROWS_AT_ONCE = 500  # that are read, and that are noted

_EVENTS: Mapping[ChangeKind, str] = {
    ChangeKind.CREATED: AFTER_CREATE,
    ChangeKind.UPDATED: AFTER_UPDATE,
    ChangeKind.DELETED: AFTER_DELETE,
}
_EYES = unbounded(System("hooks after writes"))
_ANY_VERSION = VersionSlot((), is_kept=True)  # one, by which the statement is found again
_TOO_DEEP = Trouble(FailureCode.LIMIT, f"Hooks after writes led to each other {DEPTH_LIMIT} times in a row.")
_TOO_LARGE = Trouble(FailureCode.INPUT, f"The row has more than {PAYLOAD_LIMIT_BYTES} bytes.")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a hook is given: the row, what it was before (None for a new one), what is known beside, the caller's languages."""

    item: Row
    before: Row | None
    beside: Row
    languages: Sequence[str]

    def write(self) -> str:
        """Write it as it is kept."""
        told = {"item": self.item, "before": self.before, "beside": self.beside, "languages": self.languages}
        try:
            return orjson.dumps(told).decode()
        except TypeError:  # numbers beyond 64 bits in stored JSON
            return json.dumps(told)


def hooks_after(module: Module, on: str) -> list[tuple[str, Hook]]:
    """Return the hooks of an event with their names; they are told apart by their place in the file."""
    return [(f"{on} {number}", hook) for number, hook in enumerate((item for item in module.hooks if item.on == on), 1)]


def has_hooks_after(module: Module) -> bool:
    """Answer whether a module has hooks after any write."""
    return any(hook.on in _EVENTS.values() for hook in module.hooks)


def code_digest(code: Code) -> str:
    """Name a lambda by its text."""
    return hashlib.sha256(code.source.encode("utf-8", "surrogatepass")).hexdigest()


def caller_note(caller: Principal) -> CallerNote:
    """Say who is calling, to be found again later."""
    return CallerNote(str(caller.kind), caller.id, caller.login)


async def note(work: Work, changes: Sequence[RowChange], statements: Statements) -> None:
    """Note what hooks after these changes are to be told; where there are none it costs nothing."""
    wanted = [(change, hooks) for change in changes if (hooks := hooks_after(change.module, _event(change)))]
    if not wanted:
        return
    rows = await _rows(work, [change for change, _ in wanted], statements)
    entries = [entry for change, hooks in wanted for entry in _entries(work, change, hooks, rows)]
    for start in range(0, len(entries), ROWS_AT_ONCE):
        await append(work.transaction, entries[start : start + ROWS_AT_ONCE])


def _event(change: RowChange) -> str:
    return AFTER_DELETE if change.removes else _EVENTS[change.kind]


def _entries(
    work: Work, change: RowChange, hooks: Iterable[tuple[str, Hook]], rows: Mapping[tuple[str, Key], Row]
) -> list[NewEntry]:
    context = work.context
    told = _told(change, rows.get((change.module.name, change.key)), context.languages).write()
    trouble = _TOO_DEEP if context.hook_depth >= DEPTH_LIMIT else _TOO_LARGE if _is_large(told) else None
    return [
        NewEntry(
            module=change.module.name,
            row_key=make_key(change.key),
            hook=name,
            code=code_digest(hook.code),
            payload="{}" if trouble else told,
            caller=caller_note(context.caller),
            request_id=context.request_id,
            depth=context.hook_depth,
            trouble=trouble,
        )
        for name, hook in hooks
    ]


def _is_large(text: str) -> bool:
    return len(text) > PAYLOAD_LIMIT_BYTES or len(text.encode()) > PAYLOAD_LIMIT_BYTES


def _told(change: RowChange, now: Row | None, languages: Sequence[str]) -> Told:
    """Put together what a hook sees of a change: rows as they are after it, and as they were."""
    before = {name: pair[0] for name, pair in change.fields.items()}
    after = {name: pair[1] for name, pair in change.fields.items()}
    was = change.was if change.was is not None else {**(now or {}), **before}
    if _event(change) == AFTER_DELETE:
        row = _written(change.module, was)
        return Told(row, row, {}, languages)
    item = _written(change.module, after if now is None else now)
    beside = {name: input_value(value) for name, value in change.beside.items()}
    return Told(item, None if change.kind is ChangeKind.CREATED else _written(change.module, was), beside, languages)


def _written(module: Module, row: Row) -> dict[str, Any]:
    """Write a row's fields as lambdas see them; secrets and whole files are not among them."""
    return {item.name: input_value(row.get(item.name)) for item in items_of(module).fields}


async def _rows(work: Work, changes: Sequence[RowChange], statements: Statements) -> Mapping[tuple[str, Key], Row]:
    """Read rows as they are now: what the database and conducts gave them is known to nobody else."""
    eyes = replace(statements, guard=guard_of(_EYES, work.context.snapshot))
    wanted: dict[str, tuple[Module, dict[Key, None]]] = {}
    for change in changes:
        if _event(change) != AFTER_DELETE:
            wanted.setdefault(change.module.name, (change.module, {}))[1][change.key] = None
    found: dict[tuple[str, Key], Row] = {}
    for name, (module, keys) in wanted.items():
        every = list(keys)
        for start in range(0, len(every), ROWS_AT_ONCE):
            part = tuple(every[start : start + ROWS_AT_ONCE])
            for image in await _images(work, module, part, eyes):
                found[(name, image.key)] = image.fields
    return found


async def _images(work: Work, module: Module, keys: tuple[Key, ...], eyes: Statements) -> Any:
    return await read_images(
        eyes,
        module,
        [KeyIn((), module, keys)],
        _ANY_VERSION,
        work.transaction.execute,
        right=Right.VIEW,
        limit=ROWS_AT_ONCE,
        lock=False,
    )
