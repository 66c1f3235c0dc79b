"""A planned operation: its statements as text, its answer by code of its own. Nothing is analysed when it runs.

`resolvers.planner` makes plans. What is not plain when one runs (a value that cannot be read, a null that must not be) raises
`Unplain`, and the operation is answered as if there were no plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import OperationDefinitionNode

from resolvers.door import Door
from resolvers.ids import key_of
from resolvers.nodes import AggregateNode
from resolvers.pages import Link, Page, PageInfo, look_up
from resolvers.run import Run, Spread, Values, all_of
from resolvers.templates import Template
from resolvers.view import Row, View
from resolvers.writers import Write
from schema.spec import Module


class Step(Protocol):
    """What reads and writes one root."""

    async def run(self, run: Run) -> Sequence[Any]:
        """Return the answer of the root in each case."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A root that is known: `__typename`, `schemaVersion`."""

    value: Any

    async def run(self, run: Run) -> Sequence[Any]:
        """Return it."""
        return [self.value] * len(run.cases)


@dataclass(frozen=True, slots=True)
class OneStep:
    """`queue(by:)`."""

    rows: Template
    view: View
    links: tuple[Link, ...]
    spread: Spread | None = None

    async def run(self, run: Run) -> Sequence[Any]:
        """Read the row, and what hangs on it."""
        read = [rows[:1] for rows in await run.read(self.rows, self.spread)]
        found = await _written(run, self.view, self.links, read)
        return [answers[0] if answers else None for answers in found]


@dataclass(frozen=True, slots=True)
class ListStep:
    """`queues(...)`."""

    page: Page
    rows: Template | None
    total: Template | None
    far_side: Template | None
    spread: Spread | None = None  # of the rows
    spread_total: Spread | None = None

    async def run(self, run: Run) -> Sequence[Any]:
        """Read the page and what is asked about it, at once."""
        page = self.page
        asked = ((self.rows, self.spread), (self.total, self.spread_total), (self.far_side, None))
        # What is not asked is no task.
        read: list[Sequence[Sequence[Any]]] = [[()] * len(run.cases)] * len(asked)
        places = [place for place, (template, _) in enumerate(asked) if template is not None]
        for place, rows in zip(places, await all_of([run.read(*asked[place]) for place in places]), strict=True):
            read[place] = rows
        groups, looks = await page.complete(run, [page.kept(rows) for rows in read[0]])
        return [
            page.write(
                PageInfo(
                    groups[case],
                    len(rows) > page.size,
                    int(total[0][0]) if total else 0,
                    bool(far_side),
                    page.cursor(run, case, None),
                ),
                looks[case],
            )
            for case, (rows, total, far_side) in enumerate(zip(*read, strict=True))
        ]


@dataclass(frozen=True, slots=True)
class AggregateStep:
    """`queueAggregate`. What a grouped reference leads to depends on the groups, and is read by the door."""

    node: AggregateNode
    rows: Template
    write: Write
    spread: Spread | None = None

    async def run(self, run: Run) -> Sequence[Any]:
        """Read the groups."""
        read = await run.read(self.rows, self.spread)
        found = iter(await Door(run.reads.context).groups(self.node, [row for rows in read for row in rows]))
        return [self.write([next(found) for _ in rows]) for rows in read]


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

    async def run(self, run: Run) -> Sequence[Any]:
        """Read the rows of every type, and answer in the order of the ids."""
        read = await all_of([_nodes_of(run, group) for group in self.groups])
        return [self._answer(values, [found[case] for found in read]) for case, values in enumerate(run.cases)]

    def _answer(self, values: Values, read: Sequence[Mapping[tuple[int | str, ...], Any]]) -> Any:
        found = {group.module.name: answers for group, answers in zip(self.groups, read, strict=True)}
        nodes = [None if item is None else found[item[0].name].get(_filled(item[1], values)) for item in self.ids]
        return nodes if self.many else nodes[0]


@dataclass(frozen=True, slots=True)
class Known:
    """A part of a key that stands in the document."""

    value: int | str


def _filled(key: Sequence[int | Known], values: Values) -> tuple[int | str, ...]:
    return tuple(part.value if isinstance(part, Known) else values[part] for part in key)


async def _nodes_of(run: Run, group: NodesOf) -> list[dict[tuple[int | str, ...], Any]]:
    read = await run.read(group.rows)
    answers = await _written(run, group.view, group.links, read)
    keys = [[key_of(group.module, [row[position] for position in group.key]) for row in rows] for rows in read]
    return [dict(zip(*found, strict=True)) for found in zip(keys, answers, strict=True)]


async def _written(
    run: Run, view: View, links: Sequence[Link], groups: Sequence[Sequence[Row]]
) -> list[list[dict[str, Any]]]:
    """Write the rows of each case."""
    groups = await run.compute(view.lambdas, groups)
    looks = await look_up(run, links, groups)
    return [view.every(rows, found) for rows, found in zip(groups, looks, strict=True)]


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

    async def run(self, run: Run) -> list[dict[str, Any]]:
        """Return the answer's data in each case. Raises `Unplain`, and what concerns the whole operation."""
        answers = await all_of([step.run(run) for _, step in self.steps])
        return [self._of_case([found[case] for found in answers]) for case in range(len(run.cases))]

    def _of_case(self, answers: Sequence[Any]) -> dict[str, Any]:
        found = {key: answer for (key, _), answer in zip(self.steps, answers, strict=True)}
        found.update((key, found[first]) for key, first in self.twins.items())
        return found

    def in_order(self, planned: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers of both in the order of the document."""
        return {key: planned[key] if key in planned else rest[key] for key in self.keys}
