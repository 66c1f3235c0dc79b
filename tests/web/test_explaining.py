"""Administrators are told how an answer was found; a reload has planned what is asked for most before it serves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_url
from tests.web.real import ROOM, Desk, open_desk, sign_in

ROOMS = "query ($name: String!) { rooms(filter: {name: {eq: $name}}) { nodes { name seats } totalCount } }"
WIDER = ROOM.replace("access:", "  - {name: floor, type: int, label: Floor}\naccess:")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as found:
            yield found


async def explained(desk: Desk, query: str, **variables: Any) -> dict[str, Any]:
    headers = {"x-lambdesk-explain": "1"}
    answer = await desk.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    found: dict[str, Any] = answer.json()
    assert "errors" not in found, found
    return found


async def test_the_statements_are_told_without_their_values(desk: Desk) -> None:
    answers = [await explained(desk, ROOMS, name="a room that nobody knows") for _ in range(3)]

    assert [answer["extensions"]["explain"]["planned"] for answer in answers] == [False, True, True]
    for answer in answers:
        statements = answer["extensions"]["explain"]["statements"]
        assert sorted(statement["rows"] for statement in statements) == [0, 1]
        assert all(statement["sql"].startswith("SELECT") and statement["ms"] >= 0 for statement in statements)
        assert "nobody knows" not in str(statements)
    assert {len(answer["extensions"]["explain"]["statements"]) for answer in answers} == {2}


async def test_nothing_is_told_without_being_asked(desk: Desk) -> None:
    assert (await desk.ask(ROOMS, name="x"))["extensions"].keys() == {"cost"}


async def test_others_are_refused_before_anything_is_read(desk: Desk) -> None:
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO users (id, login, pw, first_name, last_name, valid_id, create_time, create_by, change_time, change_by) "
            "VALUES (40, 'ann', 'x', 'Ann', 'B', 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1)"
        )
    pair = await sign_in(desk.live, "ann")
    headers = {"authorization": f"Bearer {pair.access_token}", "x-lambdesk-explain": "1"}
    async with desk.connect(**headers) as client:
        answer = await client.post("/graphql", json={"query": ROOMS, "variables": {"name": "x"}})

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("value", ["yes", "", "11"])
async def test_another_value_of_the_header_is_refused(desk: Desk, value: str) -> None:
    answer = await desk.client.post("/graphql", json={"query": "{__typename}"}, headers={"x-lambdesk-explain": value})
    assert answer.status_code == 400


async def test_what_is_asked_for_most_is_planned_when_a_new_snapshot_serves(desk: Desk) -> None:
    for _ in range(3):
        await desk.data(ROOMS, name="x")
    (desk.site / "room.yaml").write_text(WIDER)
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one has it

    assert (await explained(desk, ROOMS, name="y"))["extensions"]["explain"]["planned"]


async def test_what_a_new_snapshot_cannot_answer_stops_no_reload(desk: Desk) -> None:
    seats = "{ rooms { nodes { seats } } }"
    await desk.data(seats)
    (desk.site / "room.yaml").write_text("\n".join(line for line in ROOM.splitlines() if "seats" not in line) + "\n")
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one has it

    assert (await desk.ask(seats))["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert (await desk.data("{ rooms { nodes { name } } }"))["rooms"]["nodes"] == []


async def test_a_query_of_fields_written_by_hand_and_of_generated_ones_is_answered_in_its_order(desk: Desk) -> None:
    query = "{ viewer { login } rooms { totalCount } modules { name } __typename }"
    answers = [await explained(desk, query) for _ in range(3)]

    assert [list(answer["data"]) for answer in answers] == [["viewer", "rooms", "modules", "__typename"]] * 3
    assert answers[0]["data"] == answers[1]["data"] == answers[2]["data"]
    assert [answer["extensions"]["explain"]["planned"] for answer in answers] == [False, True, True]
    assert len({answer["extensions"]["cost"] for answer in answers}) == 1
