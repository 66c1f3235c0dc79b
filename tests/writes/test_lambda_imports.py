"""Imports have the hooks and defaults of their module, many rows in a job, and a dry run tells what they would say."""

from typing import Any

from identity.rights import unbounded
from lambdas.errors import FailureCode
from resolvers.gate import Gate
from resolvers.import_order import ImportOrder, plan_import
from resolvers.import_run import ImportRun
from resolvers.import_tally import Tally
from resolvers.messages import text_of
from resolvers.writing import Writing
from tests.writes.played import Failed, Played, Stage
from tests.writes.world import AGENT, Desk, fresh


def nothing() -> None:
    """Do nothing between parts."""


async def run(desk: Desk, played: Played, csv: str, **how: Any) -> Tally:
    """Import a file of the module `lab`."""
    context = desk.context(unbounded(AGENT), played)
    gate = Gate(context.access, context.snapshot.by_table)
    order = ImportOrder("lab", csv.encode(), "csv", {}, **{"dry_run": False, **how})
    found = ImportRun(context, Writing(), await plan_import(context, gate, order), nothing)
    await found.run()
    return found.tally


def told(tally: Tally) -> list[tuple[int, str | None, str, str]]:
    return [
        (item.row, item.field, item.fault.code.value, text_of(item.fault.key, item.fault.params))
        for item in tally.errors
    ]


def batches(played: Played, name: str) -> list[int]:
    """Return how many rows each job of a lambda had."""
    return [len(item.rows) for job in played.jobs for item in job.batches if item.script.name == name]


def refusing(stage: Stage) -> None:
    if stage.item["amount"] == 2:
        stage.reject("amount", "Not two.")
    stage.set("stamp", f"seen {stage.item['title']}")


async def test_new_rows_get_their_defaults_and_what_hooks_set_in_few_jobs(desk: Desk) -> None:
    name = fresh("Imp")
    played = Played(
        {
            "lab.short_name.default": lambda stage: stage.item["title"].lower(),
            "lab.slug.default": lambda stage: stage.item["short_name"] + "!",
            "lab.before_create": refusing,
        }
    )
    rows = "".join(f"{name}-{number},1\n" for number in range(300))
    tally = await run(desk, played, f"title,amount\n{rows}", skips_failed=True)
    assert (tally.created, tally.failed) == (300, 0)
    assert batches(played, "lab.before_create") == [250, 50]
    assert batches(played, "lab.slug.default") == [250, 50]
    found = await desk.rows("lab", f"title = '{name}-7'", "short_name, slug_text, stamp")
    low = f"{name}-7".lower()
    assert found == [(low, f"{low}!", f"seen {name}-7")]


async def test_rows_that_hooks_refuse_are_left_out_or_keep_all_from_being_written(desk: Desk) -> None:
    name = fresh("Imp")
    csv = f"title,amount\n{name}-1,1\n{name}-2,2\n{name}-3,3\n"
    wrong = [(2, "amount", "LAMBDA_REJECTED", "Not two.")]
    for how, created in (({"dry_run": True}, 0), ({}, 0), ({"skips_failed": True}, 2)):
        played = Played({"lab.before_create": refusing})
        tally = await run(desk, played, csv, **how)
        assert [(row - 1, *rest) for row, *rest in told(tally)] == wrong
        found = await desk.rows("lab", f"title IN ('{name}-1', '{name}-2', '{name}-3')", "stamp")
        assert len(found) == created
    assert found == [(f"seen {name}-1",), (f"seen {name}-3",)]


async def test_rows_that_are_there_are_shown_with_what_they_were(desk: Desk) -> None:
    name = fresh("Imp")
    await run(desk, Played(), f"title,amount\n{name}-1,1\n{name}-2,2\n")
    seen: list[tuple[int, int]] = []

    def note(stage: Stage) -> None:
        seen.append((stage.before["amount"], stage.item["amount"]))
        stage.set("stamp", "changed")

    played = Played({"lab.before_update": note, "lab.before_create": refusing})
    csv = f"title,amount\n{name}-1,11\n{name}-2,12\n{name}-3,13\n"
    tally = await run(desk, played, csv, upsert_by="title")
    assert (tally.created, tally.updated, tally.failed) == (1, 2, 0)
    assert seen == [(1, 11), (2, 12)]
    assert batches(played, "lab.before_update") == [2]
    found = await desk.rows("lab", f"title IN ('{name}-1', '{name}-2', '{name}-3')", "amount, stamp")
    assert found == [(11, "changed"), (12, "changed"), (13, f"seen {name}-3")]


async def test_a_hook_that_failed_keeps_its_rows_from_being_written(desk: Desk) -> None:
    def fail(_: Stage) -> None:
        raise Failed(FailureCode.TIMEOUT)

    name = fresh("Imp")
    for how in ({}, {"skips_failed": True}, {"dry_run": True}):
        tally = await run(desk, Played({"lab.before_create": fail}), f"title\n{name}\n", **how)
        assert [(code, text) for _, _, code, text in told(tally)] == [
            ("LAMBDA_FAILED", "The rule of this module could not be run, so nothing was written.")
        ]
    assert await desk.rows("lab", f"title = '{name}'") == []
