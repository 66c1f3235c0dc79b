"""Home: what somebody does next, with the lists behind it, and then the modules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.principals import Kind
from tests.databases import fresh_url
from tests.web.browsing import Browser, Element, Shown
from tests.web.desk_at_work import AGENT, at_work, count_operations, signed_in
from tests.web.real import ROOM, Desk, open_desk
from tests.web.test_dashboard import number
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path, tickets=200) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Browser]:
    async with signed_in(desk, AGENT) as browser:
        yield browser


def board(page: Shown, name: str) -> Element:
    return next(item for item in page.main.all("section") if item.attributes.get("aria-labelledby") == f"next-{name}")


async def test_an_agent_finds_his_open_tickets_and_those_that_are_new(desk: Desk, agent: Browser) -> None:
    page = await agent.get("/")
    mine = board(page, "mine")
    listed = mine.all("li")
    assert 0 < len(listed) <= 6
    found = await agent.get(listed[0].one("a").attributes["href"])
    assert found.status == 200

    viewable = '["new", "open", "pending reminder", "pending auto"]'
    own = await desk.data(
        f"query ($me: String!) {{ tickets(first: 200, filter: {{owner: {{login: {{eq: $me}}}}, state: {{type: {{name: {{in: {viewable}}}}}}}}}) {{ nodes {{ title }} }} }}",
        me=AGENT,
    )
    titles = [" ".join(row["title"].split()) for row in own["tickets"]["nodes"]]
    assert len(listed) == min(6, len(titles))
    assert {item.one("a").text for item in listed} <= set(titles)
    assert board(page, "newest").all("li")


async def test_numbers_of_the_queues_lead_to_their_tickets(agent: Browser) -> None:
    page = await agent.get("/")
    tiles = page.main.all("a", class_="tile")
    assert len(tiles) == 5
    for tile in tiles:
        counted = await agent.get(tile.attributes["href"].replace("?", "/count?", 1))
        assert number(counted.text) == number(tile.text)


async def test_reminders_come_when_they_are_due(desk: Desk, agent: Browser) -> None:
    assert not [item for item in (await agent.get("/")).main.all("h2") if item.text == "Reminders that are due"]
    update = """mutation ($id: ID!, $at: DateTime!, $title: String!) { updateTicket(input: {key: {id: $id}, patch:
      {title: $title, state: {name: "pending reminder"}, pendingUntil: $at}}) { errors { message } } }"""
    mine = await desk.data(
        "query ($me: String!) { tickets(first: 2, filter: {owner: {login: {eq: $me}}}) { nodes { id } } }", me=AGENT
    )
    for row, title in zip(mine["tickets"]["nodes"], ("Later on", "Now it is"), strict=True):
        answer = await desk.data(update, id=row["id"], at="2037-01-01T00:00:00Z", title=title)
        assert answer["updateTicket"]["errors"] == []
    number_ = (await desk.data('{ tickets(filter: {title: {eq: "Now it is"}}) { nodes { databaseId } } }'))["tickets"]
    async with desk.identities.database.transaction() as transaction:  # the time has gone by
        key = number_["nodes"][0]["databaseId"]
        await transaction.execute(f"UPDATE ticket SET until_time = 1600000000 WHERE id = {key}")  # noqa: S608 - a number of ours
    told = board(await agent.get("/"), "due").text
    assert "Now it is" in told
    assert "Later on" not in told


async def test_drafts_are_shown_to_their_writer_alone(desk: Desk, agent: Browser) -> None:
    assert not [item for item in (await agent.get("/")).main.all("h2") if item.text == "Your drafts"]
    await desk.data(
        """mutation { saveDraft(input: {place: "/modules/ticket/x/reply", content: {body: "Dear Ada, the lamp"}}) { errors { message } } }"""
    )
    assert not [item for item in (await agent.get("/")).main.all("h2") if item.text == "Your drafts"]
    async with signed_in(desk, "root@localhost") as writer:
        shown = board(await writer.get("/"), "drafts")
    assert shown.one("a").text == "Dear Ada, the lamp"
    assert shown.one("a").attributes["href"] == "/modules/ticket/x/reply"


async def test_home_is_one_operation_and_one_more_for_administrators(
    desk: Desk, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_operations(monkeypatch)
    await agent.get("/")
    assert asked == ["Home"]
    async with signed_in(desk, "root@localhost") as administrator:
        asked.clear()
        await administrator.get("/")
        assert asked == ["Home", "HomeServer"]


async def test_a_customer_begins_with_her_own_tickets(desk: Desk) -> None:
    found = await desk.data("{ tickets(first: 200) { nodes { title customerUser { login } } } }")
    ticket = next(row for row in found["tickets"]["nodes"] if row["customerUser"])
    async with signed_in(desk, ticket["customerUser"]["login"], Kind.CUSTOMER) as browser:
        page = await browser.get("/")
    assert (page.status, page.url.rpartition("/")[2]) == (200, "my")


async def test_administrators_are_told_of_broken_modules(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with (
            open_desk(url, tmp_path, {"room": ROOM, "lamp": "module: {name: lamp"}) as desk,
            signed_in(desk, "root@localhost") as browser,
        ):
            page = await browser.get("/")
    assert "1 module is broken." in page.main.text
    assert "Rooms" in page.main.text  # a desk without tickets has its modules


async def test_titles_of_tickets_and_drafts_are_texts(desk: Desk, agent: Browser) -> None:
    rows = await desk.data('{ tickets(first: 30, filter: {state: {type: {name: {eq: "new"}}}}) { nodes { id } } }')
    update = "mutation ($id: ID!, $t: String!) { updateTicket(input: {key: {id: $id}, patch: {title: $t}}) { errors { message } } }"
    for row, payload in zip(rows["tickets"]["nodes"], PAYLOADS, strict=False):
        await desk.data(update, id=row["id"], t=payload)
    page = await agent.get("/")
    check(page, "/")
    assert "hit()" in page.main.text
