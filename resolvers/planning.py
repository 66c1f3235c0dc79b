"""Which plan answers an operation, and the answer by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
)

from resolvers.context import Context
from resolvers.cursors import CursorKey, list_key
from resolvers.errors import OperationError, present
from resolvers.failed import take_out, take_out_of
from resolvers.guard import guard_of
from resolvers.known_operations import Operation, operation_of
from resolvers.plan import Plan
from resolvers.planner import Planner
from resolvers.reads import Reads
from resolvers.run import Keyed, Run, Values
from resolvers.selection import Selections, select
from resolvers.templates import are_plain
from resolvers.writers import Unplain


async def answer(
    context: Context, selections: Selections, others: Callable[[OperationDefinitionNode], Awaitable[ExecutionResult]]
) -> ExecutionResult | None:
    """Answer an operation by its plan, and what of it has none by `others`.

    None where it has no plan, or where its answer is not plain.
    """
    found = find_plan(context, selections)
    if found is None:
        return None
    plan, values = found
    run = run_of(context, [selections], [values])
    try:
        (planned,) = await plan.run(run)
    except Unplain:
        return None
    context.cost = plan.cost
    context.is_planned = True
    rest = ExecutionResult({})
    if plan.rest is not None:
        rest = await others(plan.rest)
        context.cost += plan.cost
        if rest.data is None:
            return rest
    data = plan.in_order(planned, rest.data or {})
    if not context.has_failed:
        return ExecutionResult(data, rest.errors)
    order = {key: place for place, key in enumerate(plan.keys)}
    errors = [*take_out(data), *(rest.errors or ())]
    return ExecutionResult(data, sorted(errors, key=lambda error: order[str((error.path or [""])[0])]))


async def answer_alike(context: Context, selections: Sequence[Selections]) -> list[ExecutionResult | None]:
    """Answer one operation with several sets of variables, as many as can be with the same statements.

    None where it has no plan for a set, or where its answer is not plain.
    """
    answers: list[ExecutionResult | None] = [None] * len(selections)
    if not selections:
        return answers
    alike: dict[Plan, list[tuple[int, Values]]] = {}
    operation, own = operation_of(context, selections[0]), guard_of(context.rights, context.snapshot).own
    for place, one in enumerate(selections):
        found = _find(context, one, operation, own, at_once=True)
        if found is not None and found[0].rest is None:
            alike.setdefault(found[0], []).append((place, found[1]))
    for plan, cases in alike.items():
        context.spend(plan.cost * len(cases))
        run = run_of(context, [selections[place] for place, _ in cases], [values for _, values in cases])
        try:
            planned = await plan.run(run)
        except Unplain:
            continue
        ordered = [plan.in_order(data, {}) for data in planned]
        errors = take_out_of(ordered) if context.has_failed else [[] for _ in ordered]
        for (place, _), data, told in zip(cases, ordered, errors, strict=True):
            answers[place] = ExecutionResult(data, present(told, context.request_id) or None)
    return answers


def run_of(context: Context, selections: Sequence[Selections], values: Sequence[Values]) -> Run:
    """Return a run of a plan for operations of its form, each with its values."""

    def key_of(keyed: Keyed, case: int) -> CursorKey:
        args = selections[case].args_of(keyed.selected)
        return list_key(context.secret, context.caller, keyed.module, keyed.link, args)

    def planner() -> Planner:
        operation = operation_of(context, selections[0])
        given = operation.read(context, selections[0])
        if given is None:
            raise Unplain
        return Planner(context, selections[0], operation, given)

    return Run(Reads(context), values, key_of, planner)


def plan_ahead(
    context: Context, document: DocumentNode, name: str | None, variables: Mapping[str, Any] | None
) -> Plan | None:
    """Make the plan of an operation before it is asked for; nothing is read. None where it has none."""
    try:
        selections = select(context.schema, document, name, variables)
    except (GraphQLError, OperationError):
        return None
    operation = operation_of(context, selections)
    given = operation.read(context, selections)
    if given is None:
        return None
    seen = operation.seen(given)
    if seen.plan is None and seen.times <= 1:
        seen.times = 2
        seen.plan = Planner(context, selections, operation, given).plan()
    return seen.plan


def find_plan(context: Context, selections: Selections) -> tuple[Plan, Sequence[Any]] | None:
    """Find the plan of an operation and the values for it, or make it when its form is seen for the second time."""
    own = guard_of(context.rights, context.snapshot).own
    return _find(context, selections, operation_of(context, selections), own)


def _find(
    context: Context, selections: Selections, operation: Operation, own: Sequence[Any], *, at_once: bool = False
) -> tuple[Plan, Sequence[Any]] | None:
    """Do so for a caller with these values; with `at_once` a plan is made the first time."""
    given = operation.read(context, selections)
    if given is None or not are_plain(own):
        return None
    seen = operation.seen(given)
    if seen.plan is None:
        seen.times += 2 if at_once and not seen.times else 1
        if seen.times != 2:  # noqa: PLR2004 - the first time it may never come again, later it has none
            return None
        made = Planner(context, selections, operation, given).plan()
        if made is None:
            return None
        seen.plan = made
    if seen.plan.cost > context.cost_limit:
        return None
    return seen.plan, (*given.values, *own)
