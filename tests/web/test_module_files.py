"""Module files and the beginnings of new ones, through the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schema.placing import digest_of
from tests.databases import DIALECTS, fresh_url
from tests.web.real import ROOM, Desk, open_desk
from tests.web.test_lambdas import as_ada, fill

FILE = "query ($file: String!) { moduleFile(file: $file) { file source digest module isOwn } }"
SCAFFOLD = "query ($name: String, $table: String, $extend: String) { scaffoldModule(name: $name, table: $table, extend: $extend) }"
FROM_CSV = "query ($name: String!, $csv: String!) { scaffoldModuleFromCsv(name: $name, csv: $csv) }"
CHECK = "query ($source: String!) { checkModule(source: $source) { file problems { level message } } }"
QUERIES = {
    '{ moduleFile(file: "site/room.yaml") { source } }': "moduleFile",
    "{ moduleTables { name } }": "moduleTables",
    '{ scaffoldModule(extend: "room") }': "scaffoldModule",
    '{ scaffoldModuleFromCsv(name: "a", csv: "b") }': "scaffoldModuleFromCsv",
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(
            url, tmp_path, {"room": ROOM.replace("access:", "  - {name: opens, type: datetime}\naccess:")}
        ) as found:
            yield found


async def test_a_file_is_shown_as_it_is_also_when_it_is_broken(desk: Desk) -> None:
    path = desk.site / "room.yaml"
    path.write_bytes(b"module: {name: room\n\xff")

    (found,) = (await desk.data(FILE, file="site/room.yaml")).values()
    assert found == {
        "file": "site/room.yaml",
        "source": "module: {name: room\n\ufffd",
        "digest": digest_of(path),
        "module": "",
        "isOwn": True,
    }


async def test_nothing_else_of_the_disk_is_shown(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("module: {name: secret}")
    (desk.site / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (desk.site / "notes.txt").write_text("x")
    for file in (
        "site/../secret.yaml",
        "site/link.yaml",
        "site/notes.txt",
        str(tmp_path / "secret.yaml"),
        "",
        "site/no.yaml",
    ):
        assert await desk.data(FILE, file=file) == {"moduleFile": None}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_table_of_the_database_becomes_a_file_that_serves(dialect: str, tmp_path: Path) -> None:
    with fresh_url(dialect) as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as desk:
            tables = {
                item["name"]: item["module"]
                for item in (await desk.data("{ moduleTables { name module } }"))["moduleTables"]
            }
            assert tables["room"] == "room"
            assert tables["ticket_priority"] is None
            assert not {name for name in tables if name.startswith("lambdesk") or name == "sessions"}

            source = (await desk.data(SCAFFOLD, table="ticket_priority"))["scaffoldModule"]
            assert "table: ticket_priority" in source
            assert (await desk.data(CHECK, source=source))["checkModule"] == {
                "file": "site/ticket_priority.yaml",
                "problems": [],
            }


async def test_every_beginning_is_a_file_without_problems(desk: Desk) -> None:
    csv = "Name,Seats\nBlue,4\n"
    sources = {
        "site/lamp.yaml": (await desk.data(SCAFFOLD, name="lamp"))["scaffoldModule"],
        "site/chair.yaml": (await desk.data(FROM_CSV, name="chair", csv=csv))["scaffoldModuleFromCsv"],
    }
    for file, source in sources.items():
        assert (await desk.data(CHECK, source=source))["checkModule"] == {"file": file, "problems": []}


@pytest.mark.parametrize(
    ("query", "given", "message"),
    [
        (SCAFFOLD, {}, "scaffoldModule: give one of name, table and extend."),
        (SCAFFOLD, {"name": "a", "table": "b"}, "scaffoldModule: give one of name, table and extend."),
        (
            SCAFFOLD,
            {"name": "Room"},
            "scaffoldModule: `Room` is no name for a module: write words in lower case with `_` between them.",
        ),
        (SCAFFOLD, {"extend": "lamp"}, "scaffoldModule.extend: there is no such module."),
        (SCAFFOLD, {"table": "rom"}, "scaffoldModule: The database has no table `rom`. Did you mean `room`?"),
        (
            SCAFFOLD,
            {"table": "sessions"},
            "scaffoldModule: Table `sessions` holds sessions, tokens or keys and can be no module.",
        ),
        (
            FROM_CSV,
            {"name": "a", "csv": ""},
            "scaffoldModuleFromCsv: The text is empty. Give a first row with the names of the columns.",
        ),
        (
            FROM_CSV,
            {"name": "a", "csv": "x" * 500_001},
            "scaffoldModuleFromCsv.csv: longer than 500 kB; its first rows will do.",
        ),
    ],
)
async def test_what_cannot_be_begun_is_told(desk: Desk, query: str, given: dict[str, str], message: str) -> None:
    answer = await desk.ask(query, **given)

    assert [(error["message"], error["extensions"]["code"]) for error in answer["errors"]] == [(message, "BAD_REQUEST")]


@pytest.mark.parametrize("query", QUERIES)
async def test_files_are_for_administrators(desk: Desk, query: str) -> None:
    await fill(desk.live.database)  # type: ignore[arg-type] # the real one
    answer = await as_ada(desk, query)

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["message"].startswith(QUERIES[query])
