"""Conditions as SQL. What each operator of the API means for each kind of value stands in tables here."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeGuard

import sqlalchemy as sa

from resolvers.errors import BadRequest
from resolvers.predicate import All, Compare, Either, Exists, KeyIn, Not, Predicate, Related, Worded, followed
from resolvers.relations import relate
from resolvers.scope import Scope, Speech, column, is_moment
from resolvers.terms import Term, joined_column, key_terms
from resolvers.word_conditions import worded
from schema.bindings import ToOne
from schema.catalog import WHOLE_NUMBERS, ColumnClass
from schema.kinds import UNKNOWN
from schema.spec import Field
from storage.dialects import Dialect
from storage.dialects import Expression as Sql
from storage.errors import BadParameter
from storage.values import LAST_SECOND, bind_text, binder

_ZERO: Sql = sa.literal_column("0")
_ONE: Sql = sa.literal_column("1")
_NOTHING: Sql = sa.literal_column("''")
_SMALL = frozenset({ColumnClass.SMALLINT, ColumnClass.INT})  # OTRS counts what grows with every ticket in larger ones


def condition(scope: Scope, predicate: Predicate) -> Sql:
    """Say a condition in SQL. Where nulls leave it unknown it does not hold."""
    make = _MAKERS[type(predicate)]
    return make(scope, predicate)


def _all(scope: Scope, predicate: All) -> Sql:
    found = followed(predicate)
    listed = _listed_rows(scope, *found) if found else None
    if listed is not None:
        return listed
    return sa.and_(sa.true(), *(condition(scope, part) for part in predicate.parts))


def _listed_rows(scope: Scope, hops: tuple[ToOne, ...], part: Predicate) -> Sql | None:
    """Say a condition on the row behind a reference as a list of such rows, so that an index on the reference finds ours.

    A join hides from the database how few rows that leaves: whoever looks for open tickets would go through all of them.
    Only for small tables, whose keys are small numbers; None for the others, which are joined.
    """
    hop = hops[-1]
    stored = Term(hops[:-1], hop.module, hop.field)
    target = Term((), hop.target, joined_column(hop))
    inner = Scope(scope.speech, hop.target)
    said = None if inner.is_limited else of_reference(scope.speech, hop, part, scope.value(stored))
    if said is not None:
        return said
    if not {stored.column_class, target.column_class} <= _SMALL or not scope.speech.is_unique(*_place(target)):
        return None
    found = condition(inner, part)
    rows = inner.select(inner.value(target)).where(found).correlate_except(*inner.tables)
    listed = scope.value(stored).in_(rows)
    same = None if scope.speech.dialect.sees_through_lists else _same_key(inner, target, part)
    if same is None:
        return listed
    # Said once more of the reference itself: an index that begins with it then gives the rows in the order of its next column.
    return sa.and_(scope.speech.dialect.equals(scope.value(stored), same, stored.column_class), listed)


def of_reference(speech: Speech, hop: ToOne, part: Predicate, value: Sql) -> Sql | None:
    """Say of a reference's own value what a condition says of the row that it leads to, which nothing keeps the caller from.

    Only where all that it asks for is the key, and the database lets no reference lead nowhere: a table less to plan for. None
    for any other condition.
    """
    if not speech.leads_somewhere(hop):
        return None
    return _of_key(speech, Term((), hop.target, joined_column(hop)), part, value)


def _of_key(speech: Speech, key: Term, part: Predicate, value: Sql) -> Sql | None:
    if isinstance(part, All):
        said = [_of_key(speech, key, item, value) for item in part.parts]
        found = [item for item in said if item is not None]
        return sa.and_(*found) if found and len(found) == len(said) else None
    if isinstance(part, KeyIn) and not part.hops and part.module.key_columns == (key.name,):
        return speech.dialect.is_in(value, [item[0] for item in part.keys], key.column_class)
    if _is_of_key(part, key, "eq", "in"):
        return _apply(speech.dialect, key, value, part.operator, _bind(speech, part.term, part.operator, part.value))
    return None


def _is_of_key(part: Predicate, key: Term, *operators: str) -> TypeGuard[Compare]:
    """Answer whether a condition compares a key, by one of these operators, as it is stored."""
    if not isinstance(part, Compare) or part.operator not in operators:
        return False
    return part.term.key == key.key and _family(key) is _plain


def _same_key(scope: Scope, key: Term, part: Predicate) -> Any:
    """Return the one key that a condition on a row allows, as it is bound; None where it says no such thing."""
    parts = part.parts if isinstance(part, All) else (part,)
    for item in parts:
        if _is_of_key(item, key, "eq"):
            return _bind(scope.speech, item.term, item.operator, item.value)
    return None


def _place(term: Term) -> tuple[str, str]:
    return term.module.table, term.name


def _either(scope: Scope, predicate: Either) -> Sql:
    return sa.or_(sa.false(), *(condition(scope, part) for part in predicate.parts))


def _not(scope: Scope, predicate: Not) -> Sql:
    return complement(scope.speech.dialect, condition(scope, predicate.part))


def complement(dialect: Dialect, found: Sql) -> Sql:
    """Say that a condition does not hold, also where nulls leave it unknown."""
    if isinstance(found, sa.sql.elements.True_ | sa.sql.elements.False_):
        return sa.not_(found)
    return dialect.is_not_true(found)


def _exists(scope: Scope, predicate: Exists) -> Sql:
    return column(scope.table(predicate.hops), joined_column(predicate.hops[-1])).is_not(None)


def _key_in(scope: Scope, predicate: KeyIn) -> Sql:
    terms = key_terms(predicate.module, predicate.hops)
    dialect = scope.speech.dialect
    if len(terms) == 1:
        return dialect.is_in(scope.value(terms[0]), [key[0] for key in predicate.keys], terms[0].column_class)
    rows = (
        sa.and_(
            *(dialect.equals(scope.value(term), part, term.column_class) for term, part in zip(terms, key, strict=True))
        )
        for key in predicate.keys
    )
    return sa.or_(sa.false(), *rows)


def _related(scope: Scope, predicate: Related) -> Sql:
    inner = Scope(scope.speech, predicate.relation.target)
    here = Term(predicate.hops, predicate.relation.module, predicate.relation.relation.here_column)
    link = relate(inner, predicate.relation)
    part = condition(inner, predicate.part)
    if _is_paired_with_one(scope, predicate, {link.column_class, here.column_class}):
        paired = inner.select(link.value).where(*link.fixed, part).correlate_except(*inner.tables)
        return scope.value(here).in_(paired)
    on = scope.speech.same(link.value, link.column_class, scope.value(here), here.column_class)
    if predicate.quantifier == "every":
        part = complement(inner.speech.dialect, part)
    rows = inner.select(_ONE).where(on, *link.fixed, part).correlate_except(*inner.tables)
    return rows.exists() if predicate.quantifier == "some" else ~rows.exists()


def _is_paired_with_one(scope: Scope, predicate: Related, classes: set[ColumnClass]) -> bool:
    """Answer whether a condition asks for what a table between pairs with one row: the tickets that somebody watches.

    Their list is made once, and it is short; asked of each row anew, the same takes ten times as long.
    """
    relation, part = predicate.relation.relation, predicate.part
    if predicate.quantifier != "some" or relation.through is None or not classes <= WHOLE_NUMBERS:
        return False
    if not isinstance(part, Compare) or part.operator != "eq" or part.term.hops or part.term.key[0] != "column":
        return False
    return scope.speech.is_unique(predicate.relation.target.table, part.term.key[-1])


# --- one value against one operator ---


def _compare(scope: Scope, predicate: Compare) -> Sql:
    family = _family(predicate.term)
    try:
        return family(scope, predicate.term, predicate.operator, predicate.value)
    except (BadParameter, OverflowError) as error:
        raise BadRequest(f"{predicate.path}: {error}") from None


Family = Callable[[Scope, Term, str, Any], Sql]


def _family(term: Term) -> Family:
    if term.is_rows:
        return _rows
    if term.kind == "date" and term.column_class is ColumnClass.DATETIME:
        return _day
    if isinstance(term.item, Field) and term.item.options and term.kind != "multiselect":
        return _option
    return _FAMILIES.get(term.kind, _plain)


_SIMPLE: Mapping[str, Callable[[Dialect, Sql, Any, ColumnClass], Sql]] = {
    "eq": lambda dialect, value, given, kind: dialect.equals(value, given, kind),
    "in": lambda dialect, value, given, kind: dialect.is_in(value, given, kind),
    "lt": lambda _, value, given, _kind: value < given,
    "lte": lambda _, value, given, _kind: value <= given,
    "gt": lambda _, value, given, _kind: value > given,
    "gte": lambda _, value, given, _kind: value >= given,
    "contains": lambda dialect, value, given, kind: dialect.contains(value, given, kind),
    "startsWith": lambda dialect, value, given, kind: dialect.starts_with(value, given, kind),
    "endsWith": lambda dialect, value, given, kind: dialect.ends_with(value, given, kind),
}
_NEGATED: Mapping[str, str] = {"ne": "eq", "notIn": "in"}  # true complements: null is not equal to anything
_PATTERNS = frozenset({"contains", "startsWith", "endsWith"})


def _plain(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    if operator == "isNull":
        return _null(scope.value(term), wanted=given)
    return _apply(scope.speech.dialect, term, scope.value(term), operator, _bind(scope.speech, term, operator, given))


def _apply(dialect: Dialect, term: Term, value: Sql, operator: str, given: Any) -> Sql:
    if operator in _NEGATED:
        return complement(dialect, _SIMPLE[_NEGATED[operator]](dialect, value, given, term.column_class))
    return _SIMPLE[operator](dialect, value, given, term.column_class)


def _bind(speech: Speech, term: Term, operator: str, given: Any) -> Any:
    if operator in _PATTERNS:
        return bind_text(given)
    bind = binder(speech.dialect.name, term.kind, term.column_class, speech.zone)
    return [bind(item) for item in given] if isinstance(given, list) else bind(given)


def _null(value: Sql, *, wanted: bool) -> Sql:
    return value.is_(None) if wanted else value.is_not(None)


def _truth(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """Any number but 0 is true, as it is when it is read."""
    value = scope.value(term)
    if operator == "isNull":
        return _null(value, wanted=given)
    native = term.column_class is ColumnClass.BOOL and scope.speech.dialect.name == "postgresql"
    true = value == sa.true() if native else value != _ZERO
    false = value == sa.false() if native else scope.speech.dialect.flag(value) == _ZERO
    found = true if given else false
    return complement(scope.speech.dialect, found) if operator == "ne" else found


def _file(scope: Scope, term: Term, _operator: str, given: Any) -> Sql:
    """Only `isNull`: a row has no file where the id that it holds leads to none."""
    if _field(term).holds_bytes:
        return _null(scope.value(term), wanted=given)
    return _null(column(scope.stored_file(term), "id"), wanted=given)


def _epoch(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """Whole seconds since 1970; what is no moment is null, and a moment between two seconds equals none."""
    value = scope.value(term)
    if operator == "isNull":
        return complement(scope.speech.dialect, is_moment(value)) if given else is_moment(value)
    low, high = math.floor(given.timestamp()), math.ceil(given.timestamp())
    if operator == "eq":
        return value == low if low == high and 0 < low <= LAST_SECOND else sa.false()
    compared = {"lt": value < high, "lte": value <= low, "gt": value > low, "gte": value >= high}[operator]
    return sa.and_(compared, is_moment(value))


def _day(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """Compare days in a column of moments: a day is everything from its midnight to the next."""
    value = scope.value(term)
    if operator == "isNull":
        return _null(value, wanted=given)
    begin = _bind(scope.speech, term, operator, given)
    end = _bind(scope.speech, term, operator, given + timedelta(days=1)) if given < date.max else None
    if end is None:
        raise BadRequest("The last day of the calendar cannot be compared with.")
    found: Mapping[str, Sql] = {
        "eq": sa.and_(value >= begin, value < end),
        "lt": value < begin,
        "lte": value < end,
        "gt": value >= end,
        "gte": value >= begin,
    }
    return found[operator]


def _option(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """UNKNOWN stands for every stored value that is none of the options."""
    if operator == "isNull" or not isinstance(term.item, Field):
        return _plain(scope, term, operator, given)
    wanted = given if isinstance(given, list) else [given]
    options = [option.value for option in term.item.options]
    known = [value for value in wanted if value in options]
    found = _plain(scope, term, "in", known)
    if len(known) != len(wanted):
        others = complement(scope.speech.dialect, _plain(scope, term, "in", options))
        found = sa.or_(found, sa.and_(scope.value(term).is_not(None), others))
    return complement(scope.speech.dialect, found) if operator in _NEGATED else found


# --- several values ---


def _rows(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """Several values as rows of dynamic_field_value."""

    def has(text: Any) -> Sql:
        rows, values = scope.dynamic_rows(term, _field(term))
        dialect, value = scope.speech.dialect, column(values, "value_text")
        if text == UNKNOWN and _field(term).options:
            options = [bind_text(option.value) for option in _field(term).options]
            found = sa.and_(
                value.is_not(None), complement(scope.speech.dialect, dialect.is_in(value, options, ColumnClass.TEXT))
            )
        else:
            found = dialect.equals(value, bind_text(text), ColumnClass.TEXT)
        return rows.add_columns(_ONE).where(found).exists()

    def empty() -> Sql:
        rows, _ = scope.dynamic_rows(term, _field(term))
        return ~rows.add_columns(_ONE).exists()

    return _listed(operator, given, has, empty)


def _texts(scope: Scope, term: Term, operator: str, given: Any) -> Sql:
    """Several values in one text: a JSON list as we write it, or words between commas as others do."""
    dialect, kind = scope.speech.dialect, term.column_class
    value = dialect.text(scope.value(term), kind)
    in_json = sa.and_(dialect.starts_with(value, "["), dialect.ends_with(value, "]"))
    # Every item with a comma of its own on both sides, so that items can be found and taken out whole.
    items = _between_commas(sa.case((in_json, dialect.inside(value)), else_=value))

    def has(text: Any) -> Sql:
        if text == UNKNOWN and _field(term).options:
            return others()
        plain = bind_text(text)
        found = [sa.and_(in_json, dialect.holds(items, f",{spelt},")) for spelt in _in_json(text)]
        if "," not in plain and plain == plain.strip():
            found.append(sa.and_(complement(scope.speech.dialect, in_json), dialect.holds(items, f",{plain},")))
        return sa.or_(*found)

    def others() -> Sql:
        """Take all options out; what is left besides commas is none of them."""
        left = items
        for option in _field(term).options:
            for spelt in (*_in_json(option.value), bind_text(option.value)):
                left = dialect.without(left, f",{spelt},")
        return sa.and_(value.is_not(None), dialect.without(left, ",") != _NOTHING)

    def empty() -> Sql:
        return sa.or_(value.is_(None), value.in_([_NOTHING, sa.literal_column("'[]'")]))

    return _listed(operator, given, has, empty)


def _between_commas(value: Sql) -> Sql:
    joined = sa.func.replace(value, sa.literal_column("', '"), sa.literal_column("','"))
    doubled = sa.func.replace(joined, sa.literal_column("','"), sa.literal_column("',,'"))
    comma = sa.type_coerce(sa.literal_column("',,'"), sa.String)
    return comma.concat(doubled).concat(sa.literal_column("',,'"))


def _in_json(value: Any) -> tuple[str, ...]:
    """Spell an item as it stands in a JSON list between doubled commas: as we write it, as others do, as a number."""
    text = bind_text(value)
    spelt = [json.dumps(text, ensure_ascii=False), json.dumps(text)]
    spelt += [text] if text.removeprefix("-").isdecimal() else []
    return tuple(dict.fromkeys(item.replace(", ", ",").replace(",", ",,") for item in spelt))


def _listed(operator: str, given: Any, has: Callable[[Any], Sql], empty: Callable[[], Sql]) -> Sql:
    if operator == "isEmpty":
        return empty() if given else sa.not_(empty())
    if operator == "has":
        return has(given)
    parts = [has(text) for text in given]
    return sa.or_(sa.false(), *parts) if operator == "hasSome" else sa.and_(sa.true(), *parts)


def _field(term: Term) -> Field:
    if not isinstance(term.item, Field):
        raise TypeError(f"{term.name} is no field.")
    return term.item


_FAMILIES: Mapping[str, Family] = {"bool": _truth, "epoch": _epoch, "file": _file, "multiselect": _texts}

_MAKERS: Mapping[type, Callable[[Scope, Any], Sql]] = {
    All: _all,
    Either: _either,
    Not: _not,
    Compare: _compare,
    KeyIn: _key_in,
    Exists: _exists,
    Related: _related,
    Worded: worded,
}
