"""Filters mean on every database what a plain Python model says they mean; what is no filter is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.counts import count
from tests.resolvers.model import MANIES, ONES, holds
from tests.resolvers.world import ROWS, World

TEXTS = (
    "a",
    "A",
    "a ",
    "",
    "ärger",
    "ÄRGER",
    "Printer on fire",
    "printer",
    "%",
    "_",
    "100%",
    "!",
    "x!y",
    "\\",
    "Σ",
    "ς",
    "ΟΔΟΣ",
    "οδος",
    "straße",
    "STRASSE",
    "ß",
    "anna",
    "Anna",
    "gone",
    "red",
    "C-1",
    "Queue 1",
    "Service 2",
    "users",
    "'",
    '"',
)
MOMENTS = (
    "2023-11-14T22:13:20Z",
    "2023-11-14T22:13:20.500Z",
    "2027-01-15T08:00:00Z",
    "1970-01-01T00:00:00Z",
    "2026-02-01T12:00:00Z",
    "2026-01-01T05:30:00Z",
    "2026-03-01T13:00:00+01:00",
)
DAYS = ("2026-02-28", "2026-03-01", "2026-01-03", "1999-12-31")


def operators(values: SearchStrategy[Any], *names: str) -> SearchStrategy[Any]:
    each: dict[str, SearchStrategy[Any]] = dict.fromkeys(names, values)
    several = st.lists(values, max_size=3)
    each.update({name: several for name in ("in", "notIn", "hasSome", "hasEvery") if name in names})
    each.update({name: st.booleans() for name in ("isNull", "isEmpty") if name in names})
    one = st.one_of(*(st.builds(lambda value, name=name: {name: value}, made) for name, made in each.items()))
    return st.one_of(one, one, st.just({}), st.builds(lambda a, b: {**a, **b}, one, one))


SAME = ("eq", "ne", "in", "notIn", "isNull")
COMPARED = ("lt", "lte", "gt", "gte")
text = operators(st.sampled_from(TEXTS), *SAME, "contains", "startsWith", "endsWith")
moment = operators(st.sampled_from(MOMENTS), "eq", *COMPARED, "isNull")
day = operators(st.sampled_from(DAYS), "eq", *COMPARED, "isNull")
truth = operators(st.booleans(), "eq", "ne", "isNull")
several = operators(
    st.sampled_from(["a", "b", "c", "A", "north", "North", "chess"]), "has", "hasSome", "hasEvery", "isEmpty"
)


def numbers(*values: Any) -> SearchStrategy[Any]:
    return operators(st.sampled_from(values), *SAME, *COMPARED)


FIELDS: dict[str, dict[str, SearchStrategy[Any]]] = {
    "ticket": {
        "databaseId": numbers(1, 2, 30, 60, 2**40),
        "number": text,
        "title": text,
        "body": text,
        "contract": text,
        "colour": text,
        "customerUserLogin": text,
        "pendingUntil": moment,
        "createdAt": moment,
        "answeredAt": moment,
        "due": day,
        "visit": day,
        "startAt": operators(st.sampled_from(["08:30", "08:30:00", "23:59:59"]), "eq", *COMPARED, "isNull"),
        "effort": numbers("PT0S", "PT1M30S", "PT1H", "PT2S"),
        "price": numbers("0.1", "0.10", "19.99", "-5", "7"),
        "ratio": numbers(0.5, 1.25, -3.0, 7.0),
        "seen": numbers(1, str(2**53 + 1), str(2**53)),
        "hot": truth,
        "urgent": truth,
        "urgency": operators(st.sampled_from(["LOW", "HIGH", "UNKNOWN"]), *SAME),
        "labels": several,
        "areas": several,
    },
    "queue": {
        "name": text,
        "comment": text,
        "unlockTimeout": numbers(0, 30, 90, -1),
        "unlockSeconds": numbers(0, 1800, 5400),
        "followUp": operators(st.sampled_from(["POSSIBLE", "REJECT", "NEW_TICKET", "UNKNOWN"]), *SAME),
        "validity": operators(st.sampled_from(["VALID", "INVALID", "INVALID_TEMPORARILY"]), "eq", "in"),
    },
    "permission_groups": {"name": text, "databaseId": numbers(1, 2, 3)},
    "customer_user": {"login": text, "nickname": text, "hobbies": several},
    "service": {"name": text, "databaseId": numbers(1, 2)},
    "ticket_watcher": {"userLogin": text},
}


def filters(table: str, depth: int = 2) -> SearchStrategy[Any]:
    """Filters of a module's rows, through relations and combinations `depth` levels deep."""
    leaves = st.one_of(
        *(st.builds(lambda value, name=name: {name: value}, made) for name, made in FIELDS[table].items())
    )
    if depth == 0:
        return leaves
    deeper = [leaves]
    for name, (target, _) in ONES.get(table, {}).items():
        deeper.append(st.builds(lambda value, name=name: {name: value}, filters(target, depth - 1)))
    for name, (target, _) in MANIES.get(table, {}).items():
        part = filters(target, depth - 1)
        quantified = st.dictionaries(st.sampled_from(["some", "none", "every"]), part, max_size=2)
        deeper.append(st.builds(lambda value, name=name: {name: value}, quantified))
    inner = filters(table, depth - 1)
    deeper.append(st.builds(lambda part: {"not": part}, inner))
    deeper.append(
        st.builds(lambda word, parts: {word: parts}, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3))
    )
    deeper.append(st.builds(lambda a, b: {**a, **b}, leaves, leaves))
    return st.one_of(*deeper)


FIND = "query($f: TicketFilter) {tickets(first: 500, filter: $f) {nodes {databaseId} totalCount}}"


async def check(world: World, table: str, query: str, given_filter: Any) -> None:
    root = next(iter(data := await world.data(query, {"f": given_filter})))
    expected = [row["id"] for row in ROWS[table] if holds(table, row, given_filter)]
    assert [row["databaseId"] for row in data[root]["nodes"]] == expected
    assert data[root]["totalCount"] == len(expected)


@settings(
    max_examples=count(120, 5_000), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(filters("ticket"))
async def test_a_filter_finds_what_the_model_finds(world: World, given_filter: Any) -> None:
    await check(world, "ticket", FIND, given_filter)


@pytest.mark.parametrize("operator", ["eq", "ne", "contains", "startsWith", "endsWith"])
async def test_texts_compare_the_same_on_every_database(world: World, operator: str) -> None:
    """Case and trailing spaces count in `eq`; case of any letter does not in the patterns; % and _ are letters."""
    for value in TEXTS:
        await check(world, "ticket", FIND, {"title": {operator: value}})
        await check(world, "ticket", FIND, {"body": {operator: value}})


CASES: list[tuple[Any, str]] = [
    ({}, "nothing asked for is everything"),
    ({"title": {"in": []}}, "an empty list matches nothing"),
    ({"title": {"notIn": []}}, "not in an empty list is everything"),
    ({"and": []}, "all of nothing holds"),
    ({"or": []}, "one of nothing does not"),
    ({"not": {}}, "the complement of everything is nothing"),
    ({"title": {"ne": "a"}}, "ne takes nulls in"),
    ({"not": {"title": {"eq": "a"}}}, "a complement takes nulls in"),
    ({"not": {"parent": {}}}, "tickets without a parent, also where the parent is gone"),
    ({"parent": {"title": {"isNull": True}}}, "a missing parent has no title either way"),
    ({"urgency": {"eq": "UNKNOWN"}}, "every stored value outside the options"),
    ({"urgency": {"in": ["LOW", "UNKNOWN"]}}, "options and others"),
    ({"urgency": {"notIn": ["UNKNOWN"]}}, "nulls are in the complement"),
    ({"pendingUntil": {"eq": "1970-01-01T00:00:00Z"}}, "0 is null, not a moment"),
    ({"pendingUntil": {"lt": "2024-01-01T00:00:00Z"}}, "0 is not before anything"),
    ({"visit": {"lte": "2026-01-03"}}, "a day in a column of moments"),
    ({"customerUser": {"login": {"eq": "anna"}}}, "logins that differ in case are different people"),
    ({"linked": {"some": {}}}, "digits in a text column link to a number"),
    ({"children": {"every": {"title": {"isNull": True}}}}, "every holds where there is none"),
    ({"databaseId": {"gt": 30}, "hot": {"eq": True}}, "several keys must all hold"),
]


@pytest.mark.parametrize(("given_filter", "rule"), CASES, ids=[rule for _, rule in CASES])
async def test_rules_of_filters(world: World, given_filter: Any, rule: str) -> None:
    await check(world, "ticket", FIND, given_filter)


async def test_ids_filter_and_foreign_ids_match_nothing(world: World) -> None:
    data = await world.data("{queues {nodes {id}} groups {nodes {id}}}")
    own, foreign = data["queues"]["nodes"][2]["id"], data["groups"]["nodes"][0]["id"]
    query = "query($f: QueueFilter) {queues(filter: $f) {nodes {databaseId}}}"

    async def found(given_filter: Any) -> list[int]:
        data = await world.data(query, {"f": {"id": given_filter}})
        return [row["databaseId"] for row in data["queues"]["nodes"]]

    assert await found({"eq": own}) == [3]
    assert await found({"in": [own, foreign, "nonsense"]}) == [3]
    assert await found({"eq": foreign}) == []
    assert await found({"ne": own}) == [1, 2, 4, 5, 6, 7]
    assert await found({"notIn": ["nonsense"]}) == [1, 2, 3, 4, 5, 6, 7]
    assert await found({"isNull": True}) == []


async def test_ids_of_rows_with_several_keys_filter(world: World) -> None:
    data = await world.data("{groupCustomers {nodes {id customerId group {name}}}}")
    row = data["groupCustomers"]["nodes"][3]
    query = "query($i: ID!) {groupCustomers(filter: {id: {eq: $i}}) {nodes {customerId group {name}}} groupCustomer(by: {id: $i}) {customerId}}"
    found = await world.data(query, {"i": row["id"]})
    assert found["groupCustomers"]["nodes"] == [{"customerId": row["customerId"], "group": row["group"]}]
    assert found["groupCustomer"] == {"customerId": row["customerId"]}


def nested(levels: int) -> Any:
    found: Any = {"title": {"eq": "a"}}
    for _ in range(levels):
        found = {"not": found}
    return found


REFUSED: list[tuple[Any, str]] = [
    ({"title": {"eq": None}}, "tickets.filter.title.eq: null is no value to compare with. Use isNull."),
    ({"title": {"isNull": None}}, "tickets.filter.title.isNull: null is no value to compare with. Use isNull."),
    ({"title": {"in": None}}, "tickets.filter.title.in: null is no value to compare with. Use isNull."),
    ({"title": None}, "tickets.filter.title: null is no condition. Leave it out, or use isNull."),
    ({"queue": None}, "tickets.filter.queue: null is no condition. Leave it out, or use isNull."),
    ({"not": None}, "tickets.filter.not: null is no condition. Leave it out, or use isNull."),
    ({"children": {"some": None}}, "tickets.filter.children.some: null is no condition. Leave it out."),
    ({"title": {"in": ["a"] * 501}}, "tickets.filter.title.in: a list may have 500 items; this one has 501."),
    ({"or": [{}] * 501}, "tickets.filter.or: a list may have 500 items; this one has 501."),
    ({"title": {"contains": "x" * 201}}, "tickets.filter.title.contains: at most 200 characters; these are 201."),
    (nested(30), "tickets.filter" + ".not" * 21 + ": a filter may be nested 20 levels deep."),
    ({"title": {"eq": "a\0b"}}, "tickets.filter.title.eq: A text must not contain NUL or half of a surrogate pair."),
    (
        {"queue": {"name": {"contains": "\0"}}},
        "tickets.filter.queue.name.contains: A text must not contain NUL or half of a surrogate pair.",
    ),
    (
        {"and": [{"or": [{"title": {"eq": str(n)}} for n in range(300)]}] * 2},
        "tickets.filter.and.0.or.249.title: the filters of an operation may have 500 conditions.",
    ),
]


@pytest.mark.parametrize(("given_filter", "message"), REFUSED)
async def test_what_is_no_filter_is_refused_before_any_statement(world: World, given_filter: Any, message: str) -> None:
    assert await world.refusal(FIND, {"f": given_filter}) == f"BAD_REQUEST: {message}"


async def test_secrets_have_no_filter_and_no_output(world: World) -> None:
    fields = world.snapshot.schema_for(world.context().audience).get_type("CustomerUserFilter").fields  # type: ignore[union-attr]
    assert "pw" not in fields
    assert "login" in fields
