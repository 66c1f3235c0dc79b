"""Every address of the pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.door import Door
from web.pages.filter_page import show_filter
from web.pages.front import choose_look, show_graphiql, show_home, show_look
from web.pages.list_page import show_count, show_list


def make_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/", Door(live, show_home)),
        Route("/graphiql", Door(live, show_graphiql)),
        Route("/modules/{module}", Door(live, show_list)),
        Route("/modules/{module}/count", Door(live, show_count)),
        Route("/modules/{module}/filter", Door(live, show_filter)),
        Route("/look", Door(live, show_look, choose_look)),
    ]
