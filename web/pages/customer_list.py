"""Customers' tickets: their own or their company's, those that go on and those that are over."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from identity.principals import person_of
from schema.writes import Deed
from web.pages.customer_words import Desk, desk_of, tell
from web.pages.otrs_tables import member_on
from web.pages.said import said_of
from web.pages.visit import Visit

PAGE = 25
SHOWN = ("open", "closed", "all")
WHOSE = ("mine", "company")
SEARCH_LETTERS = 200
CURSOR_LETTERS = 4_000


async def show_tickets(visit: Visit) -> Response:
    """Show a page of tickets, the ones that changed last first."""
    desk = desk_of(visit)
    params = visit.request.query_params
    show = params.get("show") if params.get("show") in SHOWN else "open"
    whose = params.get("whose") if params.get("whose") in WHOSE else "mine"
    search = " ".join(params.get("q", "")[:SEARCH_LETTERS].split())
    after = params.get("after", "")[:CURSOR_LETTERS]
    variables = {
        "filter": _filter(desk, visit, str(show), str(whose)),
        "search": search or None,
        "after": after or None,
    }
    page = (await visit.ask(_document(desk, visit), variables)).data["tickets"]

    def address(**changed: str) -> str:
        state = {"show": show, "whose": whose, "q": search, **changed}
        usual = {"show": "open", "whose": "mine", "q": ""}
        query = urlencode({name: value for name, value in state.items() if value and value != usual.get(name)})
        return f"/my?{query}" if query else "/my"

    info = page["pageInfo"]
    return visit.page(
        "customer/tickets.html",
        said=said_of(visit),
        tickets=[tell(visit, node) for node in page["nodes"]],
        tabs=[(name, address(show=name), name == show) for name in SHOWN],
        owners=[(name, address(whose=name), name == whose) for name in WHOSE],
        show=show,
        whose=whose,
        search=search,
        login=_login(visit),
        older=address(after=info["endCursor"]) if info["hasNextPage"] else "",
        first=address() if after else "",
        creates=desk.view.may(Deed.CREATE),
    )


def _login(visit: Visit) -> str:
    person = person_of(visit.caller.principal)
    return person.login if person else ""


def _filter(desk: Desk, visit: Visit, show: str, whose: str) -> Any:
    parts: list[Any] = [] if show == "all" else [desk.is_ended(ended=show == "closed")]
    owner = member_on(desk.view, "customer_user_id")
    if whose == "mine" and owner is not None and owner.field is not None and owner.field.raw_name:
        parts.append({owner.field.raw_name: {"eq": _login(visit)}})
    return {"and": parts} if parts else None


def _document(desk: Desk, visit: Visit) -> str:
    module = desk.view.module
    changed = member_on(desk.view, "change_time")
    order = f", orderBy: [{{{changed.name}: DESC}}]" if changed is not None and changed.sorts else ""
    searches = "search" in desk.view.takes(visit.schema)
    declared = "$search: String, " if searches else ""
    given = ", search: $search" if searches else ""
    return (
        f"query MyTickets({declared}$filter: {module.type_name}Filter, $after: String) {{ tickets: {module.many_root}"
        f"(first: {PAGE}, after: $after, filter: $filter{given}{order}) "
        f"{{ nodes {{ {desk.select()} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
