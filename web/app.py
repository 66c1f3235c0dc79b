"""The application: its routes in one list, with what wraps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from web.answers import refusal
from web.api import GraphQLEndpoint
from web.contract import make_contract
from web.cors import Cors
from web.downloads import Downloads
from web.edge import Edge, note_of
from web.errors import NOTHING_HERE, Code, Refused
from web.export import ExportEndpoint
from web.health import make_health
from web.identities import Identities
from web.live import Live, Transfers
from web.login_page import LoginPage, LogoutPage
from web.pages.assets import StaticFolder
from web.pages.routes import make_pages
from web.settings import Settings
from web.sign_in import make_sign_in
from web.socket import GraphQLSocket
from web.uploads import Uploads

GRAPHQL = "/graphql"
MESSAGES = {404: NOTHING_HERE, 405: "This address does not support the method."}


def create_app(settings: Settings, live: Live | None = None) -> Starlette:
    """Make the application. `live` is what its routes work with; tests give their own."""
    if live is None:
        from web.lifecycle import make_live  # noqa: PLC0415 - what tests replace, they need not import

        live = make_live(settings)
    background = live.background

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with background():
            yield

    app = Application(
        routes=make_routes(live),
        middleware=[
            Middleware(Edge, host_names=settings.host_names, https=settings.is_https),
            Middleware(Cors, origins=settings.allowed_origins),
            Middleware(Shortcut, endpoints={GRAPHQL: GraphQLEndpoint(live)}),
        ],
        exception_handlers={HTTPException: answer_http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would be built from the Host header
    return app


class Application(Starlette):
    """Starlette without its net around everything: `Edge` is one, and nothing comes past it."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the router in what is ours, and in what answers where no route does."""
        app: ASGIApp = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        for kind, given, named in reversed(self.user_middleware):
            app = kind(app, *given, **named)
        return app


class Shortcut:
    """Wraps the application: what is asked most is found by its address alone, not after all routes before it."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self.endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to who answers it."""
        endpoint = self.endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self.app)(scope, receive, send)


def make_routes(live: Live) -> list[BaseRoute]:
    """List every address of the server."""
    healthz, readyz = make_health(live)
    sdl, module_schema, lambda_types = make_contract(live)
    return [
        *make_pages(live),
        WebSocketRoute(GRAPHQL, GraphQLSocket(live)),
        Route("/export/{file}", ExportEndpoint(live)),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/schema.graphql", sdl),
        Route("/schema/module.json", module_schema),
        Route("/lambda.d.ts", lambda_types),
        Mount("/static", StaticFolder()),
        *(_file_routes(live, live.transfers) if live.transfers else ()),
        *(_sign_in_routes(live, live.identities) if live.identities else ()),
    ]


def _file_routes(live: Live, transfers: Transfers) -> list[BaseRoute]:
    return [
        Route("/files", Uploads(live, transfers)),
        Route("/files/{row}/{field}", Downloads(live, transfers)),
    ]


def _sign_in_routes(live: Live, identities: Identities) -> list[BaseRoute]:
    return [
        *make_sign_in(live, identities),
        Route("/login", LoginPage(live, identities)),
        Route("/logout", LogoutPage(live, identities)),
    ]


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what no route answers."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    note = note_of(request.scope)
    note.code = Code.BAD_REQUEST
    message = MESSAGES.get(status, "The request cannot be answered.")
    return refusal(Refused(status, message, Code.BAD_REQUEST, headers), note.request_id)
