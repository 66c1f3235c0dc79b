"""Answers as bytes: the two media types of GraphQL over HTTP, and which status goes with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from web.errors import SERVER_CODES, Refused, format_message, status_of

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"


# Headers of every answer, as the server sends them; those of one operation come after them.
_KEPT = [(b"cache-control", b"no-store"), (b"vary", b"Accept")]
_TYPES = {media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in (GRAPHQL, JSON, EVENTS)}
# What clients mostly accept, and what they get for it.
_ACCEPTED = {media: media for media in (GRAPHQL, JSON, EVENTS)} | {"*/*": JSON}


class Written(Response):
    """An answer whose headers are in the server's own form already."""

    def __init__(self, body: bytes, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = headers


def encode(value: Any) -> bytes:
    """Encode JSON; a number beyond 64 bits becomes a text."""
    return orjson.dumps(value, default=str)


def refusal(refused: Refused, request_id: str, media: str = JSON) -> Response:
    """Answer a request that was refused before anything ran."""
    body = {"errors": [format_message(refused.message, refused.code, request_id)]}
    headers = {"Cache-Control": "no-store", **refused.headers}
    return Response(encode(body), refused.status, headers, f"{media}; charset=utf-8")


def answer_errors(errors: Sequence[Mapping[str, Any]], media: str) -> Response:
    """Answer an operation that could not start: 200 for plain JSON, as GraphQL clients of old expect, else what it means."""
    status = status_of(errors)
    code = errors[0]["extensions"]["code"]
    if media == JSON and code not in SERVER_CODES:
        status = 200
    headers = {"Retry-After": "1"} if status in {429, 503} else {}
    return answer(encode({"errors": errors}), media, status, headers)


def answer(body: bytes, media: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a body that is JSON already."""
    own = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return Written(body, status, [*_KEPT, *own, (b"content-length", b"%d" % len(body)), _TYPES[media]])


def choose_media(accept: str | None) -> str:
    """Choose the media type for an Accept header. Raises `Refused` when the client takes neither."""
    if not accept:
        return JSON
    if accept in _ACCEPTED:
        return _ACCEPTED[accept]
    best, best_quality = None, 0.0
    for position, part in enumerate(accept.split(",")[:50]):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        media = {"*/*": JSON, "application/*": JSON}.get(name, name)
        quality = _quality(parameters) - position / 1_000_000
        if media in {GRAPHQL, JSON, EVENTS} and quality > best_quality:
            best, best_quality = media, quality
    if best is None:
        raise Refused(406, f"The answer is {GRAPHQL}, {JSON} or {EVENTS}; accept one of them.")
    return best


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
