"""The page before a deed for many rows: how many they are, with what value, and whether it is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.bulk import DEEDS, SAID, Chosen, carry_out, count, ids_of
from web.pages.choices import choice_roots, read_choices
from web.pages.form_page import allowed
from web.pages.form_query import form_members
from web.pages.form_read import Record, posted
from web.pages.inputs import make_input, read_input
from web.pages.list_page import pairs_of
from web.pages.list_state import read_state
from web.pages.said import say
from web.pages.values import Unreadable
from web.pages.view import Member, View
from web.pages.visit import Visit

FIELD = "field"
DEED = "deed"
ALL = "all"
COUNT = "most"
_LONGEST = 6


async def show_bulk(visit: Visit) -> Response:
    """Ask whether it is meant."""
    return await _ask(visit, pairs_of(visit.request))


async def take_bulk(visit: Visit) -> Response:
    """Do it to all rows, if they are not more than were shown."""
    pairs = [(name, value) for name, values in visit.form.fields.items() for value in values]
    deed, chosen = _read(visit, pairs)
    record = _patch(visit, chosen.state.view, pairs) if deed == "set" else Record()
    if record.errors:
        return await _ask(visit, pairs, next(iter(record.errors.values())))
    told = visit.form.one(COUNT)
    most = int(told) if told.isascii() and told.isdigit() and len(told) <= _LONGEST else 0
    result = await carry_out(visit, chosen, deed, min(most, chosen.limit(deed)), record.given)
    if not result.problems:
        return visit.see(say(chosen.state.here(), SAID[deed], result.done))
    counted = visit.texts("bulk-partly", done=result.done, count=most) if result.done else ""
    return await _ask(visit, pairs, (*([counted] if counted else []), *result.problems[:10]))


def _read(visit: Visit, pairs: Sequence[tuple[str, str]]) -> tuple[str, Chosen]:
    """Read which rows, and what is to be done with them. Raises `Refused`."""
    deed = next((value for name, value in pairs if name == DEED), "")
    if deed not in DEEDS:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    view = allowed(visit, DEEDS[deed][0])
    is_all = (ALL, "1") in pairs
    return deed, Chosen(read_state(view, pairs), () if is_all else ids_of(pairs), is_all)


async def _ask(visit: Visit, pairs: Sequence[tuple[str, str]], problems: tuple[str, ...] = ()) -> Response:
    deed, chosen = _read(visit, pairs)
    view = chosen.state.view
    number = await count(visit, chosen)
    limit = chosen.limit(deed)
    members = form_members(view, is_new=False) if deed == "set" else []
    member = _member(members, pairs)
    values: dict[str, Any] = {
        "view": view,
        "deed": deed,
        "number": number,
        "too_many": limit if number > limit else 0,
        "back": chosen.state.here(),
        "kept": [*chosen.state.pairs(), *(("id", row) for row in chosen.ids), *([(ALL, "1")] if chosen.is_all else [])],
        "fields": [(item.name, item.label.in_language(visit.look.lang)) for item in members if item.kind != "file"],
        "input": await _input(visit, view, member, problems) if member else None,
        "problems": problems,
    }
    return visit.page("bulk.html", 422 if problems else 200, **values)


def _member(members: Sequence[Member], pairs: Sequence[tuple[str, str]]) -> Member | None:
    name = next((value for key, value in pairs if key == FIELD), "")
    return next((item for item in members if item.name == name), None)


async def _input(visit: Visit, view: View, member: Member, problems: tuple[str, ...]) -> Any:
    roots = choice_roots([member] if member.target is not None else [], visit.schema)
    choices = {}
    if roots:
        answer = await visit.ask(f"query {view.module.type_name}Choices {{ {roots[0]} }}")
        choices = read_choices([member], answer.data)
    made = make_input(member, posted(member, visit.form), visit.texts, choices.get(member.name))
    return replace(made, errors=problems, required=False)


def _patch(visit: Visit, view: View, pairs: Sequence[tuple[str, str]]) -> Record:
    record = Record()
    member = _member(form_members(view, is_new=False), pairs)
    if member is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    try:
        record.given[member.name] = read_input(member, posted(member, visit.form), visit.look.time_zone())
    except Unreadable as error:
        record.errors[member.name] = (visit.texts(error.key),)
    return record
