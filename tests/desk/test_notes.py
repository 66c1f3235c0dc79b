"""`note(ticket, text)` of lambdas is an article of the ticket, by the mutation that agents and customers have."""

from typing import Any

import pytest

from desk.notes import write_note
from identity.rights import unbounded
from lambdas.contract import Deed
from resolvers.context import Context
from resolvers.lambda_deeds import LambdaDeeds, Report
from tests.desk.api import Api


async def do(api: Api, *deeds: Deed) -> Report:
    context = Context(api.snapshot, api.database, b"secret", api.rights or unbounded(api.caller))
    return await LambdaDeeds(context, api.writing).do(deeds)


async def articles(api: Api, ticket: int) -> list[tuple[Any, ...]]:
    where = f"article_id IN (SELECT id FROM article WHERE ticket_id = {ticket})"  # noqa: S608 - our words
    return await api.rows("article_data_mime", where, "a_subject, a_body")


async def test_a_note_is_an_article_with_its_first_line_as_subject(api: Api) -> None:
    ticket = await api.ticket()
    report = await do(api, Deed("note", (ticket, "Checked.\nAll is well.")), Deed("note", (str(ticket), "Twice.")))
    assert report.is_done
    assert [(item.verb, item.key) for item in report.operations] == [("note", (ticket,)), ("note", (ticket,))]
    assert await articles(api, ticket) == [("Checked.", "Checked.\nAll is well."), ("Twice.", "Twice.")]


async def test_a_note_stays_only_with_everything_else(api: Api) -> None:
    ticket = await api.ticket()
    nowhere = await do(api, Deed("note", (ticket, "Checked.")), Deed("note", (987654, "Nowhere.")))
    assert [[fault.key for fault in item.faults] for item in nowhere.operations] == [[], ["not-found"]]
    waiting = {"state": {"name": "pending reminder"}}  # which needs a time
    late = await do(api, Deed("note", (ticket, "Checked.")), Deed("update", ("ticket", ticket, waiting)))
    assert [[fault.key for fault in item.faults] for item in late.operations] == [[], ["pending-time-required"]]
    assert await articles(api, ticket) == []


async def test_a_ticket_is_made_changed_and_noted_in_one_transaction(api: Api) -> None:
    ticket = await api.ticket()
    made = {"title": "From a lambda", "queue": {"name": "Junk"}, "article": {"subject": "s", "body": "b"}}
    report = await do(
        api,
        Deed("create", ("ticket", made)),
        Deed("update", ("ticket", ticket, {"queue": 3, "ticket_priority_id": 5})),
        Deed("note", (ticket, "Moved.")),
    )
    assert report.is_done, report
    key = report.operations[0].key
    assert key
    assert await articles(api, int(key[0])) == [("s", "b")]
    assert await api.rows("ticket", f"id = {ticket}", "queue_id, ticket_priority_id") == [(3, 5)]
    assert [kind for kind, _ in await api.history(ticket)] == ["Move", "PriorityUpdate", "AddNote", "Misc"]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("One line", "One line"),
        ("\n  \n Second \nThird", "Second"),
        ("x" * 120, "x" * 99 + "…"),
        (" \n ", ""),
    ],
)
def test_the_subject_is_the_first_line_that_says_something(text: str, subject: str) -> None:
    assert write_note(text)["article"] == {"subject": subject, "body": text}


async def test_a_note_that_says_nothing_is_refused(api: Api) -> None:
    ticket = await api.ticket()
    report = await do(api, Deed("note", (ticket, "  ")))
    assert [[fault.key for fault in item.faults] for item in report.operations] == [["required"]]
