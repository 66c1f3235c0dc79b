"""Who may administrate, and that there is always somebody: the last one cannot be made invalid, nor lose what makes him one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from desk.permissions import GROUP, KEY, RIGHTS_LOCK, VALUE
from resolvers.conduct import ChangeKind, Conduct, RowChange, Work
from resolvers.faults import Fault, FaultCode, Faulty
from schema.catalog import GROUP_TABLES, group_table
from schema.spec import ADMINISTRATORS, VALIDITY_COLUMN
from storage.locks import hold

_VALID = 1
_BEFORE = "administrators before"  # an extra of ours: whether there were any


def _invalidates(change: RowChange) -> bool:
    return change.before.get(VALIDITY_COLUMN) == _VALID and change.after(VALIDITY_COLUMN) != _VALID


def _moves_group(change: RowChange) -> bool:
    is_theirs = change.before.get("name") == ADMINISTRATORS.group
    return is_theirs and (_invalidates(change) or change.changes("name"))


def _takes_key(change: RowChange) -> bool:
    return change.before.get(KEY) == ADMINISTRATORS.key


def _always(_change: RowChange) -> bool:
    return True


# By table: whether a change of a row that is there may take rights away; a deletion may where this says nothing else.
_CONCERNS: Mapping[str, Callable[[RowChange], bool]] = {
    "users": _invalidates,
    "roles": _invalidates,
    "role_user": _always,
    "group_user": _takes_key,
    "group_role": _takes_key,
    **dict.fromkeys(GROUP_TABLES, _moves_group),
}
TABLES = tuple(_CONCERNS)


class KeepsAdministrators:
    """The conduct of a table that decides who administrates, around what else its rows ask for."""

    def __init__(self, within: Conduct | None = None) -> None:
        self._within = within

    async def prepare(self, work: Work, change: RowChange) -> None:
        """Remember whether there are administrators, where the change may take the last one away."""
        if self._within is not None:
            await self._within.prepare(work, change)
        if _concerns(change):
            await hold(work.transaction, RIGHTS_LOCK)
            change.extras = {**change.extras, _BEFORE: await has_administrator(work)}

    async def written(self, work: Work, change: RowChange) -> None:
        """Refuse what has left no administrator; raises `Faulty`."""
        if self._within is not None:
            await self._within.written(work, change)
        if change.extras.get(_BEFORE) and not await has_administrator(work):
            raise Faulty(Fault(FaultCode.FORBIDDEN, "last-administrator"))


def _concerns(change: RowChange) -> bool:
    if change.kind is ChangeKind.CREATED:
        return False
    if change.kind is ChangeKind.DELETED and VALIDITY_COLUMN in change.before:
        return bool(change.before[VALIDITY_COLUMN] == _VALID)
    return _CONCERNS[change.module.table](change)


async def has_administrator(work: Work) -> bool:
    """Answer whether a valid agent has `rw` of the valid group of administrators, himself or by a valid role."""
    groups = group_table(work.context.snapshot.catalog.tables)
    if groups is None:
        return False
    for question in _questions(groups):
        # MariaDB reads as of the transaction's first read, unless it locks.
        asked = question.with_for_update(read=True) if work.transaction.dialect.name == "mysql" else question
        if any(row[0] == ADMINISTRATORS.group for row in await work.transaction.execute(asked)):
            return True
    return False


def _questions(groups_in: str) -> tuple[sa.Select[Any], sa.Select[Any]]:
    users = _table("users", "id", VALIDITY_COLUMN)
    groups = _table(groups_in, "id", "name", VALIDITY_COLUMN)
    direct = _table("group_user", "user_id", GROUP, KEY)
    members = _table("role_user", "user_id", "role_id")
    roles = _table("roles", "id", VALIDITY_COLUMN)
    given = _table("group_role", "role_id", GROUP, KEY, VALUE)
    valid = (
        users[VALIDITY_COLUMN] == _VALID,
        groups[VALIDITY_COLUMN] == _VALID,
        groups["name"] == ADMINISTRATORS.group,
    )
    own = sa.select(groups["name"]).where(
        direct["user_id"] == users["id"], direct[GROUP] == groups["id"], direct[KEY] == ADMINISTRATORS.key, *valid
    )
    by_role = sa.select(groups["name"]).where(
        members["user_id"] == users["id"],
        members["role_id"] == roles["id"],
        roles[VALIDITY_COLUMN] == _VALID,
        given["role_id"] == roles["id"],
        given[GROUP] == groups["id"],
        given[KEY] == ADMINISTRATORS.key,
        given[VALUE] == _VALID,
        *valid,
    )
    return own.limit(1), by_role.limit(1)


def _table(name: str, *columns: str) -> Any:
    return sa.table(sa.sql.quoted_name(name, quote=True), *map(sa.column, columns)).c
