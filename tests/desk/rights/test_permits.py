"""What agents may do with tickets: by the group of the queue and OTRS's keys, as owner, as watcher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from identity.principals import Agent, Scope, Token
from identity.rights import KEYS, Grant, Rights
from schema.spec import Operation
from tests.desk.api import Api

NAMES = count(1)
USERS = 1  # OTRS's group of the queue Raw
FORBIDDEN = ("FORBIDDEN", "forbidden-key")


@asynccontextmanager
async def calling(api: Api, rights: Rights) -> AsyncIterator[None]:
    api.rights = rights
    try:
        yield
    finally:
        api.rights = None


async def make_queue(api: Api) -> tuple[int, int]:
    """A queue with a group of its own; return their keys."""
    name = f"Special {next(NAMES)}"
    group = (await api.done("createGroup", "group { databaseId }", group={"name": name}))["group"]["databaseId"]
    given: dict[str, Any] = {"name": name, "group": {"databaseId": group}}
    for part in ("systemAddress", "salutation", "signature"):
        given[part] = {"databaseId": 1}
    made = await api.done("createQueue", "queue { databaseId }", queue=given)
    return made["queue"]["databaseId"], group


async def make_agent(api: Api) -> Agent:
    login = f"ada{next(NAMES)}"
    given = {"login": login, "password": "correct horse battery", "firstName": "Ada", "lastName": "L"}
    made = await api.done("createUser", "user { databaseId }", user=given)
    return Agent(made["user"]["databaseId"], login)


def holding(agent: Agent, **groups: Any) -> Rights:
    """An agent with keys to groups, each by a number: `g5="ro note"`."""
    grants = [
        Grant(int(name[1:]), f"group {name[1:]}", key) for name, keys in groups.items() for key in str(keys).split()
    ]
    return Rights(agent, tuple(grants))


async def reads(api: Api, ticket: int) -> bool:
    query = "query ($n: BigInt!) { ticket(by: {databaseId: $n}) { id articles { totalCount } history { totalCount } } }"
    return (await api.data(query, n=ticket))["ticket"] is not None


CHANGES = {
    "title": ("title", "Other", "rw"),
    "state": ("state", {"name": "open"}, "rw"),
    "owner": ("owner", {"databaseId": 1}, "owner"),
    "priority": ("priority", {"name": "5 very high"}, "priority"),
    "responsible": ("responsible", {"login": "root@localhost"}, "rw"),
}


async def test_a_ticket_is_seen_with_the_key_ro_to_the_group_of_its_queue(api: Api) -> None:
    queue, group = await make_queue(api)
    ticket, agent = await api.ticket(queue={"databaseId": queue}), await make_agent(api)
    for key in KEYS:
        async with calling(api, holding(agent, **{f"g{group}": key})):
            assert await reads(api, ticket) == (key in ("ro", "rw")), key
    async with calling(api, holding(agent, g999999="rw")):
        assert not await reads(api, ticket)


async def test_each_change_asks_for_its_own_key(api: Api) -> None:
    queue, group = await make_queue(api)
    agent, first, second = [await make_agent(api) for _ in range(3)]
    ticket = await api.ticket(queue={"databaseId": queue})
    people = [{"login": first.login}, {"login": second.login}]
    changes: list[tuple[str, str, list[Any]]] = [
        ("title", "rw", ["Other", "Another"]),
        ("state", "rw", [{"name": "open"}, {"name": "new"}]),
        ("owner", "owner", people),
        ("responsible", "rw", people),
        ("priority", "priority", [{"name": "5 very high"}, {"name": "1 very low"}]),
    ]
    for field, needed, values in changes:
        others = [key for key in ("ro", "note", "owner", "priority") if key != needed]
        for key in dict.fromkeys((*others, needed, "rw")):
            given: dict[str, Any] = {"key": {"databaseId": ticket}, "patch": {field: values[key == "rw"]}}
            async with calling(api, holding(agent, **{f"g{group}": f"ro {key}"})):
                codes = [error["code"] for error in (await api.do("updateTicket", "ticket { id }", **given))["errors"]]
            assert codes == ([] if key in (needed, "rw") else ["FORBIDDEN"]), (field, key)


async def test_moving_asks_for_move_into_of_the_other_queue(api: Api) -> None:
    (here, mine), (there, other) = await make_queue(api), await make_queue(api)
    ticket, agent = await api.ticket(queue={"databaseId": here}), await make_agent(api)
    given: dict[str, Any] = {"key": {"databaseId": ticket}, "patch": {"queue": {"databaseId": there}}}
    async with calling(api, holding(agent, **{f"g{mine}": "rw", f"g{other}": "ro"})):
        assert await api.refused("updateTicket", **given) == [(*FORBIDDEN, ["patch", "queue"])]
    async with calling(api, holding(agent, **{f"g{mine}": "ro move_into", f"g{other}": "move_into"})):
        assert (await api.do("updateTicket", "ticket { id }", **given))["errors"] != []
    async with calling(api, holding(agent, **{f"g{mine}": "rw", f"g{other}": "move_into"})):
        payload = await api.done("updateTicket", "ticket { id }", **given)
        assert payload["ticket"] is None  # moved out of sight, as dispatchers do


async def test_a_new_ticket_asks_for_create_in_its_queue(api: Api) -> None:
    queue, group = await make_queue(api)
    agent = await make_agent(api)
    given = {"title": "New", "queue": {"databaseId": queue}}
    async with calling(api, holding(agent, **{f"g{group}": "ro note"})):
        assert await api.refused("createTicket", ticket=given) == [("FORBIDDEN", "forbidden-value", ["ticket"])]
    before = await api.rows("ticket", f"queue_id = {queue}", "id")
    assert before == []
    async with calling(api, holding(agent, **{f"g{group}": "create"})):
        await api.done("createTicket", "ticket { id }", ticket=given)


async def test_an_article_asks_for_note(api: Api) -> None:
    queue, group = await make_queue(api)
    ticket, agent = await api.ticket(queue={"databaseId": queue}), await make_agent(api)
    given = {"ticket": {"databaseId": ticket}, "article": {"subject": "s", "body": "b"}}
    async with calling(api, holding(agent, **{f"g{group}": "ro priority"})):
        assert await api.refused("addArticle", **given) == [(*FORBIDDEN, ["ticket"])]
    async with calling(api, holding(agent, **{f"g{group}": "ro note"})):
        await api.done("addArticle", "article { id }", **given)
        refused = await api.refused("addArticle", **given, patch={"title": "Other"})
        assert refused == [(*FORBIDDEN, ["patch", "title"])]


async def test_the_owner_of_a_ticket_may_do_everything_with_it(api: Api) -> None:
    queue, _ = await make_queue(api)
    agent = await make_agent(api)
    ticket = await api.ticket(queue={"databaseId": queue}, owner={"login": agent.login})
    async with calling(api, holding(agent)):
        assert await reads(api, ticket)
        patch = {"title": "Mine", "priority": {"name": "1 very low"}}
        await api.done("updateTicket", "ticket { title }", key={"databaseId": ticket}, patch=patch)
        article = {"subject": "s", "body": "b"}
        await api.done("addArticle", "article { id }", ticket={"databaseId": ticket}, article=article)


async def test_who_watches_a_ticket_reads_it_and_no_more(api: Api) -> None:
    queue, _ = await make_queue(api)
    ticket, agent = await api.ticket(queue={"databaseId": queue}), await make_agent(api)
    await api.done("watchTicket", "ticket { id }", ticket={"databaseId": ticket}, agent={"login": agent.login})
    async with calling(api, holding(agent)):
        assert await reads(api, ticket)
        refused = await api.refused("updateTicket", key={"databaseId": ticket}, patch={"title": "x"})
        assert [code for code, _, _ in refused] == ["FORBIDDEN"]


async def test_making_others_watch_asks_for_rw(api: Api) -> None:
    queue, group = await make_queue(api)
    ticket, agent, other = await api.ticket(queue={"databaseId": queue}), await make_agent(api), await make_agent(api)
    given = {"ticket": {"databaseId": ticket}, "agent": {"login": other.login}}
    async with calling(api, holding(agent, **{f"g{group}": "ro note"})):
        assert await api.refused("watchTicket", **given) == [(*FORBIDDEN, ["agent"])]
        await api.done("watchTicket", "ticket { id }", ticket={"databaseId": ticket})
    async with calling(api, holding(agent, **{f"g{group}": "rw"})):
        await api.done("watchTicket", "ticket { id }", **given)


@pytest.mark.parametrize("mutation", ["mergeTickets", "linkTickets", "unlinkTickets"])
async def test_what_joins_two_tickets_asks_for_rw(api: Api, mutation: str) -> None:
    queue, group = await make_queue(api)
    first, second = [await api.ticket(queue={"databaseId": queue}) for _ in range(2)]
    agent = await make_agent(api)
    given = {
        "ticket": {"databaseId": first},
        ("into" if mutation == "mergeTickets" else "other"): {"databaseId": second},
    }
    async with calling(api, holding(agent, **{f"g{group}": "ro note"})):
        assert {code for code, _, _ in await api.refused(mutation, **given)} == {"FORBIDDEN"}
    async with calling(api, holding(agent, **{f"g{group}": "rw"})):
        await api.done(mutation, "clientMutationId", **given)


@pytest.mark.parametrize("mutation", ["mergeTickets", "linkTickets", "watchTicket", "addArticle", "unmergeTickets"])
async def test_a_ticket_out_of_sight_is_answered_like_none(api: Api, mutation: str) -> None:
    (here, mine), (there, _) = await make_queue(api), await make_queue(api)
    own, foreign = await api.ticket(queue={"databaseId": here}), await api.ticket(queue={"databaseId": there})
    agent = await make_agent(api)
    others: dict[str, dict[str, Any]] = {
        "mergeTickets": {"into": {"databaseId": own}},
        "linkTickets": {"other": {"databaseId": own}},
        "addArticle": {"article": {"subject": "s", "body": "b"}},
    }
    more = others.get(mutation, {})
    async with calling(api, holding(agent, **{f"g{mine}": "rw"})):
        answers = [await api.refused(mutation, ticket={"databaseId": number}, **more) for number in (foreign, 2**40)]
    assert answers[0] == answers[1] == [("NOT_FOUND", "not-found", ["ticket"])]


async def test_no_link_leads_to_a_ticket_out_of_sight(api: Api) -> None:
    (here, mine), (there, _) = await make_queue(api), await make_queue(api)
    own, foreign = await api.ticket(queue={"databaseId": here}), await api.ticket(queue={"databaseId": there})
    async with calling(api, holding(await make_agent(api), **{f"g{mine}": "rw"})):
        given = {"ticket": {"databaseId": own}, "other": {"databaseId": foreign}}
        assert await api.refused("linkTickets", **given) == [("NOT_FOUND", "not-found", ["other"])]


async def test_a_token_does_what_its_scope_has_and_its_owner_may(api: Api) -> None:
    queue, group = await make_queue(api)
    ticket, agent = await api.ticket(queue={"databaseId": queue}), await make_agent(api)
    owner = holding(agent, **{f"g{group}": "rw"})
    article = {"subject": "s", "body": "b"}
    mutation = "mutation ($in: AddArticleInput!) { addArticle(input: $in) { errors { code } } }"
    for operations, works in ((frozenset({Operation.VIEW}), False), (None, True)):
        token = Token(1, "robot", agent, Scope(operations=operations))
        async with calling(api, Rights(token, owner.grants)):
            assert await reads(api, ticket)
            given: dict[str, Any] = {"in": {"ticket": {"databaseId": ticket}, "article": article}}
            answer = await api.ask(mutation, **given)
            assert ([error["extensions"]["code"] for error in answer["errors"]] == []) == works
