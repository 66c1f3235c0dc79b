"""Computed fields by lambda: one job for all rows and fields of a module at a level, given what the caller may read and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
from graphql import GraphQLError, parse, validate

from lambdas.contract import Job
from lambdas.errors import FailureCode
from lambdas.limits import CPU_CEILING_MS, ROWS_LIMIT, Limits
from lambdas.off import Off
from resolvers.execute import execute
from resolvers.lambda_limits import LambdaLimits
from resolvers.lambda_pieces import Piece, cut
from resolvers.planning import find_plan
from resolvers.selection import select
from schema.build import build_schema
from schema.spec import Argument, Audience, Caption, Code, Computed, Module
from tests.programmed import Programmed, Row, Thrown, item_of
from tests.resolvers.world import PLACE, ROWS, World, modules


def computed(name: str, kind: str, needs: tuple[str, ...] | None, *args: Argument) -> Computed:
    return Computed(name, kind, PLACE, Caption(name), needs=needs, args=args, code=Code(f"return {name}", PLACE))


ADDED: Mapping[str, tuple[Computed, ...]] = {
    "ticket": (
        computed("line", "string", ("number", "title", "queue.name", "queue.group.name")),
        computed("short", "string", ("number", "title", "queue.name", "queue.group.name")),
        computed("heat", "string", ("hot",)),
        computed("whole", "json", None),
        computed("echo", "json", (), Argument("when", "datetime"), Argument("howLong", "duration")),
    ),
    "group": (computed("title", "string", ("name",)), computed("mark", "badge", ("name",))),
}


@pytest.fixture
def desk(world: World) -> World:
    """The sample desk with computed fields in its modules."""
    found = modules(world.database.dialect.name)
    for name, added in ADDED.items():
        found[name] = replace(found[name], computed=(*found[name].computed, *added))
    return remade(world, found)


def remade(world: World, found: dict[str, Module]) -> World:
    schemas = {audience: build_schema(found, audience) for audience in Audience}
    return World(world.database, replace(world.snapshot, modules=found, schemas=schemas), world.seen)


def names_of(job: Job) -> list[tuple[str, int]]:
    return [(batch.script.name, len(batch.rows)) for batch in job.batches]


async def test_a_lambda_without_a_sandbox_is_null_and_says_so(world: World) -> None:
    result = await world.run("{queues(first: 2) {nodes {name loadLabel}}}")
    assert result.data == {"queues": {"nodes": [{"name": f"Queue {n}", "loadLabel": None} for n in (1, 2)]}}
    assert [error.formatted for error in result.errors or ()] == [
        {
            "message": "The lambda of queue.load_label cannot be run here. Lambdas do not run here.",
            "locations": [{"line": 1, "column": 32}],
            "path": ["queues", "nodes", n, "loadLabel"],
            "extensions": {"code": "LAMBDA_UNAVAILABLE", "lambda": "queue.load_label", "requestId": "r1"},
        }
        for n in (0, 1)
    ]


async def test_a_lambda_sees_each_need_under_its_names_and_inside_its_reference(desk: World) -> None:
    runner = Programmed({"ticket.line": lambda row: f"{row.item['number']} {row.item['tn']}"})
    await desk.data("{tickets(first: 1) {nodes {line}}}", lambdas=runner)
    (batch,) = runner.jobs[0].batches
    assert item_of(batch, batch.rows[0]) == {
        "number": "20260001",
        "tn": "20260001",
        "title": ROWS["ticket"][0]["title"],
        "queue": {
            "name": f"Queue {ROWS['ticket'][0]['queue_id']}",
            "group": {"name": ("users", "admin", "Users")[ROWS["ticket"][0]["queue_id"] % 3]},
        },
    }


async def test_the_fields_of_a_module_run_in_one_job_a_level_and_share_the_rows_of_equal_needs(desk: World) -> None:
    runner = Programmed(
        {
            "ticket.line": lambda row: row.item["number"],
            "ticket.short": lambda row: row.item["number"][4:],
            "ticket.heat": lambda row: str(row.item["hot"]),
            "queue.load_label": lambda row: row.item["group"]["name"],
        }
    )
    text = "{tickets(first: 40) {nodes {number line short heat queue {loadLabel}}}}"
    data = await desk.data(text, lambdas=runner)
    queues = {ticket["queue_id"] for ticket in ROWS["ticket"][:40]}
    loads = {(row["unlock_timeout"], row["group_id"]) for row in ROWS["queue"] if row["id"] in queues}
    assert [names_of(job) for job in runner.jobs] == [
        [("ticket.line", 40), ("ticket.short", 40), ("ticket.heat", 3)],
        [("queue.load_label", len(loads))],
    ]
    line, short, heat = runner.jobs[0].batches
    assert line.rows is short.rows
    assert sorted(heat.rows, key=str) == [(False,), (None,), (True,)]  # rows that look the same are computed once
    for row in data["tickets"]["nodes"]:
        assert (row["line"], row["short"]) == (row["number"], row["number"][4:])
        assert row["queue"]["loadLabel"] in ("users", "admin", "Users")


async def test_lambdas_run_for_the_rows_of_a_page_only(desk: World) -> None:
    runner = Programmed({"ticket.line": lambda _: "x", "queue.load_label": lambda _: "y"})
    text = "{tickets(first: 2) {pageInfo {hasNextPage} nodes {line}} queues(first: 3) {nodes {loadLabel tickets(first: 1) {nodes {line}}}}}"
    await desk.data(text, lambdas=runner)
    counts = sorted(pair for job in runner.jobs for pair in names_of(job))
    assert counts == [("queue.load_label", 3), ("ticket.line", 2), ("ticket.line", 3)]


async def test_nothing_runs_where_there_is_no_row(desk: World) -> None:
    runner = Programmed({})
    text = '{tickets(filter: {number: {eq: "none"}}) {nodes {line}} ticket(by: {databaseId: 1}) {parent {line}}}'
    data = await desk.data(text, lambdas=runner)
    assert data == {"tickets": {"nodes": []}, "ticket": {"parent": None}}
    assert runner.jobs == []


async def test_values_cross_as_the_api_has_them_and_references_as_their_keys(desk: World) -> None:
    runner = Programmed({"ticket.whole": lambda row: dict(row.item)})
    data = await desk.data(
        "{a: ticket(by: {databaseId: 5}) {whole} b: ticket(by: {databaseId: 60}) {whole}}", lambdas=runner
    )
    five, sixty = data["a"]["whole"], data["b"]["whole"]
    same = {"id": 5, "tn": "20260005", "body": "x!y", "parent": None, "queue_id": ROWS["ticket"][4]["queue_id"]}
    moments = {"pending_until": "2023-11-14T22:13:21Z", "created_at": "2026-01-16T12:00:00Z", "due": "2026-03-01"}
    others = {"start_at": "23:59:59", "ratio": 1.25, "hot": True, "urgency": "LOW", "labels": ["a", "b"], "seen": 1}
    beside = {"contract": None, "colour": "blue", "areas": ["north"], "visit": "2026-01-06", "meta": "broken"}
    for name, value in {**same, **moments, **others, **beside, "answeredAt": "2026-01-01T05:30:00Z"}.items():
        assert five[name] == value, name
    assert (sixty["effort"], sixty["meta"], sixty["urgent"]) == (0, {"a": 1}, True)


async def test_numbers_beyond_what_javascript_holds_cross_as_texts(desk: World) -> None:
    runner = Programmed({"ticket.whole": lambda row: [row.item["seen"], row.item["price"]]})
    data = await desk.data("{tickets(first: 60) {nodes {seen price whole}}}", lambdas=runner)
    assert {str(row["seen"]) for row in data["tickets"]["nodes"]} == {"None", "1", str(2**53 + 1)}
    for row in data["tickets"]["nodes"]:
        assert row["whole"] == [row["seen"], row["price"]]


async def test_arguments_cross_under_their_names_with_defaults_and_durations_as_seconds(desk: World) -> None:
    runner = Programmed({"ticket.echo": lambda row: dict(row.args)})
    text = """query ($when: DateTime) {ticket(by: {databaseId: 1}) {
      a: echo(when: $when, howLong: "PT2M") b: echo}}"""
    data = await desk.data(text, {"when": "2026-01-01T01:00:00+01:00"}, lambdas=runner)
    assert data["ticket"]["a"] == {"when": "2026-01-01T00:00:00Z", "howLong": 120}
    assert data["ticket"]["b"] == {"when": None, "howLong": None}


async def test_a_script_is_the_file_s_lambda_with_its_line(desk: World) -> None:
    runner = Programmed({"group.title": lambda row: row.item["name"]})
    await desk.data("{groups {nodes {title}}}", lambdas=runner)
    (batch,) = runner.jobs[0].batches
    assert (batch.script.name, batch.script.source, batch.script.line) == ("group.title", "return title", PLACE.line)
    assert batch.script.powers == frozenset()
    assert (runner.jobs[0].module, runner.jobs[0].me["login"]) == ("group", "system")


async def test_passwords_are_never_given_under_whichever_name(desk: World) -> None:
    found = dict(desk.snapshot.modules)
    customer = found["customer_user"]
    hidden = replace(next(item for item in customer.fields if item.name == "pw"), name="secret_word")
    peek = tuple(computed(f"peek{n}", "json", needs) for n, needs in enumerate((("login", "secret_word", "pw"), None)))
    fields = tuple(hidden if item.name == "pw" else item for item in customer.fields)
    found["customer_user"] = replace(customer, fields=fields, computed=peek)
    other = remade(desk, found)
    runner = Programmed({f"customer_user.peek{n}": lambda row: sorted(row.item) for n in (0, 1)})
    data = await other.data("{customerUsers(first: 1) {nodes {peek0 peek1}}}", lambdas=runner)
    (row,) = data["customerUsers"]["nodes"]
    assert row["peek0"] == ["login"]
    assert {"id", "login", "email"} <= set(row["peek1"])
    assert not {"pw", "secret_word", "secretWord"} & set(row["peek1"])


# --- failures ---


async def test_a_failed_field_is_null_with_an_error_that_names_it_and_the_row_stays(desk: World) -> None:
    def line(row: Row) -> Any:
        if row.item["number"] == "20260002":
            raise Thrown("TypeError: secret is not defined", line=7, column=5)
        return row.item["number"]

    result = await desk.run("{tickets(first: 3) {nodes {number line}}}", lambdas=Programmed({"ticket.line": line}))
    rows = [(f"2026000{n}", None if n == 2 else f"2026000{n}") for n in (1, 2, 3)]
    assert result.data == {"tickets": {"nodes": [{"number": number, "line": line} for number, line in rows]}}
    assert [error.formatted for error in result.errors or ()] == [
        {
            "message": "The lambda of ticket.line failed. TypeError: secret is not defined",
            "locations": [{"line": 1, "column": 35}],
            "path": ["tickets", "nodes", 1, "line"],
            "extensions": {
                "code": "LAMBDA_FAILED",
                "lambda": "ticket.line",
                "line": 7,
                "column": 5,
                "requestId": "r1",
            },
        }
    ]


@pytest.mark.parametrize("code", list(FailureCode))
async def test_every_way_to_fail_has_its_code_and_a_sentence(desk: World, code: FailureCode) -> None:
    def fail(_row: Row) -> Any:
        raise Thrown("why", code)

    result = await desk.run("{group(by: {databaseId: 1}) {title}}", lambdas=Programmed({"group.title": fail}))
    (error,) = result.errors or [GraphQLError("none")]
    assert (error.extensions or {})["code"] == code
    assert "group.title" in error.message
    assert error.message.endswith(". why")
    assert result.data == {"group": {"title": None}}


async def test_a_value_of_another_type_is_a_failure_of_that_row(desk: World) -> None:
    runner = Programmed({"group.title": lambda row: {} if row.item["name"] == "admin" else "fine"})
    result = await desk.run("{groups {nodes {title}}}", lambdas=runner)
    assert result.data == {"groups": {"nodes": [{"title": "fine"}, {"title": None}, {"title": "fine"}]}}
    assert [(error.path, (error.extensions or {})["code"]) for error in result.errors or ()] == [
        (["groups", "nodes", 1, "title"], "LAMBDA_FAILED")
    ]


async def test_a_runner_that_breaks_breaks_its_fields_only(desk: World, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Programmed):
        async def run(self, job: Job, answer: Any = None) -> Any:
            if job.module == "group":
                raise RuntimeError("a secret of the server")
            return await super().run(job, answer)

    runner = Broken({"ticket.heat": lambda _: "warm"})
    result = await desk.run("{ticket(by: {databaseId: 1}) {heat queue {group {name title}}}}", lambdas=runner)
    assert result.data is not None
    assert result.data["ticket"]["heat"] == "warm"
    assert result.data["ticket"]["queue"]["group"]["title"] is None
    assert [error.message for error in result.errors or ()] == ["Internal error"]
    assert "a secret" not in caplog.text


async def test_the_reason_why_lambdas_are_off_is_for_administrators(desk: World) -> None:
    result = await desk.run("{group(by: {databaseId: 1}) {title}}", lambdas=Off("They are switched off."))
    (error,) = result.errors or [GraphQLError("none")]
    assert error.message == "The lambda of group.title cannot be run here. They are switched off."


# --- plans ---


def tell(row: Row) -> Any:
    """Answer with what was given, but for some rows."""
    text = json.dumps([row.item, row.args], sort_keys=True)
    if crc32(text.encode()) % 3 == 0:
        raise Thrown(f"no word of {row.item}")
    return text


def mark(row: Row) -> Any:
    if row.item["name"] == "users":
        raise Thrown("no mark")
    return {"text": row.item["name"], "tone": "red"}


TOLD = Programmed(
    {"group.mark": mark}
    | dict.fromkeys(
        ("ticket.line", "ticket.short", "ticket.heat", "ticket.echo", "queue.load_label", "group.title"), tell
    )
)
PLANNED: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("{ tickets(first: 9) { nodes { line } } }", {}),
    ("{ tickets(first: 9) { totalCount nodes { line a: heat b: heat queue { loadLabel group { title } } parent { line } } } }", {}),
    ("query ($n: BigInt!) { ticket(by: {databaseId: $n}) { short queue { title: name group { title } } } }", {"n": 5}),
    ("query ($l: String) { queues { nodes { name loadLabel(locale: $l) other: loadLabel } } }", {"l": "de"}),
    ('{ queues { edges { cursor node { loadLabel } } nodes { name loadLabel(locale: "x") } } }', {}),
    ("{ queues { nodes { loadLabel tickets(last: 2) { nodes { line queue { loadLabel tickets(first: 1) { nodes { heat } } } } } } } }", {}),
    ("{ tickets(last: 3) { nodes { line } pageInfo { hasPreviousPage startCursor } } }", {}),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Queue { loadLabel } ... on Ticket { line } } }", {"ids": ["WyJRdWV1ZSIsMl0", "WyJUaWNrZXQiLDFd", "no"]}),
    ('{ a: group(by: {name: "admin"}) { title } b: group(by: {name: "users"}) { title } c: group(by: {name: "none"}) { title } }', {}),
    ("{ groups { nodes { mark { text tone } a: mark { tone x: text __typename } } } }", {}),
    ("{ a: queues { nodes { loadLabel } } b: queues { nodes { loadLabel } } }", {}),
    ('query ($when: DateTime) { tickets(first: 3) { nodes { echo(when: $when, howLong: "PT1M") } } }', {"when": "2026-01-01T00:00:00Z"}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "variables"), PLANNED)
async def test_a_plan_tells_values_and_failures_as_the_executor_does(
    desk: World, text: str, variables: Mapping[str, Any]
) -> None:
    document = parse(text)
    assert validate(desk.context().schema, document) == []

    async def ask(*, plain: bool) -> Any:
        desk.seen.clear()
        TOLD.jobs.clear()
        context = desk.context(lambdas=TOLD)
        result = await execute(context, document, None, variables, plain=plain)
        return result.data, [error.formatted for error in result.errors or ()], context.cost, len(desk.seen)

    expected, jobs = await ask(plain=True), len(TOLD.jobs)
    for _ in range(4):
        assert await ask(plain=False) == expected
        assert len(TOLD.jobs) == jobs
    context = desk.context()
    planned = find_plan(context, select(context.schema, document, None, variables)) is not None
    assert planned == ("b: queues" not in text)  # errors that stand at two places of the document


async def test_an_argument_of_a_lambda_that_stands_in_a_filter_too_is_never_a_mark(desk: World) -> None:
    """What is only compared with has marks in its place while a plan is made; a lambda must be given the value."""
    text = "query ($name: String!) { queues(filter: {name: {eq: $name}}) { nodes { name find(filter: $name) } } }"
    found = dict(desk.snapshot.modules)
    find = computed("find", "string", ("name",), Argument("filter", "string"))
    found["queue"] = replace(found["queue"], computed=(find,))
    other = remade(desk, found)
    runner = Programmed({"queue.find": lambda row: row.args["filter"]})
    for name in ("Queue 1", "Queue 1", "Queue 2", "Queue 3", "Queue 1"):
        data = await other.data(text, {"name": name}, lambdas=runner)
        assert data == {"queues": {"nodes": [{"name": name, "find": name}]}}


# --- sizes ---


def test_rows_beyond_what_a_job_may_have_are_cut_into_several() -> None:
    rows = [[number] for number in range(ROWS_LIMIT + 1)]
    half = rows[: ROWS_LIMIT // 2]
    assert cut([rows], 10**9) == [[Piece(0, rows[:ROWS_LIMIT])], [Piece(0, rows[ROWS_LIMIT:])]]
    assert cut([half, [], half], 10**9) == [[Piece(0, half), Piece(2, half)]]
    assert cut([half, half, half], 10**9) == [[Piece(number, half)] for number in range(3)]
    assert cut([[], []], 10**9) == []


def test_rows_that_are_too_large_together_are_cut_and_one_that_is_so_alone_spoils_no_other() -> None:
    small, large = ["x" * 90], ["y" * 2_000]
    found = cut([[*[small] * 10, large, small]], 1_000)
    assert [len(job[0].rows) for job in found] == [7, 3, 1, 1]
    assert found[2] == [Piece(0, [large])]
    assert len(cut([[small] * 4], 1_000)) == len(cut([[small] * 4], 1_000, [380])) == 1
    assert len(cut([[small] * 4], 1_000, [10_000])) == 1  # each is weighed where all are too large


async def test_the_rows_of_several_jobs_come_back_in_their_order(desk: World) -> None:
    runner = Programmed(
        {"ticket.line": lambda row: row.item["number"], "ticket.heat": lambda row: str(row.item["hot"])}
    )
    limits = LambdaLimits(fields=Limits(input_bytes=600))
    data = await desk.data("{tickets(first: 60) {nodes {number hot line heat}}}", lambdas=runner, lambda_limits=limits)
    assert len(runner.jobs) > 3
    for row in data["tickets"]["nodes"]:
        assert (row["line"], row["heat"]) == (row["number"], str(row["hot"]))


def test_a_module_s_file_sets_the_limits_of_its_lambdas_within_those_of_the_operator(desk: World) -> None:
    limits = LambdaLimits(wall_ceiling_ms=2_000, heap_ceiling_mb=64)
    ticket = desk.snapshot.modules["ticket"]

    def of(**config: Any) -> Limits:
        return limits.of_fields(replace(ticket, lambda_config=config))

    assert of() == Limits()
    assert of(timeout_ms=20) == Limits(cpu_ms=20, wall_ms=20)
    assert of(timeout_ms=1_500) == Limits(cpu_ms=CPU_CEILING_MS, wall_ms=1_500)
    assert of(timeout_ms=5_000, memory_limit_mb=256) == Limits(cpu_ms=CPU_CEILING_MS, wall_ms=2_000, heap_mb=64)
    assert limits.of_deeds(replace(ticket, lambda_config={"memory_limit_mb": 16})) == replace(limits.deeds, heap_mb=16)
