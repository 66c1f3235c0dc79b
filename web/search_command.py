"""The command `lambdesk search`: how far the full-text index is, and building it anew."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from storage.install import install
from storage.locks import hold
from storage.text_rows import ALL_SOURCES, COMPLETE, LOCK, SourceRow, begin_again, read_sources
from web.commands import Told
from web.lifecycle import open_database
from web.settings import Settings

_NOTHING = "Nothing is in the full-text index. A running server builds it for modules with `search: {full_text: true}`."


async def search(settings: Settings, arguments: Namespace) -> Told:
    """Tell how far the index is; with `--rebuild` first ask the server for a new one."""
    database = open_database(settings)
    try:
        await install(database)
        if arguments.rebuild:
            async with database.transaction() as transaction:
                await hold(transaction, LOCK)
                await begin_again(transaction, await read_sources(transaction))
        rows = [SourceRow(*row) for row in await database.fetch(ALL_SOURCES)]
    finally:
        await database.close()
    return Told("\n".join(map(_line, rows)) or _NOTHING, list(map(_data, rows)), _code(rows))


def _line(row: SourceRow) -> str:
    share = 100 if row.state == COMPLETE else min(99, 100 * row.done // max(row.total, 1))
    return f"{row.module}: {row.state}, {row.done:,} of {max(row.total, row.done):,} rows ({share} %)"


def _data(row: SourceRow) -> dict[str, object]:
    return {
        "module": row.module,
        "state": row.state,
        "done": row.done,
        "total": row.total,
        "began": _moment(row.began),
        "ended": _moment(row.ended),
    }


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()


def _code(rows: Sequence[SourceRow]) -> int:
    """Succeed where there is an index that searches use."""
    return 0 if any(row.state == COMPLETE for row in rows) else 1
