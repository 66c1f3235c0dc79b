"""Actions of module files: mutations whose lambda says what is to be done with a row, done whole or not at all."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
from graphql import print_type

from identity.principals import Agent, Customer, Scope, Token
from identity.rights import Grant, Rights
from identity.secrets import Secrets as SecretKeeper
from lambdas.contract import Answer, Power
from lambdas.errors import FailureCode
from lambdas.http_client import HttpClient
from resolvers.lambda_outside import Outside
from schema.spec import Audience, Operation
from tests.writes.played import Failed, Played, Stage
from tests.writes.world import Desk, fresh

STRANGER = Rights(Agent(7, "strange"), (Grant(1, "users", "rw"),))
SHOWN = "lab { title amount } current { amount } result log clientMutationId operations { verb module id errors { code path } }"


async def lab(desk: Desk, **more: Any) -> dict[str, Any]:
    """Make a row whose lambdas do nothing."""
    given = {"title": fresh("Lab"), "amount": 1, "shortName": "s", "slug": "l", **more}
    return await desk.made("Lab", given, "id databaseId version title", lambdas=Played())


async def poked(desk: Desk, **more: Any) -> dict[str, Any]:
    return await desk.made("OpenLab", {"title": fresh("Lab"), **more}, "id databaseId", lambdas=Played())


async def bump(desk: Desk, row: dict[str, Any], played: Played, **given: Any) -> dict[str, Any]:
    """Carry the action out."""
    how = {name: given.pop(name) for name in ("rights", "languages", "outside") if name in given}
    given = {"key": {"id": row["id"]}, "whyNot": "x", **given}
    return await desk.write("labBump", given, SHOWN, lambdas=played, **how)


def raising(stage: Stage) -> Any:
    """Raise the amount of the row by the argument."""
    stage.log(f"was {stage.item['amount']}")
    stage.do("update", "lab", stage.item["id"], {"amount": stage.item["amount"] + stage.args["by"]})
    return {"by": stage.args["by"], "again": [True, None]}


async def test_an_action_does_what_its_lambda_asks_for_and_returns_what_it_returned(desk: Desk) -> None:
    row = await lab(desk)
    payload = await bump(desk, row, Played({"lab.bump": raising}), by=4, clientMutationId="c")
    assert payload == {
        "lab": {"title": row["title"], "amount": 5},
        "current": None,
        "result": {"by": 4, "again": [True, None]},
        "log": ["was 1"],
        "clientMutationId": "c",
        "operations": [{"verb": "update", "module": "lab", "id": row["id"], "errors": []}],
        "errors": [],
    }


async def test_a_lambda_sees_the_row_its_arguments_and_their_defaults(desk: Desk) -> None:
    seen: list[Stage] = []
    row = await lab(desk, grade="HIGH", owner={"databaseId": 1})
    await bump(desk, row, Played({"lab.bump": seen.append}), since="2026-05-01T10:00:00+02:00")
    (stage,) = seen
    assert stage.args == {
        "by": 1,
        "why_not": "x",
        "whyNot": "x",
        "since": "2026-05-01T08:00:00Z",
        "span": 90,
    }
    found = {name: stage.item[name] for name in ("id", "title", "grade", "owner", "slug_text")}
    assert found == {"id": row["databaseId"], "title": row["title"], "grade": 2, "owner": 1, "slug_text": "l"}
    assert stage.before is None
    assert stage.me["login"] == "root@localhost"


def test_the_mutation_is_made_of_what_the_file_says(desk: Desk) -> None:
    schema = desk.snapshot.schema_for(Audience.AGENT)
    mutation = schema.mutation_type
    assert mutation is not None
    field = mutation.fields["labBump"]
    assert field.description == "Raise the amount. Pages ask before it: Really?"
    assert mutation.fields["labOldWay"].deprecation_reason == "use bump"
    assert print_type(schema.type_map["LabBumpInput"]) == (
        "input LabBumpInput {\n"
        "  key: LabKey!\n"
        "  ifVersion: String\n"
        "  by: Int = 1\n"
        "  whyNot: String!\n"
        "  since: DateTime\n"
        '  span: Duration = "PT1M30S"\n'
        "  clientMutationId: String\n"
        "}"
    )
    fields = {name: str(item.type) for name, item in schema.type_map["LabBumpPayload"].fields.items()}  # type: ignore[attr-defined]
    assert fields == {
        "lab": "Lab",
        "current": "Lab",
        "result": "JSON",
        "operations": "[LambdaOperation!]!",
        "log": "[String!]!",
        "errors": "[UserError!]!",
        "clientMutationId": "String",
    }


async def test_an_operation_that_cannot_be_done_keeps_all_from_being_done_and_is_told_twice(desk: Desk) -> None:
    """Once for people, as an error of the mutation, and once beside the operation, with its path into the values."""

    def twice(stage: Stage) -> None:
        raising(stage)
        stage.do("update", "lab", stage.item["id"], {"amount": -1})

    row = await lab(desk)
    for languages, message in (
        ((), "Operation 2 (update lab) could not be done, so nothing was: amount must be 0 or more."),
        (
            ("de",),
            "Vorgang 2 (update lab) war nicht möglich, darum ist nichts geschehen: amount muss mindestens 0 sein.",
        ),
    ):
        payload = await bump(desk, row, Played({"lab.bump": twice}), languages=languages)
        (error,) = payload["errors"]
        assert (error["code"], error["path"], error["message"].casefold()) == ("INVALID", None, message.casefold())
        assert payload["operations"] == [
            {"verb": "update", "module": "lab", "id": None, "errors": []},
            {
                "verb": "update",
                "module": "lab",
                "id": None,
                "errors": [{"code": "INVALID", "path": ["patch", "amount"]}],
            },
        ]
        assert (payload["lab"], payload["result"], payload["log"]) == (None, None, ["was 1"])
    assert await desk.rows("lab", f"id = {row['databaseId']}", "amount") == [(1,)]


async def test_hooks_of_the_rows_have_their_say(desk: Desk) -> None:
    row = await lab(desk)
    refusing = Played({"lab.bump": raising, "lab.before_update": lambda stage: stage.reject("amount", "Enough.")})
    payload = await bump(desk, row, refusing)
    assert payload["errors"][0]["message"] == "Operation 1 (update lab) could not be done, so nothing was: Enough."
    assert payload["operations"][0]["errors"] == [{"code": "LAMBDA_REJECTED", "path": ["patch", "amount"]}]


async def test_a_lambda_may_refuse_at_an_argument_a_field_or_as_a_whole(desk: Desk) -> None:
    def refuse(stage: Stage) -> None:
        raising(stage)
        stage.reject("why_not", "Say more.")
        stage.reject("slug_text", "Odd.")
        stage.reject(None, "Not today.")

    row = await lab(desk)
    payload = await bump(desk, row, Played({"lab.bump": refuse}))
    assert [(item["code"], item["path"], item["message"]) for item in payload["errors"]] == [
        ("LAMBDA_REJECTED", ["whyNot"], "Say more."),
        ("LAMBDA_REJECTED", ["slug"], "Odd."),
        ("LAMBDA_REJECTED", None, "Not today."),
    ]
    assert await desk.rows("lab", f"id = {row['databaseId']}", "amount") == [(1,)]


@pytest.mark.parametrize("code", list(FailureCode))
async def test_a_lambda_that_failed_changes_nothing_and_only_administrators_are_told_why(
    desk: Desk, code: FailureCode
) -> None:
    def fail(stage: Stage) -> None:
        stage.log("inside")
        stage.do("remove", "open_lab", stage.item["id"])
        raise Failed(code, "TypeError: x is undefined", 3)

    row = await poked(desk)
    played = Played({"open_lab.poke": fail})
    shown = "openLab { id } log operations { verb }"
    given = {"key": {"id": row["id"]}}
    known = {"action": "poke", "lambda": "open_lab.poke", "reason": code.value}
    detail = {"detail": "TypeError: x is undefined", "line": 3}
    for rights, lines, params in ((None, ["inside"], {**known, **detail}), (STRANGER, [], known)):
        payload = await desk.write("openLabPoke", given, shown, lambdas=played, rights=rights)
        assert (payload["openLab"], payload["log"], payload["operations"]) == (None, lines, [])
        (error,) = payload["errors"]
        assert (error["code"], error["message"]) == ("LAMBDA_FAILED", "Poke failed, and nothing was changed.")
        assert {**error["params"], "action": error["params"]["action"].casefold()} == params
    assert len(await desk.rows("open_lab", f"id = {row['databaseId']}")) == 1


# --- rights ---


async def test_who_may_change_a_row_may_have_its_actions(desk: Desk) -> None:
    played = Played({"open_lab.poke": lambda _: "poked"})
    row = await poked(desk)
    given = {"key": {"id": row["id"]}}
    assert (await desk.write("openLabPoke", given, "result", lambdas=played, rights=STRANGER))["result"] == "poked"
    # Its rules leave these rows alone: one may be seen and not changed, one not be seen.
    for title, expected in (("closed", ("FORBIDDEN", "key")), ("hidden", ("NOT_FOUND", "key"))):
        row = await poked(desk, title=title)
        assert await desk.refused("openLabPoke", {"key": {"id": row["id"]}}, lambdas=played, rights=STRANGER) == [
            expected
        ]
    assert len(played.jobs) == 1
    lab_row = await lab(desk)
    document = "mutation($i: LabBumpInput!) { labBump(input: $i) { result } }"
    wanted: dict[str, Any] = {"key": {"id": lab_row["id"]}, "whyNot": "x"}
    assert await desk.code(document, {"i": wanted}, lambdas=played, rights=STRANGER) == "FORBIDDEN"


async def test_a_token_needs_the_scope_to_change(desk: Desk) -> None:
    played = Played({"open_lab.poke": lambda _: "poked"})
    row = await poked(desk)
    document = "mutation($i: OpenLabPokeInput!) { openLabPoke(input: $i) { result } }"
    given = {"i": {"key": {"id": row["id"]}}}
    for operations, may in (({Operation.VIEW, Operation.UPDATE}, True), ({Operation.VIEW, Operation.CREATE}, False)):
        token = Token(1, "robot", Agent(7, "strange"), Scope(None, frozenset(operations)))
        rights = Rights(token, STRANGER.grants)
        if may:
            assert (await desk.ask(document, given, lambdas=played, rights=rights))["openLabPoke"]["result"] == "poked"
        else:
            assert await desk.code(document, given, lambdas=played, rights=rights) == "FORBIDDEN"


async def test_a_lambda_sees_of_the_row_what_the_caller_sees(desk: Desk) -> None:
    seen: list[Stage] = []
    row = await poked(desk, inside="secret")
    given = {"key": {"id": row["id"]}}
    played = Played({"open_lab.poke": seen.append})
    await desk.write("openLabPoke", given, lambdas=played)
    await desk.write("openLabPoke", given, lambdas=played, rights=STRANGER)
    assert [stage.item.get("inside", "nothing") for stage in seen] == ["secret", "nothing"]


async def test_what_a_lambda_asks_for_is_done_with_the_rights_of_the_caller(desk: Desk) -> None:
    row = await poked(desk)
    name = fresh("gadget")
    played = Played({"open_lab.poke": lambda stage: stage.do("create", "gadget", {"name": name})})
    payload = await desk.write("openLabPoke", {"key": {"id": row["id"]}}, lambdas=played, rights=STRANGER)
    assert [(item["code"], item["message"]) for item in payload["errors"]] == [
        (
            "FORBIDDEN",
            "Operation 1 (create gadget) could not be done, so nothing was: createGadget: you may not create Gadgets.",
        )
    ]
    assert await desk.rows("gadget", f"name = '{name}'") == []


def test_customers_have_the_actions_that_a_rule_grants_them(desk: Desk) -> None:
    mutation = desk.snapshot.schema_for(Audience.CUSTOMER).mutation_type
    assert mutation is not None
    assert "sharedLabThank" in mutation.fields
    assert "openLabPoke" not in mutation.fields
    assert "LabBumpInput" not in desk.snapshot.schema_for(Audience.CUSTOMER).type_map


async def test_a_customer_carries_out_an_action(desk: Desk) -> None:
    rights = Rights(Customer(1, "jane", "acme"), companies=("acme",))
    row = await desk.made("SharedLab", {"title": fresh("Lab")}, "id")
    thanks = Played(
        {
            "shared_lab.thank": lambda stage: stage.do(
                "update", "shared_lab", stage.item["id"], {"thanks": stage.me["login"]}
            )
        }
    )
    payload = await desk.write(
        "sharedLabThank", {"key": {"id": row["id"]}}, "sharedLab { thanks }", lambdas=thanks, rights=rights
    )
    assert payload == {"sharedLab": {"thanks": "jane"}, "errors": []}


# --- rows, versions, keys ---


async def test_the_row_is_named_by_any_of_its_keys_and_must_be_there(desk: Desk) -> None:
    row = await lab(desk)
    played = Played({"lab.bump": lambda stage: stage.item["id"]})
    for key in ({"id": row["id"]}, {"databaseId": row["databaseId"]}, {"title": row["title"]}):
        payload = await desk.write("labBump", {"key": key, "whyNot": "x"}, "result", lambdas=played)
        assert payload["result"] == row["databaseId"]
    assert await desk.refused("labBump", {"key": {"databaseId": 987654}, "whyNot": "x"}, lambdas=played) == [
        ("NOT_FOUND", "key")
    ]


async def test_an_action_on_another_version_is_a_conflict_and_its_lambda_does_not_run(desk: Desk) -> None:
    row = await lab(desk)
    played = Played({"lab.bump": raising})
    assert (await bump(desk, row, played, ifVersion=row["version"]))["lab"]["amount"] == 2
    payload = await bump(desk, row, played, ifVersion=row["version"])
    assert [(item["code"], item["message"]) for item in payload["errors"]] == [
        ("CONFLICT", "The row was changed since it was read.")
    ]
    assert (payload["lab"], payload["current"]) == (None, {"amount": 2})
    assert len([job for job in played.jobs if job.batches[0].script.name == "lab.bump"]) == 1


async def test_a_row_that_changed_while_the_lambda_ran_is_a_conflict(desk: Desk) -> None:
    row = await lab(desk)

    class Slow(Played):
        async def run(self, job: Any, answer: Any = None) -> Any:
            if job.batches[0].script.name == "lab.bump":
                await desk.write("updateLab", {"key": {"id": row["id"]}, "patch": {"amount": 7}}, lambdas=Played())
            return await super().run(job, answer)

    payload = await bump(desk, row, Slow({"lab.bump": raising}), ifVersion=row["version"])
    assert [item["code"] for item in payload["errors"]] == ["CONFLICT"]
    assert payload["current"] == {"amount": 7}
    assert await desk.rows("lab", f"id = {row['databaseId']}", "amount") == [(7,)]


async def test_an_action_with_the_same_idempotency_key_is_done_once(desk: Desk) -> None:
    row = await lab(desk)
    played = Played({"lab.bump": raising})
    key = fresh("key")
    given = {"key": {"id": row["id"]}, "whyNot": "x"}
    first, again = [await desk.write("labBump", given, SHOWN, lambdas=played, key=key) for _ in range(2)]
    assert first == again
    assert first["lab"]["amount"] == 2
    assert len([job for job in played.jobs if job.batches[0].script.name == "lab.bump"]) == 1
    other = "mutation($i: LabBumpInput!) { labBump(input: $i) { result } }"
    assert await desk.code(other, {"i": {**given, "by": 3}}, lambdas=played, key=key) == "BAD_REQUEST"


async def test_an_action_that_asks_for_nothing_is_done_once_a_key_too(desk: Desk) -> None:
    row = await lab(desk)
    ran: list[int] = []

    def count(_: Stage) -> int:
        ran.append(1)
        return len(ran)

    given = {"key": {"id": row["id"]}, "whyNot": "x"}
    key = fresh("key")
    for _ in range(2):
        payload = await desk.write(
            "labBump", given, "result lab { amount }", lambdas=Played({"lab.bump": count}), key=key
        )
        assert (payload["result"], payload["lab"]) == (1, {"amount": 1})


async def test_an_action_may_remove_its_row(desk: Desk) -> None:
    row = await poked(desk)
    played = Played({"open_lab.poke": lambda stage: stage.do("remove", "open_lab", stage.item["id"])})
    payload = await desk.write(
        "openLabPoke", {"key": {"id": row["id"]}}, "openLab { id } operations { verb id }", lambdas=played
    )
    assert payload == {"openLab": None, "operations": [{"verb": "remove", "id": row["id"]}], "errors": []}


async def test_several_actions_of_an_operation_are_carried_out_one_after_the_other(desk: Desk) -> None:
    row = await lab(desk)
    document = """mutation($k: LabKey!) {
      a: labBump(input: {key: $k, whyNot: "x", by: 2}) { lab { amount } }
      b: labBump(input: {key: $k, whyNot: "x", by: 3}) { lab { amount } errors { code } }
    }"""
    data = await desk.ask(document, {"k": {"id": row["id"]}}, lambdas=Played({"lab.bump": raising}))
    assert data == {"a": {"lab": {"amount": 3}}, "b": {"lab": {"amount": 6}, "errors": []}}


# --- what is asked beyond the data ---


class Http:
    """Answers calls with what they ask for."""

    async def answer(self, args: Sequence[Any], left_s: float | None) -> Answer:
        assert left_s is not None
        return Answer({"status": 200, "text": args[1]})


class Secrets:
    """Knows one secret of the lambdas of `lab`."""

    async def reveal(self, module: str, names: Sequence[str]) -> Mapping[str, str]:
        return {name: "hunter2 hunter2" for name in names if (module, name) == ("lab", "api_key")}


OUTSIDE = Outside(cast("HttpClient", Http()), cast("SecretKeeper", Secrets()))


def calling(stage: Stage) -> Any:
    key = stage.ask(Power.SECRET, "secret", "api_key")
    answer = stage.ask(Power.HTTP, "http", "GET", f"https://example.org/?{key}", None, None)
    stage.log(f"sent {key}")
    stage.do("update", "lab", stage.item["id"], {"short_name": key, "amount": answer["status"]})
    return answer


async def test_an_action_asks_servers_and_secrets_and_shows_no_secret(desk: Desk) -> None:
    row = await lab(desk)
    payload = await bump(desk, row, Played({"lab.bump": calling}), outside=OUTSIDE)
    assert payload["errors"] == []
    assert (payload["lab"]["amount"], payload["result"]["status"]) == (200, 200)
    assert "hunter2" not in json.dumps(payload)
    assert await desk.rows("lab", f"id = {row['databaseId']}", "short_name") == [
        ("hunter2 hunter2",)
    ]  # as it was asked


QUOTING: dict[str, Callable[[str], tuple[Any, ...]]] = {
    "as a module": lambda key: ("create", key, {}),
    "as a field": lambda key: ("create", "lab", {key: 1}),
    "as an operation": lambda key: (key, "lab"),
    "as a value": lambda key: ("update", "lab", 1, {"owner": {"login": key}}),
    "as a key": lambda key: ("remove", "lab", key),
}


@pytest.mark.parametrize("how", QUOTING)
async def test_a_message_that_quotes_a_secret_does_not_show_it(desk: Desk, how: str) -> None:
    def quote(stage: Stage) -> None:
        stage.do(*QUOTING[how](stage.ask(Power.SECRET, "secret", "api_key")))

    payload = await bump(desk, await lab(desk), Played({"lab.bump": quote}), outside=OUTSIDE)
    assert len(payload["errors"]) == 1
    assert "hunter2" not in json.dumps(payload)


async def test_without_a_way_outside_an_action_has_none(desk: Desk) -> None:
    payload = await bump(desk, await lab(desk), Played({"lab.bump": calling}))
    assert payload["errors"][0]["params"]["detail"] == "secret is not available here."


async def test_hooks_before_a_write_ask_nobody_outside(desk: Desk) -> None:
    row = await lab(desk)
    given = {"key": {"id": row["id"]}, "patch": {"amount": 2}}
    payload = await desk.write("updateLab", given, lambdas=Played({"lab.before_update": calling}), outside=OUTSIDE)
    assert payload["errors"][0]["params"]["detail"] == "secret is not available here."
