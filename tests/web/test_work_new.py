"""A new ticket, without scripts: every choice, what is wrong beside its field, templates, files and the draft."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from identity.principals import Kind
from tests.web.browsing import OWN, Browser, Element, Shown, fields_of
from tests.web.desk_at_work import AGENT, COLLEAGUE, at_work, signed_in
from tests.web.real import Desk
from tests.web.test_pages_xss import bare, check, said
from tests.web.test_text_templates import GREETING, make
from tests.web.xss import PAYLOADS

TICKETS = """query ($title: String!) { tickets(filter: {title: {eq: $title}}) { nodes {
  id title queue { name } state { name } priority { name } owner { login } customer { name } customerId customerUserLogin service { name } sla { name }
  articles { nodes { visibleForCustomer channel { name } senderType { name } mime { subject body from }
    attachments { nodes { filename contentSize } } } } } } }"""
GIVEN = {"title": "Printer smokes", "queue": "Support::Printers", "body": "It smokes.\n\nA lot."}
PERSON = '{ customerUsers(first: 1, filter: {login: {startsWith: "aaron"}}) { nodes { login firstName lastName company { name databaseId } } } }'


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Browser]:
    async with signed_in(desk, AGENT) as browser:
        yield browser


async def person_of(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.data(PERSON))["customerUsers"]["nodes"][0]
    return found


async def ticket(desk: Desk, title: str = GIVEN["title"]) -> dict[str, Any]:
    (found,) = (await desk.data(TICKETS, title=title))["tickets"]["nodes"]
    return dict(found)


def writing(page: Shown) -> Element:
    return page.main.form("/desk/new")


def value(page: Shown, name: str) -> str:
    return dict(fields_of(writing(page))).get(name, "")


def options(page: Shown, name: str) -> list[str]:
    return [item.attributes["value"] for item in page.main.one("select", name=name).all("option")]


async def test_a_ticket_is_made_and_shown(desk: Desk, agent: Browser) -> None:
    person = await person_of(desk)
    page = await agent.get("/desk/new")
    made = await agent.send(
        page, writing(page), {**GIVEN, "customerUser": person["login"], "priority": "4 high", "owner": AGENT}
    )
    assert made.status == 200, made.main.text
    assert "It is created." in made.main.text
    found = await ticket(desk)
    assert made.url.endswith(f"{found['id']}?said=created")
    assert (found["queue"]["name"], found["state"]["name"], found["priority"]["name"]) == (
        "Support::Printers",
        "new",
        "4 high",
    )
    assert (found["customerUserLogin"], found["customer"]["name"]) == (person["login"], person["company"]["name"])
    (article,) = found["articles"]["nodes"]
    assert (article["channel"]["name"], article["senderType"]["name"]) == ("Phone", "customer")
    assert article["visibleForCustomer"] is True
    assert article["mime"]["body"] == GIVEN["body"]
    assert article["mime"]["subject"] == GIVEN["title"]
    assert person["lastName"] in article["mime"]["from"]


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("phone-out", ("Phone", "agent", True)),
        ("note-seen", ("Internal", "agent", True)),
        ("note", ("Internal", "agent", False)),
    ],
)
async def test_the_type_of_contact_says_what_the_first_article_is(
    desk: Desk, agent: Browser, contact: str, expected: tuple[str, str, bool]
) -> None:
    page = await agent.get("/desk/new")
    await agent.send(page, writing(page), {**GIVEN, "contact": contact})
    (article,) = (await ticket(desk))["articles"]["nodes"]
    assert (article["channel"]["name"], article["senderType"]["name"], article["visibleForCustomer"]) == expected


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(desk: Desk, agent: Browser) -> None:
    page = await agent.get("/desk/new")
    given = {"title": " ", "queue": "", "body": "", "customerUser": "nobody@nowhere", "priority": "5 very high"}
    refused = await agent.send(page, writing(page), given)
    assert refused.status == 422
    for name in ("title", "queue", "body"):
        assert refused.main.one(id=f"about-{name}").all(class_="wrong"), name
        assert refused.main.one(id=f"in-{name}").attributes["aria-invalid"] == "true"
    assert (value(refused, "priority"), value(refused, "customerUser")) == ("5 very high", "nobody@nowhere")
    again = await agent.send(refused, writing(refused), {**GIVEN})
    assert again.status == 422
    assert "no such row" in again.main.one(id="about-customerUser").text
    assert value(again, "body") == GIVEN["body"]
    assert (await desk.data(TICKETS, title=GIVEN["title"]))["tickets"]["nodes"] == []


async def test_only_queues_are_offered_in_which_one_may_make_tickets(agent: Browser) -> None:
    page = await agent.get("/desk/new")
    queues = options(page, "queue")
    assert "Support::Printers" in queues
    assert not [name for name in queues if name.startswith(("Billing", "Sales"))]  # ro is not enough
    refused = await agent.send(page, writing(page), {**GIVEN, "queue": "Billing"})
    assert refused.status == 422
    assert refused.main.all(class_="failed")


async def test_choices_follow_the_customer_and_the_service(desk: Desk, agent: Browser) -> None:
    person = await person_of(desk)
    page = await agent.get("/desk/new")
    refreshed = await agent.send(page, writing(page), {**GIVEN, "customerUser": person["login"]}, button="deed=refresh")
    assert (
        refreshed.main.one(id="who").text == f"{person['firstName']} {person['lastName']} · {person['company']['name']}"
    )
    assert value(refreshed, "customer") == person["company"]["databaseId"]
    assert value(refreshed, "title") == GIVEN["title"]
    query = "query ($login: String!) { customerUser(by: {login: $login}) { services(first: 100) { nodes { name slas { nodes { name } } } } } }"
    services = (await desk.data(query, login=person["login"]))["customerUser"]["services"]["nodes"]
    if services:
        assert sorted(options(refreshed, "service")[1:]) == sorted(item["name"] for item in services)
    name = options(refreshed, "service")[1]
    assert options(refreshed, "sla") == [""]
    chosen = await agent.send(refreshed, writing(refreshed), {"service": name}, button="deed=refresh")
    slas = (
        await desk.data("query ($name: String!) { service(by: {name: $name}) { slas { nodes { name } } } }", name=name)
    )["service"]["slas"]["nodes"]
    assert sorted(options(chosen, "sla")[1:]) == sorted(item["name"] for item in slas)
    part = await agent.client.get(
        "/desk/choices", params={"customerUser": person["login"], "service": name}, headers={"hx-request": "true"}
    )
    assert Shown(part).one(id="dependents").one(id="who").text.startswith(person["firstName"])


async def test_customers_are_found_by_what_they_are_called(desk: Desk, agent: Browser) -> None:
    person = await person_of(desk)
    found = Shown(
        await agent.client.get(
            "/desk/customers", params={"customerUser": f"{person['firstName']} {person['lastName']}"}
        )
    )
    assert found.all("option", value=person["login"])
    assert person["company"]["name"] in found.text
    assert not Shown(await agent.client.get("/desk/customers", params={"customerUser": "  "})).all("option")


async def test_a_template_of_the_queue_is_put_below_what_was_written(desk: Desk, agent: Browser) -> None:
    await make(desk, "Greeting", GREETING, queue="Support::Printers")
    person = await person_of(desk)
    page = await agent.get("/desk/new")
    chosen = await agent.send(page, writing(page), {**GIVEN, "customerUser": person["login"]}, button="deed=refresh")
    template = next(
        item for item in chosen.main.one("select", name="template").all("option") if item.text == "Greeting"
    )
    given = {"template": template.attributes["value"]}
    filled = await agent.send(chosen, writing(chosen), given, button="deed=insert")
    expected = f"It smokes.\n\nA lot.\n\nDear {person['firstName']} {person['lastName']}, [-] Support::Printers"
    assert value(filled, "body").startswith(expected)
    text = await agent.client.get(f"/desk/text?queue=Support::Printers&customer={person['login']}", params=None)
    assert text.text == ""
    address = chosen.main.one("select", name="template").attributes["data-texts"]
    text = await agent.client.get(f"{address}&template={template.attributes['value']}")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text.startswith(f"Dear {person['firstName']}")


async def test_files_come_along_also_after_something_was_wrong(desk: Desk, agent: Browser) -> None:
    page = await agent.get("/desk/new")
    files = [("files", ("one.txt", b"first", "text/plain")), ("files", ("two.txt", b"second!", "text/plain"))]
    pairs = [(name, (None, text)) for name, text in fields_of(writing(page)) if name not in {"title", "body"}]
    parts: list[Any] = [
        *pairs,
        ("title", (None, GIVEN["title"])),
        ("queue", (None, GIVEN["queue"])),
        ("body", (None, "")),
        *files,
    ]
    refused = Shown(await agent.client.post("/desk/new", files=parts, headers={"origin": OWN}))
    assert refused.status == 422
    kept = [item.attributes["value"].partition(":")[2] for item in refused.main.all("input", name="upload")]
    assert kept == ["one.txt", "two.txt"]
    made = await agent.send_files(refused, writing(refused), {**GIVEN, "upload": [refused.main.all("input", name="upload")[1].attributes["value"]]}, files=("three.txt", b"3"))  # fmt: skip
    assert made.status == 200, made.main.text
    (article,) = (await ticket(desk))["articles"]["nodes"]
    assert sorted(item["filename"] for item in article["attachments"]["nodes"]) == ["three.txt", "two.txt"]


async def test_a_draft_is_kept_restored_discarded_and_gone_when_it_is_sent(desk: Desk, agent: Browser) -> None:
    page = await agent.get("/desk/new")
    kept = await agent.send(page, writing(page), {**GIVEN, "contact": "note"}, button="deed=keep")
    assert "The draft is kept." in kept.main.text
    again = await agent.get("/desk/new")
    assert again.main.all(id="draft-restored")
    assert [value(again, name) for name in ("title", "queue", "body", "contact")] == [*GIVEN.values(), "note"]
    async with signed_in(desk, COLLEAGUE) as other:
        assert not (await other.get("/desk/new")).main.all(id="draft-restored")
    gone = await agent.send(again, writing(again), {}, button="deed=discard")
    assert "The draft is discarded." in gone.main.text
    assert value(await agent.get("/desk/new"), "title") == ""
    page = await agent.get("/desk/new")
    kept = await agent.send(page, writing(page), GIVEN, button="deed=keep")
    await agent.send(kept, writing(kept), {})
    assert (await ticket(desk))["articles"]["nodes"]
    assert not (await agent.get("/desk/new")).main.all(id="draft-restored")


async def test_a_form_that_is_sent_twice_makes_one_ticket(desk: Desk, agent: Browser) -> None:
    page = await agent.get("/desk/new")
    for _ in range(2):
        assert (await agent.send(page, writing(page), GIVEN)).status == 200
    assert await ticket(desk)


async def test_a_foreign_page_makes_no_ticket_and_no_draft(desk: Desk, agent: Browser) -> None:
    for path in ("/desk/new", "/desk/draft"):
        answer = await agent.client.post(
            path, data={**GIVEN, "place": "/desk/new"}, headers={"origin": "https://evil.example"}
        )
        assert answer.status_code == 403
        answer = await agent.client.post(path, data={**GIVEN, "place": "/desk/new"}, headers={"origin": OWN})
        assert answer.status_code == 403
    assert (await desk.data("{ drafts { place } }"))["drafts"] == []


async def test_customers_have_none_of_these_pages(desk: Desk) -> None:
    person = await person_of(desk)
    async with signed_in(desk, person["login"], Kind.CUSTOMER) as customer:
        for path in ("/desk/new", "/desk/choices", "/desk/customers?q=a", "/desk/text?queue=Raw"):
            assert (await customer.get(path)).status == 404, path


async def test_payloads_in_the_form_and_in_templates_are_texts(desk: Desk, agent: Browser) -> None:
    for place, text in enumerate(PAYLOADS[::60]):
        await make(desk, f"{place} {text}"[:200], text, queue="Support::Printers")
    page = await agent.get("/desk/new")
    for text in PAYLOADS[::12]:
        given = {
            "title": text,
            "body": text,
            "customerUser": text,
            "contact": text,
            "template": text,
            "queue": "Support::Printers",
            "upload": f"x:{text}",
        }
        shown = await agent.send(page, writing(page), given, button="deed=refresh")
        check(shown, text)
        assert bare(text)[:100] in bare(said(shown))
        part: httpx.Response = await agent.client.get(
            "/desk/choices", params={"customerUser": text, "service": text, "queue": text}
        )
        check(Shown(part), text)
