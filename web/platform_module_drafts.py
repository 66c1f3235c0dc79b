"""Drafts of module files in the API: kept on the server until they are published, seen by the other administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from resolvers.faults import Fault, FaultCode
from schema.source import SIZE_LIMIT_BYTES
from storage.module_drafts import ModuleDraftRow, module_drafts, write_module_draft
from web.administrators import administrators_only
from web.module_drafts import forget_drafts, live_digest, owner_of_drafts
from web.platform_errors import UserError, tell
from web.platform_publishing import as_bytes
from web.workshop import PlatformContext

DRAFTS = 50  # of one administrator
DIGEST_CHARS = 64
FILE_CHARS = 250

Info = strawberry.Info[PlatformContext, Any]


@strawberry.type(description="A module file that an administrator is writing and has not published.")
class ModuleDraft:
    """A draft as the API shows it."""

    file: str
    author: str = strawberry.field(description="The login of whoever writes it.")
    is_mine: bool
    source: str | None = strawberry.field(description="Its text; null where it is somebody else's.")
    basis: str = strawberry.field(description="The `digest` of the file that it started from; empty for a new file.")
    is_outdated: bool = strawberry.field(description="Whether the file has changed since.")
    changed_at: datetime


@strawberry.input
class SaveModuleDraftInput:
    """What `saveModuleDraft` takes."""

    file: str = strawberry.field(description="Where it would be published, as `modules { files }` names it.")
    source: str = strawberry.field(description="The YAML, up to 256 kB. It may be broken.")
    basis: str = strawberry.field(
        default="", description="The `digest` of the file that you started from; empty for a new file."
    )
    client_mutation_id: str | None = None


@strawberry.type
class SaveModuleDraftPayload:
    """The answer of `saveModuleDraft`."""

    draft: ModuleDraft | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class DeleteModuleDraftInput:
    """What `deleteModuleDraft` takes."""

    file: str
    client_mutation_id: str | None = None


@strawberry.type
class DeleteModuleDraftPayload:
    """The answer of `deleteModuleDraft`."""

    deleted: bool = strawberry.field(description="Whether you had one.")
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class ModuleDraftQuery:
    """Root fields about drafts of module files."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Drafts of module files, the newest first; of one file where it is named. For administrators."
    )
    async def module_drafts(self, info: Info, file: str | None = None) -> list[ModuleDraft]:
        """List drafts."""
        administrators_only(info.context, "moduleDrafts")
        return [_view(info.context, row) for row in await module_drafts(info.context.database, file)]


@strawberry.type
class ModuleDraftMutation:
    """Mutations of drafts of module files."""

    @strawberry.mutation(  # type: ignore[untyped-decorator] # the same
        description="Keep a draft of a module file, in the place of the one that you had. `publishModule` removes it."
    )
    async def save_module_draft(self, info: Info, input: SaveModuleDraftInput) -> SaveModuleDraftPayload:  # noqa: A002 - its name in the API
        """Save a draft."""
        context = info.context
        administrators_only(context, "saveModuleDraft")
        fault = _fault(context, input)
        kept = fault is None and await write_module_draft(
            context.database,
            owner_of_drafts(context),
            input.file,
            basis=input.basis,
            source=as_bytes(input.source).decode("utf-8", "replace"),
            most=DRAFTS,
        )
        if not kept:
            fault = fault or Fault(FaultCode.LIMIT, "module-draft-too-many", None, {"limit": DRAFTS})
            return SaveModuleDraftPayload(errors=tell(context, [fault]), client_mutation_id=input.client_mutation_id)
        mine = (_view(context, row) for row in await module_drafts(context.database, input.file))
        draft = next((item for item in mine if item.is_mine), None)
        return SaveModuleDraftPayload(draft=draft, client_mutation_id=input.client_mutation_id)

    @strawberry.mutation(description="Forget your draft of a module file.")  # type: ignore[untyped-decorator] # the same
    async def delete_module_draft(self, info: Info, input: DeleteModuleDraftInput) -> DeleteModuleDraftPayload:  # noqa: A002 - the same
        """Delete a draft."""
        administrators_only(info.context, "deleteModuleDraft")
        deleted = await forget_drafts(info.context, {input.file}) > 0
        return DeleteModuleDraftPayload(deleted=deleted, client_mutation_id=input.client_mutation_id)


def _fault(context: PlatformContext, given: SaveModuleDraftInput) -> Fault | None:
    """Say why a draft is not kept; nothing where it may be."""
    size = len(as_bytes(given.source))
    if size > SIZE_LIMIT_BYTES:
        sizes = {"size": size, "limit": SIZE_LIMIT_BYTES}
        return Fault(FaultCode.LIMIT, "file-too-large", ("source",), sizes)
    if len(given.basis) > DIGEST_CHARS:
        return Fault(FaultCode.CONFLICT, "module-changed", ("basis",))
    try:
        fits = len(given.file) <= FILE_CHARS and live_digest(context.workshop, given.file) is not None
    except LookupError:
        fits = False
    if not fits:
        return Fault(
            FaultCode.INVALID, "module-file", ("file",), {"file": given.file[:250], "example": "site/name.yaml"}
        )
    return None


def _view(context: PlatformContext, row: ModuleDraftRow) -> ModuleDraft:
    owner = owner_of_drafts(context)
    is_mine = (row.owner.kind, row.owner.id) == (owner.kind, owner.id)
    try:
        live = live_digest(context.workshop, row.file)
    except LookupError:  # the folder is no longer one of modules
        live = ""
    return ModuleDraft(
        file=row.file,
        author=row.owner.login,
        is_mine=is_mine,
        source=row.source if is_mine else None,
        basis=row.basis,
        is_outdated=live != row.basis,
        changed_at=row.changed,
    )
