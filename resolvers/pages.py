"""Pages of lists in a plan: what is read for them, and how they are written, with the relations inside their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any, TypeAlias

from resolvers.computed import Task
from resolvers.run import LENGTHS, Keyed, Owned, Run, all_of
from resolvers.shape import link_key
from resolvers.templates import is_plain
from resolvers.view import Look, Row, View
from resolvers.writers import Unplain
from storage.quick import quick

WANTED = ("rows", "total", "far side")  # of a relation's page
Looks: TypeAlias = Mapping[View, Sequence[Look]]
Owners: TypeAlias = Mapping[str, Any]  # by what `link_key` makes of them


@quick
class PageInfo:
    """What is known of a page when it is written."""

    rows: Sequence[Row]
    goes_on: bool
    total: int
    far_side: bool
    cursor: Callable[[Row], str]


Part: TypeAlias = Callable[[PageInfo, Looks], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """How a page of a list is written: its size and direction, its parts, and what stands in its rows."""

    size: int
    backward: bool
    parts: tuple[tuple[str, Part], ...]
    views: tuple[tuple[View, tuple[Link, ...]], ...]
    sort: tuple[int, ...]
    keyed: Keyed | None = None  # where cursors are shown
    lambdas: tuple[Task, ...] = ()
    rows_alone: tuple[str, View] | None = None  # where a list of rows is all: its key, and how each is written

    def kept(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the page in their order, without the one that shows that it goes on."""
        kept = rows if len(rows) <= self.size else rows[: self.size]
        return kept[::-1] if self.backward else kept

    async def complete(
        self, run: Run, groups: Sequence[Sequence[Row]]
    ) -> tuple[Sequence[Sequence[Row]], Sequence[Looks]]:
        """Compute what lambdas make of the rows of each case, and read what hangs on them."""
        groups = await run.compute(self.lambdas, groups)
        found = [(view, await look_up(run, links, groups)) for view, links in self.views]
        return groups, [{view: looks[case] for view, looks in found} for case in range(len(groups))]

    def cursor(self, run: Run, case: int, owner: str | None) -> Callable[[Row], str]:
        """Return what makes the cursor of a row."""
        if self.keyed is None:
            return _no_cursor
        key, end = run.key_of(self.keyed, case), () if owner is None else (owner,)
        return lambda row: key.write([*(row[position] for position in self.sort), *end])

    def write(self, found: PageInfo, looks: Looks) -> dict[str, Any]:
        """Write the connection."""
        return {key: part(found, looks) for key, part in self.parts}

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the values that the relations inside take."""
        for _, links in self.views:
            for link in links:
                yield from link.numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What was read for the pages of one case: `kept` are the rows of all pages, with what lambdas made of them."""

    rows: Mapping[str, Sequence[Row]]
    kept: Sequence[Row]
    totals: Sequence[Row]
    beyond: Sequence[Row]
    looks: Looks


@dataclass(frozen=True, eq=False)
class Link:
    """A relation inside rows: `position` is where the owner's value stands, `link` where it stands in the rows that are read.

    `values` is how many values a run has; those of owners come after them.
    """

    position: int
    link: int
    page: Page
    owned: Owned
    values: int

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of the values that its statements take, and those of the relations inside."""
        own = (number for template in self.owned.made.values() for _, number in template.places)
        return frozenset((*(number for number in own if number < self.values), *self.page.numbers()))

    async def run(self, run: Run, groups: Sequence[Sequence[Row]]) -> list[Look]:
        """Read the pages of all owners. Cases in which the same is asked share them."""
        alike = run.alike(self.numbers)
        owners = [self._owners(row for case in cases for row in groups[case]) for cases in alike]
        pages = await self._pages(run.of([cases[0] for cases in alike]), owners)
        nothing = PageInfo((), goes_on=False, total=0, far_side=False, cursor=_no_cursor)
        empty = self.page.write(nothing, {view: () for view, _ in self.page.views})
        looks = {case: _look(found, empty) for cases, found in zip(alike, pages, strict=True) for case in cases}
        return [looks[case] for case in range(len(groups))]

    def _owners(self, rows: Iterator[Row]) -> Owners:
        values = (row[self.position] for row in rows)
        owners = {link_key(value): value for value in values if value is not None}
        return {name: name for name in owners} if self.owned.as_text else owners

    async def _pages(self, run: Run, owners: Sequence[Owners]) -> list[dict[str, Any]]:
        """Read the pages of the owners in each case, and return them by the owners' names."""
        if not all(is_plain(value) for found in owners for value in found.values()):
            raise Unplain
        pages: list[dict[str, Any]] = [{} for _ in owners]
        for start in range(0, max(map(len, owners)), LENGTHS[-1]):
            parts = [dict(islice(found.items(), start, start + LENGTHS[-1])) for found in owners]
            asked = [case for case, part in enumerate(parts) if part]
            found = await self._read(run.of(asked), [parts[case] for case in asked])
            for case, answers in zip(asked, found, strict=True):
                pages[case] |= answers
        return pages

    async def _read(self, run: Run, owners: Sequence[Owners]) -> list[dict[str, Any]]:
        most = max(map(len, owners))
        length = next(length for length in LENGTHS if length >= most)
        values = [(*case, *_filled(found, length)) for case, found in zip(run.cases, owners, strict=True)]
        read = await all_of(
            [run.fetch(self.owned.get(what, length, run.planner), values) for what in self.owned.wanted]
        )
        found = dict(zip(self.owned.wanted, read, strict=True))
        nothing: list[Sequence[Row]] = [()] * len(owners)
        rows = [self._by_owner(part) for part in found.get("rows", nothing)]
        kept = [[row for part in case.values() for row in self.page.kept(part)] for case in rows]
        groups, looks = await self.page.complete(run, kept)
        told = map(_Told, rows, groups, found.get("total", nothing), found.get("far side", nothing), looks)
        return [self._write(partial(self.page.cursor, run, case), owners[case], part) for case, part in enumerate(told)]

    def _by_owner(self, rows: Sequence[Row]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        known: dict[int, list[Row]] = {}  # what most links are has its name looked up once
        for row in rows:
            value = row[self.link]
            if value.__class__ is int:
                own = known.get(value)
                if own is None:
                    own = known[value] = found.setdefault(str(value), [])
                own.append(row)
            else:
                found.setdefault(link_key(value), []).append(row)
        return found

    def _write_rows(self, key: str, view: View, names: Owners, told: _Told) -> dict[str, Any]:
        """Write the rows of all owners at once, and give each his own."""
        written, size = iter(view.every(told.kept, told.looks[view])), self.page.size
        own = {name: list(islice(written, min(len(found), size))) for name, found in told.rows.items()}
        return {name: {key: own.get(name) or []} for name in names}

    def _write(self, cursor: Callable[[str], Callable[[Row], str]], names: Owners, told: _Told) -> dict[str, Any]:
        """Write the pages of one case."""
        if self.page.rows_alone is not None:
            return self._write_rows(*self.page.rows_alone, names, told)
        counted = {link_key(name): int(count) for name, count in told.totals}
        others = {link_key(name) for name, _ in told.beyond}
        rest, size = iter(told.kept), self.page.size
        rows = {
            name: (list(islice(rest, min(len(found), size))), len(found) > size) for name, found in told.rows.items()
        }
        pages = {}
        for name in names:
            own, goes_on = rows.get(name, ((), False))
            at = cursor(name) if own else _no_cursor
            pages[name] = self.page.write(PageInfo(own, goes_on, counted.get(name, 0), name in others, at), told.looks)
        return pages


async def look_up(run: Run, links: Sequence[Link], groups: Sequence[Sequence[Row]]) -> list[Sequence[Look]]:
    """Read the relations inside the rows of each case, at once."""
    if not links:
        return [()] * len(groups)
    return list(zip(*await all_of([link.run(run, groups) for link in links]), strict=True))


def _filled(owners: Owners, length: int) -> list[Any]:
    values = list(owners.values())
    return [*values, *[values[-1]] * (length - len(values))]


def _look(pages: Mapping[str, Any], empty: Any) -> Look:
    return lambda value: empty if value is None else pages[link_key(value)]


def _no_cursor(_row: Row) -> str:
    raise Unplain
