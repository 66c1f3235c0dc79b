"""Column types that the three databases spell differently, shared by the OTRS tables, our own and the managed ones."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

NAME_LIMIT = 60  # of keys and indexes: PostgreSQL cuts names at 63 bytes

# Who made a row and who changed it last, in OTRS's order.
AUDIT = ("create_time", "create_by", "change_time", "change_by")


class WallClock(sa.types.UserDefinedType[Any]):
    """A date and time to the second, without a zone. Values are bound by `storage.values.wall_clock`."""

    cache_ok = True


class LongText(sa.types.UserDefinedType[str]):
    """Text of any length: LONGBLOB on MySQL as OTRS has it, or the text type named there."""

    cache_ok = True

    def __init__(self, mysql: str = "LONGBLOB") -> None:
        self.mysql = mysql


class Bytes(sa.types.UserDefinedType[Any]):
    """Bytes of any length. OTRS keeps them as base64 in a TEXT on PostgreSQL."""

    cache_ok = True


class Blob(sa.types.UserDefinedType[Any]):
    """Bytes of any length, in tables of our own: as bytes everywhere."""

    cache_ok = True


@compiles(WallClock)
def _wall_clock(_type: WallClock, compiler: SQLCompiler, **_: Any) -> str:
    return "TIMESTAMP(0)" if compiler.dialect.name == "postgresql" else "DATETIME"


@compiles(LongText)
def _long_text(column_type: LongText, compiler: SQLCompiler, **_: Any) -> str:
    return column_type.mysql if compiler.dialect.name in {"mysql", "mariadb"} else "TEXT"


@compiles(Bytes)
def _bytes(_type: Bytes, compiler: SQLCompiler, **_: Any) -> str:
    return {"postgresql": "TEXT", "sqlite": "BLOB"}.get(compiler.dialect.name, "LONGBLOB")


@compiles(Blob)
def _blob(_type: Blob, compiler: SQLCompiler, **_: Any) -> str:
    return {"postgresql": "BYTEA", "sqlite": "BLOB"}.get(compiler.dialect.name, "LONGBLOB")


def key_name(prefix: str, *parts: str) -> str:
    """Name a key or an index of a database; what is too long ends in a digest of the whole."""
    name = "_".join((prefix, *parts))
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: NAME_LIMIT - 9]}_{digest}"
