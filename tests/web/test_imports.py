"""An import names every bad row before it writes, writes by the rules of the module's mutations, and ends in every case."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers import import_look
from storage.engine import Database
from storage.file_claims import Owner
from storage.jobs import JobState, add_job, read_job
from storage.own_tables import CHANGE, JOB
from tests.counts import count
from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk
from web.import_jobs import KIND

MODULES = Path(__file__).parent.parent.parent / "modules"
HOUSE = """\
module: {name: house, plural_name: houses, table: house}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true}
access: {agent: {view: true}}
"""
ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}, plural: {en: Rooms, de: Räume}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true, validation: {max_length: 50}}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}, validation: {min: 1}}
  - {name: mail, type: email, label: {en: Mail, de: Mail}}
  - {name: house, type: reference, to: house, column: house_id, label: {en: House, de: Haus}}
  - {name: opens, type: date, label: Opens}
  - {name: price, type: decimal, label: Price}
  - name: colour
    type: select
    label: Colour
    options: [{name: RED, value: r, label: red}, {name: BLUE, value: b, label: blue}]
  - {name: note, type: string, label: Note, default: none}
access: {agent: {view: true}}
"""
CLOSED = ROOM.replace("{name: room, plural_name: rooms, table: room", "{name: attic, plural_name: attics, table: attic")
SHOWN = CLOSED.replace("attic", "cellar").replace(
    "plural: {en: Rooms, de: Räume}}", "plural: Cellars, operations: [view]}"
)
FILES = {"room": ROOM, "house": HOUSE, "attic": CLOSED + "features: {import_csv: false}\n", "cellar": SHOWN}
JOB_FIELDS = """
id state dryRun total done failed created updated ignoredColumns finishedAt failure { messageKey }
rowErrors { row column field code message messageKey }
"""
IMPORT = f"""
mutation Import($input: ImportRowsInput!) {{
  importRows(input: $input) {{ job {{ {JOB_FIELDS} }} errors {{ code path messageKey }} clientMutationId }}
}}
"""
ASK = f"query ($id: ID!) {{ importJob(id: $id) {{ {JOB_FIELDS} }} }}"
BAD = """\
name,seats,mail,house.name,opens,colour,nonsense
Blue,8,blue@example.org,Main,2026-01-31,blue,
,8,,Main,,,
Low,0,nobody,Main,,,
Lost,x,,Nowhere,31.02.2026,green,
Taken,1,,,,,
Blue,9,,Main,,,
Red,1,,,,RED,
"""
BAD_CELLS = [
    (3, "name", "name", "REQUIRED"),
    (4, "mail", "mail", "INVALID"),
    (4, "seats", "seats", "INVALID"),
    (5, "colour", "colour", "INVALID"),
    (5, "house.name", "house", "REFERENCE"),
    (5, "opens", "opens", "INVALID"),
    (5, "seats", "seats", "INVALID"),
    (6, "name", "name", "UNIQUE"),
    (7, "name", "name", "UNIQUE"),
]


class Importer:
    """A desk into whose rooms files are imported."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        assert isinstance(desk.live.database, Database)
        self.database = desk.live.database

    async def begin(self, csv: str | None, **wanted: Any) -> Any:
        """Send the mutation and return its payload."""
        given = {"module": "room", "csv": csv, **wanted}
        return (await self.desk.data(IMPORT, input=given))["importRows"]

    async def job(self, number: str) -> Any:
        """Ask for a job."""
        return (await self.desk.data(ASK, id=number))["importJob"]

    async def end(self, number: str) -> Any:
        """Wait for a job's end."""
        async with asyncio.timeout(30):
            while (job := await self.job(number))["state"] == "RUNNING":  # noqa: ASYNC110 - as a client does
                await asyncio.sleep(0.02)
        return job

    async def run(self, csv: str, **wanted: Any) -> Any:
        """Import for good and wait for the end."""
        payload = await self.begin(csv, **{"dryRun": False, **wanted})
        assert payload["errors"] == [], payload
        return await self.end(payload["job"]["id"])

    async def refused(self, csv: str | None, **wanted: Any) -> Any:
        """Return the errors of an import that does not begin."""
        payload = await self.begin(csv, **wanted)
        assert payload["job"] is None
        return [(error["code"], error["messageKey"], error["path"]) for error in payload["errors"]]

    async def rooms(self) -> list[tuple[Any, ...]]:
        """Read the rooms as they are stored."""
        housed = "CASE WHEN house_id IS NULL THEN 0 ELSE 1 END"
        return await self.database.fetch(f"SELECT name, seats, mail, {housed}, colour, note FROM room ORDER BY name")  # noqa: S608 - the test's own words

    async def changes(self) -> int:
        """Count what the history holds."""
        found = await self.database.fetch(sa.select(sa.func.count()).select_from(CHANGE))
        return int(found[0][0])


@contextlib.asynccontextmanager
async def importing(url: str, folder: Path) -> AsyncIterator[Importer]:
    async with open_desk(url, folder, FILES) as desk:
        yield Importer(desk)


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
async def everywhere(url: str, tmp_path: Path) -> AsyncIterator[Importer]:
    async with importing(url, tmp_path) as found:
        async with found.database.transaction() as transaction:
            for table in ("room", "house", "lambdesk_change"):
                await transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - the test's own words
        yield found


@pytest.fixture
async def importer(tmp_path: Path) -> AsyncIterator[Importer]:
    with fresh_url("sqlite") as url:
        async with importing(url, tmp_path) as found:
            yield found


def cells(job: Any) -> list[tuple[Any, ...]]:
    return sorted((error["row"], error["column"], error["field"], error["code"]) for error in job["rowErrors"])


def counts(job: Any) -> tuple[Any, ...]:
    return job["state"], job["total"], job["done"], job["failed"], job["created"], job["updated"]


def many(rows: int, bad: int = 100) -> str:
    lines = (f"Room {n:05},{n % 50 if n % bad == 0 else 5},Main" for n in range(rows))
    return "name,seats,house.name\n" + "\n".join(lines) + "\n"


async def furnish(importer: Importer) -> None:
    assert counts(await importer.run("name\nMain\n", module="house")) == ("DONE", 1, 1, 0, 1, 0)
    assert counts(await importer.run("name,seats\nTaken,3\n")) == ("DONE", 1, 1, 0, 1, 0)


# --- looking ---


async def test_a_dry_run_names_every_bad_row_and_column_and_writes_nothing(everywhere: Importer) -> None:
    await furnish(everywhere)
    before = await everywhere.rooms(), await everywhere.changes()

    job = (await everywhere.begin(BAD))["job"]

    assert counts(job) == ("DONE", 7, 7, 5, 2, 0), "a dry run of a small file is waited for"
    assert cells(job) == BAD_CELLS
    assert job["ignoredColumns"] == ["nonsense"]
    assert job["dryRun"]
    assert (await everywhere.rooms(), await everywhere.changes()) == before


async def test_a_real_run_that_skips_writes_the_rows_that_the_dry_run_found_good(everywhere: Importer) -> None:
    await furnish(everywhere)

    job = await everywhere.run(BAD, policy="SKIP_FAILED")

    assert counts(job) == ("DONE", 7, 7, 5, 2, 0)
    assert cells(job) == BAD_CELLS
    assert [row[0] for row in await everywhere.rooms()] == ["Blue", "Red", "Taken"]
    assert (await everywhere.rooms())[0][1:] == (8, "blue@example.org", 1, "b", "none"), "with defaults and references"


async def test_all_or_nothing_writes_nothing_where_one_row_is_bad_and_everything_otherwise(
    everywhere: Importer,
) -> None:
    await furnish(everywhere)
    before = await everywhere.rooms(), await everywhere.changes()

    job = await everywhere.run(BAD)
    assert (job["state"], job["failure"]) == ("FAILED", {"messageKey": "import-rows"})
    assert cells(job) == BAD_CELLS
    assert (job["created"], job["failed"]) == (0, 5)
    assert (await everywhere.rooms(), await everywhere.changes()) == before

    rows = count(600, 5_000)
    assert counts(await everywhere.run(many(rows, bad=rows * 9).replace(",0,", ",1,"))) == (
        "DONE",
        rows,
        rows,
        0,
        rows,
        0,
    )
    assert await everywhere.changes() == before[1] + rows, "the history has every row"


async def test_what_another_takes_in_the_meantime_rolls_all_of_it_back(
    everywhere: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the look did not see, the transaction does: nothing stays of the rows before it."""
    await furnish(everywhere)
    seen: list[int] = []

    async def blind(_: Any, rows: Any) -> Any:
        seen.append(len(rows))
        return [[] for _ in rows]

    monkeypatch.setattr(import_look.ImportLook, "check", blind)
    job = await everywhere.run("name\nFirst\nTaken\nLast\n")

    assert seen == [3]
    assert counts(job) == ("FAILED", 3, 3, 1, 0, 0)
    assert cells(job) == [(3, "name", "name", "UNIQUE")]
    assert [row[0] for row in await everywhere.rooms()] == ["Taken"]


async def test_names_that_a_collation_takes_for_one_are_told_by_the_dry_run_as_the_database_would(
    everywhere: Importer,
) -> None:
    await furnish(everywhere)
    text = "name\ntaken\nHall\nHALL\n"

    dry = (await everywhere.begin(text))["job"]
    real = await everywhere.run(text, policy="SKIP_FAILED")

    assert cells(dry) == cells(real)
    assert dry["created"] == real["created"] == len(await everywhere.rooms()) - 1


# --- rows that are there ---


async def test_an_upsert_changes_the_columns_of_the_file_alone_and_makes_the_others(everywhere: Importer) -> None:
    await furnish(everywhere)
    await everywhere.run("name,seats,mail,house.name,note\nHall,5,hall@example.org,Main,kept\n")
    text = "name,seats\nHall,6\nTaken,3\nNew,1\n,7\n"
    before = await everywhere.changes()

    dry = (await everywhere.begin(text, upsertBy="name"))["job"]
    job = await everywhere.run(text, upsertBy="name", policy="SKIP_FAILED")

    assert counts(dry) == counts(job) == ("DONE", 4, 4, 1, 1, 2)
    assert cells(job) == [(5, "name", "name", "REQUIRED")]
    assert await everywhere.rooms() == [
        ("Hall", 6, "hall@example.org", 1, None, "kept"),
        ("New", 1, None, 0, None, "none"),
        ("Taken", 3, None, 0, None, "none"),
    ]
    assert await everywhere.changes() == before + 2, "what does not differ is no change"


async def test_an_upsert_refuses_a_key_twice_a_number_of_no_row_and_values_that_others_have(
    everywhere: Importer,
) -> None:
    await furnish(everywhere)
    await everywhere.run("name\nHall\n")
    taken, hall = [row[0] for row in await everywhere.database.fetch("SELECT id FROM room ORDER BY id")]
    text = f"databaseId,name\n{taken},Taken\n{taken},Again\n777,Nobody\n{hall},Taken\n,New\n99999999999999999999,Far\n"

    dry = (await everywhere.begin(text, upsertBy="databaseId"))["job"]
    job = await everywhere.run(text, upsertBy="databaseId", policy="SKIP_FAILED")

    assert counts(dry) == counts(job) == ("DONE", 6, 6, 4, 1, 1)
    assert cells(job) == [
        (3, "databaseId", "databaseId", "UNIQUE"),
        (4, "databaseId", "databaseId", "NOT_FOUND"),
        (5, "name", "name", "UNIQUE"),
        (7, "databaseId", "databaseId", "NOT_FOUND"),
    ]


async def test_an_exported_file_is_imported_unchanged(everywhere: Importer) -> None:
    await furnish(everywhere)
    await everywhere.run(
        "name,seats,mail,house.name,opens,price,colour,note\n"
        '"=Hall; ""A""",5,a@example.org,Main,2026-01-31,19.5,BLUE,"two\nlines"\n'
        "Plain,,,,,,,\n"
    )
    exported = (await everywhere.desk.client.get("/export/room.csv")).text
    before = await everywhere.changes()

    job = await everywhere.run(exported, upsertBy="databaseId")
    assert counts(job) == ("DONE", 3, 3, 0, 0, 3)
    assert await everywhere.changes() == before, "nothing differs"

    async with everywhere.database.transaction() as transaction:
        await transaction.execute("DELETE FROM room")
    assert counts(await everywhere.run(exported)) == ("DONE", 3, 3, 0, 3, 0)
    again = (await everywhere.desk.client.get("/export/room.csv")).text
    assert [line.partition(",")[2] for line in again.splitlines()] == [
        line.partition(",")[2] for line in exported.splitlines()
    ]


# --- the file ---


async def test_an_upload_is_imported_first_to_look_then_for_good(everywhere: Importer) -> None:
    await furnish(everywhere)
    sent = await everywhere.desk.client.post("/files", content=many(30).encode(), headers={"content-type": "text/csv"})
    upload = sent.json()["id"]

    dry = (await everywhere.begin(None, upload=upload))["job"]
    payload = await everywhere.begin(None, upload=upload, dryRun=False, policy="SKIP_FAILED")

    assert counts(dry) == counts(await everywhere.end(payload["job"]["id"])) == ("DONE", 30, 30, 1, 29, 0)


async def test_columns_are_mapped_by_hand_where_the_header_does_not_say(importer: Importer) -> None:
    mapping = [{"column": "Was", "field": "name"}, {"column": "note", "field": ""}]

    job = await importer.run("Was,note,Plätze\nHall,unread,7\n", mapping=mapping)

    assert counts(job) == ("DONE", 1, 1, 0, 1, 0)
    assert await importer.rooms() == [("Hall", 7, None, 0, None, "none")]


async def test_what_cannot_begin_is_refused_with_a_code_and_a_path(importer: Importer) -> None:
    assert await importer.refused("name\nx\n", module="nothing") == [("NOT_FOUND", "module-not-found", ["module"])]
    assert await importer.refused("name\nx\n", module="attic") == [("FORBIDDEN", "import-off", ["module"])]
    assert await importer.refused("name\nx\n", module="cellar") == [("FORBIDDEN", "import-off", ["module"])]
    assert await importer.refused(None) == [("INVALID", "import-source", ["upload"])]
    assert await importer.refused("name\n", upload="x") == [("INVALID", "import-source", ["upload"])]
    assert await importer.refused(None, upload="x" * 43) == [("NOT_FOUND", "import-upload", ["upload"])]
    assert await importer.refused("") == [("INVALID", "csv-empty", ["csv"])]
    assert await importer.refused("name,seats\nx\n") == [("INVALID", "csv-ragged", ["csv"])]
    assert await importer.refused("else\nx\n") == [("INVALID", "import-no-columns", ["mapping"])]
    assert await importer.refused("name\nx\n", upsertBy="seats") == [("INVALID", "import-no-key", ["upsertBy"])]
    assert await importer.refused("seats\n1\n", upsertBy="name") == [("INVALID", "import-key-column", ["upsertBy"])]
    wrong = [{"column": "name", "field": "colours"}]
    assert await importer.refused("name\nx\n", mapping=wrong) == [("INVALID", "csv-no-field", ["mapping"])]


# --- the job ---


async def test_an_idempotency_key_stands_for_one_job(everywhere: Importer) -> None:
    await furnish(everywhere)
    asked = {"query": IMPORT, "variables": {"input": {"module": "room", "csv": "name\nOnce\n", "dryRun": False}}}
    headers = {"Idempotency-Key": "one"}
    answers = [await everywhere.desk.client.post("/graphql", json=asked, headers=headers) for _ in range(2)]
    ids = [answer.json()["data"]["importRows"]["job"]["id"] for answer in answers]

    assert ids[0] == ids[1]
    assert counts(await everywhere.end(ids[0])) == ("DONE", 1, 1, 0, 1, 0)

    asked["variables"] = {"input": {"module": "room", "csv": "name\nOther\n", "dryRun": False}}
    other = await everywhere.desk.client.post("/graphql", json=asked, headers=headers)
    assert other.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_progress_is_seen_while_rows_are_written_also_by_another_process(
    everywhere: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(everywhere)
    monkeypatch.setattr("resolvers.import_look.ROWS_AT_ONCE", 20)
    monkeypatch.setattr("web.import_jobs.NOTED_EVERY_S", 0.01)
    payload = await everywhere.begin(many(count(1_000, 5_000)), dryRun=False, policy="SKIP_FAILED")
    number = payload["job"]["id"]
    seen, noted = set(), set()
    while (job := await everywhere.job(number))["state"] == "RUNNING":
        seen.add(job["done"])
        kept = await read_job(everywhere.database, KIND, int(number), Owner("agent", 1))
        assert kept is not None
        noted.add(kept.now.done)
        await asyncio.sleep(0.01)

    assert job["finishedAt"]
    assert len(seen) > 2, seen
    assert len(noted) > 2, noted
    assert all(done % 20 == 0 for done in seen | noted)


async def test_a_job_whose_task_is_killed_has_failed_and_what_it_wrote_is_counted(
    everywhere: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(everywhere)
    monkeypatch.setattr("resolvers.import_look.ROWS_AT_ONCE", 20)
    for policy in ("SKIP_FAILED", "ALL_OR_NOTHING"):
        before = len(await everywhere.rooms())
        text = many(2_000).replace("Room", policy).replace(",0,", ",1,")
        number = (await everywhere.begin(text, dryRun=False, policy=policy))["job"]["id"]
        while (await everywhere.job(number))["done"] < 40:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
        next(task for task in asyncio.all_tasks() if task.get_name() == f"import {number}").cancel()
        job = await everywhere.end(number)

        assert (job["state"], job["failure"]) == ("FAILED", {"messageKey": "import-stopped"})
        assert job["done"] < 2_000
        assert len(await everywhere.rooms()) - before == job["created"]
        assert (job["created"] > 0) == (policy == "SKIP_FAILED")


async def test_a_server_that_stops_finishes_the_part_that_is_being_written(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.import_look.ROWS_AT_ONCE", 20)
    async with importing(url, tmp_path) as importer:
        before = len(await importer.rooms())
        text = many(3_000, bad=9_999).replace("Room", "Late").replace(",0,", ",1,").replace(",Main", ",")
        number = (await importer.begin(text, dryRun=False, policy="SKIP_FAILED"))["job"]["id"]
        while (await importer.job(number))["done"] < 40:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
    async with importing(url, tmp_path) as importer:
        job = await importer.job(number)
        written = len(await importer.rooms()) - before

    assert (job["state"], job["failure"]) == ("FAILED", {"messageKey": "import-stopped"})
    assert written == job["created"] == job["done"]
    assert 0 < written < 3_000


async def test_a_job_of_a_process_that_died_has_failed_once_nothing_is_heard_of_it(everywhere: Importer) -> None:
    kept = {"dryRun": False, "created": 3, "updated": 0, "ignored": [], "failure": None, "errors": []}
    async with everywhere.database.transaction() as transaction:
        number = await add_job(transaction, KIND, "room", Owner("agent", 1), JobState("RUNNING", 9, 4, 1, kept))

    assert (await everywhere.job(str(number)))["state"] == "RUNNING"

    async with everywhere.database.transaction() as transaction:
        await transaction.execute(sa.update(JOB).values(changed=JOB.c.changed - 60))
    job = await everywhere.job(str(number))
    assert counts(job) == ("FAILED", 9, 4, 1, 3, 0)
    assert job["failure"] == {"messageKey": "import-died"}
    assert (await everywhere.job(str(number)))["state"] == "FAILED"


async def test_a_job_is_seen_by_its_owner_only(importer: Importer) -> None:
    async with importer.database.transaction() as transaction:
        number = await add_job(transaction, KIND, "room", Owner("agent", 0), JobState())

    for id_ in (str(number), "0", "-1", "x", "", "9" * 30, "\u0663"):
        assert await importer.job(id_) is None


async def test_errors_are_paged_in_the_order_of_the_rows_and_told_in_the_language_of_the_caller(
    importer: Importer,
) -> None:
    page = "importRows(input: $input) { job { rowErrors(first: 2, after: 1) { index row message } } }"
    asked = {
        "query": f"mutation ($input: ImportRowsInput!) {{ {page} }}",
        "variables": {"input": {"module": "room", "csv": "name,seats\n" + "x,0\n" * 6}},
    }
    answer = await importer.desk.client.post("/graphql", json=asked, headers={"Accept-Language": "de"})

    assert answer.json()["data"]["importRows"]["job"]["rowErrors"] == [
        {"index": 2, "row": 4, "message": "Plätze muss mindestens 1 sein."},
        {"index": 3, "row": 5, "message": "Plätze muss mindestens 1 sein."},
    ]


async def test_there_are_only_so_many_imports_at_once(importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.import_jobs.MOST", 1)
    first = await importer.begin(many(2_000), dryRun=False, policy="SKIP_FAILED")

    assert await importer.refused("name\nx\n") == [("LIMIT", "import-busy", None)]
    await importer.end(first["job"]["id"])
    assert counts((await importer.begin("name\nx\n"))["job"]) == ("DONE", 1, 1, 0, 1, 0)


async def test_keys_that_the_client_gives_and_keys_of_several_columns_are_there_once(url: str, tmp_path: Path) -> None:
    async with open_desk(url, tmp_path, modules_dir=(MODULES,)) as desk:
        importer = Importer(desk)
        companies = {"module": "company"}
        assert (await importer.run("databaseId,name\nacme,Acme\n", **companies))["created"] == 1
        text = "databaseId,name\nacme,Other\nbolt,Bolt\nbolt,Bolts\n,Nameless\nnuts,Acme\n"
        dry = (await importer.begin(text, **companies))["job"]
        job = await importer.run(text, policy="SKIP_FAILED", **companies)

        assert (await importer.run("name\nprinters\n", module="group"))["created"] == 1
        rights = "group.name,user.login,permission\n" + "printers,root@localhost,note\n" * 2
        twice = (await importer.begin(rights, module="group_user"))["job"]
        first = await importer.run(rights, policy="SKIP_FAILED", module="group_user")
        again = (await importer.begin(rights, module="group_user"))["job"]

    assert counts(dry) == counts(job) == ("DONE", 5, 5, 4, 1, 0)
    assert (
        cells(dry)
        == cells(job)
        == [
            (2, "databaseId", "databaseId", "UNIQUE"),
            (4, "databaseId", "databaseId", "UNIQUE"),
            (5, "databaseId", "databaseId", "REQUIRED"),
            (6, "name", "name", "UNIQUE"),
        ]
    )
    assert cells(twice) == cells(first) == [(3, None, None, "UNIQUE")]
    assert [error[0] for error in cells(again)] == [2, 3]
