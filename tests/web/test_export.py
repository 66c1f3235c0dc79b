"""An export holds every row that the list has, in a form that spreadsheets and the import read; or it visibly breaks off."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.requests import Request

from resolvers.csv_rows import read_csv
from resolvers.importing import convert_rows, map_columns
from storage.engine import Database
from storage.errors import StatementTimeout, Unavailable
from storage.values import wall_clock
from tests.counts import count
from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk
from web.app import create_app
from web.edge import Note
from web.export_pages import read_pages
from web.export_request import read_export
from web.recognition import Caller
from web.wire import CalmServer, CarefulProtocol

ROOM = """\
module: {name: room, plural_name: rooms, table: room}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true, searchable: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
  - {name: house, type: reference, to: house, column: house_id, label: {en: House, de: Haus}}
  - {name: opens, type: date, label: Opens}
  - {name: used_at, type: datetime, label: Used}
  - {name: price, type: decimal, label: Price}
  - {name: open, type: bool, label: Open}
  - {name: extras, type: json, label: Extras}
  - name: colour
    type: select
    label: Colour
    options: [{name: RED, value: r, label: red}, {name: DARK_BLUE, value: b, label: dark blue}]
computed_fields:
  - {name: doubled, type: int, sql: "seats * 2"}
access: {agent: {view: true}}
"""
HOUSE = """\
module: {name: house, plural_name: houses, table: house}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true}
access: {agent: {view: true}}
"""
KEPT = HOUSE.replace(
    "name: house, plural_name: houses, table: house", "name: ledger, plural_name: ledgers, table: ledger"
) + ("features: {export_csv: false}\n")
FILES = {"room": ROOM, "house": HOUSE, "ledger": KEPT}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EMPTY: dict[str, Any] = dict.fromkeys(
    ("seats", "house_id", "opens", "used_at", "price", "open", "extras", "colour")
)  # fmt: skip
HALL = {
    "name": '=Hall; "A"',
    "seats": -5,
    "house_id": 1,
    "opens": "2026-01-31",
    "used_at": NOW,
    "price": 19.5,
    "open": 1,
    "extras": '{"a": [1, "x"]}',
    "colour": "b",
}
HEADER = "databaseId,name,seats,house.name,opens,usedAt,price,open,extras,colour"
HALL_LINE = '1,"\'=Hall; ""A""",-5,Main,2026-01-31,2026-03-01T12:00:00Z,{price},true,"{{""a"":[1,""x""]}}",DARK_BLUE'


async def fill(desk: Desk, table: str, *rows: dict[str, Any]) -> None:
    """Put rows into a table that was made from a module file."""
    database = desk.live.database
    assert isinstance(database, Database)
    columns = desk.live.snapshot().catalog.tables[table].columns
    audit = {"create_time": NOW, "create_by": 1, "change_time": NOW, "change_by": 1}
    values = [
        {name: _store(value, database) for name, value in {**audit, **row}.items() if name in columns} for row in rows
    ]
    target = sa.table(table, *(sa.column(name) for name in values[0]))
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(target), values)


def _store(value: Any, database: Database) -> Any:
    if isinstance(value, datetime):
        return wall_clock(value, database.dialect.name, database.zone)
    if isinstance(value, str) and value[4:5] == "-" and database.dialect.name != "sqlite":
        return datetime.fromisoformat(value).date()
    return value


async def export(desk: Desk, file: str = "room.csv", **parameters: Any) -> httpx.Response:
    query = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in parameters.items()
    }
    return await desk.client.get(f"/export/{file}", params=query)


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"], error["message"]


@pytest.fixture(params=DIALECTS)
async def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, FILES) as found:
            yield found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, FILES) as found:
            yield found


async def test_a_file_has_each_value_as_the_import_takes_it(everywhere: Desk) -> None:
    await fill(everywhere, "house", {"name": "Main"})
    await fill(everywhere, "room", HALL, {**EMPTY, "name": "Niche"})
    answer = await export(everywhere)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="room.csv"'
    lines = answer.text.split("\r\n")
    assert lines[0] == HEADER
    assert lines[1].replace("19.500000", "19.5").replace("19.50", "19.5") == HALL_LINE.format(price="19.5")
    assert lines[2:] == ["2,Niche,,,,,,,,", ""]

    snapshot = everywhere.live.snapshot()
    table = read_csv(answer.content)
    first, second = convert_rows(table, map_columns(snapshot.modules["room"], table.header, snapshot.modules))
    assert first.faults == second.faults == ()
    assert first.keys == {"databaseId": 1}
    assert first.values["name"] == '=Hall; "A"'
    assert first.values["house"] == {"name": "Main"}
    assert (first.values["extras"], first.values["open"], first.values["colour"]) == (
        {"a": [1, "x"]},
        True,
        "DARK_BLUE",
    )
    assert second.values == {**dict.fromkeys(first.values), "name": "Niche"}


async def test_rows_and_columns_are_chosen_as_in_the_api(desk: Desk) -> None:
    await fill(desk, "house", {"name": "Main"})
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n}", "seats": n, "house_id": 1} for n in range(1, 6)))
    chosen = await export(
        desk,
        filter={"seats": {"gte": 3}},
        search="room",
        orderBy=[{"seats": "DESC"}],
        columns="name, house, house.databaseId,doubled",
    )
    captions = await export(
        desk, columns="seats,house.name", header="captions", language="de", filter={"seats": {"eq": 1}}, bom="1"
    )

    assert chosen.text.split("\r\n") == [
        "name,house.name,house.databaseId,doubled", "Room 5,Main,1,10", "Room 4,Main,1,8", "Room 3,Main,1,6", "",
    ]  # fmt: skip
    assert captions.content == "\ufeffPlätze,Haus: Name\r\n1,Main\r\n".encode()


async def test_every_row_is_there_once_over_many_pages(everywhere: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.export_pages.PAGE_SIZE", 7)
    await fill(everywhere, "room", *({**EMPTY, "name": f"Room {n:03}", "seats": n % 5} for n in range(100)))
    answer = await export(everywhere, columns="name", orderBy=[{"seats": "ASC"}])

    names = answer.text.split("\r\n")[1:-1]
    assert len(names) == 100
    assert sorted(names) == [f"Room {n:03}" for n in range(100)]
    assert names[:2] == ["Room 000", "Room 005"]


async def test_an_empty_list_is_a_file_with_a_header(desk: Desk) -> None:
    assert (await export(desk, columns="name")).text == "name\r\n"


@pytest.mark.parametrize(
    ("file", "parameters", "refused"),
    [
        ("nothing.csv", {}, (404, "BAD_REQUEST", "There is no module to export at this address.")),
        ("room", {}, (404, "BAD_REQUEST", "There is no module to export at this address.")),
        ("ledger.csv", {}, (403, "FORBIDDEN", "Rows of `ledger` are not exported: its module file says `export_csv: false`.")),
        ("room.csv", {"columns": "name,colours"}, (400, "BAD_REQUEST", "columns: there is no `colours`.")),
        ("room.csv", {"columns": "house.name.x"}, (400, "BAD_REQUEST", "columns: `house.name.x` leads further than one reference.")),
        ("room.csv", {"columns": "seats.x"}, (400, "BAD_REQUEST", "columns: `seats` is no reference, so `seats.x` leads nowhere.")),
        ("room.csv", {"filter": "{"}, (400, "BAD_REQUEST", "The parameter `filter` is not JSON in UTF-8.")),
        ("room.csv", {"header": "none"}, (400, "BAD_REQUEST", "The parameter `header` is one of names, captions.")),
        ("room.csv", {"page": "2"},
         (400, "BAD_REQUEST", "The parameter 'page' is unknown; there are filter, search, orderBy, columns, language, header, bom.")),
        ("house.csv", {"search": "x"}, (400, "BAD_REQUEST", "search: this list takes none.")),
    ],
)  # fmt: skip
async def test_what_cannot_be_exported_is_refused_with_its_status(
    desk: Desk, file: str, parameters: dict[str, str], refused: tuple[int, str, str]
) -> None:
    status, code, message = refusal(await export(desk, file, **parameters))

    assert (status, code) == refused[:2]
    assert message == refused[2]


async def test_a_filter_that_does_not_fit_is_refused_before_the_first_byte(desk: Desk) -> None:
    status, code, message = refusal(await export(desk, filter={"seats": {"eq": "many"}}))

    assert (status, code) == (400, "BAD_REQUEST")
    assert "many" in message


async def test_another_method_or_a_foreign_page_gets_nothing(desk: Desk) -> None:
    assert (await desk.client.post("/export/room.csv")).status_code == 405
    assert (
        await desk.client.get("/export/room.csv", headers={"origin": "https://elsewhere.example"})
    ).status_code == 403


async def test_a_database_that_is_away_at_the_beginning_is_a_status(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(Database, "fetch", away)
    answer = await export(desk)

    assert refusal(answer)[:2] == (503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


class Cut:
    """Lets some statements through, then fails a number of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception, passes: int, fails: int) -> None:
        self.calls = 0
        fetch = Database.fetch

        async def cut(database: Database, *args: Any, **settings: Any) -> Any:
            self.calls += 1
            if passes < self.calls <= passes + fails:
                raise error
            return await fetch(database, *args, **settings)

        monkeypatch.setattr(Database, "fetch", cut)
        monkeypatch.setattr("web.export_pages.PAGE_SIZE", 5)
        monkeypatch.setattr("web.export_pages.PAUSE_S", 0.0)


async def test_an_export_outlives_a_database_that_is_away_for_a_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n:03}"} for n in range(20)))
    await desk.ask("{ schemaVersion }")  # so that the caller is known
    Cut(monkeypatch, Unavailable("no answer"), passes=2, fails=3)

    assert len((await export(desk, columns="name")).text.split("\r\n")) == 22


async def messages(desk: Desk, path: str) -> list[dict[str, Any]]:
    """Ask as a server would, and return what the application sends."""

    sent: list[dict[str, Any]] = []
    waits = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await waits.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"columns=name",
        "headers": [(b"host", b"localhost:8000"), (b"authorization", desk.client.headers["authorization"].encode())],
        "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    await create_app(desk.live.settings, desk.live)(scope, receive, send)
    return sent


async def test_an_error_in_the_middle_leaves_the_answer_without_an_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n:03}"} for n in range(20)))
    whole = await messages(desk, "/export/room.csv")
    Cut(monkeypatch, StatementTimeout(), passes=2, fails=99)
    broken = await messages(desk, "/export/room.csv")

    assert [message.get("more_body") for message in whole] == [None, True, False]
    assert [message.get("more_body") for message in broken] == [None, True, True]


async def test_a_value_that_cannot_be_read_is_marked_in_its_cell(desk: Desk) -> None:
    await fill(desk, "room", {**EMPTY, "name": "Odd", "seats": "many"}, {**EMPTY, "name": "Even", "seats": 2})

    assert (await export(desk, columns="name,seats")).text == "name,seats\r\nOdd,#ERROR\r\nEven,2\r\n"


async def caller_of(desk: Desk) -> Caller:
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"authorization", desk.client.headers["authorization"].encode())],
    }
    return await desk.live.guard.admit(Request({**scope, "lambdesk": Note("r1")}))


async def test_an_export_is_from_one_snapshot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that goes away while the file is written is there to its end."""
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n:03}", "seats": n} for n in range(20)))
    monkeypatch.setattr("web.export_pages.PAGE_SIZE", 5)

    scope = {"type": "http", "path_params": {"file": "room.csv"}, "query_string": b"columns=seats", "headers": []}
    found = read_export(Request(scope), desk.live, await caller_of(desk))
    pages = read_pages(desk.live, found, "r1")
    texts = [await anext(pages)]
    (desk.site / "room.yaml").write_text("\n".join(line for line in ROOM.splitlines() if "seats" not in line))
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    assert "errors" in await desk.ask("{ rooms { nodes { seats } } }")
    texts += [text async for text in pages]

    assert "".join(texts).split() == [str(n) for n in range(20)]


async def test_memory_does_not_grow_with_the_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.export_pages.PAGE_SIZE", 50)
    rows = count(3_000, 100_000)
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n:06}{'x' * 150}", "seats": n} for n in range(rows)))

    scope = {"type": "http", "path_params": {"file": "room.csv"}, "query_string": b"columns=name,seats", "headers": []}
    pages = read_pages(desk.live, read_export(Request(scope), desk.live, await caller_of(desk)), "r1")
    peaks = []
    tracemalloc.start()
    try:
        for part in (10, rows // 100, rows // 50):  # of pages: what is kept once, the first half, the second
            async for _ in limited(pages, part):
                pass
            gc.collect()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()

    assert await anext(pages, None) is None
    assert peaks[2] < 1.5 * peaks[1], peaks


async def limited(pages: AsyncIterator[str], most: int) -> AsyncIterator[str]:
    for _ in range(most):
        page = await anext(pages, None)
        if page is None:
            return
        yield page


# --- over a socket ---


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[int]:
    """Serve the desk with the real server in this process, and lend its port."""
    config = uvicorn.Config(
        create_app(desk.live.settings, desk.live), port=0, http=CarefulProtocol, lifespan="off", log_config=None
    )
    server = CalmServer(config, lambda: None)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def raw(desk: Desk, port: int, version: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /export/room.csv?columns=name HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"Authorization: {desk.client.headers['authorization']}\r\n\r\n"
    writer.write(head.encode())
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def test_a_client_sees_whether_the_file_is_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(desk, "room", *({**EMPTY, "name": f"Room {n:03}"} for n in range(20)))
    async with listening(desk) as port:
        whole = await raw(desk, port, "1.1")
        old = await raw(desk, port, "1.0")
        Cut(monkeypatch, StatementTimeout(), passes=2, fails=99)
        broken = await raw(desk, port, "1.1")

    assert b"transfer-encoding: chunked" in whole.lower()
    assert whole.endswith(b"Room 019\r\n\r\n0\r\n\r\n")
    assert broken.startswith(b"HTTP/1.1 200 ")
    assert b"Room 009" in broken
    assert not broken.endswith(b"0\r\n\r\n")
    assert old.startswith(b"HTTP/1.1 505 "), "HTTP/1.0 cannot say that a file is not whole"
