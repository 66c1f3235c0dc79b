"""Drafts in the editor of module files: one's own, those of the others, and what its form does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from web.pages.administration import SOURCE, source_address, told
from web.pages.cells import Reader, Shown, now, show_moment
from web.pages.said import say
from web.pages.visit import Visit

SAVE, FORGET = "draft", "forget"
LISTED = "file author isMine basis isOutdated changedAt"  # texts may be long, and a list shows none
DRAFT_FIELDS = f"{LISTED} source"
OF_FILE = f"query Drafts($file: String) {{ moduleDrafts(file: $file) {{ {DRAFT_FIELDS} }} }}"
KEEP = f"""\
mutation Keep($input: SaveModuleDraftInput!) {{
  saveModuleDraft(input: $input) {{ draft {{ {DRAFT_FIELDS} }} errors {{ message }} }}
}}
"""
DROP = "mutation Forget($file: String!) { deleteModuleDraft(input: {file: $file}) { deleted } }"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft, ready for a template. The source is empty where it is somebody else's."""

    file: str
    author: str
    is_mine: bool
    source: str
    basis: str
    is_outdated: bool
    when: Shown

    @property
    def url(self) -> str:
        """Where it is opened."""
        return draft_address(self.file)


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of a file: one's own, those of others, and the one that is in the editor."""

    mine: Draft | None = None
    others: Sequence[Draft] = ()
    shown: Draft | None = None

    def beside(self, source: str) -> Drafts:
        """Return them without one's own, if that says what the editor shows anyway."""
        return replace(self, mine=None) if self.mine is not None and self.mine.source == source else self


def draft_address(file: str) -> str:
    """Return where one's own draft of a file is opened."""
    return f"{SOURCE}?{urlencode({'file': file, 'draft': 1})}"


async def read_drafts(visit: Visit, file: str) -> Drafts:
    """Read the drafts of a file."""
    found = [draft_of(visit, item) for item in (await visit.ask(OF_FILE, {"file": file})).data["moduleDrafts"]]
    return Drafts(next((item for item in found if item.is_mine), None), [item for item in found if not item.is_mine])


async def take_draft(visit: Visit, file: str, source: str, basis: str) -> Response | Sequence[str]:
    """Keep or forget a draft, as the form asks; return why it cannot be kept. Scripts are told in a line."""
    if visit.form.one("do") == FORGET:
        await forget(visit, file)
        return visit.see(say(source_address(file) if basis else "/admin/modules", "draft-forgotten"))
    done = (await visit.ask(KEEP, {"input": {"file": file, "source": source, "basis": basis}})).data["saveModuleDraft"]
    draft = draft_of(visit, done["draft"]) if done["draft"] else None
    if visit.is_htmx:
        status = 200 if draft else 422
        return visit.page("modules/draft_kept.html", status, draft=draft, errors=told(done["errors"]))
    return told(done["errors"]) if draft is None else visit.see(say(draft_address(file), "draft-kept"))


async def forget(visit: Visit, file: str) -> None:
    """Forget one's draft of a file."""
    await visit.ask(DROP, {"file": file})


def draft_of(visit: Visit, item: Mapping[str, Any]) -> Draft:
    """Make a draft ready for a template."""
    reader = Reader(visit.texts, visit.look.time_zone(), now())
    moment = datetime.fromisoformat(item["changedAt"]).isoformat()
    return Draft(
        item["file"],
        item["author"],
        item["isMine"],
        item.get("source") or "",
        item["basis"],
        item["isOutdated"],
        show_moment(moment, reader),
    )
