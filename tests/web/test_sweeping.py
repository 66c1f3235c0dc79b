"""Files that nobody has are removed while the server runs."""

import asyncio
import logging

import pytest

from storage.errors import Unavailable
from web.sweeping import keep_swept


class Swept:
    """Files that count how often they are swept; the database is away the first time."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.times = 0
        self.stop = stop

    async def sweep(self) -> int:
        self.times += 1
        if self.times == 1:
            raise Unavailable("no answer")
        if self.times == 3:
            self.stop.set()
        return self.times


async def test_files_are_swept_again_and_again_also_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    files = Swept(stop)

    with caplog.at_level(logging.INFO, "lambdesk.sweeping"):
        await asyncio.wait_for(keep_swept({"files that nobody has": files.sweep}, stop, 0.01, 0.01), 30)

    assert files.times == 3
    assert [record.getMessage() for record in caplog.records] == [
        "files that nobody has could not be removed: The database is not available (no answer).",
        "files that nobody has were removed",
        "files that nobody has were removed",
    ]
