"""Drafts: what somebody has begun to write, kept for himself until it is sent, discarded or forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from identity.principals import Person
from resolvers.context import Context
from resolvers.faults import Fault, FaultCode, Faulty
from storage.drafts import StoredDraft, Writer, read_drafts, remove_draft, write_draft

PLACE_LIMIT_CHARS = 200
SIZE_LIMIT_CHARS = 200_000
FIELD_LIMIT = 100
DRAFT_LIMIT = 100  # of one person

_PLACE = re.compile(r"[A-Za-z0-9_.:=+/-]+")


async def list_drafts(context: Context, person: Person, place: str | None) -> Sequence[StoredDraft]:
    """Return somebody's drafts, the newest first."""
    return await read_drafts(context.database, _writer(person), place)


async def save_draft(context: Context, person: Person, place: str, content: Any) -> StoredDraft:
    """Keep a draft in the place of the one that its form had. Raises `Faulty`."""
    _check_place(place)
    kept = await write_draft(context.database, _writer(person), place, _check_content(content), DRAFT_LIMIT)
    if not kept:
        raise Faulty(Fault(FaultCode.LIMIT, "draft-too-many", None, {"limit": DRAFT_LIMIT}))
    found = await read_drafts(context.database, _writer(person), place)
    if not found:  # another window has sent or discarded it meanwhile
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("place",)))
    return found[0]


async def delete_draft(context: Context, person: Person, place: str) -> str:
    """Remove a draft. Raises `Faulty` where there is none."""
    _check_place(place)
    if not await remove_draft(context.database, _writer(person), place):
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("place",)))
    return place


def _writer(person: Person) -> Writer:
    return Writer(person.kind.value, person.id)


def _check_place(place: str) -> None:
    if len(place) > PLACE_LIMIT_CHARS or not _PLACE.fullmatch(place):
        raise Faulty(Fault(FaultCode.INVALID, "draft-place", ("place",), {"limit": PLACE_LIMIT_CHARS}))


def _check_content(content: Any) -> Mapping[str, Any]:
    if not isinstance(content, dict) or len(content) > FIELD_LIMIT or not all(map(_is_text, content.values())):
        raise Faulty(Fault(FaultCode.INVALID, "draft-content", ("content",), {"limit": FIELD_LIMIT}))
    size = len(json.dumps(content, ensure_ascii=False))
    if size > SIZE_LIMIT_CHARS:
        params = {"limit": SIZE_LIMIT_CHARS, "size": size}
        raise Faulty(Fault(FaultCode.LIMIT, "draft-too-large", ("content",), params))
    return content


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
