"""Splitting an article off as a mutation: the new ticket is made as its module makes every other one."""

from __future__ import annotations

import sqlalchemy as sa

from desk.conduct import ARTICLE
from desk.desk import Desk
from desk.split import COPIED, link_split, plan_split, title_of
from desk.tables import ARTICLE_MIME
from resolvers.conduct import ChangeKind, RowChange
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hands import Draft, Hands
from resolvers.noted import change_of
from resolvers.outcome import Outcome, RowOutcome
from resolvers.predicate import KeyIn
from schema.spec import Home

_TICKET = "ticket"


async def draft_split(draft: Draft) -> None:
    """Give the new ticket what it has from the old one, where the input says nothing else; raises `Faulty` NOT_FOUND."""
    articles, (where, *_) = draft.node.rows[ARTICLE]
    article = await draft.row(articles, where)
    module, _ = draft.node.creates[_TICKET]
    origin = None
    if article is not None:
        origin = await draft.row(module, KeyIn((), module, ((article.columns["ticket_id"],),)))
    if article is None or origin is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", (ARTICLE,)))
    statement = sa.select(ARTICLE_MIME.c.a_subject).where(ARTICLE_MIME.c.article_id == article.key[0])
    rows = await draft.fetch(statement)
    title = title_of(rows[0][0] if rows else None, origin.columns)
    given = draft.creates[_TICKET]
    for item in module.fields:
        if item.home is not Home.TABLE or item.name in given.values or item.name in given.lookups:
            continue
        if item.column == "title":
            given.values[item.name] = title
        elif item.column in COPIED:
            given.values[item.name] = origin.fields[item.name]


async def split_article(desk: Desk, hands: Hands) -> Outcome:
    """Make the ticket with the article as its first one, and link it to the one that it comes from."""
    key = hands.one(ARTICLE)
    if key is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", (ARTICLE,)))
    split = await plan_split(hands.work, int(key[0]))
    given = hands.creates[_TICKET]
    given.extras[ARTICLE] = split.article
    (made,) = await hands.writer.create(hands.node.module, [given])
    if not isinstance(made, RowChange):
        raise Faulty(*(made or ()))
    told = await link_split(desk, hands.work, split, int(made.key[0]))
    if told is not None:
        parent, made.source = told
        module, origin = hands.node.module, (split.origin["id"],)
        hands.writer.add(change_of(hands.work, module, ChangeKind.UPDATED, origin, source=parent))
    extra = {ARTICLE: list(made.along[0].key)} if made.along else {}
    return Outcome([RowOutcome(made.key)], affected=1, created=True, extra=extra)
