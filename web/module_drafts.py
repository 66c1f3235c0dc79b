"""Drafts of module files, of whoever asks: what the API and publishing need of them."""

from __future__ import annotations

from collections.abc import Collection

from identity.principals import person_of
from schema.layers import Found, open_found
from schema.placing import place_of
from schema.source import digest_of
from storage.module_drafts import Owner, remove_module_drafts
from web.workshop import PlatformContext, Workshop


def owner_of_drafts(context: PlatformContext) -> Owner:
    """Return whose drafts the caller's are: of a token those of its person."""
    person = person_of(context.caller)
    if person is None:
        return Owner("system", 0, context.caller.login)
    return Owner(str(person.kind), person.id, person.login)


async def forget_drafts(context: PlatformContext, files: Collection[str]) -> int:
    """Remove the caller's drafts of files, and return how many there were."""
    return await remove_module_drafts(context.database, owner_of_drafts(context), files)


def live_digest(workshop: Workshop, file: str) -> str:
    """Return the digest of a file as it is on the disk; empty where there is none. Raises `LookupError` for what is no place for one."""
    path = place_of(workshop.folders, file)
    folder = next(folder for folder in workshop.folders if path.is_relative_to(folder))
    data = open_found(Found(file, str(path), 0, folder.resolve()))
    return "" if data is None else digest_of(data)
