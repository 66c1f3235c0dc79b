"""What every ticket write of one database shares: names, numbers and the files that were uploaded for it."""

from __future__ import annotations

from dataclasses import dataclass

from desk.names import Names
from desk.numbers import Numbers
from storage.engine import Database
from storage.files import Files


@dataclass(frozen=True, slots=True)
class Desk:
    """The tools of ticket writes; one a database, made once."""

    names: Names
    numbers: Numbers
    files: Files


def make_desk(database: Database, files: Files) -> Desk:
    """Make the tools for a database. They read nothing until they are used."""
    names = Names()
    return Desk(names, Numbers(database, names), files)
