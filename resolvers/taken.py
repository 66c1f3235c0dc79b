"""Values that must be unique, of many rows at once: against the table with one statement a key, and against each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resolvers.assignments import Given
from resolvers.checks import fault
from resolvers.draft import Draft
from resolvers.faults import Fault, FaultCode
from resolvers.ids import key_of
from resolvers.images import Fetch, Key
from resolvers.scope import Speech
from resolvers.shape import link_key
from resolvers.statements import Statements
from resolvers.stored import Binding
from resolvers.terms import Term, key_terms
from resolvers.uniques import find_taken
from schema.catalog import Catalog
from schema.spec import Field, Home, Module

VALUES_AT_ONCE = 500  # of one list in a statement

Row = tuple[Given, Key | None]  # what a row is given, and its own key where it is there already


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """What must be there once together: fields, or (as a text) the column of the row's own key.

    `is_backed` says that the database itself refuses a second one.
    """

    items: tuple[Field | str, ...]
    is_backed: bool

    @property
    def field(self) -> Field | None:
        """The field, where it is one alone."""
        item = self.items[0]
        return item if len(self.items) == 1 and isinstance(item, Field) else None

    def given(self, row: Given) -> tuple[Any, ...] | None:
        """Return what a row is given for it, or None where that says nothing about being unique."""
        values = tuple(row.key if isinstance(item, str) else row.values.get(item.name) for item in self.items)
        return None if any(value is None for value in values) else values


def unique_keys(module: Module, catalog: Catalog) -> tuple[UniqueKey, ...]:
    """Return every key of a module's rows that an input can fill: those of the file, then those of its tables."""
    backed: dict[tuple[str, ...], UniqueKey] = {}
    for home, name in ((Home.TABLE, module.table), (Home.SIDE, module.side_table)):
        table = catalog.tables.get(name or "")
        for columns in (table.key, *table.unique) if table and columns_of(module, home) else ():
            items = _items(module, home, columns)
            if items:
                backed[tuple(map(_name, items))] = UniqueKey(items, is_backed=True)
    found: dict[tuple[str, ...], UniqueKey] = {}
    # OTRS has tables whose rows only OTRS keeps apart; the file names what tells them apart.
    own = _items(module, Home.TABLE, module.key_columns)
    if own and not any({*key} <= {*map(_name, own)} for key in backed):
        found[tuple(map(_name, own))] = UniqueKey(own, is_backed=False)
    found |= {(item.name,): UniqueKey((item,), is_backed=False) for item in module.fields if item.unique}
    declared = _items(module, Home.TABLE, module.key_columns)  # tables of OTRS may have no key of their own
    if declared:
        found[tuple(map(_name, declared))] = UniqueKey(declared, is_backed=False)
    found |= backed
    return tuple(key for key in found.values() if all(isinstance(item, str) or item.is_readable for item in key.items))


def known_keys(statements: Statements, module: Module) -> tuple[UniqueKey, ...]:
    """Return the same, found out once."""
    key = ("unique keys", module.name)
    known: tuple[UniqueKey, ...] | None = statements.kept.get(key)
    return statements.kept.put(key, unique_keys(module, statements.catalog)) if known is None else known


def columns_of(module: Module, home: Home) -> dict[str, Field]:
    """Return the fields that live in one of a module's tables, by their columns."""
    return {item.column: item for item in module.fields if item.home is home}


def _items(module: Module, home: Home, columns: tuple[str, ...]) -> tuple[Field | str, ...]:
    fields = columns_of(module, home)
    found: list[Field | str] = []
    for name in columns:
        is_key = home is Home.TABLE and module.key_columns == (name,)
        if is_key and module.counted_key:
            return ()
        if name in fields and not (is_key and fields[name] not in module.shown_fields):
            found.append(fields[name])
        elif is_key:
            found.append(name)
        else:
            return ()
    return tuple(found)


def _name(item: Field | str) -> str:
    return item if isinstance(item, str) else item.name


async def mark_taken(
    fetch: Fetch, speech: Speech, module: Module, keys: Sequence[UniqueKey], rows: Sequence[Row]
) -> None:
    """Give a fault to each row of which another one, in the table or before it, has what must be unique."""
    speech = speech.open()  # also what the caller does not see is taken
    for key in keys:
        await _mark_stored(fetch, speech, module, key, rows)
    seen = [_nothing_seen() for _ in keys]
    for given, _ in rows:
        found = [(key, key.given(given), known) for key, known in zip(keys, seen, strict=True)]
        for key, values, known in found:
            if given.faults or values is None:
                continue
            before = known.get(_norm(speech, values))
            if before is not None and (
                before == values or await _are_alike(fetch, speech, module, key, (before, values))
            ):
                given.faults.append(_fault(key).under(*given.path, *_path(key)))
        if not given.faults:  # a row that is not written takes nothing
            for _, values, known in found:
                if values is not None:
                    known.setdefault(_norm(speech, values), values)


def _nothing_seen() -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {}


async def _mark_stored(fetch: Fetch, speech: Speech, module: Module, key: UniqueKey, rows: Sequence[Row]) -> None:
    asked = [(row, values) for row in rows if (values := key.given(row[0])) is not None]
    distinct = list(dict.fromkeys(values for _, values in asked))
    exact: dict[tuple[str, ...], set[Key]] = {}
    loose: dict[tuple[str, ...], set[Key]] = {}
    for start in range(0, len(distinct), VALUES_AT_ONCE):
        async for stored, own in _stored(fetch, speech, module, key, distinct[start : start + VALUES_AT_ONCE]):
            exact.setdefault(tuple(map(link_key, stored)), set()).add(own)
            loose.setdefault(_norm(speech, stored), set()).add(own)
    if not exact:
        return
    binding = Binding(speech.dialect.name, speech.zone)
    for (given, own), values in asked:
        is_taken = bool(exact.get(tuple(map(link_key, _bound(binding, key, values))), set()) - {own})
        if not is_taken and key.field is not None and _norm(speech, values) in loose:
            # By its collation the database may take for one what differs here, so it is asked about this one.
            is_taken = bool(await find_taken(speech, module, (key.field,), given.values, fetch=fetch, own=own))
        if is_taken:
            given.faults.append(_fault(key).under(*given.path, *_path(key)))


async def _stored(
    fetch: Fetch, speech: Speech, module: Module, key: UniqueKey, wanted: Sequence[tuple[Any, ...]]
) -> Any:
    """Yield what the table has of these values, with the keys of the rows; of several fields also other combinations."""
    draft = Draft(speech, module)
    binding = Binding(speech.dialect.name, speech.zone)
    positions = []
    parameters = [_bound(binding, key, values) for values in wanted]
    for number, item in enumerate(key.items):
        term = Term((), module, item)
        positions.append(draft.column(term))
        draft.conditions.append(draft.scope.value(term).in_(list(dict.fromkeys(row[number] for row in parameters))))
    own = [draft.column(term) for term in key_terms(module)]
    for row in await fetch(draft.statement()):
        yield tuple(row[place] for place in positions), key_of(module, [row[place] for place in own])


def _bound(binding: Binding, key: UniqueKey, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        value if isinstance(item, str) else binding.stored(item, value)
        for item, value in zip(key.items, values, strict=True)
    )


def _norm(speech: Speech, values: tuple[Any, ...]) -> tuple[str, ...]:
    """Write values so that those which MariaDB's collations may take for one are the same; elsewhere texts differ exactly."""
    texts = map(link_key, values)
    return tuple(map(_fold, texts)) if speech.dialect.name == "mysql" else tuple(texts)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).rstrip(" ")


async def _are_alike(
    fetch: Fetch, speech: Speech, module: Module, key: UniqueKey, both: tuple[tuple[Any, ...], tuple[Any, ...]]
) -> bool:
    """Ask the database whether its columns take two combinations for one."""
    binding = Binding(speech.dialect.name, speech.zone)
    pairs = zip(key.items, *(_bound(binding, key, values) for values in both), strict=True)
    for item, one, other in pairs:
        draft = Draft(speech, module)
        draft.column(Term((), module, item))
        draft.conditions.append(sa.false())
        # In a union the column says by which collation texts are compared.
        union = sa.union_all(draft.statement(), *(sa.select(sa.literal(value)) for value in (one, other))).subquery()
        (row,) = await fetch(sa.select(sa.func.count(sa.distinct(union.c[0]))))
        if row[0] != 1:
            return False
    return True


def _fault(key: UniqueKey) -> Fault:
    if key.field is not None:
        return fault(key.field, FaultCode.UNIQUE, "unique")
    return Fault(FaultCode.UNIQUE, "unique-row")


def _path(key: UniqueKey) -> Iterator[str]:
    if len(key.items) == 1:
        item = key.items[0]
        yield "databaseId" if isinstance(item, str) else item.api_name
