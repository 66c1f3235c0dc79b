"""Customers open tickets and answer in them, see theirs and their company's, and nothing that is not for their eyes."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType

from identity.principals import Customer
from identity.rights import Rights
from schema.spec import Audience
from tests.desk.api import Api
from tests.desk.rights.test_permits import NAMES, calling, make_queue

SEEN = "query ($n: BigInt!) { ticket(by: {databaseId: $n}) { title state { name } articles { nodes { id } } } }"


async def make_customer(api: Api, company: str | None = None) -> Rights:
    """A customer with a company of his own, or of this one."""
    number = next(NAMES)
    company = company or f"ACME {number}"
    if not await api.rows("customer_company", f"customer_id = '{company}'", "customer_id"):
        await api.done("createCompany", "company { id }", company={"databaseId": company, "name": company})
    login = f"carl{number}"
    given = {"login": login, "email": f"{login}@example.org", "firstName": "Carl", "lastName": "C"}
    made = await api.done(
        "createCustomerUser", "customerUser { databaseId }", customerUser={**given, "companyId": company}
    )
    return Rights(Customer(made["customerUser"]["databaseId"], login, company), companies=(company,))


async def open_ticket(api: Api, **more: Any) -> int:
    given = {"title": "Help", "queue": {"name": "Raw"}, "article": {"subject": "Help", "body": "It burns"}, **more}
    made = await api.done("createTicket", "ticket { databaseId }", ticket=given)
    number: int = made["ticket"]["databaseId"]
    return number


async def test_a_customer_opens_a_ticket_for_himself_and_his_company(api: Api) -> None:
    customer = await make_customer(api)
    async with calling(api, customer):
        ticket = await open_ticket(api)
        assert (await api.data(SEEN, n=ticket))["ticket"]["articles"]["nodes"] != []
    columns = "customer_user_id, customer_id, user_id, create_by"
    assert await api.rows("ticket", f"id = {ticket}", columns) == [
        (customer.principal.login, customer.companies[0], 1, 1)
    ]
    kinds = (
        "SELECT s.name, c.name, a.is_visible_for_customer FROM article a "  # noqa: S608 - our words
        "JOIN article_sender_type s ON s.id = a.article_sender_type_id "
        f"JOIN communication_channel c ON c.id = a.communication_channel_id WHERE a.ticket_id = {ticket}"
    )
    assert [tuple(row) for row in await api.database.fetch(kinds)] == [("customer", "Internal", 1)]
    assert "WebRequestCustomer" in [kind for kind, _ in await api.history(ticket)]


async def test_a_customer_sees_his_tickets_and_his_company_s(api: Api) -> None:
    customer, stranger = await make_customer(api), await make_customer(api)
    colleague = await make_customer(api, customer.companies[0])
    async with calling(api, customer):
        ticket = await open_ticket(api)
    for rights, sees in ((customer, True), (colleague, True), (stranger, False)):
        async with calling(api, rights):
            assert ((await api.data(SEEN, n=ticket))["ticket"] is not None) == sees


async def test_a_customer_without_a_company_sees_only_his_own(api: Api) -> None:
    other = await make_customer(api)
    lone = Rights(Customer(10**6, "lone", ""))
    async with calling(api, other):
        ticket = await open_ticket(api)
    await api.done("updateTicket", "ticket { id }", key={"databaseId": ticket}, patch={"customerId": None})
    async with calling(api, lone):
        assert (await api.data("{ tickets { totalCount } }"))["tickets"]["totalCount"] == 0
        own = await open_ticket(api)
        assert (await api.data("{ tickets { nodes { databaseId } } }"))["tickets"]["nodes"] == [{"databaseId": own}]


async def test_a_ticket_for_another_company_is_refused(api: Api) -> None:
    customer, stranger = await make_customer(api), await make_customer(api)
    given = {"title": "x", "queue": {"name": "Raw"}, "article": {"subject": "s", "body": "b"}}
    async with calling(api, customer):
        refused = await api.refused("createTicket", ticket={**given, "customerId": stranger.companies[0]})
    assert [code for code, _, _ in refused] == ["FORBIDDEN"]


async def test_notes_of_agents_are_not_for_customers(api: Api) -> None:
    customer = await make_customer(api)
    async with calling(api, customer):
        ticket = await open_ticket(api)
    for visible in (False, True):
        article = {"subject": "note", "body": "hush", "visibleForCustomer": visible}
        await api.done("addArticle", "article { id }", ticket={"databaseId": ticket}, article=article)
    async with calling(api, customer):
        assert len((await api.data(SEEN, n=ticket))["ticket"]["articles"]["nodes"]) == 2
        found = await api.data('{ articleMimes(search: "hush") { totalCount } }')
        assert found["articleMimes"]["totalCount"] == 1


@pytest.mark.parametrize(
    ("state", "then"), [("new", "new"), ("open", "open"), ("closed successful", "open"), ("pending reminder", "open")]
)
async def test_an_answer_opens_what_waits_or_was_closed(api: Api, state: str, then: str) -> None:
    customer = await make_customer(api)
    async with calling(api, customer):
        ticket = await open_ticket(api)
    patch: dict[str, Any] = {"state": {"name": state}}
    patch |= {"pendingUntil": "2035-01-01T00:00:00Z"} if state.startswith("pending") else {}
    await api.done("updateTicket", "ticket { id }", key={"databaseId": ticket}, patch=patch)
    async with calling(api, customer):
        article = {"subject": "Re", "body": "Still burning"}
        shown = "ticket { state { name } } article { visibleForCustomer senderType { name } }"
        payload = await api.done("addArticle", shown, ticket={"databaseId": ticket}, article=article)
    assert payload["ticket"]["state"]["name"] == then
    assert payload["article"] == {"visibleForCustomer": True, "senderType": {"name": "customer"}}


@pytest.mark.parametrize(("follow_up", "works"), [("POSSIBLE", True), ("REJECT", False), ("NEW_TICKET", False)])
async def test_the_queue_says_whether_closed_tickets_take_answers(api: Api, follow_up: str, works: bool) -> None:
    queue, _ = await make_queue(api)
    patch = {"followUp": follow_up}
    await api.done("updateQueue", "queue { id }", key={"databaseId": queue}, patch=patch)
    customer = await make_customer(api)
    async with calling(api, customer):
        ticket = await open_ticket(api, queue={"databaseId": queue})
    closed = {"state": {"name": "closed successful"}}
    await api.done("updateTicket", "ticket { id }", key={"databaseId": ticket}, patch=closed)
    async with calling(api, customer):
        given: dict[str, Any] = {"ticket": {"databaseId": ticket}, "article": {"subject": "Re", "body": "x"}}
        payload = await api.do("addArticle", "article { id }", **given)
    codes = [error["code"] for error in payload["errors"]]
    assert codes == ([] if works else ["FORBIDDEN"])


async def test_an_answer_in_a_foreign_ticket_is_answered_like_none(api: Api) -> None:
    customer, stranger = await make_customer(api), await make_customer(api)
    async with calling(api, stranger):
        foreign = await open_ticket(api)
    async with calling(api, customer):
        article = {"subject": "Re", "body": "x"}
        answers = [
            await api.refused("addArticle", ticket={"databaseId": number}, article=article)
            for number in (foreign, 2**40)
        ]
    assert answers[0] == answers[1] == [("NOT_FOUND", "not-found", ["ticket"])]


def test_what_is_the_desk_s_alone_is_not_in_the_customers_schema(api: Api) -> None:
    schema = api.snapshot.schema_for(Audience.CUSTOMER)
    ticket, made = schema.get_type("Ticket"), schema.get_type("TicketCreate")
    assert isinstance(ticket, GraphQLObjectType)
    assert isinstance(made, GraphQLInputObjectType)
    hidden = {"owner", "ownerId", "responsible", "lock", "watchers", "history", "flags", "mentions", "escalatesAt"}
    assert not hidden & set(ticket.fields)
    assert not {*hidden, "state", "customerUser", "customerUserLogin", "pendingUntil"} & set(made.fields)
    assert schema.mutation_type is not None
    assert set(schema.mutation_type.fields) >= {"createTicket", "addArticle"}
    assert not {"updateTicket", "mergeTickets", "watchTicket", "undo", "importRows"} & set(schema.mutation_type.fields)
