"""Which rows of a table are new, where others add rows and ids may become visible out of their order."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from storage.engine import Database

LATE_S = 10.0  # from a greater id that is there to a smaller one that comes
WIDEST_GAP = 1_000  # ids; more are missing because somebody left them out
BATCH = 5_000


class Growing:
    """One process's place in a table. `mark` is what may be remembered: rows up to it are done with for good."""

    def __init__(self, table: sa.TableClause, mark: int) -> None:
        self.table = table
        self._read_upto = mark
        self._missing: dict[int, float] = {}

    @property
    def mark(self) -> int:
        """Return the id up to which nothing new comes."""
        return min(self._missing, default=self._read_upto + 1) - 1

    def skip_to(self, mark: int) -> None:
        """Leave out what another process is done with."""
        self._read_upto = max(self._read_upto, mark)
        self._missing = {each: since for each, since in self._missing.items() if each > mark}

    async def read(self, database: Database) -> list[tuple[Any, ...]]:
        """Return rows that have not been returned yet, in the order of ids: at most `BATCH`, and those that came late."""
        late = await self._read_late(database)
        number = self.table.c.id
        rows = await database.fetch(
            sa.select(*self.table.c).where(number > self._read_upto).order_by(number).limit(BATCH)
        )
        seen = time.monotonic()
        for row in rows:
            if row[0] - self._read_upto <= WIDEST_GAP:
                self._missing.update(dict.fromkeys(range(self._read_upto + 1, row[0]), seen))
            self._read_upto = row[0]
        return [*late, *rows]

    async def _read_late(self, database: Database) -> list[tuple[Any, ...]]:
        before = time.monotonic() - LATE_S
        asked = sorted(self._missing)[-BATCH:]
        number = self.table.c.id
        rows = await database.fetch(sa.select(*self.table.c).where(number.in_(asked)).order_by(number)) if asked else []
        found = {row[0] for row in rows}
        # Only what this read would have found is given up: it was missing for long, and is still.
        self._missing = {each: since for each, since in self._missing.items() if each not in found and since > before}
        return rows
