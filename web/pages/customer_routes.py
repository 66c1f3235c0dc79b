"""The addresses of customers' own pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.customer_list import show_tickets
from web.pages.customer_new import show_new_request, take_new_request
from web.pages.customer_ticket import show_ticket, take_answer
from web.pages.door import Door
from web.pages.multipart_form import read_with_files


def make_customer_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/my", Door(live, show_tickets)),
        Route("/my/new", Door(live, show_new_request, take_new_request, read_with_files)),
        Route("/my/{row}", Door(live, show_ticket, take_answer, read_with_files)),
    ]
