"""The documents that are asked for most, so that a reload has planned them before it serves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from identity.principals import audience_of
from identity.rights import Rights
from resolvers.context import Context
from resolvers.document import Document, DocumentRefused, Documents
from resolvers.planning import plan_ahead
from schema.snapshot import Snapshot

REMEMBERED = 200  # operations
BEFORE = 5  # of them are planned before a new snapshot serves
BEFORE_S = 0.03  # and no more than this is spent on it: whoever saved a file waits for the whole of it
AFTER_PAUSE_S = 0.01  # between those that are planned afterwards, so that requests come in between
HALVED_AFTER = 2_000  # uses, so that what was liked last week makes room

Begin = Callable[[Snapshot, Rights, str], Context]

_log = logging.getLogger("lambdesk.modules")


@dataclass(slots=True)
class _Favourite:
    """An operation as it was asked for last, and how often that was."""

    document: Document
    name: str | None
    variables: Mapping[str, Any]
    rights: Rights
    uses: int = 0


class Favourites:
    """Counts queries, and plans the most used ones for a new snapshot. `begin` makes the context of a request."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: OrderedDict[tuple[str, str | None], _Favourite] = OrderedDict()
        self._uses = 0
        self._after: asyncio.Task[None] | None = None
        self.begin: Begin | None = None

    def note(self, document: Document, name: str | None, variables: Mapping[str, Any], rights: Rights) -> None:
        """Count one use of a query."""
        key = (document.digest, name)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _Favourite(document, name, variables, rights)
            if len(self._known) > REMEMBERED:
                least = min(self._known, key=lambda other: self._known[other].uses if other != key else self._uses)
                del self._known[least]
        else:
            found.variables, found.rights = variables, rights
        found.uses += 1
        self._uses += 1
        if self._uses % HALVED_AFTER == 0:
            for favourite in self._known.values():
                favourite.uses //= 2

    async def plan(self, snapshot: Snapshot) -> None:
        """Plan the most used operations for a snapshot that is about to serve, and the others once it does."""
        if self._after is not None:
            self._after.cancel()
        wanted = sorted(self._known.values(), key=lambda favourite: -favourite.uses)
        end = time.monotonic() + BEFORE_S
        done = 0
        for favourite in wanted[:BEFORE]:
            if time.monotonic() > end:
                break
            self._plan(snapshot, favourite)
            done += 1
            await asyncio.sleep(0)
        if wanted[done:]:
            self._after = asyncio.get_running_loop().create_task(self._plan_rest(snapshot, wanted[done:]))

    async def _plan_rest(self, snapshot: Snapshot, wanted: list[_Favourite]) -> None:
        for favourite in wanted:
            await asyncio.sleep(AFTER_PAUSE_S)
            self._plan(snapshot, favourite)

    def _plan(self, snapshot: Snapshot, favourite: _Favourite) -> None:
        """Plan one operation; what cannot be asked of the new snapshot is told when it is asked."""
        if self.begin is None:
            return
        try:
            audience = audience_of(favourite.rights.principal)
            version = f"{snapshot.version}:{audience}"
            text = favourite.document.text
            document = self._documents.prepare(text, snapshot.schema_for(audience), version)
            plan_ahead(
                self.begin(snapshot, favourite.rights, "plan"), document.node, favourite.name, favourite.variables
            )
        except DocumentRefused:
            pass
        except Exception:  # noqa: BLE001 - a reload never fails for what is asked anyway
            _log.exception("an operation could not be planned ahead")
