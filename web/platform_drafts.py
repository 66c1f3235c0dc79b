"""Drafts in the API: what an agent has begun to write, for himself alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from resolvers.drafts import delete_draft, list_drafts, save_draft
from resolvers.faults import Faulty
from storage.drafts import StoredDraft
from web.platform_errors import UserError, tell
from web.platform_viewer import the_person
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.type(description="What you have begun to write in a form. Nobody else can read it.")
class Draft:
    """A draft as its writer sees it."""

    place: str = strawberry.field(description="The form that it belongs to; a form has one draft of yours.")
    content: JSON = strawberry.field(description="The texts of the form's fields, by name.")
    created_at: datetime
    changed_at: datetime


@strawberry.input
class SaveDraftInput:
    """What `saveDraft` takes."""

    place: str = strawberry.field(description="Which form: letters, digits and `-:_.=+/`.")
    content: JSON = strawberry.field(description="An object of texts, or of lists of texts.")
    client_mutation_id: str | None = None


@strawberry.type
class SaveDraftPayload:
    """The answer of `saveDraft`."""

    draft: Draft | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class DeleteDraftInput:
    """What `deleteDraft` takes."""

    place: str
    client_mutation_id: str | None = None


@strawberry.type
class DeleteDraftPayload:
    """The answer of `deleteDraft`."""

    deleted_place: str | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class DraftQuery:
    """Root fields about drafts."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Your drafts, the newest first; of one form with `place`. They go when nobody touched them for 30 days. "
        "Not for tokens."
    )
    async def drafts(self, info: Info, place: str | None = None) -> list[Draft]:
        """List drafts."""
        found = await list_drafts(info.context, the_person(info.context), place)
        return [_show(draft) for draft in found]


@strawberry.type
class DraftMutation:
    """Mutations of drafts."""

    @strawberry.mutation(
        description="Keep what you have begun to write, in the place of your draft of the same form. Not for tokens."
    )  # type: ignore[untyped-decorator] # the same
    async def save_draft(self, info: Info, input: SaveDraftInput) -> SaveDraftPayload:  # noqa: A002 - its name in the API
        """Save a draft."""
        person = the_person(info.context)
        try:
            draft = await save_draft(info.context, person, input.place, input.content)
        except Faulty as faulty:
            return SaveDraftPayload(
                errors=tell(info.context, faulty.faults), client_mutation_id=input.client_mutation_id
            )
        return SaveDraftPayload(draft=_show(draft), client_mutation_id=input.client_mutation_id)

    @strawberry.mutation(description="Discard a draft of yours. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def delete_draft(self, info: Info, input: DeleteDraftInput) -> DeleteDraftPayload:  # noqa: A002 - the same
        """Delete a draft."""
        person = the_person(info.context)
        try:
            place = await delete_draft(info.context, person, input.place)
        except Faulty as faulty:
            return DeleteDraftPayload(
                errors=tell(info.context, faulty.faults), client_mutation_id=input.client_mutation_id
            )
        return DeleteDraftPayload(deleted_place=place, client_mutation_id=input.client_mutation_id)


def _show(draft: StoredDraft) -> Draft:
    return Draft(
        place=draft.place, content=cast("JSON", dict(draft.content)), created_at=draft.created, changed_at=draft.changed
    )
