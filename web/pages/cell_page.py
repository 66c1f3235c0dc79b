"""One cell of a list, edited where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from schema.writes import Deed
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import selection_of, show
from web.pages.choices import Choices, choice_roots, read_choices
from web.pages.deeds import DONE, read_done, update
from web.pages.form_page import UNPROCESSABLE, VERSION, allowed, list_address
from web.pages.form_query import editable, row_id
from web.pages.form_read import Record, is_touched, merged_errors, posted, read_record
from web.pages.inputs import Input, digest, make_input, values_of
from web.pages.list_page import reader_of
from web.pages.portions import ROW
from web.pages.view import Member, View
from web.pages.visit import Visit

FIRST = "first"  # the cell that leads to the page of its row


async def show_cell(visit: Visit) -> Response:
    """Show the input of a cell, or its value again."""
    view = allowed(visit, Deed.UPDATE)
    member = _member(visit, view)
    row, choices = await _ask(visit, view, member)
    if visit.request.query_params.get("show"):
        return _value(visit, view, member, row)
    values = values_of(member, row[member.name], visit.look.time_zone())
    made = make_input(member, values, visit.texts, choices, is_new=False)
    return _input(visit, view, made, (row["version"], made.was))


async def take_cell(visit: Visit) -> Response:
    """Change the value, and show it."""
    view = allowed(visit, Deed.UPDATE)
    member = _member(visit, view)
    record = read_record(visit, [member], is_new=False)
    if not record.errors and is_touched(member, visit.form):
        deal = update(view, row_id(visit), visit.form.one(VERSION) or None, record.given)
        done = read_done((await visit.ask(deal.document, deal.variables)).data[DONE])
        record.errors = merged_errors(record, done.errors, [member.name])
    row, choices = await _ask(visit, view, member)
    if not record.errors:
        return _value(visit, view, member, row)
    made = make_input(member, posted(member, visit.form), visit.texts, choices, is_new=False)
    # What somebody else wrote meanwhile is seen in the message; saving once more is meant then.
    was = digest(values_of(member, row[member.name], visit.look.time_zone()))
    return _input(visit, view, replace(made, errors=_told(record)), (row["version"], was), UNPROCESSABLE)


def _told(record: Record) -> tuple[str, ...]:
    return tuple(message for messages in record.errors.values() for message in messages)


def _member(visit: Visit, view: View) -> Member:
    name = str(visit.request.path_params["field"])
    if name not in editable(view):
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return view.members[name]


async def _ask(visit: Visit, view: View, member: Member) -> tuple[Mapping[str, Any], Choices | None]:
    roots = " ".join(choice_roots([member] if member.target is not None else [], visit.schema))
    document = (
        f"query {view.module.type_name}Cell($id: ID!) {{ {ROW}: {view.module.one_root}(by: {{id: $id}}) "
        f"{{ id version {selection_of(member)} }} {roots} }}"
    )
    answer = await visit.ask(document, {"id": row_id(visit)})
    if answer.data[ROW] is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return answer.data[ROW], read_choices([member], answer.data).get(member.name)


def _address(visit: Visit, view: View, name: str) -> str:
    first = "?first=1" if visit.request.query_params.get(FIRST) else ""
    return f"{list_address(view)}/{quote(row_id(visit))}/cell/{name}{first}"


def _value(visit: Visit, view: View, member: Member, row: Mapping[str, Any]) -> Response:
    return visit.page(
        "cell_value.html",
        cell=show(row[member.name], member, reader_of(visit)),
        row_url=f"{list_address(view)}/{quote(row_id(visit))}",
        is_first=bool(visit.request.query_params.get(FIRST)),
    )


def _input(visit: Visit, view: View, made: Input, known: tuple[str, str], status: int = 200) -> Response:
    version, was = known
    address = _address(visit, view, made.name)
    return visit.page("cell_input.html", status, view=view, input=made, version=version, was=was, address=address)
