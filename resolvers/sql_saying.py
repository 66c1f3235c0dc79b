"""One statement of a lambda's SQL while it is said: what it has so far, its slots and its constants."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from identity.access import Access
from resolvers.scope import Speech
from resolvers.sql_kinds import NUMBERS, Kind, Said, Slot, sql_type
from resolvers.sql_speaker import word
from resolvers.sql_syntax import Now, Null, Number, Parameter, RefusedSql, Term, Text
from resolvers.sql_values import read_moment, write_moment
from storage.errors import BadParameter
from storage.values import bind_text

TABLES_LIMIT = 12  # of a whole statement
MULTIPLICATIONS_LIMIT = 10  # with more of them numbers could leave what floating ones can be
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,6})?", re.ASCII)


@dataclass(slots=True)
class Saying:
    """One statement while it is said: how, for whom, its slots, and what it has so far."""

    speech: Speech
    access: Access
    fill: Callable[[Slot, int], Any]  # with the number of the slot
    slots: list[Slot] = field(default_factory=list)
    tables: int = 0
    multiplications: int = 0

    def slot(self, kind: Kind, *parts: Term, is_top: bool = False) -> sa.BindParameter[Any]:
        """Make a place for a value that comes with the question."""
        made = Slot(kind, parts, is_top)
        number = len(self.slots)
        self.slots.append(made)
        return sa.bindparam(f"s{number}", self.fill(made, number), sql_type(kind, self.speech.dialect.name))

    def enter(self) -> int:
        """Count one more table, and return its number."""
        self.tables += 1
        if self.tables > TABLES_LIMIT:
            raise RefusedSql(f"The SQL has more than {TABLES_LIMIT} tables.")
        return self.tables - 1

    def multiply(self) -> None:
        """Count one more operator that makes numbers larger."""
        self.multiplications += 1
        if self.multiplications > MULTIPLICATIONS_LIMIT:
            raise RefusedSql(f"The SQL multiplies and divides more than {MULTIPLICATIONS_LIMIT} times.")


def say_constant(saying: Saying, term: Term, kind: Kind) -> Said:
    """Say a constant as of a kind, or raise `RefusedSql` where it is none."""
    if isinstance(term, Null):
        return Said(sa.null(), kind)
    if isinstance(term, Parameter | Now):
        if isinstance(term, Now) and kind not in (Kind.DAY, Kind.MOMENT):
            raise RefusedSql(f"{kind.capitalize()} is wanted where a date or time stands.")
        return Said(saying.slot(kind, term), kind, nullable=isinstance(term, Parameter), is_short=True)
    text = term.digits if isinstance(term, Number) else term.value if isinstance(term, Text) else ""
    if isinstance(term, Number) and kind in (Kind.DAY, Kind.MOMENT):
        raise RefusedSql(f"{kind.capitalize()} is wanted where a number stands.")
    try:
        return Said(word(_written(saying.speech, text, kind)), kind, nullable=False)
    except (ValueError, BadParameter):
        what = "a number" if isinstance(term, Number) else "a text"
        raise RefusedSql(f"{kind.capitalize()} is wanted where {what} stands.") from None


def _written(speech: Speech, text: str, kind: Kind) -> str:
    """Write a constant as SQL; everything in it is known to be harmless, or quoted anew."""
    if kind in NUMBERS:
        if not _NUMBER.fullmatch(text) or (kind is Kind.WHOLE and "." in text):
            raise ValueError(text)
        return f"({text})" if text.startswith("-") else text
    if kind is Kind.MOMENT:
        return write_moment(read_moment(text, speech.zone), speech.dialect.name)
    if kind is Kind.DAY:
        return f"'{read_moment(text, speech.zone).date().isoformat()}'"
    quoted = bind_text(text).replace("'", "''")
    if speech.dialect.name == "mysql":
        quoted = quoted.replace("\\", "\\\\")  # without harm in the mode in which a backslash is itself
    return f"'{quoted}'"
