"""One event stream for all that is open in a browser: it says when rows that somebody looks at have changed, or the modules.

It tells nothing of the rows but that: pages ask for them again, and get what their caller may see.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from identity.errors import NotSignedIn
from storage.changes import now_ms
from web.answers import EVENTS, encode
from web.edge import Note, note_of
from web.errors import Code, Refused
from web.events import HEADERS, check_place, hold, with_pauses
from web.live import Call
from web.operation import Asked, NotStarted, prepare
from web.pages.live_watch import read_watch
from web.pages.visit import Visit
from web.stream import stream

MOST_WATCHES = 40
MOST_AGE_MS = 60_000  # how far back a stream looks for what was missed; pages ask anew after more
SLACK_MS = 50
STREAM_S = 1_800.0  # then the browser opens another: what "today" means in a filter goes with the time
SCHEMA = "subscription Schema { schemaChanged { version } }"
_LASTING = frozenset({Code.FORBIDDEN, Code.BAD_REQUEST})  # asking again would not help


async def show_live(visit: Visit) -> Response:
    """Open the stream for what `w` names; `age` is how many milliseconds ago the oldest of it was fetched."""
    check_place(visit.live)
    query = visit.request.query_params
    calls = _calls(visit, list(dict.fromkeys(query.getlist("w")))[:MOST_WATCHES])
    age = query.get("age", "")
    since = now_ms() - SLACK_MS - min(int(age) if age.isascii() and age.isdigit() and len(age) < 9 else 0, MOST_AGE_MS)  # noqa: PLR2004 - a day has nine digits
    return LiveStream(visit, calls, since)


def _calls(visit: Visit, addresses: Sequence[str]) -> Mapping[str, Call]:
    """Prepare the subscriptions; what the caller may not open is left out, as if it were not there."""
    found = {}
    for address in addresses:
        watch = read_watch(visit, address)
        with contextlib.suppress(NotStarted):
            if watch is not None:
                found[address] = _prepare(visit, watch.document, watch.variables)
    return found


def _prepare(visit: Visit, document: str, variables: Mapping[str, object]) -> Call:
    note = Note(note_of(visit.request.scope).request_id)
    asked = Asked(document, variables=dict(variables), languages=(visit.look.lang,), is_own=True)
    return prepare(visit.live, asked, note, visit.caller, snapshot=visit.snapshot)


class _Lost(Exception):
    """A subscription ended for a reason that passes: the browser opens the stream again."""


class LiveStream(Response):
    """Sends `ready`, then `changed` with the name of a watch, and `schema` or `signed-out` as its last word."""

    def __init__(self, visit: Visit, calls: Mapping[str, Call], since_ms: int) -> None:
        super().__init__(None, 200, HEADERS, EVENTS)
        del self.headers["content-length"]
        self.visit = visit
        self.calls = calls
        self.since_ms = since_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the modules change, the client goes away, or its caller does not count any more."""
        note = note_of(scope)
        note.operation = "Live"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        last = b""
        if await hold(self.visit.live, self.visit.caller, receive, self._write(send)):
            note.code = Code.UNAUTHENTICATED
            last = _event("signed-out", "")
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _write(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError, _Lost):
            async with (
                aclosing(self._events()) as events,
                aclosing(with_pauses(events)) as chunks,
                asyncio.timeout(STREAM_S),
            ):
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk or b":\n\n", "more_body": True})

    async def _events(self) -> AsyncGenerator[bytes]:
        """Run all subscriptions side by side, and yield what they say, until one of them ends the stream."""
        said: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        jobs = [self._follow(said, name, call) for name, call in self.calls.items()]
        tasks = [asyncio.create_task(_tell_end(said, job)) for job in (*jobs, self._follow_schema(said))]
        try:
            yield _event("ready", self.visit.snapshot.version)
            while (told := await said.get()) is not None:
                if isinstance(told, Exception):
                    raise told
                yield told
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, said: asyncio.Queue[bytes | Exception | None], name: str, call: Call) -> None:
        live, note = self.visit.live, Note(call.request_id)
        async with aclosing(stream(live, call, note, lambda call: live.gather(call, self.since_ms))) as results:
            async for result in results:
                errors = orjson.loads(result).get("errors")
                if not errors:
                    said.put_nowait(_event("changed", name))
                elif errors[0]["extensions"]["code"] not in _LASTING:
                    raise _Lost

    async def _follow_schema(self, said: asyncio.Queue[bytes | Exception | None]) -> None:
        version = self.visit.snapshot.version
        call = _prepare(self.visit, SCHEMA, {})
        async with aclosing(stream(self.visit.live, call, Note(call.request_id))) as results:
            async for _ in results:
                said.put_nowait(_event("schema", version))
                said.put_nowait(None)


async def _tell_end(said: asyncio.Queue[bytes | Exception | None], job: Coroutine[Any, Any, None]) -> None:
    """Run a subscription; a failure of it ends the stream."""
    try:
        await job
    except (NotSignedIn, _Lost, Refused) as error:
        said.put_nowait(error if isinstance(error, NotSignedIn) else _Lost())


def _event(name: str, data: str) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encode(data))
