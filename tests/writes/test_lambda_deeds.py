"""What lambdas ask to be done is done in one transaction as the caller, by the rules of the API, or nothing of it is."""

from collections.abc import Sequence
from typing import Any

import pytest

from identity.principals import Agent, Customer
from identity.rights import Grant, Rights, unbounded
from lambdas.contract import Deed
from lambdas.errors import FailureCode
from resolvers.lambda_deeds import LambdaDeeds, Report
from resolvers.messages import text_of
from resolvers.writing import Writing
from storage.transaction import Transaction
from tests.writes.played import Failed, Played, Stage
from tests.writes.world import AGENT, Desk, fresh

STRANGER = Rights(Agent(7, "strange"), (Grant(1, "users", "rw"),))
CUSTOMER = Rights(Customer(1, "jane", "acme"), companies=("acme",))


async def do(
    desk: Desk, *deeds: Deed, rights: Rights | None = None, lambdas: Played | None = None, **how: Any
) -> Report:
    """Do what a lambda asked for."""
    context = desk.context(rights or unbounded(AGENT), lambdas or Played())
    return await LambdaDeeds(context, Writing()).do(deeds, **how)


def create(module: str, **values: Any) -> Deed:
    return Deed("create", (module, values))


def update(module: str, key: Any, **values: Any) -> Deed:
    return Deed("update", (module, key, values))


def remove(module: str, key: Any) -> Deed:
    return Deed("remove", (module, key))


def told(report: Report) -> list[list[tuple[str, str | None, str]]]:
    """Return what is wrong with each operation: code, path, message."""
    return [
        [
            (fault.code.value, ".".join(fault.path) if fault.path else None, text_of(fault.key, fault.params))
            for fault in operation.faults
        ]
        for operation in report.operations
    ]


async def gadget(desk: Desk, name: str | None = None, **more: Any) -> dict[str, Any]:
    return await desk.made("Gadget", {"name": name or fresh("gadget"), **more}, "id databaseId")


async def test_operations_are_done_in_their_order_and_told_with_the_ids_of_their_rows(desk: Desk) -> None:
    old, name = await gadget(desk), fresh("gadget")
    report = await do(
        desk,
        create("gadget", name=name),
        update("gadget", old["databaseId"], amount=5),
        remove("gadget", old["id"]),
        create("gadget", name=f"{name}-2", amount=7),
    )
    assert report.is_done
    assert [(item.verb, item.module) for item in report.operations] == [
        ("create", "gadget"),
        ("update", "gadget"),
        ("remove", "gadget"),
        ("create", "gadget"),
    ]
    made = await desk.ask(
        "query($id: ID!) { node(id: $id) { ... on Gadget { name } } }", {"id": report.operations[0].id}
    )
    assert made == {"node": {"name": name}}
    assert report.operations[1].id == report.operations[2].id == old["id"]
    assert await desk.rows("gadget", f"name IN ('{name}', '{name}-2')", "amount") == [(7,), (None,)]


NAMES = {
    "by the name of the file": {"due_on": "2026-05-01", "short_name": "a"},
    "by the name of the API": {"dueOn": "2026-05-01", "shortName": "a"},
    "by the column": {"slug_text": "x", "due_on": "2026-05-01", "short_name": "a"},
}


@pytest.mark.parametrize("how", NAMES)
async def test_values_are_named_as_the_author_likes(desk: Desk, how: str) -> None:
    title = fresh("Lab")
    report = await do(desk, create("lab", title=title, **NAMES[how]))
    assert told(report) == [[]]
    assert await desk.rows("lab", f"title = '{title}'", "short_name") == [("a",)]


async def test_values_are_written_as_items_show_them_or_as_the_api_takes_them(desk: Desk) -> None:
    one = {
        "grade": 2,
        "marks": ["red", "blue"],
        "owner": 1,
        "span": 90,
        "price": 2.5,
        "due_at": "2026-05-01T10:00:00.000Z",
    }
    one |= {"validity": 2, "buyerLogin": "jane", "extra": {"a": [1]}, "due_on": "2026-05-01T10:00:00.000Z"}
    other = {"grade": "HIGH", "marks": ["RED", "BLUE"], "owner": {"login": "root@localhost"}, "span": "PT1M30S"}
    other |= {"price": "2.50", "dueAt": "2026-05-01T10:00:00Z", "validity": "INVALID", "buyer_login": "jane"}
    other |= {"extra": {"a": [1]}, "dueOn": "2026-05-01"}
    rows = []
    shown = "grade marks owner { login } span price dueAt dueOn validity buyerLogin extra"
    for values in (one, other):
        report = await do(desk, create("lab", title=fresh("Lab"), short_name="s", slug="l", **values))
        assert told(report) == [[]]
        found = await desk.ask(
            f"query($id: ID!) {{ node(id: $id) {{ ... on Lab {{ {shown} }} }} }}", {"id": report.operations[0].id}
        )
        rows.append({**found["node"], "price": float(found["node"]["price"])})
    assert rows[0] == rows[1]
    assert rows[0]["owner"] == {"login": "root@localhost"}


async def test_a_row_is_named_by_its_global_id_its_key_or_another_unique_key(desk: Desk) -> None:
    name = fresh("gadget")
    row = await gadget(desk, name)
    for amount, key in enumerate((row["id"], row["databaseId"], str(row["databaseId"]), {"name": name})):
        assert told(await do(desk, update("gadget", key, amount=amount))) == [[]]
        assert await desk.rows("gadget", f"name = '{name}'", "amount") == [(amount,)]


WRONG: dict[str, tuple[Deed, list[tuple[str, str | None, str]]]] = {
    "unknown module": (create("gadgets", name="x"), [("NOT_FOUND", None, "There is no module gadgets.")]),
    "no module": (Deed("create", (4, {})), [("NOT_FOUND", None, "There is no module 4.")]),
    "unknown verb": (Deed("drop", ("gadget",)), [("INVALID", None, "Lambdas cannot do this here: drop.")]),
    "no note without tickets": (Deed("note", (1, "x")), [("FORBIDDEN", None, "Lambdas cannot do this here: note.")]),
    "absent operation": (update("guarded", 1, label="x"), [("FORBIDDEN", None, "There is no updateGuarded here.")]),
    "values that are none": (Deed("create", ("gadget", "x")), [("INVALID", None, "The values must be an object.")]),
    "unknown field": (
        create("gadget", name="x", colour="red"),
        [("INVALID", "colour", "gadget has no field colour that takes a value here.")],
    ),
    "read-only field": (
        create("lab", title="x", stamp="me"),
        [("INVALID", "stamp", "lab has no field stamp that takes a value here.")],
    ),
    "value of another type": (
        create("gadget", name="x", amount="many"),
        [("INVALID", "amount", "amount is not valid.")],
    ),
    "missing value": (create("gadget", amount=1), [("REQUIRED", "name", "name is required.")]),
    "null where none may be": (create("gadget", name=None), [("REQUIRED", "name", "name is required.")]),
    "every mistake at once": (
        create("gadget", amount="many", day="soon"),
        [
            ("REQUIRED", "name", "name is required."),
            ("INVALID", "amount", "amount is not valid."),
            ("INVALID", "day", "day is not valid."),
        ],
    ),
    "a rule of the file": (
        update("ruled", 1, seats=501),
        [("INVALID", "patch.seats", "seats must be 500 or less.")],
    ),
    "row that is not there": (update("gadget", 987654, amount=1), [("NOT_FOUND", "key", "There is no such row.")]),
    "key that is none": (remove("gadget", "first"), [("NOT_FOUND", "key", "There is no such row.")]),
    "key of another type": (remove("gadget", True), [("NOT_FOUND", "key", "There is no such row.")]),
    "reference to nothing": (
        create("gadget", name="y", owner=987654),
        [("REFERENCE", "gadget.owner", "owner: there is no such row.")],
    ),
    "option that is none": (create("gadget", name="y", grade="huge"), [("INVALID", "grade", "grade is not valid.")]),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_cannot_be_done_is_told_and_nothing_else_is_done(desk: Desk, what: str) -> None:
    deed, expected = WRONG[what]
    before, after = fresh("gadget"), fresh("gadget")
    report = await do(desk, create("gadget", name=before), deed, create("gadget", name=after))
    assert not report.is_done
    assert [[(code, at, text.casefold()) for code, at, text in found] for found in told(report)] == [
        [],
        [(code, at, text.casefold()) for code, at, text in expected],
        [],
    ]
    assert [item.id for item in report.operations] == [None, None, None]
    assert await desk.rows("gadget", f"name IN ('{before}', '{after}')") == []


async def test_a_value_that_is_taken_by_an_operation_before_it_refuses_all(desk: Desk) -> None:
    name = fresh("gadget")
    report = await do(desk, create("gadget", name=name), create("gadget", name=name))
    assert told(report)[0] == []
    assert [code for code, _, _ in told(report)[1]] == ["UNIQUE"]
    assert await desk.rows("gadget", f"name = '{name}'") == []


async def test_an_operation_sees_what_those_before_it_did(desk: Desk) -> None:
    name = fresh("gadget")
    report = await do(
        desk, create("gadget", name=name), update("gadget", {"name": name}, amount=3), remove("gadget", {"name": name})
    )
    assert report.is_done
    assert len({item.id for item in report.operations}) == 1
    assert await desk.rows("gadget", f"name = '{name}'") == []


async def test_operations_have_the_rights_of_the_caller(desk: Desk) -> None:
    """The stranger may write what is open to all, but not what is for administrators, nor a field that he may not use."""
    title = fresh("Lab")
    assert told(await do(desk, create("open_lab", title=title), rights=STRANGER)) == [[]]
    report = await do(desk, create("open_lab", title=title), create("gadget", name="x"), rights=STRANGER)
    assert told(report) == [[], [("FORBIDDEN", None, "createGadget: you may not create Gadgets.")]]
    report = await do(desk, create("open_lab", title=title, inside="x"), rights=STRANGER)
    assert [code for code, _, _ in told(report)[0]] == ["FORBIDDEN"]
    assert told(await do(desk, create("open_lab", title=title), rights=CUSTOMER)) == [
        [("FORBIDDEN", None, "There is no createOpenLab here.")]
    ]
    assert len(await desk.rows("open_lab", f"title = '{title}'")) == 1


async def test_hooks_have_their_say_and_a_refusal_of_theirs_refuses_all(desk: Desk) -> None:
    def stamp(stage: Stage) -> None:
        stage.set("stamp", f"seen {stage.item['title']}")

    title = fresh("Lab")
    values = {"short_name": "s", "slug": "l"}
    report = await do(desk, create("lab", title=title, **values), lambdas=Played({"lab.before_create": stamp}))
    assert report.is_done
    assert await desk.rows("lab", f"title = '{title}'", "stamp") == [(f"seen {title}",)]

    def refuse(stage: Stage) -> None:
        if stage.item["amount"] == 2:
            stage.reject("amount", "Not two.")

    other, name = fresh("Lab"), fresh("gadget")
    report = await do(
        desk,
        create("gadget", name=name),
        create("lab", title=other, amount=1, **values),
        create("lab", title=fresh("Lab"), amount=2, **values),
        lambdas=Played({"lab.before_create": refuse}),
    )
    assert told(report) == [[], [], [("LAMBDA_REJECTED", "lab.amount", "Not two.")]]
    assert await desk.rows("gadget", f"name = '{name}'") == []

    def fail(_: Stage) -> None:
        raise Failed(FailureCode.BUSY)

    report = await do(desk, create("lab", title=other, **values), lambdas=Played({"lab.before_create": fail}))
    assert [code for code, _, _ in told(report)[0]] == ["LAMBDA_FAILED"]


async def test_hooks_of_one_row_that_is_written_several_times_see_each_step(desk: Desk) -> None:
    key = await desk.made(
        "Lab", {"title": fresh("Lab"), "amount": 0, "shortName": "s", "slug": "l"}, "id databaseId", lambdas=Played()
    )
    shown: dict[int, int] = {}

    def note(stage: Stage) -> None:
        shown[stage.item["amount"]] = stage.before["amount"]

    deeds = [update("lab", key["id"], amount=amount) for amount in (1, 2, 3)]
    assert (await do(desk, *deeds, lambdas=Played({"lab.before_update": note}))).is_done
    assert shown == {1: 0, 2: 1, 3: 2}
    assert await desk.rows("lab", f"id = {key['databaseId']}", "amount") == [(3,)]


async def test_rows_that_are_made_in_the_same_transaction_have_no_key_for_hooks_yet(desk: Desk) -> None:
    first, second = fresh("Lab"), fresh("Lab")
    seen: list[tuple[Any, ...]] = []

    def note(stage: Stage) -> None:
        seen.append((stage.item["title"], stage.item["id"], stage.item["parent"], bool(stage.before)))

    report = await do(
        desk,
        create("lab", title=first, short_name="s", slug="l"),
        create("lab", title=second, short_name="s", slug="l", parent={"title": first}),
        update("lab", {"title": second}, amount=2),
        lambdas=Played({"lab.before_create": note, "lab.before_update": note}),
    )
    assert report.is_done
    assert seen == [(first, None, None, False), (second, None, None, False), (second, None, None, True)]
    key = report.operations[0].key
    assert key
    assert await desk.rows("lab", f"title = '{second}'", "parent, amount") == [(key[0], 2)]


async def test_as_many_operations_as_a_lambda_may_ask_for_are_done_with_hooks(desk: Desk) -> None:
    title = fresh("Lab")
    played = Played({"lab.before_create": lambda stage: stage.set("stamp", stage.item["title"])})
    deeds = [create("lab", title=f"{title}-{number}", short_name="s", slug="l") for number in range(100)]
    assert (await do(desk, *deeds, lambdas=played)).is_done
    assert await desk.rows("lab", f"substr(title, 1, {len(title) + 1}) = '{title}-' AND stamp = title", "COUNT(*)") == [
        (100,)
    ]
    jobs = [batch for job in played.jobs for batch in job.batches if batch.script.name == "lab.before_create"]
    assert [len(batch.rows) for batch in jobs] == [100]


async def test_a_step_behind_the_operations_belongs_to_their_transaction(desk: Desk) -> None:
    name, other = fresh("gadget"), fresh("gadget")
    seen: list[Sequence[Any]] = []

    async def look(transaction: Transaction) -> None:
        seen.append(await transaction.execute(f"SELECT name FROM gadget WHERE name = '{name}'"))  # noqa: S608 - the test's own words

    assert (await do(desk, create("gadget", name=name), last=look)).is_done
    assert [list(map(tuple, rows)) for rows in seen] == [[(name,)]]

    async def fail(_: Transaction) -> None:
        raise LookupError("not delivered")

    with pytest.raises(LookupError):
        await do(desk, create("gadget", name=other), last=fail)
    assert await desk.rows("gadget", f"name = '{other}'") == []


async def test_nothing_to_do_is_done(desk: Desk) -> None:
    assert (await do(desk)).operations == []
