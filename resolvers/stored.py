"""From a field's API value to the column that holds it, and back: what the driver is given, by home and kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from identity.accounts import LOGIN_COLUMN, PASSWORD_COLUMN, TABLES
from identity.password_rules import Weakness, weakness
from identity.passwords import SHORTEST, PasswordTooLong, check_password, hash_password
from identity.seals import seal
from resolvers.assignments import Given
from resolvers.checks import fault
from resolvers.faults import Fault, FaultCode
from resolvers.terms import Term
from resolvers.values import Unreadable, output
from schema.catalog import ColumnClass
from schema.spec import Field, Home, Module
from storage.values import Converter, keeper, wall_clock

TYPED = "typed password"  # the extra of an account that is given a password: as it was typed, for the table's conduct

_RAW_TEXT = frozenset({"password", "secret", "file"})
_ACCOUNTS = frozenset(TABLES.values())


@dataclass(slots=True)
class Columns:
    """The values of one row by where they live: the own table, the table beside it, dynamic fields."""

    own: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    dynamic: list[tuple[Field, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Binding:
    """How values are given to one database."""

    dialect: str
    zone: tzinfo

    def columns(self, module: Module, values: Mapping[str, Any]) -> Columns:
        """Sort the values of fields into columns, as the driver takes them."""
        found, known = Columns(), self._known(module)
        for name, value in values.items():
            own = known.get(name)
            if own is not None:
                column, keep, null = own
                found.own[column] = null if value is None else keep(value)
                continue
            item = module.field_named(name)
            if item is None:
                continue
            if item.home is Home.DYNAMIC:
                found.dynamic.append((item, value))
            else:
                found.beside[item.column] = self.stored(item, value)
        return found

    def _known(self, module: Module) -> Mapping[str, tuple[str, Converter, Any]]:
        """Return of each field of the own table its column, what makes a parameter of a value, and what null is."""
        key = ("stored", self.dialect, str(self.zone))
        found: Mapping[str, tuple[str, Converter, Any]] | None = module.derived.get(key)
        if found is None:
            own = (item for item in module.fields if item.home is Home.TABLE)
            found = module.derived[key] = {
                item.name: (item.column, self._keeper(item), self.stored(item, None)) for item in own
            }
        return found

    def _keeper(self, item: Field) -> Converter:
        kind = "string" if item.kind in _RAW_TEXT else item.kind
        return keeper(self.dialect, kind, item.column_class, self.zone)

    def stored(self, item: Field, value: Any) -> Any:
        """Turn a field's API value into a parameter; null is 0 in a column of seconds that takes no null."""
        if value is None:
            return 0 if item.kind == "epoch" and not item.nullable else None
        return self._keeper(item)(value)

    def read(self, module: Module, item: Field, value: Any) -> Any:
        """Turn a column's value back into the API's, as images have it."""
        if value is None:
            return None
        convert: Callable[[Any], Any] | None = output(
            Term((), module, item), self.zone, raw=bool(item.to or item.options)
        )
        found = convert(value) if convert else value
        return None if isinstance(found, Unreadable) else found

    def moment(self, now: datetime) -> Any:
        """Write a moment as wall-clock columns hold it."""
        return wall_clock(now, self.dialect, self.zone)

    def class_of(self, module: Module, column: str) -> ColumnClass:
        """Return the class of an own column."""
        return module.columns.get(column, ColumnClass.OTHER)


async def protect(module: Module, given: Given, secret: bytes, *, hashes: bool = True) -> None:
    """Hash passwords and seal secrets before anything is stored; OTRS reads the secrets of its own tables as they are.

    Without `hashes` passwords are checked and stay: hashing is slow on purpose.
    """
    for name, value in given.values.items():
        item = module.field_named(name)
        if item is None or not value:
            continue
        if item.kind == "password":
            weak = _refuse_weak(module, item, given, value)
            if weak is not None:
                given.faults.append(weak.under(*given.path, item.api_name))
                continue
            try:
                if hashes:
                    given.values[name] = await asyncio.to_thread(hash_password, value)
                else:
                    check_password(value)
            except PasswordTooLong:
                wrong = fault(item, FaultCode.INVALID, "too-long", limit=72, length=len(value.encode()))
                given.faults.append(wrong.under(*given.path, item.api_name))
        elif item.kind == "secret" and (module.managed or item.home is Home.SIDE):
            given.values[name] = seal(value, secret)


def _refuse_weak(module: Module, item: Field, given: Given, password: str) -> Fault | None:
    """Say what is wrong with the password of an account; what other tables keep in such fields is their business."""
    if module.table not in _ACCOUNTS or item.column != PASSWORD_COLUMN:
        return None
    named = next((field.name for field in module.fields if field.column == LOGIN_COLUMN), "")
    given.extras[TYPED] = password
    return weak_password(item, password, str(given.values.get(named) or ""))


def weak_password(item: Field, password: str, login: str) -> Fault | None:
    """Say why an account of this login must not have a password; None where it may."""
    found = weakness(password, login)
    params = {"limit": SHORTEST, "length": len(password)} if found is Weakness.SHORT else {}
    return None if found is None else fault(item, FaultCode.INVALID, found.value, **params)
