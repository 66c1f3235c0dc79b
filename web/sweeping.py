"""Removing uploaded files that no row took, now and then, while the server runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from storage.errors import StorageError
from storage.files import Files

FIRST_AFTER_S = 60.0  # not while the server starts
EVERY_S = 3_600.0

_log = logging.getLogger("lambdesk.files")


async def keep_swept(
    files: Files, stop: asyncio.Event, first_s: float = FIRST_AFTER_S, every_s: float = EVERY_S
) -> None:
    """Sweep until told to stop. What cannot be removed now is removed another time."""
    wait_s = first_s
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_s)
            return
        wait_s = every_s
        try:
            swept = await files.sweep()
        except StorageError as error:
            _log.warning("files that nobody has could not be removed: %s", error)
            continue
        if swept:
            _log.info("files that nobody has were removed", extra={"fields": {"files": swept}})
