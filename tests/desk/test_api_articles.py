"""Articles come to tickets through the API, with files that were uploaded before, and leave them for tickets of their own."""

import json

import pytest

from resolvers.rows import RowStore
from storage.errors import ConstraintViolated
from tests.desk.api import Api

NOTE = {"subject": "Note", "body": "x"}
ADDED = "ticket { state { name } } article { databaseId }"


async def test_a_note_and_a_change_of_the_ticket_are_one_write(api: Api) -> None:
    ticket = await api.ticket()

    payload = await api.done(
        "addArticle",
        ADDED,
        ticket={"databaseId": ticket},
        article={**NOTE, "timeUnits": "2.5", "visibleForCustomer": True},
        patch={"state": {"name": "closed successful"}, "contractNo": "C-9"},
    )

    assert payload["ticket"]["state"] == {"name": "closed successful"}
    article = payload["article"]["databaseId"]
    assert await api.rows("article", f"ticket_id = {ticket}", "id, is_visible_for_customer") == [(article, 1)]
    assert await api.history(ticket) == [
        ("AddNote", "%%"),
        ("TimeAccounting", "%%2.5%%2.5"),
        ("StateUpdate", "%%new%%closed successful%%"),
        ("Misc", "Reset of unlock time."),
    ]
    assert await api.rows("ticket_index", f"ticket_id = {ticket}") == []
    _, (kind, source, fields) = await api.changes("ticket", ticket)
    assert (kind, source) == (2, await api.newest_history(ticket))
    assert {"state", "contract_no"} <= set(json.loads(fields))
    assert [change[0] for change in await api.changes("article", article)] == [1]


async def test_an_article_alone_touches_the_ticket_too(api: Api) -> None:
    ticket = await api.ticket()

    await api.done("addArticle", ADDED, ticket={"databaseId": ticket}, article={**NOTE, "kind": "PHONE_FROM_CUSTOMER"})

    assert await api.history(ticket) == [("PhoneCallCustomer", "%%")]
    assert [change[:2] for change in await api.changes("ticket", ticket)][1:] == [(2, await api.newest_history(ticket))]


async def test_uploads_become_files_of_the_article_and_can_be_used_once(api: Api) -> None:
    ticket = {"databaseId": await api.ticket()}
    upload = await api.upload("log.txt", b"lines")
    article = {**NOTE, "attachments": [upload]}

    shown = "article { attachments { nodes { filename contentType content { size } } } }"
    payload = await api.done("addArticle", shown, ticket=ticket, article=article)

    assert payload["article"]["attachments"]["nodes"] == [
        {"filename": "log.txt", "contentType": "text/plain", "content": {"size": 5}}
    ]
    assert await api.refused("addArticle", ticket=ticket, article=article) == [
        ("NOT_FOUND", "upload-unknown", ["article", "attachments", "0"])
    ]
    crowd = {**NOTE, "attachments": ["x"] * 31}
    assert await api.refused("addArticle", ticket=ticket, article=crowd) == [
        ("LIMIT", "attachments-limit", ["article", "attachments"])
    ]


async def test_a_patch_that_is_refused_leaves_neither_article_nor_used_upload(api: Api) -> None:
    number = await api.ticket()
    ticket = {"databaseId": number}
    article = {**NOTE, "attachments": [await api.upload("log.txt", b"x")]}

    patch = {"state": {"name": "pending reminder"}}
    assert await api.refused("addArticle", ticket=ticket, article=article, patch=patch) == [
        ("REQUIRED", "pending-time-required", ["patch", "pendingUntil"])
    ]
    assert await api.refused("addArticle", ticket=ticket, article=article, patch={"title": ""}) == [
        ("REQUIRED", "required", ["patch", "title"])
    ]
    assert await api.rows("article", f"ticket_id = {number}") == []
    await api.done("addArticle", ADDED, ticket=ticket, article=article)


async def test_an_article_that_is_added_again_with_the_same_key_is_there_once(api: Api) -> None:
    ticket = await api.ticket()

    first, second = [
        await api.do("addArticle", ADDED, once=f"note {ticket}", ticket={"databaseId": ticket}, article=NOTE)
        for _ in "12"
    ]

    assert first == second
    assert len(await api.rows("article", f"ticket_id = {ticket}")) == 1


async def test_an_article_is_split_off_as_a_ticket_that_is_a_child_of_the_first(api: Api) -> None:
    origin = await api.ticket(
        priority={"databaseId": 4}, customerUserLogin="jane", article={"subject": "And the scanner", "body": "Broken"}
    )
    ((article,),) = await api.rows("article", f"ticket_id = {origin}", "id")

    payload = await api.done(
        "splitArticle",
        "ticket { databaseId title queue { name } priority { databaseId } customerUserLogin state { name } contractNo } "
        "article { mime { subject body } }",
        article={"databaseId": article},
        ticket={"queue": {"name": "Junk"}, "contractNo": "C-1"},
    )

    child = payload["ticket"].pop("databaseId")
    assert payload["ticket"] == {
        "title": "And the scanner",
        "queue": {"name": "Junk"},
        "priority": {"databaseId": 4},
        "customerUserLogin": "jane",
        "state": {"name": "new"},
        "contractNo": "C-1",
    }
    assert payload["article"] == {"mime": {"subject": "And the scanner", "body": "Broken"}}
    keys = "source_key, target_key, type_id"
    assert await api.rows("link_relation", f"source_key = '{origin}'", keys) == [(str(origin), str(child), 2)]
    for ticket in (origin, child):
        assert (await api.history(ticket))[-1][0] == "TicketLinkAdd"
        assert (await api.changes("ticket", ticket))[-1][1] == await api.newest_history(ticket)
    assert api.rules.of("ticket")[-1].on == "before_create"
    assert api.rules.of("ticket")[-1].after["customer_user"] == "jane"


async def test_what_is_wrong_with_a_ticket_that_is_split_off_is_told_at_its_place(api: Api) -> None:
    origin = await api.ticket(article=NOTE)
    ((article,),) = await api.rows("article", f"ticket_id = {origin}", "id")
    key = {"databaseId": article}

    assert await api.refused("splitArticle", article=key, ticket={"title": "", "queue": {"name": "Nowhere"}}) == [
        ("REQUIRED", "required", ["ticket", "title"])
    ]
    assert await api.refused("splitArticle", article=key, ticket={"queue": {"name": "Nowhere"}}) == [
        ("REFERENCE", "reference", ["ticket", "queue"])
    ]
    assert await api.rows("link_relation", f"source_key = '{origin}'") == []


async def test_what_only_the_database_refuses_of_a_ticket_that_is_split_off_is_told_of_the_ticket(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = await api.ticket(article=NOTE)
    ((article,),) = await api.rows("article", f"ticket_id = {origin}", "id")

    async def refuse(*_: object) -> None:
        raise ConstraintViolated("unique", "index_of_somebody_else")

    monkeypatch.setattr(RowStore, "insert", refuse)
    given = {"article": {"databaseId": article}, "ticket": {"title": "Twice", "queue": {"name": "Raw"}}}
    assert await api.refused("splitArticle", **given) == [("UNIQUE", "unique-row", ["ticket"])]
