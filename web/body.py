"""Reading a request body that may be too large, too slow or not what it says, and the JSON in it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request

from storage.patience import Within
from storage.quick import quick
from web.errors import Code, Refused
from web.settings import Settings
from web.strict import NotStrict, loads

# The rate floor counts from here on: a first packet may take its time.
GRACE_S = 5.0
CLOSE = {"Connection": "close"}
PARAMETERS = ("query", "operationName", "variables", "extensions")


@quick
class Pace:
    """How large a body may be, how long it may take, and how many bytes a second it must bring."""

    bytes: int
    seconds: float
    rate: int

    def allowance(self, size: int) -> float:
        """Return how many seconds may have passed when this much has arrived."""
        return min(GRACE_S + size / self.rate, self.seconds)


async def read_body(request: Request, settings: Settings) -> bytes:
    """Return the body. Raises `Refused` as soon as it is known to be too large or too slow, and closes the connection."""
    body = Body(request, Pace(settings.body_bytes, settings.body_seconds, settings.body_rate))
    chunks = [await body.next()]
    while body.more:
        chunks.append(await body.next())
    return b"".join(chunks)


async def read_chunks(request: Request, pace: Pace) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises `Refused` as `read_body` does."""
    body = Body(request, pace)
    while body.more:
        chunk = await body.next()
        if chunk:
            yield chunk


class Body:
    """A body that is arriving; `more` tells whether there is more to come. Raises `Refused` as `read_body` does."""

    __slots__ = ("_pace", "_request", "_size", "_started", "more")

    def __init__(self, request: Request, pace: Pace) -> None:
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise Refused(415, "Send the body without Content-Encoding.", headers=CLOSE)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > pace.bytes:
            raise too_large(pace.bytes)
        self._request, self._pace = request, pace
        self._started, self._size = time.monotonic(), 0
        self.more = True

    async def next(self) -> bytes:
        """Return what comes next of it."""
        elapsed = time.monotonic() - self._started
        try:
            async with Within(max(self._pace.allowance(self._size) - elapsed, 0.01)):
                message = await self._request.receive()
        except TimeoutError:
            raise Refused(408, "The body arrived too slowly.", Code.TIMEOUT, CLOSE) from None
        if message["type"] == "http.disconnect":
            raise Refused(400, "The body ended early.", headers=CLOSE)
        chunk: bytes = message.get("body", b"")
        self.more = message.get("more_body", False)
        self._size += len(chunk)
        if self._size > self._pace.bytes:
            raise too_large(self._pace.bytes)
        return chunk


def too_large(limit: int) -> Refused:
    """Make the refusal of a body, or of a file in one, that has more bytes than it may."""
    return Refused(413, f"The body is longer than {limit} bytes.", headers=CLOSE)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises `Refused`."""
    try:
        data = loads(body)
    except NotStrict as error:
        raise Refused(400, f"The body {error}.") from None
    if not isinstance(data, dict):
        raise Refused(400, "The body must be one JSON object; batches are not supported.")
    return data


def read_parameter(name: str, text: str) -> Any:
    """Return the JSON in a parameter of an address. Raises `Refused`."""
    try:
        return loads(text.encode()) if text else None
    except NotStrict as error:
        raise Refused(400, f"The parameter `{name}` {error}.") from None


def check_shape(name: str, value: Mapping[str, Any], *, max_depth: int, max_items: int) -> None:
    """Raise `Refused` when `variables` or `extensions` nest too deeply or hold a list (or an object) that is too long."""
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            raise Refused(400, f"`{name}` nests deeper than {max_depth} levels.")
        below: list[Any] = []
        for item in level:
            if len(item) > max_items:
                raise Refused(400, f"`{name}` holds a list of {len(item)} items; at most {max_items} are allowed.")
            parts = item.values() if isinstance(item, dict) else item
            below.extend(part for part in parts if isinstance(part, dict | list))
        level = below
