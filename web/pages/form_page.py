"""The form of a module: a new row, or changes of one, with what is wrong beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from schema.writes import Deed
from web.errors import Code, Refused
from web.pages.conflict import show_conflict
from web.pages.deeds import CONFLICT, DONE, NOT_FOUND, Done, create, read_done, update
from web.pages.form_query import Asked, ask_new, ask_row, form_members, heading_of, row_id, section_captions
from web.pages.form_read import WAS, Record, merged_errors, posted, read_record
from web.pages.inputs import Input, digest, make_input, values_of
from web.pages.live_names import row_watch
from web.pages.once import mark_of, shown_mark
from web.pages.query_examples import create_example, update_example
from web.pages.said import say
from web.pages.view import Member, View
from web.pages.visit import Visit

VERSION = "version"
UNPROCESSABLE = 422
NO_RIGHT = "You may not do this with rows of this module."


async def show_new(visit: Visit) -> Response:
    """Show an empty form, with its defaults."""
    view = allowed(visit, Deed.CREATE)
    members = form_members(view, is_new=True)
    asked = await ask_new(visit, view, members)
    return _form(visit, Sheet(view, members, asked, asked.defaults))


async def take_new(visit: Visit) -> Response:
    """Make a row."""
    view = allowed(visit, Deed.CREATE)
    members = form_members(view, is_new=True)
    record = read_record(visit, members, is_new=True)
    if not record.errors:
        deal = create(view, record.given)
        answer = await visit.ask(deal.document, deal.variables, once=mark_of(visit))
        done = read_done(answer.data[DONE])
        if done.is_done:
            return visit.see(say(f"{list_address(view)}/{quote(done.payload['row']['id'])}", "created"))
        record.errors = merged_errors(record, done.errors, names_of(members))
    asked = await ask_new(visit, view, members)
    return _form(visit, Sheet(view, members, asked, typed(visit, members), record))


async def show_edit(visit: Visit) -> Response:
    """Show the form of a row."""
    view = allowed(visit, Deed.UPDATE)
    members = form_members(view, is_new=False)
    asked = await ask_row(visit, view, members)
    return _form(visit, Sheet(view, members, asked, _stored(visit, members, asked.row or {})))


async def take_edit(visit: Visit) -> Response:
    """Change a row: what was touched, if nobody was faster."""
    view = allowed(visit, Deed.UPDATE)
    members = form_members(view, is_new=False)
    record = read_record(visit, members, is_new=False)
    if not record.errors:
        done = await change(visit, view, record)
        if done is None or done.is_done:
            return visit.see(say(f"{list_address(view)}/{quote(row_id(visit))}", "saved"))
        if CONFLICT in done.codes and done.payload["current"] is not None:
            return show_conflict(visit, view, members, done.payload["current"])
        if NOT_FOUND in done.codes:
            raise Refused(404, "; ".join(done.errors[None]), Code.BAD_REQUEST)
        record.errors = merged_errors(record, done.errors, names_of(members))
    asked = await ask_row(visit, view, members)
    return _form(visit, Sheet(view, members, asked, typed(visit, members), record))


async def change(visit: Visit, view: View, record: Record) -> Done | None:
    """Send a change; None where nothing was touched."""
    if not record.given:
        return None
    deal = update(view, row_id(visit), visit.form.one(VERSION) or None, record.given)
    answer = await visit.ask(deal.document, deal.variables)
    return read_done(answer.data[DONE])


def allowed(visit: Visit, deed: Deed) -> View:
    """Return the module, if the caller may do this with its rows at all. Raises `Refused` (403, 404)."""
    view = visit.view()
    if not view.may(deed):
        raise Refused(403, NO_RIGHT, Code.FORBIDDEN)
    return view


def list_address(view: View) -> str:
    """Return where a module's list is."""
    return f"/modules/{view.module.name}"


def names_of(members: Sequence[Member]) -> list[str]:
    """Name the inputs of a form."""
    return [member.name for member in members]


def typed(visit: Visit, members: Sequence[Member]) -> Mapping[str, tuple[str, ...]]:
    """Return what somebody typed, to show it again; passwords are typed anew."""
    return {
        member.name: posted(member, visit.form)
        for member in members
        if member.field is None or member.field.is_readable
    }


def _stored(visit: Visit, members: Sequence[Member], row: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    zone = visit.look.time_zone()
    return {member.name: values_of(member, row.get(member.name), zone) for member in members}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form to be shown: which inputs, what they hold, and what is wrong with it. One that came back keeps what was typed."""

    view: View
    members: Sequence[Member]
    asked: Asked
    values: Mapping[str, tuple[str, ...]]
    record: Record | None = None


def _form(visit: Visit, sheet: Sheet) -> Response:
    view, row, errors = sheet.view, sheet.asked.row, sheet.record.errors if sheet.record else {}
    inputs = {member.name: _input(visit, sheet, member) for member in sheet.members}
    stored = _stored(visit, sheet.members, row or {})
    if row:
        visit.offer(*update_example(view, visit.schema, row["id"], row.get("version")), "query-of-save")
    else:
        visit.offer(*create_example(view, visit.schema), "query-of-create")
    return visit.page(
        "form.html",
        UNPROCESSABLE if sheet.record else 200,
        view=view,
        row=row,
        watch=row_watch(view, row["id"]) if row else "",
        heading=heading_of(view, row) if row else "",
        sections=_sections(view, inputs, visit),
        errors=errors,
        labels={name: item.label for name, item in inputs.items()},
        # A form that came back is still held against what its row was when it was first shown.
        was={name: visit.form.one(f"{WAS}{name}") or digest(stored[name]) for name in inputs},
        version=visit.form.one(VERSION) or (row or {}).get("version", ""),
        once=shown_mark(visit),
        has_files=any(item.widget.draws == "file" for item in inputs.values()),
    )


def _input(visit: Visit, sheet: Sheet, member: Member) -> Input:
    values = tuple(sheet.values.get(member.name, ()))
    made = make_input(member, values, visit.texts, sheet.asked.choices.get(member.name), is_new=sheet.asked.row is None)
    return replace(made, errors=sheet.record.errors.get(member.name, ())) if sheet.record else made


def _sections(view: View, inputs: Mapping[str, Input], visit: Visit) -> list[tuple[str, list[Input]]]:
    placed = [
        (title.in_language(visit.look.lang) if title else "", [inputs[name] for name in names if name in inputs])
        for title, names in section_captions(view)
    ]
    others = [item for name, item in inputs.items() if not any(item in found for _, found in placed)]
    return [(title, found) for title, found in [("", others), *placed] if found]
