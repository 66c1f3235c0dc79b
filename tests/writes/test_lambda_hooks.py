"""Hooks and defaults by lambda: what they see, what they set, what they refuse, and that a write does not pass one that failed."""

from typing import Any

import pytest

from identity.principals import Agent
from identity.rights import Grant, Rights
from lambdas.errors import FailureCode
from tests.writes.played import Failed, Played, Stage
from tests.writes.world import Desk, faults, fresh

SHOWN = "lab { title shortName slug amount grade stamp }"
STRANGER = Rights(Agent(7, "strange"), (Grant(1, "users", "rw"),))


def create(title: str | None = None, **more: Any) -> dict[str, Any]:
    return {"lab": {"title": title or fresh("Lab"), **more}}


async def made(desk: Desk, title: str, **more: Any) -> dict[str, Any]:
    """Make a row whose lambdas do nothing."""
    return await desk.made("Lab", {"title": title, "shortName": "s", "slug": "l", **more}, "id", lambdas=Played())


async def test_a_hook_sees_each_readable_field_under_all_its_names(desk: Desk) -> None:
    seen: list[Stage] = []
    played, title = Played({"lab.before_create": seen.append}), fresh("Lab")
    more: dict[str, Any] = {
        "slug": "s",
        "dueOn": "2026-03-01",
        "dueAt": "2026-03-01T10:00:00Z",
        "span": "PT2M",
        "grade": "HIGH",
    }
    more |= {"marks": ["RED"], "owner": {"login": "root@localhost"}, "price": "2.50", "pass": "hunter2 hunter2"}
    payload = await desk.write("createLab", create(title, **more), lambdas=played)
    assert payload["errors"] == []
    (stage,) = seen
    assert stage.before is None
    assert {name: stage.item[name] for name in ("title", "slug", "slug_text", "due_on", "dueOn", "grade", "marks")} == {
        "title": title,
        "slug": "s",
        "slug_text": "s",
        "due_on": "2026-03-01",
        "dueOn": "2026-03-01",
        "grade": 2,
        "marks": ["red"],
    }
    assert (stage.item["due_at"], stage.item["span"], stage.item["owner"]) == ("2026-03-01T10:00:00Z", 120, 1)
    assert (stage.item["price"], stage.item["id"], stage.item["databaseId"]) == ("2.50", None, None)
    assert "pass" not in stage.item
    assert stage.me["login"] == "root@localhost"


async def test_a_hook_of_a_change_sees_the_row_as_it_would_be_and_as_it_is(desk: Desk) -> None:
    seen: list[Stage] = []
    played, title = Played({"lab.before_update": seen.append}), fresh("Lab")
    key = await made(desk, title, amount=1)
    await desk.write("updateLab", {"key": key, "patch": {"amount": 2}}, lambdas=played)
    (stage,) = seen
    assert (stage.before["amount"], stage.item["amount"], stage.item["title"]) == (1, 2, title)
    assert stage.item["id"] == stage.before["id"] > 0


async def test_hooks_run_in_the_order_of_the_file_and_see_what_those_before_them_set(desk: Desk) -> None:
    played = Played(
        {
            "lab.before_create": lambda stage: stage.set("short_name", stage.item["title"] + "1"),
            "lab.before_create.2": lambda stage: stage.set("slug_text", stage.item["shortName"] + "2"),
        }
    )
    payload = await desk.write("createLab", create("Row" + fresh()), SHOWN, lambdas=played)
    row = payload["lab"]
    assert (row["shortName"], row["slug"]) == (row["title"] + "1", row["title"] + "12")


SET: dict[str, tuple[Any, dict[str, Any]]] = {
    "amount": (3, {"amount": 3}),
    "grade": (2, {"grade": "HIGH"}),
    "marks": (["BLUE", "red"], {"marks": ["BLUE", "RED"]}),
    "due_on": ("2026-05-06T12:00:00.000Z", {"dueOn": "2026-05-06"}),
    "dueAt": ("2026-05-06T12:00:00.000Z", {"dueAt": "2026-05-06T12:00:00Z"}),
    "span": (90, {"span": "PT1M30S"}),
    "price": (1.25, {"price": "1.25"}),
    "owner": (1, {"owner": {"databaseId": 1}}),
    "buyerLogin": ("jane", {"buyerLogin": "jane"}),
    "stamp": ("by rule", {"stamp": "by rule"}),
    "extra": ({"a": [1]}, {"extra": {"a": [1]}}),
    "validity": (2, {"validity": "INVALID"}),
}
ALL = "lab { amount grade marks dueOn dueAt span price owner { databaseId } buyerLogin stamp extra validity }"


@pytest.mark.parametrize("name", SET)
async def test_what_a_hook_sets_is_written_as_the_file_has_it(desk: Desk, name: str) -> None:
    value, expected = SET[name]
    played = Played({"lab.before_create": lambda stage: stage.set(name, value)})
    payload = await desk.write("createLab", create(), ALL, lambdas=played)
    assert payload["errors"] == []
    row = payload["lab"]
    assert {key: row[key] for key in expected} == expected


WRONG = {
    "amount": ("many", "INVALID", "amount", "amount is not valid."),
    "grade": (3, "INVALID", "grade", "grade is not valid."),
    "title": ("x" * 41, "INVALID", "title", "Title may have 40 characters; these are 41."),
    "titel": ("x", "LAMBDA_FAILED", None, "The rule of this module could not be run, so nothing was written."),
    "due_on": ("soon", "INVALID", "dueOn", "due on is not valid."),
    "owner": ("nobody", "INVALID", "owner", "owner is not valid."),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_a_hook_sets_is_held_to_the_file_like_what_a_client_gives(desk: Desk, name: str) -> None:
    value, code, at, message = WRONG[name]
    played = Played({"lab.before_create": lambda stage: stage.set(name, value)})
    payload = await desk.write("createLab", create(), lambdas=played)
    (error,) = payload["errors"]
    assert (error["code"], error["path"], error["message"].casefold()) == (
        code,
        ["lab", at] if at else ["lab"],
        message.casefold(),
    )


async def test_every_rejection_is_told_at_its_field(desk: Desk) -> None:
    def refuse(stage: Stage) -> None:
        stage.reject("short_name", "Too short.")
        stage.reject(None, "Not today.")

    played = Played({"lab.before_create": refuse, "lab.before_create.2": lambda stage: stage.reject("amount", "Less.")})
    title = fresh("Lab")
    payload = await desk.write("createLab", create(title), lambdas=played)
    assert [(item["code"], item["path"], item["message"]) for item in payload["errors"]] == [
        ("LAMBDA_REJECTED", ["lab", "shortName"], "Too short."),
        ("LAMBDA_REJECTED", ["lab"], "Not today."),
        ("LAMBDA_REJECTED", ["lab", "amount"], "Less."),
    ]
    assert await desk.rows("lab", f"title = '{title}'") == []


@pytest.mark.parametrize("code", list(FailureCode))
async def test_a_hook_that_failed_in_whatever_way_denies_the_write_and_says_nothing_of_why(
    desk: Desk, code: FailureCode
) -> None:
    def fail(_: Stage) -> None:
        raise Failed(code)

    key = await made(desk, title := fresh("Lab"), amount=1)
    for event, name, given in (
        ("before_create", "createLab", create(fresh("New"))),
        ("before_update", "updateLab", {"key": key, "patch": {"amount": 2}}),
        ("before_delete", "deleteLab", {"key": key}),
    ):
        played = Played({f"lab.{event}": fail})
        payload = await desk.write(name, given, lambdas=played)
        (error,) = payload["errors"]
        assert (error["code"], error["messageKey"]) == ("LAMBDA_FAILED", "lambda-failed")
        assert error["message"] == "The rule of this module could not be run, so nothing was written."
        assert error["params"]["reason"] == code.value
    assert await desk.rows("lab", f"title = '{title}'", "amount, valid_id") == [(1, 1)]


async def test_only_administrators_are_told_what_went_wrong_inside_a_lambda(desk: Desk) -> None:
    def fail(_: Stage) -> None:
        raise Failed(FailureCode.FAILED, "TypeError: x is undefined", 12)

    played = Played({"open_lab.before_create": fail})
    given = {"openLab": {"title": fresh("Lab")}}
    known = (await desk.write("createOpenLab", given, lambdas=played))["errors"][0]["params"]
    assert known == {
        "lambda": "open_lab.before_create",
        "reason": "LAMBDA_FAILED",
        "detail": "TypeError: x is undefined",
        "line": 12,
    }
    hidden = (await desk.write("createOpenLab", given, lambdas=played, rights=STRANGER))["errors"][0]["params"]
    assert hidden == {"lambda": "open_lab.before_create", "reason": "LAMBDA_FAILED"}


async def test_a_hook_sees_what_the_caller_may_not(desk: Desk) -> None:
    seen: list[Stage] = []
    played = Played({"open_lab.before_update": seen.append})
    key = await desk.made("OpenLab", {"title": fresh("Lab"), "inside": "secret"}, "id", lambdas=Played())
    await desk.write("updateOpenLab", {"key": key, "patch": {"title": fresh("Lab")}}, lambdas=played, rights=STRANGER)
    assert seen[0].item["inside"] == "secret"


# --- defaults ---


async def test_a_default_by_lambda_sees_the_new_row_with_the_defaults_before_it(desk: Desk) -> None:
    played = Played(
        {
            "lab.short_name.default": lambda stage: stage.item["title"].lower(),
            "lab.slug.default": lambda stage: f"{stage.item['short_name']}/{stage.item['owner']}",
            "lab.before_create": lambda stage: stage.set("stamp", stage.item["slug_text"]),
        }
    )
    title = fresh("Lab")
    payload = await desk.write("createLab", create(title, owner={"login": "root@localhost"}), SHOWN, lambdas=played)
    low = title.lower()
    assert (payload["lab"]["shortName"], payload["lab"]["slug"], payload["lab"]["stamp"]) == (
        low,
        f"{low}/1",
        f"{low}/1",
    )


async def test_a_default_that_is_wrong_is_told_like_a_clients_value_and_one_that_failed_denies(desk: Desk) -> None:
    played = Played({"lab.short_name.default": lambda _: 5})
    assert await desk.refused("createLab", create(), lambdas=played) == [("INVALID", "lab.shortName")]

    def fail(_: Stage) -> None:
        raise Failed(FailureCode.TIMEOUT)

    played = Played({"lab.short_name.default": fail})
    assert await desk.refused("createLab", create(), lambdas=played) == [("LAMBDA_FAILED", "lab.shortName")]


async def test_a_default_is_made_only_where_nothing_is_given(desk: Desk) -> None:
    played = Played({"lab.short_name.default": lambda _: "made", "lab.slug.default": lambda _: "made"})
    payload = await desk.write("createLab", create(shortName=None, slug="own"), SHOWN, lambdas=played)
    assert (payload["lab"]["shortName"], payload["lab"]["slug"]) == (None, "own")


# --- custom rules ---


@pytest.mark.parametrize("on", ["create", "update"])
async def test_a_custom_rule_that_returns_false_rejects_with_its_message(desk: Desk, on: str) -> None:
    key = await made(desk, fresh("Lab"))
    # The rules stand behind the hooks of the file.
    calm, sound = {"create": (3, 4), "update": (2, 3)}[on]
    played = Played({f"lab.before_{on}.{calm}": lambda _: False, f"lab.before_{on}.{sound}": lambda _: False})
    given = create() if on == "create" else {"key": key, "patch": {"amount": 2}}
    at = "lab" if on == "create" else "patch"
    for languages, calm_text, sound_text in (
        ((), "No shouting.", "Lab does not meet a rule of its module."),
        (("de",), "Nicht schreien.", "Lab entspricht einer Regel seines Moduls nicht."),
    ):
        payload = await desk.write(f"{on}Lab", given, lambdas=played, languages=languages)
        assert [(item["code"], item["path"], item["message"]) for item in payload["errors"]] == [
            ("LAMBDA_REJECTED", [at, "title"], calm_text),
            ("LAMBDA_REJECTED", [at], sound_text),
        ]


@pytest.mark.parametrize("answer", [True, None, 0, "", "false"])
async def test_a_custom_rule_rejects_by_nothing_but_false(desk: Desk, answer: Any) -> None:
    played = Played({"lab.before_create.3": lambda _: answer})
    assert (await desk.write("createLab", create(), lambdas=played))["errors"] == []


async def test_a_hook_that_returns_false_and_is_no_rule_rejects_nothing(desk: Desk) -> None:
    played = Played({"lab.before_create": lambda _: False})
    assert (await desk.write("createLab", create(), lambdas=played))["errors"] == []


# --- every way of writing ---


async def test_many_rows_are_shown_to_a_hook_in_one_job(desk: Desk) -> None:
    played = Played({"lab.before_create": lambda stage: stage.set("stamp", stage.item["title"])})
    rows = [{"title": fresh("Lab")} for _ in range(30)]
    payload = await desk.write("createLabs", {"labs": rows}, "rows { lab { title stamp } }", lambdas=played)
    assert all(row["lab"]["title"] == row["lab"]["stamp"] for row in payload["rows"])
    jobs = [batch for job in played.jobs for batch in job.batches if batch.script.name == "lab.before_create"]
    assert [len(batch.rows) for batch in jobs] == [30]


async def test_of_many_rows_those_that_a_hook_refuses_are_left_out_where_that_is_wanted(desk: Desk) -> None:
    played = Played(
        {"lab.before_create": lambda stage: stage.reject("title", "No.") if stage.item["amount"] == 2 else 0}
    )
    rows = [{"title": fresh("Lab"), "amount": amount} for amount in (1, 2, 3)]
    given = {"labs": rows, "policy": "SKIP_FAILED"}
    payload = await desk.write("createLabs", given, "affected rows { index errors { code path } }", lambdas=played)
    assert payload["affected"] == 2
    assert [row["errors"] for row in payload["rows"]] == [
        [],
        [{"code": "LAMBDA_REJECTED", "path": ["labs", "1", "title"]}],
        [],
    ]
    whole = await desk.write(
        "createLabs", {"labs": [{**row, "title": fresh("Lab")} for row in rows]}, "affected", lambdas=played
    )
    assert (whole["affected"], [code for code, _ in faults(whole)]) == (0, ["INVALID"])


async def test_restoring_counts_as_a_change_and_a_soft_removal_as_a_removal(desk: Desk) -> None:
    seen: list[tuple[str, Any]] = []
    key = await made(desk, fresh("Lab"))

    def restored(stage: Stage) -> None:
        seen.append(("update", stage.item["valid_id"]))
        stage.set("stamp", "back")

    def removed(stage: Stage) -> None:
        seen.append(("delete", stage.item["validity"]))

    played = Played({"lab.before_delete": removed, "lab.before_update": restored})
    await desk.write("deleteLab", {"key": key}, lambdas=played)
    payload = await desk.write("restoreLab", {"key": key}, "lab { validity stamp }", lambdas=played)
    assert payload["lab"] == {"validity": "VALID", "stamp": "back"}
    assert seen == [("delete", 1), ("update", 1)]
    await desk.write("deleteLab", {"key": key}, lambdas=Played())
    refusing = Played({"lab.before_update": lambda stage: stage.reject(None, "Gone for good.")})
    payload = await desk.write("restoreLab", {"key": key}, lambdas=refusing)
    assert [item["message"] for item in payload["errors"]] == ["Gone for good."]


UNDO = "mutation($i: UndoInput!) { undo(input: $i) { errors { code message path } } }"


async def take_back(desk: Desk, change: str, played: Played) -> list[tuple[str, str]]:
    payload = (await desk.ask(UNDO, {"i": {"change": change}}, lambdas=played))["undo"]
    return [(item["code"], item["message"]) for item in payload["errors"]]


async def newest_change(desk: Desk, key: dict[str, Any]) -> str:
    found = await desk.ask("query($id: ID!) { history(of: $id, first: 1) { id } }", key)
    return str(found["history"][0]["id"])


async def test_a_change_that_is_taken_back_is_shown_to_the_hooks_of_changes(desk: Desk) -> None:
    key = await made(desk, fresh("Lab"), amount=1)
    await desk.write("updateLab", {"key": key, "patch": {"amount": 2}}, lambdas=Played())
    change = await newest_change(desk, key)
    refusing = Played({"lab.before_update": lambda stage: stage.reject("amount", "It stays.")})
    assert await take_back(desk, change, refusing) == [("LAMBDA_REJECTED", "It stays.")]
    stamping = Played({"lab.before_update": lambda stage: stage.set("stamp", f"was {stage.before['amount']}")})
    assert await take_back(desk, change, stamping) == []
    shown = await desk.ask("query($id: ID!) { lab(by: {id: $id}) { amount stamp } }", key)
    assert shown == {"lab": {"amount": 1, "stamp": "was 2"}}


async def test_a_new_row_that_is_taken_back_is_shown_to_the_hooks_of_removals(desk: Desk) -> None:
    key = await made(desk, fresh("Lab"))
    change = await newest_change(desk, key)
    refusing = Played({"lab.before_delete": lambda stage: stage.reject(None, "It stays.")})
    assert await take_back(desk, change, refusing) == [("LAMBDA_REJECTED", "It stays.")]
    assert await take_back(desk, change, Played()) == []


async def test_a_removal_that_is_taken_back_is_shown_to_the_hooks_of_new_rows(desk: Desk) -> None:
    title = fresh("Lab")
    key = await desk.made("OpenLab", {"title": title}, "id", lambdas=Played())
    await desk.write("deleteOpenLab", {"key": key}, lambdas=Played())
    change = await newest_change(desk, key)
    refusing = Played({"open_lab.before_create": lambda stage: stage.reject("title", "Gone.")})
    assert await take_back(desk, change, refusing) == [("LAMBDA_REJECTED", "Gone.")]
    changing = Played({"open_lab.before_create": lambda stage: stage.set("inside", stage.item["title"])})
    assert await take_back(desk, change, changing) == []
    assert await desk.rows("open_lab", f"title = '{title}'", "inside") == [(title,)]


async def test_nothing_is_locked_while_hooks_run(desk: Desk) -> None:
    """A hook of one write may take its time: another write of the same row goes through meanwhile."""
    key = await made(desk, fresh("Lab"), amount=1)
    done: list[Any] = []

    class Slow(Played):
        async def run(self, job: Any, answer: Any = None) -> Any:
            if not done:
                done.append(None)
                other = await desk.write("updateLab", {"key": key, "patch": {"amount": 7}}, lambdas=Played())
                done.append(other["errors"])
            return await super().run(job, answer)

    seen: list[int] = []
    slow = Slow({"lab.before_update": lambda stage: seen.append(stage.before["amount"])})
    payload = await desk.write("updateLab", {"key": key, "patch": {"shortName": "x"}}, "lab { amount }", lambdas=slow)
    assert (payload["lab"], done[1], seen) == ({"amount": 7}, [], [1, 7])
