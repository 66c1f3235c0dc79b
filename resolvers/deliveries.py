"""Working off the outbox: each entry's lambda runs as whoever wrote the row, and what it asks for is done with the entry.

What a lambda asks for, and that its entry is done, are one transaction: it takes effect once or not at all. A lambda that
fails is not run again by itself; one that could not be run, or whose effect could not be written, is.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from identity.principals import Principal
from identity.rights import Rights
from lambdas.answering import by_verb
from lambdas.contract import Failure, Outcome
from lambdas.errors import FailureCode
from resolvers.context import Context
from resolvers.errands import Errand, find_errand
from resolvers.errors import DatabaseAway, DeadlinePassed, OperationError, from_storage
from resolvers.lambda_deeds import LambdaDeeds, Report
from resolvers.lambda_outside import Asked, Outside
from resolvers.lambda_questions import answerers, job_of
from resolvers.messages import text_of
from resolvers.writing import Writing
from schema.snapshot import Snapshot
from storage.engine import Database
from storage.errors import StorageError
from storage.outbox import Claimed, ClaimLost, Ending, State, Trouble, postpone, settle
from storage.transaction import Transaction

ATTEMPTS = 16  # with the pauses between them about five hours
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 3_600.0
DELIVERY_S = 30.0  # for one attempt
LONGEST_DELIVERY_S = 40.0  # also where something waits that should not
LEASE_S = 60.0  # how long an entry is somebody's, well above that

_AGAIN = frozenset({FailureCode.BUSY, FailureCode.BROKEN, FailureCode.UNAVAILABLE})
_GONE = Trouble("HOOK_GONE", "The module or the lambda is not there any more.")
_LOST = Trouble("LOST", "Each time that it was run the server ended before it was done.")
_LATE = Trouble("TIMEOUT", f"It was not done within {LONGEST_DELIVERY_S:g} seconds.")
_INTERNAL = Trouble("INTERNAL", "Internal error. The operator finds it in the log by the id of the delivery.")

log = logging.getLogger("lambdesk.deliveries")


class Undone(Exception):
    """An entry took no effect. `again`: not by its own fault, so that it is tried again."""

    def __init__(self, trouble: Trouble, lines: Sequence[str] = (), *, again: bool = False) -> None:
        self.trouble = trouble
        self.lines = lines
        self.again = again
        super().__init__(trouble.message)


@dataclass(frozen=True, slots=True)
class Post:
    """What deliveries are made with.

    `find` returns a principal by kind, id and login; `begin` begins a request of whoever has these rights, under an id.
    """

    database: Database
    find: Callable[[str, int, str], Awaitable[Principal | None]]
    rights: Callable[[Principal], Awaitable[Rights]]
    begin: Callable[[Snapshot, Rights, str], Context]
    writing: Writing
    outside: Outside


@dataclass(frozen=True, slots=True)
class Attempt:
    """An entry that is being worked off, by what serves now."""

    entry: Claimed
    snapshot: Snapshot
    began: float = field(default_factory=time.monotonic)

    def ending(self, state: State, trouble: Trouble | None = None, lines: Sequence[str] = ()) -> Ending:
        """Say how it ends."""
        return Ending(state, trouble, lines, round((time.monotonic() - self.began) * 1_000))

    @property
    def deadline(self) -> float:
        """Until when it may take."""
        return self.began + DELIVERY_S


async def deliver(post: Post, attempt: Attempt) -> None:
    """Work an entry off and say what became of it. Raises nothing but a cancellation."""
    entry = attempt.entry
    try:
        await _settled(post, attempt)
    except ClaimLost:
        log.warning("delivery %s was somebody else's by the time that it was done", entry.delivery)
    except StorageError as error:  # whoever takes the entry when its time is over tries again
        log.warning("what became of delivery %s cannot be noted: %s", entry.delivery, error)


async def _settled(post: Post, attempt: Attempt) -> None:
    entry = attempt.entry
    if entry.attempts > ATTEMPTS:
        await _end(post, entry, attempt.ending(State.DEAD, _LOST))
        return
    try:
        async with asyncio.timeout(LONGEST_DELIVERY_S):
            await _run(post, attempt)
    except Undone as undone:
        if undone.again and entry.attempts < ATTEMPTS:
            pause_s = min(FIRST_PAUSE_S * 2 ** (entry.attempts - 1), LONGEST_PAUSE_S)
            await postpone(post.database, entry, pause_s, attempt.ending(State.OPEN, undone.trouble))
        else:
            state = State.DEAD if undone.again else State.FAILED
            await _end(post, entry, attempt.ending(state, undone.trouble, undone.lines))
    except TimeoutError:
        await _end(post, entry, attempt.ending(State.FAILED, _LATE))
    except (ClaimLost, StorageError):
        raise
    except Exception as error:  # noqa: BLE001 - it is told, without its text, which may hold values of rows
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log.error("delivery %s failed inside: %s at %s:%s", entry.delivery, type(error).__name__, *frame[:2])  # noqa: TRY400 - as above
        await _end(post, entry, attempt.ending(State.FAILED, _INTERNAL))


async def _run(post: Post, attempt: Attempt) -> None:
    """Run the lambda of an entry and do what it asks for. Raises `Undone`."""
    entry = attempt.entry
    context = await _begin(post, attempt)
    errand = find_errand(attempt.snapshot, entry, context.asks)
    if errand is None:
        raise Undone(_GONE)
    context.languages = errand.languages
    asked = post.outside.asked_by(entry.module, attempt.deadline)
    outcome = await _ask(context, entry, errand, asked)
    if outcome.failure is not None:
        trouble = Trouble(outcome.failure.code, _told(outcome.failure))
        raise Undone(trouble, outcome.log, again=outcome.failure.code in _AGAIN)

    async def last(transaction: Transaction) -> None:
        await settle(transaction, entry, attempt.ending(State.DONE, None, outcome.log))

    if not outcome.deeds:
        async with post.database.transaction() as transaction:
            await last(transaction)
        return
    report = await _do(context, post.writing, outcome, last)
    if not report.is_done:
        trouble = _trouble(report)
        raise Undone(replace(trouble, message=asked.mask_text(trouble.message)), outcome.log)


async def _begin(post: Post, attempt: Attempt) -> Context:
    """Begin a request of whoever wrote the row, with the rights that they have now."""
    caller = attempt.entry.caller
    try:
        principal = await post.find(caller.kind, caller.id, caller.login)
        rights = None if principal is None else await post.rights(principal)
    except StorageError as error:
        ours = from_storage(error)
        raise Undone(Trouble(getattr(ours, "code", DatabaseAway.code), str(ours)), again=True) from error
    if rights is None:
        told = f"The {caller.kind} {caller.login!r} may not sign in, so nothing is done in that name."
        raise Undone(Trouble("CALLER_GONE", told))
    context = post.begin(attempt.snapshot, rights, attempt.entry.delivery)
    context.deadline = attempt.deadline
    context.hook_depth = attempt.entry.depth + 1
    return context


async def _ask(context: Context, entry: Claimed, errand: Errand, asked: Asked) -> Outcome:
    job = job_of(context, errand.module.name, [errand.batch], context.lambda_limits.of_deeds(errand.module))
    job = replace(job, me={**job.me, "delivery": entry.delivery})
    answer = by_verb({**answerers(context), **asked.answerers()})
    return asked.mask(await context.lambdas.run(job, answer)).outcomes[0][0]


async def _do(
    context: Context, writing: Writing, outcome: Outcome, last: Callable[[Transaction], Awaitable[None]]
) -> Report:
    try:
        return await LambdaDeeds(context, writing).do(outcome.deeds, last)
    except OperationError as error:
        again = isinstance(error, DatabaseAway | DeadlinePassed)
        raise Undone(Trouble(error.code, str(error)), outcome.log, again=again) from error


async def _end(post: Post, entry: Claimed, ending: Ending) -> None:
    async with post.database.transaction() as transaction:
        await settle(transaction, entry, ending)
    code = ending.trouble.code if ending.trouble else None
    fields = {"delivery": entry.delivery, "module": entry.module, "hook": entry.hook, "code": code}
    log.warning("a delivery has failed", extra={"fields": fields})


def _trouble(report: Report) -> Trouble:
    """Tell why what a lambda asked for could not be done: the operation that was refused, and all that is wrong with it."""
    number, operation = next((number, item) for number, item in enumerate(report.operations, 1) if item.faults)
    what = f"{operation.verb} {operation.module or ''}".strip()
    told = [
        ": ".join(filter(None, (".".join(fault.path or ()), text_of(fault.key, fault.params))))
        for fault in operation.faults
    ]
    return Trouble(operation.faults[0].code.value, f"Operation {number} ({what}): {' '.join(told)}")


def _told(failure: Failure) -> str:
    return failure.message if failure.line is None else f"{failure.message} (line {failure.line})"
