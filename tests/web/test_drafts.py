"""Drafts: what somebody has begun to write is kept for himself, in limits, until it is sent, discarded or forgotten."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.drafts import DRAFT_LIMIT, SIZE_LIMIT_CHARS
from schema.spec import Audience
from storage.drafts import AGE_S
from storage.engine import Database
from storage.files import Files
from storage.own_tables import DRAFT
from tests.counts import count
from tests.databases import DIALECTS, fresh_url
from tests.web.real import ROOM, Desk, open_desk
from tests.web.test_views import ADA, BOB, Callers, codes
from web.sweeping import brooms_of

SAVE = """
mutation ($place: String!, $content: JSON!) {
  saveDraft(input: {place: $place, content: $content, clientMutationId: "m"}) {
    draft { place content createdAt changedAt } errors { code messageKey path } clientMutationId
  }
}
"""
LIST = "query ($place: String) { drafts(place: $place) { place content } }"
DELETE = "mutation ($place: String!) { deleteDraft(input: {place: $place}) { deletedPlace errors { code messageKey path } } }"
TOKEN = """
mutation ($operations: [TokenOperation!]) {
  createApiToken(input: {name: "robot", expiresAt: "%s", modules: null, operations: $operations}) { secret errors { message } }
}
"""


@pytest.fixture(params=DIALECTS)
async def everyone(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callers]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as desk:
            yield Callers(desk)


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[Callers]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as desk:
            yield Callers(desk)


async def places(people: Callers, who: Any) -> list[str]:
    return [draft["place"] for draft in await people.ask(who, LIST)]


async def test_a_form_has_one_draft_that_is_replaced_and_discarded(everyone: Callers) -> None:
    first = await everyone.ask(ADA, SAVE, place="new", content={"title": "Grüße 🖨 \\ 'x'", "files": ["a", "b"]})
    assert (first["errors"], first["clientMutationId"]) == ([], "m")
    assert first["draft"]["content"] == {"title": "Grüße 🖨 \\ 'x'", "files": ["a", "b"]}

    again = await everyone.ask(ADA, SAVE, place="new", content={"title": "second"})
    assert again["draft"]["createdAt"] == first["draft"]["createdAt"]
    assert (await everyone.ask(ADA, SAVE, place="new", content={"title": "second"}))["errors"] == [], "nothing differs"
    await everyone.ask(ADA, SAVE, place="ticket:17", content={"body": "other"})
    assert await everyone.ask(ADA, LIST, place="new") == [{"place": "new", "content": {"title": "second"}}]
    assert sorted(await places(everyone, ADA)) == ["new", "ticket:17"]

    assert await everyone.ask(ADA, DELETE, place="new") == {"deletedPlace": "new", "errors": []}
    assert await places(everyone, ADA) == ["ticket:17"]
    assert codes(await everyone.ask(ADA, DELETE, place="new")) == [("NOT_FOUND", "not-found", ["place"])]


async def test_nobody_else_reads_replaces_or_discards_a_draft(people: Callers) -> None:
    """The colleague's draft of the same form is another one."""
    await people.ask(ADA, SAVE, place="new", content={"body": "ada's"})
    assert await places(people, BOB) == []
    assert codes(await people.ask(BOB, DELETE, place="new")) == [("NOT_FOUND", "not-found", ["place"])]
    await people.ask(BOB, SAVE, place="new", content={"body": "bob's"})
    assert await people.ask(ADA, LIST, place="new") == [{"place": "new", "content": {"body": "ada's"}}]


async def test_tokens_and_customers_have_no_drafts(people: Callers) -> None:
    desk: Desk = people.desk
    for operations in (None, ["VIEW", "CREATE", "UPDATE"]):
        made = await desk.data(TOKEN.replace("%s", "2027-06-01T00:00:00Z"), operations=operations)
        async with desk.connect(authorization=f"Bearer {made['createApiToken']['secret']}") as robot:
            for query, given in ((LIST, {}), (SAVE, {"place": "x", "content": {}}), (DELETE, {"place": "x"})):
                answer = (await robot.post("/graphql", json={"query": query, "variables": given})).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], answer
    schema = desk.live.snapshot().schema_for(Audience.CUSTOMER)
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert "drafts" not in schema.query_type.fields
    assert not {"saveDraft", "deleteDraft"} & set(schema.mutation_type.fields)
    assert schema.get_type("Draft") is None


async def test_drafts_have_limits(people: Callers) -> None:
    for place in ("", "x" * 201, "a b", "<script>", "ü", "x\n"):
        assert codes(await people.ask(ADA, SAVE, place=place, content={})) == [("INVALID", "draft-place", ["place"])]
    for content in ("text", ["x"], {"a": 1}, {"a": {"b": "c"}}, {"a": [1]}, {str(n): "" for n in range(101)}):
        refused = await people.ask(ADA, SAVE, place="new", content=content)
        assert codes(refused) == [("INVALID", "draft-content", ["content"])]
    refused = await people.ask(ADA, SAVE, place="new", content={"body": "x" * SIZE_LIMIT_CHARS})
    assert codes(refused) == [("LIMIT", "draft-too-large", ["content"])]
    assert await places(people, ADA) == []


async def test_nobody_keeps_drafts_without_end(people: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = count(3, DRAFT_LIMIT)
    monkeypatch.setattr("resolvers.drafts.DRAFT_LIMIT", limit)
    kept = [await people.ask(ADA, SAVE, place=f"p{n}", content={"a": str(n)}) for n in range(limit + 1)]
    assert [codes(payload) for payload in kept] == [[]] * limit + [[("LIMIT", "draft-too-many", None)]]
    assert codes(await people.ask(ADA, SAVE, place="p0", content={"a": "again"})) == []
    assert codes(await people.ask(BOB, SAVE, place="p0", content={})) == []


async def test_drafts_that_nobody_touched_for_a_month_are_gone(everyone: Callers) -> None:
    desk = everyone.desk
    assert isinstance(desk.live.database, Database)
    await everyone.ask(ADA, SAVE, place="old", content={"a": "b"})
    await everyone.ask(ADA, SAVE, place="young", content={"a": "b"})
    async with desk.live.database.transaction() as transaction:
        aged = sa.update(DRAFT).where(DRAFT.c.place == "old").values(changed=DRAFT.c.changed - AGE_S)
        await transaction.change(aged)
    assert await places(everyone, ADA) == ["young"]
    sweep = brooms_of(Files(desk.live.database), desk.identities, desk.live.settings)["old drafts"]
    assert await sweep() == 1
    assert await sweep() == 0
    assert await places(everyone, ADA) == ["young"]
