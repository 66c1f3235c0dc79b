"""What the hooks have said of the rows of one write. They run outside of its transaction, and nothing is written without them.

The writer asks here, inside the transaction, what was said of a row exactly as it is now and as it would be. Where nothing
was, the transaction ends, the hooks are shown the row, and the write begins anew. So no way of writing can miss them, no
lock is held while they run, and a row that somebody has changed meanwhile is shown to them again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resolvers.assignments import Given, check_set
from resolvers.hooks import BEFORE_CREATE, HookEvent, HookOutcome, HookRunner, NoHooks, has_hook
from resolvers.stored import protect
from schema.spec import Field, Home, Module

HEARINGS = 8  # how often a write begins anew for its hooks

Key = tuple[int | str, ...]
NEW_ROW: Key = ()  # the key of a row that is not there yet
NO_FIELDS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that are new in a transaction, by table and key, among these modules."""

    keys: Collection[tuple[str, Key]] = ()
    modules: Mapping[str, Module] = field(default_factory=dict)

    def is_one(self, module: Module, key: Key) -> bool:
        """Answer whether a row is one of them."""
        return (module.table, key) in self.keys

    def is_target(self, item: Field, value: Any) -> bool:
        """Answer whether a reference leads to one of them by its key."""
        target = self.modules.get(item.to or "")
        return target is not None and item.by is None and self.is_one(target, (value,))


NOTHING_MADE = Made()


@dataclass(frozen=True, slots=True)
class Showing:
    """A row that is about to be written: its fields as it is, what it is given of them, whose defaults lambdas make."""

    module: Module
    on: str
    key: Key
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    missing: tuple[Field, ...] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, ...]:
        """What must be equal for rows to be shown together."""
        return self.module.name, self.on, *(item.name for item in self.missing), "", *self.beside

    def seal(self) -> bytes:
        """Tell showings apart."""
        told = [*self.kind, self.key, *(sorted(part.items()) for part in (self.before, self.values, self.beside))]
        return hashlib.sha256(json.dumps(told, default=str).encode("utf-8", "surrogatepass")).digest()

    def event(self, more: Mapping[str, Any]) -> HookEvent:
        """Return what the hooks are shown, after what those before them have set."""
        after = {**self.before, **self.values, **more}
        return HookEvent(self.module, self.on, self.key, self.before, after, self.beside)


@dataclass(frozen=True, slots=True)
class Hearable:
    """A row on its way: what it is given takes what the hooks set, and what they refuse becomes its faults."""

    module: Module
    key: Key
    before: Mapping[str, Any]
    given: Given
    beside: Mapping[str, Any] = field(default_factory=dict)


class Unheard(Exception):
    """Hooks were not asked about these rows yet."""

    def __init__(self, showings: Sequence[Showing]) -> None:
        self.showings = showings
        super().__init__(f"{len(showings)} rows were not shown to their hooks.")


class Hearing:
    """Asks the hooks of one write, and remembers what they said. Without `hashes` passwords are looked at and not hashed."""

    def __init__(self, hooks: HookRunner, secret: bytes, *, hashes: bool = True) -> None:
        self._hooks = hooks
        self._secret = secret
        self._hashes = hashes
        self._said: dict[bytes, Given] = {}

    def hear(self, on: str, rows: Iterable[Hearable], made: Made = NOTHING_MADE) -> None:
        """Take over what was said of rows. Raises `Unheard` with those of which nothing was said; with faults no row is shown.

        Rows that were `made` in the same transaction have no key for hooks: it will be another when they were asked.
        """
        waiting = [row for row in rows if not row.given.faults and needs_hearing(row.module, on, row.given)]
        showings = [_showing(on, row, made) for row in waiting]
        seals = [showing.seal() for showing in showings]
        unheard = [showing for showing, seal in zip(showings, seals, strict=True) if seal not in self._said]
        if unheard:
            raise Unheard(unheard)
        for row, seal in zip(waiting, seals, strict=True):
            _take_over(row.given, self._said[seal])

    async def attend(self, on: str, rows: Sequence[Hearable]) -> None:
        """Take over what is said of rows, outside of any transaction: who was not asked yet is."""
        try:
            self.hear(on, rows)
        except Unheard as unheard:
            await self.ask(unheard.showings)
            self.hear(on, rows)

    async def ask(self, showings: Sequence[Showing]) -> None:
        """Show rows to the hooks, those of one kind together."""
        for group in _alike(showings):
            for showing, said in zip(group, await self._ask(group), strict=True):
                self._said[showing.seal()] = said

    # --- inside ---

    async def _ask(self, group: Sequence[Showing]) -> list[Given]:
        """Make defaults, each of which sees those before it, then run the hooks; what is wrong with a row ends its part."""
        module, on = group[0].module, group[0].on
        said = [Given(()) for _ in group]
        for item in group[0].missing:
            fit, events = _fit(group, said)
            if events:
                await self._settle(module, fit, await self._hooks.default(item, events), is_new=True)
        fit, events = _fit(group, said)
        if events and has_hook(module, on):
            await self._settle(module, fit, await self._hooks.before(events), is_new=on == BEFORE_CREATE)
        return said

    async def _settle(
        self, module: Module, said: Sequence[Given], outcomes: Sequence[HookOutcome], *, is_new: bool
    ) -> None:
        """Hold what lambdas set to the file as if a client had given it, and hash and seal what is secret of it."""
        for row, outcome in zip(said, outcomes, strict=True):
            made = Given((), dict(outcome.values), faults=list(outcome.faults))
            check_set(module, made, is_new=is_new)
            await protect(module, made, self._secret, hashes=self._hashes)
            row.values |= made.values
            row.extras |= made.extras
            row.faults += made.faults


def deaf() -> Hearing:
    """Return a hearing without a sandbox."""
    return Hearing(NoHooks(), b"")


def needs_hearing(module: Module, on: str, given: Given) -> bool:
    """Answer whether lambdas have a say in what a row is given."""
    return not given.heard and bool(given.missing or has_hook(module, on))


def readable(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what nobody may read."""
    found = {name: module.field_named(name) for name in values}
    return {name: values[name] for name, item in found.items() if item is not None and item.is_readable}


def _showing(on: str, row: Hearable, made: Made) -> Showing:
    module, values, before, key = row.module, readable(row.module, row.given.values), row.before, row.key
    if made.keys:
        is_new = made.is_one(module, key)
        key = NEW_ROW if is_new else key
        values, before = (_veiled(module, part, made, is_new=is_new) for part in (values, before))
    return Showing(module, on, key, before, values, tuple(row.given.missing), row.beside)


def _veiled(module: Module, values: Mapping[str, Any], made: Made, *, is_new: bool) -> dict[str, Any]:
    """Leave out keys of rows that were made in the same transaction."""
    found = dict(values)
    for item in module.fields:
        if item.name in found:
            names_itself = is_new and item.home is Home.TABLE and item.column in module.key_columns
            if names_itself or made.is_target(item, found[item.name]):
                found[item.name] = None
    return found


def _take_over(given: Given, said: Given) -> None:
    given.heard = True
    given.missing = []
    given.values |= said.values
    given.extras = {**given.extras, **said.extras}
    given.faults += [fault.under(*given.path) if given.path else fault for fault in said.faults]


def _alike(showings: Sequence[Showing]) -> Iterable[list[Showing]]:
    groups: dict[tuple[str, ...], list[Showing]] = {}
    for showing in showings:
        groups.setdefault(showing.kind, []).append(showing)
    return groups.values()


def _fit(group: Sequence[Showing], said: Sequence[Given]) -> tuple[list[Given], list[HookEvent]]:
    """Return the rows with which nothing is wrong so far, beside what their lambdas are shown."""
    fit = [(row, showing) for row, showing in zip(said, group, strict=True) if not row.faults]
    return [row for row, _ in fit], [showing.event(readable(showing.module, row.values)) for row, showing in fit]
