"""The sources of kept versions, read in one statement when the first of them is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from storage.engine import Database
from storage.own import VersionHead, version_sources


class Sources:
    """The sources of the first `shown` of some versions (newest first), and of what they are compared with."""

    def __init__(self, database: Database, heads: Sequence[VersionHead], shown: int) -> None:
        self._database = database
        self._heads = heads
        self._shown = heads[:shown]
        self._reading: asyncio.Future[Mapping[int, str]] | None = None

    def newest(self, head: VersionHead) -> VersionHead:
        """Return the newest version of the same file."""
        return next(item for item in self._heads if item.file == head.file)

    def before(self, head: VersionHead) -> VersionHead | None:
        """Return the version before of the same file."""
        return next((item for item in self._heads if item.file == head.file and item.id < head.id), None)

    async def text(self, id_: int) -> str:
        """Return a source. Whoever asks meanwhile waits for the same statement."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(version_sources(self._database, list(self._ids())))
        return (await self._reading)[id_]

    def _ids(self) -> Iterable[int]:
        found: dict[int, None] = {}
        for head in self._shown:
            for item in (head, self.newest(head), self.before(head)):
                if item is not None:
                    found[item.id] = None
        return found
