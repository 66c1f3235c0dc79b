"""The addresses of the ticket page: below a row of the module that stands on the table of tickets."""

from __future__ import annotations

from starlette.routing import Route

from web.live import Live
from web.pages.door import Door
from web.pages.multipart_form import read_with_files
from web.pages.ticket_deeds import take_ticket, take_unmerge, take_unwatch, take_watch
from web.pages.ticket_fields import show_change, take_change
from web.pages.ticket_frame import show_frame
from web.pages.ticket_join import show_found, show_link, show_merge, take_link, take_merge, take_unlink
from web.pages.ticket_note import show_note, take_note
from web.pages.ticket_page import show_articles
from web.pages.ticket_reading import show_article
from web.pages.ticket_side import show_customer, show_links
from web.pages.ticket_split import show_split, take_split


def make_ticket_pages(live: Live) -> list[Route]:
    """List the routes."""
    desk = "/modules/{module}/{row}/desk"
    return [
        Route(f"{desk}/articles", Door(live, show_articles)),
        Route(f"{desk}/articles/{{article}}", Door(live, show_article)),
        Route(f"{desk}/articles/{{article}}/html", Door(live, show_frame)),
        Route(f"{desk}/articles/{{article}}/split", Door(live, show_split, take_split)),
        Route(f"{desk}/note", Door(live, show_note, take_note, read_with_files)),
        Route(f"{desk}/change/{{group}}", Door(live, show_change, take_change)),
        Route(f"{desk}/take", Door(live, post=take_ticket)),
        Route(f"{desk}/watch", Door(live, post=take_watch)),
        Route(f"{desk}/unwatch", Door(live, post=take_unwatch)),
        Route(f"{desk}/merge", Door(live, show_merge, take_merge)),
        Route(f"{desk}/unmerge", Door(live, post=take_unmerge)),
        Route(f"{desk}/link", Door(live, show_link, take_link)),
        Route(f"{desk}/unlink", Door(live, post=take_unlink)),
        Route(f"{desk}/found", Door(live, show_found)),
        Route(f"{desk}/customer", Door(live, show_customer)),
        Route(f"{desk}/links", Door(live, show_links)),
    ]
