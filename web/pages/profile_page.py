"""The page about oneself: who one is and what one holds, the look, the password, sessions, and tokens for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from web.pages.cells import Reader, Shown, show_moment
from web.pages.front import look_form
from web.pages.list_page import reader_of
from web.pages.profile_forms import Errors, password_inputs, token_inputs
from web.pages.reasons import WHY, ask_why, whys_of
from web.pages.rights_why import OVERVIEW, OVERVIEW_FIELD, asks_overview, modules_with
from web.pages.said import said_of
from web.pages.view import modules_of
from web.pages.visit import Visit

ADDRESS = "/profile"
ALL_KEYS = "rw"
SESSIONS_SHOWN = 50  # a program that signs in each time leaves very many
VIEWER = (
    "viewer { kind name login email companies roles groups { name keys } "
    "sessions { id kind createdAt seenAt expiresAt address client isCurrent } "
    "apiTokens { id name modules operations createdAt expiresAt seenAt } }"
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was wrong with a form of the page, by field; an empty name stands for the whole."""

    form: str = ""
    errors: Errors = field(default_factory=dict)

    def of(self, form: str) -> Errors:
        """Return what is wrong with one of the forms."""
        return self.errors if form == self.form else {}


@dataclass(frozen=True, slots=True)
class Entry:
    """A session or a token as the page lists it, with its moments by name."""

    told: Mapping[str, Any]
    moments: Mapping[str, Shown]


async def show_profile(visit: Visit) -> Response:
    """Show the page."""
    return await profile(visit)


async def profile(visit: Visit, trouble: Trouble | None = None, secret: str = "") -> Response:
    """Answer with the page: perhaps with what was wrong with one of its forms, or with the secret of a new token."""
    trouble = trouble or Trouble()
    asked = ask_why(visit)
    declared, selected = ("", "") if asked is None else (f"({asked.declared})", asked.selection)
    overview = f"{OVERVIEW_FIELD} {{ {OVERVIEW} }}" if asks_overview(visit) else ""
    document = f"query Profile{declared} {{ {VIEWER} {selected} {overview} }}"
    data = (await visit.ask(document, asked.variables if asked else {})).data
    viewer, reader = data["viewer"], reader_of(visit)
    values = {
        "viewer": viewer,
        "groups": [(group["name"], words_of(group["keys"])) for group in viewer["groups"]],
        "sessions": _entries(shown_of(viewer["sessions"]), ("createdAt", "seenAt", "expiresAt"), reader),
        "tokens": _entries(viewer["apiTokens"], ("createdAt", "seenAt", "expiresAt"), reader),
        "labels": {name: item.plural.in_language(visit.look.lang) for name, item in _modules(visit)},
        "password_inputs": password_inputs(visit, trouble.of("password")),
        "token_inputs": token_inputs(visit, trouble.of("token")),
        "whys": whys_of(visit),
        "reason": data.get(WHY),
        "own_rights": modules_with(visit, data[OVERVIEW_FIELD]["rights"]) if overview else [],
    }
    status = 422 if trouble.errors else 200
    return visit.page(
        "profile.html", status, **look_form(ADDRESS), **values, trouble=trouble, secret=secret, said=said_of(visit)
    )


def words_of(keys: Sequence[str]) -> Sequence[str]:
    """Return the keys to a group that need words: whoever has the one to everything needs no other."""
    return (ALL_KEYS,) if ALL_KEYS in keys else keys


def shown_of(sessions: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the sessions that the page shows: this one, and those used last."""
    return sorted(sessions, key=lambda item: not item["isCurrent"])[:SESSIONS_SHOWN]


def _entries(found: Sequence[Mapping[str, Any]], names: Sequence[str], reader: Reader) -> list[Entry]:
    return [
        Entry(item, {name: show_moment(item[name], reader) for name in names if item[name] is not None})
        for item in found
    ]


def _modules(visit: Visit) -> Sequence[tuple[str, Any]]:
    return list(modules_of(visit.snapshot, visit.audience).items())
