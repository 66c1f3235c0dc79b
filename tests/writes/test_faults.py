"""Where the database cannot write: a typed answer, nothing half written, and reads go on."""

import pytest
from sqlalchemy import event

from storage.engine import Database
from storage.errors import OutcomeUnknown, StatementFailed, TransactionConflict
from storage.transaction import Transaction
from tests.writes.world import Desk, Place, fresh, mutation, queue

READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET default_transaction_read_only = on",
}
FULL = {"sqlite": "PRAGMA max_page_count = 1"}  # no page more than there are
TEXT = mutation("createGadget")


def told(place: Place, word: str) -> Desk:
    """Open a desk each of whose connections is told something first."""
    database = Database(place.url)

    @event.listens_for(database._engine.sync_engine, "connect")
    def connected(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined] # SQLAlchemy's disguise of the driver
        cursor.execute(word)
        cursor.close()

    return Desk(database, place.snapshot)


@pytest.mark.parametrize("words", [READ_ONLY, FULL], ids=["read-only", "full"])
async def test_what_cannot_be_written_is_said_and_reads_go_on(place: Place, words: dict[str, str]) -> None:
    dialect = place.url.partition(":")[0].partition("+")[0]
    if dialect not in words:
        assert words is FULL  # only an embedded database can be filled up without its neighbours
        return
    desk = told(place, words[dialect])
    try:
        name = fresh("full")
        result = await desk.run(TEXT, {"i": {"gadget": {"name": name, "story": "x" * 200_000}}})
        assert result.errors
        assert (result.errors[0].extensions or {})["code"] == "UNAVAILABLE"
        assert "disk" not in result.errors[0].message
        assert (await desk.ask('{ queue(by: {name: "Raw"}) { name } }'))["queue"] == {"name": "Raw"}
        assert await desk.rows("gadget", f"name = '{name}'") == []
    finally:
        await desk.database.close()


async def test_others_in_the_way_for_too_long_are_said_to_be(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def commit(_transaction: Transaction) -> None:
        raise TransactionConflict

    monkeypatch.setattr(Transaction, "commit", commit)
    name = fresh("busy")
    assert await desk.code(TEXT, {"i": {"gadget": {"name": name}}}) == "UNAVAILABLE"
    assert await desk.rows("gadget", f"name = '{name}'") == []


async def test_a_commit_of_unknown_outcome_is_settled_by_the_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Transaction.commit

    async def commit(transaction: Transaction) -> None:
        await real(transaction)
        raise OutcomeUnknown

    name, key = fresh("lost"), fresh("key")
    given = {"gadget": {"name": name}}
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit", commit)
        assert await desk.code(TEXT, {"i": given}, key=key) == "UNAVAILABLE"
    assert (await desk.write("createGadget", given, "gadget { name }", key=key))["gadget"] == {"name": name}
    assert len(await desk.rows("gadget", f"name = '{name}'")) == 1


async def test_a_failure_in_the_middle_leaves_nothing_of_a_mutation(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row, what stands beside it, its dynamic values and its history are one transaction."""

    async def fail(*_args: object, **_how: object) -> None:
        raise StatementFailed("42")

    monkeypatch.setattr("storage.changes.append", fail)
    name = fresh("Half")
    payload = await desk.write("createQueue", {"queue": queue(name, floor=1)})
    assert [item["code"] for item in payload["errors"]] == ["INVALID"]
    assert await desk.rows("queue", f"name = '{name}'") == []


async def test_an_exception_in_one_mutation_keeps_what_the_one_before_has_written(desk: Desk) -> None:
    key, first = fresh("key"), fresh("first")
    await desk.write("createGadget", {"gadget": {"name": fresh()}}, key=key)
    text = """mutation($n: String!, $m: String!) {
      a: createGadget(input: {gadget: {name: $n}}) { errors { code } }
      createGadget(input: {gadget: {name: $m}}) { errors { code } }
    }"""
    result = await desk.run(text, {"n": first, "m": fresh()}, key=key)
    assert [(error.path, (error.extensions or {})["code"]) for error in result.errors or ()] == [
        (["createGadget"], "BAD_REQUEST")
    ]
    assert len(await desk.rows("gadget", f"name = '{first}'")) == 1


async def test_what_the_database_says_stays_inside(desk: Desk) -> None:
    """Neither the name of a table, a column or a constraint, nor SQL, is in any answer."""
    payload = await desk.write("createGuarded", {"guarded": {"label": "x"}})
    (told_to_the_client,) = payload["errors"]
    assert told_to_the_client["code"] == "INVALID"
    for word in ("forgotten", "INSERT", "NULL", "constraint"):
        assert word not in str({**told_to_the_client, "path": None})
