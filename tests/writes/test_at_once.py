"""On PostgreSQL a row and its change are written by one statement, and nothing that holds for other writes is lost by it."""

from typing import Any

import pytest
import sqlalchemy as sa

from storage.errors import OutcomeUnknown
from storage.own_tables import CHANGE
from storage.transaction import Parameters, Statement, Transaction
from tests.writes.world import Desk, fresh

SHOWN = "salutation { databaseId name comment version }"
USUAL = {
    "create": ["BEGIN", "INSERT", "INSERT", "COMMIT"],
    "update": ["BEGIN", "SELECT", "UPDATE", "INSERT", "COMMIT"],
}


@pytest.fixture(autouse=True)
def there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little time left one begins and commits, to know what became of it."""
    monkeypatch.setattr("resolvers.context.REQUEST_DEADLINE_S", 60.0)


def words(desk: Desk) -> list[str]:
    """Return what the statements since the last time begin with, those that read a payload left out."""
    found = [text.lstrip().split()[0] for text in desk.seen]
    desk.seen.clear()
    return ["BEGIN" if word == "START" else word for word in found]


async def made(desk: Desk, **more: Any) -> dict[str, Any]:
    given = {"name": fresh("Greeting"), "text": "Dear", "contentType": "text/plain", **more}
    return await desk.made("Salutation", given, "databaseId name comment version")


def key(row: dict[str, Any]) -> dict[str, Any]:
    return {"key": {"databaseId": row["databaseId"]}}


async def history(desk: Desk, row: dict[str, Any]) -> list[tuple[Any, ...]]:
    where = f"module = 'salutation' AND row_key = '[{row['databaseId']}]'"
    return [found[1:] for found in await desk.rows("lambdesk_change", where, "id, kind, fields, actor_login")]


async def test_a_row_and_its_change_are_one_statement_on_postgresql(desk: Desk) -> None:
    row = await made(desk)
    change = {**key(row), "patch": {"comment": "Say it softly"}}
    desk.seen.clear()
    assert (await desk.write("updateSalutation", change))["errors"] == []
    assert words(desk) == (["SELECT", "WITH"] if desk.database.dialect.name == "postgresql" else USUAL["update"])
    assert (await desk.write("deleteSalutation", key(row)))["errors"] == []
    assert words(desk) == (["SELECT", "WITH"] if desk.database.dialect.name == "postgresql" else USUAL["update"])
    assert await history(desk, row) == [
        (
            1,
            f'{{"name":[null,"{row["name"]}"],"text":[null,"Dear"],"content_type":[null,"text/plain"],"validity":[null,1]}}',
            "root@localhost",
        ),
        (2, '{"comment":[null,"Say it softly"]}', "root@localhost"),
        (2, '{"validity":[1,2]}', "root@localhost"),
    ]


async def test_what_is_shown_of_the_row_comes_with_it(desk: Desk) -> None:
    if desk.database.dialect.name != "postgresql":
        return
    row = await made(desk)
    change = {**key(row), "ifVersion": row["version"], "patch": {"comment": "new"}}
    desk.seen.clear()
    first = await desk.write("updateSalutation", change, f"{SHOWN} current {{ name }}")
    assert words(desk) == ["SELECT", "WITH"]
    again = await desk.ask(
        f"{{ salutation(by: {{databaseId: {row['databaseId']}}}) {{ databaseId name comment version }} }}"
    )
    assert (first["salutation"], first["current"]) == (again["salutation"], None)
    assert first["salutation"]["version"] != row["version"]


@pytest.mark.parametrize(
    "shown",
    [
        "salutation { name createdBy { login } }",
        "salutation { name queues { totalCount } }",
        "salutationEdge { cursor node { name } }",
        "salutationEdge { node { id name } }",
        "salutation { id } again: salutation { name, validity } salutationEdge { node { changedAt } }",
    ],
)
async def test_whatever_is_shown_of_the_row_is_as_it_is_now(desk: Desk, shown: str) -> None:
    """What the statement cannot say is read after it."""
    name = fresh("Named")
    given = {"salutation": {"name": name, "text": "Dear", "contentType": "text/plain"}}
    payload = await desk.write("createSalutation", given, shown)
    assert payload.pop("errors") == []
    assert None not in payload.values()
    assert name in str(payload)


async def test_a_client_s_key_is_noted_in_the_transaction_of_the_row(desk: Desk) -> None:
    row = await made(desk)
    desk.seen.clear()
    change = {**key(row), "patch": {"comment": fresh()}}
    assert (await desk.write("updateSalutation", change, key=fresh("key")))["errors"] == []
    assert {"BEGIN", "COMMIT"} <= {*words(desk)}


def before_it_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch, text: str) -> list[int]:
    """Let somebody else write between the look at a row and its change, the first time."""
    real, times = Transaction.conclude, list[int]()

    async def conclude(
        transaction: Transaction, statement: Statement, parameters: Parameters = None
    ) -> list[tuple[Any, ...]]:
        times.append(1)
        if len(times) == 1:
            async with desk.database.transaction() as other:
                await other.execute(text)
        return await real(transaction, statement, parameters)

    monkeypatch.setattr(Transaction, "conclude", conclude)
    return times


async def test_who_was_faster_is_not_overwritten_and_stands_in_the_history(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if desk.database.dialect.name != "postgresql":
        return
    row = await made(desk, comment="first")
    faster = f"UPDATE salutation SET comments = 'second', text = 'Hello' WHERE id = {row['databaseId']}"  # noqa: S608
    times = before_it_is_written(desk, monkeypatch, faster)
    payload = await desk.write(
        "updateSalutation", {**key(row), "patch": {"comment": "third"}}, "salutation { text comment }"
    )
    assert (payload["salutation"], payload["errors"]) == ({"text": "Hello", "comment": "third"}, [])
    assert (await history(desk, row))[-1][1] == '{"comment":["second","third"]}'
    assert (len(times), len(await history(desk, row))) == (1, 2)


async def test_a_version_is_held_against_the_row_as_it_is_when_it_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if desk.database.dialect.name != "postgresql":
        return
    row = await made(desk, comment="first")
    faster = f"UPDATE salutation SET comments = 'second' WHERE id = {row['databaseId']}"  # noqa: S608 - our own number
    before_it_is_written(desk, monkeypatch, faster)
    change = {**key(row), "ifVersion": row["version"], "patch": {"comment": "third"}}
    payload = await desk.write("updateSalutation", change, "current { comment }")
    assert [item["code"] for item in payload["errors"]] == ["CONFLICT"]
    assert payload["current"] == {"comment": "second"}
    assert len(await history(desk, row)) == 1


async def test_a_row_that_has_gone_meanwhile_is_not_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    if desk.database.dialect.name != "postgresql":
        return
    row = await made(desk)
    gone = f"DELETE FROM salutation WHERE id = {row['databaseId']}"  # noqa: S608 - our own number
    before_it_is_written(desk, monkeypatch, gone)
    assert await desk.refused("updateSalutation", {**key(row), "patch": {"comment": "x"}}) == [("NOT_FOUND", "key")]
    assert len(await history(desk, row)) == 1


async def test_what_the_database_refuses_leaves_neither_row_nor_change(desk: Desk) -> None:
    row, other = await made(desk), await made(desk)
    change = {**key(row), "patch": {"name": other["name"]}}
    assert await desk.refused("updateSalutation", change) == [("UNIQUE", "patch.name")]
    again = {"salutation": {"name": row["name"], "text": "Dear", "contentType": "text/plain"}}
    assert await desk.refused("createSalutation", again) == [("UNIQUE", "salutation.name")]
    assert [kind for kind, *_ in await history(desk, row)] == [1]
    noted = await desk.database.fetch(sa.select(CHANGE.c.kind).where(CHANGE.c.fields.contains(row["name"])))
    assert noted == [(1,)]


async def test_a_write_whose_outcome_nobody_knows_is_not_done_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if desk.database.dialect.name != "postgresql":
        return
    row = await made(desk)
    times = []

    async def conclude(_transaction: Transaction, *_statement: object) -> list[tuple[Any, ...]]:
        times.append(1)
        raise OutcomeUnknown

    monkeypatch.setattr(Transaction, "conclude", conclude)
    text = "mutation($i: UpdateSalutationInput!) { updateSalutation(input: $i) { errors { code } } }"
    assert await desk.code(text, {"i": {**key(row), "patch": {"comment": "x"}}}) == "UNAVAILABLE"
    assert len(times) == 1
    assert (await desk.database.fetch(sa.select(sa.literal(1)))) == [(1,)]
