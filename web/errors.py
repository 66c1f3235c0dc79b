"""What clients are told when something fails: few codes, sentences, a request id, and nothing from the inside."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

_log = logging.getLogger("lambdesk.errors")

NOTHING_HERE = "There is nothing at this address."
INTERNAL_MESSAGE = "Internal error. The operator finds it under the request id."
UNAVAILABLE_MESSAGE = "The database is not available. Try again."
TIMEOUT_MESSAGE = "The operation took too long and was stopped."
RETRY_AFTER_S = 1
MAX_MESSAGE = 1_000


class Code(StrEnum):
    """The codes of top-level errors. Codes that start with `LAMBDA_` come from the sandbox and pass as they are."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_REQUEST = "BAD_REQUEST"
    PARSE = "GRAPHQL_PARSE_FAILED"
    VALIDATION = "GRAPHQL_VALIDATION_FAILED"
    COMPLEXITY = "COMPLEXITY_LIMIT"
    RATE_LIMITED = "RATE_LIMITED"
    PERSISTED = "PERSISTED_QUERY_NOT_FOUND"
    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


# The HTTP status of an answer without data, for clients that accept application/graphql-response+json.
STATUS: Mapping[str, int] = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.BAD_REQUEST: 400,
    Code.PARSE: 400,
    Code.VALIDATION: 400,
    Code.COMPLEXITY: 400,
    Code.RATE_LIMITED: 429,
    Code.PERSISTED: 400,
    Code.TIMEOUT: 504,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}
# These say something about the server, so that plain application/json gets them as a status as well.
SERVER_CODES = frozenset({Code.UNAVAILABLE, Code.TIMEOUT, Code.INTERNAL, Code.RATE_LIMITED})


@dataclass
class Refused(Exception):
    """A request is answered without running anything. `status` is an HTTP status for every kind of client."""

    status: int
    message: str
    code: str = Code.BAD_REQUEST
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


def unavailable(message: str = UNAVAILABLE_MESSAGE) -> Refused:
    """Make the refusal of a request that may be repeated in a moment."""
    return Refused(503, message, Code.UNAVAILABLE, {"Retry-After": str(RETRY_AFTER_S)})


def format_message(message: str, code: str, request_id: str) -> dict[str, Any]:
    """Make an error that belongs to no place of the document."""
    return {"message": message, "extensions": {"code": code, "requestId": request_id}}


def format_error(error: GraphQLError, request_id: str, code: str | None = None) -> dict[str, Any]:
    """Make what a client is told about an error; `code` is for errors found before execution.

    What nobody meant for clients is logged with its stack under the request id and told as an internal error.
    """
    found = code or code_of(error)
    message = _message(error, found)
    if found == Code.INTERNAL and not _is_masked(error):
        log_failure("an operation failed inside", _cause_of(error), request_id, error.path)
    told: dict[str, Any] = {"message": message}
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        told["path"] = list(error.path)
    extra = error.extensions if found != Code.INTERNAL and isinstance(error.extensions, Mapping) else {}
    told["extensions"] = {**extra, "code": str(found), "requestId": request_id}
    return told


def _is_masked(error: GraphQLError) -> bool:
    """Answer whether the resolvers made this error: then it is logged already, and its message is meant for clients."""
    told = error.extensions or {}
    return "requestId" in told and told.get("code") == Code.INTERNAL


def format_exception(error: Exception, request_id: str) -> dict[str, Any]:
    """Make what a client is told about an exception that no field caught."""
    return format_error(GraphQLError("", original_error=error), request_id, _code_of_cause(error))


def code_of(error: GraphQLError) -> str:
    """Return the code of an error: its own when it has a known one, else what its cause stands for."""
    own = (error.extensions or {}).get("code")
    if isinstance(own, str) and (own in STATUS or own.startswith("LAMBDA_")):
        return own
    cause = _cause_of(error)
    if not isinstance(cause, GraphQLError) and error.path:
        return _code_of_cause(cause)
    # graphql-core's own words: about variables before the first field, about arguments inside.
    if not error.path or error.message.startswith("Argument "):
        return Code.BAD_REQUEST
    return Code.INTERNAL


def _cause_of(error: GraphQLError) -> BaseException:
    """Return the exception that stands behind an error; the innermost of graphql-core's own where nothing else does."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def status_of(errors: Sequence[Mapping[str, Any]]) -> int:
    """Return the HTTP status of an answer that has only errors."""
    code = errors[0]["extensions"]["code"] if errors else Code.INTERNAL
    return STATUS.get(code, 500 if code.startswith("LAMBDA_") else 400)


def _code_of_cause(cause: BaseException) -> str:
    own = getattr(cause, "code", None)
    if isinstance(own, str) and (own in STATUS or own.startswith("LAMBDA_")):
        return own
    if isinstance(cause, TimeoutError):  # before OSError's other children: TimeoutError is one as well
        return Code.TIMEOUT
    if isinstance(cause, ConnectionError):
        return Code.UNAVAILABLE
    return Code.INTERNAL


def _message(error: GraphQLError, code: str) -> str:
    if code == Code.INTERNAL:
        return error.message if _is_masked(error) else INTERNAL_MESSAGE
    cause = error.original_error
    if isinstance(cause, TimeoutError) and code == Code.TIMEOUT:
        return TIMEOUT_MESSAGE
    if isinstance(cause, ConnectionError) and code == Code.UNAVAILABLE:
        return UNAVAILABLE_MESSAGE
    return (error.message or str(cause))[:MAX_MESSAGE]  # some of graphql-core's quote a whole value


def log_failure(message: str, error: BaseException, request_id: str, path: list[str | int] | None = None) -> None:
    """Log what failed, with its stack but without the exception's text, which may hold values of rows."""
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    fields = {"request_id": request_id, "exception": type(error).__qualname__, "path": path, "stack": stack}
    _log.error(message, extra={"fields": fields})
