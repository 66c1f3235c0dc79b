"""A run of a plan, for one set of values or for several at once, which then share its statements."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import add
from typing import Any, Protocol, TypeAlias

from resolvers.computed import Task, compute
from resolvers.cursors import CursorKey
from resolvers.errors import OperationError, is_fatal
from resolvers.reads import Reads, together
from resolvers.selection import Selected
from resolvers.shape import link_key
from resolvers.spread import pairs_keys
from resolvers.templates import Template
from resolvers.view import Row
from resolvers.writers import Unplain
from schema.bindings import ToMany
from schema.spec import Module
from storage.direct import Ready
from storage.quick import quick
from storage.union import BRANCHES_LIMIT, unite

Values: TypeAlias = Sequence[Any]
# A list of owners, or of branches, gets one of these lengths, the last one repeated: so a few statements serve any number.
LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1_024, 2_048, 4_096)


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """A list that shows cursors: they hold for what it was asked with, which is looked at at each run."""

    selected: Selected
    module: Module
    link: ToMany | None


class Planner(Protocol):
    """Makes statements of a plan later on."""

    def owned(self, owned: Owned, what: str, count: int) -> Template:
        """Make a statement of a relation's page."""

    def spread(self, spread: Spread, count: int) -> Template:
        """Make a statement for so many values of its keys."""


@dataclass(slots=True, eq=False)
class Spread:
    """A root's statement for many values of its keys (`resolvers.spread`), each made when so many are met for the first time.

    `what` is asked of the root, `numbers` are those of the values that are keys, and `nothing` is read where a key has no rows.
    """

    root: str
    what: str
    numbers: tuple[int, ...]
    nothing: Sequence[Row] = ()
    made: dict[int, Template] = field(default_factory=dict)
    is_none: bool = False  # it cannot be made

    def get(self, count: int, planner: Callable[[], Planner]) -> Template:
        """Return the statement for so many values. Raises `Unplain`."""
        found = self.made.get(count)
        if found is None:
            found = self.made[count] = planner().spread(self, count)
        return found


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

    def get(self, what: str, count: int, planner: Callable[[], Planner]) -> Template:
        """Return a statement for so many owners."""
        found = self.made.get((what, count))
        if found is None:
            found = self.made[what, count] = planner().owned(self, what, count)
        return found


@quick
class Run:
    """One run of a plan: how it reads, and in each case the values of its variables and its caller.

    `key_of` signs the cursors of a list in one of the cases, `planner` makes what is not there yet.
    """

    reads: Reads
    cases: Sequence[Values]
    key_of: Callable[[Keyed, int], CursorKey]
    planner: Callable[[], Planner]

    def of(self, cases: Sequence[int]) -> Run:
        """Return the same run with some of its cases."""
        key_of = self.key_of
        return replace(
            self,
            cases=[self.cases[case] for case in cases],
            key_of=lambda keyed, case: key_of(keyed, cases[case]),
        )

    def alike(self, numbers: frozenset[int]) -> list[list[int]]:
        """Group the cases that have the same values with these numbers."""
        if len(self.cases) == 1:
            return [[0]]
        found: dict[tuple[Any, ...], list[int]] = {}
        for case, values in enumerate(self.cases):
            found.setdefault(tuple(values[number] for number in sorted(numbers)), []).append(case)
        return list(found.values())

    async def read(self, template: Template | None, spread: Spread | None = None) -> list[Sequence[Row]]:
        """Read the rows of each case; none where nothing is asked."""
        if template is None:
            return [()] * len(self.cases)
        if spread is not None and not spread.is_none and self._differs_in_keys(template, spread):
            try:
                return await self._spread(spread)
            except Unplain:
                spread.is_none = True
        return await self.fetch(template, self.cases)

    def _differs_in_keys(self, template: Template, spread: Spread) -> bool:
        """Answer whether the cases differ in what is asked, and in nothing but values of keys."""
        if len(self.cases) == 1:
            return False
        first, *others = self.cases
        numbers = {number for _, number in template.places}
        differing = {number for number in numbers if any(case[number] != first[number] for case in others)}
        return bool(differing) and differing <= set(spread.numbers)

    async def _spread(self, spread: Spread) -> list[Sequence[Row]]:
        """Read the rows of all cases with one statement, which tells whose each is."""
        values = self._key_values(spread)
        most = max(map(len, values))
        if most > LENGTHS[-1]:
            raise Unplain
        length = next(length for length in LENGTHS if length >= most)
        filled = [value for found in values for value in (*found, *[found[-1]] * (length - len(found)))]
        statement = spread.get(length, self.planner).fill([*self.cases[0], *filled])
        width = len(spread.numbers)
        found: dict[tuple[str, ...], list[Row]] = {}
        for row in await self.reads.fetch(statement):
            found.setdefault(tuple(map(link_key, row[-width:])), []).append(row[:-width] or (1,))
        return [found.get(tuple(link_key(case[n]) for n in spread.numbers), spread.nothing) for case in self.cases]

    def _key_values(self, spread: Spread) -> list[list[Any]]:
        """Return the values of each key: those that stand together at the same place, where the statement looks at that."""
        keys = dict.fromkeys(tuple(case[number] for number in spread.numbers) for case in self.cases)
        columns = [list(values) for values in zip(*keys, strict=True)]
        return columns if pairs_keys(self.reads.context.database.dialect) else [list(dict.fromkeys(c)) for c in columns]

    async def fetch(self, template: Template, cases: Sequence[Values]) -> list[Sequence[Row]]:
        """Read the rows for each of some values: with one statement, unless they are very many."""
        if len(cases) == 1:
            return [await self.reads.fetch(template.fill(cases[0]))]
        filled = [template.fill(values).values for values in cases]
        different = list(dict.fromkeys(map(tuple, filled)))
        parts = [different[start : start + BRANCHES_LIMIT] for start in range(0, len(different), BRANCHES_LIMIT)]
        read = await all_of([self._united(template.text, part) for part in parts])
        found = dict(zip(different, (rows for part in read for rows in part), strict=True))
        return [found[tuple(values)] for values in filled]

    async def _united(self, text: str, branches: Sequence[Values]) -> list[Sequence[Row]]:
        if len(branches) == 1:
            return [await self.reads.fetch(Ready(text, tuple(branches[0]), shows=True))]
        length = min(next(length for length in LENGTHS if length >= len(branches)), BRANCHES_LIMIT)
        padded = [*branches, *[branches[-1]] * (length - len(branches))]
        united = unite(text, padded, self.reads.context.database.dialect.name)
        if united is None:
            raise Unplain
        found: list[list[Row]] = [[] for _ in padded]
        for row in await self.reads.fetch(united):
            found[row[0]].append(row[1:])
        return list(found[: len(branches)])

    async def compute(self, tasks: Sequence[Task], groups: Sequence[Sequence[Row]]) -> Sequence[Sequence[Row]]:
        """Run lambdas over the rows of all cases; their values stand at the end of the rows then."""
        if not tasks:
            return groups
        rows = groups[0] if len(groups) == 1 else [row for group in groups for row in group]
        if not rows:
            return groups
        columns = await compute(self.reads.context, tasks, rows)
        longer: list[Row] = list(map(add, rows, zip(*columns, strict=True)))  # what is read are tuples
        if len(groups) == 1:
            return [longer]
        rest = iter(longer)
        return [[*islice(rest, len(group))] for group in groups]


async def all_of(jobs: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Do several at once. What is refused is answered without a plan, which knows where errors belong."""
    if len(jobs) == 1:
        try:
            return [await jobs[0]]
        except OperationError as error:
            if is_fatal(error):
                raise
            raise Unplain from None
    answers = await together(jobs)
    for answer in answers:
        if isinstance(answer, OperationError | Unplain):
            raise Unplain
        if isinstance(answer, Exception):
            raise answer
    return answers
