"""The form of an article that an agent writes: what fills it, and what it says when it comes back.

What it begins with (nothing, a quotation, what the caller had begun to write) is a `Draft`; templates come with the composer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import GraphQLEnumType

from web.pages.choices import choice_roots, read_choices
from web.pages.form_body import Form
from web.pages.form_query import row_id
from web.pages.inputs import Input, make_input, read_input
from web.pages.once import shown_mark
from web.pages.ticket_sight import Sight, desk_address
from web.pages.values import Unreadable
from web.pages.view import Member
from web.pages.visit import Visit
from web.pages.work_composer import About, Composer, compose, kept_uploads
from web.pages.work_composer import Draft as Kept

NOTE, CALL_IN, CALL_OUT = "NOTE", "PHONE_FROM_CUSTOMER", "PHONE_TO_CUSTOMER"
ALONG = "along."  # before what is to change of the ticket along with an article
_ALONG = ("ticket_state_id", "until_time")
_KINDS = "NewArticleKind"
_ADDRESSES = ("to", "cc")
TEMPLATE_TYPES = ("ANSWER", "NOTE", "PHONE_CALL", "SNIPPET", "EMAIL")


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form."""

    kind: str = NOTE
    visible: bool = False
    subject: str = ""
    body: str = ""
    to: str = ""
    cc: str = ""
    time: str = ""
    answers: str = ""  # the article that it answers
    uploads: tuple[tuple[str, str], ...] = ()  # files that were sent before: id and name
    along: Mapping[str, str] = field(default_factory=dict)  # by the names of the ticket's fields


@dataclass(frozen=True, slots=True)
class ArticleForm:
    """The form, ready for `ticket/article_form.html`."""

    draft: Draft
    composer: Composer
    kinds: Sequence[tuple[str, str]]
    along: tuple[Input, ...]
    once: str
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    about: tuple[str, ...] = ()  # what is wrong with the whole


async def fill_article_form(
    visit: Visit,
    sight: Sight,
    draft: Draft,
    errors: Mapping[str | None, tuple[str, ...]] | None = None,
    *,
    may_change: bool,
    kept: Kept | None = None,
) -> ArticleForm:
    """Make the form of an article. With `may_change` the ticket's state can be changed along with it; `kept` is shown in it."""
    members = along_members(sight) if may_change else []
    roots = " ".join(choice_roots([item for item in members if item.target is not None], visit.schema))
    choices = read_choices(members, (await visit.ask(f"query TicketStates {{ {roots} }}")).data) if roots else {}
    told = dict(errors or {})
    inputs = [
        replace(
            make_input(item, _given(draft.along.get(item.name)), visit.texts, choices.get(item.name), is_new=False),
            name=f"{ALONG}{item.name}",
            required=False,
            errors=told.get(item.name, ()),
            searches=False,
        )
        for item in members
    ]
    known = {"kind", "visibleForCustomer", "subject", "body", *_ADDRESSES, "timeUnits", "attachments"}
    about = About(ticket=row_id(visit), types=TEMPLATE_TYPES)
    return ArticleForm(
        draft,
        await compose(visit, note_address(visit, sight), about, body=draft.body, draft=kept),
        kinds_of(visit),
        tuple(inputs),
        shown_mark(visit),
        {name: messages for name, messages in told.items() if name in known},
        tuple(
            text
            for name, messages in told.items()
            if name not in known and name not in {item.name for item in members}
            for text in messages
        ),
    )


def along_members(sight: Sight) -> list[Member]:
    """Return the fields of the ticket that can be changed along with an article."""
    found = (sight.member(column) for column in _ALONG)
    return [item for item in found if item is not None and item.name in sight.writable]


def kinds_of(visit: Visit) -> list[tuple[str, str]]:
    """Return the kinds of articles that the API can write, and what people call them."""
    made = visit.schema.get_type(_KINDS)
    names = made.values if isinstance(made, GraphQLEnumType) else {}
    return [(name, visit.texts(f"article-kind-{name}")) for name in names]


def note_address(visit: Visit, sight: Sight) -> str:
    """Return where the form is, which is also the place of its draft."""
    return f"{desk_address(visit, sight)}/note"


def read_draft(form: Form) -> Draft:
    """Return what somebody typed, to show it again or to send it."""
    return Draft(
        form.one("kind", NOTE),
        form.one("visible") == "1",
        form.one("subject"),
        form.one("body"),
        form.one("to"),
        form.one("cc"),
        form.one("time"),
        form.one("answers"),
        tuple(kept_uploads(form)),
        {name.removeprefix(ALONG): form.one(name) for name in form.fields if name.startswith(ALONG)},
    )


def article_input(visit: Visit, draft: Draft) -> tuple[dict[str, Any], dict[str | None, tuple[str, ...]]]:
    """Return the article as the API takes it, and what is wrong with it; the rest the API finds."""
    given: dict[str, Any] = {
        "subject": draft.subject,
        "body": draft.body,
        "kind": draft.kind if draft.kind in {name for name, _ in kinds_of(visit)} else NOTE,
        "visibleForCustomer": draft.visible,
    }
    errors: dict[str | None, tuple[str, ...]] = {}
    given |= {name: text for name in _ADDRESSES if (text := getattr(draft, name).strip())}
    if not draft.body.strip():
        errors["body"] = (visit.texts("article-empty"),)
    if draft.time.strip():
        try:
            given["timeUnits"] = str(Decimal(draft.time.strip().replace(",", ".")))
        except InvalidOperation:
            errors["timeUnits"] = (visit.texts("article-time-wrong"),)
    if draft.uploads:
        given["attachments"] = [id_ for id_, _ in draft.uploads]
    return given, errors


def along_input(visit: Visit, sight: Sight, draft: Draft) -> tuple[dict[str, Any], dict[str | None, tuple[str, ...]]]:
    """Return what is to change of the ticket along with an article: only what was chosen."""
    given: dict[str, Any] = {}
    errors: dict[str | None, tuple[str, ...]] = {}
    for item in along_members(sight):
        text = draft.along.get(item.name, "")
        if not text:
            continue
        try:
            given[item.name] = read_input(item, (text,), visit.look.time_zone())
        except Unreadable as error:
            errors[item.name] = (visit.texts(error.key),)
    return given, errors


def _given(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()
