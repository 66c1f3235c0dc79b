"""Doing what lambdas ask for: all of it in one transaction as the caller, by the mutations of the API, or nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from graphql import DocumentNode, GraphQLError, parse

from lambdas.contract import Deed as Wanted
from resolvers.analysis import analyse
from resolvers.assignments import Given
from resolvers.conduct import Work
from resolvers.context import Context
from resolvers.deed_inputs import Asked, DeedReader
from resolvers.deed_nodes import ActionNode, DeedNode, HandNode
from resolvers.door import Door
from resolvers.errors import Forbidden, OperationError, cause_of, from_storage
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hand_deeds import HandDeeds
from resolvers.hearing import HEARINGS, Showing, Unheard
from resolvers.ids import write_id
from resolvers.images import Key
from resolvers.outcome import Outcome
from resolvers.selection import VariableErrors, select
from resolvers.writing import Writing
from storage.errors import BadParameter, ConstraintViolated, StatementFailed, StorageError
from storage.transaction import Transaction

_REFUSALS = (Faulty, ConstraintViolated, BadParameter, StatementFailed)


@dataclass(frozen=True, slots=True)
class Operation:
    """What became of one thing that a lambda asked for: the row's global id, or why it could not be done."""

    verb: str
    module: str | None
    id: str | None = None
    key: Key | None = None
    faults: Sequence[Fault] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all that a lambda asked for, in its order."""

    operations: Sequence[Operation] = ()

    @property
    def is_done(self) -> bool:
        """Whether it was done; if not, nothing of it was."""
        return not any(operation.faults for operation in self.operations)


@dataclass(frozen=True, slots=True)
class Task:
    """One operation, analysed and made ready."""

    wanted: Wanted
    node: DeedNode | HandNode
    creates: Mapping[str, Given] = field(default_factory=dict)


class Refused(Exception):
    """The operation of this number cannot be done; the transaction is rolled back."""

    def __init__(self, number: int, error: Exception) -> None:
        self.number = number
        self.error = error
        super().__init__(f"Operation {number} cannot be done.")


class NotDone(Exception):
    """Nothing of what a lambda asked for was done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__("What a lambda asked for cannot be done.")


class LambdaDeeds(HandDeeds):
    """Does what the lambdas of one request ask for."""

    def __init__(self, context: Context, writing: Writing, door: Door | None = None) -> None:
        super().__init__(context, writing, door or Door(context))

    async def do(
        self, wanted: Sequence[Wanted], last: Callable[[Transaction], Awaitable[None]] | None = None
    ) -> Report:
        """Do all of it. `last` is done in the same transaction, behind everything else, and may raise to roll all of it back."""

        async def deed(tasks: Sequence[Task], work: Work) -> Outcome:
            outcome = Outcome(told={"operations": await self.perform(tasks, work)})
            if last is not None:
                await last(work.transaction)
            return outcome

        try:
            outcome = await self.reported(wanted, "", str, deed)
        except NotDone as error:
            return error.report
        except StorageError as error:
            raise from_storage(error) from error
        return Report([Operation(**item) for item in outcome.told["operations"]])

    async def reported(
        self,
        wanted: Sequence[Wanted],
        name: str,
        fingerprint: Callable[[], str],
        deed: Callable[[Sequence[Task], Work], Awaitable[Outcome]],
    ) -> Outcome:
        """Make operations ready and have them carried out by `perform` in a deed of this name; see `Deeds.once`.

        Raises `NotDone` with what is wrong with them.
        """
        found = [await self._ready(item) for item in wanted]
        wrong = {number: item.faults for number, item in enumerate(found) if isinstance(item, Faulty)}
        if wrong:
            raise NotDone(_report(wanted, wrong))
        tasks = [item for item in found if isinstance(item, Task)]
        try:
            return await self.once(name, fingerprint, partial(deed, tasks), HEARINGS + len(tasks))
        except Refused as refused:
            faults = await self._why(tasks[refused.number], refused.error)
            raise NotDone(_report(wanted, {refused.number: faults})) from None

    async def perform(self, tasks: Sequence[Task], work: Work) -> list[dict[str, Any]]:
        """Do operations inside a transaction. Raises `Refused` at the first that cannot be done, and `Unheard`."""
        done: list[dict[str, Any]] = []
        unheard: list[Showing] = []
        for number, task in enumerate(tasks):
            try:
                outcome = await self._do(task, work)
            except Unheard as error:  # what comes behind may have hooks of its own, which are asked at once
                unheard += error.showings
            except _REFUSALS as error:
                if not unheard:
                    raise Refused(number, error) from error
                break
            else:
                done.append(_done(task, outcome))
        if unheard:
            raise Unheard(unheard)
        return done

    # --- inside ---

    async def _ready(self, wanted: Wanted) -> Task | Faulty:
        """Read an operation and do for it what needs no transaction."""
        try:
            node = self._analyse(DeedReader(self.context, self.writing).read(wanted))
            if isinstance(node, DeedNode):
                await self._prepare(node)
                return Task(wanted, node)
            return Task(wanted, node, await self._draft(self.hand(node), node))
        except Faulty as faulty:
            return faulty

    def _analyse(self, asked: Asked) -> DeedNode | HandNode:
        """Analyse a mutation as one that the caller sends, within his rights."""
        document = _document(asked.mutation, asked.input_type)
        context = replace(self.context, cost=0)
        with _told():
            selections = select(context.schema, document, None, {"input": asked.given})
            analysis = analyse(context, selections)
        node = analysis.deeds[asked.mutation]
        if isinstance(node, ActionNode):
            raise TypeError(f"{asked.mutation} is an action.")
        return node

    async def _do(self, task: Task, work: Work) -> Outcome:
        if isinstance(task.node, DeedNode):
            return await self.deed(task.node, work)
        return await self.by_hand(self.hand(task.node), task.node, task.creates, work)

    async def _why(self, task: Task, error: Exception) -> Sequence[Fault]:
        """Say why an operation cannot be done."""
        if isinstance(error, Faulty):
            return error.faults
        if isinstance(error, ConstraintViolated):
            node = task.node
            return await (
                self._diagnose(node, error) if isinstance(node, DeedNode) else self._diagnose_hand(node, error)
            )
        return [Fault(FaultCode.INVALID, "invalid-row")]


def _done(task: Task, outcome: Outcome) -> dict[str, Any]:
    module, key = task.node.module, outcome.key
    return {
        "verb": task.wanted.verb,
        "module": module.name,
        "id": None if key is None else write_id(module, key),
        "key": key,
    }


def _report(wanted: Sequence[Wanted], faults: Mapping[int, Sequence[Fault]]) -> Report:
    """Tell of operations of which none was done."""
    return Report(
        [
            Operation(item.verb, _module_name(item), faults=tuple(faults.get(number, ())))
            for number, item in enumerate(wanted)
        ]
    )


def _module_name(wanted: Wanted) -> str | None:
    name = wanted.args[0] if wanted.args and wanted.verb != "note" else None
    return name if isinstance(name, str) else None


@lru_cache(maxsize=500)
def _document(mutation: str, input_type: str) -> DocumentNode:
    return parse(f"mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ clientMutationId }} }}")


@contextmanager
def _told() -> Iterator[None]:
    """Tell what the API would refuse as a whole as the fault of one operation."""
    try:
        yield
    except VariableErrors as error:
        raise Faulty(*(_refused(FaultCode.INVALID, found.message) for found in error.errors)) from None
    except (GraphQLError, OperationError) as error:
        cause = cause_of(error) if isinstance(error, GraphQLError) else error
        if not isinstance(cause, OperationError):
            raise
        code = FaultCode.FORBIDDEN if isinstance(cause, Forbidden) else FaultCode.INVALID
        raise Faulty(_refused(code, str(cause))) from None


def _refused(code: FaultCode, text: str) -> Fault:
    return Fault(code, "deed-refused", None, {"text": text})
