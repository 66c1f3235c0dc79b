"""GraphiQL, and the examples that its menu offers."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse, Response

from web.pages.navigation import sections_of
from web.pages.query_examples import examples_of
from web.pages.query_shown import pretty
from web.pages.rendering import render
from web.pages.replies import NO_STORE
from web.pages.visit import Visit


async def show_graphiql(visit: Visit) -> Response:
    """Show GraphiQL, under the server's own policy: its scripts know no nonce. Modules are chosen from the menu of the pages."""
    values = {
        "csrf": visit.live.guard.form_token(visit.caller.secret),
        "t": visit.texts,
        "look": visit.look,
        "menu": _menu(visit),
    }
    return Response(render("graphiql.html", values), 200, NO_STORE, "text/html; charset=utf-8")


async def show_examples(visit: Visit) -> Response:
    """Answer with the examples of a module, for the menu of GraphiQL. They are made anew each time: the schema may have changed."""
    view = visit.view()
    made = [
        {
            "name": visit.texts(item.key),
            "query": pretty(item.document)[1] + "\n",
            "variables": json.dumps(item.variables, ensure_ascii=False, indent=2) if item.variables else "",
        }
        for item in examples_of(view, visit.schema, visit.texts)
    ]
    return JSONResponse({"examples": made}, headers=dict(NO_STORE))


def _menu(visit: Visit) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the modules by section; other pages have no examples."""
    made = []
    for section in sections_of(visit.snapshot, visit.access, visit.texts):
        entries = [(item.name, item.label) for item in section.entries if item.url.startswith("/modules/")]
        if entries:
            made.append((section.label, entries))
    return made
