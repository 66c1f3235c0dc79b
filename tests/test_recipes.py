"""The recipes work as they are: each file serves without a problem, does what its examples say, and what is asked then gives the answer shown."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from lambdas.http_client import HttpAnswer
from lambdas.http_hosts import read_hosts
from lambdas.http_request import HttpRequest
from resolvers.lambda_check import LambdaChecker
from schema.problems import Problem
from storage.engine import Database
from tests.counts import count
from tests.databases import DIALECTS, NOW, foreign_url
from tests.test_docs import ROOT, Example, examples
from tests.web.real import Desk, open_desk, sign_in

on_the_desk = pytest.mark.asyncio(loop_scope="module")

PAGE = "docs/recipes.md"
NAME = re.compile(r"# site/(\w+)\.yaml\nmodule: {extend: (\w+)}\n")
KEY = "the key of the chat"
PATIENCE_S = 20.0

# The tickets of the page: number, title, queue, priority, state, customer, when it came, when it escalates.
TICKETS = (
    ("2026052010000017", "The printer is out of paper", "Support::Printers", 3, "open", "ALPENGLUT", "2026-05-20 08:40", None),
    ("2026060110000024", "The server room is getting warm", "Infrastructure::Servers", 5, "new", "BRIDGEPORT", "2026-06-01 08:00", "2026-06-01 12:45"),
    ("2026052710000031", "Invoice 4711 is missing", "Billing::Invoices", 2, "open", "BRIDGEPORT", "2026-05-27 08:00", "2026-06-02 00:00"),
)  # fmt: skip
MAKE = """mutation ($title: String!, $queue: String!, $priority: Int!, $state: String!, $company: String!) {
  createTicket(input: {ticket: {
    title: $title, queue: {name: $queue}, priority: {databaseId: $priority}, state: {name: $state}, customerId: $company
    article: {subject: $title, body: "Please help.", visibleForCustomer: true}
  }}) { ticket { databaseId } errors { message } }
}"""
AGED = (
    "UPDATE ticket SET tn = :number, create_time = :came, escalation_time = :due WHERE id = :key",
    "UPDATE article SET create_time = :came, article_sender_type_id = 3 WHERE ticket_id = :key",  # from the customer
)


@dataclass
class Kitchen:
    """The desk of the page, and what the chat was sent."""

    desk: Desk
    sent: list[HttpRequest] = field(default_factory=list)

    async def ask(self, text: str, login: str | None = None) -> dict[str, Any]:
        """Send an operation as an agent, else as the administrator; what it cost is nothing for readers."""
        given = {"query": text, "variables": {"value": KEY} if "$value" in text else {}}
        pair = None if login is None else await sign_in(self.desk.live, login)
        headers = {"accept-language": "en"} | ({"authorization": f"Bearer {pair.access_token}"} if pair else {})
        answer: dict[str, Any] = (await self.desk.client.post("/graphql", json=given, headers=headers)).json()
        answer.pop("extensions", None)
        return answer

    async def answers(self, asked: Example, wanted: Any) -> Any:
        """Return what comes back; of what takes effect a moment later, once it is what is wanted, or when patience ends."""
        word, _, login = asked.info.partition(" ")
        assert word in ("", "as", "later"), asked.info
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            found = await self.ask(asked.text, login or None)
            if found == wanted or word != "later" or asyncio.get_running_loop().time() > until:
                return found
            await asyncio.sleep(0.05)

    async def serve(self, name: str, source: str) -> list[str]:
        """Write a file, have it loaded, and return what is wrong with any."""
        (self.desk.site / f"{name}.yaml").write_text(source)
        live: Any = self.desk.live  # the real one
        await live.registry.reload()
        found = await self.desk.data("{ modules { name state problems { message } } }")
        return [
            f"{item['name']} is {item['state']}: {item['problems']}"
            for item in found["modules"]
            if item["problems"] or item["state"] not in ("LIVE", "ABSENT")
        ]

    async def problems_of(self, name: str) -> Mapping[str, Sequence[Problem]]:
        """Hold a module that serves against its examples."""
        assert self.desk.live.lambdas
        return await LambdaChecker(self.desk.live.lambdas).check([self.desk.live.snapshot().modules[name]])


@dataclass(frozen=True)
class Recipe:
    """A section of the page: its question and its blocks, in their order."""

    question: str
    words: str
    blocks: tuple[Example, ...]

    def __str__(self) -> str:
        return self.file[0]

    @property
    def source(self) -> str:
        """The file."""
        (source,) = [block.text for block in self.blocks if block.language == "yaml"]
        return source

    @property
    def file(self) -> tuple[str, str]:
        """The name of the file, and of the module that it extends."""
        found = NAME.match(self.source)
        assert found, f"{self.question}: the file begins with its name and what it extends"
        return found[1], found[2]


def read_recipes() -> Iterator[Recipe]:
    """Read the page."""
    text = (ROOT / PAGE).read_text()
    blocks = examples(PAGE)
    starts = [match.start() for match in re.finditer(r"^### ", text, re.MULTILINE)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        first, last = (text.count("\n", 0, at) + 1 for at in (start, end))
        question, _, words = text[start:end].partition("\n")
        inside = tuple(block for block in blocks if first < block.line <= last)
        yield Recipe(question.removeprefix("### "), words.partition("```")[0].strip(), inside)


RECIPES = list(read_recipes())


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=DIALECTS[: count(1, len(DIALECTS))])
async def kitchen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kitchen]:
    """The desk of the page on Monday, 1 June 2026, at 12 o'clock, with the modules that are shipped."""
    folder = tmp_path_factory.mktemp("recipes")
    sent: list[HttpRequest] = []

    async def send(_client: Any, _host: Any, request: HttpRequest) -> HttpAnswer:
        sent.append(request)
        return HttpAnswer(204)

    with pytest.MonkeyPatch.context() as patch, foreign_url(request.param, "znuny65", tickets=1) as url:
        patch.setattr("resolvers.lambda_caller.time", SimpleNamespace(time=NOW.timestamp))
        patch.setattr("resolvers.deeds.datetime", SimpleNamespace(now=lambda _: NOW))
        patch.setattr("lambdas.http_client.HttpClient._send", send)
        folders = (ROOT / "modules", folder / "site")
        hosts = read_hosts(["chat.example.org"])
        async with open_desk(url, folder, lambda_workers=1, modules_dir=folders, lambda_http_hosts=hosts) as desk:
            for ticket in TICKETS:
                await make_ticket(desk, ticket)
            yield Kitchen(desk, sent)


async def make_ticket(desk: Desk, ticket: tuple[Any, ...]) -> None:
    """Make a ticket that came some time ago."""
    number, title, queue, priority, state, company, came, due = ticket
    given = {"title": title, "queue": queue, "priority": priority, "state": state, "company": company}
    made = (await desk.data(MAKE, **given))["createTicket"]
    assert made["errors"] == []
    database: Database = desk.live.database  # type: ignore[assignment] # the real one
    values = {
        "key": made["ticket"]["databaseId"],
        "number": number,
        "came": datetime.fromisoformat(came),
        "due": 0 if due is None else int(datetime.fromisoformat(f"{due}+00:00").timestamp()),
    }
    async with database.transaction() as transaction:
        for text in AGED:
            given = {name: value for name, value in values.items() if f":{name}" in text}
            await transaction.execute(sa.text(text).bindparams(**given))


@on_the_desk
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
async def test_a_recipe_works_as_it_is(recipe: Recipe, kitchen: Kitchen) -> None:
    name, module = recipe.file
    blocks = list(recipe.blocks)
    while blocks:
        block = blocks.pop(0)
        where = f"{PAGE}:{block.line}"
        if block.language == "yaml":
            assert await kitchen.serve(name, block.text) == [], where
            assert await kitchen.problems_of(module) == {}, where
        else:
            assert (block.language, blocks[0].language) == ("graphql", "json"), where
            wanted = json.loads(blocks.pop(0).text)
            assert await kitchen.answers(block, wanted) == wanted, where
    # What comes next is to be seen alone. A file that vanishes counts on for a moment; one that says nothing does not.
    assert await kitchen.serve(name, f"module: {{extend: {module}}}\n") == []


@on_the_desk
async def test_the_chat_is_told_once_and_with_its_key(kitchen: Kitchen) -> None:
    """What the recipe about the chat sent."""
    (request,) = kitchen.sent
    assert (request.method, request.name, request.target) == ("POST", "chat.example.org", "/rooms/desk")
    assert json.loads(request.body) == {"text": "Urgent: Nobody can sign in"}
    assert ("authorization", f"Bearer {KEY}") in [(name.lower(), value) for name, value in request.headers.items()]


@on_the_desk
async def test_all_recipes_can_stand_side_by_side(kitchen: Kitchen) -> None:
    for recipe in RECIPES[:-1]:
        (kitchen.desk.site / f"{recipe.file[0]}.yaml").write_text(recipe.source)
    assert await kitchen.serve(RECIPES[-1].file[0], RECIPES[-1].source) == []


def test_there_are_recipes_for_all_that_lambdas_do() -> None:
    sources = "\n".join(recipe.source for recipe in RECIPES)
    types = ["string", "int", "float", "bool", "datetime", "json", "html", "badge"]
    words = "args needs gql formatDate ago businessHours link html t log set reject custom_rules default create update note http secret"
    assert len(RECIPES) >= 20
    assert [word for word in types if f"type: {word}\n" not in sources] == []
    assert [word for word in words.split() if not re.search(rf"\b{word}\b[(:`.]", sources)] == []
    assert [
        word for word in ("hooks:", "actions:", "schedules:", "for_all:", "after_", "before_") if word not in sources
    ] == []


def test_a_recipe_says_in_a_few_sentences_what_it_is_for() -> None:
    told = {str(recipe): len(re.findall(r"[.?!:](?=\s|$)", re.sub(r"`[^`]*`", "", recipe.words))) for recipe in RECIPES}
    assert {name: sentences for name, sentences in told.items() if not 2 <= sentences <= 5} == {}


def test_a_recipe_with_a_computed_field_has_examples() -> None:
    assert [
        str(recipe) for recipe in RECIPES if ("computed_fields:" in recipe.source) != ("examples:" in recipe.source)
    ] == []
