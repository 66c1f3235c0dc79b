"""Where the bytes of uploaded files are kept: in the database, or in a folder. Both write, read and remove part by part."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import FileGone, StorageError, WriteFailed
from storage.own_tables import FILE_PART

PART_BYTES = 256 * 1024

FILE_ID = re.compile(r"[A-Za-z0-9_-]{43}")
# The names of the two places, as `lambdesk_file.place` has them.
DATABASE = "database"
FOLDER = "folder"

Result = TypeVar("Result")

_WRITE = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk is full", errno.EROFS: "the folder is read-only"}


class Place(Protocol):
    """Keeps the bytes of files. All parts but the last have `PART_BYTES`; they come and are read by number."""

    async def write(self, file_id: str, number: int, part: bytes) -> None:
        """Keep one part. Raises `WriteFailed`."""

    async def finish(self, file_id: str) -> None:
        """Make durable what was written."""

    async def read(self, file_id: str, number: int) -> bytes:
        """Return one part. Raises `FileGone`."""

    async def remove(self, file_id: str) -> None:
        """Remove what there is of a file, whole or not."""


class InDatabase:
    """Parts as rows of `lambdesk_file_part`, each written in a transaction of its own: an upload may take minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, file_id: str, number: int, part: bytes) -> None:
        """Insert one part."""
        async with self._database.transaction() as transaction:
            await transaction.change(sa.insert(FILE_PART).values(file_id=file_id, number=number, content=part))

    async def finish(self, file_id: str) -> None:
        """Do nothing: what is committed is durable."""

    async def read(self, file_id: str, number: int) -> bytes:
        """Select one part."""
        one = (FILE_PART.c.file_id == file_id, FILE_PART.c.number == number)
        rows = await self._database.fetch(sa.select(FILE_PART.c.content).where(*one))
        if not rows:
            raise FileGone
        return bytes(rows[0][0])

    async def remove(self, file_id: str) -> None:
        """Delete the parts."""
        async with self._database.transaction() as transaction:
            await transaction.change(sa.delete(FILE_PART).where(FILE_PART.c.file_id == file_id))


class InFolder:
    """One file each, written under a name of its own and renamed when it is whole. Only the random id makes the path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, file_id: str, number: int, part: bytes) -> None:
        """Append one part."""
        await _in_thread(lambda: self._append(file_id, number, part))

    async def finish(self, file_id: str) -> None:
        """Sync the file, give it its name, and sync that too."""
        await _in_thread(lambda: self._rename(file_id))

    async def read(self, file_id: str, number: int) -> bytes:
        """Read one part."""
        return await _in_thread(lambda: self._part(file_id, number))

    async def remove(self, file_id: str) -> None:
        """Delete the file under both its names."""
        await _in_thread(lambda: self._unlink(file_id))

    def _path(self, file_id: str) -> Path:
        if FILE_ID.fullmatch(file_id) is None:
            raise FileGone
        return self._folder / file_id[:2] / file_id

    def _draft(self, file_id: str) -> Path:
        path = self._path(file_id)
        return path.with_name(f".{path.name}.part")

    def _append(self, file_id: str, number: int, part: bytes) -> None:
        draft = self._draft(file_id)
        flags = _WRITE
        if number == 0:
            draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags |= os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, 0o600), "ab") as file:
            file.write(part)

    def _rename(self, file_id: str) -> None:
        draft, path = self._draft(file_id), self._path(file_id)
        if not draft.exists():  # a file without a single byte
            self._append(file_id, 0, b"")
        _sync(draft)
        draft.rename(path)
        _sync(path.parent)

    def _part(self, file_id: str, number: int) -> bytes:
        try:
            handle = os.open(self._path(file_id), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise FileGone from None
        try:
            return os.pread(handle, PART_BYTES, number * PART_BYTES)
        finally:
            os.close(handle)

    def _unlink(self, file_id: str) -> None:
        for path in (self._draft(file_id), self._path(file_id)):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Do what waits for a disk beside the event loop; what the system says becomes an error of ours."""
    try:
        return await asyncio.to_thread(work)
    except StorageError:
        raise
    except OSError as error:
        raise WriteFailed(_FULL.get(error.errno or 0, "the folder of files cannot be used")) from None
