"""What is done to a row's input before its transaction: it needs no database, or must not hold its write lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.assignments import Given
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
            given.values[item.name] = await hooks.default(module, item, given.values)
        except Faulty as faulty:
            given.faults += [fault.under(*given.path) for fault in faulty.faults]
    given.missing = []
    if is_new and has_hook(module, BEFORE_CREATE) and not given.faults:
        await run_hooks(hooks, module, BEFORE_CREATE, {}, given)


async def run_hooks(hooks: HookRunner, module: Module, on: str, before: Mapping[str, Any], given: Given) -> None:
    """Show a write to the hooks of an event; they set values, or refuse."""
    event = HookEvent(module, on, before, {**before, **given.values})
    try:
        outcome = await hooks.before(event)
    except Faulty as faulty:
        given.faults += [fault.under(*given.path) for fault in faulty.faults]
        return
    given.values.update(outcome.values)
