"""A new ticket from one article of another: what it begins with, and the link between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.articles import PLAIN, ArticleKind, NewArticle
from desk.attachments import read_attachments
from desk.desk import Desk
from desk.links import PARENT_CHILD, link_tickets
from desk.tables import ARTICLE, ARTICLE_MIME
from desk.tickets import lock_tickets
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty

TITLE_LIMIT = 255
# What the new ticket has from the old one. Its state, owner and lock are its own.
COPIED = ("queue_id", "type_id", "service_id", "sla_id", "ticket_priority_id", "customer_id", "customer_user_id")


@dataclass(frozen=True, slots=True)
class Split:
    """The ticket that an article is split from, locked, and the first article of the new one."""

    origin: Mapping[str, Any]
    article: NewArticle


def title_of(subject: str | None, origin: Mapping[str, Any]) -> str:
    """Return what the new ticket is called: by the article, or like the ticket that it comes from."""
    title = (subject or "").strip() or (origin["title"] or "").strip() or origin["tn"]
    return str(title)[:TITLE_LIMIT]


async def plan_split(work: Work, article_id: int) -> Split:
    """Read an article that is to become a ticket of its own, as a call or a message of its customer.

    The ticket that it belongs to is locked. Raises `Faulty` NOT_FOUND.
    """
    mime = ARTICLE_MIME.c
    rows = await work.transaction.execute(
        sa.select(
            ARTICLE.c.ticket_id,
            ARTICLE.c.is_visible_for_customer,
            mime.a_from,
            mime.a_to,
            mime.a_cc,
            mime.a_subject,
            mime.a_body,
        )
        .join_from(ARTICLE, ARTICLE_MIME, mime.article_id == ARTICLE.c.id)
        .where(ARTICLE.c.id == article_id)
    )
    if not rows:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("article",)))
    ticket_id, visible, sender, to, cc, subject, body = rows[0]
    origin = (await lock_tickets(work, ticket_id))[0]
    article = NewArticle(
        subject=title_of(subject, origin),
        body=body or "",
        kind=ArticleKind.PHONE_CALL_IN,
        is_visible=bool(visible),
        content_type=PLAIN,  # the HTML of a message is one of its files, and comes along with them
        sender=sender or "",
        to=to or "",
        cc=cc or "",
        attachments=await read_attachments(work, article_id),
    )
    return Split(origin, article)


async def link_split(desk: Desk, work: Work, split: Split, ticket_id: int) -> tuple[int, int] | None:
    """Make the new ticket a child of the one that it was split from; return the history rows of parent and child."""
    child = (await lock_tickets(work, ticket_id))[0]
    return await link_tickets(desk, work, split.origin, child, PARENT_CHILD)
