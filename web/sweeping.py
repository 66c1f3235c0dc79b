"""Removing what nobody needs any more, now and then, while the server runs: uploads that no row took, old keys and sessions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from identity import audit
from storage import drafts, idempotency, module_drafts, outbox
from storage.errors import StorageError
from storage.files import Files
from web.identities import Identities
from web.settings import Settings

FIRST_AFTER_S = 60.0  # not while the server starts
EVERY_S = 3_600.0
SESSIONS_S = 30 * 86_400.0  # how long a session stays after its end, to be seen who it was
KEYS_S = 48 * 3_600.0  # how long a mutation may be repeated with its Idempotency-Key
DELIVERED_S = 7 * 86_400.0  # how long it is seen what hooks and schedules did
FAILED_S = 90 * 86_400.0  # and what they could not do

# By what is removed: what removes it and returns how many there were.
Brooms = Mapping[str, Callable[[], Awaitable[int]]]

_log = logging.getLogger("lambdesk.sweeping")


def brooms_of(files: Files, identities: Identities, settings: Settings) -> Brooms:
    """Return everything that is to be swept."""
    database = identities.database
    return {
        "files that nobody has": files.sweep,
        "old idempotency keys": lambda: idempotency.sweep(database, KEYS_S),
        "sessions that are over": lambda: identities.sessions.sweep(SESSIONS_S),
        "old counts of sign-ins": identities.throttle.sweep,
        "old deliveries": lambda: outbox.sweep(database, DELIVERED_S, FAILED_S),
        "old drafts of module files": lambda: module_drafts.sweep(database, module_drafts.AGE_S),
        "old drafts": lambda: drafts.sweep(database, drafts.AGE_S),
        "old sign-ins": lambda: audit.sweep(database, time.time() - settings.audit_days * 86_400),
    }


async def keep_swept(
    brooms: Brooms, stop: asyncio.Event, first_s: float = FIRST_AFTER_S, every_s: float = EVERY_S
) -> None:
    """Sweep until told to stop. What cannot be removed now is removed another time."""
    wait_s = first_s
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait_s)
            return
        wait_s = every_s
        for what, sweep in brooms.items():
            try:
                swept = await sweep()
            except StorageError as error:
                _log.warning("%s could not be removed: %s", what, error)
                continue
            if swept:
                _log.info("%s were removed", what, extra={"fields": {"count": swept}})
