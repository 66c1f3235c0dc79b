"""The one door to stored data for what has no plan: every statement comes from analysed nodes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.answers import Found, Group, Page
from resolvers.computed import compute, tasks_of
from resolvers.context import Context
from resolvers.cursors import REFUSED
from resolvers.errors import BadRequest
from resolvers.footprint import Analysis, Root
from resolvers.guard import guard_of
from resolvers.ids import key_of
from resolvers.nodes import (
    AggregateKey,
    AggregateNode,
    GroupedRow,
    ListNode,
    NodesNode,
    OneNode,
    RowNode,
)
from resolvers.past import ChangesNode, HistoryNode
from resolvers.past_reads import read_changes, read_history
from resolvers.predicate import Compare, KeyIn, Predicate
from resolvers.reads import Reads, caught, together
from resolvers.several import load_lists
from resolvers.shape import ManyLoad, Record, Row, Shape, link_key
from resolvers.statements import RowsPlan, Statement, Statements
from resolvers.templates import Kept, kept_with
from resolvers.terms import Term, joined_column, key_terms
from resolvers.values import output, summed
from schema.bindings import ToOne
from schema.snapshot import Snapshot
from schema.spec import Module
from storage.engine import Database
from storage.values import UNREADABLE, read_bucket

OWNERS_AT_ONCE = 5_000  # keys in one IN list; databases limit the parameters of a statement


@dataclass(frozen=True, slots=True)
class Named:
    """A row that was asked for by its key: as each view sees it, and some of its stored values."""

    records: Sequence[Record]
    sort: Sequence[Any]


def kept_plans(snapshot: Snapshot, database: Database, secret: bytes) -> Kept[Any]:
    """Return the plans that are kept with a snapshot for one database."""
    return kept_with(snapshot.memo, ("plans", database.dialect, database.zone, secret))


class Door:
    """Reads what an analysis asks for, level by level, with a number of statements that the operation alone decides."""

    def __init__(self, context: Context) -> None:
        database = context.database
        self.context = context
        snapshot = context.snapshot
        self.statements = Statements(
            database.dialect,
            snapshot.catalog,
            database.zone,
            context.secret,
            snapshot.modules,
            snapshot.by_table,
            guard_of(context.rights, snapshot),
            database.prepare,
            kept_plans(snapshot, database, context.secret),
        )
        self.fetch = Reads(context).fetch

    async def read(self, analysis: Analysis) -> dict[str, Any]:
        """Read every root; a root that failed is its exception, unless the failure concerns the whole operation."""
        answers = await together(self.root(root) for root in analysis.roots.values())
        found = dict(zip(analysis.roots, answers, strict=True))
        found.update((key, found[first]) for key, first in analysis.twins.items())
        return found

    async def records(
        self, module: Module, keys: Sequence[tuple[int | str, ...]], views: Sequence[RowNode], sort: Sequence[Term] = ()
    ) -> dict[tuple[int | str, ...], Named]:
        """Read rows by their keys, each as every one of the views sees it, with the stored values of `sort`."""
        names = key_terms(module)
        plan = self.statements.rows(module, KeyIn((), module, tuple(keys)), views, (*names, *sort))
        width = len(names)
        return {
            key_of(module, [values[position] for position in plan.sort[:width]]): Named(
                [Record(shape, values) for shape in plan.shapes],
                [values[position] for position in plan.sort[width:]],
            )
            for values in await self._rows(plan)
        }

    async def records_where(
        self, module: Module, where: Predicate, view: RowNode
    ) -> dict[tuple[int | str, ...], Record]:
        """Read all rows that a condition picks, by their keys."""
        plan = self.statements.rows(module, where, (view,), key_terms(module))
        return {
            key_of(module, [values[position] for position in plan.sort]): Record(plan.shapes[0], values)
            for values in await self._rows(plan)
        }

    async def picked(self, module: Module, where: Predicate, views: Sequence[RowNode]) -> list[Record] | None:
        """Read the one row that a condition picks, as every one of the views sees it."""
        plan = self.statements.rows(module, where, views, ())
        rows = await self._rows(plan)
        return [Record(shape, rows[0]) for shape in plan.shapes] if rows else None

    async def root(self, root: Root) -> Any:
        """Read one root."""
        read: Callable[[Any, Any], Awaitable[Any]] = _READERS[type(root)]
        return await read(self, root)

    # --- roots ---

    async def _one(self, node: OneNode) -> Record | None:
        plan = self.statements.one(node.module, node.where, node.row)
        rows = await self._rows(plan)
        return Record(plan.shapes[0], rows[0]) if rows else None

    async def _list(self, node: ListNode) -> Page:
        plan = self.statements.page(node) if node.wants_rows else None
        counted = self.statements.total(node) if node.wants_total else None
        beyond = self.statements.far_side(node) if node.wants_far_side else None
        rows, total, far_side = await together(
            (
                self._rows(plan, cut=node.range.size) if plan else _nothing([]),
                self._count(counted) if counted is not None else _nothing(0),
                self._any(beyond) if beyond is not None else _nothing(False),
            )
        )
        if isinstance(rows, Exception):
            raise rows
        return Page(node, Found(*_read_by(plan, rows), total, far_side))

    async def _nodes(self, node: NodesNode) -> Any:
        jobs = [self._named(node, name, row) for name, row in node.rows.items()]
        found: dict[tuple[str, tuple[int | str, ...]], Any] = {}
        for (name, _), answer in zip(node.rows.items(), await together(jobs), strict=True):
            if isinstance(answer, Exception):
                raise answer
            found.update(((name, key), record) for key, record in answer.items())
        records = [found.get((item.module.type_name, item.key)) if item else None for item in node.ids]
        return records if node.many else records[0]

    async def _named(self, node: NodesNode, name: str, row: RowNode) -> dict[tuple[int | str, ...], Record]:
        where = KeyIn((), row.module, keys_of(node, name))
        plan = self.statements.rows(row.module, where, (row,), key_terms(row.module))
        rows = await self._rows(plan)
        return {
            key_of(row.module, [values[position] for position in plan.sort]): Record(plan.shapes[0], values)
            for values in rows
        }

    async def _aggregate(self, node: AggregateNode) -> list[Group]:
        return await self.groups(node, await self.fetch(self.statements.groups(node)))

    async def groups(self, node: AggregateNode, rows: Sequence[Sequence[Any]]) -> list[Group]:
        """Make the groups of an aggregate from what its statement found; what references lead to is read."""
        zone = self.context.database.zone
        width = len(node.groups)
        reads = [_key_reader(Term((), node.module, value.field), value.bucket, zone) for value in node.groups]
        sums = [summed(function, term, zone) for function, term in node.sums]
        keys = [[_apply(read, value) for read, value in zip(reads, row[:width], strict=True)] for row in rows]
        targets = await self._targets(node, keys)
        return [
            Group(
                node,
                key,
                int(row[width]),
                [_apply(read, value) for read, value in zip(sums, row[width + 1 :], strict=True)],
                targets,
            )
            for key, row in zip(keys, rows, strict=True)
        ]

    async def _targets(
        self, node: AggregateNode, keys: Sequence[Sequence[Any]]
    ) -> dict[GroupedRow, Mapping[str, Record] | Exception]:
        """Load the rows that grouped references lead to, one statement a reference."""
        wanted = [
            slot
            for part in node.parts.values()
            if isinstance(part, AggregateKey)
            for slot in part.slots.values()
            if isinstance(slot, GroupedRow)
        ]
        by_group: dict[int, list[GroupedRow]] = {}
        for slot in wanted:
            by_group.setdefault(slot.group, []).append(slot)
        answers = await together(
            self._target(node, slots, [key[group] for key in keys]) for group, slots in by_group.items()
        )
        found: dict[GroupedRow, Mapping[str, Record] | Exception] = {}
        for slots, answer in zip(by_group.values(), answers, strict=True):
            for number, slot in enumerate(slots):
                found[slot] = answer if isinstance(answer, Exception) else answer[number]
        return found

    async def _target(
        self, node: AggregateNode, slots: Sequence[GroupedRow], values: Sequence[Any]
    ) -> list[dict[str, Record]]:
        field = node.groups[slots[0].group].field
        target = slots[0].row.module
        term = Term((), target, joined_column(ToOne(node.module, field, target)))
        wanted = list(dict.fromkeys(value for value in values if value is not None))
        if not wanted:
            return [{} for _ in slots]
        where = Compare(term, "in", wanted, "")
        plan = self.statements.rows(target, where, [slot.row for slot in slots], (term,))
        rows = await self._rows(plan)
        found: dict[str, Row] = {}
        for row in rows:  # where several have the value, the oldest counts, as in a join
            found.setdefault(link_key(row[plan.sort[0]]), row)
        return [{value: Record(shape, row) for value, row in found.items()} for shape in plan.shapes]

    # --- rows and what hangs on them ---

    async def _rows(self, plan: RowsPlan, cut: int | None = None) -> list[Row]:
        rows = [list(row) for row in await self.fetch(plan.statement)]
        # The row that only shows that a list goes on needs nothing that hangs on it.
        await self._fill_all(plan.shapes, rows if cut is None else rows[:cut])
        return rows

    async def _fill_all(self, shapes: Iterable[Shape], rows: Sequence[Row]) -> None:
        every = [shape for shape in shapes for shape in _flatten(shape)]
        await together(
            [self._relation(shape, load, rows) for shape in every for load in shape.many]
            + [self._lists(shape, rows) for shape in every if shape.lists]
        )
        await self._compute(every, rows)  # last: their input may hold lists

    async def _relation(self, shape: Shape, load: ManyLoad, rows: Sequence[Row]) -> None:
        node = load.slot.list
        values = (row[load.position] for row in rows if shape.is_there(row))
        owners = list({link_key(value): value for value in values if value is not None}.values())
        load.empty = Page(node, Found())
        try:
            for owner in (link_key(value) for value in owners):
                if not _is_from(node, owner):
                    load.found[owner] = BadRequest(f"{'.'.join(node.path)}: {REFUSED}")
            owners = [value for value in owners if link_key(value) not in load.found]
            for start in range(0, len(owners), OWNERS_AT_ONCE):
                load.found.update(await self._pages(node, owners[start : start + OWNERS_AT_ONCE]))
        except Exception as error:  # noqa: BLE001 - it belongs to this field of the answer; what is fatal goes on
            load.failure = caught(error)

    async def _pages(self, node: ListNode, owners: Sequence[Any]) -> dict[str, Page]:
        plan = self.statements.page(node, owners) if node.wants_rows else None
        counted = self.statements.total(node, owners) if node.wants_total else None
        beyond = self.statements.far_side(node, owners) if node.wants_far_side else None
        rows, totals, far = await together(
            (
                self._owned(plan, node.range.size) if plan else _nothing({}),
                self._counts(counted) if counted is not None else _nothing({}),
                self._counts(beyond) if beyond is not None else _nothing({}),
            )
        )
        if isinstance(rows, Exception):
            raise rows
        found = {}
        for owner in map(link_key, owners):
            total = totals if isinstance(totals, Exception) else totals.get(owner, 0)
            far_side = far if isinstance(far, Exception) else owner in far
            found[owner] = Page(node, Found(*_read_by(plan, rows.get(owner, [])), total, far_side, owner))
        return found

    async def _owned(self, plan: RowsPlan, size: int) -> dict[str, list[Row]]:
        """Read the rows of many owners, each owner's in order."""
        found: dict[str, list[Row]] = {}
        for values in await self.fetch(plan.statement):
            row = list(values)
            found.setdefault(link_key(row[plan.link or 0]), []).append(row)
        await self._fill_all(plan.shapes, [row for rows in found.values() for row in rows[:size]])
        return found

    async def _lists(self, shape: Shape, rows: Sequence[Row]) -> None:
        try:
            await load_lists(self.statements, shape, rows, self.fetch)
        except Exception as error:  # noqa: BLE001 - it belongs to these fields of the answer; what is fatal goes on
            failure = caught(error)
            for load in shape.lists:
                load.failure = failure

    async def _compute(self, shapes: Sequence[Shape], rows: Sequence[Row]) -> None:
        """Run the lambdas of a level; their results stand at the end of the rows."""
        tasks = [task for shape in shapes for task in tasks_of(shape)]
        if not tasks or not rows:
            return
        start = len(rows[0])
        columns = await compute(self.context, tasks, rows)
        for place, (task, column) in enumerate(zip(tasks, columns, strict=True), start):
            task.load.position = place
            for row, value in zip(rows, column, strict=True):
                row.append(value)

    # --- statements ---

    async def _count(self, statement: Statement) -> int:
        return int((await self.fetch(statement))[0][0])

    async def _any(self, statement: Statement) -> bool:
        return bool(await self.fetch(statement))

    async def _counts(self, statement: Statement) -> dict[str, int]:
        return {link_key(owner): int(count) for owner, count in await self.fetch(statement)}


def keys_of(node: NodesNode, name: str) -> tuple[tuple[int | str, ...], ...]:
    """Return the keys among the ids that are of one type, each once."""
    return tuple(dict.fromkeys(item.key for item in node.ids if item and item.module.type_name == name))


def _is_from(node: ListNode, owner: str) -> bool:
    """Answer whether the cursors given for a relation's list are from this owner's."""
    return all(start is None or start[-1] == owner for start in (node.range.after, node.range.before))


def _read_by(plan: RowsPlan | None, rows: Sequence[Row]) -> tuple[Sequence[Shape], Sequence[Row], Sequence[int]]:
    return (plan.shapes, rows, plan.sort) if plan else ((), rows, ())


async def _nothing(value: Any) -> Any:
    return value


def _flatten(shape: Shape) -> Iterable[Shape]:
    yield shape
    for one in shape.ones:
        yield from _flatten(one)


def _key_reader(term: Term, bucket: str, zone: Any) -> Callable[[Any], Any]:
    if bucket or (term.kind == "date" and isinstance(term.item, object) and str(term.column_class) == "datetime"):
        return read_bucket
    convert = output(term, zone)

    def read(value: Any) -> Any:
        if isinstance(value, bytes):  # MariaDB groups texts by their bytes, so that case counts
            value = value.decode("utf-8", "replace")
        return convert(value) if convert else value

    return read


def _apply(read: Callable[[Any], Any], value: Any) -> Any:
    """Read a value of an aggregate, whose values may all be null: what cannot be read is."""
    try:
        found = None if value is None else read(value)
    except UNREADABLE:
        return None
    return None if isinstance(found, Exception) else found


_READERS: Mapping[type, Callable[[Any, Any], Awaitable[Any]]] = {
    OneNode: Door._one,  # noqa: SLF001 - the table belongs to the class
    ListNode: Door._list,  # noqa: SLF001
    NodesNode: Door._nodes,  # noqa: SLF001
    AggregateNode: Door._aggregate,  # noqa: SLF001
    HistoryNode: read_history,
    ChangesNode: read_changes,
}
