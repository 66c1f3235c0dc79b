"""What a form says when its row was changed by somebody else while it was open."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import show_moment
from web.pages.form_page import VERSION
from web.pages.form_query import row_id
from web.pages.list_page import reader_of
from web.pages.portions import ROW
from web.pages.visit import Visit

PAST = "past: history(of: $id, first: 1) { at by { login } }"


async def show_meanwhile(visit: Visit) -> Response:
    """Say who changed the row last, if it is not as the form had it; nothing otherwise."""
    view = visit.view()
    if not view.module.has_id:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    has_past = "history" in (visit.schema.query_type.fields if visit.schema.query_type else {})
    document = (
        f"query {view.module.type_name}Meanwhile($id: ID!) "
        f"{{ {ROW}: {view.module.one_root}(by: {{id: $id}}) {{ version }} {PAST if has_past else ''} }}"
    )
    data = (await visit.ask(document, {"id": row_id(visit)})).data
    row, past = data[ROW], data.get("past") or [None]
    had = visit.request.query_params.get(VERSION, "")
    told = "" if row is not None and row["version"] == had else _told(visit, is_there=row is not None, last=past[0])
    return visit.page("meanwhile.html", block="told", told=told, is_there=row is not None)


def _told(visit: Visit, *, is_there: bool, last: Any) -> str:
    if not is_there:
        return visit.texts("meanwhile-gone")
    if last is None:
        return visit.texts("meanwhile")
    moment = show_moment(last["at"], reader_of(visit, brief=False))
    return visit.texts("meanwhile-by", who=last["by"]["login"], when=moment.text)
