"""Forms of any module: an input for every kind, errors beside their fields, two people at one row, and nothing that is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from schema.kinds import KINDS
from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import OWN, Browser, Element, Shown, browsing, fields_of
from tests.web.real import Desk, open_desk
from web.pages.cells import SHOWN
from web.pages.inputs import WIDGETS
from web.pages.values import VALUES

MAKER = """\
module: {name: maker, plural_name: makers, table: maker}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
access: {agent: {view: true}}
"""
THING = """\
module: {name: thing, plural_name: things, table: thing, singular: Thing, plural: Things}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, validation: {max_length: 20}}
  - {name: about, type: text, label: About, help: In a few words}
  - {name: marked, type: markdown, label: Marked}
  - {name: page, type: html, label: Page}
  - {name: number, type: int, label: Count, validation: {min: 1, max: 9}}
  - {name: big, type: bigint, label: Big}
  - {name: share, type: float, label: Share}
  - {name: price, type: decimal, label: Price}
  - {name: working, type: bool, label: Working, default: true}
  - {name: maybe, type: bool, label: Maybe}
  - {name: bought, type: date, label: Bought}
  - {name: opens, type: time, label: Opens}
  - {name: seen_at, type: datetime, label: Seen}
  - {name: until, type: epoch, label: Until}
  - {name: takes, type: duration, label: Takes}
  - {name: size, type: select, label: Size, default: s, options: [{name: SMALL, value: s, label: small}, {name: LARGE, value: l, label: large}]}
  - {name: side, type: radio, label: Side, options: [{name: LEFT, value: l, label: left}, {name: RIGHT, value: r, label: right}]}
  - {name: tags, type: multiselect, label: Tags, options: [{name: OLD, value: o, label: old}, {name: NEW, value: n, label: new}]}
  - {name: validity, column: valid_id, type: validity, label: Validity}
  - {name: maker, type: reference, to: maker, column: maker_id, label: Maker}
  - {name: colour, type: color, label: Colour}
  - {name: mail, type: email, label: Mail}
  - {name: link, type: url, label: Link}
  - {name: phone, type: phone, label: Phone}
  - {name: level, type: range, label: Level}
  - {name: extra, type: json, label: Extra}
  - {name: setup, type: yaml, label: Setup}
  - {name: code, type: password, label: Code}
  - {name: token, type: secret, label: Token}
  - {name: picture, type: file, label: Picture}
access: {agent: {view: true}}
features: {soft_delete: true}
ui: {form_sections: [{title: Basics, fields: [name, about, number]}]}
"""
FILES = {"thing": THING, "maker": MAKER}
# What somebody types into each input, and what it is in the API afterwards.
TYPED: dict[str, tuple[str | list[str], Any]] = {
    "about": ("two\r\nlines", "two\nlines"),
    "marked": ("*hi*", "*hi*"),
    "page": ("<b>hi</b>", "<b>hi</b>"),
    "number": ("7", 7),
    "big": ("9007199254740993", "9007199254740993"),
    "share": ("0.5", 0.5),
    "price": ("12.25", "12.25"),
    "working": (["0"], False),
    "maybe": ("0", False),
    "bought": ("2026-01-31", "2026-01-31"),
    "opens": ("08:30", "08:30:00"),
    "seenAt": ("2026-01-31T12:00", "2026-01-31T12:00:00Z"),
    "until": ("2026-02-01T00:00:30", "2026-02-01T00:00:30Z"),
    "takes": ("1h 30m", "PT1H30M"),
    "size": ("LARGE", "LARGE"),
    "side": (["", "RIGHT"], "RIGHT"),
    "tags": (["", "OLD", "NEW"], ["OLD", "NEW"]),
    "validity": ("INVALID_TEMPORARILY", "INVALID_TEMPORARILY"),
    "maker": ("Miele", {"name": "Miele"}),
    "colour": ("#ff0000", "#ff0000"),
    "mail": ("a@example.org", "a@example.org"),
    "link": ("https://example.org/x", "https://example.org/x"),
    "phone": ("+49 30 1", "+49 30 1"),
    "level": ("3", 3.0),
    "extra": ('{"a": [1]}', {"a": [1]}),
    "setup": ('{"b": 2}', {"b": 2}),
}
SELECTED = " ".join("maker { name }" if name == "maker" else name for name in TYPED)
ALL = f'{{ thing(by: {{name: "Iron"}}) {{ {SELECTED} picture {{ name size }} }} }}'


@asynccontextmanager
async def opened(dialect: str, folder: Path) -> AsyncIterator[Desk]:
    with fresh_url(dialect) as url:
        async with open_desk(url, folder, FILES) as desk:
            await desk.data(
                'mutation { createMakers(input: {makers: [{name: "Miele"}, {name: "Siemens"}]}) { affected } }'
            )
            yield desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened("sqlite", tmp_path) as found:
        yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


async def make(browser: Browser, name: str = "Iron", /, **typed: str | list[str]) -> Shown:
    page = await browser.get("/modules/thing/new")
    return await browser.send_files(page, page.main.form_named("once"), {"name": name, **typed})


async def edit(browser: Browser, page: Shown, /, **typed: str | list[str]) -> Shown:
    """Go from a row's page to its form, change something and send it."""
    form = await browser.get(f"{page.url.partition('?')[0]}/edit")
    return await browser.send_files(form, form.main.form_named("version"), typed)


def facts(page: Shown) -> dict[str, str]:
    """Return what the page of a row shows, by label."""
    return {
        item.one("dt").text: item.one("dd").text
        for item in page.main.all("dl", class_="facts")
        for item in item.all("div")
        if item.all("dt")
    }


def errors(page: Shown) -> dict[str, str]:
    """Return the messages beside the inputs, by the input's name."""
    found = {}
    for item in page.main.all(class_="field"):
        messages = [message.text for message in item.all(class_="wrong")]
        if messages:
            (place,) = (inner for inner in item.all() if inner.attributes.get("id", "").startswith("about-"))
            found[place.attributes["id"].removeprefix("about-")] = " ".join(messages)
    return found


def test_every_kind_of_field_has_an_input_and_what_it_shows_and_reads_belongs_to_a_kind() -> None:
    assert {kind.name: kind.widget for kind in KINDS.values() if kind.widget not in WIDGETS} == {}
    assert set(VALUES) <= set(KINDS)
    assert set(SHOWN) - set(KINDS) == {"badge"}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_value_of_every_kind_goes_in_comes_out_and_stays(tmp_path: Path, dialect: str) -> None:
    async with opened(dialect, tmp_path) as desk, browsing(desk) as browser:
        typed = {name: value for name, (value, _) in TYPED.items()}
        page = await browser.get("/modules/thing/new")
        given = {"name": "Iron", "code": "open sesame!", "token": "t0ken", **typed}
        page = await browser.send_files(page, page.main.form_named("once"), given, picture=("a.txt", b"hello"))
        assert "It is created." in page.main.text, page.main.text
        stored = (await desk.data(ALL))["thing"]
        assert {name: stored[name] for name in TYPED} == {name: value for name, (_, value) in TYPED.items()}
        assert stored["picture"] == {"name": "a.txt", "size": 5}
        before = await version(desk)

        page = await edit(browser, page)  # nothing is touched, so nothing is written
        assert "It is saved." in page.main.text
        assert await version(desk) == before
        assert (await desk.data(ALL))["thing"] == stored

        cleared = {name: "" for name in TYPED if name not in {"working", "size", "validity", "tags", "side"}}
        page = await edit(browser, page, **cleared, tags=[""], side=[""])
        assert "It is saved." in page.main.text, page.main.text
        left = (await desk.data(ALL))["thing"]
        assert {name for name, value in left.items() if value not in (None, [], "")} == {
            "working",
            "size",
            "validity",
            "picture",
        }


async def version(desk: Desk) -> str:
    found: str = (await desk.data('{ thing(by: {name: "Iron"}) { version } }'))["thing"]["version"]
    return found


async def test_defaults_are_in_the_form_and_sections_have_their_headings(browser: Browser) -> None:
    page = await browser.get("/modules/thing/new")

    sent = dict(fields_of(page.main.form_named("once")))
    assert (sent["working"], sent["size"], sent["validity"]) == ("1", "SMALL", "VALID")
    assert page.main.all("section")[0].one("h2").text == "Basics"
    assert "In a few words" in page.main.all("section")[0].text
    assert {item.text for item in page.main.one("select", name="maker").all("option")} == {"—", "Miele", "Siemens"}


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(browser: Browser) -> None:
    page = await make(
        browser, "x" * 30, number="0", about="keep me", seenAt="yesterday", takes="long", extra="{", code="secret word"
    )

    assert page.status == 422
    assert errors(page) == {
        "seenAt": "Write a date and time.",
        "takes": "Write a length such as 1h 30m.",
        "extra": "This is no JSON.",
    }
    assert page.main.one("textarea", name="about").text == "keep me"
    assert "secret word" not in page.response.text
    form = page.main.form_named("once")
    page = await browser.send_files(page, form, {"seenAt": "", "takes": "", "extra": ""})
    assert errors(page) == {
        "name": "Name may have 20 characters; these are 30.",
        "number": "Count must be 1 or more.",
    }
    assert page.main.one("input", name="name").attributes["aria-invalid"] == "true"
    page = await browser.send_files(page, page.main.form_named("once"), {"name": "Iron", "number": "1"})
    assert facts(page)["Name"] == "Iron"
    assert facts(page)["About"] == "keep me"


async def test_a_required_field_is_asked_for_and_a_taken_value_is_told(browser: Browser) -> None:
    assert errors(await make(browser, "")) == {"name": "Name is required."}
    assert (await make(browser)).status == 200
    assert errors(await make(browser)) == {"name": "There is another row with this Name."}


async def test_a_form_that_is_sent_twice_makes_one_row(browser: Browser, desk: Desk) -> None:
    page = await browser.get("/modules/thing/new")
    form = page.main.form_named("once")
    answers = [await browser.send_files(page, form, {"name": "Iron"}) for _ in range(2)]

    assert [facts(item)["Name"] for item in answers] == ["Iron", "Iron"]
    assert answers[0].url == answers[1].url
    assert (await desk.data("{ things { totalCount } }"))["things"]["totalCount"] == 1


async def test_whoever_is_slower_sees_both_and_decides(browser: Browser, desk: Desk) -> None:
    page = await make(browser, about="first", number="1")
    form = await browser.get(f"{page.url.partition('?')[0]}/edit")
    await desk.data(
        'mutation { updateThing(input: {key: {name: "Iron"}, patch: {about: "theirs", number: 2}}) { errors { code } } }'
    )
    conflict = await browser.send_files(form, form.main.form_named("version"), {"about": "mine"})

    assert conflict.status == 409
    rows = [[cell.text for cell in row.all()] for row in conflict.main.one("tbody").all("tr")]
    assert rows == [["About", "mine", "theirs"]]  # the number was not touched: it is theirs anyway
    theirs = await browser.get(
        next(item for item in conflict.main.all("a") if item.text == "Take theirs").attributes["href"]
    )
    assert theirs.main.one("textarea", name="about").text == "theirs"
    kept = await browser.send(conflict, conflict.main.form_named("version"))
    assert (facts(kept)["About"], facts(kept)["Count"]) == ("mine", "2")


async def test_changes_of_different_fields_are_both_kept(browser: Browser, desk: Desk) -> None:
    page = await make(browser, about="first")
    form = await browser.get(f"{page.url.partition('?')[0]}/edit")
    await desk.data('mutation { updateThing(input: {key: {name: "Iron"}, patch: {number: 2}}) { errors { code } } }')
    conflict = await browser.send_files(form, form.main.form_named("version"), {"about": "mine"})
    assert "in none of the fields that you changed" in conflict.main.text
    kept = await browser.send(conflict, conflict.main.form_named("version"))

    assert (facts(kept)["About"], facts(kept)["Count"]) == ("mine", "2")


async def test_a_conflict_never_shows_a_password(browser: Browser, desk: Desk) -> None:
    page = await make(browser)
    form = await browser.get(f"{page.url.partition('?')[0]}/edit")
    await desk.data('mutation { updateThing(input: {key: {name: "Iron"}, patch: {number: 2}}) { errors { code } } }')
    conflict = await browser.send_files(form, form.main.form_named("version"), {"code": "my secret word"})

    assert conflict.status == 409
    assert "my secret word" not in conflict.response.text
    assert "Type this again afterwards: Code" in conflict.main.text


async def test_what_is_deleted_softly_can_be_restored(browser: Browser) -> None:
    page = await make(browser)
    page = await browser.send(page, page.main.form("/delete"))
    assert "It is set invalid and can be restored." in page.main.text
    assert facts(page)["Validity"] == "invalid"
    assert not [item for item in page.main.all("form") if item.attributes.get("action", "").endswith("/delete")]
    page = await browser.send(page, page.main.form("/restore"))
    assert facts(page)["Validity"] == "valid"


async def test_a_row_that_changed_meanwhile_is_not_deleted(browser: Browser, desk: Desk) -> None:
    page = await make(browser)
    await desk.data('mutation { updateThing(input: {key: {name: "Iron"}, patch: {number: 2}}) { errors { code } } }')
    answer = await browser.send(page, page.main.form("/delete"))

    assert answer.status == 409
    assert "Nothing was changed: The row was changed since it was read." in answer.main.text
    assert facts(answer)["Validity"] == "valid"


async def test_references_are_found_as_one_types_where_there_are_many(browser: Browser, desk: Desk) -> None:
    names = ", ".join(f'{{name: "Maker {place:03}"}}' for place in range(120))
    await desk.data(f"mutation {{ createMakers(input: {{makers: [{names}]}}) {{ affected }} }}")
    page = await browser.get("/modules/thing/new")
    box = page.main.one("input", name="maker")
    assert box.attributes["list"] == "list-maker"
    assert len(page.main.one("datalist").all("option")) == 100
    found = Element("", {}, Shown(await browser.client.get(f"{box.attributes['hx-get']}?maker=r%20117")).children)
    assert [item.attributes["value"] for item in found.all("option")] == ["Maker 117"]

    page = await make(browser, maker="Maker 117")
    assert facts(page)["Maker"] == "Maker 117"
    assert errors(await make(browser, "Other", maker="Nobody")) == {"maker": "Maker: there is no such row."}


async def test_a_form_for_what_one_may_not_write_is_refused(tmp_path: Path) -> None:
    closed = MAKER.replace("access: {agent: {view: true}}", "access: {agent: {view: true, create: {role: nobody}}}")
    files = {
        "closed": closed.replace("maker", "closed"),
        "shown": MAKER.replace("maker", "shown").replace("table: shown", "table: shown, operations: [view]"),
    }
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, files) as desk, browsing(desk) as browser:
            for name in ("closed", "shown"):
                page = await browser.get(f"/modules/{name}/new")
                assert (page.status, page.main.one("h1").text) == (403, "Not allowed")
                listed = await browser.get(f"/modules/{name}")
                assert not [item for item in listed.main.all("a") if item.text == "New"]


async def test_a_row_that_is_not_there_has_no_page(browser: Browser) -> None:
    for path in ("WyJUaGluZyIsOTld", "nonsense", "WyJNYWtlciIsMV0", "%00", "a" * 3000):
        for rest in ("", "/edit", "/history", "/related/nothing"):
            page = await browser.get(f"/modules/thing/{path}{rest}")
            assert page.status in {404, 200} if rest == "/history" else page.status == 404, (path, rest, page.main.text)


async def test_a_file_comes_only_with_the_token_and_one_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, FILES, file_bytes=1_000) as desk, browsing(desk) as browser:
            page = await browser.get("/modules/thing/new")
            form = page.main.form_named("once")
            large = await browser.send_files(page, form, {"name": "Iron"}, picture=("a.bin", b"x" * 2_000))
            assert large.status == 413
            wrong = await browser.send_files(page, form, {"csrf": "0" * 80, "name": "Iron"}, picture=("a.bin", b"x"))
            assert wrong.status == 403
            body = {"files": {"picture": ("a.bin", b"x")}, "headers": {"origin": OWN}}
            bare = await browser.client.post("/modules/thing/new", **body)  # type: ignore[arg-type] # of httpx
            assert bare.status_code in {400, 403}
            assert (await desk.data("{ things { totalCount } }"))["things"]["totalCount"] == 0
