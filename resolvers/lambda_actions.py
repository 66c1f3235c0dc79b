"""Carrying out actions of module files: the lambda runs over the row, then what it asks for is done in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from identity.access import Right
from lambdas.answering import by_verb
from lambdas.contract import Answerer, Batch, Failure, Power, Rejection, Script
from lambdas.contract import Outcome as Said
from resolvers.conduct import Work
from resolvers.deed_nodes import ActionNode, AnyDeed
from resolvers.deeds import Conflict
from resolvers.errors import from_storage
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.images import Fetch, Image, read_images
from resolvers.lambda_deeds import LambdaDeeds, NotDone, Operation, Report, Task
from resolvers.lambda_items import items_for
from resolvers.lambda_outside import Asked
from resolvers.lambda_questions import answerers, job_of
from resolvers.lambda_rows import input_value
from resolvers.lambda_values import named_fields
from resolvers.messages import text_of
from resolvers.outcome import Outcome, RowOutcome
from resolvers.payload import Payload, read_rows
from schema.names import camel
from storage.errors import StorageError

_ASKING: Mapping[str, Power] = {"gql": Power.GQL, "query": Power.SQL, "http": Power.HTTP, "secret": Power.SECRET}

log = logging.getLogger("lambdesk.lambdas")


class ActionDeeds(LambdaDeeds):
    """Carries out the mutations of one request, actions among them, one after the other."""

    async def carry_out(self, node: AnyDeed) -> Payload:
        """Carry one mutation out."""
        return await (self.run_action(node) if isinstance(node, ActionNode) else super().carry_out(node))

    async def run_action(self, node: ActionNode) -> Payload:
        """Carry an action out and read what its payload shows."""
        try:
            outcome = await self.recall(node) or await self._act(node)
        except Conflict as conflict:
            outcome = Outcome(faults=conflict.faults, current=conflict.key)
        except Faulty as faulty:
            outcome = Outcome(faults=faulty.faults)
        except StorageError as error:
            raise from_storage(error) from error
        rows = await read_rows(self.door, node.payload, outcome)
        return Payload(node, outcome, rows, self.context.languages)

    # --- inside ---

    async def _act(self, node: ActionNode) -> Outcome:
        """Run the lambda, outside of any transaction, then do what it asks for. Raises `Faulty`."""
        image = await self._look(node, self._fetch, lock=False)
        outside = self.writing.outside
        asked = None if outside is None else outside.asked_by(node.module.name, self.context.deadline)
        said = await self._run(node, image, asked)
        shown = {"log": list(said.log) if self.context.access.is_administrator else []}
        if said.failure is not None:
            return Outcome(faults=[self._failed(node, said.failure)], told=shown)
        if said.rejections:
            return Outcome(faults=[_rejected(node, item) for item in said.rejections], told=shown)
        told = {**shown, "result": said.value}
        if not said.deeds and node.if_version is None and self.writing.idempotency_key is None:
            return Outcome([RowOutcome(image.key)], told=told)
        try:
            deed = partial(self._finish, node, image, told)
            return await self.reported(said.deeds, node.path[0], node.fingerprint, deed)
        except NotDone as error:
            report = error.report if asked is None else _masked(error.report, asked)
            operations = [
                {"verb": item.verb, "module": item.module, "faults": item.faults} for item in report.operations
            ]
            return Outcome(faults=[self._undone(report)], told={**shown, "operations": operations})

    async def _finish(
        self, node: ActionNode, image: Image, told: Mapping[str, Any], tasks: Sequence[Task], work: Work
    ) -> Outcome:
        """Do it inside the transaction, if the row is still the one that the client means."""
        if node.if_version is not None:
            await self._look(node, work.transaction.execute, lock=True)
        operations = await self.perform(tasks, work)
        return Outcome([RowOutcome(image.key)], affected=len(operations), told={**told, "operations": operations})

    async def _look(self, node: ActionNode, fetch: Fetch, *, lock: bool) -> Image:
        """Read the row as one that the caller may change. Raises `Faulty`, as `Conflict` where it is another version."""
        statements = self.door.statements
        found = await read_images(
            statements, node.module, [node.where], node.version, fetch, right=Right.UPDATE, lock=lock
        )
        if not found:
            raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("key",)))
        if not found[0].allowed:
            raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden", ("key",)))
        if node.if_version is not None and node.if_version != found[0].version:
            raise Conflict(found[0])
        return found[0]

    async def _run(self, node: ActionNode, image: Image, asked: Asked | None) -> Said:
        """Run the lambda over the row as the caller may read it. What is shown of it holds no secret that it was given."""
        module, access = node.module, self.context.access
        items = items_for(module, partial(access.sees, module))
        known = {**answerers(self.context), **(asked.answerers() if asked else {})}
        args = {name: input_value(value) for name, value in node.args.items()}
        args |= {camel(name): value for name, value in args.items()}
        batch = Batch(_script(node, known), [items.row(image.key, image.fields)], args, items.shape)
        job = job_of(self.context, module.name, [batch], self.context.lambda_limits.of_deeds(module))
        result = await self.context.lambdas.run(job, by_verb(known) if known else None)
        ((said,),) = (asked.mask(result) if asked else result).outcomes
        return said

    def _failed(self, node: ActionNode, failure: Failure) -> Fault:
        """Tell that the lambda failed; what went wrong, and where, is for those who may change it."""
        name = f"{node.module.name}.{node.action.name}"
        request = self.context.request_id
        log.warning("request %s: lambda %s failed: %s, line %s", request, name, failure.code, failure.line)
        params: dict[str, Any] = {"action": node.action.label, "lambda": name, "reason": failure.code.value}
        if self.context.access.is_administrator:
            params |= {"detail": failure.message, "line": failure.line}
        return Fault(FaultCode.LAMBDA_FAILED, "action-failed", None, params)

    def _undone(self, report: Report) -> Fault:
        """Tell of the operation that could not be done; what is wrong with all of them stands beside them."""
        number, operation = next((number, item) for number, item in enumerate(report.operations, 1) if item.faults)
        first = operation.faults[0]
        what = f"{operation.verb} {operation.module or ''}".strip()
        text = text_of(first.key, first.params, self.context.languages)
        return Fault(first.code, "action-undone", None, {"number": number, "what": what, "text": text})


def _script(node: ActionNode, known: Mapping[str, Answerer]) -> Script:
    powers = {Power.WRITE, Power.REJECT, *(_ASKING[verb] for verb in known if verb in _ASKING)}
    code = node.action.code
    return Script(f"{node.module.name}.{node.action.name}", code.source, code.place.line, frozenset(powers))


def _masked(report: Report, asked: Asked) -> Report:
    """Take secrets out of what is said of operations: it may quote what the lambda gave."""

    def mask(value: Any) -> Any:
        return asked.mask_text(value) if isinstance(value, str) else value

    def mask_fault(fault: Fault) -> Fault:
        path = None if fault.path is None else tuple(map(asked.mask_text, fault.path))
        return replace(fault, path=path, params={name: mask(value) for name, value in fault.params.items()})

    return Report(
        [
            Operation(mask(item.verb), mask(item.module), faults=[mask_fault(fault) for fault in item.faults])
            for item in report.operations
        ]
    )


def _rejected(node: ActionNode, rejection: Rejection) -> Fault:
    """Tell a rejection at the argument that it names, or at the field of the row."""
    name = rejection.field or ""
    argument = next((item for item in node.action.args if name in (item.name, item.api_name)), None)
    item = argument or named_fields(node.module).get(name)
    path = None if item is None else (item.api_name,)
    return Fault(FaultCode.LAMBDA_REJECTED, "lambda-rejected", path, {"text": rejection.message})
