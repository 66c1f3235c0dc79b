"""An import of customer users on PostgreSQL, 1 % of them bad, beside a plain asyncpg `executemany` of the same INSERTs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.run import Figure
from tests.databases import fresh_url
from tests.web.real import sign_in
from web.app import create_app
from web.lifecycle import make_live
from web.settings import Settings

MODULES = Path(__file__).parent.parent / "modules"
COMPANIES = 200
CHUNK = 250  # rows of one transaction, as the import has it
POLL_S = 0.1  # asking costs the same process
JOB = "id state done failed created updated failure { message }"
BEGIN = (
    "mutation ($input: ImportRowsInput!) { importRows(input: $input) { job { " + JOB + " } errors { code message } } }"
)
ASK = "query ($id: ID!) { importJob(id: $id) { " + JOB + " } }"


def run(quick: bool) -> dict[str, Figure]:
    """Measure the look, the import and an upsert of the same rows."""
    with fresh_url("postgresql") as url, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(url, Path(folder), 2_000 if quick else 10_000))


@dataclass(frozen=True)
class Client:
    """Sends operations as a front-end does, without a socket."""

    http: httpx.AsyncClient

    async def ask(self, query: str, **variables: Any) -> Any:
        """Send an operation and return its data."""
        answer = (await self.http.post("/graphql", json={"query": query, "variables": variables})).json()
        if "errors" in answer:
            raise RuntimeError(answer["errors"])
        return answer["data"]

    async def bring(self, text: str, **wanted: Any) -> tuple[Any, float]:
        """Upload a file, import it, and return the job with the seconds from the mutation to its end."""
        sent = await self.http.post("/files", content=text.encode(), headers={"content-type": "text/csv"})
        given = {"upload": sent.json()["id"], "policy": "SKIP_FAILED", "dryRun": False, **wanted}
        started = time.perf_counter()
        payload = (await self.ask(BEGIN, input=given))["importRows"]
        job = payload["job"]
        if job is None:
            raise RuntimeError(payload["errors"])
        while job["state"] == "RUNNING":
            await asyncio.sleep(POLL_S)
            job = (await self.ask(ASK, id=job["id"]))["importJob"]
        return job, time.perf_counter() - started


async def _measure(url: str, folder: Path, rows: int) -> dict[str, Figure]:
    settings = Settings(database_url=url, modules_dir=(MODULES,), var_dir=folder, watch="off")
    live = make_live(settings)
    async with live.background():
        loaded = live.registry.changes()
        if not live.registry.is_loaded:
            await anext(loaded)
        transport = httpx.ASGITransport(create_app(settings, live))
        signed_in = {"authorization": f"Bearer {(await sign_in(live)).access_token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=signed_in) as http:
            client = Client(http)
            companies = "databaseId,name\n" + "".join(f"c{number},Company {number}\n" for number in range(COMPANIES))
            await client.bring(companies, module="company")
            text = users(rows)
            looked, look_s = await client.bring(text, module="customer_user", dryRun=True)
            made, real_s = await client.bring(text, module="customer_user")
            moved = text.replace("Berlin", "Bonn")
            changed, upsert_s = await client.bring(moved, module="customer_user", upsertBy="login")
    wrong = rows // 100
    found = [(job["state"], job["failed"], job["created"], job["updated"]) for job in (looked, made, changed)]
    right = [("DONE", wrong, rows - wrong, 0), ("DONE", wrong, rows - wrong, 0), ("DONE", wrong, 0, rows - wrong)]
    if found != right:
        raise RuntimeError(f"The imports did something else than they should: {found}")
    plain_s = await _plain(url)
    return {
        "looked at": {"value": round(rows / look_s), "unit": "rows/s"},
        "imported": {
            "value": round(rows / real_s), "unit": "rows/s", "ratio": round(plain_s / real_s, 3),
            "ratio_to": "asyncpg executemany of the same INSERTs",
        },
        "upserted": {"value": round(rows / upsert_s), "unit": "rows/s"},
        "asyncpg executemany": {"value": round(rows / plain_s), "unit": "rows/s"},
    }  # fmt: skip


def users(rows: int) -> str:
    """Write a file of customer users of which every hundredth has no email address."""
    lines = ["login,email,company.databaseId,firstName,lastName,phone,city,validity"]
    for number in range(rows):
        mail = f"user{number}@example.org" if number % 100 else "none"
        lines.append(
            f"user{number:06},{mail},c{number % COMPANIES},First{number},Last{number},+49 30 {number},Berlin,valid"
        )
    return "\n".join(lines) + "\n"


async def _plain(url: str) -> float:
    """Insert what the import inserted once more, by hand: rows and history, a transaction a part."""
    connection = await asyncpg.connect(url)
    try:
        tables = [
            ("customer_user", "login <> ''", await _columns(connection, "customer_user")),
            ("lambdesk_change", "module = 'customer_user' AND kind = 1", await _columns(connection, "lambdesk_change")),
        ]
        kept = [await _rows(connection, *table) for table in tables]
        for name, where, _ in tables:
            await connection.execute(f"DELETE FROM {name} WHERE {where}")  # noqa: S608 - names of ours
        statements = [_insert(name, columns) for name, _, columns in tables]
        started = time.perf_counter()
        for start in range(0, len(kept[0]), CHUNK):
            async with connection.transaction():
                for statement, rows in zip(statements, kept, strict=True):
                    await connection.executemany(statement, rows[start : start + CHUNK])
        return time.perf_counter() - started
    finally:
        await connection.close()


async def _columns(connection: asyncpg.Connection, table: str) -> list[str]:
    question = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND column_name <> 'id' ORDER BY ordinal_position"
    return [row[0] for row in await connection.fetch(question, table)]


async def _rows(
    connection: asyncpg.Connection, table: str, where: str, columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in columns)
    return [tuple(row) for row in await connection.fetch(f"SELECT {names} FROM {table} WHERE {where} ORDER BY id")]  # noqa: S608 - names of ours


def _insert(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - names of ours
