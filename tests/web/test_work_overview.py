"""The overview of queues: what waits where, in numbers that lead to the tickets behind them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from identity.principals import Kind
from tests.web.browsing import Browser, Element, Shown
from tests.web.desk_at_work import AGENT, at_work, count_operations, signed_in
from tests.web.real import Desk
from tests.web.test_pages_xss import check
from web.pages.work_queues import tree_of

QUEUE = """
mutation ($queues: [QueueCreate!]!) { createQueues(input: {queues: $queues}) { affected errors { message } } }
"""
SUPPORT = {"group": {"name": "support"}, "systemAddress": {"databaseId": 1}, "salutation": {"databaseId": 1}, "signature": {"databaseId": 1}}  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path, tickets=200) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Browser]:
    async with signed_in(desk, AGENT) as browser:
        yield browser


def rows_of(page: Shown) -> dict[str, list[Element]]:
    """Return the cells with numbers by the full name of the queue."""
    rows = page.main.one("tbody").all("tr")
    return {row.one("th").attributes.get("title", row.one("th").text): row.all("td") for row in rows}


async def test_every_number_leads_to_as_many_tickets(agent: Browser) -> None:
    page = await agent.get("/desk")
    links = page.main.all("a", class_="count") + page.main.all("a", class_="tile")
    assert len(links) > 20
    for link in links:
        address = link.attributes["href"]
        told = int(link.text.split()[0].replace(",", ""))
        listed = await agent.get(address)
        assert not listed.main.all(class_="warned"), address
        counted = await agent.get(address.replace("?", "/count?", 1))
        assert int(counted.text.split()[0].replace(",", "")) == told, (address, told)


async def test_the_numbers_of_queues_add_up_to_those_of_all(agent: Browser) -> None:
    rows = rows_of(await agent.get("/desk"))
    total = [int(cell.text) for cell in rows.pop("All queues")]
    assert len(total) == 5
    assert [sum(int(cells[place].text or 0) for cells in rows.values()) for place in range(5)] == total


async def test_queues_without_rights_are_not_there(desk: Desk, agent: Browser) -> None:
    secret = {"name": "Board::Secret", **SUPPORT, "group": {"name": "admin"}}
    await desk.data(QUEUE, queues=[secret, {"name": "Support::Open", **SUPPORT}])
    names = set(rows_of(await agent.get("/desk?every=1")))
    assert "Support::Open" in names
    assert not {name for name in names if name.startswith("Board")}


async def test_empty_queues_are_shown_where_one_asks_for_them(desk: Desk, agent: Browser) -> None:
    await desk.data(QUEUE, queues=[{"name": "Support::Empty::Below", **SUPPORT}])
    assert "Support::Empty::Below" not in rows_of(await agent.get("/desk"))
    page = await agent.get("/desk?every=1")
    rows = rows_of(page)
    assert [cell.text for cell in rows["Support::Empty::Below"]] == ["0"] * 5
    assert [cell.text for cell in rows["Support::Empty"]] == [""] * 5  # is no queue, and stands above one


async def test_a_hundred_and_twenty_queues_are_one_operation(
    desk: Desk, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.data(QUEUE, queues=[{"name": f"Team {place:03}::Inbox", **SUPPORT} for place in range(120)])
    asked = count_operations(monkeypatch)
    rows = rows_of(await agent.get("/desk?every=1"))
    assert len([name for name in rows if name.endswith("::Inbox")]) == 120
    assert asked == ["Overview"]


async def test_the_overview_is_found_in_menu_and_palette_and_at_home(agent: Browser) -> None:
    home = await agent.get("/")
    assert home.one("nav").all("a", href="/desk")
    assert home.main.all("a", href="/desk")
    assert home.all("li", data_url="/desk")
    assert (await agent.get("/desk")).one("nav").one("a", href="/desk").attributes["aria-current"] == "page"


async def test_customers_and_desks_without_tickets_have_no_overview(desk: Desk) -> None:
    login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0]["login"]
    async with signed_in(desk, login, Kind.CUSTOMER) as browser:
        assert (await browser.get("/desk")).status == 404


async def test_the_overview_speaks_german(desk: Desk) -> None:
    async with signed_in(desk, AGENT, Kind.AGENT, **{"accept-language": "de"}) as browser:
        page = await browser.get("/desk")
    assert page.main.one("h1").text == "Queue-Übersicht"
    heads = [cell.text for cell in page.main.one("thead").all("th")]
    assert heads == ["Queue", "Neu", "Offen", "Wartend", "Eskaliert", "Frei"]


async def test_names_of_queues_are_texts(desk: Desk, agent: Browser) -> None:
    names = ['"><script>hit()</script>', "<img src=x onerror=hit()>", "' onfocus=hit() x='", "{{ 7*7 }}"]
    await desk.data(QUEUE, queues=[{"name": name, **SUPPORT} for name in names])
    page = await agent.get("/desk?every=1")
    check(page, "/desk")
    assert set(names) <= set(rows_of(page))


def test_a_tree_has_queues_below_their_parents() -> None:
    counts: dict[str, Any] = {"new": {"B::b": 2}, "open": {"a": 1, "B::b": 0}}
    nodes = tree_of(["a", "B", "C"], counts, every=False)
    assert [(node.name, node.label, node.depth, node.is_known, dict(node.counts)) for node in nodes] == [
        ("a", "a", 0, True, {"open": 1}),
        ("B", "B", 0, True, {}),
        ("B::b", "b", 1, True, {"new": 2}),
    ]
    assert [node.name for node in tree_of(["a", "B", "C"], counts, every=True)] == ["a", "B", "B::b", "C"]


async def test_the_list_of_tickets_says_how_urgent_they_are(tmp_path: Path) -> None:
    async with at_work(tmp_path, tickets=40, lambda_workers=1) as desk, signed_in(desk, AGENT) as browser:
        page = await browser.get("/modules/ticket?f.state=open")
        assert "Urgency" in page.main.one("thead").text
        assert page.main.one("tbody").all(class_="tone")
        assert not page.main.all(class_="unreadable")


async def test_a_page_has_one_place_where_changes_are_said(agent: Browser) -> None:
    assert len((await agent.get("/desk")).all(id="said")) == 1
