"""A module with lambdas serves when they compile and do what their examples say; else its last good version goes on serving."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from lambdas.off import Off
from lambdas.pool import Sandbox
from resolvers.example_items import ITEMS, make_items
from resolvers.lambda_check import LambdaChecker, named
from schema.loading import Loader
from schema.problems import Problem
from schema.registry import Registry
from schema.snapshot import ModuleState
from schema.spec import Caption, Module
from tests.schema.shelf import Shelf
from tests.schema.test_registry import builder

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = """\
module: {{name: room, table: room}}
fields:
  - {{name: title, type: string}}
  - {{name: seats, type: int, column: seat_count}}
computed_fields:
  - name: size
    type: {kind}
    needs: [title, seats]
    lambda: |
      {code}
    examples:
{examples}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(size=1)
    await made.start()
    yield made
    await made.close()


def room_of(folder: Path, code: str, *examples: str, kind: str = "string") -> Module:
    shown = "\n".join(f"      - {example}" for example in examples)
    text = ROOM.format(code=code, examples=shown, kind=kind)
    (folder / "room.yaml").write_text(text.replace("    examples:\n\n", "") if not examples else text)
    (draft,) = Loader([folder]).load()
    assert draft.first, draft.problems
    return draft.first.module


async def problems_of(sandbox: Sandbox, module: Module) -> list[str]:
    found: Mapping[str, Sequence[Problem]] = await LambdaChecker(sandbox).check([module])
    return [f"{problem.line}:{problem.column} {problem.code} {problem.message}" for problem in found.get("room", ())]


LARGE = "return item.seats > 20 ? 'large' : 'small';"


async def test_what_holds_is_no_problem(sandbox: Sandbox, tmp_path: Path) -> None:
    room = room_of(tmp_path, LARGE, "{item: {seats: 21}, returns: large}", "{item: {seat_count: 3}, returns: small}")
    assert await problems_of(sandbox, room) == []


async def test_what_does_not_compile_is_told_with_its_line_and_column(sandbox: Sandbox, tmp_path: Path) -> None:
    room = room_of(tmp_path, "return item seats;")
    assert await problems_of(sandbox, room) == [
        "10:19 bad-lambda Lambda `room.size` does not compile: SyntaxError: Unexpected identifier 'seats'"
    ]


async def test_an_example_that_fails_says_what_came_instead(sandbox: Sandbox, tmp_path: Path) -> None:
    room = room_of(tmp_path, LARGE, "{item: {seats: 20}, returns: large}")
    (problem,) = await problems_of(sandbox, room)
    assert problem == (
        '12:9 failed-example The lambda of `size` does not do what an example says, given {"seats": 20}: '
        'It returned "small", not "large".'
    )


@pytest.mark.parametrize(
    ("code", "example", "why"),
    [
        ("throw new Error('no');", "{item: {}, returns: x}", "Error: no (line 10)"),
        ("return {};", "{item: {}, returns: x}", "The lambda returned an object; a string is a text or a number."),
        ("return 'x';", "{item: {}, returns: [1]}", "`returns` is nothing of type string."),
        ("return gql('{a}');", "{item: {}, returns: x}", "Error: The example has no answer for this. (line 10)"),
    ],
)
async def test_examples_fail_for_many_reasons(
    sandbox: Sandbox, tmp_path: Path, code: str, example: str, why: str
) -> None:
    (problem,) = await problems_of(sandbox, room_of(tmp_path, code, example))
    assert problem.endswith(why)


async def test_an_example_that_does_not_end_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    (problem,) = await problems_of(sandbox, room_of(tmp_path, "for (;;);", "{item: {}, returns: x}"))
    assert problem.endswith(("It used up its CPU time.", "It took too long."))


@pytest.mark.parametrize(
    ("code", "example"),
    [
        ("return me.login + me.locale;", "{item: {}, me: {login: ann}, returns: annen}"),
        ("return String(now.getUTCHours());", "{item: {}, now: '2026-02-01T09:30:00Z', returns: '9'}"),
        ("return args.prefix + item.title;", "{item: {title: b}, args: {prefix: a}, returns: ab}"),
        ("return gql('a') + gql('b');", "{item: {}, answers: [x, y], returns: xy}"),
        ("return item.title;", "{item: {title: null}, returns: null}"),
        ("return item.title.name;", "{item: {title.name: far}, returns: far}"),
    ],
)
async def test_an_example_says_all_that_a_lambda_can_see(
    sandbox: Sandbox, tmp_path: Path, code: str, example: str
) -> None:
    assert await problems_of(sandbox, room_of(tmp_path, code, example)) == []


async def test_an_example_reads_translations_in_the_language_of_its_reader(sandbox: Sandbox, tmp_path: Path) -> None:
    examples = "{item: {}, me: {locale: de_AT}, returns: spät}", "{item: {}, returns: late}", "{item: {}, returns: no}"
    room = room_of(tmp_path, "return t('late');", *examples)
    texts = {"late": Caption("late", {"en": "late", "de": "spät"})}
    (problem,) = await problems_of(sandbox, replace(room, translations=texts))
    assert problem.endswith('It returned "late", not "no".')


async def test_a_hook_for_several_events_is_told_of_once(sandbox: Sandbox, tmp_path: Path) -> None:
    text = "module: {name: room}\nhooks: [{on: [before_create, before_update], lambda: 'return 1 2;'}]\n"
    (tmp_path / "room.yaml").write_text(text)
    (draft,) = Loader([tmp_path]).load()
    assert draft.first
    assert len(await problems_of(sandbox, draft.first.module)) == 1


async def test_a_rule_for_all_rows_holds_or_is_told_with_a_row(sandbox: Sandbox, tmp_path: Path) -> None:
    rule = "{for_all: {seats: {min: 0, max: 50}, title: string}, holds: result === 'large' || item.seats <= %d}"
    assert await problems_of(sandbox, room_of(tmp_path, LARGE, rule % 20)) == []
    (problem,) = await problems_of(sandbox, room_of(tmp_path, LARGE, rule % 10))
    assert "`result === 'large' || item.seats <= 10` does not hold." in problem


async def test_without_a_rule_every_row_must_have_a_value_of_the_type(sandbox: Sandbox, tmp_path: Path) -> None:
    code = "return item.title.length / item.seats;"
    (problem,) = await problems_of(
        sandbox, room_of(tmp_path, code, "{for_all: {title: string, seats: [0, 1]}}", kind="int")
    )
    assert problem.startswith("12:9 failed-example The lambda of `size` does not do what an example says, given ")


async def test_where_lambdas_do_not_run_nothing_is_held_against_them(tmp_path: Path) -> None:
    room = room_of(tmp_path, "return item seats;", "{item: {}, returns: x}")
    assert await LambdaChecker(Off()).check([room]) == {}


async def test_rows_are_made_with_their_edges_and_the_same_each_time() -> None:
    wanted = {"a": "int", "b": [None, "x"], "c": {"min": 1, "max": 3}, "d": "datetime"}
    items = make_items(wanted, "seed")
    assert items == make_items(wanted, "seed")
    assert len(items) == ITEMS
    assert {0, 2**31 - 1} <= {item["a"] for item in items}
    assert {item["b"] for item in items} == {None, "x"}
    assert {item["c"] for item in items} == {1, 2, 3}


async def test_rows_of_examples_have_all_names(tmp_path: Path) -> None:
    assert named(room_of(tmp_path, LARGE), {"seats": 1, "odd_name": 2}) == {
        "seats": 1,
        "seat_count": 1,
        "odd_name": 2,
        "oddName": 2,
    }


async def test_a_failing_example_keeps_the_last_good_version(sandbox: Sandbox, tmp_path: Path) -> None:
    """Before and after a restart, and the module is live again once it is mended."""
    database = Shelf()
    room_of(tmp_path, LARGE, "{item: {seats: 21}, returns: large}")
    registry = Registry([tmp_path], database, builder, examples=LambdaChecker(sandbox))
    await registry.start()
    assert [status.state for status in registry.snapshot.status] == [ModuleState.LIVE]
    good = registry.snapshot.modules["room"]

    room_of(tmp_path, LARGE, "{item: {seats: 21}, returns: huge}")
    await registry.reload()
    (status,) = registry.snapshot.status
    assert (status.state, [problem.code for problem in status.problems]) == (ModuleState.STALE, ["failed-example"])
    assert registry.snapshot.modules["room"] is good

    restarted = Registry([tmp_path], database, builder, examples=LambdaChecker(sandbox))
    await restarted.start()
    (status,) = restarted.snapshot.status
    assert (status.state, [problem.code for problem in status.problems]) == (ModuleState.STALE, ["failed-example"])
    assert restarted.snapshot.modules["room"].computed[0].examples[0].returns == "large"

    room_of(tmp_path, "return item.seats > 20 ? 'huge' : 'small';", "{item: {seats: 21}, returns: huge}")
    await restarted.reload()
    assert [status.state for status in restarted.snapshot.status] == [ModuleState.LIVE]
