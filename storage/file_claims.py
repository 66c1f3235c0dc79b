"""Who has an uploaded file: nobody yet, or one field of one row. What mutations call inside their own transactions."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from storage.errors import UploadRefused
from storage.file_places import FILE_ID
from storage.own_tables import FILE
from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Owner:
    """Who uploaded a file: the kind of caller and the number, which means nothing without it."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is whole. `size` is in bytes, `sha256` in hexadecimal digits."""

    id: str
    name: str
    content_type: str
    size: int
    sha256: str
    place: str


FILE_COLUMNS = (FILE.c.id, FILE.c.name, FILE.c.content_type, FILE.c.size, FILE.c.sha256, FILE.c.place)
IS_WHOLE = FILE.c.sha256 != ""
IS_FREE = FILE.c.module.is_(None)


async def claim(
    transaction: Transaction, file_id: str, owner: Owner | None, *, module: str, row_key: str, field: str
) -> StoredFile:
    """Give an upload to a field of a row, for good; of several at once, one has it. `row_key` is as in `lambdesk_change`.

    Without an owner it may be anybody's: an undo gives a row back what it had. Raises `UploadRefused` when there is no
    such upload, it is another owner's, or a row has it already.
    """
    return await _seize(transaction, file_id, owner, {"module": module, "row_key": row_key, "field": field})


async def release(transaction: Transaction, file_id: str, *, module: str, row_key: str, field: str) -> bool:
    """Take a file from a field of a row, and tell whether that had it. It stays for a day, so that an undo finds it."""
    held = (FILE.c.id == file_id, FILE.c.module == module, FILE.c.row_key == row_key, FILE.c.field == field)
    values = {"module": None, "row_key": None, "field": None, "created": int(time.time())}
    return await transaction.change(sa.update(FILE).where(*held).values(values)) == 1


async def use_up(transaction: Transaction, file_id: str, owner: Owner | None) -> StoredFile:
    """Take an upload so that nobody can claim it and the next sweep removes it. Raises `UploadRefused` as `claim` does."""
    found = await _seize(transaction, file_id, owner, {"created": 0})
    await transaction.change(sa.update(FILE).where(FILE.c.id == file_id).values(sha256=""))
    return found


async def _seize(
    transaction: Transaction, file_id: str, owner: Owner | None, values: dict[str, str] | dict[str, int]
) -> StoredFile:
    if FILE_ID.fullmatch(file_id) is None:  # collations would take some of what is none for one
        raise UploadRefused
    wanted = [FILE.c.id == file_id, IS_FREE, IS_WHOLE]
    if owner is not None:
        wanted += [FILE.c.owner_kind == owner.kind, FILE.c.owner_id == owner.id]
    if await transaction.change(sa.update(FILE).where(*wanted).values(values)) != 1:
        raise UploadRefused
    rows = await transaction.execute(sa.select(*FILE_COLUMNS).where(FILE.c.id == file_id))
    return StoredFile(*rows[0])
