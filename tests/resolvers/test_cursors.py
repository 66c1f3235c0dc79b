"""Cursors hold for one list: one type, order, filter, search, relation and caller; anything else is refused."""

import base64
from typing import Any

import pytest

from identity.principals import Agent, Scope, Token
from identity.rights import unbounded
from resolvers.cursors import REFUSED, CursorKey
from resolvers.errors import BadRequest
from tests.resolvers.world import World

OTHERS = {
    "another type": "{groups(after: $c) {nodes {name}}}",
    "another order": "{queues(after: $c, orderBy: [{name: DESC}]) {nodes {name}}}",
    "another filter": '{queues(after: $c, orderBy: [{name: ASC}], filter: {name: {contains: "Q"}}) {nodes {name}}}',
    "a search": '{queues(after: $c, orderBy: [{name: ASC}], search: "queue") {nodes {name}}}',
    "a relation": "{groups {nodes {queues(after: $c, orderBy: [{name: ASC}]) {nodes {name}}}}}",
}
SAME = "query($c: String) {queues(first: 2, after: $c, orderBy: [{name: ASC}]) {edges {cursor} nodes {name}}}"


async def cursor_of(world: World, **settings: Any) -> str:
    data = await world.data(SAME, **settings)
    found: str = data["queues"]["edges"][1]["cursor"]
    return found


async def test_a_cursor_leads_on_in_its_own_list(world: World) -> None:
    data = await world.data(SAME, {"c": await cursor_of(world)})
    assert [row["name"] for row in data["queues"]["nodes"]] == ["Queue 3", "Queue 4"]


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
async def test_a_cursor_of_another_list_is_refused(world: World, text: str) -> None:
    cursor = await cursor_of(world)
    refused = await world.refusal(f"query($c: String) {text}", {"c": cursor})
    assert refused.endswith(f"after: {REFUSED}")
    assert refused.startswith("BAD_REQUEST")


async def test_a_cursor_of_another_caller_is_refused(world: World) -> None:
    cursor = await cursor_of(world, rights=unbounded(Agent(2, "anna")))
    refused = await world.refusal(SAME, {"c": cursor}, rights=unbounded(Token(2, "anna", Agent(3, "bob"), Scope())))
    assert refused == f"BAD_REQUEST: queues.after: {REFUSED}"


FORGED = [
    "",
    "x",
    "ä",
    "====",
    "AAAA",
    "A" * 30,
    "\x00",
    base64.urlsafe_b64encode(b"0" * 12 + b'["Queue 2",2]').decode(),
]


@pytest.mark.parametrize("cursor", FORGED)
async def test_a_forged_cursor_is_refused(world: World, cursor: str) -> None:
    assert await world.refusal(SAME, {"c": cursor}) == f"BAD_REQUEST: queues.after: {REFUSED}"


async def test_a_cursor_with_one_letter_changed_is_refused(world: World) -> None:
    cursor = await cursor_of(world)
    for place in range(0, len(cursor), 5):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert (await world.refusal(SAME, {"c": changed})).endswith(REFUSED)


async def test_a_cursor_with_letters_that_base64_does_not_know_is_refused(world: World) -> None:
    cursor = await cursor_of(world)
    for changed in (f"{cursor[:9]}!*{cursor[9:]}", f"{cursor}\n", f"{cursor}=", f" {cursor}"):
        assert (await world.refusal(SAME, {"c": changed})).endswith(REFUSED)


def test_another_secret_makes_other_cursors() -> None:
    cursor = CursorKey(b"one", "list").write(["a", None, 1])
    assert CursorKey(b"one", "list").read(cursor, 3, "after") == ["a", None, 1]
    with pytest.raises(BadRequest):
        CursorKey(b"two", "list").read(cursor, 3, "after")


async def test_cursors_stay_short(world: World) -> None:
    assert len(await cursor_of(world)) < 40
