"""What happens to rows, whoever does it: the feed of changes with what OTRS writes beside us noted in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from schema.spec import Module
from storage.changes import Batch
from storage.engine import Database
from storage.feed import Feed
from storage.otrs_tail import Tail

# The tables in which OTRS leaves its traces.
TICKET, ARTICLE = "ticket", "article"


class Happenings:
    """The feed of one process. `modules` gives those that serve now."""

    def __init__(self, database: Database, modules: Callable[[], Mapping[str, Module]]) -> None:
        self._modules = modules
        self._tail = Tail(database)
        self.feed = Feed(database, self._look)

    async def read_since(self, after_id: int, limit: int, modules: Sequence[str] | None = None) -> Batch:
        """Read changes after an id, those of OTRS up to this second among them."""
        if await self._look():
            self.feed.notify()
        return await self.feed.read_since(after_id, limit, modules)

    async def _look(self) -> int:
        return await self._tail.look(self._module_on(TICKET), self._module_on(ARTICLE))

    def _module_on(self, table: str) -> str | None:
        """Name the module whose rows a table holds; the first by name where several do."""
        found = sorted(name for name, module in self._modules().items() if module.table == table)
        return found[0] if found else None
