"""What the three databases say differently, as functions that make SQLAlchemy expressions.

Columns are expected untyped (`sqlalchemy.column(name)`), values as `storage.values` binds them, so that no driver or
type of SQLAlchemy changes a value on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from schema.catalog import WHOLE_NUMBERS, ColumnClass

Expression = ColumnElement[Any]

_TEXTS = frozenset({ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES})
_ESCAPE = "!"  # not the backslash: whether MySQL treats that as special depends on its sql_mode
_SHAPES = {"contains": "%{}%", "starts_with": "{}%", "ends_with": "%{}"}

# A lower-case final sigma is the same letter as any other sigma, and a dotted capital I folds to one letter: the same
# on all three databases, whatever their Unicode tables say about words and languages.
_BEFORE_LOWER = ("İ", "i")
_AFTER_LOWER = ("ς", "σ")  # noqa: RUF001 - a Greek letter is meant


def fold(text: str) -> str:
    """Fold case for comparison, letter by letter, as every dialect's `fold` does in the database."""
    return text.replace(*_BEFORE_LOWER).lower().replace(*_AFTER_LOWER)


def like_pattern(shape: str, text: str) -> str:
    """Make the LIKE pattern of `contains`, `starts_with` or `ends_with`: folded, with %, _ and the escape escaped."""
    escaped = "".join(_ESCAPE + letter if letter in "%_!" else letter for letter in fold(text))
    return _SHAPES[shape].format(escaped)


def _word(sql: str) -> Expression:
    """Put a fixed piece of SQL into an expression; a bound value would make GROUP BY see two different expressions."""
    return sa.literal_column(sql)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One database's way of saying things. `sqlite`, `mysql` and `postgresql` fill it in."""

    name: ClassVar[str]

    # Whether a column in a list of one known value is planned like one that equals it.
    sees_through_lists: ClassVar[bool] = True

    # Whether rows are read quicker by keys that were found before, where many are looked at and few are wanted.
    finds_keys_first: ClassVar[bool] = False

    def text(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Read a column of text that may sit in a bytes column (OTRS keeps long texts in LONGBLOB on MySQL)."""
        raise NotImplementedError

    def fold(self, expression: Expression) -> Expression:
        """Fold case for all letters of Unicode."""
        raise NotImplementedError

    def day(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Cut a date-time (or seconds since 1970) to its day, as the text YYYY-MM-DD."""
        raise NotImplementedError

    def month(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Cut a date-time (or seconds since 1970) to the first of its month, as the text YYYY-MM-01."""
        raise NotImplementedError

    def like(self, expression: Expression, pattern: str | Expression, column_class: ColumnClass) -> Expression:
        """Compare with a pattern made by `like_pattern`, ignoring case."""
        return self.fold(self.text(expression, column_class)).like(pattern, escape=_ESCAPE)

    def contains(self, expression: Expression, text: str, column_class: ColumnClass = ColumnClass.STRING) -> Expression:
        """Match a text anywhere, ignoring case."""
        return self.like(expression, like_pattern("contains", text), column_class)

    def starts_with(
        self, expression: Expression, text: str, column_class: ColumnClass = ColumnClass.STRING
    ) -> Expression:
        """Match a text at the beginning, ignoring case."""
        return self.like(expression, like_pattern("starts_with", text), column_class)

    def ends_with(
        self, expression: Expression, text: str, column_class: ColumnClass = ColumnClass.STRING
    ) -> Expression:
        """Match a text at the end, ignoring case."""
        return self.like(expression, like_pattern("ends_with", text), column_class)

    def equals(self, expression: Expression, value: Any, column_class: ColumnClass) -> Expression:
        """Compare exactly: case, accents and trailing spaces count. `value` may be an expression (a join)."""
        same: Expression = self.text(expression, column_class) == value
        return same

    def inside(self, expression: Expression) -> Expression:
        """Cut the first and the last letter off; there must be two."""
        return sa.func.substr(expression, _word("2"), sa.func.length(expression) - _word("2"))

    def holds(self, expression: Expression, text: str) -> Expression:
        """Find a text anywhere in a text, exactly."""
        found: Expression = sa.func.instr(expression, text) > _word("0")
        return found

    def without(self, expression: Expression, text: str) -> Expression:
        """Take a text out of a text wherever it stands exactly."""
        return sa.func.replace(expression, text, _word("''"))

    def is_in(self, expression: Expression, values: Sequence[Any], column_class: ColumnClass) -> Expression:
        """Compare exactly with several values; none of them matches nothing."""
        if not values:
            return sa.false()
        return self.text(expression, column_class).in_(values)

    def is_about_in(self, expression: Expression, values: Sequence[Any], column_class: ColumnClass) -> Expression:
        """Lead to the rows with several values by an index, and maybe to others: what else is asked compares exactly."""
        return self.is_in(expression, values, column_class)

    def exact(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Make values of a text different wherever `equals` says so: for grouping and partitions. MariaDB's are bytes."""
        return self.text(expression, column_class)

    def whole(self, expression: Expression) -> Expression:
        """Read a text as a whole number (OTRS keeps ids in text columns of links); what is none gives no known id."""
        return sa.cast(expression, sa.BigInteger)

    def readable_moment(self, expression: Expression) -> Expression:
        """Make null of a date or date-time that Python's cannot hold, so that all of them are one group."""
        return expression

    def summed(self, function: str, value: Expression, *, exact: bool, whole: bool) -> Expression:  # noqa: ARG002 - others ask
        """Sum up (avg, max, min, sum). `exact` is said of decimals, `whole` of integers, whose sum may be any size."""
        found: Expression = getattr(sa.func, function)(value)
        return found

    def flag(self, expression: Expression) -> Expression:
        """Say a value that is one of two, where no index on it should be used."""
        return expression

    def tested(self, condition: Expression) -> Expression:
        """Say a condition that is to be tested on rows that something else finds."""
        return condition

    def is_not_true(self, expression: Expression) -> Expression:
        """Negate as `not` of a filter means it: an unknown (null) comparison does not hold either."""
        return sa.func.coalesce(expression, sa.false()) == sa.false()

    def order(self, expression: Expression, direction: str, *, nullable: bool = True) -> tuple[Expression, ...]:
        """Order by ASC, DESC (nulls first in both), ASC_NULLS_LAST or DESC_NULLS_LAST."""
        word, _, last = direction.partition("_")
        ordered: Expression = expression.desc() if word == "DESC" else expression.asc()
        if not nullable:
            return (ordered,)
        return self._with_nulls(expression, ordered, descending=word == "DESC", last=bool(last))

    def _with_nulls(
        self, expression: Expression, ordered: Expression, *, descending: bool, last: bool
    ) -> tuple[Expression, ...]:
        if descending == last:  # where SQLite and MariaDB put nulls by themselves: they are the smallest values
            return (ordered,)
        return (expression.is_(None).asc() if last else expression.is_(None).desc(), ordered)


@dataclass(frozen=True, slots=True)
class Sqlite(Dialect):
    """SQLite: the folding function is ours, registered on every connection."""

    name: ClassVar[str] = "sqlite"
    sees_through_lists: ClassVar[bool] = False

    def text(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Bytes and text never equal each other in SQLite."""
        return sa.cast(expression, sa.Text) if column_class is ColumnClass.BYTES else expression

    def flag(self, expression: Expression) -> Expression:
        """Hide the column: SQLite would read and sort half of a table because there is an index on a flag."""
        return expression.op("+")(_word("0"))

    def tested(self, condition: Expression) -> Expression:
        """Hide it: SQLite would look rows up by each part of an OR, and sort them all before the first page."""
        return condition.self_group().bool_op("+")(_word("0"))

    def readable_moment(self, expression: Expression) -> Expression:
        """Keep what its own date functions read; year 0 is none of Python's."""
        read = sa.func.datetime(expression)
        return sa.case((read >= _word("'0001-01-01'"), expression))

    def summed(self, function: str, value: Expression, *, exact: bool, whole: bool) -> Expression:  # noqa: ARG002 - others ask
        """Sum integers up in two halves, joined as `high,low`: its own sum fails beyond 64 bits."""
        if function != "sum" or not whole:
            found: Expression = getattr(sa.func, function)(value)
            return found
        high, low = (sa.cast(sa.func.sum(half), sa.Text) for half in _halves(value))
        return high.op("||")(_word("','")).op("||")(low)

    def fold(self, expression: Expression) -> Expression:
        """Call the registered function."""
        return sa.func.lambdesk_fold(expression)

    def day(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Date-times are texts that begin with their day."""
        if column_class in WHOLE_NUMBERS:
            return sa.func.strftime(_word("'%Y-%m-%d'"), sa.func.nullif(expression, _word("0")), _word("'unixepoch'"))
        return sa.func.substr(expression, _word("1"), _word("10"))

    def month(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Date-times are texts that begin with their month."""
        return sa.func.substr(self.day(expression, column_class), _word("1"), _word("8")).op("||")(_word("'01'"))


@dataclass(frozen=True, slots=True)
class PostgreSql(Dialect):
    """PostgreSQL: `collation` is the ICU collation that knows all letters, or "" where the server has none."""

    name: ClassVar[str] = "postgresql"
    collation: str = "und-x-icu"

    def text(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Decode bytes; texts stay as they are."""
        if column_class is ColumnClass.BYTES:
            return sa.func.convert_from(expression, _word("'UTF8'"))
        return expression

    def readable_moment(self, expression: Expression) -> Expression:
        """Keep the years of Python's calendar."""
        in_range = expression.between(_word("'0001-01-01'"), _word("'9999-12-31 23:59:59.999999'"))
        return sa.case((in_range, expression))

    def holds(self, expression: Expression, text: str) -> Expression:
        """Find it."""
        found: Expression = sa.func.strpos(expression, text) > _word("0")
        return found

    def fold(self, expression: Expression) -> Expression:
        """Lower by ICU; without it the database's own LC_CTYPE decides which letters have a case."""
        before = sa.func.replace(expression, *map(_quoted, _BEFORE_LOWER))
        lowered = sa.func.lower(before.collate(self.collation) if self.collation else before)
        return sa.func.replace(lowered, *map(_quoted, _AFTER_LOWER)).collate("C")

    def day(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Write the day."""
        return sa.func.to_char(self._moment(expression, column_class), _word("'YYYY-MM-DD'"))

    def month(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Write the month."""
        return sa.func.to_char(self._moment(expression, column_class), _word("'YYYY-MM\"-01\"'"))

    def whole(self, expression: Expression) -> Expression:
        """Cast only digits: PostgreSQL refuses to cast anything else."""
        digits = expression.regexp_match(_word("'^[0-9]{1,18}$'"))
        return sa.case((digits, sa.cast(expression, sa.BigInteger)))

    def _moment(self, expression: Expression, column_class: ColumnClass) -> Expression:
        if column_class in WHOLE_NUMBERS:
            return sa.func.timezone(_word("'UTC'"), sa.func.to_timestamp(sa.func.nullif(expression, _word("0"))))
        return expression

    def _with_nulls(
        self,
        expression: Expression,  # noqa: ARG002 - the others ask it for null
        ordered: Expression,
        *,
        descending: bool,
        last: bool,
    ) -> tuple[Expression, ...]:
        if descending != last:  # where PostgreSQL puts nulls by itself: they are the largest values
            return (ordered,)
        return (ordered.nulls_last() if last else ordered.nulls_first(),)


@dataclass(frozen=True, slots=True)
class MySql(Dialect):
    """MariaDB and MySQL: `collation` is the newest one, whose tables know which letters have a case."""

    name: ClassVar[str] = "mysql"
    finds_keys_first: ClassVar[bool] = True
    collation: str = "utf8mb4_unicode_520_ci"

    def text(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Bytes become text where they are compared."""
        return self._utf8(expression) if column_class is ColumnClass.BYTES else expression

    def readable_moment(self, expression: Expression) -> Expression:
        """Leave out zero dates: of such a day nobody can say which one it is."""
        return sa.case((sa.func.to_days(expression).is_not(None), expression))

    def summed(self, function: str, value: Expression, *, exact: bool, whole: bool) -> Expression:  # noqa: ARG002 - others ask
        """Take the mean of numbers with all digits: its own has four more than its values."""
        if function == "avg":
            value = sa.cast(value, sa.Numeric(65, 12)) if exact else value.op("+")(_word("0e0"))
        found: Expression = getattr(sa.func, function)(value)
        return found

    def inside(self, expression: Expression) -> Expression:
        """Count letters; LENGTH counts bytes."""
        return sa.func.substr(expression, _word("2"), sa.func.char_length(expression) - _word("2"))

    def holds(self, expression: Expression, text: str) -> Expression:
        """Find it byte by byte."""
        found: Expression = sa.func.instr(self._bytes(expression), text) > _word("0")
        return found

    def without(self, expression: Expression, text: str) -> Expression:
        """Take it out letter by letter: newer versions of REPLACE heed the collation."""
        return sa.func.replace(self._utf8(expression).collate("utf8mb4_bin"), text, _word("''"))

    def fold(self, expression: Expression) -> Expression:
        """Lower by the newest collation, then compare letter by letter instead of by the column's collation."""
        lowered = sa.func.lower(self._utf8(expression).collate(self.collation))
        # REPLACE heeds the collation of its argument in newer versions: a binary one replaces exactly what is written.
        exact = lowered.collate("utf8mb4_bin")
        return sa.func.replace(exact, *map(_quoted, _AFTER_LOWER)).collate("utf8mb4_bin")

    def day(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Write the day."""
        return sa.func.date_format(self._moment(expression, column_class), _word("'%Y-%m-%d'"))

    def month(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Write the month."""
        return sa.func.date_format(self._moment(expression, column_class), _word("'%Y-%m-01'"))

    def equals(self, expression: Expression, value: Any, column_class: ColumnClass) -> Expression:
        """Use the index with the column's collation, then compare bytes: collations ignore case and trailing spaces."""
        same: Expression = expression == value
        if column_class not in _TEXTS:
            return same
        exact = value if isinstance(value, str) else self._bytes(value)
        if column_class is ColumnClass.BYTES:
            return self._bytes(expression) == exact
        return sa.and_(same, self._bytes(expression) == exact)

    def is_in(self, expression: Expression, values: Sequence[Any], column_class: ColumnClass) -> Expression:
        """Use the index, then compare bytes."""
        if not values:
            return sa.false()
        if column_class not in _TEXTS:
            return expression.in_(values)
        exact = self._bytes(expression).in_(values)
        return exact if column_class is ColumnClass.BYTES else sa.and_(expression.in_(values), exact)

    def is_about_in(self, expression: Expression, values: Sequence[Any], column_class: ColumnClass) -> Expression:
        """Use the index alone: reading bytes of every row takes as long as finding it."""
        if not values or column_class is ColumnClass.BYTES:
            return self.is_in(expression, values, column_class)
        return expression.in_(values)

    def exact(self, expression: Expression, column_class: ColumnClass) -> Expression:
        """Compare bytes."""
        return self._bytes(expression) if column_class in _TEXTS else expression

    def _moment(self, expression: Expression, column_class: ColumnClass) -> Expression:
        if column_class in WHOLE_NUMBERS:  # FROM_UNIXTIME would answer in the session's time zone
            seconds = sa.func.nullif(expression, _word("0"))
            return sa.func.timestampadd(_word("SECOND"), seconds, _word("'1970-01-01'"))
        return expression

    def _utf8(self, expression: Expression) -> Expression:
        return sa.func.convert(expression.op("USING")(_word("utf8mb4")))

    def _bytes(self, expression: Expression) -> Expression:
        # Untyped again, or SQLAlchemy would encode what it is compared with.
        return sa.type_coerce(sa.cast(self._utf8(expression), sa.BINARY), sa.types.NullType())


def _halves(value: Expression) -> tuple[Expression, Expression]:
    """Cut integers into what is above their lowest 32 bits and those bits; the sums of neither pass 64 bits."""
    return value.op(">>")(_word("32")), value.op("&")(_word("4294967295"))


def _quoted(letter: str) -> Expression:
    return _word(f"'{letter}'")


DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Sqlite(), MySql(), PostgreSql())}
