"""What is alive behind the routes: the registry with its snapshot, the database, and how an operation is run on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import ExecutionResult
from graphql.language import DocumentNode, OperationDefinitionNode

from identity.principals import audience_of
from identity.rights import Rights
from resolvers.context import Context
from resolvers.document import Documents
from resolvers.text_index import TextIndex
from schema.snapshot import Snapshot
from schema.spec import Audience
from storage.files import Files
from storage.quick import quick
from web.admission import Admission
from web.errors import unavailable
from web.favourites import Favourites
from web.identities import Identities
from web.lambdas import Lambdas
from web.persisted import Persisted
from web.recognition import Caller, Guard
from web.settings import Settings

LOADING = "The modules are not loaded yet. Try again."


class Registry(Protocol):
    """What the web room needs of the registry."""

    snapshot: Snapshot
    is_loaded: bool

    def changes(self) -> AsyncIterator[Snapshot]:
        """Yield every snapshot that is published from now on."""


class Pinged(Protocol):
    """What the web room itself needs of the database."""

    async def ping(self) -> None:
        """Return when the database serves; raise ConnectionError while it is away."""


@quick
class Call:
    """One operation about to run: everything that the executor may want to know.

    `cookies` takes headers for the answer; there are none where the answer is not one of HTTP's.
    """

    snapshot: Snapshot
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    caller: Caller
    request_id: str
    deadline: float
    languages: tuple[str, ...] = ()
    idempotency_key: str | None = None
    cookies: list[str] | None = None
    explains: bool = False  # the answer says how it was found

    @property
    def rights(self) -> Rights:
        """What its caller may do."""
        return self.caller.rights

    @property
    def audience(self) -> Audience:
        """Whose schema it is an operation of."""
        return audience_of(self.rights.principal)


Execute = Callable[[Call], Awaitable[ExecutionResult]]
Follow = Callable[[Call], AsyncIterator[ExecutionResult] | None]
Gather = Callable[[Call, int | None], AsyncIterator[ExecutionResult] | None]
Introspect = Callable[[Call], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Transfers:
    """What uploads and downloads need. `begin` makes the context of a request."""

    files: Files
    begin: Callable[[Snapshot, Rights, str], Context]
    uploads: Admission
    downloads: Admission


def _nothing(_call: Call, _since_ms: int | None = None) -> None:
    """Follow nothing: subscriptions are all written by hand."""


@dataclass
class Live:
    """Everything that a request needs. Made once; `snapshot()` is what a request works with from beginning to end."""

    settings: Settings
    registry: Registry
    database: Pinged
    execute: Execute
    introspect: Introspect
    documents: Documents
    persisted: Persisted
    admission: Admission
    guard: Guard
    favourites: Favourites | None = None  # none where no modules are loaded: in tests of the rest
    identities: Identities | None = None  # none where nobody can sign in: in tests of the rest
    follow: Follow = _nothing
    gather: Gather = _nothing  # as `follow`, about once a second, from a moment on
    background: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    claim: Callable[[], AbstractContextManager[None]] = nullcontext
    lacking: Callable[[Snapshot], Sequence[str]] = lambda _snapshot: ()  # what cannot be done for want of modules
    transfers: Transfers | None = None  # none where nothing is kept: in tests of the rest
    texts: TextIndex | None = None  # the full-text index, where one is kept
    lambdas: Lambdas | None = None  # none where nothing runs them: in tests of the rest
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: int = 0

    def snapshot(self) -> Snapshot:
        """Return the current snapshot. Raises `Refused` (503) until the modules have been loaded once."""
        if not self.registry.is_loaded:
            raise unavailable(LOADING)
        return self.registry.snapshot
