"""A planned operation: its statements as text, its answer by code of its own. Nothing is analysed when it runs.

`resolvers.planner` makes plans. What is not plain when one runs (a value that cannot be read, a null that must not be) raises
`Unplain`, and the operation is answered as if there were no plan.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from graphql import OperationDefinitionNode

from resolvers.cursors import CursorKey
from resolvers.door import Door
from resolvers.errors import OperationError
from resolvers.ids import key_of
from resolvers.nodes import AggregateNode
from resolvers.reads import Reads, together
from resolvers.selection import Selected
from resolvers.shape import link_key
from resolvers.templates import Template, is_plain
from resolvers.view import Look, Row, View
from resolvers.writers import Unplain, Write
from schema.bindings import ToMany
from schema.spec import Module

Values: TypeAlias = Sequence[Any]
# An IN list gets one of these lengths, the last owner repeated: so a few statements serve any number of owners.
LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1_024, 2_048, 4_096)
WANTED = ("rows", "total", "far side")  # of a relation's page


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """A list that shows cursors: they hold for what it was asked with, which is looked at at each run."""

    selected: Selected
    module: Module
    link: ToMany | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a plan: how it reads, the values of its variables and its caller, and what signs the cursors of a list.

    `planner` makes what is not there yet.
    """

    reads: Reads
    values: Values
    key_of: Callable[[Keyed], CursorKey]
    planner: Callable[[], Planner]


class Step(Protocol):
    """What reads and writes one root."""

    async def run(self, run: Run) -> Any:
        """Return the answer of the root."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A root that is known: `__typename`, `schemaVersion`."""

    value: Any

    async def run(self, _run: Run) -> Any:
        """Return it."""
        return self.value


@dataclass(frozen=True, slots=True)
class OneStep:
    """`queue(by:)`."""

    rows: Template
    view: View
    links: tuple[Link, ...]

    async def run(self, run: Run) -> Any:
        """Read the row, and what hangs on it."""
        rows = await run.reads.fetch(self.rows.fill(run.values))
        if not rows:
            return None
        return self.view.every(rows, await look_up(run, self.links, rows))[0]


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What is known of a page when it is written."""

    rows: Sequence[Row]
    goes_on: bool
    total: int
    far_side: bool
    cursor: Callable[[Row], str]

    @classmethod
    def of(cls, page: Page, rows: Sequence[Row], total: int, far_side: bool, cursor: Callable[[Row], str]) -> PageInfo:
        """Tell it of the rows that were read, one more than the page has where it goes on."""
        return cls(page.kept(rows), len(rows) > page.size, total, far_side, cursor)


Part: TypeAlias = Callable[[PageInfo, Mapping[View, Sequence[Look]]], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """How a page of a list is written: its size and direction, its parts, and what stands in its rows."""

    size: int
    backward: bool
    parts: tuple[tuple[str, Part], ...]
    views: tuple[tuple[View, tuple[Link, ...]], ...]
    sort: tuple[int, ...]
    keyed: Keyed | None = None  # where cursors are shown

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the page in their order, without the one that shows that it goes on."""
        kept = rows[: self.size]
        return kept[::-1] if self.backward else kept

    async def look_up(self, run: Run, rows: Sequence[Row]) -> Mapping[View, Sequence[Look]]:
        """Read what hangs on rows, of this page or of several."""
        return {view: await look_up(run, links, rows) if links else () for view, links in self.views}

    def cursor(self, run: Run, owner: str | None) -> Callable[[Row], str]:
        """Return what makes the cursor of a row."""
        if self.keyed is None:
            return _no_cursor
        key, end = run.key_of(self.keyed), () if owner is None else (owner,)
        return lambda row: key.write([*(row[position] for position in self.sort), *end])

    def write(self, found: PageInfo, looks: Mapping[View, Sequence[Look]]) -> dict[str, Any]:
        """Write the connection."""
        return {key: part(found, looks) for key, part in self.parts}


@dataclass(frozen=True, slots=True)
class ListStep:
    """`queues(...)`."""

    page: Page
    rows: Template | None
    total: Template | None
    far_side: Template | None

    async def run(self, run: Run) -> Any:
        """Read the page and what is asked about it, at once."""
        rows, total, far_side = await _all(run, [self.rows, self.total, self.far_side])
        page = self.page
        counted = int(total[0][0]) if total else 0
        found = PageInfo.of(page, rows or (), counted, bool(far_side), page.cursor(run, None))
        return page.write(found, await page.look_up(run, found.rows))


@dataclass(slots=True, eq=False)
class Owned:
    """The statements of a relation's page, each made when so many owners are met for the first time.

    They are made by a planner of the request that meets them: what a plan keeps must not lead to its snapshot, which would
    outlive its time. `number` is the list's among those of the operation, `wanted` what is asked of it.
    """

    number: int
    wanted: tuple[str, ...]
    as_text: bool  # owners are compared as texts, whatever they are where they stand
    made: dict[tuple[str, int], Template] = field(default_factory=dict)

    def get(self, what: str, count: int, planner: Callable[[], Planner]) -> Template | None:
        """Return a statement for so many owners; None where it is not asked for."""
        if what not in self.wanted:
            return None
        found = self.made.get((what, count))
        if found is None:
            found = self.made[what, count] = planner().owned(self, what, count)
        return found


class Planner(Protocol):
    """Makes statements of a plan later on."""

    def owned(self, owned: Owned, what: str, count: int) -> Template:
        """Make a statement of a relation's page."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A relation inside rows: `position` is where the owner's value stands, `link` where it stands in the rows that are read."""

    position: int
    link: int
    page: Page
    owned: Owned

    async def run(self, run: Run, rows: Sequence[Row]) -> Look:
        """Read the pages of all owners."""
        owners = {link_key(value): value for value in (row[self.position] for row in rows) if value is not None}
        pages: dict[str, Any] = {}
        names = list(owners)
        for start in range(0, len(names), LENGTHS[-1]):
            part = names[start : start + LENGTHS[-1]]
            await self._read(run, part, part if self.owned.as_text else [owners[name] for name in part], pages)
        nothing = PageInfo((), goes_on=False, total=0, far_side=False, cursor=_no_cursor)
        empty = self.page.write(nothing, {view: () for view, _ in self.page.views})

        def look(value: Any) -> Any:
            return empty if value is None else pages[link_key(value)]

        return look

    async def _read(self, run: Run, names: Sequence[str], owners: Sequence[Any], pages: dict[str, Any]) -> None:
        if not all(map(is_plain, owners)):
            raise Unplain
        length = next(length for length in LENGTHS if length >= len(owners))
        values = [*run.values, *owners, *[owners[-1]] * (length - len(owners))]
        templates = [self.owned.get(what, length, run.planner) for what in WANTED]
        read, totals, far = await _all(replace(run, values=values), templates)
        by_owner: dict[str, list[Row]] = {}
        for row in read or ():
            by_owner.setdefault(link_key(row[self.link]), []).append(row)
        page = self.page
        looks = await page.look_up(run, [row for rows in by_owner.values() for row in rows[: page.size]])
        counted = {link_key(owner): int(count) for owner, count in totals or ()}
        beyond = {link_key(owner) for owner, _ in far or ()}
        for name in names:
            rows = by_owner.get(name, ())
            cursor = page.cursor(run, name) if rows else _no_cursor
            found = PageInfo.of(page, rows, counted.get(name, 0), name in beyond, cursor)
            pages[name] = page.write(found, looks)


@dataclass(frozen=True, slots=True)
class AggregateStep:
    """`queueAggregate`. What a grouped reference leads to depends on the groups, and is read by the door."""

    node: AggregateNode
    rows: Template
    write: Write

    async def run(self, run: Run) -> Any:
        """Read the groups."""
        rows = await run.reads.fetch(self.rows.fill(run.values))
        return self.write(await Door(run.reads.context).groups(self.node, rows))


@dataclass(frozen=True, slots=True)
class NodesOf:
    """The rows of one type that are asked for by their ids; `key` is where their key stands."""

    module: Module
    rows: Template
    key: tuple[int, ...]
    view: View
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class NodesStep:
    """`node(id:)` and `nodes(ids:)`. An id is a module and its key: a part of it is a value, or known (`Known`)."""

    many: bool
    ids: tuple[tuple[Module, tuple[int | Known, ...]] | None, ...]
    groups: tuple[NodesOf, ...]

    async def run(self, run: Run) -> Any:
        """Read the rows of every type, and answer in the order of the ids."""
        found: dict[tuple[str, tuple[int | str, ...]], Any] = {}
        for group, answers in zip(
            self.groups, await _together([_nodes_of(run, group) for group in self.groups]), strict=True
        ):
            found.update(((group.module.name, key), answer) for key, answer in answers.items())
        nodes = [None if item is None else found.get((item[0].name, _filled(item[1], run.values))) for item in self.ids]
        return nodes if self.many else nodes[0]


@dataclass(frozen=True, slots=True)
class Known:
    """A part of a key that stands in the document."""

    value: int | str


def _filled(key: Sequence[int | Known], values: Values) -> tuple[int | str, ...]:
    return tuple(part.value if isinstance(part, Known) else values[part] for part in key)


async def _nodes_of(run: Run, group: NodesOf) -> dict[tuple[int | str, ...], Any]:
    rows = await run.reads.fetch(group.rows.fill(run.values))
    looks = await look_up(run, group.links, rows)
    answers = group.view.every(rows, looks)
    keys = [key_of(group.module, [row[position] for position in group.key]) for row in rows]
    return dict(zip(keys, answers, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An operation's planned roots. `twins` leads from a response key to an earlier one that asks for exactly the same.

    `rest` are the other roots as an operation of their own, which GraphQL's executor answers; None where all are planned.
    """

    steps: tuple[tuple[str, Step], ...]
    twins: Mapping[str, str]
    keys: tuple[str, ...]  # of the answer, in its order
    cost: int
    rest: OperationDefinitionNode | None = None

    async def run(self, run: Run) -> dict[str, Any]:
        """Return the answer's data. Raises `Unplain`, and what concerns the whole operation."""
        answers = await _together([step.run(run) for _, step in self.steps])
        found = {key: answer for (key, _), answer in zip(self.steps, answers, strict=True)}
        found.update((key, found[first]) for key, first in self.twins.items())
        return found

    def in_order(self, planned: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers of both in the order of the document."""
        return {key: planned[key] if key in planned else rest[key] for key in self.keys}


async def look_up(run: Run, links: Sequence[Link], rows: Sequence[Row]) -> Sequence[Look]:
    """Read the relations inside rows, at once."""
    return await _together([link.run(run, rows) for link in links]) if links else ()


async def _all(run: Run, templates: Sequence[Template | None]) -> list[Any]:
    """Read what is asked for of several statements, at once."""
    asked = [template for template in templates if template is not None]
    answers = iter(await _together([run.reads.fetch(template.fill(run.values)) for template in asked]))
    return [None if template is None else next(answers) for template in templates]


async def _together(jobs: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Do several at once. What is refused is answered without a plan, which knows where errors belong."""
    answers = await together(jobs)
    for answer in answers:
        if isinstance(answer, OperationError | Unplain):
            raise Unplain
        if isinstance(answer, Exception):
            raise answer
    return answers


def _no_cursor(_row: Row) -> str:
    raise Unplain
