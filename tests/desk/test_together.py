"""Tickets that belong together: links, splits, and who watches them."""

import pytest

from desk.articles import HTML, NewArticle
from desk.attachments import Attachment, read_attachments
from desk.links import NORMAL, PARENT_CHILD, End, link, unlink_tickets
from desk.split import COPIED, link_split, plan_split
from desk.tickets import lock_tickets
from desk.watch import unwatch, watch
from resolvers.faults import Faulty
from tests.desk.office import Office
from tests.desk.test_articles import add
from tests.desk.test_merge import linked, refusal, ticket_links


async def test_a_link_is_in_both_histories_and_once_in_the_table(office: Office) -> None:
    one, two = await office.create(), await office.create()
    numbers = [(await office.ticket(ticket))["tn"] for ticket in (one, two)]

    assert [await linked(office, *pair, NORMAL) for pair in ((one, two), (one, two), (two, one))] == [
        True,
        False,
        False,
    ]

    assert len(await ticket_links(office, one)) == 1
    assert (await office.history(one))[1:] == [("TicketLinkAdd", f"%%{numbers[1]}%%{two}%%{one}")]
    assert (await office.history(two))[1:] == [("TicketLinkAdd", f"%%{numbers[0]}%%{one}%%{two}")]


async def test_a_child_cannot_be_its_parents_parent_nor_its_own(office: Office) -> None:
    parent, child = await office.create(), await office.create()
    await linked(office, parent, child, PARENT_CHILD)

    assert await refusal(linked(office, child, parent, PARENT_CHILD)) == ("link-opposite", ("other",))
    assert await refusal(linked(office, child, child, NORMAL)) == ("link-self", ("other",))
    assert await linked(office, child, parent, NORMAL)  # another kind of link


async def test_a_link_is_taken_away_whichever_way_round_one_says_it(office: Office) -> None:
    one, two = await office.create(), await office.create()
    await linked(office, one, two, NORMAL)

    async with office.work() as work:
        second, first = await lock_tickets(work, two, one)
        gone = await unlink_tickets(office.desk, work, second, first, NORMAL)
        again = await unlink_tickets(office.desk, work, second, first, NORMAL)

    assert gone is not None
    assert again is None
    assert await ticket_links(office, one) == []
    assert [kind for kind, _ in await office.history(two)] == ["NewTicket", "TicketLinkAdd", "TicketLinkDelete"]


async def test_objects_of_a_kind_that_was_never_linked_are_linked_all_the_same(office: Office) -> None:
    ticket = await office.create()

    async with office.work() as work:
        assert await link(work, End("Ticket", str(ticket)), End("Appointment", "7"), NORMAL)

    assert len(await office.rows("link_object", "name = 'Appointment'")) == 1
    assert [row[:2] for row in await ticket_links(office, ticket)] == [(str(ticket), "7")]


async def test_an_article_becomes_a_ticket_of_its_own(office: Office) -> None:
    origin = await office.create(customer_id="ACME", customer_user_id="jane", ticket_priority_id=4)
    files = [Attachment("photo.png", "image/png", b"\x89PNG")]
    article, _ = await add(
        office, origin, NewArticle("And the scanner", "<b>Broken</b>", content_type=HTML, attachments=files)
    )

    async with office.work() as work:
        split = await plan_split(work, article)
        values = {column: split.origin[column] for column in COPIED}
        extras = {"article": split.article}
        made = await office.write_new(work, extras=extras, title=split.article.subject, **values)
        child = int(made.key[0])
        assert await link_split(office.desk, work, split, child) is not None

    row = await office.ticket(child)
    assert [row[name] for name in ("title", "customer_id", "customer_user_id", "ticket_priority_id", "ticket_state_id")] == [
        "And the scanner", "ACME", "jane", 4, 1,
    ]  # fmt: skip
    copies = await office.rows("article", f"ticket_id = {child}", "id")
    async with office.work() as work:
        read = await read_attachments(work, copies[0][0])
    assert [(item.filename, item.content) for item in read] == [("file-2", b"<b>Broken</b>"), ("photo.png", b"\x89PNG")]
    assert [row[:3] for row in await ticket_links(office, child)] == [(str(origin), str(child), 2)]


async def test_an_article_that_is_not_there_cannot_be_split_off(office: Office) -> None:
    async with office.work() as work:
        with pytest.raises(Faulty, match="NOT_FOUND"):
            await plan_split(work, 987_654)


async def test_watching_is_told_once(office: Office) -> None:
    ticket = await office.create()
    first, last = (await office.rows("users", "id = 1", "first_name, last_name"))[0]

    async with office.work() as work:
        row = (await lock_tickets(work, ticket))[0]
        said = [await deed(office.desk, work, row, 1) is not None for deed in (watch, watch, unwatch, unwatch)]

    assert said == [True, False, True, False]
    assert (await office.history(ticket))[1:] == [
        ("Subscribe", f"%%{first} {last}"),
        ("Unsubscribe", f"%%{first} {last}"),
    ]
    assert await office.rows("ticket_watcher", f"ticket_id = {ticket}") == []
