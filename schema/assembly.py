"""Binding drafts to the database with what is known from last time: only what changed is bound again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from schema.bind import bind
from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.check import unsaid, with_excerpt
from schema.loading import Draft
from schema.plan import plan
from schema.ports import PlannedTable, Refusal
from schema.problems import Problem, has_errors
from schema.snapshot import ModuleState, ModuleStatus
from schema.source import Source
from schema.spec import Module, Relation
from schema.tables import module_on, present, side_table, table_of


@dataclass(frozen=True)
class Bound:
    """A module name, what serves for it (None: nothing), and what was found on the way."""

    name: str
    files: tuple[str, ...]
    sources: tuple[Source, ...]
    module: Module | None
    current: bool
    absent: bool
    problems: tuple[Problem, ...]

    def refused(self, problem: Problem, fallback: Module | None, *more: Problem) -> Bound:
        """Return this with a reason why the newest version does not serve, and what serves instead."""
        return replace(self, module=fallback, current=False, problems=(*self.problems, problem, *more), sources=())

    @cached_property
    def status(self) -> ModuleStatus:
        """Say what serves, for people."""
        state = ModuleState.LIVE if self.current else ModuleState.STALE
        if self.module is None:
            state = ModuleState.ABSENT if self.absent else ModuleState.BROKEN
        version = self.module.digest[:12] if self.module else ""
        return ModuleStatus(self.name, state, version, self.files, self.problems, self.module)


@dataclass(slots=True)
class _Kept:
    """The result of one binding, and the objects that it depends on, compared by identity."""

    needs: tuple[object, ...]
    module: Module | None
    problems: tuple[Problem, ...]
    round: int


@dataclass(frozen=True, slots=True)
class _Around:
    """What one round binds in: by module name what the files say, or the file that is broken."""

    catalog: Catalog
    others: Mapping[str, Module]
    broken: Mapping[str, str]

    def changed(self, now: _Around) -> set[str]:
        """Name the modules that are something else now."""
        return {
            name
            for before, after in ((self.others, now.others), (self.broken, now.broken))
            for name in before.keys() | after.keys()
            if before.get(name) is not after.get(name)
        }


@dataclass(frozen=True, slots=True)
class _Last:
    """What the last round made of a draft, and the names of all modules that it looked at."""

    draft: Draft
    made: Bound
    names: frozenset[str]
    kept: _Kept


@dataclass(slots=True)
class Binder:
    """Binds and remembers. What a binding depends on is compared by identity, so unchanged modules cost nothing."""

    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _planned: dict[str, Module] = field(default_factory=dict)
    _served: dict[str, Module] = field(default_factory=dict)  # by name: what the last round found to serve
    _rounds: int = 0
    _last: dict[str, _Last] = field(default_factory=dict)  # by name, of files that are good as they are
    _around: _Around | None = None  # of this round
    _before: _Around | None = None  # of the round before, if that came to its end
    _changed: set[str] | None = None  # modules that changed between the two; None: look at everything

    def copy(self) -> Binder:
        """Return a binder that knows as much, for a check whose findings must not be remembered."""
        return Binder(dict(self._kept), dict(self._planned), dict(self._served), self._rounds)

    def knows(self, module: Module) -> bool:
        """Answer whether this very module was prepared before."""
        return self._planned.get(module.name) is module

    def tables(self, modules: Iterable[Module]) -> set[str]:
        """Name every table that may matter to these modules."""
        names: set[str] = set()
        for module in modules:
            names.update(module.tables)
            names.update(side_table(table) for table in module.tables)
            names.update(relation.through for relation in module.relations if relation.through)
        return names

    def prepared(self, modules: Iterable[Module]) -> None:
        """Note that the database has what these modules need."""
        self._planned.update((module.name, module) for module in modules)

    def wanted(self, modules: Iterable[Module], catalog: Catalog, others: Mapping[str, Module]) -> list[PlannedTable]:
        """Return the tables that modules need, of those modules only that are fit: a broken file makes no table."""
        plans = {module.name: plan(module, catalog, others) for module in modules}
        whole = self.imagined(catalog, (planned for some in plans.values() for planned in some))
        return [
            planned
            for module in modules
            if plans[module.name] and not has_errors(bind(module, whole, others)[1])
            for planned in plans[module.name]
        ]

    def unfit(self, modules: Iterable[Module], catalog: Catalog, others: Mapping[str, Module]) -> list[Module]:
        """Return the modules that need something of the database that is not known to be there."""
        return [
            module for module in modules if plan(module, catalog, others) or self._bind(module, catalog, others, {})[1]
        ]

    def imagined(self, catalog: Catalog, plans: Iterable[PlannedTable]) -> Catalog:
        """Return the catalog as it would be with the planned tables, for checks that must not make any."""
        tables = dict(catalog.tables)
        for planned in plans:
            tables[planned.name] = _imagine(planned, tables.get(planned.name), catalog)
        return replace(catalog, tables=tables, managed=catalog.managed | {planned.name for planned in plans})

    def begin(
        self,
        catalog: Catalog,
        others: Mapping[str, Module],
        refusals: Mapping[str, list[Refusal]],
        broken: Mapping[str, str],
    ) -> None:
        """Begin a round, which `finish` ends: find out what has changed since the last one."""
        self._around = now = _Around(catalog, others, broken)
        before, self._before = self._before, None
        stays = before is not None and before.catalog is catalog and not refusals
        self._changed = before.changed(now) if before is not None and stays else None

    def bind(
        self,
        draft: Draft,
        catalog: Catalog,
        others: Mapping[str, Module],
        refusals: Mapping[str, list[Refusal]],
        broken: Mapping[str, str],
        *,
        flaws: Sequence[Problem] = (),
    ) -> Bound:
        """Bind the first candidate of a draft that holds; when none does, what served before goes on serving.

        `broken` names the file of every module that has no candidate at all; `flaws` are what else is wrong with the first one.
        """
        last = self._last.get(draft.name)
        if last and last.draft is draft and self._changed is not None and last.names.isdisjoint(self._changed):
            last.kept.round = self._rounds
            return last.made
        problems = list(draft.problems)
        if draft.partial is not None:
            whole = self.imagined(catalog, plan(draft.partial, catalog, others))
            seen = {**others, draft.name: draft.partial}
            problems += unsaid(problems, bind(draft.partial, whole, seen, broken)[1])
        previous = self._served.get(draft.name)
        made: Bound | None = None
        for candidate in draft.candidates():
            newest = draft.current and candidate is draft.first
            unbound = candidate.module
            if unbound.optional and table_of(unbound, catalog) is None:
                return Bound(draft.name, draft.files, draft.sources, None, newest, newest, ())
            refused = [*_refused(unbound, catalog, refusals), *flaws] if candidate is draft.first else []
            found, bind_problems = self._bind(unbound, catalog, others, broken)
            if newest:
                problems += [*refused, *bind_problems]
            if found is not None and not has_errors([*refused, *bind_problems]):
                made = Bound(draft.name, draft.files, candidate.sources, found, newest, absent=False, problems=())
                break
        if made is None:
            made = Bound(draft.name, draft.files, (), previous, current=False, absent=False, problems=())
        shown = tuple(with_excerpt(problem, draft.sources) for problem in problems)
        made = replace(made, problems=shown) if shown else made
        self._remember(draft, made, others)
        return made

    def _remember(self, draft: Draft, made: Bound, others: Mapping[str, Module]) -> None:
        """Keep what was made of a draft that is good as it is, so that the next round need not look at it."""
        self._last.pop(draft.name, None)
        if made.current and made.module is not None and draft.first is not None:
            module = draft.first.module
            if any(item.settings.get("lookup_table") for item in module.fields):
                return  # any module may come to sit on that table
            names = frozenset((draft.name, module.name, *_targets(module, others)))
            self._last[draft.name] = _Last(draft, made, names, self._kept[module.name, module.digest])

    def finish(self, modules: Mapping[str, Module]) -> None:
        """Note what serves after a round, and forget bindings that nobody asked for lately."""
        self._served = dict(modules)
        self._before = self._around
        self._last = {name: last for name, last in self._last.items() if name in modules}
        self._rounds += 1
        self._kept = {key: kept for key, kept in self._kept.items() if kept.round >= self._rounds - 2}

    def _bind(
        self, module: Module, catalog: Catalog, others: Mapping[str, Module], broken: Mapping[str, str]
    ) -> tuple[Module | None, tuple[Problem, ...]]:
        needs = tuple(_needs(module, catalog, others, broken))
        key = (module.name, module.digest)
        kept = self._kept.get(key)
        if (
            kept is not None
            and len(kept.needs) == len(needs)
            and all(a is b for a, b in zip(kept.needs, needs, strict=True))
        ):
            kept.round = self._rounds
            return kept.module, kept.problems
        bound, problems = bind(module, catalog, others, broken)
        if bound is not None:
            bound = replace(bound, digest=_digest(bound, catalog))
            served = self._served.get(module.name)
            if served is not None and served.digest == bound.digest:
                bound = served  # nothing that shows has changed: everything made of it stays good
        self._kept[key] = _Kept(needs, bound, tuple(problems), self._rounds)
        return bound, tuple(problems)


def _needs(
    module: Module, catalog: Catalog, others: Mapping[str, Module], broken: Mapping[str, str]
) -> Iterable[object]:
    """Yield everything that the binding of a module looks at: its tables, its targets and theirs."""
    yield module
    yield catalog.dynamic_fields
    for table in module.tables:
        yield catalog.tables.get(table)
        yield catalog.tables.get(side_table(table))
    seen = {module.name}
    for name in _targets(module, others):
        if name in seen:
            continue
        seen.add(name)
        target = others.get(name)
        yield target if target is not None else broken.get(name)
        if target is not None:
            table_name = table_of(target, catalog)
            yield catalog.tables.get(table_name) if table_name else None
    for relation in module.relations:
        if relation.through:
            yield present(relation.through, catalog)


def _targets(module: Module, others: Mapping[str, Module]) -> Iterable[str]:
    """Name the modules that a module leads to: directly, and along the dotted paths of `needs`."""
    for item in module.fields:
        if item.to:
            yield item.to
        elif item.settings.get("lookup_table"):
            target = module_on(item.settings["lookup_table"], others)
            yield target.name if target is not None else ""
    for relation in module.relations:
        yield relation.to
    for computed in module.computed:
        for path in computed.needs or ():
            yield from _path(module, path.split("."), others)


def _path(module: Module, steps: Sequence[str], others: Mapping[str, Module]) -> Iterable[str]:
    here: Module | None = module
    for step in steps:
        member = here.by_name.get(step) if here else None
        to = getattr(member, "to", None)
        if to is None or isinstance(member, Relation):
            return
        yield to
        here = others.get(to)


def _refused(module: Module, catalog: Catalog, refusals: Mapping[str, list[Refusal]]) -> list[Problem]:
    """Turn what the database side could not make into problems of the file."""
    table = table_of(module, catalog) or (module.tables[0] if module.tables else "")
    found: list[Problem] = []
    for refusal in (*refusals.get(table, ()), *refusals.get(side_table(table), ())):
        place = next((item.place for item in module.fields if item.column == refusal.column), module.place)
        found.append(Problem("table-refused", refusal.message, place, hint=refusal.hint))
    return found


def _digest(module: Module, catalog: Catalog) -> str:
    """Hash a bound module and what it sits on: the digest changes when the API could."""
    tables = (catalog.tables.get(module.table), catalog.tables.get(module.side_table or ""))
    faces = [
        (item.name, item.to, item.by_column, item.home, item.column_class, item.nullable, item.dynamic)
        for item in module.fields
    ]
    links = [(item.name, item.to, item.here_column, item.link_column, item.there_column) for item in module.relations]
    text = repr((module.digest, tables, faces, links, module.row_keys, module.key_columns))
    return hashlib.sha256(text.encode()).hexdigest()


def _imagine(planned: PlannedTable, existing: Table | None, catalog: Catalog) -> Table:
    columns = dict(existing.columns) if existing else {}
    key = existing.key if existing else planned.key
    if planned.beside and not existing:
        base = catalog.tables[planned.beside]
        key = base.key
        columns.update((name, base.columns[name]) for name in key)
    elif not key:
        key = ("id",)
        columns["id"] = Column("id", ColumnClass.INT, nullable=False, autoincrement=True)
    if planned.audit and not existing:
        for name, kind in (("create_time", ColumnClass.DATETIME), ("create_by", ColumnClass.INT)):
            columns[name] = Column(name, kind, nullable=False)
        for name, kind in (("change_time", ColumnClass.DATETIME), ("change_by", ColumnClass.INT)):
            columns[name] = Column(name, kind, nullable=False)
    if planned.validity and not existing:
        columns["valid_id"] = Column("valid_id", ColumnClass.SMALLINT, nullable=False)
    for column in planned.columns:
        columns[column.name] = Column(
            column.name, column.type, column.nullable, column.size, column.default is not None
        )
    unique = tuple((column.name,) for column in planned.columns if column.unique)
    return Table(planned.name, columns, key, unique)
