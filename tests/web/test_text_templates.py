"""`textTemplates`: what a queue offers, filled with what the caller may read and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from identity.principals import Kind
from tests.web.desk_at_work import AGENT, at_work
from tests.web.real import Desk, sign_in

ASK = """
query ($ticket: ID, $queue: String, $customer: String, $types: [TextTemplateType!]) {
  textTemplates(ticket: $ticket, queue: $queue, customer: $customer, types: $types) { name type text }
}
"""
MAKE = """
mutation ($template: StandardTemplateCreate!, $queue: QueueKey!, $name: String!) {
  made: createStandardTemplate(input: {standardTemplate: $template}) { errors { message path } }
  link: createQueueStandardTemplate(input: {queueStandardTemplate: {queue: $queue, template: {name: $name}}}) { errors { message } }
}
"""
TOKEN = """
mutation ($modules: [String!]) {
  createApiToken(input: {name: "robot", expiresAt: "2027-06-01T00:00:00Z", modules: $modules}) { secret errors { message } }
}
"""
GREETING = (
    "Dear <OTRS_CUSTOMER_UserFirstname> <OTRS_CUSTOMER_DATA_UserLastname>, [<OTRS_TICKET_TicketNumber>] <OTRS_TICKET_Queue>"
    " <OTRS_OWNER_UserLogin> <OTRS_CURRENT_UserFullname> <OTRS_CURRENT_UserEmail><OTRS_CONFIG_FQDN>"
)


async def make(desk: Desk, name: str, text: str, queue: str = "Support", **more: Any) -> None:
    template = {"name": name, "text": text, **more}
    made = await desk.data(MAKE, template=template, queue={"name": queue}, name=name)
    assert (made["made"]["errors"], made["link"]["errors"]) == ([], [])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path) as opened:
        await make(opened, "Greeting", GREETING)
        await make(
            opened,
            "Phone",
            "<p>Called &lt;OTRS_CUSTOMER_REALNAME&gt;</p>",
            contentType="text/html",
            templateType="PHONE_CALL",
        )
        await make(opened, "Gone", "gone", validity="INVALID")
        await make(opened, "Elsewhere", "elsewhere", queue="Billing")
        yield opened


async def client_of(desk: Desk, login: str, kind: Kind = Kind.AGENT) -> httpx.AsyncClient:
    pair = await sign_in(desk.live, login, kind)
    return desk.connect(authorization=f"Bearer {pair.access_token}")


async def ask(client: httpx.AsyncClient, **given: Any) -> Any:
    return (await client.post("/graphql", json={"query": ASK, "variables": given})).json()


async def texts(client: httpx.AsyncClient, **given: Any) -> dict[str, str]:
    answer = await ask(client, **given)
    assert "errors" not in answer, answer
    return {item["name"]: item["text"] for item in answer["data"]["textTemplates"]}


async def test_templates_are_filled_for_a_ticket(desk: Desk) -> None:
    query = """{ tickets(first: 1, filter: {queue: {name: {startsWith: "Support"}}, customerUser: {login: {isNull: false}}}) { nodes {
      id number queue { name } owner { login } customerUser { firstName lastName } } } }"""
    node = (await desk.data(query))["tickets"]["nodes"][0]
    move = 'mutation ($id: ID!) { updateTicket(input: {key: {id: $id}, patch: {queue: {name: "Support"}}}) { errors { message } } }'
    await desk.data(move, id=node["id"])
    async with await client_of(desk, AGENT) as client:
        found = await texts(client, ticket=node["id"])
    person = node["customerUser"]
    assert found["Greeting"].startswith(
        f"Dear {person['firstName']} {person['lastName']}, [{node['number']}] Support {node['owner']['login']} Amara Okafor "
    )
    assert "FQDN" not in found["Greeting"]
    assert found["Phone"] == f"Called {person['firstName']} {person['lastName']}"
    assert {"Gone", "Elsewhere"} & set(found) == set()


async def test_templates_are_filled_for_a_ticket_that_is_yet_to_be_made(desk: Desk) -> None:
    person = (await desk.data("{ customerUsers(first: 1) { nodes { login firstName lastName } } }"))["customerUsers"][
        "nodes"
    ][0]
    async with await client_of(desk, AGENT) as client:
        found = await texts(client, queue="Support", customer=person["login"])
        assert found["Greeting"].startswith(
            f"Dear {person['firstName']} {person['lastName']}, [-] Support - Amara Okafor"
        )
        assert (await texts(client, queue="Support"))["Greeting"].startswith("Dear - -, [-] Support - Amara")
        phone = await ask(client, queue="Support", types=["PHONE_CALL"])
        assert [(item["name"], item["type"]) for item in phone["data"]["textTemplates"]] == [("Phone", "PHONE_CALL")]
        assert await texts(client, queue="No such queue") == {}


async def test_a_hidden_ticket_has_no_templates_and_tells_nothing(desk: Desk) -> None:
    """It is answered like one that does not exist."""
    make_queue = """mutation { createQueue(input: {queue: {name: "Board", group: {name: "admin"}, systemAddress: {databaseId: 1},
      salutation: {databaseId: 1}, signature: {databaseId: 1}}}) { errors { message } } }"""
    await desk.data(make_queue)
    make_ticket = (
        'mutation { createTicket(input: {ticket: {title: "Secret", queue: {name: "Board"}}}) { ticket { id } } }'
    )
    row = (await desk.data(make_ticket))["createTicket"]["ticket"]["id"]
    await make(desk, "Board only", "<OTRS_TICKET_Title>", queue="Board")
    assert await texts(desk.client, ticket=row) == {"Board only": "Secret"}
    async with await client_of(desk, AGENT) as client:
        assert await texts(client, ticket=row) == {}
        assert await texts(client, ticket="WyJUaWNrZXQiLCA5OTk5OTldfoo") == await texts(client, ticket=row)


async def test_one_names_a_ticket_or_a_queue(desk: Desk) -> None:
    for given in ({}, {"ticket": "x", "queue": "Support"}):
        answer = await ask(desk.client, **given)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


async def test_a_token_gets_what_its_scope_has(desk: Desk) -> None:
    async def robot(*modules: str) -> httpx.AsyncClient:
        made = await desk.data(TOKEN, modules=list(modules))
        return desk.connect(authorization=f"Bearer {made['createApiToken']['secret']}")

    login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0]["login"]
    for modules in (("ticket",), ("queue", "ticket"), ("queue", "standard_template")):
        async with await robot(*modules) as client:
            answer = await ask(client, queue="Support", customer=login)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], modules
    async with await robot("queue", "standard_template", "queue_standard_template") as client:
        assert (await texts(client, queue="Support", customer=login))["Greeting"].startswith(
            "Dear - -, [-] Support - - "
        )
        assert await texts(client, ticket="WyJUaWNrZXQiLCAxXQ") == {}


async def test_customers_have_no_templates(desk: Desk) -> None:
    login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0]["login"]
    async with await client_of(desk, login, Kind.CUSTOMER) as client:
        answer = await ask(client, queue="Support")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
