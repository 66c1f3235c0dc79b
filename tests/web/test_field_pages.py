"""Fields by a form: their rules, limits and captions; changed and removed again; for own modules and for extensions of shipped ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.oneself import browsing_as, fill
from tests.web.real import Desk, open_desk
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS
from web.pages.field_form import COMPUTED, FIELDS, NAMES, item_of, rule_of, section_of, typed_of, typed_rule

ROOM = """\
module: {name: room, plural_name: rooms, table: room, singular: {en: Room, de: Raum}}
fields:
  - {name: name, type: string, label: {en: Name, de: Name, fr: Nom}, required: true}
  # of the house
  - name: kind
    type: select
    options: [{name: OFFICE, value: o, label: {en: Office, de: Büro}, tone: green}, {value: h, label: Hall}]
  - {name: seats, type: int, validation: {min: 1, message: {en: One at least, de: Mindestens einer}}}
access: {agent: {view: true, create: true, update: true}}
"""
SHIPPED = "module: {name: house, table: house}\nfields: [{name: name, type: string}]\naccess: {agent: {view: true, create: true}}\n"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    shipped = tmp_path / "modules"
    shipped.mkdir()
    (shipped / "house.yaml").write_text(SHIPPED)
    with fresh_url("sqlite") as url:
        folders = (shipped, tmp_path / "site")
        async with open_desk(url, tmp_path, {"room": ROOM}, modules_dir=folders) as found:
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


async def send(browser: Browser, page: Shown, **changed: Any) -> Shown:
    return await browser.send(page, page.main.form_named("options"), changed)


async def publish(browser: Browser, made: Shown) -> Shown:
    return await browser.send(made, made.main.one("section", id="made").form_named("source"), button="do=publish")


def rooms(desk: Desk) -> Any:
    return yaml.safe_load((desk.site / "room.yaml").read_text())


async def test_a_field_has_its_limits_and_rules_and_they_hold(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/fields")
    typed = {"name": "floor", "type": "int", "min": "0", "max": "9", "see": "group", "see_name": "users", "write": "nobody", "customer": "no", "not_in_form": "1", "readonly": ""}  # fmt: skip
    made = await send(browser, page, **typed)
    assert made.main.one("section", id="made").one("pre", class_="long").children == [
        (
            "fields:\n  - name: floor\n    type: int\n    show_in_form: false\n    validation: {min: 0, max: 9}\n"
            "access:\n  fields:\n    floor: {agent: {group: users}, customer: false, write: {agent: false}}\n"
        )
    ]
    assert (desk.site / "room.yaml").read_text() == ROOM
    done = await publish(browser, made)
    assert "It is published and serves." in done.main.text
    assert rooms(desk)["access"]["fields"] == {"floor": {"agent": {"group": "users"}, "customer": False, "write": {"agent": False}}}  # fmt: skip
    refused = await desk.ask('mutation { createRooms(input: {rooms: [{name: "A", floor: 3}]}) { errors { code } } }')
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    again = await browser.get("/admin/modules/room/fields?field=floor")
    free = await send(browser, again, write="", see="", customer="", max="12")
    await publish(browser, free)
    assert "fields" not in rooms(desk)["access"]
    told = (await desk.data('mutation { createRoom(input: {room: {name: "A", floor: 13}}) { errors { code message } } }'))["createRoom"]  # fmt: skip
    assert [(item["code"], "12" in item["message"]) for item in told["errors"]] == [("INVALID", True)], told


async def test_what_the_form_does_not_know_of_a_field_stays(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/fields?field=kind")
    assert page.main.one("textarea", id="options").text == "o = Office h = Hall"
    made = await send(browser, page, options="o = Office\nh = Hall\nk = Kitchen", help="What it is for")
    await publish(browser, made)
    kind = next(item for item in rooms(desk)["fields"] if item["name"] == "kind")
    assert kind["options"] == [
        {"name": "OFFICE", "value": "o", "label": {"en": "Office", "de": "Büro"}, "tone": "green"},
        {"value": "h", "label": "Hall"},
        {"value": "k", "label": "Kitchen"},
    ]
    assert kind["help"] == "What it is for"
    text = (desk.site / "room.yaml").read_text()
    assert "# of the house" in text
    assert "{name: name, type: string, label: {en: Name, de: Name, fr: Nom}, required: true}" in text


async def test_a_field_is_removed_when_that_is_published(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/fields")
    (form,) = [item for item in page.main.all("form") if item.all(name="was", value="seats") and item.all("button", value="remove")]  # fmt: skip
    made = await browser.send(page, form, button="do=remove")
    assert "seats is taken out." in made.main.text
    assert "breaks clients" in made.main.text
    assert (desk.site / "room.yaml").read_text() == ROOM
    asked = await publish(browser, made)
    done = await browser.send(asked, asked.form_named("source"), button="do=publish")
    assert "It is published and serves." in done.main.text
    assert [item["name"] for item in rooms(desk)["fields"]] == ["name", "kind"]


async def test_an_extension_of_a_shipped_module_is_built_and_taken_apart(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/house/fields")
    assert page.main.all("ul", class_="members") == []
    await publish(browser, await send(browser, page, name="floors", type="int", see="group", see_name="users"))
    text = (desk.site / "house.yaml").read_text()
    assert yaml.safe_load(text)["access"] == {"fields": {"floors": {"agent": {"group": "users"}}}}
    listed = await browser.get("/admin/modules/house/fields")
    assert [item.all("code")[0].text for item in listed.main.one("ul", class_="members").all("li")] == ["floors"]
    changed = await browser.get("/admin/modules/house/fields?field=floors")
    await publish(browser, await send(browser, changed, label_en="Floors", label_de="Stockwerke"))
    field = yaml.safe_load((desk.site / "house.yaml").read_text())["fields"][0]
    assert field == {"name": "floors", "type": "int", "label": {"en": "Floors", "de": "Stockwerke"}}
    assert (desk.live.settings.modules_dir[0] / "house.yaml").read_text() == SHIPPED


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "floor", "min": "low", "max_length": "x"}, "These are no numbers: At least, Letters at most."),
        ({"name": "name"}, "site/room.yaml"),
        ({"name": "floor", "see": "group", "see_name": ""}, "site/room.yaml"),
        ({"name": "floor", "pattern": "(("}, "site/room.yaml"),
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_published(
    desk: Desk, browser: Browser, changed: dict[str, str], told: str
) -> None:
    made = await send(browser, await browser.get("/admin/modules/room/fields"), type="string", **changed)
    assert told in made.main.one("section", id="made").text
    assert made.main.one("section", id="made").all("button", value="publish") == []
    assert (desk.site / "room.yaml").read_text() == ROOM


async def test_the_form_is_for_fields_of_the_site_and_for_administrators(desk: Desk, browser: Browser) -> None:
    assert (await browser.get("/admin/modules/house/fields?field=name")).status == 404
    assert (await browser.get("/admin/modules/room/fields?field=nothing")).status == 404
    await fill(desk)
    async with browsing_as(desk, "ada") as other:
        assert (await other.get("/admin/modules/room/fields?field=kind")).status == 403


async def test_texts_that_would_be_scripts_stay_texts(desk: Desk, browser: Browser) -> None:
    for payload in [item for item in PAYLOADS if len(item) < 120 and item.isprintable()][::45]:
        page = await browser.get("/admin/modules/room/fields")
        typed = {"name": "floor", "type": "select", "label_en": payload, "help": payload, "options": f"a = {payload}", "message": payload, "see": "group", "see_name": payload}  # fmt: skip
        check(await send(browser, page, **typed), payload)
        fields = {"module": {"name": "lamp", "table": "lamp"}, "fields": [{"name": "n", "type": "string", "label": payload, "help": payload}]}  # fmt: skip
        (desk.site / "lamp.yaml").write_text(yaml.safe_dump(fields))
        await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
        for path in ("/admin/modules/lamp/fields", "/admin/modules/lamp/fields?field=n"):
            check(await browser.get(path), f"{path} {payload}")


# --- from a file to the form and back ---

texts = st.text("abc =\n:#{}'\"é", max_size=8).map(str.strip).filter(lambda text: "\n" not in text)
items = st.fixed_dictionaries(
    {"name": st.just("f"), "type": st.sampled_from(["string", "int", "select", "reference"])},
    optional={
        "label": texts | st.fixed_dictionaries({"en": texts, "de": texts, "fr": texts}),
        "help": texts | st.fixed_dictionaries({"en": texts}),
        "required": st.booleans(),
        "show_in_form": st.booleans(),
        "validation": st.just("^a$") | st.fixed_dictionaries({"min": st.integers(-9, 9), "message": st.fixed_dictionaries({"en": texts})}),
        "options": st.lists(st.fixed_dictionaries({"value": st.sampled_from("abc")}, optional={"label": texts, "tone": st.just("red")}), max_size=3, unique_by=lambda option: option["value"]),
        "widget": st.just("radio"),
        "default": st.integers(0, 3),
    },
)  # fmt: skip


@given(item=items, computed=st.booleans())
def test_a_form_that_nobody_touched_changes_nothing(item: dict[str, Any], computed: bool) -> None:
    section = section_of({"type": f"{COMPUTED if computed else ''}{item['type']}"})
    item = {**item, "lambda": "return 1;"} if section != FIELDS else item
    assert item_of({**dict.fromkeys(NAMES, ""), **typed_of(item, section)}, item) == item


@given(
    rule=st.fixed_dictionaries(
        {},
        optional={
            "agent": st.booleans() | st.sampled_from([{"group": "x"}, {"role": "y"}, {"group": "x", "key": "rw"}]),
            "customer": st.booleans() | st.just({"group": "z"}),
            "write": st.fixed_dictionaries({}, optional={"agent": st.booleans(), "customer": st.booleans()}),
        },
    )
)
def test_a_rule_that_nobody_touched_stays(rule: dict[str, Any]) -> None:
    expected = {key: value for key, value in rule.items() if value != {}}
    assert rule_of({**dict.fromkeys(NAMES, ""), **typed_rule(rule)}, rule) == (expected or None)
