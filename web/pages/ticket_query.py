"""What the ticket page asks: the ticket, a page of its articles, what the caller may do; documents made of modules' names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desk.states import CLOSED
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.cells import selection_of
from web.pages.form_query import row_id
from web.pages.portions import ROW
from web.pages.ticket_sight import MIME, Part, Sight
from web.pages.view import Member
from web.pages.visit import Answer, Visit

ARTICLES_A_PAGE = 20
FILES_MOST = 50  # of one article
WATCHERS_MOST = 30
NEWEST, OLDEST = "new", "old"
ORDERS = (NEWEST, OLDEST)
_CLOSING_MOST = 12
_HOLD = "query TicketHold($id: ID!) { ticketHold(ticket: $id) { keys wasMerged } }"
_ARTICLE = ("article_sender_type_id", "communication_channel_id", "is_visible_for_customer", "create_time", "create_by")
_MIME = ("a_from", "a_to", "a_cc", "a_subject", "a_body", "a_content_type")
_FILE = ("filename", "content_type", "content_size", "content", "content_id", "disposition")


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered about a ticket; `keys` are those that the caller holds to it."""

    row: Mapping[str, Any]
    keys: frozenset[str]
    was_merged: bool
    closing: tuple[tuple[str, str], ...] = ()  # states that close it: their keys, and what they are called
    errors: tuple[Mapping[str, Any], ...] = field(default=())


async def ask_ticket(visit: Visit, sight: Sight, *, order: str, after: str, only_head: bool = False) -> Told:
    """Ask for a ticket. Raises `Refused` (404)."""
    parts = [_head(sight)]
    if not only_head and sight.articles:
        parts.append(articles_selection(visit, sight, order, after))
    roots = f"{ROW}: {sight.view.module.one_root}(by: {{id: $id}}) {{ {' '.join(parts)} }} {_closing_root(sight)}"
    declared = "$id: ID!, $after: String" if "$after" in roots else "$id: ID!"
    variables = {"id": row_id(visit), **({"after": after} if "$after" in roots else {})}
    answer, hold = await asyncio.gather(
        visit.ask(f"query TicketPage({declared}) {{ {roots} }}", variables), visit.ask(_HOLD, {"id": row_id(visit)})
    )
    row, told = answer.data[ROW], hold.data["ticketHold"]
    if row is None or told is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return Told(row, frozenset(told["keys"]), told["wasMerged"], _closing(sight, answer), tuple(answer.errors))


def articles_selection(visit: Visit, sight: Sight, order: str, after: str) -> str:
    """Return the selection of a page of articles."""
    given = [f"first: {ARTICLES_A_PAGE}"]
    if after:
        given.append("after: $after")
    direction = "ASC" if order == OLDEST else "DESC"
    written = sight.article.columns.get("create_time") if sight.article else None
    steps = [f"{{{written.name}: {direction}}}"] if written is not None and written.sorts else []
    if sight.article and sight.article.view.module.has_database_id:
        steps.append(f"{{databaseId: {direction}}}")
    made = visit.schema.get_type(sight.view.module.type_name)
    taken = made.fields[sight.articles].args if made is not None and hasattr(made, "fields") else {}
    if steps and "orderBy" in taken:
        given.append(f"orderBy: [{', '.join(steps)}]")
    return (
        f"{sight.articles}({', '.join(given)}) {{ totalCount nodes {{ {article_selection(sight)} }} "
        "pageInfo { hasNextPage endCursor } }"
    )


def article_selection(sight: Sight) -> str:
    """Return what is selected of an article: itself, its content and its files."""
    if sight.article is None:
        return "__typename"
    parts = ["id", *(["databaseId"] if sight.article.view.module.has_database_id else [])]
    parts += [selection_of(item) for item in _found(sight.article, _ARTICLE)]
    content = content_member(sight)
    if content is not None and sight.mime is not None:
        inner = " ".join(selection_of(item) for item in _found(sight.mime, _MIME))
        parts.append(f"{content.name} {{ {inner or '__typename'} }}")
    if sight.attachments and sight.attachment is not None:
        inner = " ".join(["id", *(selection_of(item) for item in _found(sight.attachment, _FILE))])
        parts.append(f"{sight.attachments}(first: {FILES_MOST}) {{ nodes {{ {inner} }} pageInfo {{ hasNextPage }} }}")
    return " ".join(parts)


def content_member(sight: Sight) -> Member | None:
    """Return the reference from an article to its content."""
    if sight.article is None:
        return None
    members = sight.article.view.members.values()
    return next((item for item in members if item.target is not None and item.target.table == MIME), None)


def state_type(sight: Sight) -> Member | None:
    """Return the reference from a state to its type."""
    return sight.state.columns.get("type_id") if sight.state else None


def _head(sight: Sight) -> str:
    members = [*sight.ticket.columns.values(), *sight.badges]
    parts = ["id version databaseId", *(selection_of(item) for item in members)]
    for column in ("customer_id", "customer_user_id"):
        item = sight.member(column)
        if item is not None and item.target is not None and item.field is not None and item.field.raw_name:
            parts.append(item.field.raw_name)  # also what stands there without such a row
    state, kind = sight.member("ticket_state_id"), state_type(sight)
    if state is not None and kind is not None:
        parts.append(f"{state.name} {{ {selection_of(kind)} }}")
    if sight.watchers:
        user = _watcher_key(sight)
        parts.append(f"{sight.watchers}(first: {WATCHERS_MOST}) {{ totalCount nodes {{ {user} }} }}")
    return " ".join(parts)


def _watcher_key(sight: Sight) -> str:
    owner = sight.member("user_id")
    if owner is None or owner.target is None:
        return "__typename"
    return " ".join(dict.fromkeys(["databaseId", owner.shown, owner.called]))


def _closing_root(sight: Sight) -> str:
    state, kind = sight.member("ticket_state_id"), state_type(sight)
    if state is None or state.target is None or kind is None or kind.target is None or state.name not in sight.writable:
        return ""
    shown = " ".join(dict.fromkeys([state.shown, state.called]))
    wanted = f'{kind.name}: {{{kind.called}: {{eq: "{CLOSED}"}}}}'
    return f"closing: {state.target.many_root}(first: {_CLOSING_MOST}, filter: {{{wanted}}}) {{ nodes {{ {shown} }} }}"


def _closing(sight: Sight, answer: Answer) -> tuple[tuple[str, str], ...]:
    state, page = sight.member("ticket_state_id"), answer.data.get("closing")
    if state is None or page is None:
        return ()
    return tuple((str(node[state.shown]), str(node[state.called])) for node in page["nodes"] if node)


def _found(part: Part, columns: tuple[str, ...]) -> list[Member]:
    return [part.columns[column] for column in columns if column in part.columns]
