"""Articles: notes, phone calls and messages of a ticket, with their text, their files and the time they took."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from desk.attachments import Attachment, write_attachments
from desk.history import Event, parts
from desk.names import Names
from desk.plain_text import plain_text
from desk.roles import Role, find_role
from desk.stamps import audit, epoch_now, wall_now
from desk.tables import ARTICLE, ARTICLE_FLAG, ARTICLE_MIME, CUSTOMER_USER, TIME_ACCOUNTING
from identity.principals import Kind
from resolvers.conduct import ChangeKind, Work
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.noted import hear_written
from storage.errors import BadParameter
from storage.values import bind_text

PLAIN = "text/plain"
HTML = "text/html"
SUBJECT_LIMIT = 3_800
BODY_LIMIT = 1_800_000
TIME_LIMIT = Decimal(10) ** 8  # of the column: ten digits, two of them after the point
_HTML_FILE = "file-2"  # by this name OTRS knows the HTML of a message

Columns = Mapping[str, Any]


class ArticleKind(StrEnum):
    """How an article came to be."""

    NOTE = "NOTE"
    PHONE_CALL_IN = "PHONE_CALL_IN"
    PHONE_CALL_OUT = "PHONE_CALL_OUT"
    EMAIL_IN = "EMAIL_IN"
    WEB_REQUEST = "WEB_REQUEST"
    WEB_FOLLOW_UP = "WEB_FOLLOW_UP"


@dataclass(frozen=True, slots=True)
class _Means:
    """What a kind is in OTRS's tables: the names of channel, sender and history type."""

    channel: str
    sender: str
    history: str


MEANS: Mapping[ArticleKind, _Means] = {
    ArticleKind.NOTE: _Means("Internal", "agent", "AddNote"),
    ArticleKind.PHONE_CALL_IN: _Means("Phone", "customer", "PhoneCallCustomer"),
    ArticleKind.PHONE_CALL_OUT: _Means("Phone", "agent", "PhoneCallAgent"),
    ArticleKind.EMAIL_IN: _Means("Email", "customer", "EmailCustomer"),
    ArticleKind.WEB_REQUEST: _Means("Internal", "customer", "WebRequestCustomer"),
    ArticleKind.WEB_FOLLOW_UP: _Means("Internal", "customer", "FollowUp"),
}


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to be written. Who sent it and to whom is found out where it is None; `time_units` are OTRS's."""

    subject: str
    body: str
    kind: ArticleKind = ArticleKind.NOTE
    is_visible: bool = False
    content_type: str = PLAIN
    sender: str | None = None
    to: str | None = None
    cc: str | None = None
    time_units: Decimal | None = None
    attachments: Sequence[Attachment] = field(default=())

    def with_files(self, attachments: Sequence[Attachment]) -> NewArticle:
        """Return the article with these files."""
        return replace(self, attachments=attachments)

    @property
    def by_agent(self) -> bool:
        """Whether an agent sent it."""
        return MEANS[self.kind].sender == "agent"


@dataclass(frozen=True, slots=True)
class WrittenArticle:
    """An article that is in the tables: its columns, its content, and what the ticket's history is to say of it."""

    id: int
    columns: Columns
    content: Columns
    events: tuple[Event, ...]


def check_article(article: NewArticle) -> list[Fault]:
    """Return what is wrong with an article, with paths that begin at its own input."""
    faults = [_check_text(article.subject, "subject", SUBJECT_LIMIT), _check_text(article.body, "body", BODY_LIMIT)]
    if not article.subject.strip():
        faults.append(Fault(FaultCode.REQUIRED, "required", ("subject",), {"field": "subject"}))
    if article.content_type not in (PLAIN, HTML):
        faults.append(Fault(FaultCode.INVALID, "option", ("contentType",), {"field": "contentType"}))
    if article.time_units is not None and not _is_time(article.time_units):
        faults.append(Fault(FaultCode.INVALID, "out-of-range", ("timeUnits",), {"field": "timeUnits"}))
    for name, text in (("from", article.sender), ("to", article.to), ("cc", article.cc)):
        faults.append(_check_text(text or "", name, BODY_LIMIT))
    return [fault for fault in faults if fault is not None]


async def write_article(names: Names, work: Work, ticket: Columns, article: NewArticle) -> WrittenArticle:
    """Write a checked article of a ticket; the history rows, and the ticket's own columns, are the caller's.

    Raises `Faulty` where hooks of the module of articles refuse it.
    """
    means = MEANS[article.kind]
    transaction = work.transaction
    columns = {
        "ticket_id": ticket["id"],
        "article_sender_type_id": await names.known_id(transaction, "article_sender_type", means.sender),
        "communication_channel_id": await names.known_id(transaction, "communication_channel", means.channel),
        "is_visible_for_customer": int(article.is_visible),
        "search_index_needs_rebuild": 1,
        **audit(work),
    }
    addresses = await _addresses(names, work, ticket, article)
    content = _content(article, addresses)
    columns |= _heard(work, columns, content)
    number = await transaction.insert(ARTICLE, [columns])
    await _write_mime(names, work, article, addresses, number)
    html = Attachment(_HTML_FILE, f'{HTML}; charset="utf-8"', article.body.encode(), "inline")
    files = [html, *article.attachments] if article.content_type == HTML else list(article.attachments)
    await write_attachments(work, number, files)
    if work.context.caller.kind is Kind.AGENT:
        seen = {"article_id": number, "article_key": "Seen", "article_value": "1"}
        await transaction.execute(
            sa.insert(ARTICLE_FLAG), {**seen, "create_time": wall_now(work), "create_by": work.actor_id}
        )
    name = parts(ticket["tn"], "") if means.history == "FollowUp" else "%%"
    events = [Event(means.history, name, number)]
    if article.time_units is not None:
        events.append(await _account(work, ticket, number, article.time_units))
    return WrittenArticle(number, columns, content, tuple(events))


# --- inside ---


def _check_text(text: str, name: str, limit: int) -> Fault | None:
    try:
        bind_text(text)
    except BadParameter:
        return Fault(FaultCode.INVALID, "invalid", (name,), {"field": name})
    if len(text) > limit:
        return Fault(FaultCode.INVALID, "too-long", (name,), {"field": name, "limit": limit, "length": len(text)})
    return None


def _is_time(units: Decimal) -> bool:
    """Answer whether the column holds it as it is."""
    return units.is_finite() and 0 < units < TIME_LIMIT and units == round(units, 2)


def _content(article: NewArticle, addresses: tuple[str, str]) -> Columns:
    """Return what hooks of articles see beside their own columns; it is in another table."""
    sender, to = addresses
    content = {"subject": article.subject, "body": article.body, "content_type": article.content_type}
    return {**content, "from": sender, "to": to, "cc": article.cc or ""}


def _heard(work: Work, columns: Columns, content: Columns) -> Columns:
    """Let the hooks of articles have their say."""
    module = find_role(work.context.snapshot.modules, Role.ARTICLE)
    if module is None:
        return {}
    try:
        return hear_written(work, module, ChangeKind.CREATED, after=columns, beside=content)
    except Faulty as faulty:
        raise Faulty(*(fault.under("article") for fault in faulty.faults)) from None


async def _write_mime(names: Names, work: Work, article: NewArticle, addresses: tuple[str, str], number: int) -> None:
    settings = await names.settings(work.transaction)
    message = f"<{epoch_now(work)}.{secrets.token_hex(8)}@{settings.host}>"
    body = plain_text(article.body) if article.content_type == HTML else article.body.replace("\r\n", "\n")
    sender, to = addresses
    await work.transaction.execute(
        sa.insert(ARTICLE_MIME),
        {
            "article_id": number,
            "a_from": _one_line(sender),
            "a_to": _one_line(to),
            "a_cc": _one_line(article.cc or ""),
            "a_subject": _one_line(article.subject),
            "a_message_id": message,
            "a_message_id_md5": hashlib.md5(message.encode(), usedforsecurity=False).hexdigest(),
            "a_content_type": "text/plain; charset=utf-8",
            "a_body": body,
            "incoming_time": epoch_now(work),
            "content_path": f"{work.now.astimezone(work.context.database.zone):%Y/%m/%d}",
            **audit(work),
        },
    )


async def _addresses(names: Names, work: Work, ticket: Columns, article: NewArticle) -> tuple[str, str]:
    """Find out who sent an article and to whom, where it does not say so."""
    if article.by_agent:
        agent = await names.agent(work.transaction, work.actor_id)
        sender = article.sender if article.sender is not None else _address(agent.name, agent.email)
        if article.to is not None or article.kind is ArticleKind.NOTE:
            return sender, article.to or ""
        return sender, await _customer(work, ticket)
    sender = article.sender if article.sender is not None else await _customer(work, ticket)
    if article.to is not None:
        return sender, article.to
    return sender, (await names.queue(work.transaction, ticket["queue_id"])).name


async def _customer(work: Work, ticket: Columns) -> str:
    login = ticket["customer_user_id"]
    if not login:
        return ""
    columns = CUSTOMER_USER.c
    rows = await work.transaction.execute(
        sa.select(columns.first_name, columns.last_name, columns.email).where(columns.login == login)
    )
    return _address(f"{rows[0][0]} {rows[0][1]}", rows[0][2]) if rows else str(login)


def _address(name: str, email: str) -> str:
    quoted = name.replace('"', "").strip()
    return f'"{quoted}" <{email}>' if email else quoted


def _one_line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


async def _account(work: Work, ticket: Columns, article: int, units: Decimal) -> Event:
    """Note the time that an article took, and say what it adds up to."""
    stored = float(units) if work.transaction.dialect.name == "sqlite" else units  # its driver knows no Decimal
    row = {"ticket_id": ticket["id"], "article_id": article, "time_unit": stored, **audit(work)}
    await work.transaction.execute(sa.insert(TIME_ACCOUNTING), row)
    total = sa.select(sa.func.sum(TIME_ACCOUNTING.c.time_unit)).where(TIME_ACCOUNTING.c.ticket_id == ticket["id"])
    found = (await work.transaction.execute(total))[0][0]
    return Event("TimeAccounting", parts(_plain(units), _plain(Decimal(str(found)))), article)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
