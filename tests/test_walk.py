"""The whole product in one walk, on all three databases, with a layout of its own and with one that OTRS 6 made."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.server import Server, running
from schema.catalog import Catalog
from storage.engine import Database
from storage.own_tables import TABLES, WORD_INDEX
from storage.reflect import read_tables
from tests.databases import DIALECTS, foreign_url, fresh_url

pytestmark = pytest.mark.timed

ROOT = Path(__file__).parent.parent
NOTICE_S = 10.0

ASSET = """\
module: {name: asset, singular: Asset, plural: Assets, table: asset}
fields:
  - {name: serial, type: string, label: Serial number, required: true, unique: true, searchable: true}
  - {name: customer, type: reference, to: company, label: Customer}
access: {agent: {view: true}}
"""
TICKET = """\
module: {extend: ticket}
fields:
  - {name: contract_no, type: string, label: Contract, searchable: true}
computed_fields:
  - {name: age_of_change, type: bool, label: Was touched, sql: "change_time > create_time"}
"""
TEN_NEWEST = """{
  tickets(first: 10, orderBy: [{createdAt: DESC}]) {
    nodes {
      number title createdAt queue { name group { name } } owner { login } priority { name } state { name }
      customer { name } customerUser { login } customerUserLogin
    }
  }
}"""
OPEN_BY_QUEUE = """{
  ticketAggregate(filter: {state: {type: {name: {in: ["new", "open", "pending reminder"]}}}}, groupBy: [QUEUE]) {
    count key { queue { id name group { name } tickets(filter: {state: {type: {name: {in: ["new", "open", "pending reminder"]}}}}) { totalCount } } }
  }
}"""
PAGE = """query ($after: String) {
  tickets(first: 7, after: $after, filter: {priority: {databaseId: {gte: 3}}}, orderBy: [{title: ASC}, {createdAt: DESC_NULLS_LAST}]) {
    totalCount pageInfo { endCursor hasNextPage } nodes { databaseId title }
  }
}"""
MODULES = "{ modules { name state files problems { code message file line column hint } } }"


@dataclass
class Desk:
    """A running server, its site folder and its database."""

    server: Server
    site: Path
    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.server.url}/graphql",
            body,
            {"content-type": "application/json", "authorization": self.server.bearer},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def module(self, name: str) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = self.data(MODULES)["modules"]
        return next((item for item in found if item["name"] == name), None)

    def until(self, done: Callable[[], bool], what: str) -> None:
        limit = time.monotonic() + NOTICE_S
        while not done():
            assert time.monotonic() < limit, f"{what}: {self.module('asset')}, {self.module('ticket')}"
            time.sleep(0.02)


def has_state(desk: Desk, name: str, state: str) -> bool:
    module = desk.module(name)
    return module is not None and module["state"] == state


@contextmanager
def serving(folder: Path, url: str, *, demo: bool) -> Iterator[Desk]:
    site = folder / "site"
    site.mkdir()
    settings = {"DATABASE_URL": url, "MODULES_DIR": f"{ROOT / 'modules'}:{site}", "DEMO": "1" if demo else "0"}
    with running(folder, settings) as server:
        yield Desk(server, site, url)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_walk_on_a_database_of_its_own(dialect: str, tmp_path: Path) -> None:
    with fresh_url(dialect, installed=False) as url, serving(tmp_path, url, demo=True) as desk:
        assert desk.data("{ tickets(first: 1) { totalCount } }")["tickets"]["totalCount"] >= 2_000
        walk(desk)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_walk_on_a_database_that_otrs_6_made_leaves_its_tables_as_they_are(dialect: str, tmp_path: Path) -> None:
    with foreign_url(dialect, "otrs6", tickets=120) as url:
        before = catalog(url)
        assert "groups" in before.tables
        with serving(tmp_path, url, demo=False) as desk:
            walk(desk)
        after = catalog(url)
        assert {name: after.tables[name] for name in before.tables} == before.tables
        # SQLite's full-text index is made of tables.
        added = {name for name in set(after.tables) - set(before.tables) if not name.startswith(WORD_INDEX)}
        assert added == {table.name for table in TABLES} | {"lambdesk_ext_ticket", "asset"}


def walk(desk: Desk) -> None:
    ask_for_tickets(desk)
    page_through(desk)
    drop_a_file(desk)
    extend_tickets(desk)
    break_and_mend(desk)


def ask_for_tickets(desk: Desk) -> None:
    newest = desk.data(TEN_NEWEST)["tickets"]["nodes"]
    assert len(newest) == 10
    assert [item["createdAt"] for item in newest] == sorted((item["createdAt"] for item in newest), reverse=True)
    assert all(item["queue"]["group"]["name"] and item["priority"]["name"] and item["state"]["name"] for item in newest)
    assert any(item["customer"] and item["customerUser"]["login"] == item["customerUserLogin"] for item in newest)
    groups = desk.data(OPEN_BY_QUEUE)["ticketAggregate"]
    assert groups
    for group in groups:
        assert group["count"] == group["key"]["queue"]["tickets"]["totalCount"]
        again = desk.data(
            "query ($id: ID!) { node(id: $id) { ... on Queue { name } } }", id=group["key"]["queue"]["id"]
        )
        assert again["node"]["name"] == group["key"]["queue"]["name"]


def page_through(desk: Desk) -> None:
    seen: list[int] = []
    after = None
    for _ in range(3):
        page = desk.data(PAGE, after=after)["tickets"]
        seen += [item["databaseId"] for item in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    straight = desk.data(PAGE.replace("first: 7, after: $after", "first: 21").replace("($after: String)", ""))[
        "tickets"
    ]
    assert seen == [item["databaseId"] for item in straight["nodes"]]
    assert len(set(seen)) == 21


def drop_a_file(desk: Desk) -> None:
    (desk.site / "asset.yaml").write_text(ASSET)
    desk.until(lambda: has_state(desk, "asset", "LIVE"), "the new module serves")
    assert desk.data(
        '{ assets(filter: {customer: {name: {contains: "a"}}}) { totalCount nodes { serial customer { name } } } }'
    ) == {"assets": {"totalCount": 0, "nodes": []}}


def extend_tickets(desk: Desk) -> None:
    (desk.site / "ticket.yaml").write_text(TICKET)
    desk.until(lambda: len((desk.module("ticket") or {"files": []})["files"]) == 2, "the extension serves")
    asyncio.run(add_contract(desk.url))
    found = desk.data('{ tickets(filter: {contractNo: {eq: "C-1"}}) { nodes { databaseId contractNo ageOfChange } } }')
    assert [(item["databaseId"], item["contractNo"]) for item in found["tickets"]["nodes"]] == [(1, "C-1")]
    for wanted in (True, False):
        query = "query ($w: Boolean) { tickets(first: 3, filter: {ageOfChange: {eq: $w}}) { nodes { ageOfChange } } }"
        assert {item["ageOfChange"] for item in desk.data(query, w=wanted)["tickets"]["nodes"]} <= {wanted}
    assert desk.data('{ tickets(search: "C-1") { totalCount } }')["tickets"]["totalCount"] >= 1


async def add_contract(url: str) -> None:
    database = Database(url)
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO lambdesk_ext_ticket (id, contract_no) VALUES (1, 'C-1')")
    await database.close()


def break_and_mend(desk: Desk) -> None:
    (desk.site / "asset.yaml").write_text(ASSET.replace("searchable: true", "serchable: true"))
    desk.until(lambda: has_state(desk, "asset", "STALE"), "the broken file is noticed")
    module = desk.module("asset")
    assert module is not None
    assert [(item["code"], item["line"]) for item in module["problems"]] == [("unknown-key", 3)]
    assert "searchable" in module["problems"][0]["hint"]
    assert desk.data("{ assets { totalCount } }")["assets"]["totalCount"] == 0
    (desk.site / "asset.yaml").write_text(ASSET)
    desk.until(lambda: has_state(desk, "asset", "LIVE"), "the mended file serves")
    (desk.site / "asset.yaml").unlink()
    desk.until(lambda: desk.module("asset") is None, "the removed file takes its module away")
    answer = desk.ask("{ assets { totalCount } }")
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    (desk.site / "ticket.yaml").unlink()
    desk.until(lambda: len((desk.module("ticket") or {"files": [1, 2]})["files"]) == 1, "tickets are as shipped again")


def catalog(url: str) -> Catalog:
    async def look() -> Catalog:
        database = Database(url)
        try:
            return Catalog(await read_tables(database))
        finally:
            await database.close()

    return asyncio.run(look())
