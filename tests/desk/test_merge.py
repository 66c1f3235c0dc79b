"""Merging gathers two tickets in one, and can be taken back without a trace in their rows."""

from decimal import Decimal
from typing import Any

import pytest

from desk.articles import NewArticle
from desk.links import NORMAL, PARENT_CHILD, link_tickets
from desk.merge import merge_tickets
from desk.tickets import lock_tickets
from desk.unmerge import unmerge_tickets
from desk.watch import watch
from resolvers.faults import Fault, Faulty
from tests.desk.office import CLOSED, LOCK, MERGED, OPEN, UNLOCK, Office
from tests.desk.test_articles import add

LINKS = "source_key, target_key, type_id, create_by"


async def test_a_merge_moves_everything_and_leaves_a_sign(office: Office) -> None:
    source, target, article = await two_tickets(office)
    sender, goal = (await office.ticket(source))["tn"], (await office.ticket(target))["tn"]

    await merge(office, source, target)

    row = await office.ticket(source)
    assert (row["ticket_state_id"], row["ticket_lock_id"]) == (MERGED, UNLOCK)
    assert await office.rows("article", f"id = {article}", "ticket_id") == [(target,)]
    assert await office.rows("ticket_history", f"article_id = {article}", "DISTINCT ticket_id") == [(target,)]
    assert await office.rows("time_accounting", f"article_id = {article}", "ticket_id") == [(target,)]
    assert await office.rows("ticket_watcher", f"ticket_id IN ({source}, {target})", "ticket_id, user_id") == [
        (target, 1)
    ]
    assert await office.rows("ticket_index", f"ticket_id = {source}") == []
    assert await office.rows("ticket_lock_index", f"ticket_id = {source}") == []
    assert (await ticket_links(office, source)) == [(str(target), str(source), 2, 1)]
    told = f"%%{sender}%%{source}%%{goal}%%{target}"
    assert (await office.history(source))[-5:] == [
        ("TicketLinkAdd", f"%%{goal}%%{target}%%{source}"),
        ("AddNote", "%%"),
        ("Merged", told),
        ("StateUpdate", "%%open%%merged%%"),
        ("Unlock", "%%unlock"),
    ]
    assert (await office.history(target))[-1] == ("Merged", told)
    notes = await office.rows("article", f"ticket_id = {source}", "id, is_visible_for_customer")
    assert len(notes) == 1
    body = (await office.rows("article_data_mime", f"article_id = {notes[0][0]}", "a_body"))[0][0]
    assert str(body).strip("b'") == f"Merged Ticket#{sender} to Ticket#{goal}."


async def test_a_merge_that_is_taken_back_gives_the_same_rows(office: Office) -> None:
    source, target, _ = await two_tickets(office)
    other = await office.create()
    for one, two, kind in (
        (source, other, NORMAL),
        (other, target, NORMAL),
        (target, source, NORMAL),
        (source, other, PARENT_CHILD),
    ):
        await linked(office, one, two, kind)
    async with office.work() as work:
        agent = (await lock_tickets(work, target))[0]
        await watch(office.desk, work, agent, 1)
    before = await everything(office, source, target, other)

    merged = await merge(office, source, target)
    assert await everything(office, source, target, other) != before
    async with office.work() as work:
        undone = await unmerge_tickets(office.desk, work, source)

    assert undone.id == merged
    assert await everything(office, source, target, other) == before
    assert (await office.history(source))[-2:] == [("StateUpdate", "%%merged%%open%%"), ("Lock", "%%lock")]


async def test_what_came_after_the_merge_stays_where_it_came(office: Office) -> None:
    source, target, article = await two_tickets(office)
    await merge(office, source, target)
    later, _ = await add(office, target, NewArticle("Later", "x"))
    await office.update(source, ticket_state_id=CLOSED)

    async with office.work() as work:
        await unmerge_tickets(office.desk, work, source)

    assert await office.rows("article", f"id IN ({article}, {later})", "id, ticket_id") == [
        (article, source),
        (later, target),
    ]
    assert (await office.ticket(source))["ticket_state_id"] == CLOSED  # somebody decided so meanwhile


async def test_merges_that_make_no_sense_are_refused(office: Office) -> None:
    first, second, third = [await office.create() for _ in range(3)]
    await merge(office, first, second)

    assert await refusal(merge(office, third, third)) == ("merge-self", ("into",))
    assert await refusal(merge(office, first, third)) == ("merge-merged", ("ticket",))
    assert await refusal(merge(office, third, first)) == ("merge-merged", ("into",))
    assert await refusal(merge(office, third, 987_654)) == ("not-found", None)


async def test_a_chain_of_merges_is_taken_back_from_its_end(office: Office) -> None:
    first, second, third = [await office.create() for _ in range(3)]
    await merge(office, first, second)
    await merge(office, second, third)

    assert await refusal(unmerge(office, first)) == ("unmerge-chained", ("ticket",))
    await unmerge(office, second)
    await unmerge(office, first)

    assert [(await office.ticket(ticket))["ticket_state_id"] for ticket in (first, second, third)] == [1, 1, 1]
    assert await refusal(unmerge(office, first)) == ("unmerge-nothing", ("ticket",))


async def test_mentions_go_with_their_articles(office: Office) -> None:
    if "mention" not in office.catalog.tables:
        pytest.skip("an OTRS 6 has no mentions")
    source, target, article = await two_tickets(office)
    async with office.work() as work:
        await work.transaction.execute(
            f"INSERT INTO mention (user_id, ticket_id, article_id) VALUES (1, {source}, {article})"  # noqa: S608 - our words
        )

    await merge(office, source, target)

    assert await office.rows("mention", f"article_id = {article}", "ticket_id") == [(target,)]


async def two_tickets(office: Office) -> tuple[int, int, int]:
    """A locked ticket with an article that took time and a watcher, and another one."""
    source = await office.create(title="Printer again", ticket_state_id=OPEN, ticket_lock_id=LOCK)
    target = await office.create()
    article, _ = await add(office, source, NewArticle("Jam", "again", time_units=Decimal(5)))
    async with office.work() as work:
        ticket = (await lock_tickets(work, source))[0]
        await watch(office.desk, work, ticket, 1)
    return source, target, article


async def everything(office: Office, *tickets: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of tickets but for their history and who changed them last."""
    ids = ", ".join(map(str, tickets))
    keys = ", ".join(f"'{ticket}'" for ticket in tickets)
    columns = "id, tn, title, queue_id, ticket_state_id, ticket_lock_id, until_time, timeout, archive_flag"
    return {
        "ticket": await office.rows("ticket", f"id IN ({ids})", columns),
        "link_relation": await office.rows("link_relation", f"source_key IN ({keys}) OR target_key IN ({keys})"),
        "history": await office.rows(
            "ticket_history", f"ticket_id IN ({ids}) AND article_id IS NOT NULL", "id, ticket_id, article_id"
        ),
        **{
            table: await office.rows(table, f"ticket_id IN ({ids})")
            for table in ("article", "time_accounting", "ticket_watcher", "ticket_index", "ticket_lock_index")
        },
    }


async def merge(office: Office, source: int, target: int) -> int:
    async with office.work() as work:
        return (await merge_tickets(office.desk, work, source, target)).id


async def unmerge(office: Office, source: int) -> int:
    async with office.work() as work:
        return (await unmerge_tickets(office.desk, work, source)).id


async def linked(office: Office, source: int, target: int, kind: str) -> bool:
    async with office.work() as work:
        first, second = await lock_tickets(work, source, target)
        return await link_tickets(office.desk, work, first, second, kind) is not None


async def ticket_links(office: Office, ticket: int) -> list[tuple[Any, ...]]:
    return await office.rows("link_relation", f"source_key = '{ticket}' OR target_key = '{ticket}'", LINKS)


async def refusal(write: Any) -> tuple[str, tuple[str, ...] | None]:
    with pytest.raises(Faulty) as caught:
        await write
    fault: Fault = caught.value.faults[0]
    return fault.key, fault.path
