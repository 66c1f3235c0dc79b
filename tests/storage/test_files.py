"""Uploaded files: whole or not there at all, one row's or nobody's, in the database and in a folder."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.engine import Database
from storage.errors import FileGone, UploadRefused, WriteFailed
from storage.file_claims import Owner, StoredFile, claim, release
from storage.file_places import PART_BYTES
from storage.files import UNCLAIMED_S, Files
from storage.own_tables import FILE, FILE_PART
from storage.transaction import Transaction
from tests.databases import DIALECTS, fresh_url

ADA, BEN = Owner("agent", 7), Owner("customer", 7)
PLACES = ("database", "folder")
DAY_LATER = UNCLAIMED_S + 10


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One installed database for all tests: installing takes longer than they do."""
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """The database without a file."""
    found = Database(url)
    async with found.transaction() as transaction:
        await transaction.change(sa.delete(FILE))
        await transaction.change(sa.delete(FILE_PART))
    yield found
    await found.close()


@pytest.fixture(params=PLACES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """The folder of the files, or none: then the database keeps them."""
    return tmp_path / "files" if request.param == "folder" else None


@pytest.fixture
def files(database: Database, folder: Path | None) -> Files:
    return Files(database, folder)


async def pieces(content: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def upload(files: Files, content: bytes = b"hello", *, owner: Owner = ADA, name: str = "a.txt") -> StoredFile:
    return await files.store(pieces(content), name=name, owner=owner, sniff=lambda head: f"x/{len(head)}")


async def read(files: Files, file: StoredFile, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([part async for part in files.read(file, start, stop)])


async def give(transaction: Transaction, file_id: str, owner: Owner | None, row_key: str) -> StoredFile:
    return await claim(transaction, file_id, owner, module="asset", row_key=row_key, field="scan")


async def drop(transaction: Transaction, file_id: str, row_key: str) -> bool:
    return await release(transaction, file_id, module="asset", row_key=row_key, field="scan")


@asynccontextmanager
async def rolled_back(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that fails at its end."""
    with suppress(KeyError):
        async with database.transaction() as transaction:
            yield transaction
            raise KeyError


def files_in(folder: Path | None) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder and folder.exists() else []


async def left(database: Database, folder: Path | None) -> tuple[int, int, int]:
    """Count rows, parts, and files of the folder."""
    counted = [await database.fetch(sa.select(sa.func.count()).select_from(table)) for table in (FILE, FILE_PART)]
    return int(counted[0][0][0]), int(counted[1][0][0]), len(files_in(folder))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 17])
async def test_what_is_read_is_what_was_written(files: Files, size: int) -> None:
    content = random.Random(size).randbytes(size)

    stored = await upload(files, content, name="ä 文.bin")

    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert (stored.size, stored.name, stored.content_type) == (size, "ä 文.bin", f"x/{min(size, 4096)}")
    assert await files.find(stored.id) == stored
    assert await read(files, stored) == content


async def test_any_piece_of_a_file_can_be_read(files: Files) -> None:
    content = random.Random(1).randbytes(2 * PART_BYTES + 100)
    stored = await upload(files, content)

    for start, stop in (
        (0, 1),
        (5, 5),
        (PART_BYTES - 1, PART_BYTES + 1),
        (PART_BYTES, 10**9),
        (len(content) - 1, None),
    ):
        assert await read(files, stored, start, stop) == content[start:stop]


async def test_an_upload_that_breaks_off_leaves_nothing(files: Files, database: Database, folder: Path | None) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES + 5)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.store(broken(), name="a", owner=ADA, sniff=lambda _: "")

    assert await left(database, folder) == (0, 0, 0)


async def test_an_upload_that_is_cancelled_leaves_nothing(
    files: Files, database: Database, folder: Path | None
) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(files.store(endless(), name="a", owner=ADA, sniff=lambda _: ""))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await left(database, folder) == (0, 0, 0)


async def test_what_a_killed_process_left_is_swept_after_a_day(
    files: Files, database: Database, folder: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES)
        raise ConnectionResetError

    async def nothing(*_: object) -> None:
        """Clean up as a killed process does."""

    monkeypatch.setattr(Files, "_forget", nothing)
    with pytest.raises(ConnectionResetError):
        await files.store(broken(), name="a", owner=ADA, sniff=lambda _: "")
    monkeypatch.undo()
    assert await left(database, folder) != (0, 0, 0)

    assert [await files.sweep(), await files.sweep(time.time() + DAY_LATER)] == [0, 1]
    assert await left(database, folder) == (0, 0, 0)


async def test_an_upload_on_its_way_is_no_file_yet(files: Files, database: Database) -> None:
    seen: list[StoredFile | None] = []

    async def watched() -> AsyncIterator[bytes]:
        yield bytes(PART_BYTES)
        ((file_id,),) = await database.fetch(sa.select(FILE.c.id))
        seen.append(await files.find(file_id))
        with pytest.raises(UploadRefused):
            async with database.transaction() as transaction:
                await give(transaction, file_id, ADA, "[1]")

    await files.store(watched(), name="a", owner=ADA, sniff=lambda _: "")

    assert seen == [None]


async def test_uploads_that_no_row_took_are_swept_after_a_day(
    files: Files, database: Database, folder: Path | None
) -> None:
    kept, lost = await upload(files, b"kept"), await upload(files, b"lost")
    async with database.transaction() as transaction:
        await give(transaction, kept.id, ADA, "[1]")

    assert [await files.sweep(), await files.sweep(time.time() + DAY_LATER)] == [0, 1]

    assert (await files.find(kept.id), await files.find(lost.id)) == (kept, None)
    assert await left(database, folder) == ((1, 1, 0) if folder is None else (1, 0, 1))
    with pytest.raises(FileGone):
        await read(files, lost)


async def test_more_uploads_than_one_sweep_step_takes_are_all_swept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(database)
    monkeypatch.setattr("storage.files._SWEPT_AT_ONCE", 2)
    for _ in range(5):
        await upload(files)

    assert await files.sweep(time.time() + DAY_LATER) == 5
    assert await left(database, None) == (0, 0, 0)


CASES: dict[str, Callable[[StoredFile], tuple[str, Owner]]] = {
    "nobody made it": lambda _: ("A" * 43, ADA),
    "it is no id": lambda _: ("../../etc/passwd", ADA),
    "it has a space at its end": lambda file: (f"{file.id} ", ADA),
    "another kind of caller has this number": lambda file: (file.id, BEN),
    "another agent made it": lambda file: (file.id, Owner("agent", 8)),
}


@pytest.mark.parametrize("case", CASES)
async def test_an_upload_is_refused_when(database: Database, case: str) -> None:
    file_id, owner = CASES[case](await upload(Files(database)))

    with pytest.raises(UploadRefused) as refused:
        async with database.transaction() as transaction:
            await give(transaction, file_id, owner, "[1]")

    assert str(refused.value) == "There is no such upload that is free to be used."


async def test_of_two_claims_at_once_one_wins(database: Database) -> None:
    file = await upload(Files(database))

    async def take(row: int) -> str:
        try:
            async with database.transaction() as transaction:
                await give(transaction, file.id, ADA, f"[{row}]")
                await asyncio.sleep(0.02)
        except UploadRefused:
            return "refused"
        return f"[{row}]"

    answers = await asyncio.gather(*(take(row) for row in range(4)))

    ((holder,),) = await database.fetch(sa.select(FILE.c.row_key))
    assert sorted(answers) == sorted([holder, "refused", "refused", "refused"])


async def test_a_claim_that_is_rolled_back_was_none(database: Database) -> None:
    file = await upload(Files(database))

    async with rolled_back(database) as transaction:
        await give(transaction, file.id, ADA, "[1]")
    async with database.transaction() as transaction:
        assert await give(transaction, file.id, ADA, "[2]") == file


async def test_a_released_file_stays_for_a_day_for_an_undo(database: Database) -> None:
    files = Files(database)
    file = await upload(files)
    async with database.transaction() as transaction:
        await give(transaction, file.id, ADA, "[1]")
    async with database.transaction() as transaction:
        assert not await drop(transaction, file.id, "[2]")
        assert await drop(transaction, file.id, "[1]")

    assert await files.sweep() == 0
    async with database.transaction() as transaction:
        assert await give(transaction, file.id, None, "[1]") == file


async def test_bytes_that_are_used_up_go_to_one_taker(files: Files, database: Database, folder: Path | None) -> None:
    content = random.Random(2).randbytes(PART_BYTES + 9)
    file = await upload(files, content)

    async with rolled_back(database) as transaction:
        await files.take(transaction, file.id, ADA)
    async with database.transaction() as transaction:
        assert await files.take(transaction, file.id, ADA) == (file, content)

    with pytest.raises(UploadRefused):
        async with database.transaction() as transaction:
            await files.take(transaction, file.id, ADA)
    assert await files.find(file.id) is None
    assert await files.sweep() == 1
    assert await left(database, folder) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"])
async def test_every_byte_arrives_whatever_the_sql_mode_of_mariadb(database: Database, mode: str) -> None:
    if database.dialect.name != "mysql":
        pytest.skip("only MariaDB and MySQL have modes")
    content = bytes(range(256)) + b"\\'; DROP TABLE lambdesk_file; -- %s"
    async with database.transaction() as transaction:
        await transaction.execute(f"SET SESSION sql_mode = '{mode}'")
        await transaction.change(sa.insert(FILE_PART).values(file_id="x", number=0, content=content))
        rows = await transaction.execute(sa.select(FILE_PART.c.content))
        await transaction.execute("SET SESSION sql_mode = DEFAULT")

    assert rows == [(content,)]


async def test_a_deleted_file_is_gone_with_its_bytes(files: Files, database: Database, folder: Path | None) -> None:
    file = await upload(files, bytes(2 * PART_BYTES))

    await files.delete(file.id)

    assert (await files.find(file.id), await left(database, folder)) == (None, (0, 0, 0))


async def test_files_of_before_are_found_when_there_is_a_folder(database: Database, tmp_path: Path) -> None:
    old = await upload(Files(database), b"old")
    files = Files(database, tmp_path)
    new = await upload(files, b"new")

    assert [await read(files, old), await read(files, new)] == [b"old", b"new"]
    assert (old.place, new.place) == ("database", "folder")


async def test_a_file_in_a_folder_that_nobody_names_any_more_is_gone_and_not_swept(
    database: Database, tmp_path: Path
) -> None:
    file = await upload(Files(database, tmp_path))
    without = Files(database)

    with pytest.raises(FileGone):
        await read(without, file)
    assert await without.sweep(time.time() + DAY_LATER) == 0


async def test_the_path_of_a_file_is_made_of_its_id_alone(database: Database, tmp_path: Path) -> None:
    file = await upload(Files(database, tmp_path), name="../../evil.sh")

    (path,) = files_in(tmp_path)
    assert path.relative_to(tmp_path) == Path(file.id[:2]) / file.id
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_folder_that_cannot_be_written_is_told_without_its_path(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    files = Files(database, tmp_path / "file")

    with pytest.raises(WriteFailed, match=r"^The database cannot write \(the folder of files cannot be used\)\.$"):
        await upload(files)
