"""The versions of module files that went live, in the API."""

from __future__ import annotations

import difflib
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.errors import BadRequest
from storage.own import VersionHead, version_heads
from web.administrators import administrators_only
from web.version_sources import Sources

VERSIONS_LIMIT = 100
VERSIONS_DEFAULT = 20

Info = strawberry.Info[Context, Any]


@strawberry.enum(description="What a version of a module file is compared with.")
class DiffAgainst(Enum):
    """The other side of a diff."""

    LIVE = strawberry.enum_value("LIVE", description="From this version to the newest of the same file.")
    PREVIOUS = strawberry.enum_value("PREVIOUS", description="From the version before of the same file to this one.")


@strawberry.type(description="A version of a module file that went live.")
class ModuleVersion:
    """A kept version as the API shows it."""

    head: strawberry.Private[VersionHead]
    sources: strawberry.Private[Sources]

    @strawberry.field
    def id(self) -> int:
        """Answer the number that `rollbackModule` takes."""
        return self.head.id

    @strawberry.field
    def file(self) -> str:
        """Answer the file."""
        return self.head.file

    @strawberry.field(description="SHA-256 of the file; `publishModule` takes it as `ifDigest`.")  # type: ignore[untyped-decorator] # the same
    def digest(self) -> str:
        """Answer the digest."""
        return self.head.digest

    @strawberry.field(description="Who published it; `file` when the file itself was changed.")  # type: ignore[untyped-decorator] # the same
    def author(self) -> str:
        """Answer the author."""
        return self.head.author

    @strawberry.field
    def created_at(self) -> datetime:
        """Answer when it was kept."""
        return self.head.created

    @strawberry.field
    async def source(self) -> str:
        """Answer the text."""
        return await self.sources.text(self.head.id)

    @strawberry.field(description="A unified diff; empty when nothing differs.")  # type: ignore[untyped-decorator] # the same
    async def diff(self, against: DiffAgainst = DiffAgainst.LIVE) -> str:
        """Answer what differs."""
        other = self.sources.newest(self.head) if against is DiffAgainst.LIVE else self.sources.before(self.head)
        old, new = (self.head, other) if against is DiffAgainst.LIVE else (other, self.head)
        return "".join(
            difflib.unified_diff(
                await self._lines(old), await self._lines(new), fromfile=_label(old), tofile=_label(new)
            )
        )

    async def _lines(self, head: VersionHead | None) -> list[str]:
        return (await self.sources.text(head.id)).splitlines(keepends=True) if head else []


def _label(head: VersionHead | None) -> str:
    return f"{head.file} (version {head.id})" if head else "nothing"


@strawberry.type
class VersionQuery:
    """Root fields about versions of module files."""

    @strawberry.field(description="The versions of a module's files that went live, newest first.")  # type: ignore[untyped-decorator] # the same
    async def module_versions(self, info: Info, name: str, first: int = VERSIONS_DEFAULT) -> list[ModuleVersion]:
        """List kept versions."""
        administrators_only(info.context, "moduleVersions")
        if not 0 <= first <= VERSIONS_LIMIT:
            raise BadRequest(f"moduleVersions.first: must be between 0 and {VERSIONS_LIMIT}; found {first}.")
        # One more page, so that the last of these has its predecessor.
        heads = await version_heads(info.context.database, name, first + VERSIONS_LIMIT)
        sources = Sources(info.context.database, heads, first)
        return [ModuleVersion(head=head, sources=sources) for head in heads[:first]]
