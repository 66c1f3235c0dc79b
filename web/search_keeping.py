"""Keeping the full-text index in the background of a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from resolvers.text_index import TextIndex
from schema.snapshot import Snapshot
from storage.errors import StorageError

POLL_S = 0.5  # until a change is noticed
BREATH_S = 0.02  # between two batches: others write, too
AWAY_S = 2.0

_log = logging.getLogger("lambdesk.search")


async def keep_texts(index: TextIndex, snapshot: Callable[[], Snapshot | None], stop: asyncio.Event) -> None:
    """Build the index and keep it current until told to stop."""
    while not stop.is_set():
        wait_s = POLL_S
        modules = snapshot()
        if modules is not None:
            try:
                wait_s = BREATH_S if await index.step(modules) else POLL_S
            except StorageError as error:
                _log.debug("the full-text index cannot be kept now: %s", error)
                wait_s = AWAY_S
            except Exception:  # noqa: BLE001 - searches go on without it
                _log.exception("the full-text index is not kept any more")
                index.ready = {}  # what is not current is not searched
                return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_s)
