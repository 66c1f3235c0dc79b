"""Pages whose keys are found first: the same rows in the same order, and nothing is joined to rows of other pages."""

from dataclasses import replace
from typing import Any

import pytest

from resolvers.keys_first import finds_keys_first
from resolvers.predicate import Compare, Predicate
from resolvers.scope import OPEN, Speech
from resolvers.terms import Term
from schema.catalog import Catalog, Table
from tests.resolvers.world import World

PAGE = """query ($filter: TicketFilter, $order: [TicketOrder!], $first: Int, $last: Int, $after: String, $offset: Int) {
  tickets(filter: $filter, orderBy: $order, first: $first, last: $last, after: $after, offset: $offset) {
    pageInfo {endCursor hasNextPage} nodes {databaseId queue {name} owner {login}}
  }
}"""
OPEN_ONES = {"state": {"type": {"name": {"in": ["new", "open"]}}}}
EXPECTED = """SELECT t.id FROM ticket t JOIN queue q ON q.id = t.queue_id JOIN ticket_state s ON s.id = t.ticket_state_id
  JOIN ticket_state_type y ON y.id = s.type_id WHERE y.name IN ('new', 'open') ORDER BY {}"""
ORDERS: dict[str, list[dict[str, Any]]] = {
    "t.create_time DESC, t.id DESC": [{"createdAt": "DESC"}],
    "q.name, t.id": [{"queue": {"name": "ASC"}}],
}


@pytest.mark.parametrize("by", ORDERS)
async def test_the_rows_are_those_of_the_page_in_its_order(desk: World, by: str) -> None:
    expected = [row[0] for row in await desk.database.fetch(EXPECTED.format(by))]
    assert len(expected) > 10
    asked = {"filter": OPEN_ONES, "order": ORDERS[by]}

    found, after = [], None
    while True:  # by cursors
        page = (await desk.data(PAGE, {**asked, "first": 4, "after": after}))["tickets"]
        found += [node["databaseId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == expected

    part = await desk.data(PAGE, {**asked, "first": 5, "offset": 3})
    assert [node["databaseId"] for node in part["tickets"]["nodes"]] == expected[3:8]
    part = await desk.data(PAGE, {**asked, "last": 3})
    assert [node["databaseId"] for node in part["tickets"]["nodes"]] == expected[-3:]


async def test_what_is_shown_is_joined_to_the_rows_of_the_page_alone(desk: World) -> None:
    await desk.data(PAGE, {"filter": OPEN_ONES, "order": [{"createdAt": "DESC"}], "first": 4})
    (text,) = desk.seen
    limits, joins = (
        [place for place in range(len(text)) if text.startswith(word, place)] for word in (" LIMIT ", "OUTER JOIN")
    )
    assert len(limits) == 1
    assert len(joins) == 2
    assert all(place > limits[0] for place in joins) == desk.database.dialect.finds_keys_first


@pytest.mark.parametrize(
    "asked", [{"order": [{"createdAt": "DESC"}]}, {"filter": {"createdAt": {"lt": "2026-05-01T00:00:00Z"}}}]
)
async def test_a_page_of_all_rows_or_of_a_statement_that_is_not_kept_is_read_at_once(desk: World, asked: Any) -> None:
    await desk.data(PAGE, {**asked, "first": 4})
    assert desk.seen[0].count("SELECT") == 1


def test_keys_that_the_database_does_not_keep_apart_find_no_rows(desk: World) -> None:
    """Each of them would be read for every row that has it."""
    module = desk.snapshot.modules["ticket"]
    known = desk.snapshot.catalog.tables[module.table]
    where = [Compare(Term((), module, module.field_named("title")), "eq", "Printer", "filter")]  # type: ignore[arg-type] # it is there

    def is_so(table: Table, where: list[Predicate]) -> bool:
        catalog = Catalog({**desk.snapshot.catalog.tables, table.name: table})
        speech = Speech(desk.database.dialect, catalog, None, desk.snapshot.modules, {}, OPEN)
        return finds_keys_first(speech, module, where)

    assert is_so(known, [*where]) == desk.database.dialect.finds_keys_first
    assert not is_so(known, [])
    for key in ((), ("id", "tn"), ("tn",)):
        assert not is_so(replace(known, key=key), [*where])
