"""The contract as files: the schema in the definition language; for editors the JSON Schema of modules and the types of lambdas."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from identity.principals import audience_of
from schema.build import LambdeskSchema
from schema.spec import Audience
from web.answers import encode, refusal
from web.edge import note_of
from web.errors import Code, Refused
from web.live import Live

Endpoint = Callable[[Request], Awaitable[Response]]
AUDIENCES = " or ".join(f"`{audience}`" for audience in Audience)


def make_contract(live: Live) -> tuple[Endpoint, Endpoint, Endpoint]:
    """Return the endpoints of `/schema.graphql`, `/schema/module.json` and `/lambda.d.ts`."""

    async def sdl(request: Request) -> Response:
        try:
            own = audience_of((await live.guard.admit(request)).principal)
            audience = _read_audience(request, own)
            snapshot = live.snapshot()
        except Refused as refused:
            return _refuse(request, refused)
        if not live.settings.introspection:
            return _refuse(request, Refused(403, "The schema is not shown here."))
        text = await asyncio.to_thread(_print, cast("LambdeskSchema", snapshot.schema_for(audience)))
        headers = {"X-Lambdesk-Schema": snapshot.version}
        return _file(request, text.encode(), "text/plain; charset=utf-8", headers)

    def fixed(body: Callable[[], bytes], media: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                await live.guard.admit(request)
            except Refused as refused:
                return _refuse(request, refused)
            return _file(request, body(), media, {})

        return endpoint

    return sdl, fixed(_json_schema, "application/schema+json"), fixed(_lambda_types, "text/plain; charset=utf-8")


def _read_audience(request: Request, own: Audience) -> Audience:
    """Return whose schema is asked for: agents may see both, customers their own. Raises `Refused`."""
    try:
        wanted = Audience(request.query_params.get("audience", own))
    except ValueError:
        raise Refused(400, f"`audience` must be {AUDIENCES}.") from None
    if own is not Audience.AGENT and wanted is not own:
        raise Refused(403, "This schema is for agents.", Code.FORBIDDEN)
    return wanted


def _refuse(request: Request, refused: Refused) -> Response:
    note = note_of(request.scope)
    note.code = refused.code
    return refusal(refused, note.request_id)


def _print(schema: LambdeskSchema) -> str:
    from schema.sdl import print_sdl  # noqa: PLC0415 - few servers are asked for it, and all would carry it

    return print_sdl(schema)


@cache
def _json_schema() -> bytes:
    from schema.jsonschema import module_schema  # noqa: PLC0415 - the same

    return encode(module_schema())


@cache
def _lambda_types() -> bytes:
    return (Path(__file__).parent.parent / "lambdas" / "lambda.d.ts").read_bytes()


def _file(request: Request, body: bytes, media: str, headers: dict[str, str]) -> Response:
    """Answer with a file that clients may keep and ask about."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **headers}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, media)
