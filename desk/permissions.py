"""What OTRS keeps of permissions: a row a key that somebody holds to a group, and of whoever holds `rw` that row alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from identity.rights import ALL_KEYS, KEYS
from resolvers.checks import fault
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.ids import key_of
from resolvers.noted import change_of
from schema.spec import Field, Module
from storage.locks import hold

KEY, VALUE, GROUP, CONTEXT = "permission_key", "permission_value", "group_id", "permission_context"
RIGHTS_LOCK = "rights"  # held by whoever gives or takes rights, until all of it is in the database
_GRANTED = 1
_NUMBERS = frozenset({"user_id", "role_id", GROUP})


@dataclass(frozen=True, slots=True)
class Holding:
    """One of OTRS's tables of permissions: `holder` is the column of who holds them, `keys` which there are."""

    table: str
    holder: str
    keys: tuple[str, ...]
    holder_is_number: bool = True

    def together(self, columns: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the columns that rows of one holder for one group have in common; companies hold them by context too."""
        return (self.holder, GROUP, *((CONTEXT,) if CONTEXT in columns else ()))


OF_AGENTS = Holding("group_user", "user_id", KEYS)
OF_ROLES = Holding("group_role", "role_id", KEYS)
OF_COMPANIES = Holding("group_customer", "customer_id", ("ro", ALL_KEYS), holder_is_number=False)
OF_CUSTOMERS = Holding("group_customer_user", "user_id", ("ro", ALL_KEYS), holder_is_number=False)
HOLDINGS = (OF_AGENTS, OF_ROLES, OF_COMPANIES, OF_CUSTOMERS)


class PermissionConduct:
    """The conduct of a table of permissions."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding

    async def prepare(self, work: Work, change: RowChange) -> None:
        """Refuse keys that there are not, and single ones beside `rw`; raises `Faulty`."""
        await hold(work.transaction, RIGHTS_LOCK)
        if change.kind is ChangeKind.DELETED:
            return
        self._check_key(change)
        _grant(change)
        if change.after(KEY) != ALL_KEYS and await self._has_all(work, change):
            raise Faulty(_implied(change.module))

    async def written(self, work: Work, change: RowChange) -> None:
        """Let `rw` stand alone. Rows that are written together are looked at once more, now that they are all there."""
        if change.kind is ChangeKind.DELETED:
            return
        if change.after(KEY) == ALL_KEYS:
            change.along += await self._leave_alone(work, change)
        elif await self._has_all(work, change, is_written=True):
            raise Faulty(_implied(change.module))

    # --- inside ---

    def _check_key(self, change: RowChange) -> None:
        if change.after(KEY) in self._holding.keys:
            return
        item = field_at(change.module, KEY)
        if item is None:
            raise Faulty(Fault(FaultCode.INVALID, "invalid-row"))
        wrong = fault(item, FaultCode.INVALID, "permission-unknown", keys=", ".join(self._holding.keys))
        raise Faulty(wrong.under(item.api_name))

    def _table(self, module: Module) -> sa.TableClause:
        numbers = _NUMBERS if self._holding.holder_is_number else _NUMBERS - {self._holding.holder}
        return sa.table(
            module.table, *(sa.column(name, sa.BigInteger() if name in numbers else None) for name in module.columns)
        )

    def _together(self, table: sa.TableClause, change: RowChange) -> sa.ColumnElement[bool]:
        names = self._holding.together(change.module.columns)
        return sa.and_(*(table.c[name] == change.after(name) for name in names))

    async def _has_all(self, work: Work, change: RowChange, *, is_written: bool = False) -> bool:
        """Answer whether another row than the one that changes gives `rw`."""
        table = self._table(change.module)
        where = [self._together(table, change), table.c[KEY] == ALL_KEYS]
        if VALUE in table.c:
            where.append(table.c[VALUE] == _GRANTED)
        if change.before and not is_written:
            names = (*self._holding.together(change.module.columns), KEY)
            where.append(sa.not_(sa.and_(*(table.c[name] == change.before[name] for name in names))))
        found = sa.select(table.c[GROUP]).where(*where).with_for_update()
        return bool(await work.transaction.execute(found))

    async def _leave_alone(self, work: Work, change: RowChange) -> list[RowChange]:
        """Remove the other rows of the same holder and group, and return them as changes."""
        module = change.module
        table = self._table(module)
        others = sa.and_(self._together(table, change), table.c[KEY] != ALL_KEYS)
        names = list(module.columns)
        rows = await work.transaction.execute(
            sa.select(*(table.c[name] for name in names)).where(others).with_for_update()
        )
        if not rows:
            return []
        await work.transaction.change(sa.delete(table).where(others))
        found = []
        for row in rows:
            before = dict(zip(names, row, strict=True))
            key = key_of(module, [before[name] for name in module.key_columns]) if module.key_columns else ()
            found.append(change_of(work, module, ChangeKind.DELETED, key, before=before, after=dict.fromkeys(names)))
        return found if module.key_columns else []


def field_at(module: Module, column: str) -> Field | None:
    """Return the field that shows a column of the module's own table."""
    return next((item for item in module.shown_fields if item.column == column), None)


def _grant(change: RowChange) -> None:
    """Grant what is written, which OTRS does with a 1 where the table has a column for it."""
    if VALUE not in change.module.columns:
        return
    if change.kind is ChangeKind.CREATED and change.values.get(VALUE) is None:
        change.values[VALUE] = _GRANTED
    if change.changes(VALUE) and not change.after(VALUE):
        item = field_at(change.module, VALUE)
        if item is None:
            raise Faulty(Fault(FaultCode.INVALID, "invalid-row"))
        raise Faulty(fault(item, FaultCode.INVALID, "permission-not-granted").under(item.api_name))


def _implied(module: Module) -> Fault:
    item = field_at(module, KEY)
    return Fault(FaultCode.INVALID, "permission-implied", (item.api_name,) if item else None)
