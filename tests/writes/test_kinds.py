"""Every kind of field is written and reads back as it was given, whatever column holds it."""

from typing import Any

import bcrypt
import pytest

from identity.passwords import encode
from identity.seals import unseal
from tests.writes.world import SECRET, Desk, customer, fresh

VALUES: dict[str, Any] = {
    "story": "Ein Satz.\nNoch einer — 😀",
    "notes": "# Title\n\n* a\n",
    "page": "<p>plain</p>",
    "amount": -(2**31),
    "big": str(2**63 - 1),
    "ratio": 0.1,
    "price": "123456.789",
    "active": False,
    "day": "2024-02-29",
    "clock": "23:59:58",
    "moment": "2026-07-01T10:00:00Z",
    "due": "2026-07-01T10:00:00Z",
    "span": "-PT1H30M",
    "grade": "HIGH",
    "mode": "TWO",
    "marks": ["RED", "BLUE"],
    "tint": "#1f6feb",
    "mail": "a@b.example",
    "site": "https://example.com/?a=b",
    "call": "+49 (30) 1234-5",
    "dial": 0.5,
    "extra": {"a": [1, 2.5, None, True, "x"], "ä": {}},
    "config": {"yes": "NO", "time": "12:30", "list": [1, None, False, "1", "0o7", "null", ""], "text": "a\nb\n"},
}


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_of_every_kind_is_stored_changed_and_emptied(desk: Desk, name: str) -> None:
    made = await desk.made("Gadget", {"name": fresh(), name: VALUES[name]}, f"id version {name}")
    assert made[name] == VALUES[name]
    again = await desk.write(
        "updateGadget", {"key": {"id": made["id"]}, "patch": {name: None}}, f"gadget {{ version {name} }}"
    )
    assert again["errors"] == []
    assert again["gadget"][name] is None
    assert again["gadget"]["version"] != made["version"]
    back = await desk.write(
        "updateGadget", {"key": {"id": made["id"]}, "patch": {name: VALUES[name]}}, f"gadget {{ version {name} }}"
    )
    assert back["gadget"] == {"version": made["version"], name: VALUES[name]}


async def test_all_kinds_are_written_at_once(desk: Desk) -> None:
    select = " ".join(VALUES)
    assert await desk.made("Gadget", {"name": fresh(), **VALUES}, select) == VALUES


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, "1"), ({"a": 1}, {"a": True}), ([0], [False]), ("true", True), ({"a": None}, {}), ([1, 2], [2, 1])],
)
@pytest.mark.parametrize("name", ["extra", "config"])
async def test_values_that_only_look_alike_are_not_the_same(desk: Desk, name: str, before: Any, after: Any) -> None:
    made = await desk.made("Gadget", {"name": fresh(), name: before}, "id")
    changed = await desk.write("updateGadget", {"key": made, "patch": {name: after}}, f"gadget {{ {name} }}")
    found = changed["gadget"][name]
    assert (repr(found), found) == (repr(after), after)


async def test_moments_are_whole_seconds_and_times_of_day_too(desk: Desk) -> None:
    given = {"moment": "2026-07-01T12:00:00.999+02:00", "due": "2026-07-01T10:00:00.999Z", "clock": "10:00:00.999"}
    made = await desk.made("Gadget", {"name": fresh(), **given}, "moment due clock")
    assert made == {"moment": "2026-07-01T10:00:00Z", "due": "2026-07-01T10:00:00Z", "clock": "10:00:00"}


@pytest.mark.parametrize("moment", ["0044-03-15T00:00:00Z", "1000-01-01T00:00:00Z", "9999-12-30T23:59:59Z"])
async def test_moments_far_away_are_kept(desk: Desk, moment: str) -> None:
    assert (await desk.made("Gadget", {"name": fresh(), "moment": moment}, "moment"))["moment"] == moment


async def test_a_reference_is_named_by_any_unique_key(desk: Desk) -> None:
    user = (await desk.ask('{ user(by: {login: "root@localhost"}) { id databaseId login } }'))["user"]
    for name in ("id", "databaseId", "login"):
        made = await desk.made("Gadget", {"name": fresh(), "owner": {name: user[name]}}, "owner { login }")
        assert made["owner"]["login"] == "root@localhost"


async def test_a_reference_by_text_is_given_as_a_row_or_as_the_text_itself(desk: Desk) -> None:
    login = (await desk.made("CustomerUser", customer(), "login"))["login"]
    select = "buyer { login } buyerLogin"
    there = {"buyer": {"login": login}, "buyerLogin": login}
    assert await desk.made("Gadget", {"name": fresh(), "buyer": {"login": login}}, select) == there
    assert await desk.made("Gadget", {"name": fresh(), "buyerLogin": login}, select) == there
    nobody = await desk.made("Gadget", {"name": fresh(), "buyerLogin": "nobody"}, select)
    assert nobody == {"buyer": None, "buyerLogin": "nobody"}
    both = {"name": fresh(), "buyer": {"login": login}, "buyerLogin": login}
    assert await desk.refused("createGadget", {"gadget": both}) == [("INVALID", "gadget.buyer")]


async def test_a_reference_to_nothing_is_refused_where_it_stands(desk: Desk) -> None:
    given = {"name": fresh(), "owner": {"login": "nobody"}}
    assert await desk.refused("createGadget", {"gadget": given}) == [("REFERENCE", "gadget.owner")]


async def test_a_password_is_kept_in_the_form_that_otrs_verifies(desk: Desk) -> None:
    name = fresh()
    made = await desk.made("Gadget", {"name": name, "pass": "correct horse"}, "id")
    (stored,) = (await desk.rows("gadget", f"name = '{name}'", "pass"))[0]
    word, cost, salt, rest = stored.split(":")
    assert (word, len(salt), len(rest)) == ("BCRYPT", 16, 31)
    assert bcrypt.checkpw(b"correct horse", f"$2a${cost}${encode(salt.encode())}{rest}".encode())
    assert await desk.refused("updateGadget", {"key": made, "patch": {"pass": "x" * 73}}) == [("INVALID", "patch.pass")]
    assert await desk.rows("gadget", f"name = '{name}'", "pass") == [(stored,)]


async def test_a_secret_is_sealed_and_has_no_output(desk: Desk) -> None:
    name = fresh()
    await desk.made("Gadget", {"name": name, "tokenText": "hunter2"})
    (stored,) = (await desk.rows("gadget", f"name = '{name}'", "token_text"))[0]
    assert "hunter2" not in stored
    assert unseal(stored, SECRET) == "hunter2"
    fields = (await desk.ask('{ __type(name: "Gadget") { fields { name } } }'))["__type"]["fields"]
    assert not {"pass", "tokenText"} & {item["name"] for item in fields}


STRANGE: dict[str, Any] = {
    "label": "Ä label",
    "flag": True,
    "tiny": 1,
    "extra": {"a": [1, None, "ü"]},
    "blobText": "Tëxt\nin bytes",
    "day": "2026-02-28",
    "moment": "2026-02-28T23:30:00Z",
    "due": "2026-02-28T23:30:00Z",
    "small": -32768,
    "mode": "TWO",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_columns_of_unusual_classes_take_what_their_fields_take(desk: Desk, name: str) -> None:
    made = await desk.made("Stranger", {name: STRANGE[name] if name != "label" else fresh("Ä")}, f"id {name}")
    wanted = made[name] if name == "label" else STRANGE[name]
    assert made[name] == wanted
    key = {"key": {"id": made["id"]}}
    assert (await desk.write("updateStranger", {**key, "patch": {name: None}}, f"stranger {{ {name} }}"))[
        "stranger"
    ] == {name: None}
    assert (await desk.write("updateStranger", {**key, "patch": {name: wanted}}, f"stranger {{ {name} }}"))[
        "stranger"
    ] == {name: wanted}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tiny", 5),
        ("small", 32768),
        ("due", "2040-01-01T00:00:00Z"),
        ("due", "1960-01-01T00:00:00Z"),
        ("due", "1970-01-01T00:00:00Z"),
        ("label", "x" * 51),
        ("label", "a\u0000b"),
        ("mode", "UNKNOWN"),
    ],
)
async def test_what_a_column_cannot_hold_is_invalid_at_its_field(desk: Desk, name: str, value: Any) -> None:
    assert await desk.refused("createStranger", {"stranger": {name: value}}) == [("INVALID", f"stranger.{name}")]


async def test_a_text_that_is_too_long_for_the_database_is_invalid(desk: Desk) -> None:
    given = {"stranger": {"body": "ü" * 40_000}}
    payload = await desk.write("createStranger", given)
    if desk.database.dialect.name == "mysql":  # its TEXT has 65,535 bytes
        assert [item["code"] for item in payload["errors"]] == ["INVALID"]
    else:
        assert payload["errors"] == []


async def test_long_texts_are_kept_with_their_history(desk: Desk) -> None:
    story = "0123456789" * 30_000
    name = fresh()
    made = await desk.made("Gadget", {"name": name, "story": story}, "id story")
    assert made["story"] == story
    other = await desk.write(
        "updateGadget", {"key": {"id": made["id"]}, "patch": {"story": story[1:]}}, "gadget { story }"
    )
    assert other["gadget"]["story"] == story[1:]


async def test_a_column_that_no_field_covers_and_that_must_be_filled_keeps_rows_from_being_made(desk: Desk) -> None:
    assert await desk.refused("createGuarded", {"guarded": {"label": "a"}}) == [("INVALID", "guarded")]
    assert await desk.rows("guarded") == []
