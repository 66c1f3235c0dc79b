"""What the page about oneself does: change the password, end sessions, make and revoke tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from starlette.responses import Response

from web.pages.profile_forms import AGAIN, EXPIRES, MODULES, NAME, NEW, OLD, OPERATIONS, errors_of
from web.pages.profile_page import ADDRESS, Trouble, profile
from web.pages.said import say
from web.pages.visit import Visit

ERRORS = "errors { message path }"
CHANGE = (
    f"mutation ChangePassword($input: ChangePasswordInput!) {{ done: changePassword(input: $input) {{ {ERRORS} }} }}"
)
END = f"mutation EndSession($id: ID!) {{ done: revokeSession(input: {{id: $id}}) {{ {ERRORS} }} }}"
END_OTHERS = f"mutation EndOthers {{ done: revokeOtherSessions(input: {{}}) {{ revoked {ERRORS} }} }}"
MAKE = (
    f"mutation MakeToken($input: CreateApiTokenInput!) {{ done: createApiToken(input: $input) {{ secret {ERRORS} }} }}"
)
REVOKE = f"mutation RevokeToken($id: ID!) {{ done: revokeApiToken(input: {{id: $id}}) {{ {ERRORS} }} }}"


async def take_password(visit: Visit) -> Response:
    """Change the password. All sessions end, and the browser gets a new one."""
    old, new = visit.form.one(OLD), visit.form.one(NEW)
    if new != visit.form.one(AGAIN):
        return await profile(visit, Trouble("password", {AGAIN: (visit.texts("profile-differ"),)}))
    cookies: list[str] = []
    answer = await visit.ask(CHANGE, {"input": {OLD: old, NEW: new}}, cookies=cookies)
    errors = errors_of(answer.data["done"])
    if errors:
        return await profile(visit, Trouble("password", errors))
    response = visit.see(say(ADDRESS, "password-changed"))
    for cookie in cookies:
        response.headers.append("Set-Cookie", cookie)
    return response


async def end_session(visit: Visit) -> Response:
    """End one of the caller's sessions."""
    return await _by_id(visit, END, "sessions", "session-ended", "profile-no-session")


async def end_others(visit: Visit) -> Response:
    """End all of the caller's sessions but this one."""
    answer = await visit.ask(END_OTHERS)
    return visit.see(say(ADDRESS, "sessions-ended", int(answer.data["done"]["revoked"])))


async def make_token(visit: Visit) -> Response:
    """Make a token and show its secret, this once."""
    form = visit.form
    expires = _end_of(form.one(EXPIRES), visit)
    if not expires:
        return await profile(visit, Trouble("token", {EXPIRES: (visit.texts("token-no-day"),)}))
    given = {
        NAME: form.one(NAME),
        EXPIRES: expires,
        MODULES: _chosen(form.all(MODULES)) or None,
        OPERATIONS: _chosen(form.all(OPERATIONS)),
    }
    done = (await visit.ask(MAKE, {"input": given})).data["done"]
    errors = errors_of(done)
    return await profile(visit, Trouble("token", errors), done["secret"] or "")


async def revoke_token(visit: Visit) -> Response:
    """Revoke one of the caller's tokens."""
    return await _by_id(visit, REVOKE, "tokens", "token-revoked", "profile-no-token")


async def _by_id(visit: Visit, document: str, form: str, done: str, gone: str) -> Response:
    """End what a button names. What is not the caller's is told like what is not there."""
    answer = await visit.ask(document, {"id": visit.form.one("id")})
    if errors_of(answer.data["done"]):
        return await profile(visit, Trouble(form, {"": (visit.texts(gone),)}))
    return visit.see(say(ADDRESS, done))


def _chosen(values: Sequence[str]) -> list[str]:
    return [value for value in values if value]  # a list of ticks begins with an empty value


def _end_of(text: str, visit: Visit) -> str:
    """Return the end of a day as the reader's zone has it; nothing for what is no day."""
    try:
        day = datetime.combine(date.fromisoformat(text), time(23, 59, 59), visit.look.time_zone())
        return day.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return ""
