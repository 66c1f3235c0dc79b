"""Aggregates: counts and sums per group, keys that lead to rows, in an order that does not change."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.resolvers.model import VALUES, holds
from tests.resolvers.world import ROWS, World

TICKETS = ROWS["ticket"]


def counted(read: Callable[[Mapping[str, Any]], Any]) -> Counter[Any]:
    return Counter(map(read, TICKETS))


GROUPS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "TITLE": ("title", lambda row: row["title"]),
    "COLOUR": ("colour", VALUES["ticket"]["colour"]),
    "CONTRACT": ("contract", VALUES["ticket"]["contract"]),
    "HOT": ("hot", VALUES["ticket"]["hot"]),
    "DUE": ("due", lambda row: row["due"] and row["due"].isoformat()),
    "DUE_MONTH": ("dueMonth", lambda row: row["due"] and row["due"].isoformat()[:8] + "01"),
    "CREATED_DAY": ("createdDay", lambda row: row["create_time"].date().isoformat()),
    "CREATED_MONTH": ("createdMonth", lambda row: row["create_time"].date().isoformat()[:8] + "01"),
    "VISIT": ("visit", lambda row: (day := VALUES["ticket"]["visit"](row)) and day.isoformat()),
    "PENDING_UNTIL_DAY": (
        "pendingUntilDay",
        lambda row: (moment := VALUES["ticket"]["pendingUntil"](row)) and moment.date().isoformat(),
    ),
}


@pytest.mark.parametrize("value", GROUPS)
async def test_rows_are_counted_by_a_value(world: World, value: str) -> None:
    name, read = GROUPS[value]
    rows = (await world.data(f"{{ticketAggregate(groupBy: [{value}]) {{key {{{name}}} count}}}}"))["ticketAggregate"]
    assert {row["key"][name]: row["count"] for row in rows} == counted(read)
    assert [row["count"] for row in rows] == sorted((row["count"] for row in rows), reverse=True)
    again = (await world.data(f"{{ticketAggregate(groupBy: [{value}]) {{key {{{name}}} count}}}}"))["ticketAggregate"]
    assert again == rows


async def test_keys_lead_to_the_rows_that_they_name(world: World) -> None:
    text = """{ticketAggregate(groupBy: [QUEUE, HOT]) {
      count key {queue {databaseId name group {name} tickets {totalCount}} again: queue {id} hot title}}}"""
    rows = (await world.data(text))["ticketAggregate"]
    assert len(world.seen) == 3  # groups; queues of both aliases with their groups; tickets of the queues counted
    found = {(row["key"]["queue"]["databaseId"], row["key"]["hot"]): row["count"] for row in rows}
    assert found == counted(lambda row: (row["queue_id"], None if row["hot"] is None else bool(row["hot"])))
    of_queue = counted(lambda row: row["queue_id"])
    for row in rows:
        queue = row["key"]["queue"]
        assert queue["name"] == f"Queue {queue['databaseId']}"
        assert queue["tickets"]["totalCount"] == of_queue[queue["databaseId"]]
        assert row["key"]["title"] is None
        assert row["key"]["again"] is not None


async def test_a_key_of_text_leads_to_its_row_where_there_is_one(world: World) -> None:
    text = "{ticketAggregate(groupBy: [CUSTOMER_USER]) {count key {customerUser {login}}}}"
    rows = (await world.data(text))["ticketAggregate"]
    logins = counted(lambda row: row["customer_user_id"])
    known = {customer["login"] for customer in ROWS["customer_user"]}
    found = [(row["key"]["customerUser"] or {"login": None})["login"] for row in rows]
    assert dict(zip(found, (row["count"] for row in rows), strict=True)) == {
        **{login: count for login, count in logins.items() if login in known},
        None: sum(count for login, count in logins.items() if login not in known),
    }


async def test_sums_are_over_the_values_there_are(world: World) -> None:
    text = """{ticketAggregate {count avgEffort maxEffort minEffort sumEffort sumPrice avgPrice maxPrice sumRatio avgRatio
      minCreatedAt maxCreatedAt minPendingUntil maxPendingUntil minDue maxStartAt maxSeen sumSeen}
      queueAggregate {sumUnlockSeconds avgUnlockTimeout maxUnlockSeconds}}"""
    data = await world.data(text)
    effort = [row["effort"] for row in TICKETS if row["effort"] is not None]
    price = [row["price"] for row in TICKETS if row["price"] is not None]
    ratio = [row["ratio"] for row in TICKETS if row["ratio"] is not None]
    seen = [row["seen"] for row in TICKETS if row["seen"] is not None]
    created = [row["create_time"] for row in TICKETS]
    minutes, rest = divmod(sum(effort), 60)
    (row,) = data["ticketAggregate"]
    assert row["count"] == 60
    assert (row["maxEffort"], row["minEffort"]) == ("PT1H", "PT0S")
    hours, minutes = divmod(minutes, 60)
    assert row["sumEffort"] == f"PT{hours}H" + (f"{minutes}M" if minutes else "") + (f"{rest}S" if rest else "")
    assert row["sumPrice"] == str(sum(price))
    assert float(row["avgPrice"]) == pytest.approx(float(sum(price) / len(price)), abs=1e-5)
    assert float(row["maxPrice"]) == 19.99
    assert row["sumRatio"] == sum(ratio)
    assert row["avgRatio"] == pytest.approx(sum(ratio) / len(ratio))
    assert row["minCreatedAt"] == min(created).isoformat().replace("+00:00", "Z")
    assert row["maxCreatedAt"] == max(created).isoformat().replace("+00:00", "Z")
    assert (row["minPendingUntil"], row["maxPendingUntil"]) == ("2023-11-14T22:13:20Z", "2027-01-15T08:00:00Z")
    assert (row["minDue"], row["maxStartAt"]) == ("2026-02-28", "23:59:59")
    assert (int(row["maxSeen"]), int(row["sumSeen"])) == (max(seen), sum(seen))
    timeouts = [queue["unlock_timeout"] for queue in ROWS["queue"] if queue["unlock_timeout"] is not None]
    assert data["queueAggregate"] == [
        {
            "sumUnlockSeconds": sum(timeouts) * 60,
            "avgUnlockTimeout": pytest.approx(sum(timeouts) / len(timeouts)),
            "maxUnlockSeconds": max(timeouts) * 60,
        }
    ]


async def test_filters_and_searches_hold_for_aggregates(world: World) -> None:
    given = {"queue": {"group": {"name": {"eq": "users"}}}, "title": {"isNull": False}}
    text = "query($f: TicketFilter) {ticketAggregate(filter: $f, groupBy: [QUEUE]) {count key {queue {databaseId}}}}"
    rows = (await world.data(text, {"f": given}))["ticketAggregate"]
    expected = Counter(row["queue_id"] for row in TICKETS if holds("ticket", row, given))
    assert {row["key"]["queue"]["databaseId"]: row["count"] for row in rows} == expected
    (row,) = (await world.data('{ticketAggregate(search: "PRINTER") {count}}'))["ticketAggregate"]
    assert row["count"] == sum("printer" in (ticket["title"] or "").lower() for ticket in TICKETS)


async def test_nothing_to_count_is_one_row_of_nothing(world: World) -> None:
    text = '{ticketAggregate(filter: {title: {eq: "never"}}) {count sumEffort avgRatio}}'
    assert await world.data(text) == {"ticketAggregate": [{"count": 0, "sumEffort": None, "avgRatio": None}]}
    grouped = '{ticketAggregate(filter: {title: {eq: "never"}}, groupBy: [QUEUE]) {count key {queue {name}}}}'
    assert await world.data(grouped) == {"ticketAggregate": []}


async def test_first_keeps_the_largest_groups(world: World) -> None:
    text = "{ticketAggregate(groupBy: [QUEUE], first: 2) {count}}"
    counts = sorted(counted(lambda row: row["queue_id"]).values(), reverse=True)
    assert [row["count"] for row in (await world.data(text))["ticketAggregate"]] == counts[:2]


async def test_too_many_groups_are_refused(world: World) -> None:
    assert await world.refusal("{ticketAggregate(groupBy: [QUEUE], first: 501) {count}}") == (
        "BAD_REQUEST: ticketAggregate.first: must be between 0 and 500; found 501."
    )
    many = "TITLE, COLOUR, CONTRACT, HOT, DUE, QUEUE"
    assert await world.refusal(f"{{ticketAggregate(groupBy: [{many}]) {{count}}}}") == (
        "BAD_REQUEST: ticketAggregate.groupBy: at most 5 values; these are 6."
    )
