"""Saved views in the API: what a list shows, kept under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from resolvers.context import Context
from resolvers.faults import Faulty
from resolvers.views import ViewDraft, delete_view, list_views, owner_of, save_view
from storage.views import StoredView
from web.administrators import writers_only
from web.platform_errors import UserError, tell
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.type(description="Whose a saved view is.")
class SavedViewOwner:
    """An owner as the API shows it."""

    kind: str = strawberry.field(description="`agent`, `customer`, `token` or `system`.")
    database_id: int
    is_me: bool


@strawberry.type(description="What a list shows, kept under a name.")
class SavedView:
    """A view as the API shows it."""

    id: strawberry.ID
    name: str = strawberry.field(description="Unique for its owner and module.")
    module: str
    shared: bool = strawberry.field(description="Whether other agents see it.")
    filter: JSON | None = strawberry.field(description="As the module's list takes it.")
    search: str | None
    order_by: JSON | None = strawberry.field(description="As the module's list takes it.")
    columns: list[str] = strawberry.field(description="Paths such as `queue.name`; none for the list's own columns.")
    owner: SavedViewOwner
    created_at: datetime
    changed_at: datetime


@strawberry.input
class SaveViewInput:
    """What `saveView` takes."""

    module: str
    name: str
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The view to replace; without it a new one is made."
    )
    shared: bool = False
    filter: JSON | None = None
    search: str | None = None
    order_by: JSON | None = None
    columns: list[str] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class SaveViewPayload:
    """The answer of `saveView`."""

    view: SavedView | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class DeleteViewInput:
    """What `deleteView` takes."""

    id: strawberry.ID
    client_mutation_id: str | None = None


@strawberry.type
class DeleteViewPayload:
    """The answer of `deleteView`."""

    deleted_view_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class ViewQuery:
    """Root fields about saved views."""

    @strawberry.field(description="Your views of a module's list, then those that other agents share.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    async def saved_views(self, info: Info, module: str) -> list[SavedView]:
        """List views."""
        return [show(info.context, view) for view in await list_views(info.context, module)]


@strawberry.type
class ViewMutation:
    """Mutations of saved views."""

    @strawberry.mutation(description="Keep what a list shows under a name.")  # type: ignore[untyped-decorator] # the same
    async def save_view(self, info: Info, input: SaveViewInput) -> SaveViewPayload:  # noqa: A002 - its name in the API
        """Save a view."""
        writers_only(info.context.access, "saveView")
        draft = ViewDraft(
            module=input.module,
            name=input.name,
            id=input.id,
            shared=input.shared,
            filter=input.filter,
            search=input.search,
            order_by=input.order_by,
            columns=input.columns,
        )
        try:
            saved = show(info.context, await save_view(info.context, draft))
        except Faulty as faulty:
            return SaveViewPayload(
                errors=tell(info.context, faulty.faults), client_mutation_id=input.client_mutation_id
            )
        return SaveViewPayload(view=saved, client_mutation_id=input.client_mutation_id)

    @strawberry.mutation(description="Remove one of your views.")  # type: ignore[untyped-decorator] # the same
    async def delete_view(self, info: Info, input: DeleteViewInput) -> DeleteViewPayload:  # noqa: A002 - the same
        """Delete a view."""
        writers_only(info.context.access, "deleteView")
        try:
            deleted = strawberry.ID(await delete_view(info.context, input.id))
        except Faulty as faulty:
            return DeleteViewPayload(
                errors=tell(info.context, faulty.faults), client_mutation_id=input.client_mutation_id
            )
        return DeleteViewPayload(deleted_view_id=deleted, client_mutation_id=input.client_mutation_id)


def show(context: Context, view: StoredView) -> SavedView:
    """Make the API's view of a saved view."""
    kept = view.settings
    return SavedView(
        id=strawberry.ID(str(view.id)),
        name=view.name,
        module=view.module,
        shared=view.shared,
        filter=kept.get("filter"),
        search=kept.get("search"),
        order_by=kept.get("orderBy"),
        columns=list(kept.get("columns", ())),
        owner=SavedViewOwner(
            kind=view.owner.kind, database_id=view.owner.id, is_me=view.owner == owner_of(context.caller)
        ),
        created_at=view.created,
        changed_at=view.changed,
    )
