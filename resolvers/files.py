"""The bytes of a row's file, for whoever may read the field: the question goes through the API like any other."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, Any

import sqlalchemy as sa
from graphql import GraphQLObjectType, parse

from resolvers.context import Context
from resolvers.draft import Draft
from resolvers.errors import MASKED, DatabaseAway, DeadlinePassed, OperationError, from_storage
from resolvers.execute import execute
from resolvers.guard import guard_of
from resolvers.ids import GlobalId, read_id
from resolvers.predicate import KeyIn
from resolvers.scope import Speech
from resolvers.terms import Term
from schema.catalog import ColumnClass
from schema.spec import Field
from storage.dialects import Expression as Sql
from storage.errors import StorageError
from storage.files import Files

READ_AT_ONCE = 256 * 1024  # bytes of a column in one statement
# Characters: PostgreSQL unpacks the whole text for every piece of it, so that small pieces cost their number squared.
LETTERS_AT_ONCE = 4_000_000
IN_MEMORY_BYTES = 1_000_000  # of a file that a table holds itself; what is larger waits on disk for its reader

_QUERY = "query ($id: ID!) {{ node(id: $id) {{ ... on {type} {{ file: {field} {{ name contentType }} }} }} }}"
# What is wrong with the server is told; every other refusal looks like a row that is not there.
_TOLD: dict[str, Callable[[], OperationError]] = {
    DatabaseAway.code: DatabaseAway,
    DeadlinePassed.code: DeadlinePassed,
    OperationError.code: lambda: OperationError(MASKED),
}
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may be read: `read` yields its bytes from a start up to a stop. `sha256` is in hexadecimal digits."""

    name: str
    content_type: str
    size: int
    sha256: str
    read: Callable[[int, int], AsyncIterator[bytes]]


@asynccontextmanager
async def open_file(context: Context, files: Files, row_id: str, field_name: str) -> AsyncIterator[Download | None]:
    """Lend the file of a row's field, or None where the caller cannot read it, for whatever reason.

    Raises `OperationError` when the server cannot tell, and `FileGone` when the bytes are not where they should be.
    """
    found = read_id(row_id, context.snapshot.by_type_name)
    field = _field(context, found, field_name) if found else None
    said = await _ask(context, found, row_id, field) if found and field else None
    if found is None or field is None or said is None:
        yield None
    elif field.holds_bytes:
        with _spooled() as spool:
            size, digest = await _fill(spool, _column(context, found, field))
            yield Download(said["name"], said["contentType"], size, digest, lambda a, b: _from(spool, a, b))
    else:
        stored = await files.find(await _stored_id(context, found, field))
        if stored is None:
            yield None
        else:
            yield Download(
                stored.name, stored.content_type, stored.size, stored.sha256, lambda a, b: files.read(stored, a, b)
            )


def _field(context: Context, found: GlobalId, name: str) -> Field | None:
    """Return the field of the caller's schema, if it is a file."""
    shown = context.schema.get_type(found.module.type_name)
    item = found.module.members.get(name)
    if not isinstance(shown, GraphQLObjectType) or name not in shown.fields:
        return None
    return item if isinstance(item, Field) and item.kind == "file" else None


async def _ask(context: Context, found: GlobalId, row_id: str, field: Field) -> dict[str, str] | None:
    """Ask the API for the field, as the caller."""
    document = parse(_QUERY.format(type=found.module.type_name, field=field.api_name))
    result = await execute(context, document, None, {"id": row_id})
    for error in result.errors or ():
        make = _TOLD.get(str((error.extensions or {}).get("code")))
        if make is not None:
            failure = make()
            raise failure
    row: dict[str, Any] = (result.data or {}).get("node") or {}
    said: dict[str, str] | None = row.get("file")
    return said


# --- where the bytes are ---


async def _stored_id(context: Context, found: GlobalId, field: Field) -> str:
    rows = await _fetch(context, _statement(context, found, field, lambda value: value))
    return str(rows[0][0]) if rows else ""


async def _column(context: Context, found: GlobalId, field: Field) -> AsyncIterator[bytes]:
    """Yield the bytes that a column holds; a column of texts holds them as base64, as OTRS does on PostgreSQL."""
    is_text = field.column_class is ColumnClass.TEXT
    size = LETTERS_AT_ONCE if is_text else READ_AT_ONCE
    waiting = ""
    start = 1
    while True:
        rows = await _fetch(context, _statement(context, found, field, _piece(start, size)))
        part = rows[0][0] if rows and rows[0][0] is not None else b""
        if is_text:
            waiting += _NOT_BASE64.sub("", part if isinstance(part, str) else bytes(part).decode("ascii", "ignore"))
            whole = len(waiting) - len(waiting) % 4
            yield b64decode(waiting[:whole])
            waiting = waiting[whole:]
        else:
            yield part.encode() if isinstance(part, str) else bytes(part)
        if len(part) < size:
            break
        start += size
    if len(waiting) > 1:  # one letter alone is no byte
        yield b64decode(waiting + "=" * (4 - len(waiting)))


def _piece(start: int, size: int) -> Callable[[Sql], Sql]:
    """Cut a value from a place on; the database counts from 1."""
    place, count = sa.literal(start, sa.Integer), sa.literal(size, sa.Integer)
    return lambda value: sa.func.substr(value, place, count)


def _statement(context: Context, found: GlobalId, field: Field, make: Callable[[Sql], Sql]) -> sa.Select[Any]:
    database, snapshot = context.database, context.snapshot
    draft = Draft(
        Speech(
            database.dialect,
            snapshot.catalog,
            database.zone,
            snapshot.modules,
            snapshot.by_table,
            guard_of(context.rights, snapshot),
        ),
        found.module,
    )
    draft.add(make(draft.scope.value(Term((), found.module, field))))
    draft.where([KeyIn((), found.module, (found.key,))])
    return draft.statement()


async def _fetch(context: Context, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
    context.statements += 1
    try:
        return await context.database.fetch(statement)
    except StorageError as error:
        raise from_storage(error) from error


# --- what a table holds itself, laid aside until its reader has it ---


@contextmanager
def _spooled() -> Iterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spool:
        yield spool


async def _fill(spool: IO[bytes], parts: AsyncIterator[bytes]) -> tuple[int, str]:
    """Lay the bytes aside; return their number and digest, which no column tells for certain."""
    digest, size = hashlib.sha256(), 0
    async for part in parts:
        digest.update(part)
        size += len(part)
        await asyncio.to_thread(spool.write, part)
    return size, digest.hexdigest()


async def _from(spool: IO[bytes], start: int, stop: int) -> AsyncIterator[bytes]:
    spool.seek(start)
    while start < stop:
        part = await asyncio.to_thread(spool.read, min(READ_AT_ONCE, stop - start))
        if not part:
            return  # nothing is beyond the end
        start += len(part)
        yield part
