"""What the administrators' pages share: their guard, the policy of pages with an editor, and how problems and diffs are shown."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from web.administrators import REFUSED
from web.errors import Code, Refused
from web.pages.door import Page
from web.pages.replies import POLICY
from web.pages.visit import Visit

SOURCE = "/admin/modules/file"
WHAT = "This page"
PROBLEM = "code message file line column hint excerpt level"
LEVELS: Mapping[str, str] = {"ERROR": "red", "WARNING": "amber", "INFO": "blue"}
_DIFF_KINDS: Mapping[str, str] = {"+": "added", "-": "taken", "@": "hunk"}


def guarded(page: Page) -> Page:
    """Return a page that only administrators see; the operations that it asks are guarded again."""

    async def only(visit: Visit) -> Response:
        if not visit.access.is_administrator:
            raise Refused(403, REFUSED.format(what=WHAT), Code.FORBIDDEN)
        return await page(visit)

    return only


def editor_policy(nonce: str) -> Mapping[str, str]:
    """Return the policy of a page with an editor: its style sheet is made by its script, and bears the nonce too."""
    policy = POLICY.format(nonce=nonce).replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    return {"Content-Security-Policy": policy}


def source_address(file: str, line: int | None = None) -> str:
    """Return where a file is edited."""
    return f"{SOURCE}?{urlencode({'file': file, **({'line': line} if line else {})})}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a file, ready for a template."""

    level: str
    tone: str
    message: str
    hint: str
    place: str
    url: str
    line: int
    column: int
    excerpt: str
    caret: str


def show_problems(problems: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Make problems ready, errors first."""
    order = list(LEVELS)
    found = sorted(problems, key=lambda item: (order.index(item["level"]), item["file"], item["line"], item["column"]))
    return [_finding(item) for item in found]


def _finding(item: Mapping[str, Any]) -> Finding:
    excerpt, column = item["excerpt"] or "", item["column"]
    return Finding(
        level=item["level"],
        tone=LEVELS[item["level"]],
        message=item["message"],
        hint=item["hint"] or "",
        place=f"{item['file']}:{item['line']}:{column}",
        url=source_address(item["file"], item["line"]),
        line=item["line"],
        column=column,
        excerpt=excerpt,
        caret=" " * (column - 1) + "^" if excerpt and column <= len(excerpt) + 1 else "",
    )


def unified(old: str, new: str, old_label: str, new_label: str) -> str:
    """Return the unified diff of two texts; empty when nothing differs."""
    lines = difflib.unified_diff(
        [f"{line}\n" for line in old.split("\n")], [f"{line}\n" for line in new.split("\n")], old_label, new_label
    )
    return "".join(lines)


def show_diff(diff: str) -> list[tuple[str, str]]:
    """Return the lines of a diff with what each does: added, taken, hunk or nothing. Its first two lines name the sides."""
    lines = diff.splitlines()
    return [(_DIFF_KINDS.get(line[:1], "") if place > 1 else "hunk", line) for place, line in enumerate(lines)]


def told(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the sentences of a payload's errors."""
    return [str(error["message"]) for error in errors]


def keys_of(errors: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return which errors a payload has."""
    return {str(error["messageKey"]) for error in errors}
