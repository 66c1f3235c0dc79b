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
from resolvers.errors import OperationError
from resolvers.guard import guard_of
from resolvers.known_operations import operation_of
from resolvers.plan import (
    Keyed,
    Plan,
    Run,
)
from resolvers.planner import Planner
from resolvers.reads import Reads
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

    def key_of(keyed: Keyed) -> CursorKey:
        return list_key(context.secret, context.caller, keyed.module, keyed.link, selections.args_of(keyed.selected))

    def planner() -> Planner:
        operation = operation_of(context, selections)
        given = operation.read(context, selections)
        if given is None:
            raise Unplain
        return Planner(context, selections, operation, given)

    try:
        planned = await plan.run(Run(Reads(context), values, key_of, planner))
    except Unplain:
        return None
    context.cost = plan.cost
    context.is_planned = True
    if plan.rest is None:
        return ExecutionResult(plan.in_order(planned, {}))
    rest = await others(plan.rest)
    context.cost += plan.cost
    if rest.data is None:
        return rest
    return ExecutionResult(plan.in_order(planned, rest.data), rest.errors)


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
    operation = operation_of(context, selections)
    given = operation.read(context, selections)
    own = guard_of(context.rights, context.snapshot).own
    if given is None or not are_plain(own):
        return None
    seen = operation.seen(given)
    if seen.plan is None:
        seen.times += 1
        if seen.times != 2:  # noqa: PLR2004 - the first time it may never come again, later it has none
            return None
        made = Planner(context, selections, operation, given).plan()
        if made is None:
            return None
        seen.plan = made
    if seen.plan.cost > context.cost_limit:
        return None
    return seen.plan, (*given.values, *own)
