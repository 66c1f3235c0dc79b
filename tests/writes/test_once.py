"""A mutation with an Idempotency-Key is done once; transactions that others were in the way of are run again."""

import asyncio
import hashlib
import json

import pytest

from identity.principals import Agent
from storage.errors import TransactionConflict
from storage.transaction import Transaction
from tests.writes.world import Desk, faults, fresh, mutation, queue

SELECT = "queue { id version } queueEdge { cursor }"


async def test_the_same_key_gives_the_same_answer_and_one_row(desk: Desk) -> None:
    key, name = fresh("key"), fresh("Queue")
    first = await desk.write("createQueue", {"queue": queue(name)}, SELECT, key=key)
    assert await desk.write("createQueue", {"queue": queue(name)}, SELECT, key=key) == first
    assert len(await desk.rows("queue", f"name = '{name}'")) == 1


async def test_a_repeated_change_and_a_repeated_removal_are_answered_and_not_done_again(desk: Desk) -> None:
    made = await desk.made("Gadget", {"name": fresh(), "amount": 1}, "id version")
    key = fresh("key")
    given = {"key": {"id": made["id"]}, "ifVersion": made["version"], "patch": {"amount": 2}}
    for _ in range(2):  # the second would be a conflict
        assert (await desk.write("updateGadget", given, "gadget { amount }", key=key))["gadget"] == {"amount": 2}
    for _ in range(2):
        gone = await desk.write("deleteGadget", {"key": {"id": made["id"]}}, "deletedGadgetId", key=f"{key}d")
        assert (gone["deletedGadgetId"], gone["errors"]) == (made["id"], [])


async def test_another_input_with_the_same_key_is_refused(desk: Desk) -> None:
    key, other = fresh("key"), fresh("Queue")
    await desk.write("createQueue", {"queue": queue()}, key=key)
    assert await desk.code(mutation("createQueue"), {"i": {"queue": queue(other)}}, key=key) == "BAD_REQUEST"
    assert await desk.rows("queue", f"name = '{other}'") == []


async def test_what_was_refused_may_be_tried_again_with_the_same_key(desk: Desk) -> None:
    key, name = fresh("key"), fresh("Group")
    given = {"queue": queue(group={"name": name})}
    assert faults(await desk.write("createQueue", given, key=key)) == [("REFERENCE", "queue.group")]
    await desk.made("Group", {"name": name})
    assert (await desk.write("createQueue", given, key=key))["errors"] == []


async def test_keys_belong_to_their_caller_and_to_the_field_of_the_answer(desk: Desk) -> None:
    key = fresh("key")
    for number in (1, 2):
        caller = Agent(number, f"agent {number}")
        assert (await desk.write("createGadget", {"gadget": {"name": f"{key}-{number}"}}, key=key, caller=caller))[
            "errors"
        ] == []
    text = """mutation($n: String!, $m: String!) {
      a: createGadget(input: {gadget: {name: $n}}) { errors { code } } b: createGadget(input: {gadget: {name: $m}}) { errors { code } }
    }"""
    assert await desk.ask(text, {"n": f"{key}a", "m": f"{key}b"}, key=key) == {"a": {"errors": []}, "b": {"errors": []}}


async def test_of_twenty_at_once_with_the_same_key_one_is_done_and_all_are_answered(desk: Desk) -> None:
    key, name = fresh("key"), fresh("Gadget")
    given = {"gadget": {"name": name}}
    payloads = await asyncio.gather(*(desk.write("createGadget", given, "gadget { id }", key=key) for _ in range(20)))
    assert all(payload == payloads[0] for payload in payloads)
    assert payloads[0]["errors"] == []
    assert len(await desk.rows("gadget", f"name = '{name}'")) == 1


async def test_nothing_that_could_be_guessed_of_a_password_is_kept_with_a_key(desk: Desk) -> None:
    """The fingerprint of an input is made with the server's secret: a plain digest would be quick to try passwords on."""
    name, key = fresh(), fresh("key")
    given = {"gadget": {"name": name, "pass": "hunter2"}}
    await desk.write("createGadget", given, key=key)
    stored = {row[0] for row in await desk.rows("lambdesk_idempotency", columns="fingerprint")}
    plain = json.dumps(["createGadget", given], sort_keys=True, default=str)
    assert hashlib.sha256(plain.encode()).hexdigest() not in stored


async def test_a_transaction_that_another_was_in_the_way_of_is_run_again_as_a_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Transaction.commit, [TransactionConflict(), TransactionConflict()]

    async def commit(transaction: Transaction) -> None:
        if failures:
            raise failures.pop()
        await real(transaction)

    monkeypatch.setattr(Transaction, "commit", commit)
    name = fresh("Queue")
    made = await desk.write("createQueue", {"queue": queue(name, costCenter=fresh("c"))}, "queue { costCenter }")
    assert made["errors"] == []
    assert len(await desk.rows("queue", f"name = '{name}'")) == 1


async def test_two_who_lock_each_others_rows_both_get_through(desk: Desk) -> None:
    one, two = (
        await desk.made("Gadget", {"name": fresh("d")}, "id name"),
        await desk.made("Gadget", {"name": fresh("d")}, "id name"),
    )

    async def change(row: dict[str, str], amount: int) -> list[tuple[str, str | None]]:
        given = {"filter": {"name": {"in": [one["name"], two["name"]]}}, "maxAffected": 2, "patch": {"amount": amount}}
        return [
            *faults(await desk.write("updateGadgets", given)),
            *faults(await desk.write("updateGadget", {"key": {"id": row["id"]}, "patch": {"big": str(amount)}})),
        ]

    found = await asyncio.gather(*(change((one, two)[number % 2], number) for number in range(8)))
    assert found == [[]] * 8


async def test_of_two_changes_of_the_same_version_one_wins(desk: Desk) -> None:
    made = await desk.made("Gadget", {"name": fresh(), "amount": 0}, "id version")
    payloads = await asyncio.gather(
        *(
            desk.write(
                "updateGadget",
                {"key": {"id": made["id"]}, "ifVersion": made["version"], "patch": {"amount": number}},
                "current { amount }",
            )
            for number in range(1, 6)
        )
    )
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1, 1, 1]
    losers = [payload for payload in payloads if payload["errors"]]
    assert {faults(payload)[0][0] for payload in losers} == {"CONFLICT"}
    assert len({payload["current"]["amount"] for payload in losers} - {0}) == 1
