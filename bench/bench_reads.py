"""Reading through the API over HTTP, beside the same answers by hand, by Strawberry with DataLoaders and by PostGraphile.

All servers are up at once, each one process; a round asks every one the same question after the other, in an order that
changes, and what counts is the median of the rounds' ratios. Ours knows its caller and obeys her rights; the others do not.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
import psutil

from bench import reads_peer, reads_postgraphile, server
from bench.load import Load, alternate, ask, press, write_request
from bench.reads_world import AGENT, OPERATIONS_BY_NAME, TICKET_PAGE, TICKETS, Operation, desk_url
from bench.run import Figure

MODULES = Path(__file__).parent.parent / "modules"
CONNECTIONS = (16, 1)
ALTERNATING = 20  # turns long
LIFTED = "lifted"  # a layer that lets every agent see every ticket
CONCURRENCY = (1, 4, 16, 64, 256)
NAMES = {"ceiling": "the same by hand", "strawberry": "Strawberry", "postgraphile": "PostGraphile"}
T = TypeVar("T")
_MOMENT = re.compile(r"(T\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|\+00:00)?$")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is measured: rounds, turns in a round, seconds of a server's turn, and tickets in the other databases."""

    rounds: int
    turns: int
    seconds: float
    warm_s: float
    tickets: int


QUICK = Pace(rounds=1, turns=1, seconds=0.15, warm_s=0.05, tickets=500)
FULL = Pace(rounds=5, turns=4, seconds=0.25, warm_s=1.0, tickets=TICKETS)


@dataclass(frozen=True, slots=True)
class Target:
    """A server with the requests that it is asked, by the name of the operation."""

    name: str
    port: int
    pid: int
    requests: dict[str, bytes]


class Round:
    """What a server did in the turns of one round."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self.loads: list[Load] = []
        self._cpu_s = self._wall_s = 0.0

    def take_turn(self, target: Target, name: str, seconds: float) -> None:
        """Ask the server."""
        process = psutil.Process(target.pid)
        began, before = time.perf_counter(), process.cpu_times()
        self.loads.append(press(target.port, target.requests[name], self.connections, seconds))
        after = process.cpu_times()
        self._wall_s += time.perf_counter() - began
        self._cpu_s += after.user + after.system - before.user - before.system

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(load.answers for load in self.loads) / sum(load.seconds for load in self.loads)

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the server's own CPU for an answer, also for those that came after the end of a turn."""
        return 1000 * self._cpu_s / sum(load.answers + self.connections - 1 for load in self.loads)

    @property
    def asking_share(self) -> float:
        """The part of a core that asking took."""
        return sum(load.cpu_s for load in self.loads) / self._wall_s


def run(quick: bool) -> dict[str, Figure]:
    """Measure the read path on PostgreSQL beside its peers, and the page of tickets on the other databases."""
    pace = QUICK if quick else FULL
    others = ("mysql", "sqlite")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        desks = [desk_url("postgresql"), *(desk_url(dialect, pace.tickets) for dialect in others)]
        urls = enter_all(stack, desks)
        figures = _on_postgresql(urls[0], folder, pace)
        for dialect, url in zip(others, urls[1:], strict=True):
            figures |= _elsewhere(dialect, url, folder, pace)
    return figures


def enter_all(stack: ExitStack, managers: Iterable[AbstractContextManager[T]]) -> list[T]:
    """Enter what takes a while to enter side by side."""
    given = list(managers)
    with ThreadPoolExecutor(len(given)) as pool:
        return list(pool.map(stack.enter_context, given))


def _on_postgresql(url: str, folder: Path, pace: Pace) -> dict[str, Figure]:
    with ExitStack() as stack:
        targets = [
            target
            for target in enter_all(
                stack,
                [
                    _ours(url, folder, OPERATIONS_BY_NAME),
                    _peer("ceiling", url, folder, OPERATIONS_BY_NAME),
                    _peer("strawberry", url, folder, OPERATIONS_BY_NAME),
                    _postgraphile(url, folder),
                ],
            )
            if target is not None
        ]
        check_answers(targets)
        warm(targets, "q1", pace)
        figures: dict[str, Figure] = {}
        for name in OPERATIONS_BY_NAME:
            for connections in CONNECTIONS:
                suffix = "_1" if connections == 1 else ""
                figures |= _figures(name, suffix, measure(targets, name, connections, pace))
        figures |= _over_concurrency(targets[0], pace)
        return figures | _access_shares(targets[0], url, folder, pace)


def _elsewhere(dialect: str, url: str, folder: Path, pace: Pace) -> dict[str, Figure]:
    page = {"q2": TICKET_PAGE}
    with ExitStack() as stack:
        targets = enter_all(stack, [_ours(url, folder, page), _peer("ceiling", url, folder, page)])
        check_answers(targets)
        warm(targets, "q2", pace)
        return _figures("q2", f"_{dialect}", measure(targets, "q2", 16, pace))


@contextmanager
def _ours(url: str, folder: Path, operations: dict[str, Operation], *layers: Path) -> Iterator[Target]:
    modules = ":".join(map(str, (MODULES, *layers)))
    with server.running(folder, {"DATABASE_URL": url, "MODULES_DIR": modules}) as ours:
        server.wait_for_index(folder)
        yield _target("ours", ours.port, ours.process.pid, operations, server.sign_in(ours.port, AGENT))


@contextmanager
def _peer(name: str, url: str, folder: Path, operations: dict[str, Operation]) -> Iterator[Target]:
    with reads_peer.running(name, url, folder) as (port, pid):
        yield _target(name, port, pid, operations)


@contextmanager
def _postgraphile(url: str, folder: Path) -> Iterator[Target | None]:
    with reads_postgraphile.running(url, folder) as found:
        yield None if found is None else _target("postgraphile", *found, reads_postgraphile.OPERATIONS)


def _target(name: str, port: int, pid: int, operations: dict[str, Operation], bearer: str = "") -> Target:
    headers = {"Authorization": bearer} if bearer else None
    return Target(name, port, pid, {key: write_request(port, item.body, headers) for key, item in operations.items()})


def check_answers(targets: list[Target]) -> None:
    """Raise unless all servers give the same data: a server that leaves something out is no peer."""
    for name, request in targets[0].requests.items():
        expected = _data(ask(targets[0].port, request))
        for other in targets[1:]:
            given = _data(ask(other.port, other.requests[name]))
            if given != expected:
                raise AssertionError(
                    f"{other.name} answers {name} differently:\n{str(given)[:1000]}\n{str(expected)[:1000]}"
                )


def _data(body: bytes) -> Any:
    answer = orjson.loads(body)
    assert not answer.get("errors"), body[:2000]
    return _plain(answer["data"])


def _plain(value: Any) -> Any:
    """Write keys and moments alike: of keys some make texts, and of moments some say Z, +00:00 or nothing."""
    if isinstance(value, dict):
        return {key: int(item) if key == "databaseId" else _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _MOMENT.sub(r"\1", value) if isinstance(value, str) else value


def warm(targets: list[Target], name: str, pace: Pace) -> None:
    """Let every server open its connections to the database."""
    for target in targets:
        press(target.port, target.requests[name], max(CONNECTIONS), pace.warm_s)


def measure(targets: list[Target], name: str, connections: int, pace: Pace) -> dict[str, list[Round]]:
    """Ask every server in every round, beginning with another one each time.

    Each has several short turns in a round, so that what else the machine does for a second slows all of them.
    """
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    for target in targets:
        press(target.port, target.requests[name], 1, pace.warm_s)
    for _ in range(pace.rounds):
        round_of = {target.name: Round(connections) for target in targets}
        for turn in range(pace.turns):
            first = turn % len(targets)
            for target in (*targets[first:], *targets[:first]):
                round_of[target.name].take_turn(target, name, pace.seconds)
        for target in targets:
            found[target.name].append(round_of[target.name])
    return found


def _figures(name: str, suffix: str, found: dict[str, list[Round]]) -> dict[str, Figure]:
    ours = found["ours"]
    rate = statistics.median(item.rate for item in ours)
    cpu_ms = statistics.median(item.cpu_ms for item in ours)
    figures: dict[str, Figure] = {}
    for peer, theirs in found.items():
        if peer == "ours":
            continue
        key = f"{name}_{'of' if peer == 'ceiling' else 'over'}_{peer}{suffix}"
        figures[key] = Figure(
            value=rate, unit="requests/s", ratio=_ratio(ours, theirs, _rate), ratio_to=f"{NAMES[peer]}"
        )
        cpu = Figure(value=cpu_ms, unit="ms CPU", ratio=_ratio(ours, theirs, _cpu), ratio_to=f"CPU of {NAMES[peer]}")
        figures[f"{key}_cpu"] = cpu
    share = max(item.asking_share for items in found.values() for item in items)
    figures[f"{name}{suffix}_asking"] = Figure(value=100 * share, unit="% of a core, at most, for asking")
    return figures


def _ratio(ours: list[Round], theirs: list[Round], take: Callable[[Round], float]) -> float:
    return statistics.median(take(mine) / max(take(other), 1e-6) for mine, other in zip(ours, theirs, strict=True))


def _rate(item: Round) -> float:
    return item.rate


def _cpu(item: Round) -> float:
    return item.cpu_ms


def _over_concurrency(ours: Target, pace: Pace) -> dict[str, Figure]:
    """Measure what more connections bring, and whether at the most of them everybody waits alike."""
    rates: dict[int, list[float]] = {connections: [] for connections in CONCURRENCY}
    latest, patience = [], []
    for _ in range(pace.rounds):
        for connections in CONCURRENCY:
            load = press(ours.port, ours.requests["q1"], connections, pace.turns * pace.seconds)
            rates[connections].append(load.rate)
        latest.append(1000 * load.percentile(0.99))
        patience.append(load.percentile(0.99) * load.rate / CONCURRENCY[-1])
    figures = {
        f"q1_rate_at_{connections}": Figure(
            value=statistics.median(found),
            unit="requests/s",
            ratio=statistics.median(one / first for one, first in zip(found, rates[1], strict=True)),
            ratio_to="one connection",
        )
        for connections, found in rates.items()
    }
    figures[f"p99_at_{CONCURRENCY[-1]}"] = Figure(
        value=statistics.median(latest),
        unit="ms",
        ratio=statistics.median(patience),
        ratio_to="connections / throughput",
    )
    return figures


def _access_shares(agent: Target, url: str, folder: Path, pace: Pace) -> dict[str, Figure]:
    """Measure what rights cost on the page of tickets: for an agent of two groups beside an administrator, and beside no rules."""
    (folder / LIFTED).mkdir()
    (folder / LIFTED / "ticket.yaml").write_text("module: {extend: ticket}\naccess: {agent: {rows: {}}}\n")
    page = {"q2": TICKET_PAGE}
    with _ours(url, folder / LIFTED, page, folder / LIFTED) as free:
        root = _target("root", agent.port, agent.pid, page, server.sign_in(agent.port))
        check_answers([root, agent, free])
        questions = [(target.port, target.requests["q2"]) for target in (agent, root, free)]
        alternate(questions, pace.warm_s)
        limited, *others = map(statistics.median, alternate(questions, ALTERNATING * pace.seconds))
    named = {"access": "an administrator's speed", "rules": "the speed without rules for rows"}
    return {
        f"{name}_share_q2": Figure(
            value=100 * (1 - other / limited), unit="% of the time", ratio=other / limited, ratio_to=ratio_to
        )
        for (name, ratio_to), other in zip(named.items(), others, strict=True)
    }
