"""The dashboard: numbers from the API's aggregates that lead to what they count, and charts with their tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from identity.principals import Kind
from tests.web.browsing import Browser, Shown
from tests.web.desk_at_work import AGENT, at_work, count_operations, signed_in
from tests.web.real import Desk
from tests.web.test_pages_xss import check
from tests.web.test_work_overview import QUEUE, SUPPORT


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_work(tmp_path, tickets=200) as opened:
        yield opened


@pytest.fixture
async def agent(desk: Desk) -> AsyncIterator[Browser]:
    async with signed_in(desk, AGENT) as browser:
        yield browser


def number(text: str) -> int:
    return int(text.split(maxsplit=1)[0].replace(",", ""))


def part(page: Shown, heading: str) -> list[tuple[str, int]]:
    """Return the rows of a table with bars."""
    section = next(item for item in page.main.all("section") if item.attributes.get("aria-labelledby") == heading)
    return [(row.one("th").text, number(row.all("td")[0].text)) for row in section.one("tbody").all("tr")]


async def test_every_number_leads_to_as_many_rows(agent: Browser) -> None:
    page = await agent.get("/dashboard")
    links = page.main.one("table", id="days-table").all("a")
    links = links[:6] + [link for table in page.main.all("table", class_="bars") for link in table.all("a")]
    assert len(links) > 12
    for link in links:
        address = link.attributes["href"]
        listed = await agent.get(address)
        assert not listed.main.all(class_="warned"), (address, listed.main.text[:200])
        counted = await agent.get(address.replace("?", "/count?", 1))
        assert number(counted.text) == number(link.text), address


async def test_queues_and_ages_add_up_to_what_is_open(agent: Browser) -> None:
    page = await agent.get("/dashboard")
    total = number(page.main.one("a", class_="link").text)
    rest = [number(item.text.rpartition(" ")[2]) for item in page.main.all("p") if item.text.startswith("In other")]

    assert sum(count for _, count in part(page, "dash-ages")) == total
    assert sum(count for _, count in part(page, "dash-queues")) + sum(rest) == total


async def test_a_ticket_that_is_closed_counts_on_its_day(desk: Desk, agent: Browser) -> None:
    def newest(page: Shown) -> list[int]:
        cells = page.main.one("table", id="days-table").one("tbody").all("tr")[0].all("td")
        return [number(cell.text) for cell in cells]

    created, closed = newest(await agent.get("/dashboard"))
    found = await desk.data(
        '{ tickets(first: 1, filter: {state: {type: {name: {eq: "open"}}}, queue: {group: {name: {eq: "support"}}}}) { nodes { id } } }'
    )
    await desk.data(
        'mutation ($id: ID!) { updateTicket(input: {key: {id: $id}, patch: {state: {name: "closed successful"}}}) { errors { message } } }',
        id=found["tickets"]["nodes"][0]["id"],
    )
    assert newest(await agent.get("/dashboard")) == [created, closed + 1]


async def test_the_table_behind_the_chart_has_thirty_days(agent: Browser) -> None:
    page = await agent.get("/dashboard")
    table = page.main.one("table", id="days-table")

    assert len(table.one("tbody").all("tr")) == 30
    assert [head.text for head in table.one("thead").all("th")] == ["Day", "Created", "Closed"]
    assert page.main.one(class_="chart").attributes["data-of"] == "days-table"
    assert "hidden" in page.main.one(class_="chart").attributes  # until a script draws it
    assert "counts twice" in page.main.text


async def test_it_is_one_operation_for_agents_and_one_more_for_administrators(
    desk: Desk, agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_operations(monkeypatch)
    page = await agent.get("/dashboard")
    assert asked == ["Dashboard"]
    assert not page.main.all(id="dash-server")

    async with signed_in(desk, "root@localhost") as administrator:
        asked.clear()
        page = await administrator.get("/dashboard")
    assert asked == ["Dashboard", "Server"]
    assert page.main.one(id="dash-server")
    assert "live" in page.main.text


async def test_tickets_that_one_may_not_see_are_not_counted(desk: Desk, agent: Browser) -> None:
    before = part(await agent.get("/dashboard"), "dash-queues")
    await desk.data(QUEUE, queues=[{"name": "Board", **SUPPORT, "group": {"name": "admin"}}])
    made = await desk.data(
        'mutation { createTicket(input: {ticket: {title: "Secret", queue: {name: "Board"}, customer: {id: "x"}}}) { errors { message } } }'
    )
    assert made["createTicket"] is not None
    assert part(await agent.get("/dashboard"), "dash-queues") == before


async def test_customers_have_no_dashboard(desk: Desk) -> None:
    login = (await desk.data("{ customerUsers(first: 1) { nodes { login } } }"))["customerUsers"]["nodes"][0]["login"]
    async with signed_in(desk, login, Kind.CUSTOMER) as browser:
        assert (await browser.get("/dashboard")).status == 404


async def test_names_of_queues_are_texts(desk: Desk, agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.dashboard_query.MOST_QUEUES", 100)
    names = ['"><script>hit()</script>', "<img src=x onerror=hit()>", "' onfocus=hit() x='", "{{ 7*7 }}", "</table>"]
    await desk.data(QUEUE, queues=[{"name": name, **SUPPORT} for name in names])
    for name in names:
        await desk.data(
            'mutation ($q: String!) { createTicket(input: {ticket: {title: "x", queue: {name: $q}}}) { errors { message } } }',
            q=name,
        )
    page = await agent.get("/dashboard")
    check(page, "/dashboard")
    assert page.main.text.count("hit()") >= 3
