"""The search over the rows of all modules: a page, and what the palette shows while one types."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from web.pages.list_page import reader_of
from web.pages.search_query import (
    FEWEST_LETTERS,
    LETTERS,
    MOST_MODULES,
    Hits,
    list_url,
    read_hits,
    search_document,
    searched,
)
from web.pages.visit import Visit

ROWS, PALETTE_ROWS = 10, 4


async def show_search(visit: Visit) -> Response:
    """Show what was found; the palette gets options."""
    word = " ".join(visit.request.query_params.get("q", "")[:LETTERS].split())
    views = searched(visit)
    hits: list[Hits] = []
    if len(word) >= FEWEST_LETTERS and views:
        size = PALETTE_ROWS if visit.is_htmx else ROWS
        answer = await visit.ask(search_document(views[:MOST_MODULES], size), {"search": word})
        hits = read_hits(views, answer.data, word, reader_of(visit))
    return visit.page(
        "search.html",
        block="options" if visit.is_htmx else "",
        word=word,
        hits=hits,
        is_short=len(word) < FEWEST_LETTERS,
        everything=f"/search?{urlencode({'q': word})}",
        others=[
            (view.module.plural.in_language(visit.look.lang), list_url(view, word)) for view in views[MOST_MODULES:]
        ],
    )
