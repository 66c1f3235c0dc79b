"""Every module with what serves for it. The page asks again by itself, and is told when nothing has changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from web.pages.administration import PROBLEM, Finding, show_problems, source_address
from web.pages.module_drafts import LISTED, draft_of
from web.pages.replies import NO_STORE
from web.pages.said import said_of
from web.pages.visit import Visit

_ROWS = f"modules {{ name version state files problems {{ {PROBLEM} }} }}"
MODULES = f"query Modules {{ {_ROWS} }}"  # while the page is open
WITH_DRAFTS = f"query Modules {{ {_ROWS} moduleDrafts {{ {LISTED} }} }}"
# The states, those that somebody should look at first; each with its tone.
STATES: Mapping[str, str] = {"BROKEN": "red", "STALE": "amber", "LIVE": "green", "ABSENT": "gray"}
NOTHING_NEW = 204


@dataclass(frozen=True, slots=True)
class Row:
    """A module in the list."""

    name: str
    label: str
    state: str
    tone: str
    version: str
    files: Sequence[tuple[str, str]]
    problems: Sequence[Finding]
    lambdas: Sequence[str]
    has_list: bool


async def show_modules(visit: Visit) -> Response:
    """Show the modules that a word and a state pick out."""
    answer = await visit.ask(MODULES if visit.is_htmx else WITH_DRAFTS)
    params = visit.request.query_params
    word, state = params.get("q", "").strip(), params.get("state", "")
    rows = sorted((_row(visit, item) for item in answer.data["modules"]), key=_order)
    mark = hashlib.sha256(orjson.dumps([answer.data["modules"], word, state])).hexdigest()[:16]
    if visit.is_htmx and params.get("mark") == mark:
        return Response(status_code=NOTHING_NEW, headers=NO_STORE)
    return visit.page(
        "modules/list.html",
        block="modules" if visit.is_htmx else "",
        rows=[row for row in rows if _fits(row, word.lower(), state)],
        counts=Counter(row.state for row in rows),
        states=STATES,
        word=word,
        state=state if state in STATES else "",
        mark=mark,
        drafts=[draft_of(visit, item) for item in answer.data.get("moduleDrafts", ())],
        said=said_of(visit),
    )


def _row(visit: Visit, item: Mapping[str, Any]) -> Row:
    module = visit.snapshot.modules.get(item["name"])
    return Row(
        name=item["name"],
        label=module.plural.in_language(visit.look.lang) if module else item["name"],
        state=item["state"],
        tone=STATES[item["state"]],
        version=item["version"][:12],
        files=[(file, source_address(file)) for file in item["files"]],
        problems=show_problems(item["problems"]),
        lambdas=[computed.name for computed in module.computed if computed.code] if module else [],
        has_list=module is not None,
    )


def _order(row: Row) -> tuple[int, bool, str]:
    return list(STATES).index(row.state), not row.problems, row.label.casefold()


def _fits(row: Row, word: str, state: str) -> bool:
    texts = (row.name, row.label, *(file for file, _ in row.files))
    return (state not in STATES or row.state == state) and any(word in text.lower() for text in texts)
