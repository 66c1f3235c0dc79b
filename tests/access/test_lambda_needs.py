"""A lambda is given what its caller may read and no more: by needs of its own row, of columns, and through references."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from graphql import parse

from resolvers.context import Context
from resolvers.execute import execute
from resolvers.lambda_memory import Memory
from storage.engine import Database
from tests.access.model import ROLES, Model
from tests.access.telling import LAMBDAS
from tests.access.worlds import SECRET, Place, base, rights_of, run_alone
from tests.databases import DIALECTS, fresh_url
from tests.programmed import Programmed, item_of

BASE = base()


@pytest.fixture(scope="module", params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        url = stack.enter_context(fresh_url(request.param))
        yield run_alone(url, tmp_path_factory.mktemp("modules"), BASE)


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    found = Database(place.url)
    yield found
    await found.close()


async def given(place: Place, database: Database, role: str, text: str) -> list[dict[str, Any]]:
    """Return the items that the lambda of an operation is given for a role."""
    runner = Programmed({name: lambda _row: None for name in ("job.told", "tray.pitch", "note.told", "client.told")})
    context = Context(place.snapshot, database, SECRET, rights_of(ROLES[role]), lambdas=runner)
    result = await execute(context, parse(text))
    assert result.errors is None, result.errors
    return [dict(item_of(batch, row)) for job in runner.jobs for batch in job.batches for row in batch.rows]


JOBS = "{ jobs(first: 100) { nodes { told } } }"


async def test_a_need_that_is_hidden_from_the_caller_is_not_given(place: Place, database: Database) -> None:
    for role in ("administrator", "reader", "supervisor"):
        hidden = Model(ROLES[role], BASE).hidden("job")
        items = await given(place, database, role, JOBS)
        assert items
        for item in items:
            assert ("price" in item) == ("price" not in hidden)
            assert ("secret_note" in item) == ("secret_note" not in hidden)
            assert ("reviewer_id" in item) == ("reviewer" not in hidden)


async def test_a_need_behind_a_reference_follows_the_rules_of_its_module(place: Place, database: Database) -> None:
    reader = await given(place, database, "reader", JOBS)
    boss = await given(place, database, "administrator", JOBS)
    assert all("budget" not in item["tray"] and "memo" not in item for item in reader)
    assert all("secret_note" not in item["parent"] for item in reader)
    assert all("budget" in item["tray"] and "text" in item["memo"] for item in boss)


async def test_a_row_behind_a_reference_that_the_caller_does_not_see_is_null(place: Place, database: Database) -> None:
    jobs = {row["number"]: row for row in BASE.of("job").values()}
    unseen = 0
    for role in ("administrator", "reader", "supervisor"):
        seen = Model(ROLES[role], BASE).visible("job")
        for item in await given(place, database, role, JOBS):
            parent = jobs[item["number"]]["parent_id"]
            expected = seen[parent]["number"] if parent in seen else None
            assert item["parent"]["number"] == expected
            unseen += parent in BASE.of("job") and parent not in seen
    assert unseen > 3


async def test_without_needs_it_is_all_that_the_caller_reads_of_the_row(place: Place, database: Database) -> None:
    text = "{ notes(first: 100) { nodes { told } } }"
    for role in ("administrator", "reader", "customer", "twice"):
        items = await given(place, database, role, text)
        hidden = Model(ROLES[role], BASE).hidden("note")
        assert items, role
        for item in items:
            assert ("created_by" in item) == ("created_by" not in hidden)
            assert {"id", "text", "job", "job_id", "inner"} <= set(item)


async def test_what_is_remembered_for_one_caller_is_shown_to_none_who_may_read_less(
    place: Place, database: Database
) -> None:
    """Each has the answer that he would have if nothing were remembered, whoever asked before him."""
    document, memory = parse("{ jobs(first: 100) { nodes { told verdict { text tone } parent { told } } } }"), Memory()

    async def answer(role: str, memory: Memory | None) -> Any:
        rights = rights_of(ROLES[role])
        context = Context(place.snapshot, database, SECRET, rights, lambdas=Programmed(LAMBDAS), memory=memory)
        result = await execute(context, document)
        return result.data, [error.message for error in result.errors or ()]

    roles = ("administrator", "reader", "supervisor")
    expected = {role: await answer(role, None) for role in roles}
    assert expected["administrator"] != expected["reader"]
    for role in (*roles, *roles[::-1], *roles):
        assert await answer(role, memory) == expected[role]
