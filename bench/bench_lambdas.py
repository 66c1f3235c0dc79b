"""What lambdas cost: computed fields on pages of 50 and of 500 tickets, questions of every row, and a busy server.

The same list with and without them in turns, over HTTP, on PostgreSQL and, for questions, on each database.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.load import WrongAnswer, alternate, ask, press, write_request
from bench.run import Figure
from bench.server import Server, running, wait_for_index
from storage.demo import fill
from storage.install import install
from tests.databases import DIALECTS, NOW, fresh_url, opened

TICKETS = 1_000
WARM = 8  # requests before each measurement: plans, prepared statements, isolates
SITE = """
module: {extend: ticket}
computed_fields:
  - name: bench_label
    type: string
    needs: [number, title, priority, created_at, queue.name]
    lambda: |
      const day = new Date(item.created_at).getUTCDate();
      return `${item.queue.name} #${item.number}: ${item.title.slice(0, 40)} (${item.priority}, day ${day})`;
  - name: bench_fresh
    type: string
    needs: [number, title, priority, created_at, queue.name]
    lambda: |
      // Who could ask for something random is run each time.
      const day = new Date(item.created_at).getUTCDate();
      return `${item.queue.name} #${item.number}: ${item.title.slice(0, 40)} (${item.priority}, day ${day})`;
  - name: bench_badge
    type: badge
    needs: [priority, created_at]
    lambda: |
      const hours = (now - new Date(item.created_at)) / 36e5;
      return hours > 24 && item.priority >= 4 ? badge("Urgent", "red") : badge("Normal", "green");
  - name: bench_asked
    type: int
    needs: [customer, queue]
    lambda: |
      return gql("query ($c: String!, $q: Int!) { tickets(filter: {customerId: {eq: $c}, queue: {databaseId: {eq: $q}}}) { totalCount } }",
        {c: item.customer ?? "", q: item.queue}).tickets.totalCount;
"""
PLAIN = "number title queue { name } priority { name } owner { login }"
BUSY = (16, 64)  # connections
ROUNDS = 3
PAIRS = {
    "two fields": "benchLabel benchBadge { text tone }",
    "two fields that are not remembered": "benchFresh again: benchFresh",
}
MODULES = Path(__file__).parent.parent / "modules"


def run(quick: bool) -> dict[str, Figure]:
    """Measure a server on each database; most of it on PostgreSQL."""
    figures: dict[str, Figure] = {}
    seconds = 1.0 if quick else 10.0
    for dialect in reversed(DIALECTS):
        with ExitStack() as stack:
            url = stack.enter_context(fresh_url(dialect))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asyncio.run(_fill(url))
            server = stack.enter_context(_served(folder, url))
            if dialect == "postgresql":
                figures |= _fields(server, seconds) | _busy(server, seconds)
            figures[f"a question of each of 50 rows, {dialect}"] = _adds(server, 50, "benchAsked", seconds, 6.0)
            if not quick or dialect == "postgresql":
                figures[f"a question of each of 500 rows, {dialect}"] = _adds(server, 500, "benchAsked", seconds)
    return figures


async def _fill(url: str) -> None:
    async with opened(url) as database:
        await install(database)
        await fill(database, tickets=TICKETS, now=NOW)


@contextmanager
def _served(folder: Path, url: str) -> Iterator[Server]:
    site = folder / "site"
    site.mkdir()
    (site / "ticket.yaml").write_text(SITE, encoding="utf-8")
    settings = {"DATABASE_URL": url, "MODULES_DIR": f"{MODULES}:{site}", "VAR_DIR": str(folder / "var")}
    with running(folder, settings) as server:
        wait_for_index(folder)
        yield server


def _fields(server: Server, seconds: float) -> dict[str, Figure]:
    return {
        "one field, 50 rows": _adds(server, 50, "benchLabel", seconds, 2.0),
        "one field, 500 rows": _adds(server, 500, "benchLabel", seconds, 8.0),
        "one field that is not remembered, 50 rows": _adds(server, 50, "benchFresh", seconds, 2.0),
        "one field that is not remembered, 500 rows": _adds(server, 500, "benchFresh", seconds, 8.0),
    }


def _adds(server: Server, rows: int, fields: str, seconds: float, limit_ms: float | None = None) -> Figure:
    """Return the milliseconds that fields add to a page at the median, both asked in turns."""
    with_out, with_it = _request(server, rows, ""), _request(server, rows, fields)
    for _ in range(WARM):
        ask(server.port, with_out)
        ask(server.port, with_it)
    plain, made = alternate([(server.port, with_out), (server.port, with_it)], seconds)
    added = 1000 * (statistics.median(made) - statistics.median(plain))
    figure: Figure = {"value": added, "unit": "ms"}
    if limit_ms is not None:
        figure |= {"ratio": added / limit_ms, "ratio_to": f"the limit of {limit_ms:g} ms"}
    return figure


def _busy(server: Server, seconds: float) -> dict[str, Figure]:
    """Ask for the same page with two fields and without, on many connections."""
    figures: dict[str, Figure] = {}
    plain = _request(server, 50, "")
    for name, fields in PAIRS.items():
        made = _request(server, 50, fields)
        for connections in BUSY:
            rates: list[list[float]] = [[], []]
            for _ in range(ROUNDS):
                for found, request in zip(rates, (plain, made), strict=True):
                    found.append(press(server.port, request, connections, seconds / ROUNDS).rate)
            figures[f"{name}, 50 rows, {connections} connections"] = {
                "value": statistics.median(rates[1]),
                "unit": "answers/s",
                "ratio": statistics.median(with_it / alone for alone, with_it in zip(*rates, strict=True)),
                "ratio_to": "the same list without them",
            }
    return figures


def _request(server: Server, rows: int, fields: str) -> bytes:
    text = f"{{ tickets(first: {rows}, orderBy: [{{databaseId: ASC}}]) {{ nodes {{ {PLAIN} {fields} }} }} }}"
    request = write_request(server.port, json.dumps({"query": text}).encode(), {"Authorization": server.bearer})
    answer = json.loads(ask(server.port, request))
    if "errors" in answer or len(answer["data"]["tickets"]["nodes"]) != rows:
        raise WrongAnswer(str(answer)[:2_000])
    return request
