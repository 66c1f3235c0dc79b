"""The rows that a reference may be chosen from, found as one types."""

from __future__ import annotations

from starlette.responses import Response

from web.errors import NOTHING_HERE, Refused
from web.pages.choices import read_choices, search_query
from web.pages.visit import Visit

SEARCH_LETTERS = 100


async def show_options(visit: Visit) -> Response:
    """Answer with options whose names contain what was typed."""
    view = visit.view()
    member = view.members.get(str(visit.request.path_params["field"]))
    if member is None or member.target is None or member.shown == "id":
        raise Refused(404, NOTHING_HERE)
    typed = visit.request.query_params.get(member.name, "")[:SEARCH_LETTERS].strip()
    document, variables = search_query(member, visit.schema, typed)
    answer = await visit.ask(document, variables)
    return visit.page("options.html", options=read_choices([member], answer.data)[member.name].options)
