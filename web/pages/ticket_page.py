"""The page of a ticket for agents: its head, what can be done with it, and its articles as a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from desk.permits import EVERYTHING, NOTE, OWNER
from desk.states import CLOSED, MERGED
from web.errors import NOTHING_HERE, Refused
from web.pages.buttons import buttons_of
from web.pages.cells import Shown, show, unreadable
from web.pages.form_query import heading_of
from web.pages.inputs import Input
from web.pages.list_page import reader_of
from web.pages.live_names import row_watch
from web.pages.replies import POLICY
from web.pages.said import said_of
from web.pages.ticket_article_form import ArticleForm
from web.pages.ticket_articles import articles_of
from web.pages.ticket_query import NEWEST, ORDERS, Told, ask_ticket, state_type
from web.pages.ticket_sight import Group, Sight, desk_address, find_sight, sight_of, ticket_address
from web.pages.view import Member, View
from web.pages.visit import Visit

FRAMES = "; frame-src 'self'"  # the mails of customers, each in a frame that may do nothing
ORDER, AFTER = "order", "after"
_LONGEST_CURSOR = 2_000


@dataclass(frozen=True, slots=True)
class Fact:
    """A group of the head: what it is called and says, and where it is changed; nowhere, where the caller may not."""

    name: str
    label: str
    values: tuple[Shown, ...]
    change: str


@dataclass(frozen=True, slots=True)
class Open:
    """A group of the head that is being changed."""

    name: str
    inputs: tuple[Input, ...]
    was: Mapping[str, str]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What the page shows beyond the ticket itself: a group that is open, an article that is written, why a deed was refused."""

    open: Open | None = None
    compose: ArticleForm | None = None
    problem: str = ""
    status: int = 200
    is_saved: bool = False


NOTHING = Around()
CREATE = "create"  # OTRS's key for new tickets


async def ticket_page(visit: Visit, view: View, problem: str = "", status: int = 200) -> Response:
    """Show a ticket, and why a deed was refused."""
    sight = find_sight(visit, view)
    if sight is None:
        raise Refused(404, NOTHING_HERE)
    return await show_around(visit, sight, Around(problem=problem, status=status))


async def show_around(visit: Visit, sight: Sight, around: Around = NOTHING, block: str = "") -> Response:
    """Show a ticket with what is going on around it, or one block of that."""
    told = await ask_ticket(visit, sight, order=order_of(visit), after=after_of(visit), only_head=bool(block))
    return answer_with(visit, sight, told, around, block)


def answer_with(visit: Visit, sight: Sight, told: Told, around: Around = NOTHING, block: str = "") -> Response:
    """Answer with the page of a ticket, or with one block of it."""
    return visit.page(
        "ticket/page.html",
        around.status,
        block=block,
        headers=policy_of(visit),
        **{**_values(visit, sight, told, around), **conversation_of(visit, sight, told.row)},
        watch=row_watch(sight.view, told.row["id"]),
    )


async def show_articles(visit: Visit) -> Response:
    """Show further articles; htmx gets them as they come behind those that are there."""
    sight = sight_of(visit)
    if not sight.articles:
        raise Refused(404, NOTHING_HERE)
    told = await ask_ticket(visit, sight, order=order_of(visit), after=after_of(visit))
    return answer_with(visit, sight, told, block="more" if visit.is_htmx else "")


def policy_of(visit: Visit) -> Mapping[str, str]:
    """Return the policy of a page with mails in frames."""
    return {"Content-Security-Policy": POLICY.format(nonce=visit.nonce) + FRAMES}


def order_of(visit: Visit) -> str:
    """Return which articles come first."""
    told = visit.request.query_params.get(ORDER, "")
    return told if told in ORDERS else NEWEST


def after_of(visit: Visit) -> str:
    """Return the cursor of the address."""
    return visit.request.query_params.get(AFTER, "")[:_LONGEST_CURSOR]


def conversation_of(visit: Visit, sight: Sight, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the conversation is drawn from; the row of a mere head has none."""
    page = row.get(sight.articles) if sight.articles else None
    order = order_of(visit)
    base, desk = ticket_address(visit, sight), desk_address(visit, sight)
    found: Mapping[str, Any] = page or {"nodes": [], "pageInfo": {"hasNextPage": False}, "totalCount": 0}
    more = {ORDER: order, AFTER: found["pageInfo"].get("endCursor")} if found["pageInfo"]["hasNextPage"] else {}
    return {
        "has_articles": sight.articles != "",
        "articles": articles_of(sight, found["nodes"], reader_of(visit, brief=False), desk),
        "count": found["totalCount"],
        "order": order,
        "orders": [(name, f"{base}?{urlencode({ORDER: name})}") for name in ORDERS],
        "more": f"?{urlencode(more)}" if more else "",
        "is_later": bool(after_of(visit)),
    }


def may_change(sight: Sight, group: Group, told: Told) -> bool:
    """Answer whether a group of the head can be changed by the caller."""
    return group.key in told.keys and any(item.name in sight.writable for item in group.members)


def may_split(visit: Visit) -> bool:
    """Answer whether the caller may make a ticket from an article: there must be a queue that he may put it into."""
    mutations = visit.schema.mutation_type.fields if visit.schema.mutation_type else {}
    rights = visit.caller.rights
    return "splitArticle" in mutations and (rights.unbounded or bool(rights.groups[CREATE]))


def type_of(sight: Sight, row: Mapping[str, Any]) -> str:
    """Return the type of the ticket's state; nothing where it cannot be read."""
    state, kind = sight.member("ticket_state_id"), state_type(sight)
    value = row.get(state.name) if state is not None else None
    found = value.get(kind.name) if value is not None and kind is not None else None
    return str(found.get(kind.called) or "") if found is not None and kind is not None else ""


def _values(visit: Visit, sight: Sight, told: Told, around: Around) -> dict[str, Any]:
    row, reader = told.row, reader_of(visit, brief=False)
    bad = {error["path"][1] for error in told.errors if len(error.get("path", ())) > 1}
    facts = [_fact(visit, sight, group, told) for group in sight.groups.values()]
    mutations = visit.schema.mutation_type.fields if visit.schema.mutation_type else {}
    has_all = EVERYTHING in told.keys
    kind = type_of(sight, row)
    is_merged = kind == MERGED
    has_notes = "addArticle" in mutations and NOTE in told.keys and not is_merged
    may = {
        "note": has_notes,
        "take": has_all
        and OWNER in told.keys
        and not is_merged
        and _may_take(sight)
        and not _is_mine(visit, sight, row),
        "close": has_all and bool(told.closing) and kind not in {CLOSED, MERGED},
        "merge": "mergeTickets" in mutations and has_all and not is_merged,
        "unmerge": "unmergeTickets" in mutations and has_all and told.was_merged,
        "link": "linkTickets" in mutations and has_all,
        "split": may_split(visit),
        "watch": "watchTicket" in mutations and bool(sight.watchers),
    }
    state = sight.member("ticket_state_id")
    number, title = sight.member("tn"), sight.member("title")
    return {
        "view": sight.view,
        "row": row,
        "heading": heading_of(sight.view, row),
        "number": str(row[number.name]) if number else "",
        "title": str(row[title.name] or "") if title else "",
        "badges": [
            unreadable(visit.texts) if item.name in bad else show(row[item.name], item, reader)
            for item in sight.badges
            if item.name in bad or row[item.name] is not None
        ],
        "address": ticket_address(visit, sight),
        "desk": desk_address(visit, sight),
        "facts": [fact for fact in facts if fact.name != "title" and (fact.change or fact.values)],
        "title_change": next((fact.change for fact in facts if fact.name == "title"), ""),
        "open": around.open,
        "compose": around.compose,
        "problem": around.problem,
        "is_saved": around.is_saved,
        "may": may,
        "may_write": has_notes,
        "closing": told.closing,
        "state_name": state.name if state else "",
        "watchers": _watchers(visit, sight, row),
        "buttons": buttons_of(visit, sight.view),
        "said": said_of(visit),
        "has_past": "history" in (visit.schema.query_type.fields if visit.schema.query_type else {}),
        "has_customer": any(sight.member(name) for name in ("customer_id", "customer_user_id")),
    }


def _fact(visit: Visit, sight: Sight, group: Group, told: Told) -> Fact:
    reader = reader_of(visit, brief=False)
    shown = (_value(item, told.row, reader) for item in group.members)
    change = f"{desk_address(visit, sight)}/change/{group.name}" if may_change(sight, group, told) else ""
    label = visit.texts("fact-customer") if group.name == "customer" else ""
    return Fact(
        group.name,
        label or group.members[0].label.in_language(visit.look.lang),
        tuple(item for item in shown if not item.is_empty),
        change,
    )


def _value(item: Member, row: Mapping[str, Any], reader: Any) -> Shown:
    """Show a field; what is stored, where there is no such row."""
    value = row[item.name]
    if value is None and item.target is not None and item.field is not None and item.field.raw_name:
        return Shown(str(row.get(item.field.raw_name) or ""))
    return show(value, item, reader)


def _may_take(sight: Sight) -> bool:
    names = (sight.member(column) for column in ("user_id", "ticket_lock_id"))
    return all(item is not None and item.name in sight.writable for item in names)


def _is_mine(visit: Visit, sight: Sight, row: Mapping[str, Any]) -> bool:
    """Answer whether the caller has taken the ticket already."""
    owner, lock = sight.member("user_id"), sight.member("ticket_lock_id")
    if owner is None or lock is None or row[owner.name] is None or row[lock.name] is None:
        return False
    login = str(getattr(visit.caller.principal, "login", ""))
    return login in {str(value) for value in row[owner.name].values()} and "lock" in row[lock.name].values()


def _watchers(visit: Visit, sight: Sight, row: Mapping[str, Any]) -> dict[str, Any]:
    page = row.get(sight.watchers) if sight.watchers else None
    owner = sight.member("user_id")
    if page is None or owner is None:
        return {"count": 0, "names": [], "mine": False}
    nodes: Sequence[Mapping[str, Any]] = page["nodes"]
    own = getattr(visit.caller.principal, "id", None)
    return {
        "count": page["totalCount"],
        "names": [str(node.get(owner.called) or node.get(owner.shown) or "") for node in nodes],
        "mine": any(node.get("databaseId") == own for node in nodes),
    }
