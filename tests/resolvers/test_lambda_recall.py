"""Remembered values are found by what is stored in a row, and are those that the lambda would make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import parse

from resolvers.computed import Task, compute
from resolvers.execute import execute
from resolvers.lambda_caller import Moment
from resolvers.lambda_memory import Memory
from resolvers.lambda_rows import placed
from resolvers.nodes import LambdaSlot, Need
from resolvers.shape import LambdaLoad
from resolvers.terms import Term
from schema.build import build_schema
from schema.catalog import ColumnClass
from schema.names import camel
from schema.spec import Audience, Caption, Code, Computed, Home, Module
from tests.programmed import Programmed, Row, Thrown
from tests.resolvers.world import PLACE, ROWS, World, modules

NEEDS = (
    "number", "title", "body", "queue", "queue.name", "queue.unlock_seconds", "parent", "parent.title", "parent.parent.created_at",
    "pending_until", "effort", "price", "ratio", "hot", "due", "start_at", "urgency", "labels", "meta", "seen", "created_at", "contract",
    "colour", "areas", "urgent", "visit", "answered_at", "customer_user",
)  # fmt: skip


def _of(need: str) -> str:
    return f"of_{need.replace('.', '_')}"


def _computed(name: str, *needs: str, kind: str = "json") -> Computed:
    return Computed(name, kind, PLACE, Caption(name), needs=needs, code=Code("return item;", PLACE))


def _made(world: World, *computed: Computed) -> World:
    found = modules(world.database.dialect.name)
    found["ticket"] = replace(found["ticket"], computed=computed)
    schemas = {audience: build_schema(found, audience) for audience in Audience}
    return World(world.database, replace(world.snapshot, modules=found, schemas=schemas), world.seen)


@pytest.fixture
def desk(world: World) -> World:
    """The sample desk, where the number of a ticket stands beside each need, and alone."""
    every = [_computed(_of(need), need) for need in NEEDS]
    return _made(world, *every, _computed("pair", "title", "created_at"), _computed("nothing"))


def told(ran: list[Any]) -> Programmed:
    """Return a runner whose lambdas return their item."""

    def run(row: Row) -> Any:
        ran.append(row.item)
        return row.item

    names = [*map(_of, NEEDS), "pair", "nothing"]
    return Programmed({f"ticket.{name}": run for name in names})


@pytest.mark.parametrize("planned", [True, False])
async def test_a_remembered_value_is_the_one_that_would_be_made(desk: World, planned: bool) -> None:
    """Whatever the kind of a need, on pages that overlap, at several places of a row."""
    needs = [need for need in NEEDS if need != "areas"] if planned else NEEDS  # several values of a row have no plan
    fields = " ".join(camel(_of(need)) for need in needs) + " pair nothing"
    memory, ran = Memory(), list[Any]()
    for first in (7, 30, 60):
        text = f"{{ tickets(first: {first}) {{ nodes {{ {fields} parent {{ {fields} parent {{ pair }} }} }} }} }}"
        expected, document = await desk.data(text, lambdas=told([])), parse(text)
        for _ in range(3):
            ran.clear()
            context = desk.context(lambdas=told(ran), memory=memory)
            result = await execute(context, document, None)
            assert (result.data, result.errors) == (expected, None)
        assert context.is_planned is planned
        # Only what is never remembered runs again: lists, objects and what may be 1 or true.
        assert {name for item in ran for name in item if name} <= {"labels", "meta", "areas"}


async def test_each_field_runs_for_the_rows_alone_that_it_does_not_know(desk: World) -> None:
    memory, runner = Memory(), told([])
    for first, fields in ((2, "ofNumber"), (3, "ofTitle ofSeen"), (4, "ofNumber ofTitle ofSeen pair")):
        await desk.data(f"{{ tickets(first: {first}) {{ nodes {{ {fields} }} }} }}", lambdas=runner, memory=memory)
    rows = {batch.script.name: [row[0] for row in batch.rows] for batch in runner.jobs[-1].batches}
    tickets = ROWS["ticket"][:4]
    titles, seen = {row["title"] for row in tickets[:3]}, {row["seen"] for row in tickets[:3]}
    assert rows.get("ticket.of_number") == [tickets[2]["tn"], tickets[3]["tn"]]
    assert rows.get("ticket.of_title", []) == [row["title"] for row in tickets[3:] if row["title"] not in titles]
    assert len(rows.get("ticket.of_seen", [])) == len({row["seen"] for row in tickets[3:]} - seen)
    assert len(rows["ticket.pair"]) == len(tickets)


async def test_what_failed_at_one_row_is_run_again_for_that_row_alone(desk: World) -> None:
    def run(row: Row) -> Any:
        if row.item["number"] == "20260002":
            raise Thrown("two")
        return row.item["number"]

    memory, runner = Memory(), Programmed({"ticket.of_number": run})
    for _ in range(3):
        result = await desk.run("{ tickets(first: 3) { nodes { ofNumber } } }", lambdas=runner, memory=memory)
        assert result.data == {"tickets": {"nodes": [{"ofNumber": n} for n in ("20260001", None, "20260003")]}}
        assert len(result.errors or ()) == 1
    assert [[row[0] for row in job.batches[0].rows] for job in runner.jobs] == [
        ["20260001", "20260002", "20260003"],
        ["20260002"],
        ["20260002"],
    ]


# --- rows as drivers give them ---


def _task(module: Module, field: str, **changed: Any) -> Task:
    """Return a field that needs the value at the beginning of a row."""
    item = replace(next(item for item in module.fields if item.name == field), **changed)
    need = Need((), ("it",), Term((), module, item))
    slot = LambdaSlot(module, _computed("pair", "it"), {}, (need,))
    return Task(LambdaLoad(slot, [(need, placed(need.term, 0, UTC))], crossing=(((), ("it",)),)), None)


async def _values(desk: World, memory: Memory | None, task: Task, *stored: Any) -> list[Any]:
    context = desk.context(lambdas=told([]), memory=memory, moment=Moment(0.0))
    (values,) = await compute(context, [task], [(value,) for value in stored])
    return [value["it"] for value in values]


@pytest.mark.parametrize(
    ("field", "column_class", "stored"),
    [
        ("title", ColumnClass.STRING, (1, 1.0, True, "1", None, b"1", Decimal(1), Decimal("1.0"), Decimal("1.00"), "1.0")),
        ("price", ColumnClass.DECIMAL, (Decimal("1.0"), Decimal("1.00"), 1, 1.0, None)),
        ("ratio", ColumnClass.FLOAT, (1, 1.0, 0.5, Decimal("0.5"), None)),
        ("hot", ColumnClass.SMALLINT, (1, True, 0, False, 2, None)),
        ("seen", ColumnClass.BIGINT, (1, 2**53, 2**53 + 1, 2**53 + 2, None, 0)),
        ("due", ColumnClass.DATE, ("2026-01-01", datetime(2026, 1, 1).date(), "broken", None)),  # noqa: DTZ001
        ("created_at", ColumnClass.DATETIME, ("2026-01-01", datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "0", None)),  # noqa: DTZ001
    ],
)  # fmt: skip
async def test_stored_values_that_are_equal_are_not_taken_for_each_other_where_they_are_written_differently(
    desk: World, field: str, column_class: ColumnClass, stored: tuple[Any, ...]
) -> None:
    """SQLite keeps what it is given, whatever the column is."""
    memory, task = Memory(), _task(desk.snapshot.modules["ticket"], field, column_class=column_class)
    for values in (stored, stored[::-1], *((value,) for value in stored)):
        one_by_one = [(await _values(desk, None, task, value))[0] for value in values]
        found = await _values(desk, memory, task, *values)
        assert [repr(value) for value in found] == [repr(value) for value in one_by_one]


async def test_the_same_stored_value_of_another_column_is_another_row(desk: World) -> None:
    """A file that was changed may read the same number as something else."""
    memory, module = Memory(), desk.snapshot.modules["ticket"]
    number, moment = _task(module, "effort", home=Home.TABLE), _task(module, "pending_until")
    assert await _values(desk, memory, number, 1_700_000_000) == [1_700_000_000]
    assert await _values(desk, memory, moment, 1_700_000_000) == ["2023-11-14T22:13:20Z"]
    assert await _values(desk, memory, number, 1_700_000_000) == [1_700_000_000]


async def test_what_a_field_of_another_type_made_is_not_its_value(world: World) -> None:
    """A file may be loaded anew with the same lambda and another type, and what is remembered outlives that."""
    memory, run = Memory(), Programmed({"ticket.it": lambda _row: {"text": "a", "tone": "gray"}})
    told = []
    for kind, selection in (("json", ""), ("badge", "{tone}"), ("json", "")):
        document = parse(f"{{tickets(first: 1) {{nodes {{it {selection}}}}}}}")
        made = _made(world, _computed("it", "title", kind=kind))
        for _ in range(3):
            result = await execute(made.context(lambdas=run, memory=memory), document, None)
            assert not result.errors
        told.append((result.data or {})["tickets"]["nodes"][0]["it"])
    assert told == [{"text": "a", "tone": "gray"}, {"tone": "gray"}, {"text": "a", "tone": "gray"}]
