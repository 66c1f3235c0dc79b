"""Every deed of the ticket page by plain forms, without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.first_agent import LOGIN
from tests.web.browsing import Shown
from tests.web.ticket_office import Office, Ticket, open_office

HTMX = {"hx-request": "true"}
ANSWER = "/desk/note?answers="


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as opened:
        yield opened


def failure(page: Shown) -> str:
    return " ".join(item.text for item in [*page.all(class_="failed"), *page.all(class_="wrong")])


async def change(office: Office, ticket: Ticket, group: str, **values: str) -> Shown:
    page = await office.open(ticket, f"/desk/change/{group}")
    assert page.status == 200, page.text
    return await office.send(page, f"/desk/change/{group}", values)


# --- fields where they stand ---


@pytest.mark.parametrize(
    ("group", "values", "shown", "after"),
    [
        ("state", {"state": "open"}, "state { name }", {"state": {"name": "open"}}),
        ("queue", {"queue": "Junk"}, "queue { name }", {"queue": {"name": "Junk"}}),
        ("priority", {"priority": "5 very high"}, "priority { name }", {"priority": {"name": "5 very high"}}),
        ("owner", {"owner": LOGIN}, "owner { login }", {"owner": {"login": LOGIN}}),
        ("responsible", {"responsible": LOGIN}, "responsible { login }", {"responsible": {"login": LOGIN}}),
        ("lock", {"lock": "lock"}, "lock { name }", {"lock": {"name": "lock"}}),
        ("type", {"type": "Unclassified"}, "type { name }", {"type": {"name": "Unclassified"}}),
        ("title", {"title": "Fire"}, "title", {"title": "Fire"}),
    ],
)
async def test_a_field_is_changed_where_it_stands(
    office: Office, group: str, values: dict[str, str], shown: str, after: object
) -> None:
    ticket = await office.ticket()
    page = await change(office, ticket, group, **values)
    assert (page.status, page.one(class_="said").text) == (200, "It is saved.")
    assert await office.row(ticket, shown) == after


async def test_a_pending_state_takes_its_moment_in_the_readers_zone_and_wants_one(office: Office) -> None:
    ticket = await office.ticket()
    refused = await change(office, ticket, "state", state="pending reminder")
    assert refused.status == 422
    assert refused.one("select", name="state").one("option", selected="").text == "pending reminder"
    assert failure(refused)
    done = await change(office, ticket, "state", state="pending reminder", pendingUntil="2031-05-06T07:08")
    assert done.status == 200
    assert await office.row(ticket, "state { name } pendingUntil") == {
        "state": {"name": "pending reminder"},
        "pendingUntil": "2031-05-06T07:08:00Z",
    }


async def test_customer_and_company_are_changed_together(office: Office) -> None:
    await office.do("createCompany", "company { id }", company={"databaseId": "acme", "name": "Acme"})
    ticket = await office.ticket()
    page = await change(office, ticket, "customer", customer="Acme")
    assert page.status == 200, page.text
    assert await office.row(ticket, "customerId") == {"customerId": "acme"}


async def test_who_was_faster_is_told_and_saving_once_more_is_meant(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket, "/desk/change/priority")
    await office.do(
        "updateTicket", "ticket { id }", key={"id": ticket["id"]}, patch={"priority": {"name": "1 very low"}}
    )
    told = await office.send(page, "/desk/change/priority", {"priority": "5 very high"})
    assert told.status == 409
    assert "changed" in failure(told)
    assert await office.row(ticket, "priority { name }") == {"priority": {"name": "1 very low"}}
    again = await office.send(told, "/desk/change/priority")
    assert again.status == 200
    assert await office.row(ticket, "priority { name }") == {"priority": {"name": "5 very high"}}


async def test_htmx_gets_the_head_alone_and_is_told_that_the_ticket_changed(office: Office) -> None:
    ticket = await office.ticket()
    part = await office.open(ticket, "/desk/change/state", **HTMX)
    assert (len(part.all("main")), len(part.all("article")), len(part.all(id="ticket-head"))) == (0, 0, 1)
    closed = await office.open(ticket, "/desk/change/state?show=1", **HTMX)
    assert not closed.all(class_="ticket-change")
    form = part.one(class_="ticket-change")
    data = {"csrf": form.one(name="csrf").attributes["value"], "state": "open"}
    path = form.attributes["hx-post"]
    answer = await office.browser.client.post(path, data=data, headers={**HTMX, "origin": "http://localhost:8000"})
    assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "ticket-changed")
    assert Shown(answer).one(id="ticket-head").attributes["data-said"] == "It is saved."


async def test_an_unknown_group_is_not_there(office: Office) -> None:
    ticket = await office.ticket()
    assert (await office.open(ticket, "/desk/change/nonsense")).status == 404


# --- take, close, watch ---


async def test_a_ticket_is_taken_and_closed_with_one_button_each(office: Office) -> None:
    async with office.beside("rw") as other:
        ticket = await office.ticket()
        page = await other.open(ticket)
        taken = await other.send(page, "/desk/take")
        assert taken.one(class_="said").text == "The ticket is yours, and locked."
        assert await office.row(ticket, "owner { login } lock { name }") == {
            "owner": {"login": "reader"},
            "lock": {"name": "lock"},
        }
        assert not [form for form in taken.all("form") if form.attributes.get("action", "").endswith("/take")]
        (form,) = [item for item in taken.all("form") if item.all("button", name="state")]
        closed = await other.browser.send(taken, form, button="state=closed successful")
    assert closed.status == 200
    assert await office.row(ticket, "state { name } lock { name }") == {
        "state": {"name": "closed successful"},
        "lock": {"name": "unlock"},
    }
    assert not closed.all("button", name="state")


async def test_taking_what_somebody_else_has_changed_meanwhile_is_refused(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket)
    await office.do("updateTicket", "ticket { id }", key={"id": ticket["id"]}, patch={"title": "Other"})
    told = await office.send(page, "/desk/take")
    assert told.status == 409
    assert failure(told)
    assert await office.row(ticket, "lock { name }") == {"lock": {"name": "unlock"}}


async def test_watching_begins_and_ends(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.send(await office.open(ticket), "/desk/watch")
    assert page.one(class_="said").text == "You watch the ticket."
    assert page.main.all(id="side-watchers")
    page = await office.send(page, "/desk/unwatch")
    assert not page.main.all(id="side-watchers")


# --- articles ---


async def test_a_note_is_written_with_files_time_and_a_new_state(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket, "/desk/note")
    given = {
        "subject": "Done",
        "body": "Water\nhelped.",
        "visible": "1",
        "time": "1,5",
        "along.state": "closed successful",
    }
    sent = await office.browser.send_files(page, page.form("/desk/note"), given, files=("photo.txt", b"ash"))
    assert sent.one(class_="said").text == "The article is added."
    said = sent.main.all("article")[0]
    assert (said.one("h3").text, said.one(class_="article-files").one("a").text) == ("Done", "photo.txt")
    assert "visible to the customer" in said.text
    row = await office.row(ticket, "state { name } timeEntries { nodes { timeUnit } }")
    assert (row["state"], float(row["timeEntries"]["nodes"][0]["timeUnit"])) == ({"name": "closed successful"}, 1.5)


async def test_several_files_go_with_one_article(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket, "/desk/note")
    token = page.form("/desk/note").one(name="csrf").attributes["value"]
    parts = [("csrf", (None, token)), ("subject", (None, "s")), ("body", (None, "b"))]
    files = [("files", (f"f{place}.txt", b"x")) for place in range(3)]
    answer = await office.browser.client.post(
        f"/modules/ticket/{ticket['id']}/desk/note",
        files=[*parts, *files],
        headers={"origin": "http://localhost:8000"},
        follow_redirects=True,
    )
    said = Shown(answer).main.all("article")[0]
    assert [item.text for item in said.one(class_="article-files").all("a")] == ["f0.txt", "f1.txt", "f2.txt"]


@pytest.mark.parametrize(
    ("kind", "shown"), [("PHONE_TO_CUSTOMER", "agent · Phone"), ("PHONE_FROM_CUSTOMER", "customer · Phone"), ("NOTE", "agent · Internal")]
)  # fmt: skip
async def test_notes_and_calls_are_told_apart(office: Office, kind: str, shown: str) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket, f"/desk/note?kind={kind}")
    sent = await office.browser.send_files(page, page.form("/desk/note"), {"subject": "s", "body": "b"})
    assert shown in sent.main.all("article")[0].text


async def test_an_answer_begins_with_what_is_answered(office: Office) -> None:
    ticket = await office.ticket("Printer", "It burns.\nReally.")
    page = await office.open(ticket)
    link = next(item for item in page.main.all("a") if ANSWER in item.attributes.get("href", ""))
    form = (await office.browser.get(link.attributes["href"])).form("/desk/note")
    assert form.one(id="article-subject").attributes["value"] == "Re: Printer"
    assert "> It burns. > Really." in form.one("textarea").text
    assert form.one(id="article-to").attributes["value"] == "Cleo <c@example.org>"


async def test_a_refused_article_keeps_what_was_typed_and_sent(office: Office) -> None:
    """Also its files: they are not chosen anew, and go with it the second time."""
    ticket = await office.ticket()
    page = await office.open(ticket, "/desk/note")
    given = {"subject": "", "body": "kept", "along.state": "pending reminder"}
    told = await office.browser.send_files(page, page.form("/desk/note"), given, files=("log.txt", b"lines"))
    assert told.status == 422
    assert failure(told)
    form = told.form("/desk/note")
    assert (form.one("textarea").text, form.one(name="upload").attributes["value"].endswith(":log.txt")) == (
        "kept",
        True,
    )
    again = {"subject": "s", "along.pendingUntil": "2031-05-06T07:08"}
    sent = await office.browser.send_files(told, form, again)
    assert sent.status == 200
    assert sent.main.all("article")[0].one(class_="article-files").text.startswith("log.txt")
    assert len(sent.main.all("article")) == 2


async def test_an_article_that_is_sent_twice_is_written_once(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket, "/desk/note")
    for _ in range(2):
        sent = await office.browser.send_files(page, page.form("/desk/note"), {"subject": "s", "body": "b"})
    assert len(sent.main.all("article")) == 2


# --- two tickets ---


async def test_a_ticket_is_merged_by_number_and_the_merge_taken_back(office: Office) -> None:
    one, two = await office.ticket("One"), await office.ticket("Two")
    page = await office.open(one, "/desk/merge")
    merged = await office.send(page, "/desk/merge", {"other": two["number"]})
    assert merged.one(class_="said").text == "The tickets are merged."
    assert merged.main.one("h1").text.startswith(two["number"])
    assert len(merged.main.all("article")) == 2
    back = await office.send(await office.open(one), "/desk/unmerge")
    assert back.one(class_="said").text == "The merge is taken back."
    assert await office.row(one, "state { name } articles { totalCount }") == {
        "state": {"name": "new"},
        "articles": {"totalCount": 1},
    }


async def test_a_merge_into_a_ticket_that_one_may_only_read_says_why_not(office: Office) -> None:
    one, two = await office.ticket("One"), await office.ticket("Two")
    async with office.beside("ro") as other:
        await office.do("updateTicket", "ticket { id }", key={"id": one["id"]}, patch={"owner": {"login": "reader"}})
        page = await other.open(one, "/desk/merge")
        told = await other.send(page, "/desk/merge", {"other": two["number"]})
    assert told.status == 409
    assert "You may not change this row." in failure(told)
    assert told.main.one(id="in-other").attributes["value"] == two["number"]
    assert await office.row(one, "articles { totalCount }") == {"articles": {"totalCount": 1}}


async def test_words_of_a_title_offer_the_tickets_that_may_be_meant(office: Office) -> None:
    one, two, three = await office.ticket("One"), await office.ticket("Fire below"), await office.ticket("Fire above")
    page = await office.open(one, "/desk/merge")
    which = await office.send(page, "/desk/merge", {"other": "fire"})
    assert which.status == 422
    assert {item.attributes["value"] for item in which.all("button", name="other")} == {two["number"], three["number"]}
    merged = await office.browser.send(which, which.form("/desk/merge"), button=f"other={two['number']}")
    assert merged.main.one("h1").text.startswith(two["number"])
    none = await office.send(await office.open(three, "/desk/merge"), "/desk/merge", {"other": "no such words"})
    assert "There is no other ticket" in failure(none)
    own = await office.send(await office.open(three, "/desk/merge"), "/desk/merge", {"other": three["number"]})
    assert own.status == 422


async def test_tickets_are_found_while_one_types_but_no_hidden_ones(office: Office) -> None:
    ticket = await office.ticket("Seen"), await office.ticket("Seen too")
    hidden = await office.ticket("Seen never", owner={"login": LOGIN})
    async with office.beside("ro") as other:
        found = await other.open(ticket[0], "/desk/found?other=Seen", **HTMX)
        assert {item.attributes["value"] for item in found.all("option")} == {ticket[1]["number"], hidden["number"]}
    async with office.beside(login="stranger") as other:
        assert (await other.open(ticket[0], "/desk/found?other=Seen", **HTMX)).all("option") == []


@pytest.mark.parametrize(
    ("way", "seen", "back"),
    [("NORMAL", "linked", "linked"), ("CHILD", "child", "parent"), ("PARENT", "parent", "child")],
)
async def test_tickets_are_linked_and_unlinked(office: Office, way: str, seen: str, back: str) -> None:
    one, two = await office.ticket("One"), await office.ticket("Two")
    page = await office.open(one, "/desk/link")
    linked = await office.send(page, "/desk/link", {"other": two["number"], "way": way})
    assert linked.one(class_="said").text == "The tickets are linked."
    for ticket, other, word in ((one, two, seen), (two, one, back)):
        links = (await office.open(ticket, "/desk/links")).main.one(class_="ticket-list").all("li")
        assert [item.text.startswith(f"{word} {other['number']}") for item in links] == [True]
    gone = await office.send(await office.open(two, "/desk/links"), "/desk/unlink")
    assert gone.one(class_="said").text == "The link is removed."
    assert not (await office.open(one, "/desk/links")).main.all(class_="ticket-list")


async def test_an_article_becomes_a_ticket_of_its_own(office: Office) -> None:
    ticket = await office.ticket("Printer")
    article = await office.add(ticket, subject="And the fax", body="It smells.")
    page = await office.open(ticket, f"/desk/articles/{article}/split")
    assert page.one(id="in-title").attributes["value"] == "And the fax"
    made = await office.send(page, "/split", {"queue": "Junk"})
    assert made.one(class_="said").text == "This is the new ticket."
    assert "And the fax" in made.main.one("h1").text
    assert "It smells." in made.main.one("article").text
    links = await office.open(ticket, "/desk/links")
    assert links.main.one(class_="ticket-list").text.startswith("child")


# --- beside it ---


async def test_the_customer_and_what_else_he_waits_for_stand_beside_it(office: Office) -> None:
    await office.do("createCompany", "company { id }", company={"databaseId": "acme", "name": "Acme Ltd"})
    person = {
        "login": "cleo",
        "email": "cleo@example.org",
        "firstName": "Cleo",
        "lastName": "P",
        "company": {"databaseId": "acme"},
    }
    await office.do("createCustomerUser", "customerUser { id }", customerUser=person)
    who = {"customerUserLogin": "cleo", "customerId": "acme"}
    ticket, other = await office.ticket("One", **who), await office.ticket("Other", **who)
    await office.ticket("Done", **who, state={"name": "closed successful"})
    side = (await office.open(ticket, "/desk/customer")).main
    assert "cleo@example.org" in side.text
    assert "Acme Ltd" in side.text
    assert [item.one("a").text for item in side.one(class_="ticket-list").all("li")] == [other["number"]]


async def test_a_change_is_undone_from_the_history(office: Office) -> None:
    ticket = await office.ticket()
    await change(office, ticket, "priority", priority="5 very high")
    past = await office.open(ticket, "/history")
    undone = await office.browser.send(past, past.main.all("form")[0])
    assert undone.main.all(id="ticket-head")
    assert await office.row(ticket, "priority { name }") == {"priority": {"name": "3 normal"}}
