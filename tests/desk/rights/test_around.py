"""What is told of a ticket's surroundings: keys as they are asked for by writes, and no ticket that the caller does not see."""

from __future__ import annotations

from typing import Any

from desk.around import Hold, find_ticket, read_hold, read_links
from identity.rights import KEYS, Rights, unbounded
from resolvers.context import Context
from resolvers.ids import write_id
from tests.desk.api import Api
from tests.desk.rights.test_permits import holding, make_agent, make_queue


def seen_by(api: Api, rights: Rights | None = None) -> Context:
    return Context(api.snapshot, api.database, b"secret", rights or unbounded(api.caller))


def id_of(api: Api, number: int) -> str:
    return write_id(api.snapshot.modules["ticket"], (number,))


async def linked(api: Api, rights: Rights, number: int) -> list[tuple[str, int]]:
    context = seen_by(api, rights)
    found = await find_ticket(context, id_of(api, number))
    assert found is not None
    return [(item.way, item.number) for item in await read_links(context, *found)]


async def test_the_keys_to_a_ticket_are_those_of_its_queue_and_all_for_its_owner(api: Api) -> None:
    queue, group = await make_queue(api)
    reader, owner = await make_agent(api), await make_agent(api)
    ticket = await api.ticket(queue={"databaseId": queue}, owner={"databaseId": owner.id})
    for rights, keys in (
        (holding(reader, **{f"g{group}": "ro note"}), ("ro", "note")),
        (holding(reader, **{f"g{group}": "rw"}), KEYS),
        (holding(owner), KEYS),
    ):
        assert await read_hold(seen_by(api, rights), ticket) == Hold(keys, was_merged=False)


async def test_a_ticket_that_one_does_not_see_is_none(api: Api) -> None:
    queue, _ = await make_queue(api)
    stranger = await make_agent(api)
    ticket = await api.ticket(queue={"databaseId": queue})

    assert await find_ticket(seen_by(api, holding(stranger, g1="rw")), id_of(api, ticket)) is None
    assert await find_ticket(seen_by(api), id_of(api, 10**9)) is None
    assert await find_ticket(seen_by(api), "nonsense") is None
    assert await find_ticket(seen_by(api), id_of(api, ticket)) is not None


async def test_links_are_told_from_both_ends_but_never_to_a_hidden_ticket(api: Api) -> None:
    queue, group = await make_queue(api)
    agent = await make_agent(api)
    hidden = await api.ticket(queue={"databaseId": queue})
    parent, child, friend = [await api.ticket() for _ in range(3)]

    async def link(kind: str, one: int, two: int) -> Any:
        await api.done("linkTickets", "ticket { id }", ticket={"databaseId": one}, other={"databaseId": two}, type=kind)

    await link("PARENT_CHILD", parent, child)
    await link("NORMAL", child, friend)
    await link("NORMAL", hidden, child)
    few, all_ = holding(agent, g1="ro"), holding(agent, **{"g1": "ro", f"g{group}": "ro"})

    assert await linked(api, few, child) == [("PARENT", parent), ("NORMAL", friend)]
    assert await linked(api, all_, child) == [("PARENT", parent), ("NORMAL", hidden), ("NORMAL", friend)]
    assert await linked(api, few, parent) == [("CHILD", child)]


async def test_a_merge_that_can_be_taken_back_is_told(api: Api) -> None:
    source, target = await api.ticket(), await api.ticket()
    key: dict[str, Any] = {"databaseId": source}
    await api.done("mergeTickets", "ticket { id }", ticket=key, into={"databaseId": target})
    assert (await read_hold(seen_by(api), source)).was_merged
    assert not (await read_hold(seen_by(api), target)).was_merged
    await api.done("unmergeTickets", "ticket { id }", ticket=key)
    assert not (await read_hold(seen_by(api), source)).was_merged
