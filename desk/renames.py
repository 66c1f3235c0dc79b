"""What else names a customer user by the login, and goes along with a new one: tickets, permissions, companies, services.

OTRS lets tickets and services follow. What stayed behind would be inherited by whoever is given the old login next.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from desk.history import changed_events, write_events
from desk.names import Names
from desk.roles import Role, find_role
from desk.stamps import touched
from desk.tables import TICKET
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.ids import key_of
from resolvers.noted import change_of
from schema.spec import Module

# By table: the column that holds the login.
_NAMING: Mapping[str, str] = {
    "group_customer_user": "user_id",
    "customer_user_customer": "user_id",
    "service_customer_user": "customer_user_login",
    "customer_preferences": "user_id",
}


async def follow_login(names: Names, work: Work, before: str, after: str) -> list[RowChange]:
    """Let everything follow a new login, and return what modules show of it as changes: a row gone, a row come."""
    snapshot = work.context.snapshot
    changes = await _follow_in_tickets(names, work, before, after)
    for name, column in _NAMING.items():
        if name not in snapshot.catalog.tables:
            continue
        module = next((item for item in snapshot.modules.values() if item.table == name and item.key_columns), None)
        columns = tuple(module.columns) if module is not None else (column,)
        table = sa.table(name, *map(sa.column, columns))
        own = table.c[column] == before
        rows = await work.transaction.execute(sa.select(*table.c).where(own).with_for_update())
        if rows:
            await work.transaction.change(sa.update(table).where(own).values({column: after}))
        if module is not None:
            for row in rows:
                old = dict(zip(columns, row, strict=True))
                changes += _moved(work, module, old, {**old, column: after})
    return changes


async def _follow_in_tickets(names: Names, work: Work, before: str, after: str) -> list[RowChange]:
    """Write the new login into tickets, and into the history of each, as OTRS does."""
    own = TICKET.c.customer_user_id == before
    columns = list(TICKET.c)
    found = sa.select(*columns).where(own).order_by(TICKET.c.id).with_for_update()
    rows = await work.transaction.execute(found)
    if not rows:
        return []
    await work.transaction.change(sa.update(TICKET).where(own).values(customer_user_id=after, **touched(work)))
    module = find_role(work.context.snapshot.modules, Role.TICKET)
    changes = []
    for row in rows:
        old = dict(zip((column.name for column in columns), row, strict=True))
        new = {**old, "customer_user_id": after}
        events = await changed_events(names, work.transaction, work.context.database.zone, old, new)
        source = await write_events(names, work, new, events)
        if module is not None:
            key = (int(old["id"]),)
            changes.append(change_of(work, module, ChangeKind.UPDATED, key, before=old, after=new, source=source))
    return changes


def _moved(work: Work, module: Module, before: Mapping[str, object], after: Mapping[str, object]) -> list[RowChange]:
    old, new = (key_of(module, [row[name] for name in module.key_columns]) for row in (before, after))
    if old == new:
        return []
    return [
        change_of(work, module, ChangeKind.DELETED, old, before=before, after=dict.fromkeys(before)),
        change_of(work, module, ChangeKind.CREATED, new, after=after),
    ]
