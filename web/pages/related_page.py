"""The rows that belong to a row: one relation of it, as a small list."""

from __future__ import annotations

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import selection_of
from web.pages.detail_page import read_row, row_address
from web.pages.list_page import reader_of, unread
from web.pages.portions import ROW
from web.pages.row_drawing import Rows
from web.pages.view import View, view_of
from web.pages.visit import Visit

PAGE_SIZE = 10
COLUMNS = 6


async def show_related(visit: Visit) -> Response:
    """Show the rows of a relation; htmx gets them as a part of the row's page."""
    view = visit.view()
    item, name = view.relations.get(str(visit.request.path_params["relation"]), (None, None))
    other = view_of(visit.snapshot, visit.access, name.name) if name is not None else None
    if item is None or other is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    columns = [member for member in other.columns if not (member.field and member.field.name == item.by)][:COLUMNS]
    document = _document(view, other, item.api_name, [selection_of(member) for member in columns])
    row, answer = await read_row(visit, view, document)
    page = row[item.api_name]
    return visit.page(
        "related.html",
        block="related" if visit.is_htmx else "",
        view=view,
        other=other.module,
        columns=columns,
        rows=Rows(page["nodes"], columns, other.module.name, reader_of(visit), unread(answer.errors)),
        address=row_address(visit, view),
        has_more=page["pageInfo"]["hasNextPage"],
        caption=item.label.in_language(visit.look.lang)
        if item.label
        else other.module.plural.in_language(visit.look.lang),
    )


def _document(view: View, other: View, relation: str, cells: list[str]) -> str:
    own = ["id"] if other.module.has_id else []
    return (
        f"query {view.module.type_name}Related($id: ID!) {{ {ROW}: {view.module.one_root}(by: {{id: $id}}) "
        f"{{ {relation}(first: {PAGE_SIZE}) {{ nodes {{ {' '.join([*own, *cells])} }} pageInfo {{ hasNextPage }} }} }} }}"
    )
