"""Two people changed one row: what each of them wants, side by side, and a way on for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from web.pages.form_query import heading_of
from web.pages.form_read import WAS, is_touched, posted
from web.pages.inputs import digest, make_input, values_of
from web.pages.view import Member, View
from web.pages.visit import Visit

CHANGED_MEANWHILE = 409


def show_conflict(visit: Visit, view: View, members: Sequence[Member], current: Mapping[str, Any]) -> Response:
    """Show the fields that I changed and that hold something else now. What I did not touch is theirs anyway."""
    mine = [member for member in members if is_touched(member, visit.form)]
    zone = visit.look.time_zone()
    theirs = {member.name: values_of(member, current.get(member.name), zone) for member in mine}
    differing = [member for member in mine if _is_in_dispute(visit, member, theirs[member.name])]
    told = [
        member for member in mine if member.field is None or member.field.is_readable
    ]  # a password is no text of a page
    return visit.page(
        "conflict.html",
        CHANGED_MEANWHILE,
        view=view,
        row=current,
        heading=heading_of(view, current),
        differing=[_pair(visit, member, theirs[member.name]) for member in differing],
        kept=[(member.name, value) for member in told for value in posted(member, visit.form) or ("",)],
        lost=[member.label.in_language(visit.look.lang) for member in mine if member not in told],
        was=[(f"{WAS}{member.name}", visit.form.one(f"{WAS}{member.name}")) for member in told],
        version=current["version"],
    )


def _is_in_dispute(visit: Visit, member: Member, theirs: tuple[str, ...]) -> bool:
    """Answer whether both of us changed a field, to different values. Nobody sees what a password was changed to."""
    was = visit.form.one(f"{WAS}{member.name}")
    return theirs != posted(member, visit.form) and digest(theirs) != was


def _pair(visit: Visit, member: Member, theirs: tuple[str, ...]) -> tuple[str, str, str]:
    return (
        member.label.in_language(visit.look.lang),
        _told(visit, member, posted(member, visit.form)),
        _told(visit, member, theirs),
    )


def _told(visit: Visit, member: Member, values: tuple[str, ...]) -> str:
    if member.field is not None and not member.field.is_readable:
        return "••••••"
    labels = dict(make_input(member, values, visit.texts).options)
    return ", ".join(labels.get(value, value) for value in values)
