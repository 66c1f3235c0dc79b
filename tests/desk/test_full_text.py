"""Tickets are found by words of their titles and articles in the database's full-text index, whoever wrote them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from identity.principals import Agent, Customer
from identity.rights import Grant, Rights
from resolvers.text_index import TextIndex
from tests.desk.api import Api
from web.happenings import Happenings

PATIENCE_S = 30.0
FIND = "query ($s: String!) { tickets(search: $s, orderBy: [{databaseId: DESC}]) { nodes { databaseId } totalCount } }"
NOTE = {"kind": "NOTE"}
STAMPS = "'2026-06-01 12:00:00', 1, '2026-06-01 12:00:00', 1"


@pytest.fixture
async def index(api: Api) -> AsyncIterator[TextIndex]:
    """The index of the desk's database, complete and current."""
    happenings = Happenings(api.database, lambda: api.snapshot.modules)
    found = TextIndex(api.database, happenings)
    api.texts = found
    await settle(api, found)
    yield found
    await happenings.feed.close()


async def settle(api: Api, index: TextIndex) -> None:
    """Let the index do everything that is to be done."""
    while await index.step(api.snapshot):
        pass
    assert len(index.ready) == len(index.rows) > 1


async def find(api: Api, text: str) -> list[int]:
    return [node["databaseId"] for node in (await api.data(FIND, s=text))["tickets"]["nodes"]]


async def finds(api: Api, index: TextIndex, text: str, wanted: list[int]) -> None:
    """Wait until a search finds just these tickets: what OTRS writes is looked for once a second."""
    end = time.monotonic() + PATIENCE_S
    while (found := await find(api, text)) != wanted:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)
        await settle(api, index)


def word() -> str:
    """Make a word that no other test has."""
    return f"x{secrets.token_hex(6)}"


async def article(api: Api, ticket: int, subject: str, body: str, *, for_customer: bool = False) -> int:
    given = {"subject": subject, "body": body, "visibleForCustomer": for_customer, **NOTE}
    payload = await api.done("addArticle", "article { databaseId }", ticket={"databaseId": ticket}, article=given)
    found: int = payload["article"]["databaseId"]
    return found


async def test_a_ticket_is_found_by_its_title_until_that_is_another(api: Api, index: TextIndex) -> None:
    one, other = word(), word()
    ticket = await api.ticket(f"About {one.upper()}, again")

    await settle(api, index)
    assert await find(api, one) == [ticket]

    await api.done("updateTicket", "ticket { title }", key={"databaseId": ticket}, patch={"title": other})
    await settle(api, index)
    assert await find(api, one) == []
    assert await find(api, other) == [ticket]


async def test_a_ticket_is_found_by_its_number(api: Api, index: TextIndex) -> None:
    ticket = await api.ticket()
    ((number,),) = await api.rows("ticket", f"id = {ticket}", "tn")

    await settle(api, index)

    assert await find(api, number) == [ticket]


async def test_a_ticket_is_found_by_subject_and_body_of_an_article(api: Api, index: TextIndex) -> None:
    subject, body = word(), word()
    ticket = await api.ticket()
    await article(api, ticket, f"On {subject}", f"First line\nsecond with {body}.")
    await article(api, ticket, "Other", "text")

    await settle(api, index)

    assert await find(api, body) == [ticket]
    assert await find(api, f"{body} {subject}") == [ticket], "words may be in different fields of one row"
    assert await find(api, f"{body} {word()}") == [], "every word must be found"


async def test_a_ticket_with_several_such_articles_is_found_once(api: Api, index: TextIndex) -> None:
    one = word()
    tickets = [await api.ticket(one) for _ in range(2)]
    for ticket in tickets:
        await article(api, ticket, one, one)
        await article(api, ticket, one, one)

    await settle(api, index)

    found = (await api.data(FIND, s=one))["tickets"]
    assert ([node["databaseId"] for node in found["nodes"]], found["totalCount"]) == (tickets[::-1], 2)


async def test_words_are_found_by_how_they_begin(api: Api, index: TextIndex) -> None:
    one = word()
    ticket = await api.ticket(f"{one}ung ab. {one[::-1]}")

    await settle(api, index)

    assert await find(api, one[:-1]) == [ticket]
    assert await find(api, f"{one} AB") == [ticket]
    assert await find(api, one[1:]) == [], "not by what is inside of them"
    assert await find(api, f"{one} a") == [], "nor by one or two letters"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Ärgerlich GRÖẞE", "ärger größe"),
        ("ΟΔΟΣ Straße", "οδος straße"),
        ("Привет МИР", "мир прив"),
        ("東京都の天気", "京都 天"),
        ("e\u0301tude", "étu"),
        ("john.doe@example.co.uk", "doe@example"),
        ("C-3PO's 10,5%", "c-3po 10,5"),
        ("the who and about it", "the it about who and"),
        ("under_scored x²y", "scored"),
        ("a" * 200, "a" * 150),
    ],
)
async def test_words_of_any_language_are_found(api: Api, index: TextIndex, written: str, asked: str) -> None:
    one = word()
    wrong = await api.ticket(f"{word()} {written}")
    ticket = await api.ticket(f"{one} {written}")

    await settle(api, index)

    assert await find(api, f"{one} {asked}") == [ticket]
    assert wrong not in await find(api, f"{one} {asked}")


HOSTILE = [
    '"',
    '""',
    "*",
    "NEAR",
    "+-@",
    "-",
    "a*",
    "(",
    ")",
    "~<>",
    "' OR 1=1 --",
    "\\",
    "\\'",
    ":*",
    "&",
    "|",
    "!",
    "%",
    "%s",
    "\x00",
    "\ud800",
    "<->",
    "words:x",
    "^",
    ":w",
    "{",
    "?",
]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_is_an_operator_elsewhere_is_none_here(api: Api, index: TextIndex, hostile: str) -> None:
    one = word()
    ticket = await api.ticket(f"{one} near or 1 s w a words x")

    await settle(api, index)

    assert await find(api, f"{one} {hostile}") == [ticket]
    assert await find(api, f"{hostile} {one}") == [ticket]
    assert ticket not in await find(api, f"{hostile} {word()}")


async def test_a_search_without_a_word_finds_nothing_and_an_empty_one_everything(api: Api, index: TextIndex) -> None:
    await api.ticket()
    assert index.ready

    assert await find(api, "***") == []
    assert await find(api, "  ") != []


async def test_articles_that_otrs_writes_are_found(api: Api, index: TextIndex) -> None:
    one = word()
    ticket = await api.ticket()
    async with api.database.transaction() as transaction:
        number = (await transaction.execute("SELECT max(id) FROM article"))[0][0] or 0
        await transaction.execute(
            "INSERT INTO article (id, ticket_id, article_sender_type_id, communication_channel_id, "  # noqa: S608 - ours
            "is_visible_for_customer, search_index_needs_rebuild, create_time, create_by, change_time, change_by) "
            f"VALUES ({number + 1000}, {ticket}, 1, 1, 1, 1, {STAMPS})"
        )
        await transaction.execute(
            "INSERT INTO article_data_mime (article_id, a_subject, a_body, incoming_time, "  # noqa: S608 - ours
            f"create_time, create_by, change_time, change_by) VALUES ({number + 1000}, 's', 'b {one}', 1, {STAMPS})"
        )

    await finds(api, index, one, [ticket])


async def test_titles_that_otrs_changes_are_found(api: Api, index: TextIndex) -> None:
    one, other = word(), word()
    ticket = await api.ticket(one)
    await settle(api, index)
    async with api.database.transaction() as transaction:
        await transaction.execute(sa.text("UPDATE ticket SET title = :t WHERE id = :i").bindparams(t=other, i=ticket))
        await transaction.execute(
            "INSERT INTO ticket_history (name, history_type_id, ticket_id, type_id, queue_id, owner_id, priority_id, "  # noqa: S608 - ours
            "state_id, create_time, create_by, change_time, change_by) "
            f"SELECT 'x', id, {ticket}, 1, 1, 1, 1, 1, {STAMPS} FROM ticket_history_type WHERE name = 'TitleUpdate'"
        )

    await finds(api, index, other, [ticket])
    assert await find(api, one) == []


async def test_a_merged_article_leads_to_the_ticket_that_has_it_now(api: Api, index: TextIndex) -> None:
    one = word()
    source, target = await api.ticket(), await api.ticket()
    await article(api, source, "Note", one)
    await settle(api, index)
    assert await find(api, one) == [source]

    await api.done("mergeTickets", "ticket { databaseId }", ticket={"databaseId": source}, into={"databaseId": target})

    assert await find(api, one) == [target], "at once: where an article belongs is not kept in the index"


async def test_until_the_index_is_complete_the_texts_themselves_are_searched(api: Api, index: TextIndex) -> None:
    one = word()
    ticket = await api.ticket()
    await article(api, ticket, "Note", f"with {one}")
    assert index.ready
    api.texts = TextIndex(api.database, index.feed)  # of a process that has not looked yet

    assert await find(api, one) == [ticket]


async def test_a_customer_finds_what_is_visible_for_customers_only(api: Api, index: TextIndex) -> None:
    one, other = word(), word()
    login = word()
    mine = await api.ticket(customerUserLogin=login)
    foreign = await api.ticket(customerUserLogin=word())
    for ticket in (mine, foreign):
        await article(api, ticket, "Answer", one, for_customer=True)
        await article(api, ticket, "Note", other)
    await settle(api, index)
    assert await find(api, one) == [foreign, mine]
    assert await find(api, other) == [foreign, mine]

    api.rights = Rights(Customer(7, login, ""))

    assert await find(api, one) == [mine]
    assert await find(api, other) == []


async def test_an_agent_finds_tickets_of_the_queues_that_are_his_to_read(api: Api, index: TextIndex) -> None:
    one = word()
    raw, junk = await api.ticket(), await api.ticket(queue={"name": "Junk"})
    for ticket in (raw, junk):
        await article(api, ticket, "Note", one)
    await settle(api, index)

    for held, found in ((("ro",), [junk, raw]), (("create",), [])):
        api.rights = Rights(Agent(7, "somebody"), tuple(Grant(1, "users", key) for key in held))
        assert await find(api, one) == found


@pytest.mark.parametrize(
    "rights",
    [None, Rights(Agent(1, "root@localhost")), Rights(Customer(7, "c", ""))],
    ids=["system", "agent", "customer"],
)
async def test_the_index_is_one_condition_of_the_lists_statement_for_everybody(
    api: Api, index: TextIndex, rights: Rights | None
) -> None:
    statements: list[str] = []
    assert index.ready
    api.rights = rights
    api.database.statements = statements.append

    await api.data("query ($s: String) { tickets(search: $s) { nodes { number title queue { name } } } }", s=word())

    api.database.statements = None
    assert len(statements) == 1
    assert statements[0].count("lambdesk_text") > 0
    assert " LIKE " not in statements[0], "nothing but the index is looked into"
