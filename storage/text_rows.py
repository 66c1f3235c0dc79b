"""The table of texts and what is noted of it: which texts are in, how far they are read, up to which change they are current."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from storage.own import Runner
from storage.own_tables import TEXT, TEXT_SOURCE
from storage.transaction import Transaction
from storage.words import SLOTS, slot_of

BUILDING, COMPLETE, LEAVING = "building", "complete", "leaving"
LOCK = "texts"
_CLEARED = 500
_COLUMNS = TEXT_SOURCE.c
_ALL = tuple(_COLUMNS)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Some texts of a module: `mark` is the lowest row that is in, `done` of `total` rows have been read.

    They are current up to the change `upto`.
    """

    slot: int
    module: str
    form: str
    state: str
    mark: int | None
    upto: int
    done: int
    total: int
    began: int
    ended: int | None


def now_ms() -> int:
    """Return the time as sources note it."""
    return time.time_ns() // 1_000_000


ALL_SOURCES = sa.select(*_ALL).order_by(_COLUMNS.slot)


async def read_sources(runner: Runner) -> list[SourceRow]:
    """Return what is noted of all texts."""
    return [SourceRow(*row) for row in await runner.execute(ALL_SOURCES)]


async def add_source(runner: Runner, module: str, form: str, *, upto: int, total: int) -> int | None:
    """Begin with some texts, whose changes are followed from `upto` on; return their slot, or None where there is none left."""
    taken = {row[0] for row in await runner.execute(sa.select(_COLUMNS.slot))}
    slot = next((slot for slot in SLOTS if slot not in taken), None)
    if slot is not None:
        values = {"slot": slot, "module": module, "form": form, "state": BUILDING}
        values |= {"upto": upto, "done": 0, "total": total}
        await runner.execute(sa.insert(TEXT_SOURCE), {**values, "began": now_ms()})
    return slot


async def begin_again(runner: Runner, rows: Iterable[SourceRow]) -> None:
    """Begin once more with all texts that are complete; these are searched until the new ones are."""
    known = list(rows)
    building = {row.form for row in known if row.state == BUILDING}
    for row in known:
        if row.state == COMPLETE and row.form not in building:
            await add_source(runner, row.module, row.form, upto=row.upto, total=row.total)


async def note_source(runner: Runner, slot: int, **values: int | str | None) -> None:
    """Note how far some texts are."""
    await runner.execute(sa.update(TEXT_SOURCE).where(_COLUMNS.slot == slot).values(**values))


async def remove_source(runner: Runner, slot: int) -> None:
    """Forget some texts, which are gone."""
    await runner.execute(sa.delete(TEXT_SOURCE).where(_COLUMNS.slot == slot))


async def put_texts(transaction: Transaction, texts: Mapping[int, str]) -> int:
    """Put texts in, by their ids; what has no words is taken out, what is the same stays. Return how many changed."""
    known = await _known(transaction, texts)
    changed = {number: words for number, words in texts.items() if known.get(number, "") != words}
    gone = [number for number in changed if number in known]
    if gone:
        await transaction.execute(sa.delete(TEXT).where(TEXT.c.id.in_(gone)))
    rows = [{"id": number, "words": words} for number, words in sorted(changed.items()) if words]
    if rows:
        await transaction.execute(sa.insert(TEXT).inline(), rows if len(rows) > 1 else rows[0])
    return len(changed)


async def clear_texts(transaction: Transaction, slot: int, after: int) -> int | None:
    """Take some texts of a slot out, those with an id beyond `after`; return where to go on, None at the end."""
    question = sa.select(TEXT.c.id).where(TEXT.c.id > after, slot_of(TEXT.c.id) == slot)
    ids = [row[0] for row in await transaction.execute(question.order_by(TEXT.c.id).limit(_CLEARED))]
    if ids:
        await transaction.execute(sa.delete(TEXT).where(TEXT.c.id.in_(ids)))
    return ids[-1] if len(ids) == _CLEARED else None


async def _known(transaction: Transaction, ids: Collection[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    rows = await transaction.execute(sa.select(TEXT.c.id, TEXT.c.words).where(TEXT.c.id.in_(list(ids))))
    return {row[0]: row[1] for row in rows}
