"""Notes, phone calls and answers: the form of an article above the conversation, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from desk.permits import EVERYTHING
from desk.permits import NOTE as NOTE_KEY
from web.errors import Code, Refused
from web.pages.deeds import CONFLICT
from web.pages.form_page import UNPROCESSABLE
from web.pages.form_query import row_id
from web.pages.list_page import reader_of
from web.pages.once import mark_of
from web.pages.said import say
from web.pages.ticket_article_form import (
    NOTE,
    ArticleForm,
    Draft,
    along_input,
    article_input,
    fill_article_form,
    kinds_of,
    note_address,
    read_draft,
)
from web.pages.ticket_articles import ArticleShown, article_of
from web.pages.ticket_deeds import deal_of, send
from web.pages.ticket_frame import read_article
from web.pages.ticket_page import Around, after_of, answer_with, order_of
from web.pages.ticket_query import Told, ask_ticket
from web.pages.ticket_sight import Sight, desk_address, sight_of, ticket_address
from web.pages.visit import Visit
from web.pages.work_composer import Draft as Kept
from web.pages.work_composer import draft_of, drop_draft, form_of, press

COMPOSE = "compose"
KIND, ANSWERS = "kind", "answers"  # of the address: which kind, and which article is answered
QUOTED_LINES = 400
SUBJECT_LETTERS = 250
_CHANGED_MEANWHILE = 409


async def show_note(visit: Visit) -> Response:
    """Show the form; htmx puts it above the conversation."""
    sight = sight_of(visit)
    told = await _ask(visit, sight)
    if NOTE_KEY not in told.keys:
        raise Refused(403, visit.texts("ticket-no-key", needed=NOTE_KEY), Code.FORBIDDEN)
    kept, draft = await _begun(visit, sight)
    form = await _form(visit, sight, told, draft, kept=kept)
    return answer_with(visit, sight, told, Around(compose=form), COMPOSE if visit.is_htmx else "")


async def take_note(visit: Visit) -> Response:
    """Write the article, and change what was chosen along with it."""
    sight = sight_of(visit)
    place = note_address(visit, sight)
    pressed = await press(visit, place, place)
    if pressed is not None and pressed.answer is not None:
        return pressed.answer
    draft = read_draft(visit.form)
    if pressed is not None:
        return await _again(visit, sight, draft, {None: tuple(pressed.wrong)} if pressed.wrong else {})
    article, errors = article_input(visit, draft)
    patch, wrong = along_input(visit, sight, draft)
    errors |= wrong
    codes: frozenset[str] = frozenset()
    if not errors:
        given: dict[str, Any] = {"ticket": {"id": row_id(visit)}, "article": article}
        done = await send(
            visit, deal_of("addArticle", {**given, **({"patch": patch} if patch else {})}), mark_of(visit)
        )
        if done.is_done:
            await drop_draft(visit, place)
            return visit.see(say(ticket_address(visit, sight), "article-added"))
        codes, errors = done.codes, dict(done.errors)
    return await _again(visit, sight, draft, errors, _CHANGED_MEANWHILE if CONFLICT in codes else UNPROCESSABLE)


async def _again(
    visit: Visit,
    sight: Sight,
    draft: Draft,
    errors: Mapping[str | None, tuple[str, ...]],
    status: int = UNPROCESSABLE,
) -> Response:
    """Show the form again with what was typed."""
    told = await _ask(visit, sight)
    form = await _form(visit, sight, told, draft, errors)
    return answer_with(visit, sight, told, Around(compose=form, status=status if errors else 200))


async def _ask(visit: Visit, sight: Sight) -> Told:
    return await ask_ticket(visit, sight, order=order_of(visit), after=after_of(visit), only_head=visit.is_htmx)


async def _form(
    visit: Visit,
    sight: Sight,
    told: Told,
    draft: Draft,
    errors: Mapping[str | None, tuple[str, ...]] | None = None,
    *,
    kept: Kept | None = None,
) -> ArticleForm:
    return await fill_article_form(visit, sight, draft, errors, may_change=EVERYTHING in told.keys, kept=kept)


async def _begun(visit: Visit, sight: Sight) -> tuple[Kept | None, Draft]:
    """Return what the form begins with: what the caller had begun to write, else nothing, or the quotation of an article."""
    asked = visit.request.query_params
    kept = await draft_of(visit, note_address(visit, sight))
    if kept is not None:
        draft = read_draft(form_of(kept))
        if asked.get(ANSWERS, draft.answers) == draft.answers:
            return kept, draft
    return None, await _empty(visit, sight)


async def _empty(visit: Visit, sight: Sight) -> Draft:
    asked = visit.request.query_params
    kind = asked.get(KIND, NOTE)
    kind = kind if kind in {name for name, _ in kinds_of(visit)} else NOTE
    if not asked.get(ANSWERS):
        return Draft(kind=kind)
    node = await read_article(visit, sight, asked[ANSWERS])
    article = article_of(sight, node, reader_of(visit, brief=False), desk_address(visit, sight))
    wrote = visit.texts("article-wrote", who=article.name, when=article.when.title)
    return replace(answer_to(article, wrote), answers=asked[ANSWERS])


def answer_to(article: ArticleShown, wrote: str) -> Draft:
    """Return the beginning of an answer to an article."""
    subject = article.subject if article.subject.lower().startswith("re:") else f"Re: {article.subject}"
    lines = article.body.split("\n")[:QUOTED_LINES]
    quoted = "\n".join(f"> {line}".rstrip() for line in lines)
    sender = next((text for _, text in article.lines[:1]), "") if article.sender_kind == "customer" else ""
    return Draft(
        visible=article.visible is not False,
        subject=subject[:SUBJECT_LETTERS],
        body=f"\n\n{wrote}\n{quoted}\n",
        to=sender,
    )
