"""The hand-compiled ceiling: the same answers by SQL and shaping written by hand, without GraphQL, rights or limits.

It knows the documents by their text, keeps statements prepared and connections open, and does nothing that the answer does
not need. What a generated API loses against it is what generality costs.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiomysql
import asyncpg
import orjson
import sqlalchemy as sa

from bench.reads_world import QUEUE, QUEUES_WITH_TICKETS, THIRD_PAGE, TICKET_PAGE

CONNECTIONS = 10  # as many as a server of ours has by default
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = Callable[[dict[str, Any]], Awaitable[Any]]

_DATES = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z  # the columns have no zone and hold UTC
_PAGE_COLUMNS = "t.id, t.tn, t.title, t.create_time, q.name, g.name, p.name, u.login, u.first_name, u.last_name"
_PAGE_JOINS = (
    "JOIN queue q ON q.id = t.queue_id JOIN permission_groups g ON g.id = q.group_id "
    "JOIN ticket_priority p ON p.id = t.ticket_priority_id JOIN users u ON u.id = t.user_id"
)
_POSTGRESQL = {
    QUEUE.text: "SELECT q.id, q.name, q.comments, q.unlock_timeout, g.id, g.name, g.comments "
    "FROM queue q JOIN permission_groups g ON g.id = q.group_id WHERE q.id = $1",
    TICKET_PAGE.text: f"SELECT {_PAGE_COLUMNS} FROM ticket t {_PAGE_JOINS} "  # noqa: S608 - constants
    "WHERE t.queue_id = ANY($2::int[]) AND t.ticket_state_id = ANY($3::int[]) ORDER BY t.create_time DESC, t.id DESC LIMIT $1",
    QUEUES_WITH_TICKETS.text: "SELECT q.id, q.name, t.id, t.tn, t.title, t.create_time, u.login, u.first_name, u.last_name "
    "FROM (SELECT id, name FROM queue WHERE id = ANY($1::int[]) ORDER BY name, id LIMIT $2) q "
    "LEFT JOIN LATERAL (SELECT * FROM ticket WHERE queue_id = q.id ORDER BY create_time DESC, id DESC LIMIT $3) t ON true "
    "LEFT JOIN users u ON u.id = t.user_id ORDER BY q.name, q.id, t.create_time DESC, t.id DESC",
    THIRD_PAGE.text: "SELECT t.id, t.tn, t.title, t.change_time, q.name, s.name, u.login FROM ticket t "
    "JOIN queue q ON q.id = t.queue_id JOIN ticket_state s ON s.id = t.ticket_state_id JOIN users u ON u.id = t.user_id "
    "WHERE t.queue_id = ANY($3::int[]) AND t.ticket_state_id = ANY($4::int[]) "
    "ORDER BY t.change_time DESC, t.id DESC LIMIT $1 OFFSET $2",
    "count": "SELECT count(*) FROM ticket WHERE queue_id = ANY($1::int[]) AND ticket_state_id = ANY($2::int[])",
}
_PAGE_ELSEWHERE = (
    f"SELECT {_PAGE_COLUMNS} FROM ticket t {_PAGE_JOINS} "  # noqa: S608 - constants
    "WHERE t.queue_id IN ({queues}) AND t.ticket_state_id IN ({states}) ORDER BY t.create_time DESC, t.id DESC LIMIT {first}"
)


def make_app(url: str) -> App:
    """Make the application for a database."""
    scheme = url.partition(":")[0]
    sources: dict[str, type[PostgreSQL | MariaDB | SQLite]] = {"sqlite": SQLite, "mysql": MariaDB}
    return App(sources.get(scheme, PostgreSQL)(url))


class App:
    """The application: it reads a request, looks its document up, and writes what its function made."""

    def __init__(self, source: PostgreSQL | MariaDB | SQLite) -> None:
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the server's own start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        asked = orjson.loads(await _read_body(receive))
        data = await self._source.answers[asked["query"]](asked["variables"])
        body = orjson.dumps({"data": data}, option=_DATES)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._source.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._source.close()
        await send({"type": "lifespan.shutdown.complete"})


class PostgreSQL:
    """The four answers from asyncpg's prepared statements."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: list[asyncpg.Connection] = []
        self._free: asyncio.LifoQueue[dict[str, Any]] = asyncio.LifoQueue()
        self.answers: dict[str, Answer] = {
            QUEUE.text: self._queue,
            TICKET_PAGE.text: self._page,
            QUEUES_WITH_TICKETS.text: self._queues,
            THIRD_PAGE.text: self._third_page,
        }

    async def open(self) -> None:
        """Connect and prepare."""
        for _ in range(CONNECTIONS):
            connection = await asyncpg.connect(self._url)
            self._connections.append(connection)
            self._free.put_nowait({name: await connection.prepare(text) for name, text in _POSTGRESQL.items()})

    async def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            await connection.close()

    async def _queue(self, given: dict[str, Any]) -> Any:
        rows = await self._fetch(QUEUE.text, given["id"])
        if not rows:
            return {"queue": None}
        number, name, comment, unlock, group, group_name, words = rows[0]
        found = {"databaseId": group, "name": group_name, "comment": words}
        return {
            "queue": {"databaseId": number, "name": name, "comment": comment, "unlockTimeout": unlock, "group": found}
        }

    async def _page(self, given: dict[str, Any]) -> Any:
        return _tickets(await self._fetch(TICKET_PAGE.text, given["first"], given["queues"], given["states"]))

    async def _queues(self, given: dict[str, Any]) -> Any:
        nodes: list[Any] = []
        tickets: list[Any] = []
        last = None
        rows = await self._fetch(QUEUES_WITH_TICKETS.text, given["queues"], given["first"], given["newest"])
        for queue, queue_name, number, tn, title, created, login, first, family in rows:
            if queue != last:
                last, tickets = queue, []
                nodes.append({"databaseId": queue, "name": queue_name, "tickets": {"nodes": tickets}})
            if number is not None:
                owner = {"login": login, "firstName": first, "lastName": family}
                tickets.append(
                    {"databaseId": number, "number": tn, "title": title, "createdAt": created, "owner": owner}
                )
        return {"queues": {"nodes": nodes}}

    async def _third_page(self, given: dict[str, Any]) -> Any:
        queues, states = given["queues"], given["states"]
        statements = await self._free.get()
        try:
            rows = await statements[THIRD_PAGE.text].fetch(given["first"], given["offset"], queues, states)
            total = await statements["count"].fetchval(queues, states)
        finally:
            self._free.put_nowait(statements)
        nodes = [
            {
                "databaseId": number,
                "number": tn,
                "title": title,
                "changedAt": changed,
                "queue": {"name": queue},
                "state": {"name": state},
                "owner": {"login": login},
            }
            for number, tn, title, changed, queue, state, login in rows
        ]
        return {"tickets": {"totalCount": total, "nodes": nodes}}

    async def _fetch(self, name: str, *values: Any) -> list[Any]:
        statements = await self._free.get()
        try:
            rows: list[Any] = await statements[name].fetch(*values)
            return rows
        finally:
            self._free.put_nowait(statements)


class MariaDB:
    """The page of tickets from aiomysql, which has no prepared statements."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        self._connections: list[Any] = []
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self.answers: dict[str, Answer] = {TICKET_PAGE.text: self._page}

    async def open(self) -> None:
        """Connect."""
        for _ in range(CONNECTIONS):
            connection = await aiomysql.connect(
                host=self._url.host,
                port=self._url.port or 3306,
                user=self._url.username,
                password=self._url.password or "",
                db=self._url.database,
                charset="utf8mb4",
                autocommit=True,
            )
            self._connections.append(connection)
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            connection.close()

    async def _page(self, given: dict[str, Any]) -> Any:
        connection = await self._free.get()
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(*_page_elsewhere(given, "%s"))
                rows = await cursor.fetchall()
        finally:
            self._free.put_nowait(connection)
        return _tickets(rows)


class SQLite:
    """The page of tickets from the sqlite3 of Python, in a thread with a connection of its own."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("sqlite:///")
        self._threads = ThreadPoolExecutor(1)
        self._connection: sqlite3.Connection | None = None
        self.answers: dict[str, Answer] = {TICKET_PAGE.text: self._page}

    async def open(self) -> None:
        """Open the file."""
        self._connection = sqlite3.connect(self._path, check_same_thread=False)

    async def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()
        self._threads.shutdown()

    async def _page(self, given: dict[str, Any]) -> Any:
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(self._threads, self._fetch, *_page_elsewhere(given, "?"))
        return _tickets(rows, " ")

    def _fetch(self, text: str, values: tuple[Any, ...]) -> list[Any]:
        assert self._connection is not None
        return self._connection.execute(text, values).fetchall()


def _page_elsewhere(given: dict[str, Any], mark: str) -> tuple[str, tuple[Any, ...]]:
    """Write the page's statement for drivers that take no lists, with its values."""
    queues, states = (",".join([mark] * len(given[name])) for name in ("queues", "states"))
    text = _PAGE_ELSEWHERE.format(queues=queues, states=states, first=mark)
    return text, (*given["queues"], *given["states"], given["first"])


def _tickets(rows: list[Any], text_dates: str = "") -> Any:
    """Shape the page of tickets; where dates are texts, `text_dates` stands between day and hour."""
    return {
        "tickets": {
            "nodes": [
                {
                    "databaseId": number,
                    "number": tn,
                    "title": title,
                    "createdAt": f"{created.replace(text_dates, 'T')}Z" if text_dates else created,
                    "queue": {"name": queue, "group": {"name": group}},
                    "priority": {"name": priority},
                    "owner": {"login": login, "firstName": first, "lastName": family},
                }
                for number, tn, title, created, queue, group, priority, login, first, family in rows
            ]
        }
    }


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body
