"""One ticket as its customer sees it: the messages that are meant for him, and an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import Shown, show_moment
from web.pages.customer_words import SILENT, Desk, Told, body_of, desk_of, name_of, tell
from web.pages.form_page import UNPROCESSABLE
from web.pages.list_page import reader_of
from web.pages.once import mark_of, shown_mark
from web.pages.otrs_tables import ARTICLE, member_on, target_on, view_on
from web.pages.said import said_of, say
from web.pages.view import View, view_of
from web.pages.visit import Visit
from web.pages.work_composer import BODY, FILES, About, Composer, kept_uploads, uploads_of

MESSAGES = 50  # on a page, the newest first
ATTACHED = 30  # files of a message
SUBJECT_LETTERS = 200
ANSWER = "addArticle"
_HTML_PART = re.compile(r"file-\d+(\.html)?")  # where OTRS keeps the HTML of a message
SEND = """\
mutation Answer($ticket: ID!, $article: NewArticle!) {
  done: addArticle(input: {ticket: {id: $ticket}, article: $article}) { errors { code message path } }
}
"""


@dataclass(frozen=True, slots=True)
class Message:
    """An article as its customer reads it."""

    who: str
    is_mine: bool
    is_desk: bool
    subject: str
    text: str
    moment: Shown
    files: Sequence[Mapping[str, Any]]


async def show_ticket(visit: Visit) -> Response:
    """Show a ticket."""
    return await _page(visit, desk_of(visit))


async def take_answer(visit: Visit) -> Response:
    """Write an answer."""
    desk = desk_of(visit)
    body = visit.form.one(BODY)
    if not body.strip():
        return await _page(visit, desk, {BODY: (visit.texts("required", field=visit.texts("my-answer")),)})
    node = await _ticket(visit, desk)
    article = {
        "subject": str(node["ticket"].get("title") or "")[:SUBJECT_LETTERS] or "-",
        "body": body,
        "attachments": uploads_of(visit.form),
    }
    done = (await visit.ask(SEND, {"ticket": _row(visit), "article": article}, once=mark_of(visit))).data["done"]
    if not done["errors"]:
        return visit.see(say(f"/my/{_row(visit)}", "answered"))
    wrong: dict[str, tuple[str, ...]] = {}
    for error in done["errors"]:
        name = {"body": BODY, "attachments": FILES}.get((error.get("path") or ["", ""])[-1], "")
        wrong[name] = (*wrong.get(name, ()), str(error["message"]))
    return await _page(visit, desk, wrong)


def _row(visit: Visit) -> str:
    return str(visit.request.path_params["row"])


async def _ticket(visit: Visit, desk: Desk, messages: str = "", after: str = "") -> Mapping[str, Any]:
    declared, given = (", $after: String", {"after": after or None}) if messages else ("", {})
    document = (
        f"query MyTicket($id: ID!{declared}) {{ ticket: {desk.view.module.one_root}(by: {{id: $id}}) "
        f"{{ {desk.select()} {messages} }} viewer {{ email }} }}"
    )
    data = (await visit.ask(document, {"id": _row(visit), **given})).data
    if data["ticket"] is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return data


async def _page(visit: Visit, desk: Desk, wrong: Mapping[str, Sequence[str]] | None = None) -> Response:
    after = visit.request.query_params.get("after", "")[:4_000]
    data = await _ticket(visit, desk, _messages(visit, desk), after)
    ticket: Told = tell(visit, data["ticket"])
    page = data["ticket"].get("messages") or {"nodes": (), "pageInfo": {"hasNextPage": False}}
    mutation = visit.schema.mutation_type
    errors = wrong or {}
    return visit.page(
        "customer/ticket.html",
        UNPROCESSABLE if errors else 200,
        said=said_of(visit),
        ticket=ticket,
        messages=[_message(visit, node, data["viewer"]["email"]) for node in page["nodes"] if node["content"]],
        older=f"{ticket.url}?after={page['pageInfo']['endCursor']}" if page["pageInfo"]["hasNextPage"] else "",
        newest=ticket.url if after else "",
        answers=ticket.kind not in SILENT and mutation is not None and ANSWER in mutation.fields,
        composer=Composer(
            "",
            visit.form.one(BODY),
            About(),
            kept=kept_uploads(visit.form),
            errors={name: messages for name, messages in errors.items() if name},
            rows=6,
            takes_files=visit.live.transfers is not None,
        ),
        problem=" ".join(errors.get("", ())),
        once=shown_mark(visit),
    )


def _messages(visit: Visit, desk: Desk) -> str:
    """Select the messages of a ticket, as far as the customers' schema has them."""
    name = next((key for key, (_, target) in desk.view.relations.items() if target.table == ARTICLE), "")
    article = view_on(visit.snapshot, visit.access, ARTICLE)
    content = target_on(article, "id") if article else None
    mime = view_of(visit.snapshot, visit.access, content.target.name) if content and content.target else None
    if not name or article is None or content is None or mime is None:
        return ""
    sender, created = target_on(article, "article_sender_type_id"), member_on(article, "create_time")
    inner = _columns(mime, {"subject": "a_subject", "body": "a_body", "from": "a_from", "type": "a_content_type"})
    parts = [f"content: {content.name} {{ {inner} }}"]
    parts += [f"sender: {sender.name} {{ name: {sender.shown} }}"] if sender else []
    parts += [f"created: {created.name}"] if created else []
    order = f", orderBy: [{{{created.name}: DESC}}, {{databaseId: DESC}}]" if created else ""
    return (
        f"messages: {name}(first: {MESSAGES}, after: $after{order}) "
        f"{{ nodes {{ {' '.join(parts)} {_files(visit, article)} }} pageInfo {{ hasNextPage endCursor }} }}"
    )


def _files(visit: Visit, article: View) -> str:
    found = next(
        (item for item in article.relations.items() if item[1][1].table == "article_data_mime_attachment"), None
    )
    files = view_of(visit.snapshot, visit.access, found[1][1].name) if found else None
    content = member_on(files, "content") if files else None
    if found is None or files is None or content is None:
        return ""
    inner = _columns(files, {"disposition": "disposition", "filename": "filename"})
    return f"files: {found[0]}(first: {ATTACHED}) {{ nodes {{ {inner} file: {content.name} {{ name size url }} }} }}"


def _columns(view: View, wanted: Mapping[str, str]) -> str:
    return " ".join(f"{key}: {found.name}" for key, name in wanted.items() if (found := member_on(view, name)))


def _message(visit: Visit, node: Mapping[str, Any], own: str) -> Message:
    content = node["content"]
    name, address = name_of(str(content.get("from") or ""))
    kind = str((node.get("sender") or {}).get("name") or "")
    is_mine = kind == "customer" and bool(own) and address.casefold() == own.casefold()
    files = [
        item["file"]
        for item in (node.get("files") or {}).get("nodes", ())
        if item["file"] is not None and not (item.get("disposition") == "inline" and _HTML_PART.fullmatch(str(item.get("filename") or "")))
    ]  # fmt: skip
    return Message(
        visit.texts("my-you") if is_mine else name or visit.texts("my-desk"),
        is_mine,
        kind != "customer",
        str(content.get("subject") or ""),
        body_of(content),
        show_moment(node.get("created"), reader_of(visit)),
        files,
    )
