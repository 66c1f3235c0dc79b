"""Statements without SQLAlchemy between them and the driver, which costs more than most of them do.

SQLAlchemy still writes the SQL, once for each shape of a statement. Here the text goes to the driver's own connection with the
values in their places. What this does not know goes the long way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.ddl import ExecutableDDLElement
from sqlalchemy.sql.elements import ClauseElement

from storage.errors import TransactionConflict, Unavailable
from storage.faults import is_stale_plan, translate
from storage.quick import quick

_READS = ("SELECT", "WITH", "VALUES", "SHOW", "TABLE", "EXPLAIN", "PRAGMA")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Tell(Protocol):
    """Sees a statement before the driver does, and may refuse it."""

    def __call__(self, text: str, parameters: Any, *, many: bool) -> None:
        """Look at the text and its values."""


class StalePlan(TransactionConflict):
    """PostgreSQL refused a prepared statement because a table has changed since: trying again mends it."""


@quick
class Answer:
    """What a statement gave: rows, or how many rows it changed."""

    rows: list[tuple[Any, ...]]
    rowcount: int
    returns_rows: bool
    lastrowid: int = 0  # which PostgreSQL never tells

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Iterate over the rows."""
        return iter(self.rows)


@quick
class Ready:
    """A statement as the driver takes it; `values` is a list for a statement that runs for many rows."""

    text: str
    values: tuple[Any, ...] | list[tuple[Any, ...]]
    shows: bool


class Kept:
    """A statement that its maker keeps, so that it is compiled once; its values are given by name when it is run."""

    __slots__ = ("__weakref__", "statement")

    def __init__(self, statement: Executable) -> None:
        self.statement = statement


@dataclass(frozen=True, slots=True)
class Form:
    """A compiled statement whose values are still to come: where each stands, and what the driver wants of it."""

    text: str
    places: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    constants: Mapping[str, Any]
    shows: bool

    def fill(self, rows: Sequence[Mapping[str, Any]]) -> Ready:
        """Put the values of one row, or of several, into their places."""
        values = [self._values(row) for row in rows]
        return Ready(self.text, values if len(values) > 1 else values[0], self.shows)

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        constants = self.constants
        return tuple(
            [
                (row[name] if name in row else constants[name])
                if convert is None
                else convert(row[name] if name in row else constants[name])
                for name, convert in self.places
            ]
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a compiled statement; `is_known` is False for those that go the long way."""

    is_known: bool
    expands: bool = False
    shows: bool = False


@dataclass(frozen=True, slots=True)
class Driver:
    """How one driver runs a statement, and what it raises."""

    run: Callable[[Any, Ready], Awaitable[Answer]]
    errors: tuple[type[BaseException], ...]


class Direct:
    """What turns statements into texts and values for one engine."""

    def __init__(self, engine: sa.Engine, driver: Driver) -> None:
        self.driver = driver
        self._dialect = engine.dialect
        self._pool = engine.pool
        self._cache = engine._compiled_cache  # noqa: SLF001 - the same statements are compiled once, whoever runs them
        self._plans: WeakKeyDictionary[SQLCompiler, _Plan] = WeakKeyDictionary()
        self._forms: WeakKeyDictionary[Kept, dict[tuple[bool, tuple[str, ...]], Form | None]] = WeakKeyDictionary()

    def prepare(self, statement: Any, parameters: Parameters = None) -> Ready | None:
        """Return the statement ready to be run, or None for one that SQLAlchemy must run itself."""
        if isinstance(statement, Ready):
            return statement
        if isinstance(statement, str):
            return Ready(statement, (), _reads(statement)) if not parameters else None
        rows: Sequence[Mapping[str, Any]] = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
        if isinstance(statement, Kept):
            form = self._form(statement, (len(rows) > 1, tuple(rows[0])))
            if form is not None:
                return form.fill(rows)
            statement = statement.statement
        if not isinstance(statement, ClauseElement) or isinstance(statement, ExecutableDDLElement):
            return None
        return self._compiled(statement, rows)

    def _compiled(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> Ready | None:
        many = len(rows) > 1
        # What `Connection.execute` itself calls, and all of it that we need.
        compiled, extracted, collected, _ = statement._compile_w_cache(  # noqa: SLF001
            self._dialect, compiled_cache=self._cache, column_keys=sorted(rows[0]), for_executemany=many
        )
        plan = self._plan(compiled)
        if not isinstance(compiled, SQLCompiler) or not plan.is_known or (many and (plan.expands or plan.shows)):
            return None
        filled = [
            compiled.construct_params(
                dict(row),
                extracted_parameters=extracted,
                escape_names=False,
                _group_number=place,
                _collected_params=collected,
            )
            for place, row in enumerate(rows)
        ]
        if plan.expands:
            return _expanded(compiled, filled[0], shows=plan.shows)
        places, convert = compiled.positiontup or [], compiled._bind_processors  # noqa: SLF001
        values = [_placed(row, places, convert) for row in filled]
        return Ready(compiled.string, values if many else values[0], plan.shows)

    def _form(self, kept: Kept, key: tuple[bool, tuple[str, ...]]) -> Form | None:
        forms = self._forms.setdefault(kept, {})
        if key not in forms:
            forms[key] = self._make_form(kept.statement, *key)
        return forms[key]

    def _make_form(self, statement: Any, many: bool, names: tuple[str, ...]) -> Form | None:
        compiled = statement._compile_w_cache(  # noqa: SLF001 - as above
            self._dialect, compiled_cache=None, column_keys=sorted(names), for_executemany=many
        )[0]
        plan = self._plan(compiled)
        if not isinstance(compiled, SQLCompiler) or not plan.is_known or plan.expands or (many and plan.shows):
            return None
        constants = compiled.construct_params(dict.fromkeys(names), escape_names=False, _check=False)
        convert: Mapping[str, Any] = compiled._bind_processors  # noqa: SLF001
        places = tuple((name, convert.get(name)) for name in compiled.positiontup or ())
        return Form(compiled.string, places, constants, plan.shows)

    def _plan(self, compiled: Any) -> _Plan:
        if not isinstance(compiled, SQLCompiler):
            return _Plan(is_known=False)
        plan = self._plans.get(compiled)
        if plan is None:
            plan = self._plans[compiled] = _plan(compiled, self._dialect)
        return plan

    def wire(self, lent: Any, tell: Tell) -> DirectWire:
        """Return the short way over a connection that the pool has lent."""
        return DirectWire(self, lent, tell)

    def forget_older(self, lent: Any, error: BaseException) -> None:
        """Let the pool do what SQLAlchemy makes it do when a connection breaks: those made before are not lent again."""
        self._pool._invalidate(lent, error, _checkin=False)  # noqa: SLF001


class DirectWire:
    """One connection, as a transaction uses it. `tell` sees every statement before the driver does."""

    def __init__(self, direct: Direct, lent: Any, tell: Tell) -> None:
        self._direct = direct
        self._lent = lent
        self._driver = lent.driver_connection
        self._tell = tell

    def make_ready(self, statement: Any, parameters: Parameters = None) -> Ready | None:
        """Make a statement ready and tell of it; None for one that must go the long way."""
        ready = self._direct.prepare(statement, parameters)
        if ready is not None:
            self._tell(ready.text, ready.values, many=isinstance(ready.values, list))
        return ready

    async def run(self, ready: Ready) -> Answer:
        """Run a statement."""
        direct = self._direct
        try:
            return await direct.driver.run(self._driver, ready)
        except direct.driver.errors as error:
            ours = StalePlan() if is_stale_plan(error) else translate(error)
            if isinstance(ours, Unavailable) and ours.lost:
                direct.forget_older(self._lent, error)
            raise ours from None


def _plan(compiled: SQLCompiler, dialect: sa.Dialect) -> _Plan:
    if compiled.insert_prefetch or compiled.update_prefetch or compiled.literal_execute_params:
        return _Plan(is_known=False)
    if any(_converts(entry.type, dialect) for entry in compiled._result_columns):  # noqa: SLF001
        return _Plan(is_known=False)
    if compiled.isinsert or compiled.isupdate or compiled.isdelete:
        # SQLAlchemy adds a RETURNING of its own to many an INSERT; nobody asked for those rows.
        shows = bool(getattr(compiled.statement, "_returning", ()))
    else:
        shows = _reads(compiled.string)
    return _Plan(is_known=True, expands=bool(compiled.post_compile_params), shows=shows)


def _converts(kind: Any, dialect: sa.Dialect) -> bool:
    """Whether SQLAlchemy would change values of a type on their way from the driver."""
    if isinstance(kind, sa.Numeric | sa.Float):
        return bool(kind.asdecimal) != (not isinstance(kind, sa.Float))
    return kind._cached_result_processor(dialect, None) is not None  # noqa: SLF001


def _expanded(compiled: SQLCompiler, filled: Any, *, shows: bool) -> Ready:
    """Give every value of an IN its place."""
    state = compiled._process_parameters_for_postcompile(filled)  # noqa: SLF001
    convert = {**compiled._bind_processors, **state.processors}  # noqa: SLF001
    return Ready(state.statement, _placed(state.parameters, state.positiontup or [], convert), shows)


def _placed(row: Mapping[str, Any], places: Sequence[str], convert: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple([convert[name](row[name]) if name in convert else row[name] for name in places])


def _reads(text: str) -> bool:
    return text.lstrip(" (\n").upper().startswith(_READS) or "RETURNING" in text.upper()
