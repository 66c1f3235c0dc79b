"""The GraphQL endpoint over HTTP: `application/graphql-response+json` and plain JSON, POST, GET for queries, event streams."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from graphql.language import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.answers import EVENTS, JSON, answer, answer_errors, choose_media, refusal
from web.arrival import Arrival
from web.body import PARAMETERS, read_body, read_json, read_parameter
from web.connected import while_connected
from web.edge import note_of
from web.errors import Refused, format_message
from web.events import EventStream, tell_errors
from web.live import Live
from web.operation import Asked, NotStarted, prepare, read_asked, run
from web.origin import check_origin
from web.recognition import Caller
from web.wishes import read_explains, read_idempotency_key, read_languages

METHODS = "GET, POST"
MAX_QUERY_STRING = 30_000
SCHEMA_HEADER = "X-Lambdesk-Schema"


class GraphQLEndpoint:
    """`/graphql` over HTTP, as an ASGI application."""

    def __init__(self, live: Live) -> None:
        self.live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; when the client goes away, what runs for it is cancelled."""
        request = Arrival(scope, receive)
        note = note_of(scope)
        media = JSON
        try:
            media = choose_media(request.headers.get("accept"))
            self._check(request)
            caller = await self.live.guard.admit_to_graphql(request)
            asked = await self._read(request)
            response = await while_connected(request, self._respond(request, asked, caller, media))
        except NotStarted as error:
            response = self._stamp(tell_errors(error.errors) if media == EVENTS else answer_errors(error.errors, media))
        except Refused as refused:
            note.code = refused.code
            response = self._stamp(_refuse(refused, note.request_id, media))
        if response is not None:  # else the client has gone
            await response(scope, receive, send)

    def _stamp(self, response: Response) -> Response:
        """Say of the schema's version what answers to operations say of theirs."""
        if self.live.registry.is_loaded:
            response.headers[SCHEMA_HEADER] = self.live.registry.snapshot.version
        return response

    def _check(self, request: Request) -> None:
        if request.method not in {"GET", "POST"}:
            raise Refused(405, f"The method {request.method[:20]} is not supported.", headers={"Allow": METHODS})
        check_origin(request.headers, self.live.settings)

    async def _read(self, request: Request) -> Asked:
        data, headers = await self._read_data(request), request.headers
        return read_asked(
            data,
            self.live.settings,
            languages=read_languages(headers),
            idempotency_key=read_idempotency_key(headers),
            explains=read_explains(headers),
        )

    async def _read_data(self, request: Request) -> dict[str, Any]:
        if request.method == "GET":
            return _read_query(request)
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        charset = parameters.partition("charset=")[2].strip(' "').lower()
        if kind.strip().lower() != JSON or charset not in {"", "utf-8"}:
            raise Refused(415, f"Send the request as {JSON} in UTF-8.")
        return read_json(await read_body(request, self.live.settings))

    async def _respond(self, request: Request, asked: Asked, caller: Caller, media: str) -> Response:
        note = note_of(request.scope)
        cookies: list[str] = []
        call = prepare(self.live, asked, note, caller, cookies=None if media == EVENTS else cookies)
        operation = call.operation.operation
        if request.method == "GET" and operation is not OperationType.QUERY and media != EVENTS:
            raise Refused(405, "Send mutations and subscriptions with POST.", headers={"Allow": "POST"})
        headers = {SCHEMA_HEADER: call.snapshot.version}
        if media == EVENTS:
            if operation is OperationType.MUTATION and request.method == "GET":
                raise Refused(405, "Send mutations with POST.", headers={"Allow": "POST"})
            return EventStream(self.live, call, note, headers)
        if operation is OperationType.SUBSCRIPTION:
            raise Refused(406, f"Subscriptions need a WebSocket, or {EVENTS} in the Accept header.")
        outcome = await run(self.live, call, note)
        if outcome.errors is not None:
            response = answer_errors(outcome.errors, media)
            response.headers.update(headers)
            return response
        response = answer(outcome.body, media, headers=headers)
        for cookie in cookies:
            response.headers.append("Set-Cookie", cookie)
        return response


def _refuse(refused: Refused, request_id: str, media: str) -> Response:
    if media != EVENTS:
        return refusal(refused, request_id, media)
    if refused.status == HTTPStatus.OK:  # a persisted document that is not known: the operation's error, not HTTP's
        return tell_errors([format_message(refused.message, refused.code, request_id)])
    return refusal(refused, request_id, JSON)


def _read_query(request: Request) -> dict[str, Any]:
    raw: bytes = request.scope["query_string"]
    if len(raw) > MAX_QUERY_STRING:
        raise Refused(414, "The address is too long; send the request with POST.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Refused(400, "The address is not URL-encoded UTF-8.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Refused(400, "The address names a parameter twice.")
        found[name] = value
    for name in PARAMETERS[2:]:
        if name in found:
            found[name] = read_parameter(name, found[name])
    return found
