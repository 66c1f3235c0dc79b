"""What a person is called: for himself to see, decided upon by nothing."""

from __future__ import annotations

import sqlalchemy as sa

from identity.accounts import TABLES
from identity.principals import Kind, Person
from storage.direct import Kept
from storage.engine import Database


def _named(kind: Kind) -> Kept:
    people = sa.table(TABLES[kind], sa.column("id", sa.BigInteger()), sa.column("first_name"), sa.column("last_name")).c
    return Kept(sa.select(people.first_name, people.last_name).where(people.id == sa.bindparam("number")))


_NAMES = {kind: _named(kind) for kind in TABLES}


async def read_name(database: Database, person: Person) -> str:
    """Read somebody's first and last name in one line; empty where the row has gone. Raises `StorageError`."""
    rows = await database.fetch_kept(_NAMES[person.kind], {"number": person.id})
    return " ".join(str(part) for part in rows[0] if part) if rows else ""
