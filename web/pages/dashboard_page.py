"""The dashboard: how much is open, where and for how long, what came and went, and for administrators how the server is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from web.pages.cells import show_moment
from web.pages.dashboard_query import DAYS, Days, age_piles, closed_days, created_days, day_address, write_dashboard
from web.pages.health_page import LAMBDA_TONES
from web.pages.list_page import reader_of
from web.pages.modules_page import STATES
from web.pages.otrs_tables import VIEWABLE, view_on
from web.pages.visit import Visit
from web.pages.work_overview import bench_of
from web.pages.work_piles import Bench, Pile, list_address, states_by_type

HISTORY = "ticket_history"
SERVER = "query Server { modules { name state } lambdaSandbox { isOn reason workers waiting lambdas { name state failures } } }"


@dataclass(frozen=True, slots=True)
class Bar:
    """A number with its share of the largest, and the list behind it."""

    label: str
    count: int
    share: float
    url: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day: what was counted on it, by column, each with its list."""

    date: date
    counts: Sequence[tuple[int, str]]


async def show_dashboard(visit: Visit) -> Response:
    """Show it."""
    bench = bench_of(visit)
    moment = datetime.now(UTC).replace(second=0, microsecond=0)
    zone = visit.look.time_zone()
    counted_in = ZoneInfo(visit.live.settings.db_time_zone)
    today = moment.astimezone(counted_in).date()
    first = datetime.combine(today - timedelta(days=DAYS - 1), time(), counted_in)
    ages = age_piles(bench, moment, zone)
    days = _days(visit, bench, first)
    whole = Pile("open", bench.of_types(VIEWABLE), VIEWABLE)
    variables = {
        "open": whole.filter,
        **{pile.name: pile.filter for pile in ages},
        **{name: item.filter for name, item in days.items()},
    }
    data = (await visit.ask(write_dashboard(bench, ages, days), variables)).data
    states = states_by_type(data["states"]["nodes"])
    total = data["open"]["totalCount"]

    def link(item: Days, day: date) -> str:
        return day_address(item, datetime.combine(day, time(), counted_in), states, zone)

    return visit.page(
        "dashboard.html",
        total=total,
        whole=list_address(bench, whole, states),
        queues=_queues(bench, whole, states, data.get("queues", ())),
        rest=total - sum(int(row["count"]) for row in data.get("queues", ())),
        ages=_bars(
            [
                (
                    visit.texts(f"dash-{pile.name.replace('_', '-')}"),
                    data[pile.name]["totalCount"],
                    list_address(bench, pile, states),
                )
                for pile in ages
            ]
        ),
        columns=list(days),
        days=_by_day(days, data, [first.date() + timedelta(days=n) for n in range(DAYS)], link),
        zone=visit.live.settings.db_time_zone,
        at=show_moment(moment.isoformat(), reader_of(visit, brief=False)),
        **await server_health(visit),
    )


async def server_health(visit: Visit) -> Mapping[str, Any]:
    """Return how modules and lambdas are, for administrators; nothing for others."""
    if not visit.access.is_administrator:
        return {"server": None}
    data = (await visit.ask(SERVER)).data
    modules = Counter(item["state"] for item in data["modules"])
    lambdas = Counter(item["state"] for item in data["lambdaSandbox"]["lambdas"])
    return {
        "server": data["lambdaSandbox"],
        "module_states": [(state, tone, modules[state]) for state, tone in STATES.items() if modules[state]],
        "lambda_states": [(state, tone, lambdas[state]) for state, tone in LAMBDA_TONES.items() if lambdas[state]],
        "failing": [item["name"] for item in data["lambdaSandbox"]["lambdas"] if item["state"] == "RESTS"],
    }


def _days(visit: Visit, bench: Bench, since: datetime) -> Mapping[str, Days]:
    found = {
        "created": created_days(bench, since),
        "closed": closed_days(bench, view_on(visit.snapshot, visit.access, HISTORY), since),
    }
    return {name: item for name, item in found.items() if item is not None and item.group is not None}


def _queues(
    bench: Bench, whole: Pile, states: Mapping[str, Sequence[str]], rows: Sequence[Mapping[str, Any]]
) -> list[Bar]:
    named = [(str(row["key"]["queue"]["name"]), int(row["count"])) for row in rows if row["key"]["queue"]]
    return _bars([(name, count, list_address(bench, whole, states, name)) for name, count in named])


def _bars(found: Sequence[tuple[str, int, str]]) -> list[Bar]:
    most = max((count for _, count, _ in found), default=0) or 1
    return [Bar(label, count, round(100 * count / most, 1), url) for label, count, url in found]


def _by_day(
    days: Mapping[str, Days], data: Mapping[str, Any], dates: Sequence[date], link: Callable[[Days, date], str]
) -> list[Day]:
    counts = {name: {str(row["key"]["day"]): int(row["count"]) for row in data[name]} for name in days}
    return [
        Day(day, [(counts[name].get(day.isoformat(), 0), link(item, day)) for name, item in days.items()])
        for day in dates
    ]
