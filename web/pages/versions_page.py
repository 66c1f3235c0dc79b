"""The versions of a module's files that went live: what each changed, and a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.administration import PROBLEM, Finding, keys_of, show_diff, show_problems, told
from web.pages.cells import Reader, Shown, now, show_moment
from web.pages.said import said_of, say
from web.pages.source_page import BREAKING, UNPROCESSABLE
from web.pages.visit import Visit
from web.workshop import status_of

SHOWN = 30
VERSIONS = f"""\
query Versions($name: String!) {{
  moduleVersions(name: $name, first: {SHOWN}) {{ id file author createdAt diff(against: PREVIOUS) toLive: diff }}
}}
"""
ROLL_BACK = f"""\
mutation RollBack($input: RollbackModuleInput!) {{
  rollbackModule(input: $input) {{ problems {{ {PROBLEM} }} errors {{ message messageKey }} }}
}}
"""
BY_FILE = "file"  # the author of what somebody wrote into the file itself


@dataclass(frozen=True, slots=True)
class Entry:
    """A version in the list."""

    id: int
    file: str
    author: str
    when: Shown
    is_newest: bool
    changes: Sequence[tuple[str, str]]
    to_live: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a version was not put back, and whether its reader may have it all the same."""

    version: int
    errors: Sequence[str]
    problems: Sequence[Finding]
    may_break: bool


async def show_versions(visit: Visit) -> Response:
    """Show the versions."""
    return await _versions(visit)


async def take_rollback(visit: Visit) -> Response:
    """Put a version back."""
    name, version = str(visit.request.path_params["module"]), visit.form.one("version")
    if not version.isascii() or not version.isdigit():
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    given = {"name": name, "version": int(version), "allowBreaking": visit.form.one("allow") == "1"}
    done = (await visit.ask(ROLL_BACK, {"input": given})).data["rollbackModule"]
    if not done["errors"]:
        return visit.see(say(f"/admin/modules/{name}/history", "rolled-back"))
    errors, keys = told(done["errors"]), keys_of(done["errors"])
    return await _versions(visit, Refusal(int(version), errors, show_problems(done["problems"]), BREAKING in keys))


async def _versions(visit: Visit, refusal: Refusal | None = None) -> Response:
    name = str(visit.request.path_params["module"])
    found = (await visit.ask(VERSIONS, {"name": name})).data["moduleVersions"]
    if not found and status_of(visit.snapshot, name) is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return visit.page(
        "modules/versions.html",
        UNPROCESSABLE if refusal else 200,
        name=name,
        entries=_entries(found, visit),
        refusal=refusal,
        by_file=BY_FILE,
        said=said_of(visit),
    )


def _entries(found: Sequence[Mapping[str, Any]], visit: Visit) -> list[Entry]:
    reader = Reader(visit.texts, visit.look.time_zone(), now())
    seen: set[str] = set()
    entries = []
    for item in found:
        changes, to_live = show_diff(item["diff"]), show_diff(item["toLive"])
        when = show_moment(item["createdAt"], reader)
        entries.append(
            Entry(item["id"], item["file"], item["author"], when, item["file"] not in seen, changes, to_live)
        )
        seen.add(item["file"])
    return entries
