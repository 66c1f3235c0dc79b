"""What is done to a row's input before its transaction: it needs no database, or must not hold its write lock.

Lambdas see no secrets, and what they set obeys the file like what a client gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from resolvers.assignments import Given, check_set
from resolvers.faults import Faulty
from resolvers.hooks import BEFORE_CREATE, HookEvent, HookRunner, has_hook
from resolvers.stored import protect
from schema.spec import Module


async def make_ready(
    hooks: HookRunner, module: Module, given: Given, secret: bytes, *, is_new: bool, hashes: bool = True
) -> None:
    """Hash passwords, make defaults by lambda, and show a new row to the hooks; what they refuse becomes its faults.

    Without `hashes` passwords are only looked at, for whoever will not store them.
    """
    await protect(module, given, secret, hashes=hashes)
    for item in given.missing:
        try:
            value = await hooks.default(module, item, readable(module, given.values))
        except Faulty as faulty:
            given.faults += [fault.under(*given.path) for fault in faulty.faults]
        else:
            made = Given(given.path, {item.name: value})
            await _settle(module, made, secret, is_new=True, hashes=hashes)
            given.faults += made.faults
            given.values.update(made.values)
    given.missing = []
    if is_new and has_hook(module, BEFORE_CREATE) and not given.faults:
        event = HookEvent(module, BEFORE_CREATE, {}, {})
        take_over(given, await run_hooks(hooks, event, given, secret, hashes=hashes))


async def run_hooks(
    hooks: HookRunner, event: HookEvent, given: Given, secret: bytes, *, hashes: bool = True
) -> Mapping[str, Any]:
    """Show a write to the hooks of an event and return what they set; what they refuse becomes the row's faults.

    The event's `after` is filled in: what was before, with what the row is given.
    """
    module, before = event.module, event.before
    try:
        outcome = await hooks.before(replace(event, after={**before, **readable(module, given.values)}))
    except Faulty as faulty:
        given.faults += [fault.under(*given.path) for fault in faulty.faults]
        return {}
    said = Given(given.path, dict(outcome.values))
    await _settle(module, said, secret, is_new=not before, hashes=hashes)
    given.faults += said.faults
    return said.values


async def _settle(module: Module, said: Given, secret: bytes, *, is_new: bool, hashes: bool) -> None:
    check_set(module, said, is_new=is_new)
    await protect(module, said, secret, hashes=hashes)


def take_over(given: Given, values: Mapping[str, Any]) -> None:
    """Give a row what hooks set, also in place of a row that the client named."""
    given.values.update(values)
    for name in values:
        given.lookups.pop(name, None)


def readable(module: Module, values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what nobody may read."""
    found = {name: module.field_named(name) for name in values}
    return {name: values[name] for name, item in found.items() if item is not None and item.is_readable}
