"""The contract as files: the schema in the definition language, and the JSON Schema that editors check module files with."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from schema.build import LambdeskSchema
from schema.spec import Audience
from web.answers import encode, refusal
from web.edge import note_of
from web.errors import Refused
from web.live import Live

Endpoint = Callable[[Request], Awaitable[Response]]
AUDIENCES = " or ".join(f"`{audience}`" for audience in Audience)


def make_contract(live: Live) -> tuple[Endpoint, Endpoint]:
    """Return the endpoints of `/schema.graphql` and `/schema/module.json`."""

    async def sdl(request: Request) -> Response:
        try:
            audience = Audience(request.query_params.get("audience", Audience.AGENT))
            snapshot = live.snapshot()
        except ValueError:
            refused = Refused(400, f"`audience` must be {AUDIENCES}.")
            return refusal(refused, note_of(request.scope).request_id)
        except Refused as refused:
            return refusal(refused, note_of(request.scope).request_id)
        if not live.settings.introspection:
            return refusal(Refused(403, "The schema is not shown here."), note_of(request.scope).request_id)
        text = await asyncio.to_thread(_print, cast("LambdeskSchema", snapshot.schema_for(audience)))
        headers = {"X-Lambdesk-Schema": snapshot.version}
        return _file(request, text.encode(), "text/plain; charset=utf-8", headers)

    async def json_schema(request: Request) -> Response:
        return _file(request, _json_schema(), "application/schema+json", {})

    return sdl, json_schema


def _print(schema: LambdeskSchema) -> str:
    from schema.sdl import print_sdl  # noqa: PLC0415 - few servers are asked for it, and all would carry it

    return print_sdl(schema)


@cache
def _json_schema() -> bytes:
    from schema.jsonschema import module_schema  # noqa: PLC0415 - the same

    return encode(module_schema())


def _file(request: Request, body: bytes, media: str, headers: dict[str, str]) -> Response:
    """Answer with a file that clients may keep and ask about."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", **headers}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, media)
