"""What SQLite is told of its rows, by which it plans; the other databases count by themselves."""

from __future__ import annotations

from storage.own import Runner
from storage.own_tables import WORD_INDEX

_OF_WORDS = f"substr({{}}, 1, {len(WORD_INDEX)}) = '{WORD_INDEX}'"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "  # noqa: S608 - names of ours
    f"AND NOT {_OF_WORDS.format('name')} ORDER BY name"
)
_IS_THERE = "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'"
_FORGET = f"DELETE FROM sqlite_stat1 WHERE {_OF_WORDS.format('tbl')}"  # noqa: S608 - the same


async def has_counts(runner: Runner) -> bool:
    """Answer whether rows have ever been counted."""
    return bool((await runner.execute(_IS_THERE))[0][0])


async def count_rows(runner: Runner) -> None:
    """Let SQLite count the rows of its tables, all but those inside the full-text index.

    Counted while there is next to nothing in it, its pieces would be read from end to end whenever some are merged, however
    many there are by then.
    """
    for (name,) in await runner.execute(_TABLES):
        await runner.execute(f'ANALYZE "{name}"')
    await forget_words(runner)


async def forget_words(runner: Runner) -> None:
    """Forget what was counted inside the full-text index; connections that are opened from now on know nothing of it."""
    if await has_counts(runner):
        await runner.execute(_FORGET)
