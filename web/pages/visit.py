"""One request for a page: who asks, in which snapshot and language, and the door to data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

import orjson
from graphql import GraphQLSchema
from graphql.language import OperationType
from starlette.requests import Request
from starlette.responses import Response

from identity.access import Access, access_of
from identity.principals import audience_of
from schema.snapshot import Snapshot
from schema.spec import Audience
from web.edge import note_of
from web.errors import INTERNAL_MESSAGE, NOTHING_HERE, Refused, status_of
from web.live import Live
from web.operation import Asked, NotStarted, prepare, run
from web.pages.form_body import Form
from web.pages.frame import Frame, frame_of
from web.pages.look import Look
from web.pages.navigation import palette, side_menu
from web.pages.query_shown import Sent, Shown, show_queries
from web.pages.rendering import render
from web.pages.replies import HTMX, make_nonce, reply, see
from web.pages.texts import Texts
from web.pages.view import View, view_of
from web.recognition import Caller


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answered: its data, and errors that concern parts of it."""

    data: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Visit:
    """A request by somebody signed in. Pages get one, and answer."""

    live: Live
    request: Request
    caller: Caller
    snapshot: Snapshot
    look: Look
    form: Form = field(default_factory=Form)
    nonce: str = field(default_factory=make_nonce)
    sent: list[Sent] = field(default_factory=list)  # what it asked for, and what its forms will

    @cached_property
    def texts(self) -> Texts:
        """The words, in the reader's language."""
        return Texts(self.look.lang)

    @property
    def audience(self) -> Audience:
        """Whose schema and pages they are."""
        return audience_of(self.caller.principal)

    @property
    def access(self) -> Access:
        """What the caller may do."""
        return access_of(self.caller.rights)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema that the page's operations are of."""
        return self.snapshot.schema_for(self.audience)

    @property
    def is_htmx(self) -> bool:
        """Whether htmx asks, which swaps a part of the page."""
        return self.request.headers.get(HTMX) == "true"

    def view(self) -> View:
        """Return the module that the address names, as the caller sees it. Raises `Refused` (404)."""
        found = view_of(self.snapshot, self.access, str(self.request.path_params["module"]))
        if found is None:
            raise Refused(404, NOTHING_HERE)
        return found

    async def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        once: str | None = None,
        cookies: list[str] | None = None,
    ) -> Answer:
        """Run an operation as anybody could send it to `/graphql`. Raises `Refused` when there is no data.

        A mutation with the same `once` is carried out once only, however often its form is sent. `cookies` takes headers
        that the answer is to have: a change of the password gives the browser a new session.
        """
        asked = Asked(
            document, variables=dict(variables or {}), languages=(self.look.lang,), idempotency_key=once, is_own=True
        )
        note = note_of(self.request.scope)
        try:
            call = prepare(self.live, asked, note, self.caller, snapshot=self.snapshot, cookies=cookies)
            # A mutation may hold a password, and its page is another one anyway.
            if call.operation.operation is OperationType.QUERY:
                self.sent.append(Sent(document, asked.variables))
            outcome = await run(self.live, call, note)
        except NotStarted as error:
            raise _refused(error.errors) from None
        if outcome.errors is not None:
            raise _refused(outcome.errors)
        answer = orjson.loads(outcome.body)
        errors = answer.get("errors", ())
        if answer.get("data") is None:
            raise _refused(errors)
        return Answer(answer["data"], errors)

    def offer(self, document: str, variables: Mapping[str, Any], caption: str) -> None:
        """Show a mutation that a form of the page will send; `variables` hold nothing that is secret."""
        self.sent.append(Sent(document, variables, caption))

    def queries(self) -> Sequence[Shown]:
        """Return what the page asked the API for, to be shown."""
        return show_queries(self.sent)

    def page(
        self,
        template: str,
        code: int = 200,
        /,
        *,
        block: str = "",
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """Answer with a page, or with one block of it."""
        around = self._around()
        frame = {} if block else {"frame": self._frame(around)}
        text = render(template, {**around, **frame, **values}, block)
        return reply(self.request, text, self.nonce, code, headers)

    def draw(self, template: str, **values: Any) -> str:
        """Render a document that is no page of the menu: only with the words and the look."""
        return render(template, {"t": self.texts, "look": self.look, **values})

    def _around(self) -> Mapping[str, Any]:
        return {
            "visit": self,
            "t": self.texts,
            "look": self.look,
            "nonce": self.nonce,
            "path": self.request.url.path,
            "login": getattr(self.caller.principal, "login", ""),
            "csrf": self.live.guard.form_token(self.caller.secret),
            "palette": palette(self.snapshot, self.access, self.texts),
            "side_menu": side_menu(self.snapshot, self.access, self.texts, self._menu_address()),
            "said": "",
        }

    def _frame(self, around: Mapping[str, Any]) -> Frame:
        own = {name: around[name] for name in ("nonce", "csrf", "login")}
        return frame_of(self.look).fill({**own, "back": quote(self.own_address), "version": self.snapshot.version})

    def _menu_address(self) -> str:
        """Return the address that the menu has for this page: pages about a module's rows belong to its list."""
        module = self.request.path_params.get("module", "")
        return f"/modules/{module}" if module else str(self.request.url.path)

    def see(self, path: str) -> Response:
        """Send the browser to another page."""
        return see(path, self.request)

    @property
    def own_address(self) -> str:
        """The address of this page, to come back to."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path


def sign_in_address(request: Request) -> str:
    """Return where somebody unknown is sent: to the sign-in, and back to the page that was asked for."""
    query = request.url.query if request.method in {"GET", "HEAD"} else ""
    path = f"{request.url.path}?{query}" if query else request.url.path
    return f"/login?next={quote(path)}"


def _refused(errors: Sequence[Mapping[str, Any]]) -> Refused:
    first: Mapping[str, Any] = (
        errors[0] if errors else {"message": INTERNAL_MESSAGE, "extensions": {"code": "INTERNAL"}}
    )
    return Refused(status_of(errors), str(first["message"]), str(first["extensions"]["code"]))
