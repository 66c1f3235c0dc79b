"""Saved views: everyone has their own, agents may share theirs. A view holds only what its module's list takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from identity.principals import Kind, Principal, audience_of
from resolvers.context import Context
from resolvers.errors import OperationError
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.listing import Wanted, check_list, shown_module
from schema.spec import Audience
from storage.errors import ConstraintViolated
from storage.views import (
    NewView,
    StoredView,
    ViewOwner,
    add_view,
    change_view,
    own_views,
    read_view,
    remove_view,
    shared_views,
)

NAME_LIMIT_CHARS = 200
SIZE_LIMIT_CHARS = 20_000  # of filter, search, order and columns together
VIEW_LIMIT = 100  # of one owner and module

# Who may share, and sees what others share: customers of one company are none of another's business.
_SHARED_BY = frozenset({Kind.AGENT, Kind.TOKEN, Kind.SYSTEM})


def _shares(caller: Principal) -> bool:
    """Answer whether a caller shares; a customer's token is a customer here."""
    return audience_of(caller) is Audience.AGENT


@dataclass(frozen=True, slots=True)
class ViewDraft:
    """A view as a client wants it kept; with an `id` it replaces that one."""

    module: str
    name: str
    id: str | None = None
    shared: bool = False
    filter: Any = None
    search: str | None = None
    order_by: Any = None
    columns: Sequence[str] = ()


def owner_of(caller: Principal) -> ViewOwner:
    """Say who owns what a caller keeps."""
    return ViewOwner(caller.kind.value, caller.id)


async def list_views(context: Context, module: str) -> list[StoredView]:
    """Return the caller's views of a module, then what others share."""
    if shown_module(context, module) is None:
        return []
    owner = owner_of(context.caller)
    found = list(await own_views(context.database, module, owner))
    if _shares(context.caller):
        kinds = frozenset(kind.value for kind in _SHARED_BY)
        found += [view for view in await shared_views(context.database, module, kinds) if view.owner != owner]
    return found


async def save_view(context: Context, draft: ViewDraft) -> StoredView:
    """Keep a view. Raises `Faulty`."""
    owner = owner_of(context.caller)
    replaced = None if draft.id is None else await _own(context, draft.id)
    view = _check(context, draft, owner)
    if replaced is None and len(await own_views(context.database, view.module, owner)) >= VIEW_LIMIT:
        raise Faulty(Fault(FaultCode.LIMIT, "view-too-many", None, {"limit": VIEW_LIMIT}))
    try:
        if replaced is None:
            id_ = await add_view(context.database, view)
        else:
            id_ = replaced.id
            if not await change_view(context.database, id_, view):
                raise Faulty(_not_found())
    except ConstraintViolated:
        raise Faulty(Fault(FaultCode.UNIQUE, "view-taken", ("name",))) from None
    saved = await read_view(context.database, id_)
    if saved is None:
        raise Faulty(_not_found())
    return saved


async def delete_view(context: Context, id_: str) -> str:
    """Remove one of the caller's views and return its id. Raises `Faulty`."""
    view = await _own(context, id_)
    if not await remove_view(context.database, view.id, view.owner):
        raise Faulty(_not_found())
    return str(view.id)


async def _own(context: Context, id_: str) -> StoredView:
    """Return a view that the caller may change: others' private ones do not exist, their shared ones are forbidden."""
    known = id_.isascii() and id_.isdigit() and len(id_) <= len(str(2**63))
    view = await read_view(context.database, int(id_)) if known and int(id_) < 2**63 else None
    if view is None:
        raise Faulty(_not_found())
    if view.owner == owner_of(context.caller):
        return view
    if view.shared and _shares(context.caller):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "view-foreign", ("id",)))
    raise Faulty(_not_found())


def _not_found() -> Fault:
    return Fault(FaultCode.NOT_FOUND, "not-found", ("id",))


def _check(context: Context, draft: ViewDraft, owner: ViewOwner) -> NewView:
    module = shown_module(context, draft.module)
    if module is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "module-not-found", ("module",), {"name": draft.module[:100]}))
    name = draft.name.strip()
    if not 0 < len(name) <= NAME_LIMIT_CHARS or not name.isprintable():
        raise Faulty(Fault(FaultCode.INVALID, "view-name", ("name",), {"limit": NAME_LIMIT_CHARS}))
    if draft.shared and not _shares(context.caller):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "view-share", ("shared",)))
    settings = {
        "filter": draft.filter,
        "search": draft.search or None,
        "orderBy": draft.order_by,
        "columns": list(draft.columns),
    }
    size = len(json.dumps(settings, ensure_ascii=False))
    if size > SIZE_LIMIT_CHARS:
        raise Faulty(Fault(FaultCode.LIMIT, "view-too-large", None, {"limit": SIZE_LIMIT_CHARS, "size": size}))
    parts: Sequence[tuple[str, Sequence[str], Wanted]] = (
        ("filter", (), Wanted(filter=draft.filter)),
        ("search", (), Wanted(search=draft.search or None)),
        ("orderBy", (), Wanted(order_by=draft.order_by)),
        ("columns", draft.columns, Wanted()),
    )
    faults = []
    for part, columns, wanted in parts:
        if not columns and wanted == Wanted():
            continue
        try:
            check_list(context, module, columns, wanted)
        except (OperationError, GraphQLError) as error:
            text = error.message if isinstance(error, GraphQLError) else str(error)
            faults.append(Fault(FaultCode.INVALID, "view-invalid", (part,), {"field": part, "text": text}))
    if faults:
        raise Faulty(*faults)
    return NewView(module.name, name, owner, draft.shared, settings)
