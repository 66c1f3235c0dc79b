"""A form that was sent becomes what a mutation takes: every field read by its kind, and what is wrong beside its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schema.writes import is_required
from web.pages.form_body import Form
from web.pages.inputs import digest, read_input
from web.pages.texts import Texts
from web.pages.values import Unreadable
from web.pages.view import Member
from web.pages.visit import Visit

WAS = "was."  # before the digest of what an input held when the form was made


@dataclass(slots=True)
class Record:
    """What a form says: `given` is for the API, `errors` are texts by field."""

    given: dict[str, Any] = field(default_factory=dict)
    errors: dict[str | None, tuple[str, ...]] = field(default_factory=dict)


def posted(member: Member, form: Form) -> tuple[str, ...]:
    """Return the values that a form has for a field; of a file the id of its upload."""
    if member.name in form.files:
        return (form.files[member.name],)
    given = tuple(value for value in form.all(member.name) if value)
    return given if member.kind == "multiselect" else given[-1:]  # behind a tick stands a hidden `no`


def read_record(visit: Visit, members: Iterable[Member], *, is_new: bool) -> Record:
    """Read a form. What was not touched is left out: it stays as it is, or gets its default."""
    made = Record()
    for member in members:
        if not is_new and not is_touched(member, visit.form):
            continue
        values = posted(member, visit.form)
        try:
            value = read_input(member, values, visit.look.time_zone())
        except Unreadable as error:
            made.errors[member.name] = (visit.texts(error.key),)
            continue
        if value is None:
            _leave_out(made, member, visit.texts, is_new=is_new)
        else:
            made.given[member.name] = value
    return made


def is_touched(member: Member, form: Form) -> bool:
    """Answer whether somebody changed an input since its form was made."""
    if member.field is not None and not member.field.is_readable:
        return bool(posted(member, form))  # an empty password stays what it is
    if member.kind == "file":
        return member.name in form.files
    was = form.one(f"{WAS}{member.name}")
    return member.name in form and was != digest(posted(member, form))


def _leave_out(made: Record, member: Member, texts: Texts, *, is_new: bool) -> None:
    is_needed = member.field is None or is_required(member.field)
    if is_needed and (is_new or member.field is not None):
        made.errors[member.name] = (texts("required", field=member.label.in_language(texts.language)),)
    elif not is_new:
        made.given[member.name] = None


def merged_errors(
    record: Record, told: Mapping[str | None, tuple[str, ...]], known: Iterable[str]
) -> dict[str | None, tuple[str, ...]]:
    """Put the errors of a payload beside those of the form; what belongs to no input of it stands above it."""
    names = set(known)
    found = dict(record.errors)
    for name, messages in told.items():
        place = name if name in names else None
        found[place] = (*found.get(place, ()), *messages)
    return found
