"""Bringing everything to life behind the routes, and putting it to rest again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from graphql import ExecutionResult, FieldNode, GraphQLSchema, OperationDefinitionNode

from desk.conducts import make_conducts
from desk.desk import make_desk
from desk.hands import make_hands
from desk.mutations import graphql_names, lacking
from desk.notes import NOTE
from desk.permission_hands import HANDS
from identity.rights import Rights, RightsReader
from resolvers.context import Context
from resolvers.deliveries import Post
from resolvers.document import Documents
from resolvers.execute import execute
from resolvers.lambda_check import LambdaChecker
from resolvers.lambda_memory import Memory
from resolvers.text_index import TextIndex
from resolvers.writing import Writing
from schema.build import LambdeskSchema, build_schema
from schema.catalog import GROUP_TABLES, group_table
from schema.collector import settle
from schema.introspection import answer
from schema.ports import ExampleRunner
from schema.problems import report
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.spec import Audience, Module
from schema.watch import watch
from storage.claim import claim
from storage.engine import Database
from storage.feed import Feed
from storage.files import Files
from storage.install import install
from storage.library import Library
from web.admission import Admission
from web.afterwards import Afterwards, make_afterwards, make_finder, make_outside
from web.favourites import Favourites
from web.first_passwords import KnownPassword, check_reach, give_passwords
from web.following import Following
from web.happenings import Happenings
from web.identities import Identities, make_identities
from web.import_jobs import ImportJobs
from web.lambdas import Lambdas, keep_told, make_asks, make_lambdas
from web.live import Call, Live, Transfers
from web.persisted import Persisted
from web.platform import hand_written
from web.recognition import Guard
from web.search_keeping import keep_texts
from web.settings import Settings, load_secret_key
from web.sweeping import brooms_of, keep_swept
from web.workshop import PlatformContext, Workshop

RETRY_S = 0.5
SETTLE_AFTER_S = 1.0  # not while the first requests wait
FIRST_SNAPSHOT = 1  # what it is made of stays for the life of the process

_log = logging.getLogger("lambdesk.modules")
_start = logging.getLogger("lambdesk.start")


def build(modules: Mapping[str, Module], before: Mapping[Audience, GraphQLSchema]) -> Mapping[Audience, GraphQLSchema]:
    """Make the schemas of both audiences, from those so far."""
    return {
        audience: build_schema(modules, audience, hand_written(audience), before.get(audience)).mortal()
        for audience in Audience
    }


def open_database(settings: Settings) -> Database:
    """Make the database of the settings; nothing is connected yet."""
    return Database(
        settings.database_url,
        db_time_zone=settings.db_time_zone,
        pool_size=settings.pool_size,
        statement_timeout_s=settings.statement_seconds,
        acquire_timeout_s=settings.queue_seconds,
    )


def open_registry(
    settings: Settings,
    database: Database,
    folders: Sequence[Path] | None = None,
    ready: Callable[[Snapshot], Awaitable[None]] | None = None,
    examples: ExampleRunner | None = None,
) -> Registry:
    """Make the registry of the settings, or of other folders; nothing is loaded yet."""
    return Registry(
        folders or settings.modules_dir,
        Library(database),
        build,
        refuse_breaking=settings.refuse_breaking,
        reserved=graphql_names(),
        ready=ready,
        examples=examples,
    )


def make_live(settings: Settings) -> Live:
    """Make what serves requests; nothing runs before its `background` is entered."""
    secret = load_secret_key(settings)
    database = open_database(settings)
    documents = Documents(
        settings.limits,
        introspection=settings.introspection,
        suggestions=settings.shows_suggestions,
        cache_size=settings.document_cache,
    )
    favourites = Favourites(documents)
    lambdas, asks, memory = make_lambdas(settings), make_asks(settings), Memory()
    registry = open_registry(settings, database, ready=favourites.plan, examples=LambdaChecker(lambdas))
    workshop = Workshop(registry, Library(database), settings.modules_dir, settings.refuse_breaking)
    files = Files(database, settings.files_dir)
    desk = make_desk(database, files)
    conducts, hands = make_conducts(desk), {**make_hands(desk), **HANDS}

    happenings = Happenings(database, lambda: registry.snapshot.modules)
    feed = happenings.feed
    texts = TextIndex(database, happenings)
    imports = ImportJobs(database, files)
    outside = make_outside(settings, database, secret)

    identities = make_identities(settings, database, secret)
    rights = RightsReader(database, lambda: groups_of(registry))
    guard = Guard(settings, identities.callers, rights, secret)

    def committed() -> None:
        feed.notify()
        afterwards.courier.wake()

    writing = Writing(conducts, hands, note=NOTE, outside=outside, committed=committed)

    def context_of(call: Call) -> PlatformContext:
        return PlatformContext(
            identities=identities,
            settings=settings,
            rights_reader=rights,
            guest=call.caller,
            cookies=call.cookies,
            workshop=workshop,
            imports=imports,
            afterwards=afterwards,
            writing=replace(writing, idempotency_key=call.idempotency_key) if call.idempotency_key else writing,
            snapshot=call.snapshot,
            database=database,
            secret=secret,
            rights=call.rights,
            request_id=call.request_id,
            deadline=call.deadline,
            languages=call.languages,
            changes=happenings,
            notes=[] if call.explains else None,
            texts=texts,
            lambdas=lambdas,
            lambda_limits=settings.lambda_limits,
            memory=memory,
            asks=asks,
        )

    async def run(call: Call) -> ExecutionResult:
        name = call.operation.name.value if call.operation.name else None
        context = context_of(call)
        return await execute(context, call.document, name, call.variables, writing=context.writing)

    def follow(call: Call) -> AsyncIterator[ExecutionResult] | None:
        following = Following(call, context_of, live.snapshot, guard.again, settings.request_seconds)
        return following.results(feed) if following.node else None

    def gather(call: Call, since_ms: int | None) -> AsyncIterator[ExecutionResult] | None:
        following = Following(call, context_of, live.snapshot, guard.again, settings.request_seconds)
        return following.gathered(feed, since_ms) if following.node else None

    live = Live(
        settings=settings,
        registry=registry,
        database=database,
        execute=run,
        follow=follow,
        gather=gather,
        introspect=Introspection(),
        documents=documents,
        favourites=favourites,
        persisted=Persisted(settings.persisted, settings.persisted_dir),
        admission=Admission(settings.concurrency, settings.queue_length, settings.queue_seconds),
        guard=guard,
        identities=identities,
        texts=texts,
        lambdas=lambdas,
    )

    def begin(snapshot: Snapshot, rights: Rights, request_id: str) -> Context:
        deadline = time.monotonic() + settings.request_seconds
        return Context(snapshot, database, secret, rights, request_id=request_id, deadline=deadline, texts=texts)

    def begin_delivery(snapshot: Snapshot, rights: Rights, request_id: str) -> Context:
        limits = settings.lambda_limits
        return replace(begin(snapshot, rights, request_id), lambdas=lambdas, lambda_limits=limits, asks=asks)

    post = Post(database, make_finder(identities, secret), rights.of, begin_delivery, writing, outside)
    afterwards = make_afterwards(settings, post, lambda: registry.snapshot if registry.is_loaded else None)
    favourites.begin = begin
    places = (Admission(settings.file_transfers, settings.queue_length, settings.queue_seconds) for _ in range(2))
    live.transfers = Transfers(files, begin, *places)
    live.background = lambda: _background(live, registry, imports, feed, identities, afterwards=afterwards)
    live.lacking = lambda snapshot: lacking(snapshot.modules)
    live.claim = lambda: claim(database.file)
    return live


def groups_of(registry: Registry) -> str:
    """Name the table of groups: OTRS 6 and Znuny call it differently. Before the modules are loaded nobody is let in."""
    if not registry.is_loaded:
        return GROUP_TABLES[0]
    snapshot = registry.snapshot
    found: str | None = snapshot.memo.get(group_table)
    if found is None:
        found = snapshot.memo[group_table] = group_table(snapshot.catalog.tables) or GROUP_TABLES[0]
    return found


class Introspection:
    """Answers operations that only ask for the schema, without the executor.

    The first answer takes more than 100 ms, so it is made beside the event loop; whoever asks meanwhile waits for the same.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, call: Call) -> bytes | None:
        """Return the answer, or None for an operation that asks for anything else."""
        if asks_for_data(call.operation):
            return None
        schema = cast("LambdeskSchema", call.snapshot.schema_for(call.audience))
        name = call.operation.name.value if call.operation.name else None
        async with self._one_at_a_time:
            return await asyncio.to_thread(answer, schema, call.document, name, call.variables)


def asks_for_data(operation: OperationDefinitionNode) -> bool:
    """Tell at a glance that an operation does not only introspect; fragments are looked into only by the answer."""
    return any(
        isinstance(node, FieldNode) and not node.name.value.startswith("__")
        for node in operation.selection_set.selections
    )


@asynccontextmanager
async def _background(
    live: Live, registry: Registry, imports: ImportJobs, feed: Feed, identities: Identities, *, afterwards: Afterwards
) -> AsyncIterator[None]:
    """Keep modules loaded and watched. The database may be away, now or later."""
    settings = live.settings
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_serve(settings, identities, registry, stop)),
        asyncio.create_task(_tell(registry)),
        asyncio.create_task(afterwards.schedules.keep(stop)),
    ]
    if settings.lambda_processes:  # else what is to be run waits for a server that runs lambdas
        tasks.append(asyncio.create_task(afterwards.courier.run()))
    if live.lambdas is not None:
        live.lambdas.start()
        tasks.append(asyncio.create_task(_follow(registry, live.lambdas)))
        tasks.append(asyncio.create_task(keep_told(live.lambdas, stop)))
    if live.texts is not None:
        keeping = keep_texts(live.texts, lambda: registry.snapshot if registry.is_loaded else None, stop)
        tasks.append(asyncio.create_task(keeping))
    if live.transfers is not None:
        tasks.append(asyncio.create_task(keep_swept(brooms_of(live.transfers.files, identities, settings), stop)))
    if settings.watch != "off":
        polling = settings.watch == "poll"
        watching = watch(settings.modules_dir, registry.changed, stop=stop, force_polling=polling)
        tasks.append(asyncio.create_task(watching))
    try:
        yield
    finally:
        live.stopping.set()
        stop.set()
        await asyncio.gather(imports.stop(), afterwards.courier.stop())
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if live.lambdas is not None:
            await live.lambdas.close()
        await feed.close()
        identities.hashing.close()
        await identities.database.close()


async def _follow(registry: Registry, lambdas: Lambdas) -> None:
    """Tell the sandbox of every snapshot."""
    async for snapshot in registry.changes():
        lambdas.loaded(snapshot)


async def _serve(settings: Settings, identities: Identities, registry: Registry, stop: asyncio.Event) -> None:
    """Install what an empty database needs as soon as it is there, then load and reload modules.

    Nobody can sign in before. A database with a password that everybody knows is not served beyond this machine.
    """
    while not stop.is_set():
        try:
            await prepare_database(settings, identities)
            await check_reach(settings, identities.database)
            break
        except KnownPassword as error:
            _start.error("%s", error)
            signal.raise_signal(signal.SIGTERM)
            return
        except ConnectionError:
            _start.warning("the database is not available; trying again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_S)
    await registry.serve(stop)


async def prepare_database(settings: Settings, identities: Identities) -> None:
    """Give an empty database its tables and first rows, demo data where that is wanted, and the first passwords."""
    database = identities.database
    installed = await install(database)
    _start.info("the database is ready", extra={"fields": {"found": installed.outcome, "layout": installed.layout}})
    for line in await give_passwords(settings, database, identities.hashing):
        print(line, flush=True)  # noqa: T201 - for whoever starts it, and for no log


async def _tell(registry: Registry) -> None:
    """Tell the operator about every snapshot: how many modules serve, and every problem as a report."""
    async for snapshot in registry.changes():
        tell(snapshot)
        if snapshot.number == FIRST_SNAPSHOT:
            asyncio.get_running_loop().call_later(SETTLE_AFTER_S, settle)


def tell(snapshot: Snapshot) -> None:
    """Log what a snapshot serves."""
    fields = {"version": snapshot.version, "modules": len(snapshot.modules), "problems": len(snapshot.problems)}
    if snapshot.problems:
        _log.warning("modules are live, some with problems\n%s", report(snapshot.problems), extra={"fields": fields})
    else:
        _log.info("modules are live", extra={"fields": fields})
    for message in lacking(snapshot.modules):
        _log.warning(message)
