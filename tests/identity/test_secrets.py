"""Secrets are written and never read; lambdas of the modules that may have them are given them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from identity.principals import Agent
from identity.secrets import BadSecret, Secrets
from storage.engine import Database
from storage.own_tables import CHANGE, SECRET
from tests.databases import DIALECTS, fresh_url

ANNA = Agent(7, "anna")
KEY = b"k" * 32
VALUE = 'pa$$ "wörd"\nwith a second line'


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    opened = Database(shared_url)
    async with opened.transaction() as transaction:
        await transaction.execute(sa.delete(SECRET))
        await transaction.execute(sa.delete(CHANGE))
    yield opened
    await opened.close()


async def test_a_secret_is_given_as_it_was_kept_and_stands_sealed_in_the_database(database: Database) -> None:
    secrets = Secrets(database, KEY)
    assert await secrets.put("smtp_password", VALUE, None, ANNA, "r1")
    assert await secrets.reveal("ticket", ["smtp_password", "other", "; DROP TABLE"]) == {"smtp_password": VALUE}
    stored = await database.fetch(sa.select(SECRET.c.value))
    assert "lambdesk-seal-1:" in stored[0][0]
    assert "pa$$" not in str(await database.fetch(sa.select(*SECRET.c, *CHANGE.c)))


async def test_a_secret_is_for_lambdas_of_the_modules_that_it_names(database: Database) -> None:
    secrets = Secrets(database, KEY)
    await secrets.put("api_key", VALUE, ["asset", "ticket", "asset"], ANNA, "r1")
    await secrets.put("nobodys", VALUE, [], ANNA, "r1")
    assert await secrets.reveal("asset", ["api_key", "nobodys"]) == {"api_key": VALUE}
    assert await secrets.reveal("queue", ["api_key", "nobodys"]) == {}


async def test_several_who_keep_it_at_once_leave_one_of_theirs(database: Database) -> None:
    secrets = Secrets(database, KEY)
    values = [f"value number {number}" for number in range(5)]
    made = await asyncio.gather(*(secrets.put("api_key", value, None, ANNA, "r1") for value in values))
    assert sorted(made) == [False, False, False, False, True]
    assert (await secrets.reveal("asset", ["api_key"]))["api_key"] in values


async def test_a_secret_of_another_server_s_key_is_none(database: Database) -> None:
    await Secrets(database, b"o" * 32).put("api_key", VALUE, None, ANNA, "r1")
    assert await Secrets(database, KEY).reveal("asset", ["api_key"]) == {}


async def test_the_list_tells_names_and_who_changed_them(database: Database) -> None:
    secrets = Secrets(database, KEY)
    await secrets.put("b_key", VALUE, ["asset"], ANNA, "r1")
    await secrets.put("a_key", VALUE, None, ANNA, "r1")
    found = await secrets.heads()
    assert [(item.name, item.modules, item.changed_by) for item in found] == [
        ("a_key", None, "anna"),
        ("b_key", ("asset",), "anna"),
    ]


async def test_the_ledger_tells_who_did_it_and_nothing_of_the_value(database: Database) -> None:
    secrets = Secrets(database, KEY)
    assert await secrets.put("api_key", VALUE, None, ANNA, "r1")
    assert not await secrets.put("api_key", VALUE[::-1], None, ANNA, "r2")
    assert not await secrets.put("api_key", VALUE, ["asset"], ANNA, "r3")
    assert await secrets.remove("api_key", ANNA, "r4")
    assert not await secrets.remove("api_key", ANNA, "r5")
    columns = (
        CHANGE.c.module,
        CHANGE.c.row_key,
        CHANGE.c.kind,
        CHANGE.c.actor_login,
        CHANGE.c.request_id,
        CHANGE.c.fields,
    )
    noted = await database.fetch(sa.select(*columns).order_by(CHANGE.c.id))
    assert {(row[0], row[1], row[3]) for row in noted} == {("lambdesk_secret", '["api_key"]', "anna")}
    assert [(row[2], row[4], json.loads(row[5])) for row in noted] == [
        (1, "r1", {}),
        (2, "r2", {}),
        (2, "r3", {"modules": [None, ["asset"]]}),
        (3, "r4", {}),
    ]
    assert await secrets.reveal("asset", ["api_key"]) == {}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("", VALUE, "name"),
        ("Api", VALUE, "name"),
        ("a" * 64, VALUE, "name"),
        ("a-b", VALUE, "name"),
        ("a\n", VALUE, "name"),
        ("api_key", "seven77", "value"),
        ("api_key", "x" * 8_193, "value"),
        ("api_key", "with\0zero", "value"),
        ("api_key", "half\ud800pair", "value"),
    ],
)
async def test_what_is_no_name_or_no_secret_is_refused(database: Database, name: str, value: str, field: str) -> None:
    with pytest.raises(BadSecret) as refused:
        await Secrets(database, KEY).put(name, value, None, ANNA, "r1")
    assert refused.value.field == field
    assert await Secrets(database, KEY).heads() == []
