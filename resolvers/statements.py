"""The statements of a read, made from analysed nodes. Nothing here talks to a database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, TypeAlias

import sqlalchemy as sa

from identity.access import Right
from resolvers.draft import Draft
from resolvers.guard import Guard
from resolvers.keys_first import finds_keys_first, read_by_keys
from resolvers.keyset import beyond
from resolvers.looked_up import Owners, can_look_up
from resolvers.nodes import AggregateNode, ListNode, RowNode
from resolvers.order import Ordered
from resolvers.predicate import KeyIn, Predicate
from resolvers.relations import Link, relate_once
from resolvers.scope import Speech, column, written
from resolvers.shape import ListLoad, Shape, Shaper
from resolvers.templates import Kept, Prepare, Template, are_plain, find_template, form_of
from resolvers.terms import Term, key_terms
from schema.bindings import GroupValue, ToMany
from schema.catalog import Catalog, ColumnClass
from schema.spec import Field, Module
from storage.dialects import Dialect
from storage.dialects import Expression as Sql
from storage.direct import Ready
from storage.values import binder

Statement: TypeAlias = "sa.Select[Any] | Ready"
Select = sa.Select[Any]
_NO_TEMPLATE = "none"
WRITTEN_OFFSET = 250  # rows: pages further on are rarely asked for twice, and share a statement
_UNSAID = Ready("", (), shows=True)

COUNT: Sql = sa.literal_column("count(*)")
_TEXTS = frozenset({ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES})


@dataclass(frozen=True, slots=True, eq=False)
class RowsPlan:
    """A statement for rows: how each view reads them, and where link and sort values stand.

    `allowed` is where it says whether the caller may write a row; None where that is so for each. `mark` is where it says as of
    which change a row is read, if it was asked. `width` is how many values a row has.
    """

    statement: Statement
    shapes: tuple[Shape, ...]
    sort: tuple[int, ...] = ()
    link: int | None = None
    allowed: int | None = None
    mark: int | None = None
    width: int = 0


@dataclass(frozen=True, slots=True)
class _KeptPlan:
    """A plan to be taken again, with new values."""

    template: Template
    plan: RowsPlan


@dataclass(frozen=True, slots=True)
class Statements:
    """Makes the statements of one request, over the rows that its caller may see."""

    dialect: Dialect
    catalog: Catalog
    zone: tzinfo
    secret: bytes
    modules: Mapping[str, Module]
    by_table: Mapping[str, Sequence[Module]]
    guard: Guard
    prepare: Prepare
    kept: Kept[Any]

    def one(self, module: Module, where: Predicate, row: RowNode) -> RowsPlan:
        """Read the row that a key names."""

        def make(self: Statements, where: Sequence[Predicate]) -> RowsPlan:
            draft = self._draft(module)
            shape = self._shaper(draft).shape(row)
            draft.where(where)
            return RowsPlan(draft.statement().limit(written(1)), (shape,), width=draft.width)

        return self._kept("one", [where], (row,), make)

    def rows(self, module: Module, where: Predicate, views: Sequence[RowNode], names: Sequence[Term]) -> RowsPlan:
        """Read rows that are named by some of their values; `sort` tells where those stand."""

        def make(self: Statements, where: Sequence[Predicate]) -> RowsPlan:
            draft = self._draft(module)
            shaper = self._shaper(draft)
            shapes = tuple(shaper.shape(view) for view in views)
            positions = tuple(draft.column(term) for term in names)
            draft.where(where)
            by = [draft.scope.value(term) for term in key_terms(module)]
            return RowsPlan(draft.statement().order_by(*by), shapes, positions, width=draft.width)

        return self._kept(("rows", *(term.key for term in names)), [where], views, make)

    def locked(
        self,
        module: Module,
        where: Sequence[Predicate],
        row: RowNode,
        limit: int,
        right: Right,
        *,
        lock: bool = True,
        only: bool = False,
        mark: str | None = None,
    ) -> RowsPlan:
        """Read rows that are about to be written, and keep others from writing them; `sort` tells where the key stands.

        With `only` those that the caller may not write are left out; else `allowed` tells them. `mark` is the column that is
        another one whenever the row was changed.
        """

        def make(self: Statements, where: Sequence[Predicate]) -> RowsPlan:
            draft = self._draft(module)
            shape = self._shaper(draft).shape(row)
            keys = key_terms(module)
            positions = tuple(draft.column(term) for term in keys)
            draft.where(where)
            may = self.guard.writes(draft.speech, module, draft.scope.base, right)
            allowed = None
            if may is not None and only:
                draft.conditions.append(may)
            elif may is not None:
                allowed = draft.add(sa.case((may, sa.literal_column("1")), else_=sa.literal_column("0")))
            marked = None if mark is None else draft.add(column(draft.scope.base, mark))
            by = [draft.scope.value(term) for term in keys]
            statement = draft.statement().order_by(*by).limit(written(limit))
            # Only the row itself: what is joined to it may be nothing, which cannot be locked.
            statement = statement.with_for_update(of=draft.scope.base) if lock else statement
            return RowsPlan(statement, (shape,), positions, allowed=allowed, mark=marked)

        return self._kept(("locked", limit, lock, right, only, mark), where, (row,), make)

    def written(self, module: Module, keys: Sequence[tuple[int | str, ...]], right: Right) -> Statement | None:
        """Read which of the rows that were written are as the caller may write them; None where any are."""
        if not self.guard.access.is_bounded(module, right, after=True):
            return None

        def make(self: Statements, where: Sequence[Predicate]) -> Select:
            draft = Draft(self.speech().open(), module)
            for term in key_terms(module):
                draft.column(term)
            draft.where(where)
            may = self.guard.writes(draft.speech, module, draft.scope.base, right, after=True)
            draft.conditions += () if may is None else (may,)
            return draft.statement()

        return self.again(("written", module.name, right), [KeyIn((), module, tuple(keys))], make)

    def speech(self) -> Speech:
        """Return how to speak in one statement."""
        return Speech(self.dialect, self.catalog, self.zone, self.modules, self.by_table, self.guard)

    def page(self, node: ListNode, owners: Sequence[Any] | None = None) -> RowsPlan:
        """Read a page of a list; of a relation, a page for each owner."""
        page = node.range
        if node.link is not None or page.after is not None or page.before is not None:
            return self._page(node, owners, node.where)
        order = tuple((*ordered.term.key, ordered.direction) for ordered in node.order)
        kind = ("page", node.module.name, order, node.reads, page.offset, page.backward, node.wants_cursors)
        return self._kept(kind, node.where, node.views, lambda made, where: made._page(node, None, where))  # noqa: SLF001 - of this class

    def _page(self, node: ListNode, owners: Sequence[Any] | None, where: Sequence[Predicate]) -> RowsPlan:
        draft = self._draft(node.module)
        page = node.range
        if node.link is None and finds_keys_first(draft.speech, node.module, where):
            found = Draft(draft.speech, node.module)
            self._keep(found, node, where)
            by = self._order(found, _direction(node))
            read_by_keys(draft, found, by, node.reads, page.offset)
            shapes, sort, by = self._laid_out(draft, node)
            return RowsPlan(draft.statement().order_by(*by), shapes, sort, width=draft.width)
        looked_up = self._owners(draft.speech, node.link, owners)
        link = self._link(draft, node.link, owners, looked_up)
        self._keep(draft, node, where)
        shapes, sort, by = self._laid_out(draft, node)
        position = draft.add(link.value) if link else None
        if looked_up is not None:
            statement = looked_up.pages(draft, by, node.reads)
        elif link is None or owners is None or len(owners) == 1:
            # Where values decide which rows there are, one plan does not fit all of them: a state without tickets would be
            # looked for among all that there are. Behind a mark, the database plans for the values that it is given.
            is_form = not where and link is None
            statement = draft.statement().order_by(*by).limit(written(node.reads) if is_form else node.reads)
            near = is_form and page.offset <= WRITTEN_OFFSET
            statement = statement.offset(written(page.offset) if near else page.offset) if page.offset else statement
        else:
            exact = self.dialect.exact(link.value, link.column_class)
            statement = self._numbered(draft, [exact], by, page.offset, node.reads)
        return RowsPlan(statement, shapes, sort, position, width=draft.width)

    def _laid_out(self, draft: Draft, node: ListNode) -> tuple[tuple[Shape, ...], tuple[int, ...], list[Sql]]:
        """Select what a page's views and cursors read; return how, and the order."""
        shaper = self._shaper(draft)
        shapes = tuple(shaper.shape(view) for view in node.views)
        order = _direction(node)
        sort = self._sort(draft, order) if node.wants_cursors else ()
        return shapes, sort, self._order(draft, order)

    def _keep(self, draft: Draft, node: ListNode, where: Sequence[Predicate]) -> None:
        """Keep a list's rows, from where the page begins."""
        draft.where(where)
        page = node.range
        for start, turned in ((page.after, False), (page.before, True)):
            if start is not None:
                draft.conditions.append(_start(draft, node.order, start, turned=turned))

    def total(self, node: ListNode, owners: Sequence[Any] | None = None) -> Statement:
        """Count the rows of a list; of a relation, for each owner."""

        def make(self: Statements, where: Sequence[Predicate]) -> Select:
            draft = self._draft(node.module)
            link = self._link(draft, node.link, owners)
            draft.where(where)
            return self._counted(draft, link)

        return (
            make(self, node.where)
            if node.link is not None
            else self.again(("total", node.module.name), node.where, make)
        )

    def far_side(self, node: ListNode, owners: Sequence[Any] | None = None) -> Select:
        """Find whether there are rows on the side where the page comes from."""
        draft = self._draft(node.module)
        link = self._link(draft, node.link, owners)
        draft.where(node.where)
        page = node.range
        start = page.before if page.backward else page.after
        if start is not None:
            # Everything that is not beyond the cursor: the cursor's own row, and what is on its other side.
            found = _start(draft, node.order, start, turned=page.backward)
            draft.conditions.append(self.dialect.is_not_true(found))
        if link is None:
            return draft.statement().limit(written(1))
        return self._counted(draft, link)

    def several(self, loads: Sequence[ListLoad], owners: Sequence[Any]) -> Select:
        """Read the values of dynamic fields with several values: field, object, value."""
        return _several(self.speech(), loads, owners)

    def groups(self, node: AggregateNode) -> Select:
        """Count and sum up groups: the keys, the count, the sums."""
        draft = self._draft(node.module)
        lay_out = self._grouped(draft, node)
        draft.where(node.where)
        # Grouping by the columns of a derived table keeps bound values out of GROUP BY, where they would not be equal.
        inner = draft.statement().subquery("g")
        key_columns, functions = lay_out(inner)
        statement = sa.select(*key_columns, COUNT, *functions).select_from(inner)
        if not key_columns:
            return statement
        by = [part for key in key_columns for part in self.dialect.order(key, "ASC")]
        return statement.group_by(*key_columns).order_by(COUNT.desc(), *by).limit(written(node.limit))

    def _grouped(self, draft: Draft, node: AggregateNode) -> Callable[[Any], tuple[list[Sql], list[Sql]]]:
        """Select what is grouped by and summed up; return what makes keys and sums of the columns of the derived table."""
        keys = [draft.add(self._group(draft, value)) for value in node.groups]
        sums = [draft.add(draft.scope.grouped(term)) for _, term in node.sums]

        def lay_out(inner: Any) -> tuple[list[Sql], list[Sql]]:
            functions = [
                self.dialect.summed(function, inner.c[position], exact=term.kind == "decimal", whole=_is_whole(term))
                for (function, term), position in zip(node.sums, sums, strict=True)
            ]
            return [inner.c[position] for position in keys], functions

        return lay_out

    def again(
        self,
        kind: Hashable,
        where: Sequence[Predicate],
        make: Callable[[Statements, Sequence[Predicate]], Select],
    ) -> Statement:
        """Make a statement, or fill in the one that was made for a condition of the same form and a caller with the same rights.

        `kind` says all else. `make` is handed the statements of the caller to make it for.
        """
        found = form_of(where)
        own = self.guard.own
        if found is None or not are_plain(own):
            return make(self, where)
        form, values = found
        key = (kind, form, self.guard.key)
        known: Template | Hashable | None = self.kept.get(key)
        if known is None:
            known = self.kept.put(key, self._template(make, where, values) or _NO_TEMPLATE)
        return known.fill([*values, *own]) if isinstance(known, Template) else make(self, where)

    def _template(
        self,
        make: Callable[[Statements, Sequence[Predicate]], Select],
        where: Sequence[Predicate],
        values: Sequence[Any],
    ) -> Template | None:
        def made(marked: Sequence[Predicate], guard: Guard) -> Select:
            return make(replace(self, guard=guard), marked)

        return find_template(self.prepare, made, where, values, self.guard)

    # --- parts ---

    def _kept(
        self,
        kind: Hashable,
        where: Sequence[Predicate],
        views: Sequence[RowNode],
        make: Callable[[Statements, Sequence[Predicate]], RowsPlan],
    ) -> RowsPlan:
        """Make a plan, or take the one that was made for the same views, a condition of the same form, and the same rights."""
        found = form_of(where) if all(view.is_kept for view in views) else None
        own = self.guard.own
        if found is None or not are_plain(own):
            return make(self, where)
        form, values = found
        key = (kind, form, tuple(views), self.guard.key)
        known: _KeptPlan | Hashable | None = self.kept.get(key)
        if isinstance(known, _KeptPlan):
            return replace(known.plan, statement=known.template.fill([*values, *own]))
        made: list[RowsPlan] = []

        def marked(statements: Statements, where: Sequence[Predicate]) -> Any:
            made.append(make(statements, where))
            return made[-1].statement

        template = self._template(marked, where, values) if known is None else None
        # Where more is read than the statement, what is read belongs to one request.
        if template is None or any(shape.loads for shape in made[0].shapes):
            self.kept.put(key, _NO_TEMPLATE)
            return make(self, where)
        # Not the statement itself: it consists of hundreds of objects, and its text is kept.
        self.kept.put(key, _KeptPlan(template, replace(made[0], statement=_UNSAID)))
        return replace(made[0], statement=template.fill([*values, *own]))

    def _draft(self, module: Module) -> Draft:
        return Draft(self.speech(), module)

    def _shaper(self, draft: Draft) -> Shaper:
        return Shaper(draft, self.zone, self.secret)

    def _owners(self, speech: Speech, binding: ToMany | None, owners: Sequence[Any] | None) -> Owners | None:
        """Return the owners as a table, where the rows of each are looked up."""
        if binding is None or owners is None or not can_look_up(speech, binding, owners):
            return None
        return Owners(speech, owners)

    def _link(
        self, draft: Draft, binding: ToMany | None, owners: Sequence[Any] | None, looked_up: Owners | None = None
    ) -> Link | None:
        if binding is None:
            return None

        def narrow(found: Link) -> Sql:
            if looked_up is not None:
                return self.dialect.equals(found.value, looked_up.value, found.column_class)
            return self._among(found, owners or ())

        link = relate_once(draft.scope, binding, narrow)
        draft.conditions += link.fixed
        return link

    def _among(self, link: Link, owners: Sequence[Any]) -> Sql:
        """Keep the rows of these owners; what cannot be a value of the column links nothing."""
        bind = binder(self.dialect.name, "reference", link.column_class, self.zone)
        values = [bind(value) for value in owners if _can_be(value, link.column_class)]
        if len(values) == 1:
            return self.dialect.equals(link.value, values[0], link.column_class)
        return self.dialect.is_in(link.value, values, link.column_class)

    def _order(self, draft: Draft, order: Sequence[Ordered]) -> list[Sql]:
        scope = draft.scope
        return [
            part
            for ordered in order
            for part in self.dialect.order(
                scope.comparable(ordered.term), ordered.direction, nullable=ordered.term.nullable
            )
        ]

    def _sort(self, draft: Draft, order: Sequence[Ordered]) -> tuple[int, ...]:
        """Select the sort values; those that are compared as they are stored may be selected already."""
        return tuple(
            draft.add(draft.scope.comparable(ordered.term))
            if ordered.term.kind == "epoch" or ordered.term.column_class is ColumnClass.BYTES
            else draft.column(ordered.term)
            for ordered in order
        )

    def _numbered(self, draft: Draft, whose: Sequence[Sql], by: Sequence[Sql], offset: int, limit: int) -> Select:
        """Give every row its number among its owner's, in order, and keep the first ones."""
        number = sa.func.row_number().over(partition_by=list(whose), order_by=list(by)).label("n")
        inner = draft.statement().add_columns(number).subquery("p")
        wanted = [inner.c.n <= written(offset + limit)] + ([inner.c.n > written(offset)] if offset else [])
        columns = list(inner.c)[:-1]
        return sa.select(*columns).where(*wanted).order_by(inner.c.n)

    def _counted(self, draft: Draft, link: Link | None) -> Select:
        if link is None:
            return draft.scope.select(COUNT).where(*draft.conditions)
        value = self.dialect.exact(link.value, link.column_class)
        return draft.scope.select(value, COUNT).where(*draft.conditions).group_by(value)

    def _group(self, draft: Draft, value: GroupValue) -> Sql:
        term = Term((), draft.scope.module, value.field)
        bucket = _BUCKETS.get(value.bucket) or _BUCKETS_OF_KIND.get((term.kind, term.column_class))
        if bucket:
            return bucket(self.dialect, draft.scope.grouped(term), term.column_class)
        return self.dialect.exact(draft.scope.grouped(term), term.column_class)


def _is_whole(term: Term) -> bool:
    return term.kind in ("int", "bigint", "duration")


_BUCKETS: Mapping[str, Callable[[Dialect, Sql, ColumnClass], Sql]] = {
    "day": lambda dialect, value, kind: dialect.day(value, kind),
    "month": lambda dialect, value, kind: dialect.month(value, kind),
}
# A day that sits in a column of moments is grouped as a day.
_BUCKETS_OF_KIND: Mapping[tuple[str, ColumnClass], Callable[[Dialect, Sql, ColumnClass], Sql]] = {
    ("date", ColumnClass.DATETIME): lambda dialect, value, kind: dialect.day(value, kind),
}


def _direction(node: ListNode) -> tuple[Ordered, ...]:
    """Read from the end by turning the order around."""
    return tuple(ordered.reverse() for ordered in node.order) if node.range.backward else node.order


def _start(draft: Draft, order: Sequence[Ordered], values: Sequence[Any], *, turned: bool) -> Sql:
    if turned:
        order = tuple(ordered.reverse() for ordered in order)
    return beyond(draft.scope, order, values)


def _can_be(value: Any, kind: ColumnClass) -> bool:
    if kind in _TEXTS or not isinstance(value, str):
        return True
    return value.removeprefix("-").isdecimal() and value.isascii()


def _several(speech: Speech, loads: Sequence[ListLoad], owners: Sequence[Any]) -> Select:
    values = speech.enter("dynamic_field_value")
    fields = [load.term.item.dynamic for load in loads if isinstance(load.term.item, Field)]
    ids = [dynamic.id for dynamic in fields if dynamic]
    named = any(dynamic.object_type in ("CustomerUser", "CustomerCompany") for dynamic in fields if dynamic)
    statement = sa.select(column(values, "field_id"))
    if named:
        names = speech.enter("dynamic_field_obj_id_name")
        kinds = sorted({dynamic.object_type for dynamic in fields if dynamic})
        owner: Sql = column(names, "object_name")
        statement = statement.select_from(
            values.join(names, column(names, "object_id") == column(values, "object_id"))
        ).where(column(names, "object_type").in_(kinds), speech.dialect.is_in(owner, list(owners), ColumnClass.STRING))
    else:
        owner = column(values, "object_id")
        statement = statement.select_from(values).where(owner.in_(list(owners)))
    return (
        statement.add_columns(owner, column(values, "value_text"))
        .where(column(values, "field_id").in_(ids))
        .order_by(column(values, "id"))
    )
