"""Writers who do what the manual tells clients: send each write with a key of its own, again until it is answered.

And the books afterwards: what was sent is there once, in its table and in the ledger, and nothing else is.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from storage.engine import Database

# A table that Lambdesk made, in which nothing but the key is unique: what is done twice is there twice.
ENTRY = """\
module: {name: entry, plural_name: entries, table: entry, operations: [view, create]}
fields: [{name: mark, type: string, required: true}]
"""
# A field beside OTRS's table.
TICKET = """\
module: {extend: ticket}
fields: [{name: contract_no, type: string, label: Contract}]
"""
SITE = {"entry": ENTRY, "ticket": TICKET}

MAKE_ENTRY = (
    "mutation ($mark: String!) { done: createEntry(input: {entry: {mark: $mark}}) { entry { mark } errors { code } } }"
)
MAKE_TICKET = """mutation ($mark: String!) {
  done: createTicket(input: {ticket: {
    title: $mark, queue: {name: "Raw"}, contractNo: $mark, article: {subject: $mark, body: "Help"}
  }}) { ticket { title number } errors { code } }
}"""
NOT_NOW = frozenset({"UNAVAILABLE", "TIMEOUT"})  # every other code would be a wrong answer
PAUSE_S = 0.2
WRITERS = 6
PATIENCE_S = 60.0

# Sends a document with its key and its mark; None when the answer did not come.
Send = Callable[[str, str, str], Awaitable[dict[str, Any] | None]]


def put_site(folder: Path) -> Path:
    """Write the module files of the load."""
    site = folder / "site"
    site.mkdir()
    for name, text in SITE.items():
        (site / f"{name}.yaml").write_text(text)
    return site


@dataclass
class Load:
    """Writers at work. `entries` and `tickets` are the marks of what was acknowledged."""

    send: Send
    entries: list[str] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    under_way: int = 0  # how many writes are being waited for at this moment
    again: int = 0  # how often a write was sent again
    is_over: bool = False

    async def write(self, number: int) -> None:
        """Write one thing after the other until it is over; what was begun is ended."""
        for turn in count(1):
            if self.is_over:
                return
            mark = f"mark {number} {turn}"
            kind, acknowledged = (MAKE_TICKET, self.tickets) if turn % 2 else (MAKE_ENTRY, self.entries)
            while not await self._send(kind, mark):
                self.again += 1
                await asyncio.sleep(PAUSE_S)
            acknowledged.append(mark)

    async def _send(self, kind: str, mark: str) -> bool:
        self.under_way += 1
        try:
            return settled(await self.send(kind, f"key {mark}", mark), mark)
        finally:
            self.under_way -= 1

    async def grow(self, more: int) -> None:
        """Wait until so many more writes are acknowledged."""
        enough = len(self.entries) + len(self.tickets) + more
        end = time.monotonic() + PATIENCE_S
        while len(self.entries) + len(self.tickets) < enough:
            assert time.monotonic() < end, f"nothing is written any more: {self}"
            await asyncio.sleep(0.005)


@asynccontextmanager
async def under_load(send: Send) -> AsyncIterator[Load]:
    """Let writers write until the block ends, and then until each knows what became of its last write."""
    load = Load(send)
    async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(load.write(number))
        yield load
        load.is_over = True
        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_S)


def settled(answer: dict[str, Any] | None, mark: str) -> bool:
    """Whether a write is acknowledged; what is no acknowledgement must say that it may be sent again."""
    if answer is None:
        return False
    if errors := answer.get("errors"):
        codes = {error["extensions"]["code"] for error in errors}
        assert codes <= NOT_NOW, answer
        return False
    payload = answer["data"]["done"]
    assert payload["errors"] == [], payload
    assert mark in str(payload), payload
    return True


_OF_OURS = "ticket_id IN (SELECT id FROM ticket WHERE SUBSTR(title, 1, 5) = 'mark ')"
_TICKET_TABLES = {
    "ticket": "title",
    "lambdesk_ext_ticket": "contract_no",
    "article_data_mime": "a_subject",
}
_ORPHANS = (
    ("ticket_history", "ticket_id", "ticket"),
    ("article", "ticket_id", "ticket"),
    ("article_data_mime", "article_id", "article"),
    ("lambdesk_ext_ticket", "id", "ticket"),
)


async def books(database: Database, entries: Sequence[str], tickets: Sequence[str]) -> list[str]:
    """Return what the tables and the ledger say otherwise than that each of these was written exactly once."""

    async def of(table: str, column: str = "id", where: str = "1 = 1") -> list[Any]:
        text = f"SELECT {column} FROM {table} WHERE {where}"  # noqa: S608 - our own words
        return [row[0] for row in await database.fetch(text)]

    marked = "SUBSTR({}, 1, 5) = 'mark '"
    wrong = _compare("entry", await of("entry", "mark"), entries)
    for table, column in _TICKET_TABLES.items():
        wrong += _compare(table, await of(table, column, marked.format(column)), tickets)
    made = await of("ticket", "id", marked.format("title"))
    (new,) = await of("ticket_history_type", "id", "name = 'NewTicket'")
    history = f"history_type_id = {new} AND {_OF_OURS}"
    wrong += _compare("the history of tickets", await of("ticket_history", "ticket_id", history), made)
    for module, ids in ("entry", await of("entry")), ("ticket", made), ("article", await of("article", "id", _OF_OURS)):
        noted = await of("lambdesk_change", "row_key", f"kind = 1 AND module = '{module}'")
        wrong += _compare(f"the ledger of {module}", noted, [f"[{number}]" for number in ids])
    for table, column, other in _ORPHANS:
        orphans = await of(table, column, f"{column} NOT IN (SELECT id FROM {other})")  # noqa: S608 - our own words
        wrong += [f"{table} has a row of {other} {number}, which is not there" for number in orphans]
    numbers = await of("ticket", "tn")
    wrong += _compare("numbers of tickets", numbers, set(numbers))
    noted = await of("lambdesk_idempotency", "digest", "result <> ''")
    if len(noted) != len(entries) + len(tickets):
        wrong.append(f"{len(noted)} keys are noted for {len(entries) + len(tickets)} writes")
    return wrong


def _compare(place: str, found: Sequence[Any], due: Sequence[Any] | set[Any]) -> list[str]:
    twice = {item for item, number in Counter(found).items() if number > 1}
    return [
        *(f"{place}: {item} is lost" for item in sorted(set(due) - set(found))),
        *(f"{place}: {item} is there, and nobody wrote it" for item in sorted(set(found) - set(due))),
        *(f"{place}: {item} is doubled" for item in sorted(twice)),
    ]
