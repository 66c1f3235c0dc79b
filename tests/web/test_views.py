"""Saved views: what a list shows, kept under a name by its owner, and never more than the list takes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from identity.principals import Agent, Customer, Person, Scope, Token
from identity.rights import RightsReader, unbounded
from resolvers.execute import execute
from resolvers.views import SIZE_LIMIT_CHARS, VIEW_LIMIT
from storage.engine import Database
from storage.files import Files
from storage.library import Library
from tests.counts import count
from tests.databases import DIALECTS, fresh_url
from tests.web.real import ROOM, Desk, guest, open_desk
from web.import_jobs import ImportJobs
from web.workshop import PlatformContext, Workshop

ADA = Agent(5, "ada")
BOB = Agent(6, "bob")
CAROL = Customer(5, "carol", "")
GRANTED = ROOM.replace("access: {agent: {view: true}}", "access: {agent: {view: true}, customer: {view: true}}")
SAVE = """
mutation ($input: SaveViewInput!) {
  saveView(input: $input) {
    view { id name module shared filter search orderBy columns owner { kind databaseId isMe } }
    errors { code message path messageKey }
    clientMutationId
  }
}
"""
DELETE = "mutation ($id: ID!) { deleteView(input: {id: $id}) { deletedViewId errors { code messageKey path } } }"
LIST = '{ savedViews(module: "room") { id name owner { isMe } } }'


class Callers:
    """A desk that several people use: their operations run as the endpoint runs them, but as themselves."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def ask(self, caller: Person | Token, text: str, *, languages: tuple[str, ...] = (), **variables: Any) -> Any:
        live = self.desk.live
        assert isinstance(live.database, Database)
        context = PlatformContext(
            snapshot=live.snapshot(),
            database=live.database,
            secret=b"secret",
            rights=unbounded(caller),
            guest=guest(caller),
            identities=self.desk.identities,
            settings=live.settings,
            rights_reader=RightsReader(live.database, lambda: "permission_groups"),
            languages=languages,
            imports=ImportJobs(live.database, Files(live.database)),
            afterwards=None,  # type: ignore[arg-type] # views have nothing to do with it
            workshop=Workshop(live.registry, Library(live.database), (self.desk.site,), False),  # type: ignore[arg-type] # the real one
        )
        result = await execute(context, parse(text), None, variables)
        assert result.errors is None, result.errors
        return next(iter((result.data or {}).values()))

    async def save(self, caller: Person | Token, name: str = "Big", **more: Any) -> Any:
        return await self.ask(caller, SAVE, input={"module": "room", "name": name, **more})

    async def names(self, caller: Person | Token) -> list[tuple[str, bool]]:
        return [(view["name"], view["owner"]["isMe"]) for view in await self.ask(caller, LIST)]


@pytest.fixture(params=DIALECTS)
async def everyone(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callers]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, {"room": GRANTED}) as desk:
            yield Callers(desk)


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[Callers]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": GRANTED}) as desk:
            yield Callers(desk)


def codes(payload: Any) -> list[tuple[str, str, Any]]:
    return [(error["code"], error["messageKey"], error["path"]) for error in payload["errors"]]


async def test_a_view_is_kept_changed_and_removed(everyone: Callers) -> None:
    wanted: dict[str, Any] = {
        "filter": {"or": [{"seats": {"gte": 8}}, {"name": {"contains": "hall"}}]},
        "search": "blue",
        "orderBy": [{"seats": "DESC"}],
        "columns": ["name", "seats"],
    }
    saved = await everyone.save(ADA, clientMutationId="m", **wanted)

    assert saved["errors"] == []
    assert saved["clientMutationId"] == "m"
    view = saved["view"]
    assert {name: view[name] for name in wanted} == wanted
    assert (view["name"], view["module"], view["shared"]) == ("Big", "room", False)
    assert view["owner"] == {"kind": "agent", "databaseId": 5, "isMe": True}

    changed = await everyone.save(ADA, "Bigger", id=view["id"])
    assert (changed["view"]["id"], changed["view"]["name"], changed["view"]["filter"]) == (view["id"], "Bigger", None)
    assert (await everyone.save(ADA, "Bigger", id=view["id"]))["errors"] == [], "nothing differs, and that is fine"
    assert await everyone.names(ADA) == [("Bigger", True)]

    assert await everyone.ask(ADA, DELETE, id=view["id"]) == {"deletedViewId": view["id"], "errors": []}
    assert await everyone.names(ADA) == []
    assert codes(await everyone.ask(ADA, DELETE, id=view["id"])) == [("NOT_FOUND", "not-found", ["id"])]


async def test_names_are_unique_for_an_owner_and_a_module(everyone: Callers) -> None:
    await everyone.save(ADA)
    other = await everyone.save(ADA, "Other")

    assert codes(await everyone.save(ADA)) == [("UNIQUE", "view-taken", ["name"])]
    assert codes(await everyone.save(ADA, id=other["view"]["id"])) == [("UNIQUE", "view-taken", ["name"])]
    assert codes(await everyone.save(ADA, "BIG")) == []
    assert codes(await everyone.save(BOB)) == []


async def test_what_agents_share_agents_see_and_only_owners_change(people: Callers) -> None:
    shared = (await people.save(ADA, "Shared", shared=True))["view"]["id"]
    private = (await people.save(ADA, "Private"))["view"]["id"]

    assert await people.names(ADA) == [("Private", True), ("Shared", True)]
    assert await people.names(BOB) == [("Shared", False)]
    assert await people.names(CAROL) == []
    assert codes(await people.save(BOB, "Mine", id=shared)) == [("FORBIDDEN", "view-foreign", ["id"])]
    assert codes(await people.ask(BOB, DELETE, id=shared)) == [("FORBIDDEN", "view-foreign", ["id"])]
    assert codes(await people.save(BOB, "Mine", id=private)) == [("NOT_FOUND", "not-found", ["id"])]
    assert codes(await people.ask(BOB, DELETE, id=private)) == [("NOT_FOUND", "not-found", ["id"])]
    assert codes(await people.ask(CAROL, DELETE, id=shared)) == [("NOT_FOUND", "not-found", ["id"])]


async def test_customers_have_views_of_their_own_and_share_none(people: Callers) -> None:
    """The customer's id is the agent's: an id alone says nothing about who somebody is."""
    await people.save(CAROL, "Carol's")

    assert await people.names(CAROL) == [("Carol's", True)]
    assert await people.names(ADA) == []
    assert codes(await people.save(CAROL, "All", shared=True)) == [("FORBIDDEN", "view-share", ["shared"])]


async def test_a_customers_token_is_a_customer_here(people: Callers) -> None:
    robot = Token(7, "robot", CAROL, Scope())
    await people.save(ADA, "Everybody's", shared=True)

    assert codes(await people.save(robot, "All", shared=True)) == [("FORBIDDEN", "view-share", ["shared"])]
    assert await people.names(robot) == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"filter": {"colour": {"eq": "red"}}}, "filter"),
        ({"filter": {"seats": {"eq": "many"}}}, "filter"),
        ({"filter": {"seats": {"eq": None}}}, "filter"),
        ({"filter": "seats"}, "filter"),
        ({"orderBy": [{"seats": "SIDEWAYS"}]}, "orderBy"),
        ({"orderBy": [{"seats": "ASC", "name": "ASC"}]}, "orderBy"),
        ({"columns": ["colour"]}, "columns"),
        ({"columns": ["name.of"]}, "columns"),
    ],
)
async def test_what_the_list_would_refuse_is_refused_when_it_is_saved(
    people: Callers, wanted: dict[str, Any], message: str
) -> None:
    refused = await people.save(ADA, **wanted)

    assert codes(refused) == [("INVALID", "view-invalid", [message])]
    assert refused["errors"][0]["message"].startswith(f"{message} does not fit the list: ")
    assert await people.names(ADA) == []


async def test_errors_are_told_in_the_caller_s_language(people: Callers) -> None:
    refused = await people.ask(ADA, SAVE, input={"module": "nothing", "name": "x"}, languages=("fr", "de", "en"))

    assert [error["message"] for error in refused["errors"]] == ["Ein Modul nothing gibt es nicht."]


async def test_views_have_limits(people: Callers) -> None:
    assert codes(await people.save(ADA, " ")) == [("INVALID", "view-name", ["name"])]
    assert codes(await people.save(ADA, "x" * 201)) == [("INVALID", "view-name", ["name"])]
    assert codes(await people.save(ADA, search="x" * SIZE_LIMIT_CHARS)) == [("LIMIT", "view-too-large", None)]
    assert codes(await people.ask(ADA, SAVE, input={"module": "nothing", "name": "x"})) == [
        ("NOT_FOUND", "module-not-found", ["module"])
    ]
    for wrong in ("", "x", "-1", "9" * 30, "\u0663"):
        assert codes(await people.ask(ADA, DELETE, id=wrong)) == [("NOT_FOUND", "not-found", ["id"])]


async def test_nobody_keeps_views_without_end(people: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = count(3, VIEW_LIMIT)
    monkeypatch.setattr("resolvers.views.VIEW_LIMIT", limit)
    saved = [await people.save(ADA, f"View {n}") for n in range(limit + 1)]

    assert [codes(payload) for payload in saved] == [[]] * limit + [[("LIMIT", "view-too-many", None)]]
    assert codes(await people.save(ADA, "Renamed", id=saved[0]["view"]["id"])) == []
    assert codes(await people.save(BOB)) == []


async def test_a_module_that_is_not_there_has_no_views(people: Callers) -> None:
    assert await people.ask(ADA, '{ savedViews(module: "nothing") { id } }') == []
