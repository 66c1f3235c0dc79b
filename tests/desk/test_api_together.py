"""Tickets are merged, linked and watched through the API, and both ends are told."""

import asyncio
import json

from tests.desk.api import Api

KEYS = "source_key, target_key, type_id"


async def test_a_merge_is_taken_back_over_the_api(api: Api) -> None:
    source = await api.ticket("Again", article={"subject": "s", "body": "b"}, state={"name": "open"})
    target = await api.ticket()
    ((article,),) = await api.rows("article", f"ticket_id = {source}", "id")
    one, other = {"databaseId": source}, {"databaseId": target}

    shown = "ticket { databaseId } merged { state { name } }"
    payload = await api.done("mergeTickets", shown, ticket=one, into=other)

    assert payload == {"ticket": {"databaseId": target}, "merged": {"state": {"name": "merged"}}, "errors": []}
    assert await api.rows("article", f"id = {article}", "ticket_id") == [(target,)]
    await told(api, source, target)
    assert [change[0] for change in await api.changes("article", article)] == [1, 2]
    assert await api.refused("mergeTickets", ticket=one, into=other) == [("INVALID", "merge-merged", ["ticket"])]

    payload = await api.done("unmergeTickets", "ticket { state { name } } from { databaseId }", ticket=one)

    assert payload == {"ticket": {"state": {"name": "open"}}, "from": {"databaseId": target}, "errors": []}
    assert await api.rows("article", f"id = {article}", "ticket_id") == [(source,)]
    await told(api, source, target)
    states = [json.loads(fields).get("state") for _, _, fields in await api.changes("ticket", source)]
    assert states == [[None, 4], [4, 9], [9, 4]]
    assert await api.refused("unmergeTickets", ticket=one) == [("NOT_FOUND", "unmerge-nothing", ["ticket"])]


async def told(api: Api, *tickets: int) -> None:
    """The ledger's newest change of each ticket leads to the newest row of its history."""
    for ticket in tickets:
        assert (await api.changes("ticket", ticket))[-1][:2] == (2, await api.newest_history(ticket))


async def test_two_who_merge_the_same_tickets_crosswise_do_not_wait_in_a_ring(api: Api) -> None:
    for _ in range(5):
        one, other = [{"databaseId": await api.ticket()} for _ in "12"]

        payloads = await asyncio.gather(
            api.do("mergeTickets", "ticket { databaseId }", ticket=one, into=other),
            api.do("mergeTickets", "ticket { databaseId }", ticket=other, into=one),
        )

        errors = sorted([error["messageKey"] for error in payload["errors"]] for payload in payloads)
        assert errors == [[], ["merge-merged"]]


async def test_a_ticket_is_not_merged_into_itself(api: Api) -> None:
    key = {"databaseId": await api.ticket()}

    assert await api.refused("mergeTickets", ticket=key, into=key) == [("INVALID", "merge-self", ["into"])]


async def test_tickets_are_linked_once_and_the_link_taken_away(api: Api) -> None:
    parent, child = [await api.ticket() for _ in "12"]
    ends = {"ticket": {"databaseId": parent}, "other": {"databaseId": child}}

    for _ in "12":  # the second time nothing happens
        await api.done("linkTickets", "ticket { databaseId } other { databaseId }", **ends, type="PARENT_CHILD")

    assert await api.rows("link_relation", f"source_key = '{parent}'", KEYS) == [(str(parent), str(child), 2)]
    assert [kind for kind, _ in await api.history(child)] == ["TicketLinkAdd"]
    await told(api, parent, child)
    back = {"ticket": {"databaseId": child}, "other": {"databaseId": parent}}
    assert await api.refused("linkTickets", **back, type="PARENT_CHILD") == [("CONFLICT", "link-opposite", ["other"])]
    same = {"ticket": {"databaseId": child}, "other": {"databaseId": child}}
    assert await api.refused("linkTickets", **same) == [("INVALID", "link-self", ["other"])]

    for _ in "12":
        await api.done("unlinkTickets", "ticket { databaseId }", **ends, type="PARENT_CHILD")

    assert await api.rows("link_relation", f"source_key = '{parent}'") == []
    assert [kind for kind, _ in await api.history(parent)] == ["TicketLinkAdd", "TicketLinkDelete"]
    await told(api, parent, child)


async def test_an_agent_watches_a_ticket_and_stops(api: Api) -> None:
    ticket = await api.ticket()
    key, shown = {"databaseId": ticket}, "ticket { watchers { nodes { login } } }"
    agent = {"login": "root@localhost"}

    payloads = [await api.done("watchTicket", shown, ticket=key, **more) for more in ({}, {"agent": agent})]

    assert [payload["ticket"]["watchers"]["nodes"] for payload in payloads] == [[agent], [agent]]
    assert [kind for kind, _ in await api.history(ticket)] == ["Subscribe"]
    payload = await api.done("unwatchTicket", shown, ticket=key, agent=agent)
    assert payload["ticket"]["watchers"]["nodes"] == []
    assert [kind for kind, _ in await api.history(ticket)] == ["Subscribe", "Unsubscribe"]
    await told(api, ticket)
    changes = [(kind, json.loads(fields)) for kind, _, fields in await api.changes("watcher", ticket, 1)]
    assert changes == [
        (1, {"ticket": [None, ticket], "user": [None, 1]}),
        (3, {"ticket": [ticket, None], "user": [1, None]}),
    ]


async def test_those_who_link_the_first_tickets_of_a_database_at_once_all_do(api: Api) -> None:
    pairs = [[{"databaseId": await api.ticket()} for _ in "12"] for _ in range(5)]
    async with api.database.transaction() as transaction:
        await transaction.execute("DELETE FROM link_relation")
        await transaction.execute("DELETE FROM link_object WHERE name = 'Ticket'")

    await asyncio.gather(
        *(api.done("linkTickets", "other { databaseId }", ticket=one, other=other) for one, other in pairs)
    )

    assert len(await api.rows("link_relation")) == len(pairs)
    assert len(await api.rows("link_object", "name = 'Ticket'")) == 1
