"""The rule builder without scripts: from a form to a computed field that serves, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.oneself import browsing_as, fill
from tests.web.real import Desk, open_desk
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name}, required: true}
  - {name: seats, type: int, label: {en: Seats, de: Plätze}}
  - {name: open, type: bool, label: Open}
  - {name: kind, type: select, label: Kind, options: [{value: o, label: Office}, {value: h, label: Hall}]}
computed_fields:
  - {name: other, type: string, needs: [seats], lambda: "return String(item.seats);"}
access: {agent: {view: true, create: true}}
"""
LARGE = {
    "name": "size",
    "label_en": "Size",
    "r0.c0.field": "seats",
    "r0.c0.op": "at-least",
    "r0.c0.value": "10",
    "r0.text": "large",
    "r0.tone": "red",
    "else.text": "small",
    "else.tone": "green",
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, lambda_workers=1) as found:
            await found.data(
                'mutation { createRooms(input: {rooms: [{name: "Hall", seats: 40}, {name: "Nook", seats: 2}]}) { errors { code } } }'
            )
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


async def send(browser: Browser, page: Shown, changed: dict[str, str], do: str) -> Shown:
    return await browser.send(page, page.main.form_named("r0.text"), changed, f"do={do}")


async def test_a_field_is_made_of_rules_and_serves_and_opens_again(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/rules")
    shown = await send(browser, page, LARGE, "show")
    made = shown.main.one("section", id="made")
    assert [badge.text for badge in made.one("table").all("span", class_="badge")] == ["large", "small"]
    assert 'if (number(item.seats) >= 10) return badge("large", "red");' in made.one("pre").text
    assert (desk.site / "room.yaml").read_text() == ROOM

    done = await send(browser, shown, {}, "publish")
    assert done.url.partition("?")[0].endswith("/admin/modules/room/lambdas/size")
    assert "It is published and serves." in done.main.text
    rooms = (await desk.data("{ rooms(orderBy: [{name: ASC}]) { nodes { size { text tone } } } }"))["rooms"]["nodes"]
    assert rooms == [{"size": {"text": "large", "tone": "red"}}, {"size": {"text": "small", "tone": "green"}}]
    text = (desk.site / "room.yaml").read_text()
    assert text.startswith(ROOM.partition("access:")[0])
    assert "    needs: [seats]\n" in text

    again = await browser.get(next(a for a in done.main.all("a") if a.text == "Open as rules").attributes["href"])
    assert again.main.one("input", name="r0.text").attributes["value"] == "large"
    wider = {"r0.c1.field": "open", "r0.c1.op": "yes", "r0.text": "open and large"}
    await send(browser, again, wider, "publish")
    changed = (desk.site / "room.yaml").read_text()
    assert "    needs: [seats, open]\n" in changed
    assert "open and large" in changed
    assert changed.count("name: size") == 1


async def test_code_that_was_changed_by_hand_opens_as_code_only(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/rules/other")
    assert page.url.partition("?")[0].endswith("/admin/modules/room/lambdas/other")
    assert "opens as code only" in page.main.text
    done = await send(browser, await browser.get("/admin/modules/room/rules"), LARGE, "publish")
    (desk.site / "room.yaml").write_text((desk.site / "room.yaml").read_text().replace(">= 10", ">= 11"))
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    edited = await browser.get("/admin/modules/room/lambdas/size")
    assert done.main.all("a", href="/admin/modules/room/rules/size")
    assert edited.main.all("a", href="/admin/modules/room/rules/size") == []


async def test_rules_come_and_go_and_change_places(browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/rules")
    two = await send(browser, page, LARGE, "more")
    both = await send(browser, two, {"r1.c0.field": "name", "r1.c0.op": "contains", "r1.c0.value": "x", "r1.text": "second"}, "up-1")  # fmt: skip
    assert [both.main.one("input", name=f"r{place}.text").attributes["value"] for place in (0, 1)] == [
        "second",
        "large",
    ]
    assert both.main.one("input", name="r1.c0.value").attributes["value"] == "10"
    one = await send(browser, both, {}, "drop-0")
    assert one.main.one("input", name="rules").attributes["value"] == "1"
    assert one.main.one("input", name="r0.text").attributes["value"] == "large"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "9x"}, "Name the field"),
        ({"r0.c0.value": "many"}, "'many' is no number that fits here."),
        ({"r0.c0.op": "contains"}, "Seats: “contains” does not fit what is in it."),
        ({"r0.c0.field": "secret"}, "There is no field 'secret' to look at."),
        ({"r0.c0.field": ""}, "The rule has no condition."),
        ({"r0.c0.field": "", "r0.text": ""}, "Write one rule at least."),
        ({"kind": "int"}, "'large' is no number that fits here."),
        ({"name": "seats"}, "seats"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_published(
    desk: Desk, browser: Browser, changed: dict[str, str], told: str
) -> None:
    page = await browser.get("/admin/modules/room/rules")
    answer = await send(browser, page, {**LARGE, **changed}, "publish")
    assert answer.status == 422
    assert told in answer.main.text
    assert (desk.site / "room.yaml").read_text() == ROOM


async def test_what_somebody_typed_is_a_value_wherever_it_stands(desk: Desk, browser: Browser) -> None:
    for number, payload in enumerate(['"); throw new Error("hit"); ("', "*/ throw 1; /*", *PAYLOADS[7::90]]):
        typed = {**LARGE, "name": f"size_{number}", "r0.c0.field": "name", "r0.c0.op": "is-not", "r0.c0.value": payload, "r0.text": payload}  # fmt: skip
        page = await browser.get("/admin/modules/room/rules")
        shown = await send(browser, page, typed, "show")
        check(shown, payload)
        badges = shown.main.one("section", id="made").one("table").all("span", class_="badge")
        assert [" ".join(item.text.split()) for item in badges] == [" ".join(payload.split())] * 2
    done = await send(browser, shown, {}, "publish")
    check(done, "the editor")
    (field,) = [
        item.api_name for item in desk.live.snapshot().modules["room"].computed if item.name.startswith("size_")
    ]
    rooms = (await desk.data(f"{{ rooms {{ nodes {{ {field} {{ text }} }} }} }}"))["rooms"]["nodes"]
    assert [item[field]["text"] for item in rooms] == [payload] * 2


async def test_the_builder_is_for_administrators_and_for_modules_that_there_are(desk: Desk, browser: Browser) -> None:
    assert (await browser.get("/admin/modules/nothing/rules")).status == 404
    assert (await browser.get("/admin/modules/room/rules/nothing")).status == 404
    await fill(desk)
    async with browsing_as(desk, "ada") as other:
        assert (await other.get("/admin/modules/room/rules")).status == 403


async def test_the_builder_speaks_german(desk: Desk) -> None:
    async with browsing(desk, **{"accept-language": "de"}) as browser:
        page = await browser.get("/admin/modules/room/rules")
        assert page.main.one("h1").text == "Ein Feld nach Regeln für Raum"
        assert "Plätze" in page.main.one("select", name="r0.c0.field").text
