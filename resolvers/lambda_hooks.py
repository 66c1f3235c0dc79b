"""Hooks and defaults by lambda: many rows in a job, one lambda after the other, each seeing what those before it set.

They run as code of the module, for its own rules: they see whole rows, also what the caller may not. What they ask the API
they ask as the caller.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import Undefined

from lambdas.contract import Batch, Failure, Outcome, Power, Rejection, Script
from lambdas.errors import FailureCode
from resolvers.checks import fault
from resolvers.context import Context
from resolvers.faults import Fault, FaultCode
from resolvers.hearing import readable
from resolvers.hooks import BEFORE_CREATE, BEFORE_DELETE, BEFORE_UPDATE, HookEvent, HookOutcome
from resolvers.lambda_items import items_of
from resolvers.lambda_pieces import cut
from resolvers.lambda_questions import answerer_of, job_of
from resolvers.lambda_rows import input_value
from resolvers.lambda_values import named_fields, set_value
from schema.spec import Audience, Code, Field, Home, Hook, Module

_ASKING: Mapping[str, Power] = {"gql": Power.GQL, "query": Power.SQL}
_NONE: frozenset[Power] = frozenset()
# A row that is removed takes no values.
_POWERS: Mapping[str, frozenset[Power]] = {
    BEFORE_CREATE: frozenset({Power.SET, Power.REJECT}),
    BEFORE_UPDATE: frozenset({Power.SET, Power.REJECT}),
    BEFORE_DELETE: frozenset({Power.REJECT}),
}

log = logging.getLogger("lambdesk.lambdas")


@dataclass(slots=True)
class _Row:
    """A row on its way through the lambdas: what they have set so far, and why it must not be written."""

    event: HookEvent
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    has_failed: bool = False

    @property
    def after(self) -> Mapping[str, Any]:
        """What the next lambda sees."""
        return {**self.event.after, **readable(self.event.module, self.values)}


@dataclass(frozen=True, slots=True)
class LambdaHooks:
    """Runs the hooks and defaults of one request's writes in the sandbox."""

    context: Context

    async def before(self, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Run the hooks of events of one kind and module, in the file's order. A failure is the last of a row, a rejection not."""
        rows = [_Row(event) for event in events]
        module, on = events[0].module, events[0].on
        for number, hook in enumerate(hook for hook in module.hooks if hook.on == on):
            waiting = [row for row in rows if not row.has_failed]
            name = f"{module.name}.{on}{f'.{number + 1}' if number else ''}"
            script = self._script(name, hook.code, _POWERS.get(on, _NONE))
            for row, outcome in zip(waiting, await self._run(module, script, waiting), strict=True):
                self._hear(row, script, hook, outcome)
        return [HookOutcome(row.values, row.faults) for row in rows]

    async def default(self, field: Field, events: Sequence[HookEvent]) -> Sequence[HookOutcome]:
        """Make the default value of a field for new rows of one module."""
        if field.default is None or field.default.code is None:
            raise TypeError(f"{field.name} has no default by lambda.")
        rows = [_Row(event) for event in events]
        module = events[0].module
        script = self._script(f"{module.name}.{field.name}.default", field.default.code, _NONE)
        for row, outcome in zip(rows, await self._run(module, script, rows), strict=True):
            if outcome.failure is not None:
                self._fail(row, script, outcome.failure, field)
            else:
                self._set(row, field, outcome.value)
        return [HookOutcome(row.values, row.faults) for row in rows]

    # --- inside ---

    def _script(self, name: str, code: Code, powers: frozenset[Power]) -> Script:
        """Return a lambda with its powers; it may also ask what can be answered."""
        asking = {_ASKING[verb] for verb in self.context.asks if verb in _ASKING}
        return Script(name, code.source, code.place.line, powers | asking)

    async def _run(self, module: Module, script: Script, rows: Sequence[_Row]) -> list[Outcome]:
        """Run a lambda over rows, in as few jobs as they fit into."""
        items, limits = items_of(module), self.context.lambda_limits.of_deeds(module)
        is_new = bool(rows) and rows[0].event.on == BEFORE_CREATE
        pairs = [
            (
                [*items.row(row.event.key, row.after), *map(input_value, row.event.beside.values())],
                None if is_new else items.item(row.event.key, row.event.before),
            )
            for row in rows
        ]
        shape = [*items.shape, *(((), (name,)) for name in (rows[0].event.beside if rows else ()))]
        answer = answerer_of(self.context) if self.context.asks else None
        found: list[Outcome] = []
        for (piece,) in cut([pairs], limits.input_bytes):
            befores = None if is_new else [before for _, before in piece.rows]
            batch = Batch(script, [values for values, _ in piece.rows], {}, shape, befores)
            job = job_of(self.context, module.name, [batch], limits)
            (outcomes,) = (await self.context.lambdas.run(job, answer)).outcomes
            found += outcomes
        return found

    def _hear(self, row: _Row, script: Script, hook: Hook, outcome: Outcome) -> None:
        if outcome.failure is not None:
            self._fail(row, script, outcome.failure)
            return
        row.faults += [_rejected(row.event, rejection) for rejection in outcome.rejections]
        for name, value in outcome.values.items():
            item = _settable(row.event, name)
            if item is None:
                message = f"set: {row.event.module.name} has no field `{name}` that takes a value here."
                self._fail(row, script, Failure(FailureCode.FAILED, message))
                return
            self._set(row, item, value)
        if hook.is_rule and outcome.value is False:
            row.faults.append(_broken(row.event.module, hook))

    def _set(self, row: _Row, item: Field, value: Any) -> None:
        found = set_value(self.context.snapshot.schema_for(Audience.AGENT), item, value)
        if found is Undefined:
            row.faults.append(fault(item, FaultCode.INVALID, "invalid").under(item.api_name))
        else:
            row.values[item.name] = found

    def _fail(self, row: _Row, script: Script, failure: Failure, item: Field | None = None) -> None:
        """Deny the write. What went wrong, and where, is for those who may change the lambda."""
        request = self.context.request_id
        log.warning("request %s: lambda %s failed: %s, line %s", request, script.name, failure.code, failure.line)
        row.has_failed = True
        params: dict[str, Any] = {"lambda": script.name, "reason": failure.code.value}
        if self.context.access.is_administrator:
            params |= {"detail": failure.message, "line": failure.line}
        path = None if item is None else (item.api_name,)
        row.faults.append(Fault(FaultCode.LAMBDA_FAILED, "lambda-failed", path, params))


def _rejected(event: HookEvent, rejection: Rejection) -> Fault:
    name = rejection.field or ""
    item = named_fields(event.module).get(name)
    path = (item.api_name,) if item is not None else (name,) if name in event.beside else None
    return Fault(FaultCode.LAMBDA_REJECTED, "lambda-rejected", path, {"text": rejection.message})


def _broken(module: Module, hook: Hook) -> Fault:
    """Say what a custom rule says that is not met."""
    item = named_fields(module).get(hook.field or "")
    path = None if item is None else (item.api_name,)
    if hook.message is not None:
        return Fault(FaultCode.LAMBDA_REJECTED, "lambda-rejected", path, {"text": hook.message})
    return Fault(FaultCode.LAMBDA_REJECTED, "rule-broken", path, {"field": item.label if item else module.singular})


def _settable(event: HookEvent, name: str) -> Field | None:
    """Return the field that a hook gives a value; none that writes itself, or names a row that is there."""
    item = named_fields(event.module).get(name)
    if item is None or item.holds_bytes or item.settings.get("virtual"):
        return None
    if item.home is Home.TABLE and event.module.stamps(item.column):
        return None
    is_key = item.home is Home.TABLE and item.column in event.module.key_columns
    return None if is_key and event.on != BEFORE_CREATE else item
