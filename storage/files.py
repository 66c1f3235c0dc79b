"""Uploaded files: received in parts, read in parts, and swept away when no row took them.

A file's row in `lambdesk_file` is there before its first byte and says when it is whole (it has a digest then). So whatever
an upload leaves behind, when its client goes away or the process is killed, is found by `sweep`.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import FileGone, StorageError
from storage.file_claims import FILE_COLUMNS, IS_FREE, IS_WHOLE, Owner, StoredFile, use_up
from storage.file_places import DATABASE, FILE_ID, FOLDER, PART_BYTES, InDatabase, InFolder, Place
from storage.own_tables import FILE, FILE_PART
from storage.transaction import Transaction

ID_BYTES = 32
UNCLAIMED_S = 24 * 3600  # how long a file stays that no row has
HEAD_BYTES = 4_096  # of a file, by which its type is told
_SWEPT_AT_ONCE = 100


class Files:
    """The files of one database. With a folder, new files go there; those in the other place are still found."""

    def __init__(self, database: Database, folder: Path | None = None) -> None:
        self._database = database
        self._places: dict[str, Place] = {DATABASE: InDatabase(database)}
        if folder is not None:
            self._places[FOLDER] = InFolder(folder)
        self._place = DATABASE if folder is None else FOLDER

    async def store(
        self, chunks: AsyncIterator[bytes], *, name: str, owner: Owner, sniff: Callable[[bytes], str]
    ) -> StoredFile:
        """Keep what arrives and return it as a file that no row has yet. `sniff` tells the content type by the first bytes.

        Whatever `chunks` raises goes on to the caller, and nothing of the file stays. Raises `WriteFailed`, `Unavailable`.
        """
        file_id = secrets.token_urlsafe(ID_BYTES)
        await self._announce(file_id, name, owner)
        try:
            head, size, sha256 = await self._receive(file_id, chunks)
            await self._places[self._place].finish(file_id)
            found = StoredFile(file_id, name, sniff(head), size, sha256, self._place)
            await self._complete(found)
        except BaseException:
            with suppress(StorageError):  # then it is left to be swept
                await asyncio.shield(self._forget({file_id: self._place}))
            raise
        return found

    async def find(self, file_id: str) -> StoredFile | None:
        """Return a file that is whole, whoever has it."""
        if FILE_ID.fullmatch(file_id) is None:
            return None
        rows = await self._database.fetch(sa.select(*FILE_COLUMNS).where(FILE.c.id == file_id, IS_WHOLE))
        return StoredFile(*rows[0]) if rows else None

    async def find_upload(self, file_id: str, owner: Owner) -> StoredFile | None:
        """Return an owner's file that is whole and that no row has yet."""
        if FILE_ID.fullmatch(file_id) is None:
            return None
        mine = (FILE.c.owner_kind == owner.kind, FILE.c.owner_id == owner.id)
        rows = await self._database.fetch(
            sa.select(*FILE_COLUMNS).where(FILE.c.id == file_id, IS_WHOLE, IS_FREE, *mine)
        )
        return StoredFile(*rows[0]) if rows else None

    async def read(self, file: StoredFile, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `stop`, holding no connection in between. Raises `FileGone`."""
        stop = file.size if stop is None else min(stop, file.size)
        place = self._places.get(file.place)
        if place is None:
            raise FileGone
        for number in range(start // PART_BYTES, -(-stop // PART_BYTES)):
            begin = number * PART_BYTES
            part = await place.read(file.id, number)
            if len(part) != min(PART_BYTES, file.size - begin):
                raise FileGone
            yield part[max(start - begin, 0) : stop - begin]

    async def delete(self, file_id: str) -> None:
        """Remove a file with its bytes, whoever has it. Rows that name it have no file from then on."""
        rows = await self._database.fetch(sa.select(FILE.c.id, FILE.c.place).where(FILE.c.id == file_id))
        await self._forget(dict(rows))

    async def take(self, transaction: Transaction, file_id: str, owner: Owner | None) -> tuple[StoredFile, bytes]:
        """Use an upload up, for a table that keeps bytes itself: return it whole and leave it to be swept.

        Raises `UploadRefused`. When the transaction is rolled back, the upload is as it was.
        """
        found = await use_up(transaction, file_id, owner)
        if found.place != DATABASE:
            return found, b"".join([part async for part in self.read(found)])
        parts = sa.select(FILE_PART.c.content).where(FILE_PART.c.file_id == file_id).order_by(FILE_PART.c.number)
        return found, b"".join([bytes(content) for (content,) in await transaction.execute(parts)])

    async def sweep(self, now: float | None = None) -> int:
        """Remove files that no row has had for `UNCLAIMED_S`, and what broken uploads left. Return how many."""
        before = int(time.time() if now is None else now) - UNCLAIMED_S
        old = (IS_FREE, FILE.c.created < before)
        swept = 0
        while True:
            # From here on no row can claim them, also if we are stopped before all of it is gone.
            async with self._database.transaction() as transaction:
                await transaction.change(sa.update(FILE).where(*old, IS_WHOLE).values(sha256=""))
            rows = await self._database.fetch(
                sa.select(FILE.c.id, FILE.c.place)
                .where(*old, sa.not_(IS_WHOLE), FILE.c.place.in_(list(self._places)))
                .limit(_SWEPT_AT_ONCE)
            )
            await self._forget(dict(rows))
            swept += len(rows)
            if len(rows) < _SWEPT_AT_ONCE:
                return swept

    # --- inside ---

    async def _announce(self, file_id: str, name: str, owner: Owner) -> None:
        values = {
            "id": file_id,
            "name": name,
            "content_type": "",
            "size": 0,
            "sha256": "",
            "place": self._place,
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "created": int(time.time()),
        }
        await self._change(sa.insert(FILE).values(values))

    async def _receive(self, file_id: str, chunks: AsyncIterator[bytes]) -> tuple[bytes, int, str]:
        """Write what comes in parts; return the first bytes, the size and the digest."""
        place, digest = self._places[self._place], hashlib.sha256()
        waiting = bytearray()
        head, size, number = b"", 0, 0
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            head += chunk[: HEAD_BYTES - len(head)]
            waiting += chunk
            while len(waiting) >= PART_BYTES:
                await place.write(file_id, number, bytes(waiting[:PART_BYTES]))
                del waiting[:PART_BYTES]
                number += 1
        if waiting:
            await place.write(file_id, number, bytes(waiting))
        return head, size, digest.hexdigest()

    async def _complete(self, file: StoredFile) -> None:
        values: Mapping[str, Any] = {"content_type": file.content_type, "size": file.size, "sha256": file.sha256}
        if await self._change(sa.update(FILE).where(FILE.c.id == file.id).values(values)) != 1:
            raise FileGone

    async def _forget(self, files: Mapping[str, str]) -> None:
        """Remove files, the bytes first: as long as the row is there, they are found again."""
        for file_id, place in files.items():
            await self._places[place].remove(file_id)
            await self._change(sa.delete(FILE).where(FILE.c.id == file_id))

    async def _change(self, statement: sa.Insert | sa.Update | sa.Delete) -> int:
        async with self._database.transaction() as transaction:
            return await transaction.change(statement)
