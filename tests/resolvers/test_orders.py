"""An order ends where it decides everything, and its end goes the way of what stands before: an index then gives it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from identity.access import access_of
from resolvers.gate import Gate
from resolvers.order import OrderReader
from schema.catalog import Catalog, Table
from schema.snapshot import Snapshot
from tests.callers import everything
from tests.resolvers.world import World, snapshot

Given = list[Mapping[str, Any]]


@pytest.fixture(scope="module")
def desk() -> Snapshot:
    """The small desk, whose database keeps ticket numbers apart, and titles, where there is one."""
    made = snapshot("sqlite")
    ticket = made.catalog.tables["ticket"]
    unique: Table = replace(ticket, unique=(("tn",), ("title",), ("queue_id", "tn")))
    return replace(made, catalog=Catalog({**made.catalog.tables, "ticket": unique}))


def read(desk: Snapshot, given: Given) -> list[tuple[str, str]]:
    reader = OrderReader(desk, Gate(access_of(everything()), {}))
    return [(item.term.name, item.direction) for item in reader.read(desk.modules["ticket"], given, "tickets")]


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ([], [("id", "ASC")]),
        ([{"createdAt": "ASC"}], [("created_at", "ASC"), ("id", "ASC")]),
        ([{"createdAt": "DESC"}], [("created_at", "DESC"), ("id", "DESC")]),
        ([{"effort": "DESC_NULLS_LAST"}], [("effort", "DESC_NULLS_LAST"), ("id", "DESC")]),
        ([{"effort": "DESC"}, {"createdAt": "ASC"}], [("effort", "DESC"), ("created_at", "ASC"), ("id", "ASC")]),
        ([{"databaseId": "ASC"}, {"createdAt": "DESC"}], [("id", "ASC")]),
    ],
)
def test_the_key_comes_last_and_in_the_direction_of_what_stands_before_it(
    desk: Snapshot, given: Given, order: list[tuple[str, str]]
) -> None:
    assert read(desk, given) == order


def test_nothing_stands_behind_what_the_database_keeps_apart(desk: Snapshot) -> None:
    assert read(desk, [{"createdAt": "ASC"}, {"number": "DESC"}, {"effort": "ASC"}]) == [
        ("created_at", "ASC"),
        ("number", "DESC"),
    ]


def test_rows_without_a_value_are_not_kept_apart(desk: Snapshot) -> None:
    assert read(desk, [{"title": "ASC"}]) == [("title", "ASC"), ("id", "ASC")]


def test_what_is_unique_in_another_table_is_not_in_this_one(desk: Snapshot) -> None:
    assert read(desk, [{"parent": {"number": "ASC"}}]) == [("number", "ASC"), ("id", "ASC")]


async def test_equal_rows_stand_from_the_greatest_key_down_in_a_descending_list(world: World) -> None:
    text = "query($o: [TicketOrder!]) {tickets(first: 100, orderBy: $o) {nodes {databaseId queue {name}}}}"
    for way, sign in (("ASC", 1), ("DESC", -1)):
        rows = (await world.data(text, {"o": [{"queue": {"name": way}}]}))["tickets"]["nodes"]
        keys = [row["databaseId"] for row in rows if row["queue"] == rows[0]["queue"]]
        assert len(keys) > 1
        assert keys == sorted(keys, key=lambda key: sign * key)
