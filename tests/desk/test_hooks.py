"""Which events the writes of the desk are to hooks: of tickets, of articles, of watchers."""

from collections.abc import Callable
from typing import Any

import pytest

from resolvers.hooks import HookEvent
from tests.desk.api import Api, reject

ARTICLE = {"subject": "Noise", "body": "It hums.", "visibleForCustomer": True}


def refusing(module: str, on: str) -> Callable[[HookEvent], dict[str, Any]]:
    """Refuse one kind of event."""

    def say(event: HookEvent) -> dict[str, Any]:
        if (event.module.name, event.on) == (module, on):
            raise reject("Not today.")
        return {}

    return say


def events(api: Api) -> list[tuple[str, str]]:
    """Return the events since this was asked last."""
    found = [(event.module.name, event.on) for event in api.rules.seen]
    api.rules.seen.clear()
    return found


async def test_each_write_of_the_desk_is_the_events_that_the_documentation_says(api: Api) -> None:
    first = await api.ticket(article=ARTICLE)
    assert events(api) == [("ticket", "before_create"), ("article", "before_create")]
    second = await api.ticket()
    assert events(api) == [("ticket", "before_create")]
    one, other = {"databaseId": first}, {"databaseId": second}
    await api.done("updateTicket", "clientMutationId", key=one, patch={"state": {"name": "open"}})
    assert events(api) == [("ticket", "before_update")]
    await api.done("addArticle", "clientMutationId", ticket=one, article=ARTICLE)
    assert events(api) == [("ticket", "before_update"), ("article", "before_create")]
    ((article,),) = await api.rows("article", f"ticket_id = {first}", "MIN(id)")
    await api.done("splitArticle", "clientMutationId", article={"databaseId": article})
    assert events(api) == [("ticket", "before_create"), ("article", "before_create")]
    await api.done("mergeTickets", "clientMutationId", ticket=one, into=other)
    assert events(api) == [("ticket", "before_update"), ("ticket", "before_update"), ("article", "before_create")]
    await api.done("unmergeTickets", "clientMutationId", ticket=one)
    assert events(api) == [("ticket", "before_update"), ("ticket", "before_update")]
    await api.done("linkTickets", "clientMutationId", ticket=one, other=other)
    await api.done("unlinkTickets", "clientMutationId", ticket=one, other=other)
    assert events(api) == []
    await api.done("watchTicket", "clientMutationId", ticket=one, agent={"databaseId": 1})
    assert events(api) == [("watcher", "before_create")]
    await api.done("watchTicket", "clientMutationId", ticket=one, agent={"databaseId": 1})
    assert events(api) == []
    await api.done("unwatchTicket", "clientMutationId", ticket=one, agent={"databaseId": 1})
    assert events(api) == [("watcher", "before_delete")]


async def test_a_hook_of_articles_sees_the_content_along_and_sets_columns(api: Api) -> None:
    def hide(event: HookEvent) -> dict[str, Any]:
        return {"visible_for_customer": False} if event.module.name == "article" else {}

    ticket = await api.ticket()
    api.rules.say = hide
    await api.done("addArticle", "clientMutationId", ticket={"databaseId": ticket}, article=ARTICLE)
    (event,) = api.rules.of("article")
    assert (event.after["ticket"], event.after["visible_for_customer"]) == (ticket, True)
    assert {name: event.beside[name] for name in ("subject", "body", "content_type", "cc")} == {
        "subject": "Noise",
        "body": "It hums.",
        "content_type": "text/plain",
        "cc": "",
    }
    assert await api.rows("article", f"ticket_id = {ticket}", "is_visible_for_customer") == [(0,)]


REFUSED: dict[str, tuple[str, str, list[str] | None]] = {
    "createTicket": ("article", "before_create", ["ticket", "article"]),
    "addArticle": ("article", "before_create", ["article"]),
    "splitArticle": ("article", "before_create", ["ticket", "article"]),
    "mergeTickets": ("article", "before_create", ["article"]),
    "watchTicket": ("watcher", "before_create", None),
    "unwatchTicket": ("watcher", "before_delete", None),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_a_hook_refuses_is_not_done(api: Api, name: str) -> None:
    ticket, other = await api.ticket(article=ARTICLE), await api.ticket()
    ((article,),) = await api.rows("article", f"ticket_id = {ticket}", "id")
    await api.done("watchTicket", "clientMutationId", ticket={"databaseId": other}, agent={"databaseId": 1})
    module, on, path = REFUSED[name]
    given: dict[str, Any] = {
        "createTicket": {"ticket": {"title": "x", "queue": {"name": "Raw"}, "article": ARTICLE}},
        "addArticle": {"ticket": {"databaseId": ticket}, "article": ARTICLE, "patch": {"title": "Changed"}},
        "splitArticle": {"article": {"databaseId": article}},
        "mergeTickets": {"ticket": {"databaseId": ticket}, "into": {"databaseId": other}},
        "watchTicket": {"ticket": {"databaseId": ticket}, "agent": {"databaseId": 1}},
        "unwatchTicket": {"ticket": {"databaseId": other}, "agent": {"databaseId": 1}},
    }
    tables = ("ticket", "article", "article_data_mime", "ticket_watcher", "ticket_history", "lambdesk_change")
    before = [await api.rows(table) for table in tables]
    api.rules.say = refusing(module, on)
    assert await api.refused(name, **given[name]) == [("LAMBDA_REJECTED", "lambda-rejected", path)]
    assert [await api.rows(table) for table in tables] == before


async def test_a_refusal_is_told_for_each_ticket_of_a_merge_that_is_taken_back(api: Api) -> None:
    ticket, other = await api.ticket(), await api.ticket()
    await api.done("mergeTickets", "clientMutationId", ticket={"databaseId": ticket}, into={"databaseId": other})
    for refused, path in ((ticket, ["ticket"]), (other, ["from"])):

        def say(event: HookEvent, refused: int = refused) -> dict[str, Any]:
            if event.key == (refused,):
                raise reject("Not today.")
            return {}

        api.rules.say = say
        given = {"ticket": {"databaseId": ticket}}
        assert await api.refused("unmergeTickets", **given) == [("LAMBDA_REJECTED", "lambda-rejected", path)]


async def test_what_a_hook_sets_where_tickets_are_merged_and_parted_is_written(api: Api) -> None:
    ticket, other = await api.ticket(), await api.ticket()
    api.rules.say = lambda event: {"contract_no": f"of {event.key[0]}"} if event.module.name == "ticket" else {}
    shown = "query ($id: BigInt) { ticket(by: {databaseId: $id}) { contractNo } }"
    for name, given in (
        ("mergeTickets", {"ticket": {"databaseId": ticket}, "into": {"databaseId": other}}),
        ("unmergeTickets", {"ticket": {"databaseId": ticket}}),
    ):
        await api.done(name, "clientMutationId", **given)
        for number in (ticket, other):
            assert (await api.data(shown, id=number))["ticket"] == {"contractNo": f"of {number}"}
        api.rules.say = lambda event: {"contract_no": f"of {event.key[0]}"}
