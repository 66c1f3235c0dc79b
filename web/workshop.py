"""What operations about the platform itself need beyond the snapshot: the registry, the module folders, the kept versions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from identity.rights import RightsReader
from resolvers.context import Context
from resolvers.writing import Writing
from schema.registry import Registry
from schema.snapshot import ModuleStatus, Snapshot
from storage.library import Library
from web.afterwards import Afterwards
from web.identities import Identities
from web.import_jobs import ImportJobs
from web.recognition import Caller
from web.settings import Settings


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where module files are checked and put in place."""

    registry: Registry
    library: Library
    folders: Sequence[Path]
    refuse_breaking: bool

    async def reload(self) -> Snapshot:
        """Load what was just written and return what serves. Whoever asked may go away meanwhile: it is finished."""
        return await asyncio.shield(asyncio.create_task(self.registry.reload()))


@dataclass(slots=True)
class PlatformContext(Context):
    """The context of operations on a server that can publish and import. `writing` is what mutations work with.

    `guest` is the caller with the way he came; `cookies` takes headers for an answer over HTTP, and is None for others.
    """

    workshop: Workshop = field(kw_only=True)
    imports: ImportJobs = field(kw_only=True)
    afterwards: Afterwards = field(kw_only=True)
    identities: Identities = field(kw_only=True)
    settings: Settings = field(kw_only=True)
    rights_reader: RightsReader = field(kw_only=True)
    guest: Caller = field(kw_only=True)
    cookies: list[str] | None = field(kw_only=True, default=None)
    writing: Writing = field(kw_only=True, default_factory=Writing)


def status_of(snapshot: Snapshot, name: str) -> ModuleStatus | None:
    """Return a module's state in a snapshot."""
    return next((status for status in snapshot.status if status.name == name), None)
