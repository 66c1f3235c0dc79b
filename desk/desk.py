"""What every ticket write of one database shares: names and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from desk.names import Names
from desk.numbers import Numbers
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Desk:
    """The tools of ticket writes; one a database, made once."""

    names: Names
    numbers: Numbers


def make_desk(database: Database) -> Desk:
    """Make the tools for a database. They read nothing until they are used."""
    names = Names()
    return Desk(names, Numbers(database, names))
