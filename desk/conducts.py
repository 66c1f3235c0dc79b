"""Which tables of OTRS have rules of their own for every write, and which they are."""

from __future__ import annotations

from collections.abc import Mapping

from desk.accounts import KINDS, AccountConduct
from desk.administrators import TABLES, KeepsAdministrators
from desk.conduct import TABLE, TicketConduct
from desk.desk import Desk
from desk.permissions import HOLDINGS, PermissionConduct
from resolvers.conduct import Conduct


def make_conducts(desk: Desk) -> Mapping[str, Conduct]:
    """Make the conducts of a database, by table."""
    own: dict[str, Conduct] = {TABLE: TicketConduct(desk)}
    own |= {holding.table: PermissionConduct(holding) for holding in HOLDINGS}
    own |= {table: AccountConduct(desk.names, kind) for table, kind in KINDS.items()}
    return {**own, **{table: KeepsAdministrators(own.get(table)) for table in TABLES}}
