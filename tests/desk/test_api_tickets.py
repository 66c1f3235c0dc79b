"""Tickets are made and changed through the API by the desk's rules, with everything that generated writes can do."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.callers import ROOT
from tests.desk.api import Api, reject

NOWHERE = 987_654
TICKET = "ticket { databaseId number version title state { name } lock { name } }"


async def test_a_new_ticket_is_in_every_table_where_otrs_looks_for_it(api: Api) -> None:
    article = {"subject": "Jam", "body": "It is stuck", "kind": "PHONE_FROM_CUSTOMER", "visibleForCustomer": True}
    given = {"title": "Printer", "queue": {"name": "Raw"}, "customerUserLogin": "jane", "article": article}

    shown = f"{TICKET} ticketEdge {{ cursor }} clientMutationId"
    payload = await api.done("createTicket", shown, ticket=given, clientMutationId="mine")

    ticket, number = payload["ticket"]["databaseId"], payload["ticket"]["number"]
    assert payload["clientMutationId"] == "mine"
    assert (payload["ticket"]["state"], payload["ticket"]["lock"]) == ({"name": "new"}, {"name": "unlock"})
    assert await api.rows("ticket", f"id = {ticket}", "tn, title, queue_id, customer_user_id, timeout") == [
        (number, "Printer", 2, "jane", 0)
    ]
    assert await api.rows("ticket_history", f"ticket_id = {ticket} AND history_type_id = 1", "name") == [
        (f"%%{number}%%Raw%%3 normal%%new%%{ticket}",)
    ]
    assert await api.history(ticket) == [
        ("CustomerUpdate", "%%CustomerID=;CustomerUser=jane;"),
        ("PhoneCallCustomer", "%%"),
    ]
    assert await api.rows("ticket_index", f"ticket_id = {ticket}", "queue, s_lock, s_state") == [
        ("Raw", "unlock", "new")
    ]
    columns = "communication_channel_id, article_sender_type_id, is_visible_for_customer"
    assert await api.rows("article", f"ticket_id = {ticket}", columns) == [(2, 3, 1)]


async def test_the_ledger_has_a_new_ticket_and_its_article_with_the_newest_row_of_otrss_history(api: Api) -> None:
    ticket = await api.ticket(article={"subject": "Jam", "body": "x"})

    ((kind, source, fields),) = await api.changes("ticket", ticket)
    assert (kind, source) == (1, await api.newest_history(ticket))
    assert {name: pair[1] for name, pair in json.loads(fields).items() if name in ("title", "queue", "state")} == {
        "title": "Printer",
        "queue": 2,
        "state": 1,
    }
    ((article,),) = await api.rows("article", f"ticket_id = {ticket}", "id")
    ((kind, _, fields),) = await api.changes("article", article)
    assert (kind, json.loads(fields)["ticket"]) == (1, [None, ticket])


async def test_what_is_wrong_with_a_new_ticket_is_told_at_its_place_and_nothing_stays(api: Api) -> None:
    raw = {"name": "Raw"}
    article = {"subject": " ", "body": "x", "contentType": "image/png", "timeUnits": "0.001", "attachments": []}

    assert await api.refused("createTicket", ticket={"title": "Nowhere", "queue": raw, "article": article}) == [
        ("REQUIRED", "required", ["ticket", "article", "subject"]),
        ("INVALID", "option", ["ticket", "article", "contentType"]),
        ("INVALID", "out-of-range", ["ticket", "article", "timeUnits"]),
    ]
    pending = {"title": "Nowhere", "queue": raw, "state": {"name": "pending reminder"}}
    assert await api.refused("createTicket", ticket=pending) == [
        ("REQUIRED", "pending-time-required", ["ticket", "pendingUntil"])
    ]
    assert await api.refused("createTicket", ticket={"title": "Nowhere", "queue": {"name": "Nowhere"}}) == [
        ("REFERENCE", "reference", ["ticket", "queue"])
    ]
    assert await api.rows("ticket", "title = 'Nowhere'") == []


async def test_a_ticket_that_is_created_again_with_the_same_key_is_the_same_ticket(api: Api) -> None:
    given = {"title": "Once", "queue": {"name": "Raw"}, "article": {"subject": "s", "body": "b"}}
    before = len(await api.rows("ticket", "title = 'Once'"))

    first, second = [await api.do("createTicket", TICKET, once="k-once", ticket=given) for _ in "12"]

    assert first == second
    assert len(await api.rows("ticket", "title = 'Once'")) == before + 1
    other = await api.ask(
        'mutation { createTicket(input: {ticket: {title: "Other", queue: {name: "Raw"}}}) { errors { code } } }',
        once="k-once",
    )
    assert other["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_change_of_everything_is_told_as_otrs_tells_it(api: Api) -> None:
    ticket = await api.ticket()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    patch = {
        "title": "Scanner",
        "queue": {"name": "Junk"},
        "state": {"name": "pending reminder"},
        "pendingUntil": until.isoformat(),
        "priority": {"name": "5 very high"},
        "lock": {"name": "lock"},
        "customerId": "ACME",
        "customerUserLogin": "jane",
    }

    payload = await api.done("updateTicket", TICKET, key={"databaseId": ticket}, patch=patch)

    assert (payload["ticket"]["state"], payload["ticket"]["lock"]) == ({"name": "pending reminder"}, {"name": "lock"})
    assert await api.history(ticket) == [
        ("TitleUpdate", "%%Printer%%Scanner"),
        ("CustomerUpdate", "%%CustomerID=ACME;CustomerUser=jane;"),
        ("Move", "%%Junk%%3%%Raw%%2"),
        ("PriorityUpdate", "%%3 normal%%3%%5 very high%%5"),
        ("StateUpdate", "%%new%%pending reminder%%"),
        ("SetPendingTime", f"%%{until:%Y-%m-%d %H:%M}"),
        ("Lock", "%%lock"),
        ("Misc", "Reset of unlock time."),
    ]
    assert await api.rows("ticket_index", f"ticket_id = {ticket}", "queue, s_lock, s_state") == [
        ("Junk", "lock", "pending reminder")
    ]
    assert await api.rows("ticket_lock_index", f"ticket_id = {ticket}") == [(ticket,)]
    _, (kind, source, fields) = await api.changes("ticket", ticket)
    assert (kind, source) == (2, await api.newest_history(ticket))
    assert json.loads(fields)["queue"] == [2, 3]


async def test_agents_are_named_as_owners_and_as_those_who_did_it(api: Api) -> None:
    api.caller = ROOT
    ticket = await api.ticket()

    await api.done(
        "updateTicket",
        TICKET,
        key={"databaseId": ticket},
        patch={"owner": {"login": "root@localhost"}, "responsible": {"databaseId": 1}, "type": {"databaseId": 1}},
    )

    assert await api.history(ticket) == []  # nothing differs
    assert await api.rows("ticket_history", f"ticket_id = {ticket}", "create_by") == [(1,)]


async def test_whoever_started_from_an_older_version_is_told_and_shown_the_newer_one(api: Api) -> None:
    ticket = await api.ticket()
    read = (await api.data("query ($id: BigInt) { ticket(by: {databaseId: $id}) { version } }", id=ticket))["ticket"]
    key = {"databaseId": ticket}
    await api.done("updateTicket", TICKET, key=key, patch={"title": "Scanner"}, ifVersion=read["version"])

    shown = "ticket { title } current { title version }"
    article = {"subject": "s", "body": "b"}
    late = await api.do("updateTicket", shown, key=key, patch={"title": "Copier"}, ifVersion=read["version"])
    also = await api.do("addArticle", shown, ticket=key, article=article, ifVersion=read["version"])

    for payload in (late, also):
        assert (payload["ticket"], payload["current"]["title"]) == (None, "Scanner")
        assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]
    assert await api.rows("article", f"ticket_id = {ticket}") == []


async def test_fields_of_the_site_and_dynamic_fields_come_in_the_same_input(api: Api) -> None:
    ticket = await api.ticket(contractNo="C-1", processManagementProcessId="P1")

    await api.done(
        "updateTicket",
        "ticket { contractNo processManagementProcessId }",
        key={"databaseId": ticket},
        patch={"contractNo": "C-2", "processManagementProcessId": "P2", "state": {"name": "open"}},
    )

    shown = "{ contractNo processManagementProcessId state { name } }"
    assert (await api.data(f"query ($id: BigInt) {{ ticket(by: {{databaseId: $id}}) {shown} }}", id=ticket)) == {
        "ticket": {"contractNo": "C-2", "processManagementProcessId": "P2", "state": {"name": "open"}}
    }
    assert await api.history(ticket) == [
        ("TicketDynamicFieldUpdate", "%%FieldName%%ProcessManagementProcessID%%Value%%P1%%OldValue%%"),
        ("StateUpdate", "%%new%%open%%"),
        ("TicketDynamicFieldUpdate", "%%FieldName%%ProcessManagementProcessID%%Value%%P2%%OldValue%%P1"),
    ]


async def test_hooks_of_the_module_see_complete_and_refuse_every_write_of_a_ticket(api: Api) -> None:
    ticket, other = await api.ticket(), await api.ticket()
    key = {"databaseId": ticket}
    api.rules.say = lambda event: {"contract_no": "by rule"} if event.on == "before_update" else {}

    await api.done("updateTicket", TICKET, key=key, patch={"title": "Scanner"})
    event = api.rules.of("ticket")[-1]
    assert (event.before["title"], event.after["title"]) == ("Printer", "Scanner")
    shown = "query ($id: BigInt) { ticket(by: {databaseId: $id}) { contractNo } }"
    assert (await api.data(shown, id=ticket))["ticket"] == {"contractNo": "by rule"}

    def refuse(_: Any) -> dict[str, Any]:
        raise reject("Not today.")

    api.rules.say = refuse
    article = {"subject": "s", "body": "b"}
    assert await api.refused("updateTicket", key=key, patch={"title": "x"}) == [
        ("LAMBDA_REJECTED", "lambda-rejected", ["patch"])
    ]
    assert await api.refused("addArticle", ticket=key, article=article, patch={"title": "x"}) == [
        ("LAMBDA_REJECTED", "lambda-rejected", ["patch"])
    ]
    assert await api.refused("mergeTickets", ticket=key, into={"databaseId": other}) == [
        ("LAMBDA_REJECTED", "lambda-rejected", ["ticket"]),
        ("LAMBDA_REJECTED", "lambda-rejected", ["into"]),
    ]
    assert await api.refused("createTicket", ticket={"title": "x", "queue": {"name": "Raw"}}) == [
        ("LAMBDA_REJECTED", "lambda-rejected", ["ticket"])
    ]


async def test_many_tickets_are_changed_at_once_and_none_where_they_are_more_than_expected(api: Api) -> None:
    tickets = [await api.ticket() for _ in range(3)]
    given: dict[str, Any] = {"filter": {"databaseId": {"in": tickets}}, "patch": {"state": {"name": "open"}}}

    assert await api.refused("updateTickets", **given, maxAffected=2) == [("LIMIT", "limit", ["maxAffected"])]
    assert [await api.history(ticket) for ticket in tickets] == [[], [], []]
    payload = await api.done("updateTickets", "affected", **given, maxAffected=3)

    assert payload["affected"] == 3
    assert [await api.history(ticket) for ticket in tickets] == [[("StateUpdate", "%%new%%open%%")]] * 3


async def test_of_many_new_tickets_those_without_an_error_are_made_and_the_files_of_others_stay_free(api: Api) -> None:
    upload = await api.upload("log.txt", b"x")
    article = {"subject": "s", "body": "b", "attachments": [upload]}
    raw = {"name": "Raw"}
    rows = [
        {"title": "Good", "queue": raw},
        {"title": "Bad", "queue": raw, "state": {"name": "pending reminder"}, "article": article},
    ]

    shown = "affected rows { index ticket { title } errors { messageKey path } }"
    payload = await api.do("createTickets", shown, tickets=rows, policy="SKIP_FAILED")

    assert [(row["ticket"], row["errors"]) for row in payload["rows"]] == [
        ({"title": "Good"}, []),
        (None, [{"messageKey": "pending-time-required", "path": ["tickets", "1", "pendingUntil"]}]),
    ]
    assert await api.ticket(article=article) > 0  # the upload can still be used


async def test_a_ticket_that_is_not_there_is_not_found_whatever_is_to_be_done_with_it(api: Api) -> None:
    ticket, nowhere = {"databaseId": await api.ticket()}, {"databaseId": NOWHERE}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("updateTicket", "key", {"key": nowhere, "patch": {"title": "x"}}),
        ("addArticle", "ticket", {"ticket": nowhere, "article": {"subject": "s", "body": "b"}}),
        ("splitArticle", "article", {"article": nowhere}),
        ("mergeTickets", "ticket", {"ticket": nowhere, "into": ticket}),
        ("mergeTickets", "into", {"ticket": ticket, "into": nowhere}),
        ("unmergeTickets", "ticket", {"ticket": nowhere}),
        ("linkTickets", "other", {"ticket": ticket, "other": nowhere}),
        ("unlinkTickets", "ticket", {"ticket": nowhere, "other": ticket}),
        ("watchTicket", "ticket", {"ticket": nowhere}),
        ("watchTicket", "agent", {"ticket": ticket, "agent": nowhere}),
        ("unwatchTicket", "ticket", {"ticket": nowhere}),
    ]
    for name, path, given in asked:
        assert await api.refused(name, **given) == [("NOT_FOUND", "not-found", [path])], name
