"""Running one operation, wherever it came from: HTTP, an event stream, a WebSocket, a page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from graphql import ExecutionResult
from graphql.language import OperationType

from identity.access import access_of
from identity.principals import audience_of
from resolvers.document import DocumentRefused
from resolvers.execute import LAST_WORD_S
from schema.snapshot import Snapshot
from storage.patience import Within
from storage.quick import quick
from web.answers import encode
from web.body import PARAMETERS, check_shape
from web.edge import Note
from web.errors import Code, Refused, format_error, format_exception, format_message
from web.live import Call, Live
from web.recognition import Caller
from web.settings import Settings

WRONG = "The parameter `{}` must be {}."
NO_EXPLANATION = "How an answer was found is told to administrators only: members of the group admin with the key rw."
TIMEOUT = "The operation took longer than {:g} seconds and was stopped."


@quick
class Asked:
    """The parameters of a GraphQL request, with the types that the protocol gives them."""

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    idempotency_key: str | None = None
    explains: bool = False
    is_own: bool = False  # of a page of ours: no list of allowed operations has it


@quick
class Outcome:
    """The answer to an operation as JSON. `errors` is set when it did not start: then there is no data at all."""

    body: bytes
    errors: list[dict[str, Any]] | None = None


class NotStarted(Exception):
    """An operation cannot start; `errors` are ready to be sent."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        super().__init__(errors[0]["message"])


def read_asked(
    data: Mapping[str, Any],
    settings: Settings,
    *,
    languages: tuple[str, ...] = (),
    idempotency_key: str | None = None,
    explains: bool = False,
) -> Asked:
    """Check the parameters of a request, and put what its headers say beside them. Raises `Refused`."""
    for name in data:
        if name not in PARAMETERS:
            raise Refused(400, f"The parameter {name[:50]!r} is unknown; there are {', '.join(PARAMETERS)}.")
    query, operation_name = data.get("query"), data.get("operationName")
    variables, extensions = data.get("variables"), data.get("extensions")
    if query is not None and not isinstance(query, str):
        raise Refused(400, WRONG.format("query", "a text"))
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refused(400, WRONG.format("operationName", "a text"))
    for name, value in (("variables", variables), ("extensions", extensions)):
        if value is None:
            continue
        if not isinstance(value, dict):
            raise Refused(400, WRONG.format(name, "an object"))
        check_shape(name, value, max_depth=settings.variable_depth, max_items=settings.variable_items)
    return Asked(query, operation_name or None, variables or {}, extensions or {}, languages, idempotency_key, explains)


def prepare(
    live: Live,
    asked: Asked,
    note: Note,
    caller: Caller,
    *,
    snapshot: Snapshot | None = None,
    cookies: list[str] | None = None,
) -> Call:
    """Turn a request into a call of the current snapshot. Raises `Refused` or `NotStarted`."""
    snapshot = snapshot or live.snapshot()
    audience = audience_of(caller.principal)
    text = asked.query if asked.is_own and asked.query else live.persisted.text(asked.query, asked.extensions)
    try:
        document = live.documents.prepare(text, snapshot.schema_for(audience), f"{snapshot.version}:{audience}")
        operation = document.operation(asked.operation_name)
    except DocumentRefused as refused:
        note.code = refused.code
        raise NotStarted([format_error(error, note.request_id, refused.code) for error in refused.errors]) from None
    note.operation = operation.name.value[:100] if operation.name else operation.operation.value
    if live.favourites is not None and operation.operation is OperationType.QUERY:
        live.favourites.note(document, asked.operation_name, asked.variables, caller.rights)
    if asked.explains and not access_of(caller.rights).is_administrator:
        raise Refused(403, NO_EXPLANATION, Code.FORBIDDEN)
    return Call(
        snapshot=snapshot,
        document=document.node,
        operation=operation,
        variables=asked.variables,
        caller=caller,
        request_id=note.request_id,
        deadline=time.monotonic() + live.settings.request_seconds,
        languages=asked.languages,
        idempotency_key=asked.idempotency_key,
        cookies=cookies,
        explains=asked.explains,
    )


async def run(live: Live, call: Call, note: Note) -> Outcome:
    """Run a query or mutation and return the answer. Raises `Refused` when no place is free."""
    async with live.admission:
        try:
            async with Within(live.settings.request_seconds + LAST_WORD_S):
                body = await live.introspect(call) if call.operation.operation is OperationType.QUERY else None
                if body is not None:
                    return Outcome(body)
                result = await live.execute(call)
        except TimeoutError:
            message = TIMEOUT.format(live.settings.request_seconds)
            return _failed([format_message(message, Code.TIMEOUT, call.request_id)], note)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a code and the operator the stack
            return _failed([format_exception(error, call.request_id)], note)
    return shape(result, note)


def shape(result: ExecutionResult, note: Note) -> Outcome:
    """Make the answer of an execution's result."""
    errors = [format_error(error, note.request_id) for error in result.errors or ()]
    if errors:
        note.code = errors[0]["extensions"]["code"]
    # Without a path nothing of the operation ran: variables did not fit, or a right was missing.
    if result.data is None and errors and all("path" not in error for error in errors):
        return Outcome(encode({"errors": errors}), errors)
    answer: dict[str, Any] = {"data": result.data}
    if errors:
        answer["errors"] = errors
    if result.extensions:
        answer["extensions"] = result.extensions
    return Outcome(encode(answer))


def _failed(errors: list[dict[str, Any]], note: Note) -> Outcome:
    note.code = errors[0]["extensions"]["code"]
    return Outcome(encode({"errors": errors}), errors)
