"""The pages that need no data: the front page and GraphiQL, with the files below `/static`."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ROOM = Path(__file__).parent
FRESH = {"Cache-Control": "no-cache"}


async def home(request: Request) -> Response:  # noqa: ARG001 - the shape of an endpoint
    """Answer with the front page."""
    return FileResponse(ROOM / "templates" / "home.html", headers=FRESH)


async def graphiql(request: Request) -> Response:  # noqa: ARG001 - the shape of an endpoint
    """Answer with GraphiQL."""
    return FileResponse(ROOM / "templates" / "graphiql.html", headers=FRESH)


class StaticFolder(StaticFiles):
    """The files below `/static`. A browser keeps them, and asks each time whether they changed."""

    def __init__(self) -> None:
        super().__init__(directory=ROOM / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; its ETag makes the next answer short."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FRESH["Cache-Control"]
        return response
