"""A server's courier in a process of its own, to be killed: it works off an outbox and says of each lambda that it runs.

python -m tests.proofs.delivering DATABASE_URL FOLDER_OF_MODULES LEASE_SECONDS
"""

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

from identity.principals import Principal, System
from identity.rights import Rights, unbounded
from identity.secrets import Secrets
from lambdas.contract import Answerer, Job, Result
from lambdas.http_client import HttpClient
from lambdas.http_hosts import Hosts
from resolvers.context import Context
from resolvers.courier import Courier
from resolvers.deliveries import Post
from resolvers.lambda_outside import Outside
from resolvers.writing import Writing
from schema.registry import Registry
from schema.snapshot import Snapshot
from storage.engine import Database
from storage.library import Library
from tests.writes.played import Played, Stage
from web.lifecycle import build

SECRET = b"secret"
RUNS = "runs"  # is said of each lambda, between the claim of its entry and the commit of what it asked for
POLL_S = 0.05


class Slow(Played):
    """Runs lambdas in some milliseconds, so that one is mostly on its way."""

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        print(RUNS, flush=True)  # noqa: T201 - to whoever kills it
        await asyncio.sleep(random.uniform(0, 0.02))
        return await super().run(job, answer)


def mark(stage: Stage) -> None:
    """Leave one mark for each row, in a table that holds as many as are left."""
    stage.do("create", "mark", {"text": stage.item["name"]})


async def main(url: str, folder: Path, lease_s: float) -> None:
    database = Database(url)
    registry = Registry([folder], Library(database), build)
    await registry.start()
    played = Slow({"thing.after_create": mark})

    async def find(*_: Any) -> Principal:
        return System("a proof")

    async def rights(principal: Principal) -> Rights:
        return unbounded(principal)

    def begin(snapshot: Snapshot, held: Rights, request_id: str) -> Context:
        return Context(snapshot, database, SECRET, held, request_id=request_id, lambdas=played)

    outside = Outside(HttpClient(Hosts()), Secrets(database, SECRET))
    post = Post(database, find, rights, begin, Writing(), outside)
    await Courier(post, lambda: registry.snapshot, lease_s=lease_s).run()


if __name__ == "__main__":
    import resolvers.courier

    resolvers.courier.POLL_S = POLL_S
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
