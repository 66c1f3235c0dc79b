"""What customers do with tickets: they open them for themselves and answer in them, and OTRS's rules say what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desk.articles import ArticleKind, NewArticle
from desk.desk import Desk
from desk.states import CLOSED, VIEWABLE_TYPES
from identity.principals import Customer, person_of
from resolvers.conduct import Work
from resolvers.faults import Fault, FaultCode, Faulty

_POSSIBLE = "possible"
_OPEN = "open"

Columns = Mapping[str, Any]


def customer_of(work: Work) -> Customer | None:
    """Return the customer who calls, himself or by a token of his."""
    person = person_of(work.context.caller)
    return person if isinstance(person, Customer) else None


def name_customer(work: Work, values: dict[str, Any]) -> None:
    """Make a customer's new ticket his own and his company's, where he does not say otherwise."""
    customer = customer_of(work)
    if customer is None:
        return
    if values.get("customer_user_id") is None:
        values["customer_user_id"] = customer.login
    if values.get("customer_id") is None:
        values["customer_id"] = customer.company or None


def as_customers_write(work: Work, article: NewArticle, *, is_first: bool) -> NewArticle:
    """Return an article as customers write them: seen by them, and called what OTRS calls them."""
    if customer_of(work) is None:
        return article
    kind = ArticleKind.WEB_REQUEST if is_first else ArticleKind.WEB_FOLLOW_UP
    return replace(article, kind=kind, is_visible=True)


async def reopen(desk: Desk, work: Work, ticket: Columns) -> dict[str, Any]:
    """Return the columns that a customer's answer changes: what waits or was closed is open again.

    Raises `Faulty` where the queue takes no answers to closed tickets, and where a ticket lives on in another one.
    """
    state = await desk.names.state(work.transaction, ticket["ticket_state_id"])
    queue = await desk.names.queue(work.transaction, ticket["queue_id"])
    if state.type not in VIEWABLE_TYPES and (state.type != CLOSED or queue.follow_up != _POSSIBLE):
        raise Faulty(Fault(FaultCode.FORBIDDEN, "follow-up-refused", ("ticket",)))
    if state.type in ("new", _OPEN):
        return {}
    found = await desk.names.state_of_type(work.transaction, _OPEN)
    return {} if found is None else {"ticket_state_id": found.id}
