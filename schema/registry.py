"""The registry: which modules serve now. It loads, checks, binds and publishes immutable snapshots, and never takes one back."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from graphql import GraphQLSchema

from schema.assembly import Binder, Bound
from schema.catalog import Catalog
from schema.changes import describe
from schema.collector import Breath, paused
from schema.loading import Draft, Loader
from schema.outline import changed_alone, clashes, visible
from schema.ports import Database, ExampleRunner, NewVersion, NoSandbox, Refusal
from schema.problems import Place, Problem, has_errors
from schema.snapshot import ModuleState, ModuleStatus, SchemaChangeItem, Snapshot
from schema.source import Source
from schema.spec import Audience, Module

# Makes the schemas of modules; given the schemas so far, because most of what is in them stays.
Builder = Callable[[Mapping[str, Module], Mapping[Audience, GraphQLSchema]], Mapping[Audience, GraphQLSchema]]

# While the database is away, loading is tried again this often.
RETRY_S = 0.5
# Without any news everything is looked at again this often: OTRS may have added a dynamic field, an administrator a table.
RECHECK_S = 30.0
# Those who waited for a snapshot use it before its versions are written; unless a change comes first, this long.
REST_S = 0.03

_log = logging.getLogger("lambdesk.modules")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check of an unsaved file found: every problem, and what publishing it would change."""

    problems: tuple[Problem, ...]
    changes: tuple[SchemaChangeItem, ...]

    @property
    def is_fit(self) -> bool:
        """Whether the file could go live."""
        return not has_errors(self.problems)


@dataclass(slots=True)
class _Work:
    """What one load produced before it is published; `live` says what serves otherwise than before."""

    snapshot: Snapshot
    live: dict[str, tuple[Source, ...]] = field(default_factory=dict)


class Registry:
    """Keeps the current snapshot. `changed()` asks for a reload; any number of calls during one costs one more.

    `reserved` are GraphQL names that no module may have, beside those that the schema of no modules has. `ready` is awaited
    with every snapshot before it serves.
    A file that is broken, clashes, or breaks clients while `refuse_breaking` is set keeps its last good version.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        database: Database,
        builder: Builder,
        *,
        refuse_breaking: bool = False,
        examples: ExampleRunner | None = None,
        author: str = "file",
        reserved: Iterable[str] = (),
        ready: Callable[[Snapshot], Awaitable[None]] | None = None,
    ) -> None:
        self._ready = ready
        self._loader = Loader(folders)
        self._database = database
        self.build = builder
        self._refuse_breaking = refuse_breaking
        self._examples = examples or NoSandbox()
        self._author = author
        self._binder = Binder()
        self._breath = Breath()
        self._catalog: Catalog | None = None
        self._looked = time.monotonic()  # when all of the database was last looked at
        self._dirty = asyncio.Event()
        self._published = asyncio.Condition()
        self._busy = asyncio.Lock()
        self._unrecorded: dict[str, tuple[str, Source]] = {}
        empty = builder({}, {})
        self._own_names = {name for schema in empty.values() for name in (*schema.type_map, *_roots(schema))}
        self._own_names |= set(reserved)
        self.snapshot = Snapshot("", 0, {}, (), empty, Catalog({}))
        self.is_loaded = False
        self._clear: Mapping[str, Module] = {}  # modules that were last found to claim no name twice
        self._compares = False  # whether `snapshot` is something that a new one can be compared with

    def changed(self) -> None:
        """Say that files may have changed; the running `serve` loop reloads."""
        self._dirty.set()

    async def start(self) -> None:
        """Load for the first time. Raises the database's `ConnectionError` while that is away."""
        self._catalog = await self._database.catalog()
        self._loader.remember(await self._database.last_good())
        if self._refuse_breaking:
            await self._recall()
        await self.reload()

    async def _recall(self) -> None:
        """Put together what served before a restart, so that what breaks clients is seen and refused as before it."""
        await asyncio.to_thread(self._loader.load)
        drafts = await asyncio.to_thread(self._loader.load, self._loader.kept_sources())
        work = await self._assemble(drafts)
        for name, sources in work.live.items():
            self._loader.went_live(name, sources)
        self.snapshot = replace(work.snapshot, number=0)
        self._compares = True

    async def serve(self, stop: asyncio.Event) -> None:
        """Start as soon as the database is there, then reload on every change, until `stop` is set."""
        while not stop.is_set():
            try:
                if not self.is_loaded:
                    await self.start()
                else:
                    await self._wait(stop, self._patience)
                    if stop.is_set():
                        return
                    async with self._busy:
                        await self._load()
                    await self._wait(stop, REST_S)
                    async with self._busy:
                        await self._record()
            except (ConnectionError, TimeoutError):
                await self._later(stop)
            except Exception:  # noqa: BLE001 - whatever a load runs into, what serves must go on serving
                _log.exception("loading the module files failed; what served before still serves")
                await self._later(stop)

    async def _later(self, stop: asyncio.Event) -> None:
        """Let a failed load be tried again soon."""
        self._dirty.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_S)

    @property
    def _patience(self) -> float:
        """How long nothing need be loaded without news: until the end of a vanished file's grace, if there is one."""
        return RECHECK_S if self._loader.pending_s is None else self._loader.pending_s

    async def _wait(self, stop: asyncio.Event, limit: float) -> None:
        """Wait for a change, for the limit in seconds, or for the end."""
        waits = [asyncio.ensure_future(self._dirty.wait()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(waits, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def reload(self) -> Snapshot:
        """Read the folders again, publish a snapshot if anything differs, and keep the versions that went live."""
        async with self._busy:
            await self._load()
            await self._record()
        return self.snapshot

    async def _load(self) -> None:
        """Load, and publish what differs. Only one load runs at a time."""
        self._dirty.clear()
        with paused():
            drafts = await asyncio.to_thread(self._loader.load)
            work = await self._assemble(drafts)
        if not self.is_loaded or _differs(work.snapshot, self.snapshot):
            await self._publish(work)

    async def check(self, file: str, data: bytes) -> Outcome:
        """Check an unsaved file as if it lay in the top layer; nothing is published, no table is made."""
        async with self._busy:
            drafts = await asyncio.to_thread(self._loader.load, {file: data})
            work = await self._assemble(drafts, dry_run=True)
        problems = tuple(
            problem for status in work.snapshot.status if file in status.files for problem in status.problems
        )
        return Outcome(problems, await asyncio.to_thread(lambda: work.snapshot.changes))

    async def survey(self) -> Snapshot:
        """Load everything as `start` would, but publish nothing, make no table and keep no version."""
        async with self._busy:
            drafts = await asyncio.to_thread(self._loader.load)
            return (await self._assemble(drafts, dry_run=True)).snapshot

    async def newer(self, than: int) -> Snapshot:
        """Wait for a snapshot with a number above `than`."""
        async with self._published:
            await self._published.wait_for(lambda: self.snapshot.number > than)
        return self.snapshot

    async def changes(self) -> AsyncIterator[Snapshot]:
        """Yield every snapshot that is published from now on; a slow reader skips to the newest."""
        seen = self.snapshot.number
        while True:
            snapshot = await self.newer(seen)
            seen = snapshot.number
            yield snapshot

    async def _publish(self, work: _Work) -> None:
        if self._ready is not None:
            await self._ready(work.snapshot)
        self.snapshot = work.snapshot
        self.is_loaded = self._compares = True
        self._loader.breathe = self._breath
        async with self._published:
            self._published.notify_all()
        for name, sources in work.live.items():
            for source in sources:
                if not self._loader.is_kept(source):
                    self._unrecorded[source.file] = (name, source)
            self._loader.went_live(name, sources)

    async def _record(self) -> None:
        """Keep what went live in the database; what cannot be written now is written after the next load."""
        if not self._unrecorded:
            return
        versions = [
            NewVersion(name, file, source.digest, source.text, self._author)
            for file, (name, source) in self._unrecorded.items()
        ]
        try:
            await self._database.record_versions(versions)
        except (ConnectionError, TimeoutError):
            _log.warning("the database is away; versions of module files are recorded when it is back")
            return
        self._unrecorded.clear()

    async def _assemble(self, drafts: Sequence[Draft], *, dry_run: bool = False) -> _Work:
        catalog = self._catalog or await self._database.catalog()
        binder = self._binder.copy() if dry_run else self._binder
        unbound = {draft.name: draft.first.module for draft in drafts if draft.first}
        # What does not serve now is looked at again: its table may have been made or mended meanwhile.
        waiting = {status.name for status in self.snapshot.status if status.state is not ModuleState.LIVE}
        fresh = [module for module in unbound.values() if module.name in waiting or not binder.knows(module)]
        catalog, refusals = await self._prepare(binder, catalog, fresh, unbound, dry_run=dry_run)
        if not dry_run:
            self._catalog = catalog
            binder.prepared(fresh)
        flaws = await self._examples.check(fresh)  # a lambda that fails keeps the last good version of its module
        return await asyncio.to_thread(self._bind_all, binder, drafts, catalog, refusals, flaws)

    async def _prepare(
        self,
        binder: Binder,
        catalog: Catalog,
        modules: Sequence[Module],
        others: Mapping[str, Module],
        *,
        dry_run: bool,
    ) -> tuple[Catalog, Mapping[str, list[Refusal]]]:
        """Look at the tables of changed modules again, and make what they need."""
        refusals: dict[str, list[Refusal]] = {}
        if self.is_loaded and time.monotonic() - self._looked > RECHECK_S:
            catalog = await self._database.refresh(catalog, set(catalog.tables) | binder.tables(modules))
            self._looked = time.monotonic()
        elif self.is_loaded:
            modules = await asyncio.to_thread(binder.unfit, modules, catalog, others) if modules else modules
            if modules:
                catalog = await self._database.refresh(catalog, binder.tables(modules))
        if not modules:
            return catalog, refusals
        plans = await asyncio.to_thread(binder.wanted, modules, catalog, others)
        if dry_run:
            return binder.imagined(catalog, plans), refusals
        if plans:
            for refusal in await self._database.ensure_tables(plans):
                refusals.setdefault(refusal.table, []).append(refusal)
            catalog = await self._database.refresh(catalog, {planned.name for planned in plans})
        return catalog, refusals

    def _bind_all(
        self,
        binder: Binder,
        drafts: Sequence[Draft],
        catalog: Catalog,
        refusals: Mapping[str, list[Refusal]],
        flaws: Mapping[str, Sequence[Problem]],
    ) -> _Work:
        """Bind every draft to the database; the first candidate of a module that holds serves."""
        others = {draft.name: draft.first.module for draft in drafts if draft.first}
        broken = {draft.name: draft.files[-1] for draft in drafts if draft.first is None}
        binder.begin(catalog, others, refusals, broken)
        bound = {}
        for draft in drafts:
            bound[draft.name] = binder.bind(draft, catalog, others, refusals, broken, flaws=flaws.get(draft.name, ()))
            self._loader.breathe()
        self._refuse_clashes(bound)
        self._loader.breathe()
        snapshot = self._snapshot(bound, catalog)
        if self._refuse_breaking and self._compares and self._hold_back(bound, snapshot.changes):
            snapshot = self._snapshot(bound, catalog)
        binder.finish(snapshot.modules)
        live = {
            name: item.sources
            for name, item in bound.items()
            if item.module is not None and item.sources and not self._loader.is_live(name, item.sources)
        }
        return _Work(snapshot, live)

    def _refuse_clashes(self, bound: dict[str, Bound]) -> None:
        """Of two modules that claim one GraphQL name, the one that is new (or later by name) stands back."""
        while True:
            modules = {name: item.module for name, item in bound.items() if item.module is not None}
            seen = visible(modules, Audience.AGENT)
            stays = changed_alone(self._clear, seen, Audience.AGENT) is not None
            found = [] if stays else clashes(modules, reserved=self._own_names)
            if not found:
                self._clear = seen
                return
            for graphql_name, first, second in found:
                if first in {"", second}:
                    self._refuse_name(bound, second, graphql_name, twice=first == second)
                    continue
                loser, winner = (first, second) if first not in self.snapshot.modules else (second, first)
                if second not in self.snapshot.modules:
                    loser, winner = second, first
                item, other = bound[loser], bound[winner]
                if item.module is None or other.module is None:
                    continue
                problem = Problem(
                    "name-clash",
                    f"Module `{loser}` makes the GraphQL name `{graphql_name}`, which module `{winner}` ({other.module.place}) makes too.",
                    item.module.place,
                    hint="Rename one of them, or give one another `plural_name`.",
                )
                bound[loser] = item.refused(problem, self.snapshot.modules.get(loser))
                previous = bound[loser].module
                if previous is not None and clashes({loser: previous, winner: other.module}):
                    bound[loser] = bound[loser].refused(problem, None)

    def _refuse_name(self, bound: dict[str, Bound], name: str, graphql_name: str, *, twice: bool) -> None:
        """Keep the last good version of a module that makes a name twice, or one that Lambdesk has itself."""
        item = bound[name]
        if item.module is None:
            return
        problem = Problem(
            "name-clash",
            f"Module `{name}` makes the GraphQL name `{graphql_name}`"
            + (" twice." if twice else ", which Lambdesk has itself."),
            item.module.place,
            hint="Rename the field whose options make it." if twice else "Rename the module.",
        )
        previous = self.snapshot.modules.get(name)
        bound[name] = item.refused(problem, previous if previous is not item.module else None)

    def _hold_back(self, bound: dict[str, Bound], changes: Sequence[SchemaChangeItem]) -> bool:
        """Keep the old version of modules whose change would break clients."""
        held = False
        for name in {item.module for item in changes if item.kind == "BREAKING"}:
            old = self.snapshot.modules.get(name)
            item = bound.get(name)
            if old is None or item is None:
                continue
            what = "; ".join(
                change.description for change in changes if change.module == name and change.kind == "BREAKING"
            )
            changed = [source.file for source in item.sources if not self._loader.is_kept(source)]
            place = Place(changed[-1] if changed else item.files[-1])
            problem = Problem(
                "breaking-change",
                f"The new version of module `{name}` would break clients: {what}",
                place,
                hint="Deprecate first, or unset LAMBDESK_REFUSE_BREAKING for this change.",
            )
            bound[name] = item.refused(problem, old)
            held = True
        return held

    def _snapshot(self, bound: Mapping[str, Bound], catalog: Catalog) -> Snapshot:
        modules = {name: item.module for name, item in bound.items() if item.module is not None}
        status = tuple([item.status for item in bound.values()])
        digests = "".join([f"{name}={module.digest};" for name, module in modules.items()])
        snapshot = Snapshot(
            version=hashlib.sha256(digests.encode()).hexdigest()[:12],
            number=self.snapshot.number + 1,
            modules=modules,
            status=status,
            schemas=self.build(modules, self.snapshot.schemas),
            catalog=catalog,
        )
        if not self._compares:
            return snapshot
        old = self.snapshot.modules
        names = [name for name in {**old, **modules} if old.get(name) is not modules.get(name)]
        return replace(snapshot, compare=partial(describe, old, modules, names)) if names else snapshot


def _roots(schema: GraphQLSchema) -> Iterable[str]:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return (name for root in roots if root for name in root.fields)


def _differs(new: Snapshot, old: Snapshot) -> bool:
    return new.version != old.version or _visible(new.status) != _visible(old.status)


def _visible(
    status: Iterable[ModuleStatus],
) -> list[tuple[str, ModuleState, str, tuple[str, ...], tuple[Problem, ...]]]:
    return [(item.name, item.state, item.version, item.files, item.problems) for item in status]
