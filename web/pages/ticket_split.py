"""An article split off: a ticket of its own begins with it, and is a child of the one that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from web.pages.choices import choice_roots, read_choices
from web.pages.form_page import UNPROCESSABLE
from web.pages.form_read import merged_errors, posted, read_record
from web.pages.inputs import make_input
from web.pages.list_page import reader_of
from web.pages.once import mark_of, shown_mark
from web.pages.said import say
from web.pages.ticket_articles import article_of
from web.pages.ticket_deeds import deal_of, send
from web.pages.ticket_frame import read_article
from web.pages.ticket_sight import Sight, desk_address, sight_of, ticket_address
from web.pages.view import Member
from web.pages.visit import Visit

_FIELDS = ("title", "queue_id", "ticket_priority_id")  # what is asked for; the rest is as in the old ticket
TITLE_LETTERS = 255


async def show_split(visit: Visit) -> Response:
    """Show what the new ticket is to be called, and where it goes."""
    sight = sight_of(visit)
    return await _form(visit, sight, {}, {})


async def take_split(visit: Visit) -> Response:
    """Make the ticket, and go there. What was left empty it has from the old one."""
    sight = sight_of(visit)
    members = _members(sight)
    record = read_record(visit, [item for item in members if any(posted(item, visit.form))], is_new=False)
    if not record.errors:
        given = {"article": {"id": str(visit.request.path_params["article"])}, "ticket": record.given}
        done = await send(visit, deal_of("splitArticle", given, "ticket { id }"), mark_of(visit))
        if done.is_done:
            there = f"/modules/{sight.view.module.name}/{done.payload['ticket']['id']}"
            return visit.see(say(there, "article-split"))
        record.errors = merged_errors(record, done.errors, [item.name for item in members])
    values = {item.name: posted(item, visit.form) for item in members}
    return await _form(visit, sight, values, record.errors, UNPROCESSABLE)


def _members(sight: Sight) -> list[Member]:
    found = (sight.member(column) for column in _FIELDS)
    return [item for item in found if item is not None and item.name in sight.writable]


async def _form(
    visit: Visit,
    sight: Sight,
    values: Mapping[str, tuple[str, ...]],
    errors: Mapping[str | None, tuple[str, ...]],
    status: int = 200,
) -> Response:
    node = await read_article(visit, sight)
    article = article_of(sight, node, reader_of(visit, brief=False), desk_address(visit, sight))
    members = _members(sight)
    roots = " ".join(choice_roots([item for item in members if item.target is not None], visit.schema))
    data: Mapping[str, Any] = (await visit.ask(f"query SplitChoices {{ {roots} }}")).data if roots else {}
    choices = read_choices(members, data)
    title = sight.member("title")
    begun: dict[str, tuple[str, ...]] = (
        {title.name: (article.subject[:TITLE_LETTERS],)} if title is not None and not values else {}
    )
    inputs = [
        replace(
            make_input(item, values.get(item.name) or begun.get(item.name, ()), visit.texts, choices.get(item.name)),
            required=False,
            errors=errors.get(item.name, ()),
        )
        for item in members
    ]
    names = {item.name for item in members}
    return visit.page(
        "ticket/split.html",
        status,
        view=sight.view,
        address=ticket_address(visit, sight),
        desk=desk_address(visit, sight),
        article=article,
        inputs_=inputs,
        once=shown_mark(visit),
        about=[text for name, messages in errors.items() if name not in names for text in messages],
    )
