"""A small world behind the endpoint: a schema of a few fields, a registry that a test publishes to, a database that can go away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import httpx
from graphql import (
    ExecutionResult,
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
)

from identity.access import access_of
from identity.callers import Called
from identity.errors import NotSignedIn
from identity.principals import Principal
from identity.rights import Rights, unbounded
from resolvers.document import Documents
from schema.catalog import Catalog
from schema.snapshot import ModuleStatus, SchemaChangeItem, Snapshot
from schema.spec import Audience
from tests.callers import ROOT
from web.admission import Admission
from web.app import create_app
from web.live import Call, Live
from web.persisted import Persisted
from web.platform import hand_written
from web.recognition import Guard
from web.settings import Settings

TOKEN = "toy"  # of whoever may come in, also as a cookie
SIGNED_IN = (b"authorization", f"Bearer {TOKEN}".encode())
SECRET = "SELECT pw FROM users -- /srv/lambdesk/secret"


@dataclass
class Happened:
    """What the resolvers of the toy schema did."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most: int = 0
    calls: int = 0


def make_schema(happened: Happened) -> GraphQLSchema:
    queue = GraphQLObjectType(
        "Queue",
        lambda: {
            "id": GraphQLField(GraphQLNonNull(GraphQLID), resolve=lambda *_: "q1"),
            "name": GraphQLField(GraphQLString, resolve=lambda *_: "Raw"),
            "group": GraphQLField(group, resolve=lambda *_: {}),
        },
    )
    group = GraphQLObjectType(
        "Group",
        lambda: {
            "name": GraphQLField(GraphQLString, resolve=lambda *_: "users"),
            "queues": GraphQLField(GraphQLList(queue), resolve=lambda *_: [{}]),
        },
    )
    edge = GraphQLObjectType("QueueEdge", {"node": GraphQLField(queue, resolve=lambda *_: {})})
    connection = GraphQLObjectType(
        "QueueConnection",
        {
            "edges": GraphQLField(GraphQLList(edge), resolve=lambda *_: [{}]),
            "nodes": GraphQLField(GraphQLList(queue), resolve=lambda *_: [{}]),
        },
    )
    name_filter = GraphQLInputObjectType("NameFilter", {"eq": GraphQLInputField(GraphQLString)})
    queue_filter = GraphQLInputObjectType(
        "QueueFilter",
        lambda: {"and": GraphQLInputField(GraphQLList(queue_filter)), "name": GraphQLInputField(name_filter)},
    )

    def fail(*_: Any) -> None:
        raise RuntimeError(SECRET)

    def away(*_: Any) -> None:
        raise ConnectionRefusedError(SECRET)

    def echo(*_: Any, text: str | None = None, number: int | None = None) -> str:
        happened.calls += 1
        return f"{text}{number or ''}"

    async def slow(*_: Any) -> str:
        happened.running += 1
        happened.most = max(happened.most, happened.running)
        happened.started.set()
        try:
            await happened.release.wait()
        except asyncio.CancelledError:
            happened.cancelled.set()
            raise
        finally:
            happened.running -= 1
        return "done"

    async def numbers(*_: Any) -> AsyncIterator[dict[str, int]]:
        for number in (1, 2, 3):
            yield {"numbers": number}

    async def waits(*_: Any) -> AsyncIterator[dict[str, int]]:
        happened.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            happened.cancelled.set()
            raise
        yield {"waits": 1}

    hand = hand_written()
    return GraphQLSchema(
        query=GraphQLObjectType(
            "Query",
            {
                **hand.query,
                "queue": GraphQLField(
                    queue,
                    {"id": GraphQLArgument(GraphQLID), "filter": GraphQLArgument(queue_filter)},
                    lambda *_, **__: {},
                ),
                "queues": GraphQLField(connection, {"first": GraphQLArgument(GraphQLInt)}, lambda *_, **__: {}),
                "echo": GraphQLField(
                    GraphQLString, {"text": GraphQLArgument(GraphQLString), "number": GraphQLArgument(GraphQLInt)}, echo
                ),
                "fail": GraphQLField(GraphQLString, resolve=fail),
                "away": GraphQLField(GraphQLString, resolve=away),
                "slow": GraphQLField(GraphQLString, resolve=slow),
                "must": GraphQLField(GraphQLNonNull(GraphQLString), resolve=lambda *_: None),
            },
        ),
        mutation=GraphQLObjectType(
            "Mutation", {"echo": GraphQLField(GraphQLString, {"text": GraphQLArgument(GraphQLString)}, echo)}
        ),
        subscription=GraphQLObjectType(
            "Subscription",
            {
                **hand.subscription,
                "numbers": GraphQLField(GraphQLInt, subscribe=numbers),
                "waits": GraphQLField(GraphQLInt, subscribe=waits),
                "fails": GraphQLField(GraphQLInt, subscribe=fail),
            },
        ),
        types=list(hand.types.values()),
    )


class ToyRegistry:
    """Publishes what a test tells it to."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.is_loaded = True
        self.snapshot = self._make("v1", ())
        self._published = asyncio.Condition()

    def _make(self, version: str, status: tuple[ModuleStatus, ...], *changes: SchemaChangeItem) -> Snapshot:
        schemas = dict.fromkeys(Audience, self.schema)
        return Snapshot(version, int(version[1:]), {}, status, schemas, Catalog({}), lambda: changes)

    async def publish(self, version: str, *changes: SchemaChangeItem, status: tuple[ModuleStatus, ...] = ()) -> None:
        self.snapshot = self._make(version, status, *changes)
        async with self._published:
            self._published.notify_all()

    async def changes(self) -> AsyncIterator[Snapshot]:
        seen = self.snapshot
        while True:
            async with self._published:
                while self.snapshot is seen:
                    await self._published.wait()
            seen = self.snapshot
            yield seen


class ToyDatabase:
    """Is there, or not."""

    is_away = False

    async def ping(self) -> None:
        if self.is_away:
            raise ConnectionRefusedError(SECRET)


class ToyCallers:
    """Knows one agent, by a token and by a cookie."""

    async def by_bearer(self, token: str) -> Called:
        if token != TOKEN:
            raise NotSignedIn
        return Called(ROOT, "session")

    async def by_cookie(self, secret: str) -> Called:
        return await self.by_bearer(secret)

    async def again(self, called: Called, secret: str) -> Called:
        await self.by_bearer(secret)
        return called


class ToyRights:
    """Lets everybody do everything."""

    async def of(self, principal: Principal) -> Rights:
        return unbounded(principal)


class Toy:
    """The small world, with a client that talks to the application without a socket."""

    def __init__(self, settings: Settings | None = None, **changed: Any) -> None:
        self.settings = replace(settings or Settings(), **changed)
        self.happened = Happened()
        self.registry = ToyRegistry(make_schema(self.happened))
        self.database = ToyDatabase()
        self.live = make_live(self.settings, self.registry, self.database)
        self.app = create_app(self.settings, self.live)
        self.client = self.connect()

    def connect(self, **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True, **options)
        headers = {"authorization": f"Bearer {TOKEN}", "cookie": f"lambdesk={TOKEN}"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=headers)

    async def ask(self, query: str, *, accept: str | None = None, **parameters: Any) -> httpx.Response:
        headers = {"accept": accept} if accept else {}
        return await self.client.post("/graphql", json={"query": query, **parameters}, headers=headers)

    async def data(self, query: str, **parameters: Any) -> Any:
        answer = (await self.ask(query, **parameters)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def refused(self, query: str, **parameters: Any) -> tuple[str, str]:
        """Return code and message of the first error of an operation that has no data."""
        answer = (await self.ask(query, **parameters)).json()
        assert "data" not in answer, answer
        return answer["errors"][0]["extensions"]["code"], answer["errors"][0]["message"]


def make_live(settings: Settings, registry: ToyRegistry, database: ToyDatabase) -> Live:
    async def run(call: Call) -> ExecutionResult:
        found = execute(
            call.snapshot.schema_for(call.audience),
            call.document,
            context_value=SimpleNamespace(snapshot=call.snapshot, access=access_of(call.rights)),
            variable_values=dict(call.variables),
            operation_name=call.operation.name.value if call.operation.name else None,
        )
        return found if isinstance(found, ExecutionResult) else await found

    async def introspect(_: Call) -> bytes | None:
        return None

    return Live(
        settings=settings,
        registry=registry,
        database=database,
        execute=run,
        introspect=introspect,
        documents=Documents(
            settings.limits, introspection=settings.introspection, suggestions=settings.shows_suggestions
        ),
        persisted=Persisted(settings.persisted, settings.persisted_dir),
        admission=Admission(settings.concurrency, settings.queue_length, settings.queue_seconds),
        guard=Guard(settings, ToyCallers(), ToyRights(), b"secret"),
    )
