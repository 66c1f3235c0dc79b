"""The addresses of the desk's own pages: the queues, new tickets, drafts."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.door import Door
from web.pages.work_overview import show_overview


def make_work_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/desk", Door(live, show_overview)),
    ]
