"""Customers' own pages, without scripts: their tickets in their words, an answer, a new request, and nothing of the agents'."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from identity.principals import Kind
from tests.web.browsing import OWN, Browser, Element, Shown
from tests.web.desk_at_work import AGENT, MODULES, at_work, signed_in
from tests.web.real import ROOM, Desk
from tests.web.test_pages_xss import bare, check, said
from tests.web.xss import PAYLOADS
from web.pages.customer_words import body_of

PEOPLE = """{ customerUsers(first: 200, orderBy: [{login: ASC}]) { nodes { login email firstName lastName company { databaseId } } } }"""
MAKE = """mutation ($ticket: TicketCreate!) { createTicket(input: {ticket: $ticket}) { ticket { id number } errors { message path } } }"""
ADD = """mutation ($id: ID!, $article: NewArticle!, $patch: TicketPatch) {
  addArticle(input: {ticket: {id: $id}, article: $article, patch: $patch}) { errors { message } } }"""
LOOK = """query ($id: ID!) { ticket(by: {id: $id}) { title queue { name } state { name } customerId customerUserLogin
  articles { nodes { visibleForCustomer senderType { name } channel { name } mime { subject body } attachments { nodes { filename } } } } } }"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path, tickets=20) as opened:
        yield opened


@pytest.fixture
async def people(desk: Desk) -> dict[str, dict[str, Any]]:
    """Somebody, a colleague of hers, and a stranger."""
    found = (await desk.data(PEOPLE))["customerUsers"]["nodes"]
    first = found[0]
    colleague = next(item for item in found[1:] if item["company"] == first["company"])
    stranger = next(item for item in found if item["company"] != first["company"])
    return {"ann": first, "colleague": colleague, "stranger": stranger}


@pytest.fixture
async def ann(desk: Desk, people: dict[str, dict[str, Any]]) -> AsyncIterator[Browser]:
    async with signed_in(desk, people["ann"]["login"], Kind.CUSTOMER) as browser:
        yield browser


async def make(desk: Desk, person: dict[str, Any], title: str, **more: Any) -> str:
    article = {"subject": title, "body": f"Body of {title}", "kind": "PHONE_FROM_CUSTOMER", "visibleForCustomer": True}
    ticket = {
        "title": title, "queue": {"name": "Support"}, "customerUserLogin": person["login"],
        "customerId": person["company"]["databaseId"], "article": article, **more,
    }  # fmt: skip
    made = (await desk.data(MAKE, ticket=ticket))["createTicket"]
    assert made["errors"] == []
    return str(made["ticket"]["id"])


def titles(page: Shown) -> list[str]:
    return [item.text for item in page.main.all("a", class_="card-title")]


def form(page: Shown) -> Element:
    return page.main.form_named("once")


async def test_customers_begin_with_their_tickets_and_see_nothing_of_the_desk(desk: Desk, ann: Browser) -> None:
    home = await ann.get("/")
    assert home.url.endswith("/my")
    assert home.main.one("h1").text == "Your tickets"
    assert {item.attributes["href"] for item in home.one("nav", class_="side").all("a")} == {"/", "/my", "/my/new"}
    assert {item.attributes["data-url"] for item in home.all("li", role="option")} == {"/my", "/my/new"}
    for path in ("/desk", "/desk/new", "/modules/user"):
        assert (await ann.get(path)).status == 404, path
    async with signed_in(desk, AGENT) as agent:
        for path in ("/my", "/my/new", "/my/x"):
            assert (await agent.get(path)).status == 404, path


async def test_what_is_the_sites_own_stands_in_the_menu_of_customers(tmp_path: Path) -> None:
    site = tmp_path / "own"
    site.mkdir()
    granted = ROOM.replace("access: {agent: {view: true}}", "access: {agent: {view: true}, customer: {view: true}}")
    (site / "room.yaml").write_text(granted)
    async with at_work(tmp_path, tickets=5, modules_dir=(MODULES, site)) as desk:
        login = (await desk.data(PEOPLE))["customerUsers"]["nodes"][0]["login"]
        async with signed_in(desk, login, Kind.CUSTOMER) as browser:
            links = {item.attributes["href"] for item in (await browser.get("/my")).one("nav", class_="side").all("a")}
    assert links == {"/", "/my", "/my/new", "/modules/room"}


async def test_tickets_are_listed_by_state_and_owner(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    await make(desk, people["ann"], "Mine and open")
    await make(desk, people["ann"], "Mine and closed", state={"name": "closed successful"})
    await make(desk, people["colleague"], "My colleague's")
    await make(desk, people["stranger"], "A stranger's")
    assert "Mine and open" in titles(await ann.get("/my"))
    assert not {"Mine and closed", "My colleague's"} & set(titles(await ann.get("/my")))
    closed = await ann.get("/my?show=closed")
    assert "Mine and closed" in titles(closed)
    assert "Mine and open" not in titles(closed)
    company = await ann.get("/my?whose=company")
    assert {"Mine and open", "My colleague's"} <= set(titles(company))
    everything = titles(await ann.get("/my?whose=company&show=all&q=stranger"))
    assert "A stranger's" not in everything
    assert {item.attributes["href"] for item in company.main.all("a", class_="tab-link")} >= {
        "/my",
        "/my?show=all&whose=company",
    }


async def test_a_ticket_has_its_messages_but_no_internal_notes(
    desk: Desk, people: dict[str, Any], ann: Browser
) -> None:
    row = await make(desk, people["ann"], "A printer")
    await desk.data(ADD, id=row, article={"subject": "n", "body": "Between us: unplugged", "kind": "NOTE"})
    html = {"subject": "a", "body": "<p>Dear&nbsp;you,</p><script>hit()</script><b>plug it in</b>", "contentType": "text/html", "kind": "NOTE", "visibleForCustomer": True}  # fmt: skip
    await desk.data(ADD, id=row, article=html)
    page = await ann.get(f"/my/{row}")
    assert page.main.one("h1").text == "A printer"
    assert "Body of A printer" in page.main.text
    assert "Between us" not in page.text
    assert "plug it in" in page.main.text
    assert "<b>" not in page.main.text
    assert "hit()" not in page.main.text
    assert not page.main.all("ul", class_="attached")  # the HTML itself is no file to save
    own = page.main.all("article")[-1]
    assert own.one("strong").text == "You"
    assert page.main.all("article")[0].all(class_="badge")
    assert (await ann.get("/my/nonsense")).status in {400, 404}


async def test_strangers_tickets_are_not_there(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    row = await make(desk, people["stranger"], "Secret")
    assert (await ann.get(f"/my/{row}")).status == 404
    page = await ann.get("/my/new")
    token = dict(_fields(page))["csrf"]
    sent = await ann.client.post(f"/my/{row}", data={"csrf": token, "body": "hello"}, headers={"origin": OWN})
    assert sent.status_code == 404
    assert len((await desk.data(LOOK, id=row))["ticket"]["articles"]["nodes"]) == 1


async def test_an_answer_with_files_opens_a_closed_ticket_again(
    desk: Desk, people: dict[str, Any], ann: Browser
) -> None:
    row = await make(desk, people["ann"], "Broken again", state={"name": "closed successful"})
    page = await ann.get(f"/my/{row}")
    assert "Your answer opens it again" in page.main.text
    refused = await ann.send_files(page, form(page), {"body": "  "}, files=("photo.txt", b"smoke"))
    assert refused.status == 422
    assert refused.main.one(id="about-body").all(class_="wrong")
    sent = await ann.send(refused, form(refused), {"body": "It smokes again."})
    assert "Your answer is sent." in sent.main.text
    assert "In progress" in sent.main.text
    assert "It smokes again." in sent.main.all("article")[0].text
    file = sent.main.one("ul", class_="attached").one("a")
    assert (file.text, (await ann.client.get(file.attributes["href"])).content) == ("photo.txt", b"smoke")
    found = (await desk.data(LOOK, id=row))["ticket"]
    article = found["articles"]["nodes"][-1]
    assert found["state"]["name"] == "open"
    assert (article["senderType"]["name"], article["visibleForCustomer"]) == ("customer", True)
    await ann.send(refused, form(refused), {"body": "It smokes again."})  # the same form once more
    assert len((await desk.data(LOOK, id=row))["ticket"]["articles"]["nodes"]) == 2


async def test_a_queue_that_takes_no_answers_says_so_and_the_text_stays(desk: Desk, people: dict[str, Any]) -> None:
    reject = "mutation { updateQueue(input: {key: {databaseId: 5}, patch: {followUp: REJECT}}) { queue { name } } }"
    assert (await desk.data(reject))["updateQueue"]["queue"]["name"] == "Support"
    row = await make(desk, people["ann"], "Final", state={"name": "closed successful"})
    async with signed_in(desk, people["ann"]["login"], Kind.CUSTOMER, **{"accept-language": "de"}) as browser:
        page = await browser.get(f"/my/{row}")
        refused = await browser.send(page, form(page), {"body": "Noch einmal"})
    assert refused.status == 422
    assert "nimmt keine Antworten mehr an" in refused.main.one(class_="failed").text
    assert "Noch einmal" in refused.main.one("textarea").text


async def test_a_merged_ticket_takes_no_answers(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    row, other = await make(desk, people["ann"], "Twice"), await make(desk, people["ann"], "Once")
    await desk.data("mutation ($a: ID!, $b: ID!) { mergeTickets(input: {ticket: {id: $a}, into: {id: $b}}) { errors { message } } }", a=row, b=other)  # fmt: skip
    page = await ann.get(f"/my/{row}")
    assert "Goes on in another ticket" in page.main.text
    assert not page.main.all("textarea")


async def test_a_request_is_made(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    page = await ann.get("/my/new")
    empty = await ann.send(page, form(page), {})
    assert empty.status == 422
    assert [item.attributes["id"] for item in empty.main.all("div") if item.attributes.get("id", "").startswith("about-") and item.all(class_="wrong")] == ["about-queue", "about-title", "about-body"]  # fmt: skip
    wrong = await ann.send(page, form(page), {"title": "Help", "body": "Please", "queue": "No such queue"})
    assert wrong.status == 422
    assert wrong.main.one(id="about-queue").all(class_="wrong")
    assert wrong.main.one(id="in-title").attributes["value"] == "Help"
    given = {"title": "Help", "body": "Please\nquickly", "queue": "Support"}
    made = await ann.send_files(wrong, form(wrong), given, files=("list.csv", b"a,b"))
    assert "Your request is sent." in made.main.text, made.main.text
    row = made.url.partition("?")[0].rpartition("/")[2]
    found = (await desk.data(LOOK, id=row))["ticket"]
    person = people["ann"]
    assert (found["title"], found["queue"]["name"], found["state"]["name"]) == ("Help", "Support", "new")
    assert (found["customerUserLogin"], found["customerId"]) == (person["login"], person["company"]["databaseId"])
    (article,) = found["articles"]["nodes"]
    assert (article["mime"]["body"], article["attachments"]["nodes"]) == ("Please\nquickly", [{"filename": "list.csv"}])


async def test_a_request_that_is_sent_twice_is_one(ann: Browser) -> None:
    page = await ann.get("/my/new")
    for _ in range(2):
        await ann.send(page, form(page), {"title": "Only once", "body": "x", "queue": "Support"})
    assert titles(await ann.get("/my")).count("Only once") == 1


async def test_customers_pages_speak_german(desk: Desk, people: dict[str, Any]) -> None:
    row = await make(
        desk, people["ann"], "Ein Drucker", state={"name": "pending reminder"}, pendingUntil="2030-01-01T00:00:00Z"
    )
    async with signed_in(desk, people["ann"]["login"], Kind.CUSTOMER, **{"accept-language": "de"}) as browser:
        page = await browser.get(f"/my/{row}")
        assert "Zurückgestellt" in page.main.text
        assert "Ihre Antwort" in page.main.text
        assert (await browser.get("/my/new")).main.one("h1").text == "Neue Anfrage"
        assert "Die Ihrer Firma" in (await browser.get("/my")).main.text


async def test_payloads_are_texts_on_customers_pages(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    for place, text in enumerate(PAYLOADS[::25]):
        title = f"{place} {text}"[:250].replace("\r\n", " ")
        row = await make(desk, people["ann"], title)
        article = {
            "subject": title,
            "body": text,
            "kind": "NOTE",
            "visibleForCustomer": True,
            "from": f'"{text}" <a@b.example>',
        }
        await desk.data(ADD, id=row, article=article)
        page = await ann.get(f"/my/{row}")
        check(page, text)
        assert bare(text)[:100] in bare(said(page))
        refused = await ann.send(page, form(page), {"body": " ", "upload": f"x:{text}"})
        check(refused, text)
        new = await ann.get("/my/new")
        shown = await ann.send(new, form(new), {"title": text, "queue": text, "body": " ", "upload": f"x:{text}"})
        check(shown, text)
        check(await ann.get(f"/my?q={text.encode().hex()}&show={title[:20].encode().hex()}"), text)
    check(await ann.get("/my?show=all"), "/my")


async def test_a_foreign_page_writes_nothing(desk: Desk, people: dict[str, Any], ann: Browser) -> None:
    row = await make(desk, people["ann"], "Mine")
    for path in (f"/my/{row}", "/my/new"):
        for origin in ("https://evil.example", OWN):
            sent = await ann.client.post(
                path, data={"body": "x", "title": "x", "queue": "Raw"}, headers={"origin": origin}
            )
            assert sent.status_code == 403
    assert len((await desk.data(LOOK, id=row))["ticket"]["articles"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"body": "a <b>c</b>", "type": "text/plain; charset=utf-8"}, "a <b>c</b>"),
        ({"body": "a <b>c</b><script>x</script>", "type": "text/html; charset=utf-8"}, "a c"),
        ({"body": None, "type": None}, ""),
    ],
)
def test_messages_are_shown_as_text(content: dict[str, Any], text: str) -> None:
    assert body_of(content) == text


def _fields(page: Shown) -> list[tuple[str, str]]:
    return [(item.attributes["name"], item.attributes.get("value", "")) for item in form(page).all("input") if item.attributes.get("name")]  # fmt: skip
