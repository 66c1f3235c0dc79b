"""What hooks after writes and schedules do, in the API: for administrators, who can have it tried again."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry

from resolvers.errors import BadRequest
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.ids import read_id, write_id
from resolvers.ledger import read_key
from schema.snapshot import Snapshot
from schema.spec import Module, Schedule
from storage.changes import make_key
from storage.delivery_lists import Delivery, Run, find_delivery, list_deliveries, list_runs
from storage.outbox import State, now_ms, reopen
from storage.schedules import begin_now, find
from web.administrators import administrators_only, writers_only
from web.platform_errors import UserError, tell
from web.scheduling import entry_of, schedules_of
from web.workshop import PlatformContext

DELIVERIES_DEFAULT = 20
DELIVERIES_LIMIT = 200

Info = strawberry.Info[PlatformContext, Any]

_log = logging.getLogger("lambdesk.deliveries")


@strawberry.enum(description="What became of a delivery.")
class DeliveryState(Enum):
    """The states of `storage.outbox`, with those of an open one told apart."""

    WAITING = strawberry.enum_value("WAITING", description="It is to be run, or to be tried again, at `dueAt`.")
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = strawberry.enum_value("FAILED", description="By its own fault, so that it is not tried again by itself.")
    DEAD = strawberry.enum_value("DEAD", description="It could not be run, however often it was tried.")


# By state: how it is stored, and whether somebody has it.
_STORED = {
    DeliveryState.WAITING: (State.OPEN, False),
    DeliveryState.RUNNING: (State.OPEN, True),
    DeliveryState.DONE: (State.DONE, False),
    DeliveryState.FAILED: (State.FAILED, False),
    DeliveryState.DEAD: (State.DEAD, False),
}
_SHOWN = {stored: state for state, stored in _STORED.items()}


@strawberry.type(description="As whom a lambda runs.")
class DeliveryCaller:
    """A caller as the API shows it."""

    kind: str = strawberry.field(description="`agent`, `customer`, `token` or `system`.")
    login: str


@strawberry.type(description="A lambda that is to run, runs or has run after a write or by the clock.")
class LambdaDelivery:
    """An entry of the outbox as the API shows it."""

    id: strawberry.ID
    delivery: str = strawberry.field(description="What the lambda knows as `me.delivery`; the same for every attempt.")
    module: str
    row: strawberry.ID | None = strawberry.field(description="The row that was written; null for schedules.")
    hook: str = strawberry.field(description="Which lambda: `after_update 1`, `schedule nightly`.")
    state: DeliveryState
    attempts: int
    code: str | None = strawberry.field(description="Why it took no effect, or why it did not at the last attempt.")
    message: str | None
    log: list[str] = strawberry.field(description="What the lambda logged.")
    caller: DeliveryCaller
    depth: int = strawberry.field(description="How many such lambdas led to the write.")
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    took_ms: int | None = strawberry.field(description="The last attempt.")


@strawberry.type(description="A lambda that runs by the clock.")
class LambdaSchedule:
    """A schedule as the API shows it."""

    module: str
    name: str
    cron: str
    time_zone: str
    runs_as: str = strawberry.field(description="The login of an agent, or `system` for Lambdesk itself.")
    next_at: datetime | None
    last_at: datetime | None = strawberry.field(description="For when the last run was.")
    last_run: LambdaDelivery | None


@strawberry.input
class RetryDeliveryInput:
    """What `retryDelivery` takes."""

    id: strawberry.ID
    client_mutation_id: str | None = None


@strawberry.type
class RetryDeliveryPayload:
    """The answer of `retryDelivery`."""

    delivery: LambdaDelivery | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class RunScheduleInput:
    """What `runSchedule` takes."""

    module: str
    name: str
    client_mutation_id: str | None = None


@strawberry.type
class RunSchedulePayload:
    """The answer of `runSchedule`."""

    schedule: LambdaSchedule | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class DeliveryQuery:
    """Root fields about what lambdas do after and beside writes."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="What hooks after writes and schedules are to do or have done, the newest first; `before` is the id of the last one of a page. "
        "For administrators."
    )
    async def lambda_deliveries(
        self,
        info: Info,
        *,
        states: list[DeliveryState] | None = None,
        module: str | None = None,
        row: strawberry.ID | None = None,
        first: int = DELIVERIES_DEFAULT,
        before: strawberry.ID | None = None,
    ) -> list[LambdaDelivery]:
        """List deliveries."""
        context = info.context
        administrators_only(context, "lambdaDeliveries")
        if not 0 <= first <= DELIVERIES_LIMIT:
            raise BadRequest(f"lambdaDeliveries.first: must be between 0 and {DELIVERIES_LIMIT}; found {first}.")
        named = None if row is None else read_id(row, context.snapshot.by_type_name)
        if row is not None and named is None:
            return []
        found = await list_deliveries(
            context.database,
            first,
            states=None if states is None else {_STORED[state] for state in states},
            module=named.module.name if named else module,
            row_key=make_key(named.key) if named else None,
            before=None if before is None else _number(before),
        )
        return [show_delivery(context.snapshot, item) for item in found]

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="The lambdas that run by the clock, with their last runs. For administrators."
    )
    async def lambda_schedules(self, info: Info) -> list[LambdaSchedule]:
        """List schedules."""
        administrators_only(info.context, "lambdaSchedules")
        return await _schedules(info.context)


@strawberry.type
class DeliveryMutation:
    """Mutations about what lambdas do after and beside writes."""

    @strawberry.mutation(
        description="Have a delivery that has failed, or was given up, tried again. For administrators."
    )  # type: ignore[untyped-decorator] # the same
    async def retry_delivery(self, info: Info, input: RetryDeliveryInput) -> RetryDeliveryPayload:  # noqa: A002 - its name in the API
        """Retry a delivery."""
        context, given = info.context, input.client_mutation_id
        administrators_only(context, "retryDelivery")
        writers_only(context.access, "retryDelivery")
        number = _number(input.id)
        async with context.database.transaction(deadline=context.deadline) as transaction:
            is_open = await reopen(transaction, number)
        found = await find_delivery(context.database, number)
        if found is None:
            return RetryDeliveryPayload(errors=tell(context, [_not_found("id")]), client_mutation_id=given)
        if not is_open:
            fault = Fault(FaultCode.CONFLICT, "delivery-not-failed", ("id",))
            return RetryDeliveryPayload(errors=tell(context, [fault]), client_mutation_id=given)
        _log.info(
            "a delivery is tried again", extra={"fields": {"delivery": found.delivery, "by": context.caller.login}}
        )
        context.afterwards.courier.wake()
        return RetryDeliveryPayload(delivery=show_delivery(context.snapshot, found), client_mutation_id=given)

    @strawberry.mutation(description="Run a lambda by the clock now, beside its times. For administrators.")  # type: ignore[untyped-decorator] # the same
    async def run_schedule(self, info: Info, input: RunScheduleInput) -> RunSchedulePayload:  # noqa: A002 - its name in the API
        """Run a schedule."""
        context, given = info.context, input.client_mutation_id
        administrators_only(context, "runSchedule")
        writers_only(context.access, "runSchedule")
        try:
            await _run_now(context, input.module, input.name)
        except Faulty as faulty:
            return RunSchedulePayload(errors=tell(context, faulty.faults), client_mutation_id=given)
        context.afterwards.courier.wake()
        name = (input.module, input.name)
        found = next((item for item in await _schedules(context) if (item.module, item.name) == name), None)
        return RunSchedulePayload(schedule=found, client_mutation_id=given)


def show_delivery(snapshot: Snapshot, found: Delivery) -> LambdaDelivery:
    """Make the API's view of a delivery."""
    return LambdaDelivery(
        id=strawberry.ID(str(found.id)),
        delivery=found.delivery,
        module=found.module,
        row=_row(snapshot, found),
        hook=found.hook,
        state=_SHOWN[found.state, found.is_running],
        attempts=found.attempts,
        code=found.code,
        message=found.message,
        log=list(found.log),
        caller=DeliveryCaller(kind=found.caller.kind, login=found.caller.login),
        depth=found.depth,
        created_at=found.created,
        due_at=found.due,
        ended_at=found.ended,
        took_ms=found.took_ms,
    )


def _row(snapshot: Snapshot, found: Delivery) -> strawberry.ID | None:
    module = snapshot.modules.get(found.module)
    if module is None or not found.row_key.startswith("["):
        return None
    return strawberry.ID(write_id(module, read_key(found.row_key)))


def _number(text: str) -> int:
    """Read an id; what is none belongs to no delivery."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004 - of 64 bits


def _not_found(*path: str) -> Fault:
    return Fault(FaultCode.NOT_FOUND, "not-found", path)


async def _schedules(context: PlatformContext) -> list[LambdaSchedule]:
    runs: dict[tuple[str, str], Run] = {(run.module, run.name): run for run in await list_runs(context.database)}
    zone = context.afterwards.schedules.zone.key
    found = []
    for name, module, item in schedules_of(context.snapshot):
        run = runs.get(name)
        last = run.delivery if run else None
        found.append(
            LambdaSchedule(
                module=module.name,
                name=item.name,
                cron=item.cron,
                time_zone=zone,
                runs_as=item.as_principal,
                next_at=run.next if run else None,
                last_at=run.last if run else None,
                last_run=None if last is None else show_delivery(context.snapshot, last),
            )
        )
    return found


async def _run_now(context: PlatformContext, module: str, name: str) -> None:
    """Note a run of a schedule. Raises `Faulty`."""
    known = {(found.name, item.name): (found, item) for _, found, item in schedules_of(context.snapshot)}
    if (module, name) not in known:
        raise Faulty(_not_found("name"))
    if not await _noted(context, *known[module, name]):  # its file has just been written
        await context.afterwards.schedules.follow(context.snapshot)
        if not await _noted(context, *known[module, name]):  # and by another server it is gone again
            raise Faulty(_not_found("name"))


async def _noted(context: PlatformContext, module: Module, schedule: Schedule) -> bool:
    """Note a run; False where nobody knows the schedule yet. Raises `Faulty` where a run is not over."""
    now = now_ms()
    at = datetime.fromtimestamp(now / 1_000, UTC)
    async with context.database.transaction(deadline=context.deadline) as transaction:
        planned = await find(transaction, (module.name, schedule.name))
        if planned is None:
            return False
        if not await begin_now(transaction, planned, now, lambda: entry_of(module, schedule, at)):
            raise Faulty(Fault(FaultCode.CONFLICT, "schedule-running", ("name",)))
    return True
