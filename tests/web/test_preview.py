"""`previewLambda`: what a draft would do, over real rows, before anybody else sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk
from tests.web.test_lambdas import as_ada, fill

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true, unique: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
  - {name: opens, type: datetime}
computed_fields:
  - name: size
    type: string
    needs: [seats]
    args: {large_at: int}
    lambda: |
      return item.seats >= (args.large_at || 20) ? 'large' : 'small';
    examples:
      - {item: {seats: 20}, returns: large}
      - {item: {seats: 3}, returns: small}
access: {agent: {view: true}}
"""
PREVIEW = """\
query ($input: PreviewLambdaInput!) {
  previewLambda(input: $input) {
    rows { id item value old error { code message line column } log }
    error { code message line column }
    cpuMs wallMs heapBytes rounds questions { verb args } examples { line holds message }
  }
}
"""


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as found:
        yield found


@pytest.fixture
async def desk(url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one worker, whose rooms have 10, 20, 20 and -1 seats."""
    async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as found:
        await fill(found.live.database)  # type: ignore[arg-type] # the real one
        yield found


async def look(desk: Desk, code: str, **more: Any) -> dict[str, Any]:
    given = {"module": "room", "field": "size", "code": code, **more}
    found: dict[str, Any] = (await desk.data(PREVIEW, input=given))["previewLambda"]
    return found


async def test_a_draft_is_shown_beside_what_serves(desk: Desk) -> None:
    found = await look(desk, "log('seen', item.seats); return item.seats > 10 ? 'huge' : 'tiny';", first=2)
    assert [(row["item"], row["value"], row["old"], row["log"], row["error"]) for row in found["rows"]] == [
        ({"seats": 10}, "tiny", "small", ["seen 10"], None),
        ({"seats": 20}, "huge", "large", ["seen 20"], None),
    ]
    assert found["error"] is None
    assert found["cpuMs"] > 0
    assert found["heapBytes"] > 100_000
    assert [example["holds"] for example in found["examples"]] == [False, False]
    assert '"huge", not "large"' in found["examples"][0]["message"]
    assert await desk.data("{ rooms(first: 1) { nodes { size } } }") == {"rooms": {"nodes": [{"size": "small"}]}}


async def test_a_badge_is_shown_with_its_text_and_its_tone(desk: Desk) -> None:
    given = {
        "module": "room",
        "type": "badge",
        "needs": ["seats"],
        "code": "return badge(item.seats, 'red');",
        "first": 1,
    }
    (row,) = (await desk.data(PREVIEW, input=given))["previewLambda"]["rows"]
    assert (row["value"], row["old"], row["error"]) == ({"text": "10", "tone": "red"}, None, None)


async def test_rows_that_look_the_same_are_each_shown(desk: Desk) -> None:
    found = await look(desk, "return 'x';", filter={"seats": {"eq": 20}})
    assert [row["value"] for row in found["rows"]] == ["x", "x"]


async def test_a_draft_that_throws_says_where(desk: Desk) -> None:
    code = "const seats = item.seats;\nif (seats < 0) throw new Error('no such room');\nreturn 'x';"
    found = await look(desk, code)
    assert [row["error"] for row in found["rows"]] == [
        None,
        None,
        None,
        {"code": "LAMBDA_FAILED", "message": "Error: no such room", "line": 2, "column": 22},
    ]


async def test_a_draft_that_does_not_compile_is_not_run(desk: Desk) -> None:
    found = await look(desk, "return item seats;")
    assert found["rows"] == []
    assert found["error"] == {
        "code": "LAMBDA_FAILED",
        "message": "SyntaxError: Unexpected identifier 'seats'",
        "line": 1,
        "column": 13,
    }


async def test_a_draft_that_does_not_end_is_told_and_may_be_tried_again_at_once(desk: Desk) -> None:
    for _ in range(4):
        found = await look(desk, "for (;;);", first=1)
        assert found["rows"][0]["error"]["code"] == "LAMBDA_TIMEOUT"
    assert (await look(desk, "return 'x';", first=1))["rows"][0]["value"] == "x"


async def test_questions_are_shown(desk: Desk) -> None:
    code = "return String(gql('query ($n: Int) { rooms(filter: {seats: {eq: $n}}) { totalCount } }', {n: item.seats}).rooms.totalCount);"
    found = await look(desk, code)
    assert [row["value"] for row in found["rows"]] == ["1", "2", "2", "1"]
    assert [question["args"][1] for question in found["questions"]] == [{"n": 10}, {"n": 20}, {"n": -1}]
    assert found["rounds"] == 2


async def test_a_field_that_is_yet_to_be_has_needs_and_a_type(desk: Desk) -> None:
    found = await look(
        desk, "return item.name.length + item.seats;", field=None, type="int", needs=["name", "seats"], first=1
    )
    (row,) = found["rows"]
    assert row["value"] == len(row["item"]["name"]) + 10
    assert row["old"] is None


async def test_arguments_reach_the_draft_and_what_serves(desk: Desk) -> None:
    found = await look(desk, "return String(args.large_at);", args={"large_at": 5}, first=1)
    assert (found["rows"][0]["value"], found["rows"][0]["old"]) == ("5", "large")


async def test_a_value_of_another_type_is_an_error_of_its_row(desk: Desk) -> None:
    found = await look(desk, "return {};", first=1)
    assert found["rows"][0]["value"] is None
    assert "a string is a text or a number" in found["rows"][0]["error"]["message"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"module": "nowhere"}, "previewLambda: there is no such module."),
        ({"field": "name"}, "previewLambda: the module has no such computed field by lambda."),
        ({"code": " "}, "previewLambda: the code is empty, or longer than 64 kB."),
        ({"type": "money"}, "previewLambda: type is one of badge, bool, datetime, float, html, int, json, string."),
        ({"args": [1]}, "previewLambda: filter and args are objects."),
    ],
)
async def test_what_does_not_fit_is_refused(desk: Desk, given: dict[str, Any], message: str) -> None:
    answer = await desk.ask(PREVIEW, input={"module": "room", "field": "size", "code": "return 1;", **given})
    assert [error["message"] for error in answer["errors"]] == [message]


@pytest.mark.parametrize("given", [{"filter": {"colour": {"eq": 1}}}, {"needs": ["colour"]}])
async def test_filters_and_needs_that_lead_nowhere_are_refused(desk: Desk, given: dict[str, Any]) -> None:
    answer = await desk.ask(PREVIEW, input={"module": "room", "field": "size", "code": "return 1;", **given})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


async def test_only_administrators_try_lambdas(desk: Desk) -> None:
    answer = await as_ada(desk, '{ previewLambda(input: {module: "room", code: "return 1;"}) { cpuMs } }')
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_the_same_draft_is_run_again_each_time(desk: Desk) -> None:
    for _ in range(2):
        found = await look(desk, "return String(item.seats);", first=2)
        assert [row["value"] for row in found["rows"]] == ["10", "20"]
