"""One article alone: its whole text, every file, and its pictures of other servers where its reader asks for them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from desk.permits import NOTE
from web.pages.list_page import reader_of
from web.pages.ticket_articles import article_of
from web.pages.ticket_frame import IMAGES, read_article
from web.pages.ticket_page import may_split, policy_of
from web.pages.ticket_query import ask_ticket
from web.pages.ticket_sight import desk_address, sight_of, ticket_address
from web.pages.visit import Visit


async def show_article(visit: Visit) -> Response:
    """Show an article; htmx puts it in the place where it stands in the conversation."""
    sight = sight_of(visit)
    node = await read_article(visit, sight)
    desk = desk_address(visit, sight)
    told = await ask_ticket(visit, sight, order="", after="", only_head=True)
    mutations = visit.schema.mutation_type.fields if visit.schema.mutation_type else {}
    values: dict[str, Any] = {
        "view": sight.view,
        "address": ticket_address(visit, sight),
        "desk": desk,
        "article": article_of(sight, node, reader_of(visit, brief=False), desk, is_alone=not visit.is_htmx),
        "shows_remote": visit.request.query_params.get(IMAGES) == "1",
        "may_write": NOTE in told.keys and "addArticle" in mutations,
        "may_split": may_split(visit),
        "is_alone": not visit.is_htmx,
    }
    return visit.page("ticket/article.html", block="one" if visit.is_htmx else "", headers=policy_of(visit), **values)
