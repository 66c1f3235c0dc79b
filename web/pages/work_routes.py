"""The addresses of the desk's own pages: the queues, new tickets, drafts."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.door import Door
from web.pages.multipart_form import read_with_files
from web.pages.work_choices import show_customers, show_text
from web.pages.work_drafts import take_draft
from web.pages.work_new import show_choices, show_new_ticket, take_new_ticket
from web.pages.work_overview import show_overview


def make_work_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/desk", Door(live, show_overview)),
        Route("/desk/new", Door(live, show_new_ticket, take_new_ticket, read_with_files)),
        Route("/desk/choices", Door(live, show_choices)),
        Route("/desk/customers", Door(live, show_customers)),
        Route("/desk/text", Door(live, show_text)),
        Route("/desk/draft", Door(live, post=take_draft)),
    ]
