"""`node`, `nodes`, keys and versions: rows by name, and one answer for everything that names no row."""

import base64
import json
from types import SimpleNamespace
from typing import cast

import pytest

from resolvers.ids import KEPT_LETTERS, id_writer, read_id, write_id
from schema.catalog import ColumnClass
from schema.spec import Audience, Module
from tests.resolvers.world import World, modules


def encode(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


async def test_nodes_answer_in_their_order_with_one_statement_a_type(world: World) -> None:
    made = modules(world.database.dialect.name)
    ids = [
        write_id(made["queue"], [2]),
        write_id(made["group"], [1]),
        write_id(made["queue"], [99]),
        write_id(made["queue"], [1]),
        "nonsense",
        write_id(made["queue"], [2]),
    ]
    text = """query($ids: [ID!]!) {nodes(ids: $ids) {
      __typename id ... on Queue {name group {name}} ... on Group {name queues {totalCount}}}}"""
    data = await world.data(text, {"ids": ids})
    assert len(world.seen) == 3
    queue = {"__typename": "Queue", "id": ids[0], "name": "Queue 2", "group": {"name": "Users"}}
    assert data["nodes"] == [
        queue,
        {"__typename": "Group", "id": ids[1], "name": "users", "queues": {"totalCount": 2}},
        None,
        {"__typename": "Queue", "id": ids[3], "name": "Queue 1", "group": {"name": "admin"}},
        None,
        queue,
    ]


NO_ROW = {
    "another type's name": encode("Nothing", 1),
    "a row that is not there": encode("Queue", 4711),
    "a text for a number": encode("Queue", "1"),
    "true for a number": encode("Queue", True),
    "too many keys": encode("Queue", 1, 1),
    "no key": encode("Queue"),
    "a number out of range": encode("Queue", 2**63),
    "another spelling": base64.urlsafe_b64encode(b'["Queue", 1]').decode().rstrip("="),
    "padding": encode("Queue", 1) + "=",
    "no list": encode("x")[:-1],
    "an object": base64.urlsafe_b64encode(b'{"Queue":1}').decode(),
    "deep nesting": base64.urlsafe_b64encode(b"[" * 1400).decode(),
    "a type without ids": encode("TicketWatcher", 1),
    "NUL in a key": encode("GroupCustomer", "a\0", 1),
    "nothing": "",
    "no ascii": "ä",
}


@pytest.mark.parametrize("id_", NO_ROW.values(), ids=NO_ROW)
async def test_what_names_no_row_is_null_for_all_alike(world: World, id_: str) -> None:
    text = "query($id: ID!) {node(id: $id) {id} queue(by: {id: $id}) {name}}"
    assert await world.data(text, {"id": id_}) == {"node": None, "queue": None}


async def test_types_that_the_audience_does_not_have_are_null(world: World) -> None:
    id_ = write_id(modules(world.database.dialect.name)["queue"], [1])
    text = "query($id: ID!) {node(id: $id) {id}}"
    assert (await world.data(text, {"id": id_}))["node"] == {"id": id_}
    assert (await world.data(text, {"id": id_}, audience=Audience.CUSTOMER))["node"] is None


async def test_more_than_100_ids_are_refused(world: World) -> None:
    refused = await world.refusal("query($i: [ID!]!) {nodes(ids: $i) {id}}", {"i": ["x"] * 101})
    assert refused == "BAD_REQUEST: nodes.ids: at most 100 ids; these are 101."


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("databaseId: 3", "Queue 3"),
        ('name: "Queue 3"', "Queue 3"),
        ('name: "queue 3"', None),
        ('name: "Queue 3 "', None),
        ("databaseId: 4711", None),
    ],
)
async def test_a_row_is_named_by_each_of_its_keys_exactly(world: World, by: str, found: str | None) -> None:
    data = await world.data(f"{{queue(by: {{{by}}}) {{name}}}}")
    assert data["queue"] == (found and {"name": found})


async def test_text_keys_that_differ_in_case_are_different_rows(world: World) -> None:
    data = await world.data(
        '{a: customerUser(by: {login: "anna"}) {databaseId} b: customerUser(by: {login: "Anna"}) {databaseId}}'
    )
    assert data == {"a": {"databaseId": 1}, "b": {"databaseId": 2}}


def test_ids_are_read_back_and_say_the_same_for_every_spelling_of_a_number() -> None:
    grant = modules("postgresql")["group_customer"]
    written = write_id(grant, ["äöü", 2])
    found = read_id(written, {"GroupCustomer": grant})
    assert found is not None
    assert found.key == ("äöü", 2)


async def test_versions_tell_rows_and_their_states_apart(world: World) -> None:
    text = "{queues {nodes {version}} tickets(first: 500) {nodes {version}} customerUsers {nodes {version}}}"
    before = await world.data(text)
    versions = [row["version"] for rows in before.values() for row in rows["nodes"]]
    assert len(set(versions)) == len(versions) == 71
    assert await world.data(text) == before


async def test_a_version_is_the_same_on_every_database_and_in_every_process(world: World) -> None:
    data = await world.data("{queue(by: {databaseId: 1}) {version} ticket(by: {databaseId: 20}) {version}}")
    assert data == {"queue": {"version": "J5kpHe-opXXaJq_iTc0bSA"}, "ticket": {"version": "u4ObN3hCurlINUKXY0jUAQ"}}


CHANGES = {
    "UPDATE ticket SET title = 'new' WHERE id = 7": "UPDATE ticket SET title = 'BEFORE' WHERE id = 7",
    "INSERT INTO dynamic_field_value (id, field_id, object_id, value_text) VALUES (9999, 12, 7, 'west')": (
        "DELETE FROM dynamic_field_value WHERE id = 9999"
    ),
    "INSERT INTO lambdesk_ext_ticket (id, contract) VALUES (7, 'C-9')": "DELETE FROM lambdesk_ext_ticket WHERE id = 7",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_version_changes_with_every_home_of_a_value(world: World, change: str) -> None:
    text = "{ticket(by: {databaseId: 7}) {version title}}"
    before = (await world.data(text))["ticket"]
    assert before["title"] is not None
    async with world.database.transaction() as transaction:
        await transaction.execute(change)
    try:
        assert (await world.data(text))["ticket"]["version"] != before["version"]
    finally:
        async with world.database.transaction() as transaction:
            await transaction.execute(CHANGES[change].replace("BEFORE", before["title"]))
    assert (await world.data(text))["ticket"] == before


def test_ids_of_many_rows_are_those_of_one_whether_they_are_kept_or_not() -> None:
    made = modules("sqlite")
    numbers = id_writer(made["queue"])
    for value in (1, 2, True, 2**62, 1):
        assert numbers(value) == write_id(made["queue"], [value])
    assert numbers(1) != id_writer(made["group"])(1)
    named = cast("Module", SimpleNamespace(type_name="Lamp", key_classes=(ColumnClass.STRING,)))
    write = id_writer(named)
    for text in ("1", 'a\u00e4"b', "x" * (KEPT_LETTERS + 1), "1", b"raw"):
        assert write(text) == write_id(named, [text])
