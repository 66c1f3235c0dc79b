"""What addresses beside GraphQL have in common: a request becomes an answer, or a refusal that the log line names."""

from __future__ import annotations

from abc import ABC, abstractmethod

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.answers import refusal
from web.edge import note_of
from web.errors import Refused


class Endpoint(ABC):
    """An address, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        note = note_of(scope)
        try:
            response = await self.answer(request)
        except Refused as refused:
            note.code = refused.code
            response = self.refuse(refused, note.request_id)
        await response(scope, receive, send)

    @abstractmethod
    async def answer(self, request: Request) -> Response:
        """Make the answer. Raises `Refused`."""

    def refuse(self, refused: Refused, request_id: str) -> Response:
        """Write a refusal."""
        return refusal(refused, request_id)
