"""The ticket page without scripts: what it shows, and to whom it offers what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.engine import Database
from tests.databases import fresh_url
from tests.web.browsing import browsing
from tests.web.real import open_desk
from tests.web.ticket_office import MODULES, Office, deeds, open_office

HTMX = {"hx-request": "true"}
MOST_STATEMENTS = 10
LOOKING = {"watch", "customer", "links"}
CHANGES = {
    f"change/{name}"
    for name in ("state", "priority", "queue", "owner", "lock", "responsible", "customer", "type", "service", "title")
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as opened:
        yield opened


async def test_it_shows_the_ticket_and_what_was_said(office: Office) -> None:
    ticket = await office.ticket("Printer on fire", "It burns.\nReally.")
    await office.add(ticket, cc="boss@example.org")

    page = await office.open(ticket)

    assert page.status == 200
    assert page.main.one("h1").text.startswith(f"{ticket['number']} Printer on fire")
    cells = page.main.one(class_="ticket-facts").all("div")
    facts = {item.one("dt").text: item.one(class_="ticket-value").text for item in cells}
    assert (facts["State"], facts["Queue"], facts["Priority"], facts["Lock"]) == ("new", "Raw", "3 normal", "unlock")
    said = page.main.all("article")
    assert [item.one("h3").text for item in said] == ["Calm", "Printer on fire"]
    assert ["internal" in item.text for item in said] == [True, True]
    assert "Cc boss@example.org" in said[0].text
    assert "customer · Phone" in said[1].text
    assert "It burns. Really." in said[1].text


async def test_articles_come_in_the_order_that_one_chooses_and_by_pages(office: Office) -> None:
    ticket = await office.ticket("First")
    for place in range(24):
        await office.add(ticket, subject=f"N{place}")
    page = await office.open(ticket, "?order=old")
    names = [item.one("h3").text for item in page.main.all("article")]
    assert names == ["First", *(f"N{place}" for place in range(19))]
    more = page.main.one(class_="article-more-link").one("a")
    second = await office.browser.get(more.attributes["href"])
    assert [item.one("h3").text for item in second.main.all("article")] == ["N19", "N20", "N21", "N22", "N23"]
    part = await office.browser.get(more.attributes["hx-get"], **HTMX)
    assert [item.one("h3").text for item in part.all("article")] == ["N19", "N20", "N21", "N22", "N23"]
    assert not part.all("main")


async def test_the_page_takes_as_many_statements_for_many_articles_as_for_few(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = await office.ticket("Few"), await office.ticket("Many")
    for _ in range(19):
        await office.add(many)
    sent: list[object] = []
    read = Database._read

    async def counted(self: Database, statement: Any, deadline: Any) -> Any:
        sent.append(statement)
        return await read(self, statement, deadline)

    monkeypatch.setattr(Database, "_read", counted)
    counts = []
    for ticket in (few, many):
        taken = []
        for _ in range(6):  # the first ones make plans, and once a second it is looked who is calling
            sent.clear()
            page = await office.open(ticket)
            taken.append(len(sent))
        counts.append((len(page.main.all("article")), min(taken)))
    assert [articles for articles, _ in counts] == [1, 20]
    assert counts[0][1] == counts[1][1] <= MOST_STATEMENTS


async def test_a_long_text_is_cut_and_whole_on_a_page_of_its_own(office: Office) -> None:
    ticket = await office.ticket(body="\n".join(f"line {place}." for place in range(500)))
    page = await office.open(ticket)
    (said,) = page.main.all("article")
    assert "line 119." in said.text
    assert "line 120." not in said.text
    whole = await office.browser.get(said.one(class_="article-below").one("a").attributes["href"])
    assert "line 499." in whole.main.text


async def test_files_are_offered_with_type_and_size(office: Office) -> None:
    ticket = await office.ticket()
    upload = (await office.desk.client.post("/files?name=plan.txt", content=b"x" * 2_048)).json()["id"]
    await office.add(ticket, attachments=[upload])
    page = await office.open(ticket)
    (file,) = page.main.one(class_="article-files").all("li")
    assert file.text == "plan.txt text/plain · 2.0 kB"
    assert (await office.browser.client.get(file.one("a").attributes["href"])).content == b"x" * 2_048


async def test_all_fields_of_the_ticket_stay_within_reach(office: Office) -> None:
    ticket = await office.ticket()
    page = await office.open(ticket)
    fields = await office.browser.get(
        next(item.attributes["href"] for item in page.main.all("a") if item.text == "All fields")
    )
    assert fields.main.all("h2", id="section-1")
    listed = await office.browser.get("/modules/ticket")
    assert f"/modules/ticket/{ticket['id']}" in {
        item.attributes["data-url"] for item in listed.main.one("tbody").all("tr")
    }


@pytest.mark.parametrize(
    ("keys", "offered"),
    [
        (["ro"], LOOKING),
        (["ro", "note"], LOOKING | {"note"}),
        (["ro", "priority"], LOOKING | {"change/priority"}),
        (["ro", "owner"], LOOKING | {"change/owner"}),
        (["rw"], LOOKING | CHANGES | {"note", "take", "merge", "split"}),
    ],
)  # fmt: skip
async def test_an_agent_is_offered_what_his_keys_open(office: Office, keys: list[str], offered: set[str]) -> None:
    ticket = await office.ticket()
    async with office.beside(*keys) as other:
        page = await other.open(ticket)
    assert page.status == 200
    assert deeds(page) == offered
    assert bool(page.main.all(class_="ticket-deeds")) is True


async def test_what_is_not_offered_is_refused_on_the_server_too(office: Office) -> None:
    ticket = await office.ticket()
    own = await office.open(ticket)
    async with office.beside("ro") as other:
        page = await other.open(ticket)
        for rest in ("/desk/note", "/desk/change/state"):
            refused = await other.open(ticket, rest)
            assert (refused.status, "it takes the permission" in refused.text) == (403, True)
        token = page.form("/watch").one(name="csrf").attributes["value"]
        for action, values in (
            ("take", {}), ("unmerge", {}), ("change/state", {"state": "open"}), ("change/queue", {"queue": "Junk"}),
            ("note", {"subject": "s", "body": "b"}),
        ):  # fmt: skip
            told = await other.browser.client.post(
                f"/modules/ticket/{ticket['id']}/desk/{action}",
                data={"csrf": token, **values},
                headers={"origin": "http://localhost:8000"},
            )
            assert told.status_code in {403, 409, 422}, (action, told.text)
            assert 'class="failed"' in told.text or 'class="wrong"' in told.text or told.status_code == 403, action
    after = await office.open(ticket)
    assert [item.text for item in after.main.all("dd")] == [item.text for item in own.main.all("dd")]
    assert len(after.main.all("article")) == 1


async def test_a_ticket_that_one_does_not_see_is_not_there(office: Office) -> None:
    ticket = await office.ticket()
    async with office.beside(login="stranger") as other:
        for rest in (
            "",
            "/desk/articles",
            "/desk/customer",
            "/desk/links",
            "/desk/note",
            "/desk/change/state",
            "/fields",
        ):
            assert (await other.open(ticket, rest)).status == 404, rest


async def test_articles_are_read_below_their_own_ticket_only(office: Office) -> None:
    one, two = await office.ticket("One"), await office.ticket("Two")
    article = await office.add(one)
    assert (await office.open(one, f"/desk/articles/{article}")).status == 200
    assert (await office.open(two, f"/desk/articles/{article}")).status == 404
    assert (await office.open(two, f"/desk/articles/{article}/html")).status == 404


async def test_rows_of_other_tables_have_no_desk(office: Office) -> None:
    listed = await office.browser.get("/modules/queue")
    row = listed.main.one("tbody").all("tr")[0].attributes["data-url"]
    assert (await office.browser.get(f"{row}/desk/links")).status == 404
    assert not (await office.browser.get(row)).main.all(id="ticket-head")


async def test_the_page_is_found_by_its_table_whatever_the_module_is_called_and_works_without_others(
    tmp_path: Path,
) -> None:
    """A site that calls tickets cases, and has no modules for articles' content, watchers, customers or services."""
    said = (MODULES / "tickets" / "ticket.yaml").read_text()
    case = yaml.safe_load(said)
    gone = {"service", "sla", "customer", "customer_user", "type"}
    case["module"] |= {"name": "case", "plural_name": "cases", "singular": "Case", "plural": "Cases"}
    case["fields"] = [item for item in case["fields"] if item["name"] not in gone]
    for item in case["fields"]:
        item.setdefault("column", item["name"])
        item["name"] = {"number": "code", "title": "subject", "owner": "keeper"}.get(item["name"], item["name"])
    case["relations"] = [item for item in case["relations"] if item["name"] == "articles"]
    case["relations"][0]["by"] = "case"
    for name in ("computed_fields", "filters", "search", "features", "access"):
        case.pop(name)
    case["access"] = {"agent": {"view": True}}
    case["ui"] = {"list_columns": ["code", "subject"]}
    article = yaml.safe_load((MODULES / "tickets" / "article.yaml").read_text())
    article["fields"] = [item for item in article["fields"] if item["name"] != "mime"]
    article["fields"][0] |= {"name": "case", "to": "case"}
    article["relations"] = []
    article["access"] = {"agent": {"view": True, "create": True}}
    article["ui"] = {}
    files = {"case": yaml.safe_dump(case), "article": yaml.safe_dump(article)}
    for path in (
        "agents/user",
        "setup/queue",
        "setup/state",
        "setup/state_type",
        "setup/priority",
        "setup/lock",
        "setup/article_sender_type",
        "setup/communication_channel",
    ):
        module = yaml.safe_load((MODULES / f"{path}.yaml").read_text())
        module["fields"] = [item for item in module["fields"] if "to" not in item or item["to"] == "state_type"]
        module["relations"] = []
        module.pop("computed_fields", None)
        module["access"] = {"agent": {"view": True}}
        files[path.rpartition("/")[2]] = yaml.safe_dump({**module, "ui": {}, "filters": []})
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, files) as desk, browsing(desk) as browser:
            query = 'mutation { createCase(input: {case: {subject: "Odd", queue: {name: "Raw"}, article: {subject: "s", body: "b"}}}) { case { id } errors { message } } }'
            made = (await desk.data(query))["createCase"]
            assert made["errors"] == []
            page = await browser.get(f"/modules/case/{made['case']['id']}")
            assert page.status == 200
            assert "Odd" in page.main.one("h1").text
            assert len(page.main.all("article")) == 1
            note = await browser.get(f"/modules/case/{made['case']['id']}/desk/note")
            sent = await browser.send_files(note, note.form("/desk/note"), {"subject": "x", "body": "y"})
            assert (sent.status, len(sent.main.all("article"))) == (200, 2)
