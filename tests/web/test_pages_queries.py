"""What pages asked for, shown on each of them, and the examples of GraphiQL: all of it is valid, and answered to whoever sees it."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urldefrag

import pytest
from graphql import GraphQLSchema, get_operation_ast, parse, validate
from graphql.execution.values import get_variable_values
from playwright.sync_api import Browser, Page, expect

from identity.access import access_of
from schema.spec import Audience
from tests.callers import everything
from tests.databases import foreign_url, fresh_url
from tests.web.browsing import Browser as Plain
from tests.web.browsing import Shown, browsing
from tests.web.chromium import Seat, chromium, watched
from tests.web.real import ROOM, Desk, open_desk
from tests.web.server import REAL, running
from tests.web.test_pages_browser import TASK, TEAM, World, until_ready
from tests.web.xss import PAYLOADS
from web.pages.query_examples import examples_of
from web.pages.query_shown import ADDRESS_LETTERS, MOST_SHOWN, VARIABLES_LETTERS, Sent, graphiql_address, show_queries
from web.pages.texts import Texts
from web.pages.view import modules_of, view_of

pytestmark = pytest.mark.timed

MODULES = Path(__file__).parent.parent.parent / "modules"
SAFE = ROOM.replace(
    "access: {agent: {view: true}}", "access: {agent: {view: true, create: true, update: true}}"
).replace("fields:\n", "fields:\n  - {name: code, type: secret, label: Code, required: true}\n")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": SAFE}) as opened:
            await opened.data(
                'mutation { createRoom(input: {room: {name: "Hall", seats: 3, code: "s3cret"}}) { errors { code } } }'
            )
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Plain]:
    async with browsing(desk) as opened:
        yield opened


def told(page: Shown) -> list[tuple[str, dict[str, Any]]]:
    """Return the operations that a page shows, from the links to GraphiQL."""
    found = []
    for link in page.all("a"):
        address, fragment = urldefrag(link.attributes.get("href", ""))
        if address == "/graphiql" and fragment:
            parts = parse_qs(fragment, strict_parsing=True)
            found.append((parts["query"][0], json.loads(parts.get("variables", ["{}"])[0])))
    return found


# --- show me the query ---


async def test_a_page_shows_what_it_asked_for_and_anybody_gets_the_same_for_it(desk: Desk, browser: Plain) -> None:
    page = await browser.get("/modules/room?q=hall&f.seats.gte=2&sort=-seats&c=name")

    ((document, variables),) = told(page)
    assert variables == {
        "filter": {"seats": {"gte": 2}}, "search": "hall", "orderBy": [{"seats": "DESC"}], "first": 50,
    }  # fmt: skip
    assert (await desk.data(document, **variables))["rows"]["nodes"][0]["name"] == "Hall"
    assert document in "".join(str(item.children[0]) for item in page.main.all("pre"))
    part = Shown(await browser.client.get("/modules/room?q=x", headers={"hx-request": "true"}))
    assert told(part)[0][1]["search"] == "x"


async def test_a_form_shows_what_its_button_will_send(desk: Desk, browser: Plain) -> None:
    row = (await desk.data("{ rooms { nodes { id } } }"))["rooms"]["nodes"][0]["id"]
    asked, offered = told(await browser.get(f"/modules/room/{row}/edit"))
    assert asked[0].startswith("query RoomForm")
    assert (await desk.data(offered[0], **offered[1]))["done"]["errors"] == []
    (made,) = told(await browser.get("/modules/room/new"))
    assert (await desk.data(made[0], record={**made[1]["record"], "name": "b"}))["done"]["errors"] == []
    assert made[1] == {"record": {"name": "a", "code": "a"}}


async def test_no_page_shows_what_somebody_typed_into_a_form(browser: Plain) -> None:
    """Mutations that were sent are no part of it: they may hold a password."""
    form = await browser.get("/modules/room/new")
    wrong = await browser.send(form, form.main.form_named("code"), {"name": "", "code": "hunter2hunter2"})

    assert wrong.status == 422
    assert "hunter2hunter2" not in wrong.response.text
    assert [document.split()[0] for document, _ in told(wrong)] == ["mutation"]  # the one that is offered
    profile = await browser.get("/profile")
    assert told(profile)
    assert profile.one("meta", name="csrf-token").attributes["content"] not in json.dumps(told(profile))


async def test_a_page_that_asked_nothing_shows_nothing(browser: Plain) -> None:
    assert told(await browser.get("/look")) == []


async def test_what_is_in_an_operation_stays_text(browser: Plain) -> None:
    for payload in PAYLOADS[::9]:
        word = payload[:400]
        page = Shown(await browser.client.get("/modules/room", params={"q": word}))
        assert told(page)[0][1].get("search", "") == " ".join(word.split())


def test_what_is_long_is_left_out() -> None:
    (shown,) = show_queries([Sent("query A { a }", {"text": "x" * VARIABLES_LETTERS})])
    assert (shown.name, shown.variables, shown.address) == ("A", None, "")
    assert graphiql_address("é" * ADDRESS_LETTERS) == ""
    assert len(show_queries([Sent(f"query A{place} {{ a }}") for place in range(50)])) == MOST_SHOWN
    assert len(show_queries([Sent("{ a }")] * 3)) == 1


# --- examples ---


@pytest.fixture
async def shipped(tmp_path: Path) -> AsyncIterator[Desk]:
    with foreign_url("sqlite", "znuny65", tickets=20) as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,), lambda_workers=1, concurrency=50) as opened:
            yield opened


def check(document: str, variables: Mapping[str, Any], schema: GraphQLSchema) -> list[str]:
    """Return what is wrong with an operation."""
    node = parse(document)
    operation = get_operation_ast(node)
    assert operation is not None
    wrong = [error.message for error in validate(schema, node)]
    if not wrong:
        values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
        wrong += [error.message for error in values] if isinstance(values, list) else []
    return wrong


@pytest.mark.parametrize("audience", list(Audience))
async def test_every_example_of_every_module_is_valid(shipped: Desk, audience: Audience) -> None:
    snapshot = shipped.live.snapshot()
    access = access_of(everything(audience))
    kinds: dict[str, int] = {}
    wrong: dict[str, list[str]] = {}
    for name in modules_of(snapshot, audience):
        view = view_of(snapshot, access, name)
        if view is None:
            continue
        made = examples_of(view, snapshot.schema_for(audience), Texts("en"))
        assert made, name
        for item in made:
            kinds[item.key] = kinds.get(item.key, 0) + 1
            if found := check(item.document, item.variables, snapshot.schema_for(audience)):
                wrong[f"{name} {item.key}"] = found
    assert wrong == {}
    assert set(kinds) >= {"example-list", "example-one", "example-aggregate", "example-changes", "example-create"}
    assert kinds["example-list"] >= {Audience.AGENT: 60, Audience.CUSTOMER: 5}[audience]


async def test_examples_that_read_are_answered(shipped: Desk) -> None:
    async with browsing(shipped) as browser:
        page = await browser.get("/graphiql")
        names = [option.attributes["value"] for option in page.one(id="example-module").all("option")][1:]
        assert len(names) >= 60
        for name in names:
            examples = (await browser.client.get(f"/graphiql/examples/{name}")).json()["examples"]
            for item in examples:
                if item["query"].startswith("query"):
                    answer = await shipped.ask(item["query"], **json.loads(item["variables"] or "{}"))
                    assert "errors" not in answer, (name, item, answer)


async def test_examples_are_those_of_modules_that_one_sees(desk: Desk, browser: Plain) -> None:
    assert (await browser.client.get("/graphiql/examples/nothing")).status_code == 404
    async with desk.connect() as stranger:
        assert (await stranger.get("/graphiql/examples/room")).status_code == 303


# --- in a browser ---


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("desk")
    site = folder / "site"
    site.mkdir()
    (site / "team.yaml").write_text(TEAM)
    (site / "task.yaml").write_text(TASK)
    with running(REAL, folder, modules_dir=site, database_url=f"sqlite:///{folder}/desk.db") as server:
        until_ready(server)
        made = World(server, site)
        made.data('mutation { createTeams(input: {teams: [{name: "North"}, {name: "South"}]}) { affected } }')
        yield made


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def seat(world: World, chrome: Browser) -> Iterator[Seat]:
    with watched(chrome, world.server.url) as found:
        yield found


def editor(page: Page, place: str) -> str:
    """Return the text of an editor of GraphiQL."""
    found: str = page.evaluate(f"document.querySelector('.{place} .CodeMirror').CodeMirror.getValue()")
    return found


def graphiql(seat: Seat, path: str = "/graphiql") -> Page:
    """Open GraphiQL, which is never quiet: it listens for changes of the schema."""
    seat.page.goto(path)
    expect(seat.page.locator(".graphiql-query-editor .CodeMirror")).to_be_visible()
    return seat.page


def run(page: Page) -> None:
    page.click(".graphiql-execute-button")


def test_graphiql_opens_what_a_page_asked_for(seat: Seat) -> None:
    page = seat.go("/modules/team?f.name.contains=Nor&c=name")
    page.click("summary >> text=Show me the query")
    wanted = page.locator(".asked pre").all_inner_texts()
    page.click("a >> text=Open in GraphiQL")
    expect(page.locator(".graphiql-query-editor .CodeMirror-code")).to_contain_text("TeamList")
    page.wait_for_timeout(200)
    assert editor(page, "graphiql-query-editor").strip() == wanted[0].strip()
    assert json.loads(editor(page, "graphiql-editor-tool")) == json.loads(wanted[1])
    assert "#" not in page.url
    run(page)
    expect(page.locator(".result-window")).to_contain_text("North")
    expect(page.locator(".result-window")).not_to_contain_text("South")


def test_an_example_is_chosen_from_the_menu(seat: Seat) -> None:
    page = graphiql(seat)
    page.select_option("#example-module", "task")
    expect(page.locator("#example")).to_be_enabled()
    assert len(page.locator("#example option").all()) == 8  # seven, and the word before them
    page.select_option("#example", label="Rows counted by group")
    expect(page.locator(".graphiql-query-editor .CodeMirror-code")).to_contain_text("TaskGroups")
    page.wait_for_timeout(200)
    run(page)
    expect(page.locator(".result-window")).to_contain_text('"taskAggregate"')
    page.select_option("#example", label="Follow changes")
    page.wait_for_timeout(300)
    assert "subscription TaskChanges" in editor(page, "graphiql-query-editor")


def test_the_documentation_and_the_examples_follow_the_schema(seat: Seat, world: World) -> None:
    page = graphiql(seat)
    page.select_option("#example-module", "team")
    page.evaluate(
        "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue('{ teams { nodes { motto } } }')"
    )
    expect(page.locator(".CodeMirror-lint-mark-error").first).to_be_visible()
    (world.site / "team.yaml").write_text(
        TEAM.replace("fields:\n", "fields:\n  - {name: motto, type: string, label: Motto}\n")
    )
    expect(page.locator(".CodeMirror-lint-mark-error")).to_have_count(0)
    (world.site / "team.yaml").write_text(TEAM)


def test_an_address_from_elsewhere_runs_nothing(seat: Seat, world: World) -> None:
    made = 'mutation { createTeam(input: {team: {name: "Forged"}}) { errors { code } } }'
    page = graphiql(seat, graphiql_address(made))
    expect(page.locator(".graphiql-query-editor .CodeMirror-code")).to_contain_text("Forged")
    page.wait_for_timeout(300)
    assert world.data('{ teams(filter: {name: {eq: "Forged"}}) { totalCount } }')["teams"]["totalCount"] == 0
