"""A run of a plan, for one set of values or for several at once, which then share its statements."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from resolvers.computed import Task, compute
from resolvers.cursors import CursorKey
from resolvers.errors import OperationError
from resolvers.reads import Reads, together
from resolvers.selection import Selected
from resolvers.templates import Template
from resolvers.view import Row
from resolvers.writers import Unplain
from schema.bindings import ToMany
from schema.spec import Module
from storage.direct import Ready
from storage.union import BRANCHES_LIMIT, can_unite, unite

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


@dataclass(frozen=True, slots=True)
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

    async def read(self, template: Template | None) -> list[Sequence[Row]]:
        """Read the rows of each case; none where nothing is asked."""
        if template is None:
            return [()] * len(self.cases)
        return await self.fetch(template, self.cases)

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
        width = len(branches[0])
        length = min(next(length for length in LENGTHS if length >= len(branches)), BRANCHES_LIMIT)
        if not can_unite(text, width, length):
            raise Unplain
        padded = [*branches, *[branches[-1]] * (length - len(branches))]
        united = unite(text, width, length, self.reads.context.database.dialect.name)
        found: list[list[Row]] = [[] for _ in padded]
        for number, *row in await self.reads.fetch(
            Ready(united, tuple(v for part in padded for v in part), shows=True)
        ):
            found[number].append(row)
        return list(found[: len(branches)])

    async def compute(self, tasks: Sequence[Task], groups: Sequence[Sequence[Row]]) -> Sequence[Sequence[Row]]:
        """Run lambdas over the rows of all cases; their values stand at the end of the rows then."""
        rows = [row for group in groups for row in group]
        if not tasks or not rows:
            return groups
        columns = await compute(self.reads.context, tasks, rows)
        longer = iter([(*row, *values) for row, values in zip(rows, zip(*columns, strict=True), strict=True)])
        return [[next(longer) for _ in group] for group in groups]


async def all_of(jobs: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Do several at once. What is refused is answered without a plan, which knows where errors belong."""
    answers = await together(jobs)
    for answer in answers:
        if isinstance(answer, OperationError | Unplain):
            raise Unplain
        if isinstance(answer, Exception):
            raise answer
    return answers
