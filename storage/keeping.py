"""Inserts that are made once for each table and set of columns."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from storage.direct import Kept

STATEMENTS_KEPT = 500


@lru_cache(maxsize=STATEMENTS_KEPT)
def insert_kept(statement: sa.Insert) -> Kept:
    """Keep an insert whose maker keeps it, too."""
    return Kept(statement)


@lru_cache(maxsize=STATEMENTS_KEPT)
def insert_into(table: sa.TableClause) -> Kept:
    """Insert rows of a table, one or many."""
    return Kept(sa.insert(table))


@lru_cache(maxsize=STATEMENTS_KEPT)
def insert_returning(statement: sa.Insert, key: str) -> Kept:
    """Insert a row and return the number that the database gave it."""
    return Kept(statement.returning(statement.table.c[key]))


@lru_cache(maxsize=STATEMENTS_KEPT)
def insert_several(table: sa.TableClause, columns: tuple[str, ...], count: int, *, shows: bool) -> Kept:
    """Insert so many rows with one statement, and return their ids if it `shows`; its values are `c0_0`, by column and row."""
    rows: list[dict[str, Any]] = [
        {name: sa.bindparam(f"c{place}_{row}", type_=table.c[name].type) for place, name in enumerate(columns)}
        for row in range(count)
    ]
    statement = sa.insert(table).values(rows)
    return Kept(statement.returning(table.c.id) if shows else statement.inline())
