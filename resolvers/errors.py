"""Everything that reading an operation raises, and how an error is made fit for the client.

OperationError                        `code` is stable and part of the API
├── BadRequest           BAD_REQUEST
├── Forbidden            FORBIDDEN
├── TooComplex           COMPLEXITY_LIMIT
├── DeadlinePassed       TIMEOUT (TimeoutError)
├── DatabaseAway         UNAVAILABLE (ConnectionError)
│   ├── WritesRefused    the disk is full, or the database is read-only
│   ├── OutcomeOpen      nobody knows whether it was written
│   └── OthersWriting    the transaction was never let through
└── LambdaFailed         one of `lambdas.errors.FailureCode`
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLError

from lambdas.contract import Failure
from lambdas.errors import FailureCode
from storage.errors import (
    BadParameter,
    OutcomeUnknown,
    PoolExhausted,
    StatementTimeout,
    TooSlow,
    TransactionConflict,
    Unavailable,
    WriteFailed,
)

RETRY_AFTER_S = 1.0
MASKED = "Internal error"
# How graphql-core begins what it says of a client's argument, as opposed to what a resolver returned.
ARGUMENT = "Argument '"

log = logging.getLogger("lambdesk.resolvers")


class OperationError(Exception):
    """The base of the tree above. Its message is meant for the client: no SQL, no path of a file, no stored value."""

    code = "INTERNAL"

    @property
    def extensions(self) -> dict[str, Any]:
        """What stands beside the message in the answer."""
        return {"code": self.code}


class BadRequest(OperationError):
    """The operation asks for something that cannot be asked."""

    code = "BAD_REQUEST"


class Forbidden(OperationError):
    """The caller has no right to a field, filter or operation; refused before any statement runs."""

    code = "FORBIDDEN"


class TooComplex(OperationError):
    """The estimated cost is above the ceiling."""

    code = "COMPLEXITY_LIMIT"


class DeadlinePassed(OperationError, TimeoutError):
    """The request took longer than it may; its statements were stopped."""

    code = "TIMEOUT"

    def __init__(self) -> None:
        super().__init__("The request took too long and was stopped. Ask for less, or filter on indexed fields.")


class DatabaseAway(OperationError, ConnectionError):
    """The database cannot be reached at the moment."""

    code = "UNAVAILABLE"
    text = "The database is not available at the moment. Try again shortly."

    def __init__(self, retry_after: float = RETRY_AFTER_S) -> None:
        self.retry_after = retry_after
        super().__init__(self.text)

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, and after how many seconds trying again makes sense."""
        return {"code": self.code, "retryAfter": self.retry_after}


class LambdaFailed(OperationError):
    """A computed field's lambda has no value for a row. Its own words, and where it failed, only some may read."""

    def __init__(self, name: str, failure: Failure, *, is_told: bool) -> None:
        self.code = failure.code
        self.name = name
        place = {"line": failure.line, "column": failure.column}
        self.place = {what: number for what, number in place.items() if is_told and number is not None}
        said = _LAMBDA_SAYS[failure.code].format(name=name)
        super().__init__(f"{said} {failure.message}" if is_told else said)

    @property
    def extensions(self) -> dict[str, Any]:
        """The code and the lambda's name, and for who may change it the place in its file."""
        return {"code": str(self.code), "lambda": self.name, **self.place}


_LAMBDA_SAYS: Mapping[FailureCode, str] = {
    FailureCode.FAILED: "The lambda of {name} failed.",
    FailureCode.TIMEOUT: "The lambda of {name} took too long and was stopped.",
    FailureCode.MEMORY: "The lambda of {name} took too much memory and was stopped.",
    FailureCode.OUTPUT: "The lambda of {name} returned more than it may.",
    FailureCode.INPUT: "The lambda of {name} would be given more than it may.",
    FailureCode.LIMIT: "The lambda of {name} asked for more than it may.",
    FailureCode.BUSY: "Too many lambdas are waiting; that of {name} was not run. Try again shortly.",
    FailureCode.BROKEN: "The lambda of {name} was stopped too often and rests for now.",
    FailureCode.CRASHED: "The lambda of {name} was lost while it ran.",
    FailureCode.UNAVAILABLE: "The lambda of {name} cannot be run here.",
}


class WritesRefused(DatabaseAway):
    """The database can be read and takes no changes: its disk is full, or it is read-only."""

    text = "The database takes no changes at the moment; nothing was written."


class OutcomeOpen(DatabaseAway):
    """The database went away while it was told to commit."""

    text = (
        "The database went away at the last moment: what was asked for may be done or not. "
        "With an Idempotency-Key, sending it again tells."
    )


class OthersWriting(DatabaseAway):
    """Other transactions were in the way of this one each time that it was tried."""

    text = "Others were writing the same rows all the time; nothing was written. Try again shortly."


class FellBehind(DatabaseAway):
    """A subscriber took its changes more slowly than they came."""

    text = "The subscription fell too far behind and has ended. Begin it anew; `changes(since:)` tells what was missed."


def from_storage(error: Exception) -> Exception:
    """Turn what the storage room raises into what the client may read; anything else stays and is masked later."""
    if isinstance(error, PoolExhausted):
        return DatabaseAway(error.retry_after)
    if isinstance(error, WriteFailed):
        log.error("the database cannot write: %s", error.reason)
        return WritesRefused()
    if isinstance(error, TransactionConflict):
        return OthersWriting()
    if isinstance(error, OutcomeUnknown):
        return OutcomeOpen()
    if isinstance(error, TooSlow):
        return FellBehind()
    if isinstance(error, Unavailable):
        return DatabaseAway()
    if isinstance(error, StatementTimeout):
        return DeadlinePassed()
    if isinstance(error, BadParameter):
        return BadRequest(str(error))
    return error


def is_fatal(error: BaseException) -> bool:
    """Answer whether the error concerns the whole operation, not one of its fields."""
    return isinstance(error, DatabaseAway | DeadlinePassed)


def present(errors: Iterable[GraphQLError], request_id: str) -> list[GraphQLError]:
    """Return the errors as the client may see them: with code and request id; what is not meant for clients is masked."""
    logged: set[str] = set()  # one failure may stand behind the same field of many rows
    return [_present(error, request_id, logged) for error in errors]


def _present(error: GraphQLError, request_id: str, logged: set[str]) -> GraphQLError:
    cause = from_storage(cause_of(error))  # fields written by hand use the database without the door
    message, extensions = _told(error, cause)
    if extensions["code"] == OperationError.code:
        _log_internal(error, cause, request_id, logged)
    return _rebuild(error, message, {**extensions, "requestId": request_id})


def _told(error: GraphQLError, cause: Exception) -> tuple[str, dict[str, Any]]:
    """Say what the client may read of an error, and its extensions, the code among them."""
    if isinstance(cause, OperationError):
        return str(cause), cause.extensions
    if isinstance(cause, GraphQLError):  # graphql-core's own words
        if error.message.startswith(ARGUMENT):
            return error.message, {"code": BadRequest.code}
        return cause.message, {"code": OperationError.code, **(cause.extensions or {})}
    return MASKED, {"code": OperationError.code}


def mask(error: Exception, request_id: str) -> GraphQLError:
    """Make the client's error of an exception that has no place in the answer."""
    return present([GraphQLError(MASKED, cause=error)], request_id)[0]


def cause_of(error: GraphQLError) -> Exception:
    """Return the exception that stands behind an error of the answer; the error itself where nothing does."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _rebuild(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _log_internal(error: GraphQLError, cause: Exception, request_id: str, logged: set[str]) -> None:
    """Say what and where; the message of a foreign exception may hold values, so it stays out of the log."""
    frames = traceback.extract_tb(cause.__traceback__)
    field = ".".join(part for part in error.path or () if isinstance(part, str))
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    what = f"{type(cause).__name__} at {place}{f' in {field}' if field else ''}"
    if what not in logged:
        logged.add(what)
        log.error("request %s: %s", request_id, what, extra={"request_id": request_id})
