"""Whether the server is alive, whether it can serve, and what an operator should look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from web.answers import JSON, encode
from web.live import Live

Endpoint = Callable[[Request], Awaitable[Response]]
PING_S = 1.0
NO_STORE = {"Cache-Control": "no-store"}


def make_health(live: Live) -> tuple[Endpoint, Endpoint]:
    """Return the endpoints of `/healthz` and `/readyz`."""

    async def healthz(request: Request) -> Response:  # noqa: ARG001 - the shape of an endpoint
        return Response(encode({"status": "ok"}), 200, NO_STORE, JSON)

    async def readyz(request: Request) -> Response:  # noqa: ARG001 - the shape of an endpoint
        reasons = await find_reasons(live)
        degraded = find_degraded(live)
        status = "unavailable" if reasons else "degraded" if degraded else "ok"
        body = {"status": status, "reasons": reasons, "degraded": degraded}
        return Response(encode(body), 503 if reasons else 200, NO_STORE, JSON)

    return healthz, readyz


async def find_reasons(live: Live) -> list[dict[str, str]]:
    """Say why requests cannot be served now; nothing when they can."""
    reasons: list[dict[str, str]] = []
    if live.stopping.is_set():
        reasons.append({"what": "server", "message": "The server is stopping."})
    if not live.registry.is_loaded:
        reasons.append({"what": "modules", "message": "The modules are not loaded yet."})
    try:
        async with asyncio.timeout(PING_S):
            await live.database.ping()
    except (ConnectionError, TimeoutError):
        reasons.append({"what": "database", "message": "The database is not available."})
    return reasons


def find_degraded(live: Live) -> list[dict[str, str]]:
    """Say what serves in an older version, or not at all: because its file is broken, or lambdas do not run."""
    trouble = live.lambdas.trouble if live.lambdas is not None else None
    off = [{"what": "lambdas", "state": "OFF", "message": trouble}] if trouble else []
    return off + _degraded_modules(live)


def _degraded_modules(live: Live) -> list[dict[str, str]]:
    if not live.registry.is_loaded:
        return []
    snapshot = live.registry.snapshot
    lacking = [{"what": "desk", "state": "ABSENT", "message": message} for message in live.lacking(snapshot)]
    return lacking + [
        {
            "what": f"module {status.name}",
            "state": status.state,
            "message": str(status.problems[0].message) if status.problems else "The file does not serve.",
        }
        for status in snapshot.status
        if status.is_broken
    ]
