"""The wire to the database breaks at a chosen point: the answer is typed and in time, and the same key settles what is open."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.errors import OutcomeOpen
from schema.snapshot import Snapshot
from storage.engine import Database
from tests.counts import count
from tests.databases import fresh_url
from tests.desk.api import MODULES, Api, load, make_api
from tests.proofs.load import MAKE_TICKET, NOT_NOW, books, put_site, settled
from tests.storage.proxy import Aftermath, Loss, Proxy

pytestmark = pytest.mark.timed

SERVERS = ("mysql", "postgresql")
PORTS = {"mysql": 3306, "postgresql": 5432}
ROUNDS = count(1, 6)  # of 19 points on two servers: 38 in the suite, 228 in the soak
DEADLINE_S = 1.5
STATEMENT_S = 0.5
LATE_S = 1.0  # an answer comes no later than this after its deadline, a success after the database's return
Answering = Coroutine[Any, Any, dict[str, Any]]
READ = "{ entries(first: 3) { nodes { mark } } }"


class Where(StrEnum):
    """Which question is the one that is lost, or whose answer is."""

    CONNECT = "while connecting"
    QUERY = "in a query"
    TRANSACTION = "in a transaction"
    COMMIT = "at COMMIT"
    PAYLOAD = "after COMMIT"  # while the payload is read


@dataclass(frozen=True)
class Point:
    """Where the wire breaks, and how."""

    where: Where
    loss: Loss
    aftermath: Aftermath
    statement_s: float = STATEMENT_S

    def __str__(self) -> str:
        end = ", until the deadline" if self.statement_s > DEADLINE_S else ""
        return f"{self.where}, {self.loss}, {self.aftermath}{end}"

    @property
    def is_written(self) -> bool:
        """Whether the database has committed when the client gets its answer."""
        return self.where is Where.PAYLOAD or (self.where is Where.COMMIT and self.loss is Loss.ANSWER)


POINTS = (
    Point(Where.CONNECT, Loss.QUESTION, Aftermath.CUT),
    Point(Where.CONNECT, Loss.ANSWER, Aftermath.CUT),
    Point(Where.CONNECT, Loss.QUESTION, Aftermath.SWALLOW),
    Point(Where.QUERY, Loss.QUESTION, Aftermath.CUT),
    Point(Where.QUERY, Loss.ANSWER, Aftermath.CUT),
    Point(Where.QUERY, Loss.ANSWER, Aftermath.SWALLOW),
    Point(Where.TRANSACTION, Loss.HALF, Aftermath.CUT),
    Point(Where.TRANSACTION, Loss.ANSWER, Aftermath.CUT),
    Point(Where.TRANSACTION, Loss.ANSWER, Aftermath.BLINK),
    Point(Where.TRANSACTION, Loss.QUESTION, Aftermath.SWALLOW),
    Point(Where.COMMIT, Loss.QUESTION, Aftermath.CUT),
    Point(Where.COMMIT, Loss.HALF, Aftermath.CUT),
    Point(Where.COMMIT, Loss.ANSWER, Aftermath.CUT),
    Point(Where.COMMIT, Loss.ANSWER, Aftermath.BLINK),
    Point(Where.COMMIT, Loss.QUESTION, Aftermath.SWALLOW),
    Point(Where.COMMIT, Loss.ANSWER, Aftermath.SWALLOW),
    Point(Where.COMMIT, Loss.QUESTION, Aftermath.SWALLOW, DEADLINE_S * 2),
    Point(Where.COMMIT, Loss.ANSWER, Aftermath.SWALLOW, DEADLINE_S * 2),
    Point(Where.PAYLOAD, Loss.ANSWER, Aftermath.CUT),
)


@dataclass(frozen=True, repr=False)
class Place:
    """A database with what serves on it. `marks` are of the tickets that must be there."""

    dialect: str
    url: str
    snapshot: Snapshot
    marks: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=SERVERS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = put_site(tmp_path_factory.mktemp("site"))
    with fresh_url(request.param) as url:
        yield Place(request.param, url, asyncio.run(_load(url, site)))


async def _load(url: str, site: Path) -> Snapshot:
    database = Database(url)
    try:
        return await load(database, [MODULES, site])
    finally:
        await database.close()


@dataclass
class Wire:
    """A desk behind a wire that breaks, and a look at the database past it."""

    place: Place
    proxy: Proxy
    api: Api
    direct: Database
    chance: random.Random

    async def warm_up(self) -> int:
        """Open the connections and prepare all statements; return how many questions a write asks up to its COMMIT."""
        upto = 0

        def see(text: str) -> None:
            nonlocal upto
            if text == "COMMIT":
                upto = self.proxy.questions

        for _ in range(2):
            before = self.proxy.questions
            self.api.database.statements = see
            assert settled(await self.write(self.new_mark()), self.place.marks[-1])
        return upto - before

    def new_mark(self) -> str:
        self.place.marks.append(f"mark {len(self.place.marks)}")
        return self.place.marks[-1]

    async def write(self, mark: str) -> dict[str, Any]:
        return await self.api.ask(MAKE_TICKET, once=f"key {mark}", mark=mark)

    async def written(self, mark: str) -> int:
        """Look past the wire how often a ticket is there."""
        rows = await self.direct.fetch(sa.text("SELECT COUNT(*) FROM ticket WHERE title = :mark").bindparams(mark=mark))
        return int(rows[0][0])

    async def arm(self, point: Point) -> None:
        """Prepare the break at a point of the next operation."""

        def lose(after: int = 0) -> None:
            self.proxy.lose(point.loss, point.aftermath, after=after)

        if point.where is Where.CONNECT:
            lose()
            return
        questions = await self.warm_up()
        seen: list[str] = []

        def see(text: str) -> None:
            seen.append(text)
            is_there = {
                Where.QUERY: True,
                Where.COMMIT: text == "COMMIT",
                Where.PAYLOAD: seen[-2:-1] == ["COMMIT"],
            }
            if is_there[point.where]:
                self.api.database.statements = None
                lose()

        if point.where is Where.TRANSACTION:
            self.api.database.statements = None
            lose(self.chance.randrange(questions - 1))
        else:
            self.api.database.statements = see

    async def come_back(self) -> float:
        """Mend what is broken; return when."""
        self.proxy.flow()
        if not self.proxy.is_listening:
            await self.proxy.mend()
        return time.monotonic()


@asynccontextmanager
async def open_wire(place: Place, point: Point, chance: random.Random) -> AsyncIterator[Wire]:
    """Open a desk that has no connection yet, and not much patience."""
    url = sa.make_url(place.url)
    proxy = Proxy(url.port or PORTS[place.dialect])
    await proxy.mend()
    database = Database(
        url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False),
        statement_timeout_s=point.statement_s,
        acquire_timeout_s=STATEMENT_S,
        connect_timeout_s=STATEMENT_S,
    )
    direct = Database(place.url)
    api = replace(make_api(database, place.snapshot), deadline_s=DEADLINE_S)
    try:
        yield Wire(place, proxy, api, direct, chance)
    finally:
        await proxy.cut()
        await database.close()
        await direct.close()


@pytest.mark.parametrize("point", [point for point in POINTS if point.where is not Where.QUERY], ids=str)
async def test_a_write_that_is_cut_off_is_told_in_time_and_done_once_when_it_is_sent_again(
    place: Place, point: Point
) -> None:
    chance = random.Random(f"{place.dialect} {point}")
    for _ in range(ROUNDS):
        async with open_wire(place, point, chance) as wire:
            await wire.arm(point)
            await write_twice(wire, point, wire.new_mark())
            assert await books(wire.direct, [], place.marks) == []


async def write_twice(wire: Wire, point: Point, mark: str) -> None:
    """Write while the wire breaks, and send the same again when it is mended."""

    def write() -> Answering:
        return wire.write(mark)

    answer = await in_time(write())
    assert wire.proxy.is_lost
    is_done = settled(answer, mark)
    assert await wire.written(mark) == int(is_done or point.is_written)
    if point.where is Where.COMMIT:  # nobody but the client tries it again
        assert [error["message"] for error in answer["errors"]] == [OutcomeOpen.text]
    if point.where is Where.PAYLOAD:  # it is done, and only cannot be shown
        assert [error["path"] for error in answer["errors"]] == [["done", "ticket"]]
        assert answer["data"]["done"]["errors"] == []
    if point.aftermath is Aftermath.CUT:
        assert not settled(await in_time(write()), mark)
    await soon_after(await wire.come_back(), write, lambda answer: settled(answer, mark))


@pytest.mark.parametrize("point", [point for point in POINTS if point.where is Where.QUERY], ids=str)
async def test_a_query_that_is_cut_off_is_told_in_time_and_answered_soon_after_the_return(
    place: Place, point: Point
) -> None:
    chance = random.Random(f"{place.dialect} {point}")
    for _ in range(ROUNDS):
        async with open_wire(place, point, chance) as wire:

            def ask(wire: Wire = wire) -> Answering:
                return wire.api.ask(READ)

            await wire.arm(point)
            answer = await in_time(ask())
            assert wire.proxy.is_lost
            assert answer["errors"]
            assert {error["extensions"]["code"] for error in answer["errors"]} <= NOT_NOW
            await soon_after(await wire.come_back(), ask, lambda answer: not answer["errors"])


async def soon_after(returned: float, ask: Callable[[], Answering], is_good: Callable[[dict[str, Any]], bool]) -> None:
    """Ask until the answer is good, which must not take long."""
    while not is_good(answer := await ask()):
        assert time.monotonic() - returned < LATE_S, answer
        await asyncio.sleep(0.02)
    assert time.monotonic() - returned < LATE_S


async def in_time(work: Answering) -> dict[str, Any]:
    """Await an answer, which comes soon after its deadline at the latest."""
    began = time.monotonic()
    async with asyncio.timeout(DEADLINE_S + LATE_S * 4):  # a test that fails should end, too
        answer = await work
    assert time.monotonic() - began < DEADLINE_S + LATE_S
    return answer
