"""Lambdas by the clock: when their time comes a run is noted in the outbox, once among all servers.

What a run does, that it takes effect once, and what becomes of it, is the outbox's. Runs that fell into a time in which no
server ran are made up for by one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from resolvers.errands import SCHEDULE
from resolvers.outbox import code_digest
from schema.check_member import SYSTEM_PRINCIPAL
from schema.cron import next_time
from schema.snapshot import Snapshot
from schema.spec import Module, Schedule
from storage import schedules
from storage.engine import Database
from storage.errors import StorageError
from storage.outbox import CallerNote, NewEntry, now_ms
from storage.schedules import Name, Planned, Rhythm

LOOK_S = 30.0  # also where nothing is due before: clocks are set, and other servers begin runs, too
FOLLOW_S = 1.0  # until new files are noticed
AWAY_S = 2.0

_log = logging.getLogger("lambdesk.schedules")


class Schedules:
    """The schedules of what serves. `wake` is called when a run was noted."""

    def __init__(
        self, database: Database, zone: str, snapshot: Callable[[], Snapshot | None], wake: Callable[[], None]
    ) -> None:
        self.zone = ZoneInfo(zone)
        self._database = database
        self._snapshot = snapshot
        self._wake = wake
        self._followed = 0  # the number of the snapshot

    async def keep(self, stop: asyncio.Event) -> None:
        """Begin runs as they come due, until told to stop."""
        look_at = 0
        while not stop.is_set():
            wait_s = FOLLOW_S
            snapshot = self._snapshot()
            if snapshot is not None and (snapshot.number != self._followed or now_ms() >= look_at):
                try:
                    look_at = await self.step(snapshot)
                except StorageError as error:
                    _log.debug("schedules cannot be looked at now: %s", error)
                    wait_s = AWAY_S
                except Exception:  # noqa: BLE001 - the same as in the courier
                    _log.exception("schedules cannot be looked at")
                    wait_s = LOOK_S
                else:
                    wait_s = min(FOLLOW_S, max(0.0, (look_at - now_ms()) / 1_000))
            try:
                async with asyncio.timeout(wait_s):
                    await stop.wait()
            except TimeoutError:
                continue

    async def step(self, snapshot: Snapshot) -> int:
        """Begin what is due and return when to look again, in milliseconds since 1970."""
        if snapshot.number != self._followed:
            await self.follow(snapshot)
        known = {name: (module, item) for name, module, item in schedules_of(snapshot)}
        if not known:
            return now_ms() + round(LOOK_S * 1_000)
        for planned in await schedules.due(self._database, now_ms()):
            if (
                planned.module,
                planned.name,
            ) in known:  # a server with another version of the file may have noted others
                await self._begin(planned, *known[planned.module, planned.name])
        soonest = await schedules.soonest(self._database)
        latest = now_ms() + round(LOOK_S * 1_000)
        return latest if soonest is None else min(latest, max(soonest, now_ms() + round(FOLLOW_S * 1_000)))

    async def follow(self, snapshot: Snapshot) -> None:
        """Plan what the files say now."""
        rhythms = {name: Rhythm(self._rhythm(item), self._next(item)) for name, _, item in schedules_of(snapshot)}
        await schedules.follow(self._database, rhythms)
        self._followed = snapshot.number

    async def _begin(self, planned: Planned, module: Module, schedule: Schedule) -> None:
        at = datetime.fromtimestamp((planned.next or 0) / 1_000, UTC)
        if await schedules.begin(self._database, planned, self._next(schedule), lambda: entry_of(module, schedule, at)):
            self._wake()

    def _next(self, schedule: Schedule) -> int | None:
        found = next_time(schedule.cron, datetime.now(self.zone))
        return None if found is None else round(found.timestamp() * 1_000)

    def _rhythm(self, schedule: Schedule) -> str:
        return f"{schedule.cron} {self.zone.key}"


def schedules_of(snapshot: Snapshot) -> Iterator[tuple[Name, Module, Schedule]]:
    """Iterate over all schedules of the modules that serve."""
    for module in snapshot.modules.values():
        for item in module.schedules:
            yield (module.name, item.name), module, item


def entry_of(module: Module, schedule: Schedule, at: datetime) -> NewEntry:
    """Make the entry of a run for a moment."""
    return NewEntry(
        module=module.name,
        row_key=f"{SCHEDULE} {schedule.name}",  # no key of any row, which is a list
        hook=f"{SCHEDULE} {schedule.name}",
        code=code_digest(schedule.code),
        payload=json.dumps({"due": f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"}),
        caller=caller_of(schedule),
    )


def caller_of(schedule: Schedule) -> CallerNote:
    """Say as whom it runs: an agent by his login, or Lambdesk itself."""
    if schedule.as_principal == SYSTEM_PRINCIPAL:
        return CallerNote("system", 0, SYSTEM_PRINCIPAL)
    return CallerNote("agent", 0, schedule.as_principal)
