"""Pages: whatever the order, paging forward or backward gives exactly the whole list; what is no page is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers import cursors
from tests.counts import count
from tests.resolvers.world import ROWS, World

DIRECTIONS = ("ASC", "DESC", "ASC_NULLS_LAST", "DESC_NULLS_LAST")
FIELDS = [
    "number",
    "title",
    "body",
    "pendingUntil",
    "effort",
    "price",
    "ratio",
    "hot",
    "due",
    "startAt",
    "urgency",
    "seen",
    "createdAt",
    "contract",
    "colour",
    "urgent",
    "visit",
    "answeredAt",
    "databaseId",
]

direction = st.sampled_from(DIRECTIONS)
plain = st.builds(lambda name, way: {name: way}, st.sampled_from(FIELDS), direction)
nested = st.one_of(
    st.builds(lambda name, way: {"queue": {name: way}}, st.sampled_from(["unlockTimeout", "unlockSeconds"]), direction),
    st.builds(lambda way: {"queue": {"group": {"name": way}}}, direction),
    st.builds(lambda way: {"parent": {"customerUser": {"login": way}}}, direction),
    st.builds(lambda way: {"customerUser": {"nickname": way}}, direction),
)
orders = st.lists(st.one_of(plain, nested), max_size=3)

LIST = "query($o: [TicketOrder!]) {tickets(first: 500, orderBy: $o) {nodes {databaseId}}}"
FORWARD = """query($o: [TicketOrder!], $n: Int, $c: String) {
  tickets(first: $n, after: $c, orderBy: $o) {
    edges {cursor node {databaseId}} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}}"""
BACKWARD = """query($o: [TicketOrder!], $n: Int, $c: String) {
  tickets(last: $n, before: $c, orderBy: $o) {
    edges {cursor node {databaseId}} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}}"""


async def pages(world: World, text: str, order: Any, size: int, *, backward: bool) -> list[list[int]]:
    found, cursor = [], None
    while True:
        page = (await world.data(text, {"o": order, "n": size, "c": cursor}))["tickets"]
        ids = [edge["node"]["databaseId"] for edge in page["edges"]]
        found.append(ids)
        info = page["pageInfo"]
        assert info["startCursor"] == page["edges"][0]["cursor"]
        assert info["endCursor"] == page["edges"][-1]["cursor"]
        assert info["hasNextPage" if backward else "hasPreviousPage"] == (cursor is not None)
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return found
        cursor = info["startCursor" if backward else "endCursor"]


@settings(max_examples=count(25, 1_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders, st.integers(7, 40))
async def test_pages_forward_and_backward_are_the_whole_list(world: World, order: list[Any], size: int) -> None:
    rows = (await world.data(LIST, {"o": order}))["tickets"]["nodes"]
    everything = [row["databaseId"] for row in rows]
    assert sorted(everything) == [row["id"] for row in ROWS["ticket"]]
    forward = await pages(world, FORWARD, order, size, backward=False)
    assert [row for page in forward for row in page] == everything
    backward = await pages(world, BACKWARD, order, size, backward=True)
    assert [row for page in reversed(backward) for row in page] == everything


@pytest.mark.parametrize(
    ("way", "nulls", "descending"),
    [
        ("ASC", "first", False),
        ("DESC", "first", True),
        ("ASC_NULLS_LAST", "last", False),
        ("DESC_NULLS_LAST", "last", True),
    ],
)
async def test_nulls_come_first_unless_the_direction_says_last(
    world: World, way: str, nulls: str, descending: bool
) -> None:
    data = await world.data(
        "query($o: [TicketOrder!]) {tickets(first: 100, orderBy: $o) {nodes {effort}}}", {"o": [{"effort": way}]}
    )
    order = {None: None, "PT0S": 0, "PT1M30S": 90, "PT1H": 3600}
    found = [order[row["effort"]] for row in data["tickets"]["nodes"]]
    values = sorted((value for value in found if value is not None), reverse=descending)
    missing = [None] * (len(found) - len(values))
    assert missing
    assert found == (missing + values if nulls == "first" else values + missing)


async def test_pages_of_a_relation_go_on_for_the_owner_of_the_cursor(world: World) -> None:
    text = """query($c: String, $q: Int) {queue(by: {databaseId: $q}) {tickets(first: 3, after: $c, orderBy: [{title: DESC}]) {
      edges {cursor node {databaseId}} pageInfo {hasNextPage hasPreviousPage} totalCount}}}"""
    whole = await world.data(
        "{queues {nodes {databaseId tickets(first: 100, orderBy: [{title: DESC}]) {edges {cursor node {databaseId}}}}}}"
    )
    first, second = (queue for queue in whole["queues"]["nodes"] if queue["databaseId"] in (1, 2))
    edges = first["tickets"]["edges"]
    for at, edge in enumerate(edges):
        page = (await world.data(text, {"c": edge["cursor"], "q": 1}))["queue"]["tickets"]
        assert page["totalCount"] == len(edges)
        assert page["edges"] == edges[at + 1 : at + 4]
        assert page["pageInfo"] == {"hasNextPage": at + 4 < len(edges), "hasPreviousPage": True}
    result = await world.run(text, {"c": second["tickets"]["edges"][0]["cursor"], "q": 1})
    assert result.errors
    assert result.errors[0].message == f"queue.tickets: {cursors.REFUSED}"
    assert (result.errors[0].extensions or {})["code"] == "BAD_REQUEST"


async def test_an_offset_gives_numbered_pages(world: World) -> None:
    text = "query($p: Int) {tickets(first: 25, offset: $p) {nodes {databaseId} pageInfo {hasNextPage hasPreviousPage}}}"
    found = [(await world.data(text, {"p": offset}))["tickets"] for offset in (0, 25, 50, 75)]
    assert [row["databaseId"] for page in found for row in page["nodes"]] == list(range(1, 61))
    assert [tuple(page["pageInfo"].values()) for page in found] == [
        (True, False),
        (True, True),
        (False, True),
        (False, True),
    ]


async def test_the_default_page_has_25_rows(world: World) -> None:
    assert len((await world.data("{tickets {nodes {number}}}"))["tickets"]["nodes"]) == 25


async def test_a_page_of_nothing_still_says_whether_there_are_rows(world: World) -> None:
    data = await world.data("{tickets(first: 0) {nodes {number} pageInfo {hasNextPage endCursor}}}")
    assert data["tickets"] == {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}


async def test_rows_without_a_key_are_paged_by_offset(world: World) -> None:
    text = """query($p: Int) {ticketWatchers(first: 8, offset: $p) {
      nodes {userLogin ticket {databaseId}} pageInfo {hasNextPage endCursor} totalCount}}"""
    found = [(await world.data(text, {"p": offset}))["ticketWatchers"] for offset in (0, 8, 16)]
    rows = [(row["ticket"]["databaseId"], row["userLogin"]) for page in found for row in page["nodes"]]
    assert rows == sorted((row["ticket_id"], row["user_login"]) for row in ROWS["ticket_watcher"])
    assert [page["pageInfo"] for page in found] == [
        {"hasNextPage": going, "endCursor": None} for going in (True, True, False)
    ]
    assert found[0]["totalCount"] == 20


REFUSED = {
    "first: 501": "tickets.first: must be between 0 and 500; found 501.",
    "first: 2147483647": "tickets.first: must be between 0 and 500; found 2147483647.",
    "first: -1": "tickets.first: must be between 0 and 500; found -1.",
    "last: -1": "tickets.last: must be between 0 and 500; found -1.",
    "first: 1, last: 1": "tickets: use first or last, not both.",
    "offset: -1": "tickets.offset: must not be negative.",
    "last: 1, offset: 0": "tickets.offset: not together with a cursor or last.",
    'offset: 0, after: "x"': "tickets.offset: not together with a cursor or last.",
    "orderBy: [" + "{title: ASC} " * 11 + "]": "tickets.orderBy: at most 10 items; these are 11.",
}


@pytest.mark.parametrize(("args", "message"), REFUSED.items())
async def test_what_is_no_page_is_refused_before_any_statement(world: World, args: str, message: str) -> None:
    assert await world.refusal(f"{{tickets({args}) {{nodes {{number}}}}}}") == f"BAD_REQUEST: {message}"
