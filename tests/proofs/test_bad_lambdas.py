"""Bad lambdas, twenty a second, are a trouble of those who ask for them: everybody else is answered as before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.counts import count
from tests.proofs.servers import Lambdesk

pytestmark = pytest.mark.timed

SECONDS = count(10, 120)
GOOD_A_SECOND = 40
BAD_A_SECOND = 20
FIELDS = 60  # each with a breaker of its own, so that what is tried is not refused after three times only
SLACK_S = 0.03  # of a machine with two cores that does other things, too
GOOD = "{ queues(first: 5) { nodes { name group { name } } } }"

BODIES = (
    "for (;;);",
    "const all = []; for (;;) all.push({a: 1});",
    "const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1));",
    "return Array.prototype.includes.call({length: 2 ** 53 - 1}, 1);",
    "const again = () => Promise.resolve().then(again); again(); return 1;",
    "return 'x'.repeat(3e7);",
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Lambdesk]:
    site = tmp_path / "site"
    site.mkdir()
    text = "\n".join(
        f"  - name: bad{number}\n    type: string\n    needs: [name]\n    lambda: |\n      {BODIES[number % len(BODIES)]}"
        for number in range(FIELDS)
    )
    (site / "priority.yaml").write_text(f"module: {{extend: priority}}\ncomputed_fields:\n{text}\n")
    made = Lambdesk(tmp_path, site, lambda_workers=2)
    yield made
    made.kill()


class Load:
    """Requests at a fixed rate, each started in its time whether or not those before it are done."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.times: list[float] = []
        self.codes: dict[str, int] = {}

    async def good(self) -> None:
        started = time.monotonic()
        answer = await self.client.post("/graphql", json={"query": GOOD})
        assert answer.status_code == 200, answer.text
        self.times.append(time.monotonic() - started)

    async def bad(self, number: int) -> None:
        query = f"{{ priorities(first: 1) {{ nodes {{ name bad{number % FIELDS} }} }} }}"
        answer = (await self.client.post("/graphql", json={"query": query})).json()
        for error in answer["errors"]:
            code = error["extensions"]["code"]
            self.codes[code] = self.codes.get(code, 0) + 1

    async def run(self, *, bad: bool, seconds: int = SECONDS) -> float:
        """Return the 99th percentile of the good ones in seconds."""
        self.times.clear()
        tasks = []
        ticks = seconds * GOOD_A_SECOND
        started = time.monotonic()
        for tick in range(ticks):
            await asyncio.sleep(max(0.0, started + tick / GOOD_A_SECOND - time.monotonic()))
            tasks.append(asyncio.create_task(self.good()))
            if bad and tick % (GOOD_A_SECOND // BAD_A_SECOND) == 0:
                tasks.append(asyncio.create_task(self.bad(tick)))
        await asyncio.gather(*tasks)
        return sorted(self.times)[int(len(self.times) * 0.99) - 1]


async def test_requests_without_lambdas_do_not_feel_bad_ones(desk: Lambdesk) -> None:
    await desk.start()
    headers = {"authorization": desk.bearer}
    async with httpx.AsyncClient(base_url=desk.address, headers=headers, timeout=30) as client:
        load = Load(client)
        await load.run(bad=False, seconds=2)
        quiet = await load.run(bad=False)
        noisy = await load.run(bad=True)
        assert load.codes.get("LAMBDA_TIMEOUT", 0) + load.codes.get("LAMBDA_MEMORY", 0) > BAD_A_SECOND, load.codes
        assert noisy <= 2 * quiet + SLACK_S, (quiet, noisy, load.codes)
        assert (await client.get("/readyz")).status_code == 200
