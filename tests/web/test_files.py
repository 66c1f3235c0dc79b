"""`/files` over HTTP: uploads that are capped, paced and told by their bytes; downloads for readers of the field only."""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from storage.engine import Database
from storage.file_claims import Owner, claim
from storage.own_tables import FILE, FILE_PART
from storage.transaction import Transaction
from tests.databases import fresh_url
from tests.web.real import sign_in
from web import downloads
from web.app import create_app
from web.lifecycle import make_live
from web.live import Live
from web.settings import Settings

ASSET = """
module: {name: asset}
fields:
  - {name: name, type: string}
  - {name: scan, type: file}
  - {name: box, type: file, name_column: box_name, type_column: box_type}
  - {name: box_name, type: string}
  - {name: box_type, type: string}
"""
LIMIT = 600_000
OWN = Owner("agent", 1)  # the client is signed in as the first agent
NOT_THERE = "There is nothing at this address."
BYTES = random.Random(5).randbytes(400_000)
HTML = b"<!doctype html><script>alert(1)</script>"


@dataclass
class Desk:
    live: Live
    app: Starlette
    client: httpx.AsyncClient
    database: Database

    async def upload(self, content: Any = b"hello", path: str = "/files?name=a.txt", **more: Any) -> httpx.Response:
        return await self.client.post(path, content=content, **more)

    async def row(self, content: bytes, name: str = "a.txt", number: int = 1) -> str:
        """Give an uploaded file to a row and return its address."""
        stored = (await self.upload(content, f"/files?name={name}")).json()
        async with self.database.transaction() as transaction:
            await add_row(transaction, number, scan=stored["id"])
            await claim(transaction, stored["id"], OWN, module="asset", row_key=f"[{number}]", field="scan")
        return await self.url(number)

    async def url(self, number: int, field: str = "scan") -> str:
        query = f"{{asset(by: {{databaseId: {number}}}) {{{field} {{url}}}}}}"
        answer = (await self.client.post("/graphql", json={"query": query})).json()
        found: str = answer["data"]["asset"][field]["url"]
        return found

    async def left(self) -> tuple[int, int]:
        return await self._count(FILE), await self._count(FILE_PART)

    async def _count(self, table: sa.Table) -> int:
        return int((await self.database.fetch(sa.select(sa.func.count()).select_from(table)))[0][0])


async def add_row(transaction: Transaction, number: int, **values: Any) -> None:
    now = "2026-06-01 12:00:00"
    row = {"id": number, **values, "create_time": now, "create_by": 1, "change_time": now, "change_by": 1}
    await transaction.change(sa.insert(sa.table("asset", *map(sa.column, row))).values(row))


Open = Callable[..., Any]


async def first_snapshot(live: Live) -> None:
    if not live.registry.is_loaded:
        await anext(live.registry.changes())


@pytest.fixture
async def open_desk(tmp_path: Path) -> AsyncIterator[Open]:
    """Open a real server, without a socket, on SQLite."""
    (tmp_path / "asset.yaml").write_text(ASSET)
    with fresh_url("sqlite") as url:
        opened: list[Any] = []

        async def make(**changed: Any) -> Desk:
            given = {"database_url": url, "modules_dir": (tmp_path,), "var_dir": tmp_path / "var", "watch": "off"}
            settings = Settings(**{**given, "file_bytes": LIMIT, **changed})
            live = make_live(settings)
            app = create_app(settings, live)
            running = app.router.lifespan_context(app)
            await running.__aenter__()
            database = Database(url)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")
            opened.extend((client.aclose, lambda: running.__aexit__(None, None, None), database.close))
            async with asyncio.timeout(30):
                await first_snapshot(live)
            client.headers["authorization"] = f"Bearer {(await sign_in(live)).access_token}"
            return Desk(live, app, client, database)

        yield make
        for close in opened:
            await close()


@pytest.fixture
async def desk(open_desk: Open) -> Desk:
    found: Desk = await open_desk()
    return found


async def pieces(*parts: bytes, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause_s)
        yield part


# --- uploads ---


async def test_an_upload_is_answered_with_what_it_is(desk: Desk) -> None:
    answer = await desk.upload(BYTES, "/files?name=../Pl%C3%A4ne.bin", headers={"content-type": "text/html"})

    said = answer.json()
    assert answer.status_code == 201
    assert len(said.pop("id")) == 43
    assert said == {
        "name": "Pläne.bin",
        "size": len(BYTES),
        "contentType": "application/octet-stream",
        "sha256": hashlib.sha256(BYTES).hexdigest(),
    }


async def test_the_name_may_stand_in_a_header_or_be_missing(desk: Desk) -> None:
    named = await desk.upload(path="/files", headers={"content-disposition": "attachment; filename*=UTF-8''%C3%A4.txt"})
    unnamed = await desk.upload(path="/files")

    assert [named.json()["name"], unnamed.json()["name"]] == ["ä.txt", "unnamed"]


async def test_a_form_may_hold_one_file_beside_other_fields(desk: Desk) -> None:
    answer = await desk.client.post("/files", files={"scan": ("ä.png", BYTES, "image/png")}, data={"note": "x" * 100})

    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["sha256"]) == ("ä.png", hashlib.sha256(BYTES).hexdigest())


FORM = {"content-type": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\nhello\r\n'
FORMS = {
    "no file": (FORM, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nhello\r\n--b--\r\n', "Send one file in one form."),
    "two files": (FORM, PART + PART + b"--b--\r\n", "Send one file in one form."),
    "no end": (FORM, PART, "The form ended early."),
    "nothing": (FORM, b"", "The form ended early."),
    "another boundary": (FORM, b"--c\r\n\r\n", "The body is no form."),
    "too many headers": (FORM, b"--b\r\n" + b"X-A: 1\r\n" * 50 + b"\r\n", "The body is no form."),
    "an endless header": (FORM, b"--b\r\nX-A: " + b"a" * 100_000, "The body is no form."),
    "too many fields": (FORM, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 30, "Send one file in one form."),
    "an endless boundary": (
        {"content-type": f"multipart/form-data; boundary={'b' * 300}"}, b"", "The form's boundary cannot be used.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
async def test_a_form_is_refused_with(desk: Desk, case: str) -> None:
    headers, body, message = FORMS[case]

    answer = await desk.upload(body, "/files", headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)
    assert await desk.left() == (0, 0)


async def test_a_file_above_the_cap_is_refused_while_it_arrives(desk: Desk) -> None:
    sent: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(1)
            yield bytes(50_000)

    answers = [
        await desk.upload(bytes(LIMIT + 1)),
        await desk.upload(endless()),
        await desk.client.post("/files", files={"a": ("a", bytes(LIMIT + 1))}),
    ]

    assert [answer.status_code for answer in answers] == [413, 413, 413]
    assert {answer.json()["errors"][0]["message"] for answer in answers} == {f"The body is longer than {LIMIT} bytes."}
    assert len(sent) < 20
    assert await desk.left() == (0, 0)
    assert (await desk.upload(bytes(LIMIT))).status_code == 201


async def test_an_upload_that_takes_too_long_is_refused(open_desk: Open) -> None:
    desk = await open_desk(file_seconds=0.15)

    answer = await desk.upload(pieces(*[b"x" * 1000] * 50, pause_s=0.05))

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (408, "TIMEOUT")
    assert await desk.left() == (0, 0)


async def test_a_client_that_goes_away_leaves_nothing(desk: Desk) -> None:
    messages = [
        {"type": "http.request", "body": bytes(300_000), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await desk.app(scope_of(desk, "POST", "/files"), receive, send)

    assert sent[0]["status"] == 400
    assert await desk.left() == (0, 0)


def scope_of(desk: Desk, method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", desk.client.headers["authorization"].encode())],
        "server": ("localhost", 8000),
    }


async def test_pages_of_other_sites_upload_nothing_and_compressed_bodies_are_refused(desk: Desk) -> None:
    for headers, status in (
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site", "cookie": "a=b"}, 403),
        ({"content-encoding": "gzip"}, 415),
        ({"origin": "http://localhost:8000"}, 201),
    ):
        assert (await desk.upload(headers=headers)).status_code == status
    assert (await desk.client.get("/files")).status_code == 405
    assert (await desk.client.get("/files")).headers["allow"] == "POST"


async def test_more_uploads_than_there_are_places_wait_and_are_told_to_come_again(open_desk: Open) -> None:
    desk = await open_desk(file_transfers=1, queue_seconds=0.05)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        begun.set()
        await goes_on.wait()

    first = asyncio.ensure_future(desk.upload(slow()))
    await begun.wait()
    second = await desk.upload()
    goes_on.set()

    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert (await first).status_code == 201


async def test_a_folder_that_cannot_be_used_is_told_without_its_path(open_desk: Open, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("in the way")
    desk = await open_desk(files_dir=tmp_path / "taken")

    answer = await desk.upload()

    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (503, "The file cannot be kept. Try again.")


# --- downloads ---


async def test_a_download_is_what_was_uploaded_and_is_always_to_be_saved(desk: Desk) -> None:
    url = await desk.row(HTML, "innocent.png")

    answer = await desk.client.get(url)

    assert (answer.status_code, answer.content) == (200, HTML)
    wanted = {
        "content-type": "text/html",
        "content-disposition": "attachment; filename=\"innocent.png\"; filename*=UTF-8''innocent.png",
        "content-length": str(len(HTML)),
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "etag": f'"{hashlib.sha256(HTML).hexdigest()}"',
        "accept-ranges": "bytes",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted


async def test_the_head_of_a_file_is_its_headers(desk: Desk) -> None:
    url = await desk.row(BYTES)

    head, whole = await desk.client.head(url), await desk.client.get(url)

    assert (head.status_code, head.content, whole.content == BYTES) == (200, b"", True)
    differ = {"x-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in differ} == {
        n: v for n, v in whole.headers.items() if n not in differ
    }


async def test_files_of_a_folder_and_empty_ones_come_the_same_way(open_desk: Open, tmp_path: Path) -> None:
    desk = await open_desk(files_dir=tmp_path / "files")

    for number, content in enumerate((BYTES, b""), 1):
        assert (await desk.client.get(await desk.row(content, number=number))).content == content


async def test_bytes_in_a_column_are_downloaded_with_a_type_that_can_stand_in_a_header(desk: Desk) -> None:
    async with desk.database.transaction() as transaction:
        said = {"box_name": "../a\r\nX: y.bin", "box_type": "text/plain\r\nX-Evil: 1; charset=x"}
        await add_row(transaction, 1, box=BYTES, **said)

    answer = await desk.client.get(await desk.url(1, "box"))

    assert (answer.status_code, answer.content == BYTES) == (200, True)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert 'filename="aX: y.bin"' in answer.headers["content-disposition"]
    assert "x-evil" not in answer.headers


RANGES = [
    ("bytes=0-0", 206, (0, 1)),
    ("bytes=10-19", 206, (10, 20)),
    ("bytes=262143-262144", 206, (262_143, 262_145)),
    ("bytes=399990-", 206, (399_990, 400_000)),
    ("bytes=399990-999999", 206, (399_990, 400_000)),
    ("bytes=-5", 206, (399_995, 400_000)),
    ("bytes=-999999", 206, (0, 400_000)),
    ("bytes=400000-", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=5-2", 200, (0, 400_000)),
    ("bytes=0-1,5-6", 200, (0, 400_000)),
    ("bytes=-", 200, (0, 400_000)),
    ("lines=1-2", 200, (0, 400_000)),
    (f"bytes={'9' * 30}-", 200, (0, 400_000)),
]


async def test_one_range_of_a_file_can_be_asked_for(desk: Desk) -> None:
    url = await desk.row(BYTES)

    for said, status, part in RANGES:
        answer = await desk.client.get(url, headers={"range": said})
        assert answer.status_code == status, said
        if part is None:
            assert answer.headers["content-range"] == "bytes */400000"
        else:
            assert answer.content == BYTES[part[0] : part[1]], said
            wanted = f"bytes {part[0]}-{part[1] - 1}/400000" if status == 206 else None
            assert answer.headers.get("content-range") == wanted


async def test_a_client_that_has_the_file_is_told_so(desk: Desk) -> None:
    url = await desk.row(BYTES)
    tag = f'"{hashlib.sha256(BYTES).hexdigest()}"'

    for said, status in ((tag, 304), (f'"x", W/{tag}', 304), ("*", 304), ('"x"', 200)):
        answer = await desk.client.get(url, headers={"if-none-match": said})
        assert (answer.status_code, answer.headers["etag"]) == (status, tag)
    for said, status in ((tag, 206), ('"x"', 200)):
        answer = await desk.client.get(url, headers={"range": "bytes=0-1", "if-range": said})
        assert answer.status_code == status


async def test_what_cannot_be_read_looks_like_what_is_not_there(desk: Desk) -> None:
    url = await desk.row(b"hello")
    row = url.split("/")[2]
    async with desk.database.transaction() as transaction:
        await add_row(transaction, 2)
    query = "{asset(by: {databaseId: 2}) {id}}"
    empty = (await desk.client.post("/graphql", json={"query": query})).json()["data"]["asset"]["id"]

    answers = {
        path: await desk.client.get(path)
        for path in (
            f"/files/{row}/name",
            f"/files/{row}/nothing",
            f"/files/{row[:-1]}/scan",
            f"/files/{empty}/scan",
            "/files/UXVldWU6MQ/scan",
            "/files/x/y",
            "/files/x",
            "/files/x/y/z",
            "/files/..%2f..%2fetc/passwd",
            f"/files/{row}/scan%7Bname%7D",
        )
    }

    told = {}
    for path, answer in answers.items():
        body = json.loads(answer.content)
        body["errors"][0]["extensions"].pop("requestId")
        told[path] = (answer.status_code, json.dumps(body))
    assert set(told.values()) == {
        (404, json.dumps({"errors": [{"message": NOT_THERE, "extensions": {"code": "BAD_REQUEST"}}]}))
    }


async def test_a_file_that_lost_its_bytes_is_not_there(desk: Desk) -> None:
    url = await desk.row(b"hello")
    async with desk.database.transaction() as transaction:
        await transaction.change(sa.delete(FILE_PART))

    assert (await desk.client.get(url)).status_code == 404


async def test_a_database_that_is_away_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await desk.row(b"hello")

    async def away(*_: Any, **__: Any) -> Any:
        from storage.errors import Unavailable  # noqa: PLC0415 - of this test alone

        raise Unavailable("no answer")

    monkeypatch.setattr(Database, "fetch", away)
    assert (await desk.client.get(url)).status_code == 503
    monkeypatch.setattr(Database, "transaction", lambda *_, **__: Away())
    assert (await desk.upload()).status_code == 503


class Away:
    """A transaction that cannot begin."""

    async def __aenter__(self) -> None:
        from storage.errors import Unavailable  # noqa: PLC0415 - of this test alone

        raise Unavailable("no answer")

    async def __aexit__(self, *_: object) -> None:
        """Never come to."""


async def test_an_export_has_no_columns_for_files(desk: Desk) -> None:
    await desk.row(b"hello")

    answer = await desk.client.get("/export/asset.csv")

    assert answer.text.splitlines()[0] == "databaseId,name,boxName,boxType"
    assert (await desk.client.get("/export/asset.csv?columns=scan")).status_code == 400


async def test_pages_of_other_sites_fetch_nothing(desk: Desk) -> None:
    url = await desk.row(b"hello")

    assert (await desk.client.get(url, headers={"origin": "https://evil.example"})).status_code == 403
    refused = await desk.client.delete(url)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_a_client_that_takes_nothing_loses_its_place(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await open_desk(file_transfers=1, body_rate=10_000_000, queue_seconds=5)
    url = await desk.row(BYTES)
    monkeypatch.setattr(downloads, "GRACE_S", 0.1)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await asyncio.wait_for(desk.app(scope_of(desk, "GET", url), receive, send), 30)
    monkeypatch.undo()

    assert (await desk.client.get(url)).content == BYTES


async def test_reading_stops_when_the_client_goes_away(desk: Desk) -> None:
    url = await desk.row(BYTES)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await asyncio.wait_for(desk.app(scope_of(desk, "GET", url), receive, send), 30)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
