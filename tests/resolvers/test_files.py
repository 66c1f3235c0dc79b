"""Fields that are files, on an installed desk: what rows say of them, who gets their bytes, and that lists read none."""

import asyncio
import random
from base64 import encodebytes
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import parse, validate

from resolvers.context import Context
from resolvers.execute import execute
from resolvers.files import READ_AT_ONCE, Download, open_file
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.spec import Audience
from storage.engine import Database
from storage.file_claims import Owner, StoredFile, claim
from storage.files import Files
from storage.library import Library
from tests.callers import everything
from tests.databases import DIALECTS, fresh_url
from web.lifecycle import build

MODULES = Path(__file__).parents[2] / "modules"
ASSET = """
module: {name: asset}
fields:
  - {name: name, type: string, required: true}
  - {name: scan, type: file}
  - {name: box, type: file, name_column: box_name}
  - {name: box_name, type: string}
  - {name: next, type: reference, to: asset}
access: {agent: {view: true}, customer: {view: true}, fields: {box: {customer: false}}}
"""
TICKET = "module: {extend: ticket}\nfields: [{name: contract, type: file}]\n"
OWNER = Owner("agent", 1)
BYTES = random.Random(3).randbytes(2 * READ_AT_ONCE + 1)


@dataclass
class Desk:
    database: Database
    snapshot: Snapshot
    files: Files
    scan: StoredFile
    seen: list[str]

    async def ask(self, query: str, audience: Audience = Audience.AGENT) -> Any:
        document = parse(query)
        context = Context(self.snapshot, self.database, b"secret", everything(audience))
        assert not validate(context.schema, document)
        result = await execute(context, document)
        assert not result.errors, result.errors
        return result.data

    async def id_of(self, query: str) -> str:
        """The global id of the row that a root finds."""
        found: str = (await self.ask(f"{{row: {query} {{id}}}}"))["row"]["id"]
        return found

    async def bytes_of(
        self, row_id: str, field: str, audience: Audience = Audience.AGENT
    ) -> tuple[Download, bytes] | None:
        context = Context(self.snapshot, self.database, b"secret", everything(audience))
        async with open_file(context, self.files, row_id, field) as found:
            if found is None:
                return None
            content = b"".join([part async for part in found.read(0, found.size)])
            assert content[5:9] == b"".join([part async for part in found.read(5, 9)])
            return found, content


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    site = tmp_path_factory.mktemp("site")
    (site / "asset.yaml").write_text(ASSET)
    (site / "ticket.yaml").write_text(TICKET)
    with fresh_url(request.param) as found:
        asyncio.run(fill(found, site))
        yield found, site


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def load(database: Database, site: Path) -> Snapshot:
    registry = Registry([MODULES, site], Library(database), build)
    await registry.start()
    assert registry.snapshot.problems == ()
    return registry.snapshot


async def fill(url: str, site: Path) -> None:
    """Three assets: with both files, with an id that leads nowhere, with nothing; a ticket with an attachment and a contract."""
    database = Database(url)
    try:
        await load(database, site)
        files = Files(database)
        scan = await files.store(pieces(b"scanned"), name="Plan ä.pdf", owner=OWNER, sniff=lambda _: "application/pdf")
        is_text = database.dialect.name == "postgresql"
        async with database.transaction() as transaction:
            await claim(transaction, scan.id, OWNER, module="asset", row_key="[1]", field="scan")
            for row in (
                {"name": "full", "scan": scan.id, "box": stored(BYTES, is_text=is_text), "box_name": "a/b.bin"},
                {"name": "dangling", "scan": "A" * 43, "box": stored(b"", is_text=is_text), "box_name": None},
                {"name": "empty", "scan": None, "box": None, "box_name": "x"},
            ):
                await transaction.execute(insert("asset", {**row, "create_by": 1, "change_by": 1, **moments()}))
            await attach(transaction, scan, is_text=is_text)
    finally:
        await database.close()


async def attach(transaction: Any, scan: StoredFile, *, is_text: bool) -> None:
    ((article, ticket),) = await transaction.execute("SELECT id, ticket_id FROM article")
    for name, content, size in (("brief.txt", b"Dear Sir", "8"), (None, BYTES, "12 KBytes")):
        values = {
            "article_id": article,
            "filename": name,
            "content_size": size,
            "content_type": "text/plain; charset=x",
        }
        values |= {"content": stored(content, is_text=is_text), "create_by": 1, "change_by": 1}
        await transaction.execute(insert("article_data_mime_attachment", {**values, **moments()}))
    await transaction.execute(insert("lambdesk_ext_ticket", {"id": ticket, "contract": scan.id}))


def stored(content: bytes, *, is_text: bool) -> bytes | str:
    """Bytes as OTRS keeps them: base64 in lines on PostgreSQL."""
    return encodebytes(content).decode() if is_text else content


def moments() -> dict[str, Any]:
    return {"create_time": sa.func.current_timestamp(), "change_time": sa.func.current_timestamp()}


def insert(table: str, values: dict[str, Any]) -> sa.Insert:
    return sa.insert(sa.table(table, *map(sa.column, values))).values(values)


@pytest.fixture
async def desk(url: tuple[str, Path]) -> AsyncIterator[Desk]:
    database = Database(url[0])
    files = Files(database)
    snapshot = await load(database, url[1])
    ((scan_id,),) = await database.fetch("SELECT id FROM lambdesk_file")
    scan = await files.find(scan_id)
    assert scan is not None
    seen: list[str] = []
    database.statements = seen.append
    yield Desk(database, snapshot, files, scan, seen)
    await database.close()


ALL = "{assets(orderBy: [{databaseId: ASC}]) {nodes {id %s}}}"


async def test_a_row_says_what_its_file_is_called_how_large_it_is_and_where(desk: Desk) -> None:
    nodes = (await desk.ask(ALL % "scan {name size contentType url}"))["assets"]["nodes"]

    said = {"name": "Plan ä.pdf", "size": 7, "contentType": "application/pdf", "url": f"/files/{nodes[0]['id']}/scan"}
    assert [node["scan"] for node in nodes] == [said, None, None]


async def test_bytes_in_a_column_are_described_by_the_columns_beside_them(desk: Desk) -> None:
    nodes = (await desk.ask(ALL % "box {name size contentType}"))["assets"]["nodes"]

    unknown = {"size": None, "contentType": "application/octet-stream"}
    assert [node["box"] for node in nodes] == [{"name": "a/b.bin", **unknown}, {"name": "unnamed", **unknown}, None]


async def test_attachments_of_otrs_are_files(desk: Desk) -> None:
    found = await desk.ask(
        "{articleAttachments(orderBy: [{databaseId: ASC}]) {nodes {content {name size contentType}}}}"
    )

    assert [node["content"] for node in found["articleAttachments"]["nodes"]] == [
        {"name": "brief.txt", "size": 8, "contentType": "text/plain; charset=x"},
        {"name": "unnamed", "size": None, "contentType": "text/plain; charset=x"},
    ]


async def test_a_list_reads_no_bytes_and_costs_one_statement(desk: Desk) -> None:
    desk.seen.clear()

    await desk.ask(ALL % "version scan {name} box {name} next {scan {name} box {url}}")

    assert len(desk.seen) == 1
    selected = desk.seen[0].partition("FROM")[0].replace('"', "").replace("`", "")
    assert "lambdesk_file_part" not in desk.seen[0]
    assert selected.count(".box IS NOT NULL") == selected.count(".box ") > 0


async def test_a_file_is_filtered_by_whether_there_is_one(desk: Desk) -> None:
    found = await desk.ask(
        """{
            with: assets(filter: {scan: {isNull: false}}) {nodes {name}}
            without: assets(filter: {scan: {isNull: true}}, orderBy: [{databaseId: ASC}]) {nodes {name}}
            boxed: assets(filter: {box: {isNull: false}}, orderBy: [{databaseId: ASC}]) {nodes {name}}
        }"""
    )

    names = {key: [node["name"] for node in page["nodes"]] for key, page in found.items()}
    assert names == {"with": ["full"], "without": ["dangling", "empty"], "boxed": ["full", "dangling"]}


async def test_a_row_that_gets_another_file_has_another_version(desk: Desk) -> None:
    query = '{assets(filter: {name: {eq: "empty"}}) {nodes {version}}}'
    before = await desk.ask(query)
    async with AsyncExitStack() as undo:
        async with desk.database.transaction() as transaction:
            asset = sa.table("asset", sa.column("scan"), sa.column("name"))
            await transaction.change(sa.update(asset).where(asset.c.name == "empty").values(scan=desk.scan.id))
        undo.push_async_callback(set_back, desk.database)
        after = await desk.ask(query)

    assert before != after
    assert await desk.ask(query) == before


async def set_back(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE asset SET scan = NULL WHERE name = 'empty'")


async def test_whoever_may_read_the_field_gets_the_bytes(desk: Desk) -> None:
    asset = await desk.id_of("asset(by: {databaseId: 1})")

    assert [found and found[1] for found in [await desk.bytes_of(asset, "scan")]] == [b"scanned"]
    boxed = await desk.bytes_of(asset, "box")
    assert boxed is not None
    assert (boxed[1] == BYTES, boxed[0].size, boxed[0].name) == (True, len(BYTES), "a/b.bin")


async def test_bytes_of_attachments_come_as_they_were_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.files.LETTERS_AT_ONCE", 100_001)  # not a multiple of what base64 works by
    first, second = [
        await desk.bytes_of(await desk.id_of(f"articleAttachment(by: {{databaseId: {number}}})"), "content")
        for number in (1, 2)
    ]

    assert first is not None
    assert second is not None
    assert (first[1], second[1] == BYTES) == (b"Dear Sir", True)


async def test_a_file_beside_a_ticket_is_read_like_any_other(desk: Desk) -> None:
    ticket = await desk.id_of("ticket(by: {databaseId: 1})")

    found = await desk.bytes_of(ticket, "contract")

    assert found is not None
    assert found[1] == b"scanned"


async def test_an_empty_column_of_bytes_is_an_empty_file(desk: Desk) -> None:
    found = await desk.bytes_of(await desk.id_of("asset(by: {databaseId: 2})"), "box")

    assert found is not None
    assert (found[0].size, found[1]) == (0, b"")


async def test_what_cannot_be_read_is_not_there_whatever_the_reason(desk: Desk) -> None:
    full, empty = [await desk.id_of(f"asset(by: {{databaseId: {number}}})") for number in (1, 3)]
    agent = [
        ("no id at all", "scan"),
        ("", "scan"),
        (full[:-2], "scan"),
        (full, "name"),
        (full, "nothing"),
        (full, "id"),
        (full, "__typename"),
        (full, "scan { name } x: scan"),
        (empty, "scan"),
        (empty, "box"),
        (await desk.id_of("queue(by: {databaseId: 1})"), "scan"),
    ]
    assert [await desk.bytes_of(*asked) for asked in agent] == [None] * len(agent)
    # The customers' schema has the asset and not its box, and no attachments of others' tickets would be in it at all.
    assert await desk.bytes_of(full, "box", Audience.CUSTOMER) is None
    assert await desk.bytes_of(full, "scan", Audience.CUSTOMER) is not None


async def test_a_row_with_files_is_changed_without_reading_or_keeping_their_bytes(desk: Desk) -> None:
    patch = 'input: {key: {databaseId: 2}, patch: {name: "%s"}}'
    rename = f"mutation {{updateAsset({patch}) {{asset {{name}} errors {{message}}}}}}"
    desk.seen.clear()

    found = await desk.ask(rename % "other")
    read = [text.partition("FROM")[0].replace('"', "").replace("`", "") for text in desk.seen if "SELECT" in text]
    history = await desk.database.fetch("SELECT fields FROM lambdesk_change")
    await desk.ask(rename % "dangling")

    assert found["updateAsset"] == {"asset": {"name": "other"}, "errors": []}
    assert all(text.count(".box IS NOT NULL") == text.count(".box ") for text in read)
    assert len(history) == 1
    text = history[0][0].decode() if isinstance(history[0][0], bytes) else history[0][0]
    assert "box" not in text.replace("boxName", "")
