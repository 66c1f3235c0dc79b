"""Which rows of a module a caller may see and write, as conditions of the statement that reads them.

`resolvers.scope` asks here for every table of a module that enters a statement. The rules themselves are held against rows as
they are, not as the caller sees them: a queue may decide about a ticket without being the caller's to read.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from graphql import GraphQLError, GraphQLInputObjectType, Undefined, coerce_input_value
from sqlalchemy.sql.selectable import FromClause

from identity.access import Access, Denied, Right, access_of, reads_the_clock
from identity.principals import System
from identity.rights import Rights, unbounded
from resolvers.conditions import complement, condition, of_reference
from resolvers.errors import OperationError
from resolvers.filters import FilterReader
from resolvers.gate import Gate
from resolvers.memories import certain
from resolvers.predicate import All, Either, Not, Predicate, followed
from resolvers.scope import Scope, Speech, column, oldest
from resolvers.templates import Kept, kept_with, marks_of
from resolvers.terms import Term, joined_column
from schema.bindings import ToOne
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.snapshot import Snapshot
from schema.spec import VISIBLE, Audience, AudienceAccess, Module, Relation
from storage.dialects import Expression as Sql

RULES_KEPT = 2_000
DEEPEST = 12  # references that rules lead through, one after the other
_ONE: Sql = sa.literal_column("1")
_NEVER = Either()
_ALWAYS = All()
_UNREADABLE = (Denied, GraphQLError, OperationError, LookupError)
_RULES = access_of(unbounded(System("access rules")))


@dataclass(frozen=True, slots=True)
class Guard:
    """The rows of one caller, by the rules of one snapshot."""

    access: Access
    snapshot: Snapshot
    gone: FromClause | None = field(default=None, compare=False)  # a table of rows that are gone

    @property
    def key(self) -> Hashable:
        """What statements depend on, but for the values of `own`."""
        return self.access.rights.shape

    @property
    def own(self) -> tuple[Any, ...]:
        """What rules read of who is calling, as values of statements."""
        return () if self.access.rights.unbounded else self.access.own()

    def marked(self, turn: int, first: int) -> Guard:
        """Return the guard of somebody with the same rights who has marks in place of `own`, numbered from `first` on."""
        if self.access.rights.unbounded:
            return self
        moment = f"2001-01-01T00:00:0{turn}+00:00"  # no two are the same, so that what reads the clock is not kept
        rights = replace(self.access.rights, own=tuple(marks_of(self.own, turn, first)), now=moment)
        return Guard(Access(rights), self.snapshot)

    def limit(self, speech: Speech, module: Module, table: FromClause) -> Sql | None:
        """Return the condition on a module's table that leaves what the caller may see; None where that is everything."""
        if not self.access.is_bounded(module):
            return None
        rule = self.rule(module, Right.VIEW)
        return held(speech.open(), module, table, rule if table is not self.gone else certain(module, rule))

    def limit_below(self, speech: Speech, module: Module, table: FromClause, led: str | None) -> Sql | None:
        """Return the same for rows that a statement comes to from a row within its limits, the one that `led` refers to.

        That the row behind this reference is visible, as many rules say, needs no second look then.
        """
        if not self.access.is_bounded(module):
            return None
        rule = self.rule(module, Right.VIEW, led=led)
        return None if isinstance(rule, All) and not rule.parts else held(speech.open(), module, table, rule)

    def of_gone(self, table: FromClause) -> Guard:
        """Return the same guard for a statement over rows that are gone, as a table of `resolvers.ghosts` has them."""
        return replace(self, gone=table)

    def writes(
        self, speech: Speech, module: Module, table: FromClause, right: Right, *, after: bool = False
    ) -> Sql | None:
        """Return the condition for a write of rows that the caller sees, or on what was written; None where there is none."""
        if not self.access.is_bounded(module, right, after=after):
            return None
        return held(speech.open(), module, table, self.rule(module, right, after=after))

    def rule(self, module: Module, right: Right, *, after: bool = False, led: str | None = None) -> Predicate:
        """Return which rows a caller may see or write, as a condition; none at all where the rule cannot be read."""
        if self._has_clock():
            return self._read(module, right, after=after, led=led)
        kept: Kept[Predicate] = kept_with(self.snapshot.memo, "rules", RULES_KEPT)
        key = (module.name, right, after, led, self.access.rights.shape, self.own)
        return kept.get(key) or kept.put(key, self._read(module, right, after=after, led=led))

    def part(self, module: Module, rows: Mapping[str, Any]) -> Predicate:
        """Return a part of a rule, as its file writes it, as a condition; none at all where it can hold for no row."""
        try:
            return self._condition(module, [self.access.filled(rows)])
        except _UNREADABLE:
            return _NEVER

    def _has_clock(self) -> bool:
        """Answer whether any rule reads the clock: other rules may lead to it, and what is made of it holds for a request."""
        key = ("rules with a clock", self.access.audience)
        found: bool | None = self.snapshot.memo.get(key)
        if found is None:
            rules = [module.access.of(self.access.audience) for module in self.snapshot.modules.values()]
            found = any(reads_the_clock([item.rows, *_of_writes(item)]) for item in rules)
            self.snapshot.memo[key] = found
        return found

    def _read(self, module: Module, right: Right, *, after: bool, led: str | None) -> Predicate:
        try:
            rules = self.access.filters(module, right, after=after)
            return self._condition(module, [left for rows in rules if (left := _beside(rows, led))])
        # What another module's change broke lets nobody see anything, until the file is mended.
        except _UNREADABLE:
            return _NEVER

    def _condition(self, module: Module, filters: Sequence[Mapping[str, Any]]) -> Predicate:
        """Read filters with their values in them. Raises one of `_UNREADABLE`."""
        made = self.snapshot.schema_for(Audience.AGENT).get_type(f"{module.type_name}Filter")
        reader = FilterReader(self.snapshot, Gate(_RULES, {}))
        if filters and not isinstance(made, GraphQLInputObjectType):
            return _NEVER
        given = [coerce_input_value(self._expanded(module, rows, 0), made) for rows in filters]  # type: ignore[arg-type] # checked above
        if Undefined in given:
            return _NEVER
        parts = [reader.read(module, rows, "access") for rows in given]
        return All(tuple(parts)) if parts else _ALWAYS

    def _expanded(self, module: Module, rows: Any, depth: int) -> Any:
        """Put the rules of other modules where a rule says `$visible`. Raises `Denied` where they lead round in circles."""
        if depth > DEEPEST:
            raise Denied
        if not isinstance(rows, Mapping):
            return rows
        return {key: self._member(module, key, value, depth) for key, value in rows.items()}

    def _member(self, module: Module, key: str, value: Any, depth: int) -> Any:
        if key in ("and", "or"):
            return [self._expanded(module, item, depth) for item in value]
        if key == "not":
            return self._expanded(module, value, depth)
        item = module.members.get(key)
        target = self.snapshot.modules.get(getattr(item, "to", None) or "")
        if target is None:
            return value
        if isinstance(item, Relation) and isinstance(value, Mapping):
            return {word: self._led(target, part, depth) for word, part in value.items()}
        return self._led(target, value, depth)

    def _led(self, target: Module, value: Any, depth: int) -> Any:
        if value != VISIBLE:
            return self._expanded(target, value, depth + 1)
        if not self.access.may(target, Right.VIEW):
            raise Denied
        parts = [self._expanded(target, rows, depth + 1) for rows in self.access.filters(target, Right.VIEW)]
        return {"and": parts} if parts else {}


def _beside(rows: Mapping[str, Any], led: str | None) -> Mapping[str, Any]:
    """Leave out of a rule that the row behind a reference is visible."""
    left = {key: value for key, value in rows.items() if not (key == led and value == VISIBLE)}
    if led is not None and "and" in left:
        left["and"] = [_beside(part, led) for part in left["and"]]
        if not any(left["and"]):
            del left["and"]
    return left


def _of_writes(rules: AudienceAccess) -> list[Any]:
    return [found for rule in (rules.create, rules.update, rules.delete) for found in (rule.rows, rule.check)]


def held(speech: Speech, module: Module, table: FromClause, predicate: Predicate) -> Sql:
    """Say a rule of a table's rows in SQL. What stands behind references is asked for by subqueries.

    Joins would multiply with those of the operation, and an uncorrelated subquery is answered once.
    """
    if isinstance(predicate, All | Either):
        led = followed(predicate)
        if led is not None and len(led[0]) == 1:
            return _leads_to(speech, table, led[0][0], led[1])
        parts = [held(speech, module, table, part) for part in predicate.parts]
        if isinstance(predicate, All) or len(parts) < 2:  # noqa: PLR2004 - nothing to choose from
            return sa.and_(sa.true(), *parts) if isinstance(predicate, All) else sa.or_(sa.false(), *parts)
        return speech.dialect.tested(sa.or_(*parts))
    if isinstance(predicate, Not):
        return complement(speech.dialect, held(speech, module, table, predicate.part))
    scope = Beside(speech, module, table)
    return scope.closed(condition(scope, predicate))


class Beside(Scope):
    """A table that is in the statement already, with what is joined beside it only to hold a condition against it."""

    def __init__(self, speech: Speech, module: Module, table: FromClause) -> None:
        super().__init__(speech, module, table)
        nothing = sa.select(_ONE.label("one")).subquery(f"t{next(speech.numbers)}")
        self.tables = [nothing]
        self._source = nothing

    def closed(self, found: Sql) -> Sql:
        """Return a condition that needs nothing more in the statement."""
        if len(self.tables) == 1:
            return found
        return self.select(_ONE).where(found).correlate_except(*self.tables).exists()


def _leads_to(speech: Speech, table: FromClause, hop: ToOne, part: Predicate) -> Sql:
    outer = Beside(speech, hop.module, table)
    stored = Term((), hop.module, hop.field)
    left, left_class = outer.value(stored), stored.column_class
    said = of_reference(speech, hop, part, left)
    if said is not None:
        return outer.closed(said)
    to = joined_column(hop)
    to_class = hop.target.columns.get(to, ColumnClass.OTHER)
    target = speech.enter(hop.target.table)
    right = column(target, to)
    inner = held(speech, hop.target, target, part)
    if not speech.is_unique(hop.target.table, to):
        inner = sa.and_(inner, oldest(speech, hop, target))
    rows: Any = sa.select(_ONE).select_from(target).where(inner)
    # A list of what the rule leaves is made once, and an index on this column finds its rows; but not of tables that grow
    # with every ticket: OTRS counts those in large numbers.
    if left_class in WHOLE_NUMBERS and to_class in WHOLE_NUMBERS and ColumnClass.BIGINT not in (left_class, to_class):
        found = left.in_(rows.with_only_columns(right).correlate_except(target))
    else:
        found = rows.where(speech.same(right, to_class, left, left_class)).correlate_except(target).exists()
    return outer.closed(found)


def guard_of(rights: Rights, snapshot: Snapshot) -> Guard:
    """Return which rows are there for whoever has these rights."""
    return Guard(access_of(rights), snapshot)
