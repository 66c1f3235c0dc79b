"""The administrators' pages about modules, without scripts: the list, the editor, new modules, versions, one more field, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import ROOM, Desk, open_desk, sign_in
from tests.web.test_lambdas import fill
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS
from web.pages.modules_routes import make_module_pages

OPENS = ROOM.replace("access:", "  - {name: opens, type: datetime}\naccess:")
BROKEN = OPENS.replace("type: int", "type: itn")
LAMP = "module: {name: lamp, table: lamp}\nfields: [{name: name, type: string}]\n"
FILE = "/admin/modules/file?file=site/room.yaml"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with a shipped room, and a lamp of its own."""
    with fresh_url("sqlite") as url:
        shipped = tmp_path / "modules"
        shipped.mkdir()
        (shipped / "room.yaml").write_text(OPENS)
        folders = (shipped, tmp_path / "site")
        async with open_desk(url, tmp_path, {"lamp": LAMP}, modules_dir=folders) as opened:
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


def source_of(page: Shown) -> str:
    (text,) = page.one("textarea", id="source").children
    assert isinstance(text, str)
    return text.removeprefix("\n")


async def publish(browser: Browser, address: str, source: str) -> Shown:
    page = await browser.get(address)
    return await browser.send(page, page.form_named("source"), {"source": source}, "do=publish")


# --- the list ---


async def test_every_module_is_listed_with_its_state_and_what_is_wrong(desk: Desk, browser: Browser) -> None:
    (desk.site / "lamp.yaml").write_text(LAMP.replace("string", "strnig"))
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    page = await browser.get("/admin/modules")

    rows = page.main.one("tbody").all("tr")
    assert [row.all("td")[0].text for row in rows if not row.fits({"class_": "told"})] == ["Lamps lamp", "Rooms room"]
    (told,) = page.main.all("tr", class_="told")
    finding = told.one("li").text
    assert "site/lamp.yaml:2:29" in finding
    assert "fields: [{name: name, type: strnig}]" in finding
    assert "Did you mean `string`?" in finding
    assert told.one("a").attributes["href"] == "/admin/modules/file?file=site%2Flamp.yaml&line=2"
    assert "stale" in rows[0].text


async def test_texts_of_files_are_texts_on_the_pages(desk: Desk, browser: Browser) -> None:
    """A file is written by whoever may write into the folder; nothing in it runs where administrators look at it."""
    for payload in PAYLOADS[::7]:
        quoted = payload.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "")
        (desk.site / "lamp.yaml").write_text(f'module: {{name: lamp, table: lamp, "{quoted}": x}}\nfields: []\n')
        await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
        for path in ("/admin/modules?q=lamp", "/admin/modules/file?file=site/lamp.yaml", "/admin/health"):
            page = await browser.get(path)
            assert page.status == 200
            check(page, payload)


async def test_a_word_and_a_state_pick_modules(browser: Browser) -> None:
    named = await browser.get("/admin/modules?q=LAM")
    broken = await browser.get("/admin/modules?state=BROKEN")

    assert [row.all("td")[0].text for row in named.main.one("tbody").all("tr")] == ["Lamps lamp"]
    assert "No module is like that." in broken.main.text


async def test_a_list_that_asks_again_is_told_only_what_is_new(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules")
    address = page.main.one("section", id="modules").attributes["hx-get"]
    same = await browser.client.get(address, headers={"hx-request": "true"})
    (desk.site / "lamp.yaml").write_text(LAMP.replace("string", "text"))
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    other = await browser.get(address, **{"hx-request": "true"})

    assert (same.status_code, same.content) == (204, b"")
    assert other.status == 200
    assert other.one("section", id="modules").attributes["hx-get"] != address


async def test_the_pages_are_for_administrators(desk: Desk) -> None:
    await fill(desk.live.database)  # type: ignore[arg-type] # the real one
    async with desk.connect() as client:
        answer = await client.get("/admin/modules")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/admin/modules")
    pair = await sign_in(desk.live, "ada")
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        for route in make_module_pages(desk.live):
            path = str(getattr(route, "path", "")).replace("{module}", "room").replace("{field}", "size")
            assert (await client.get(path)).status_code in {303, 403}, path


# --- the editor ---


async def test_a_file_is_shown_and_checked_and_nothing_is_written(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/file?file=site/lamp.yaml")
    assert source_of(page) == LAMP
    checked = await browser.send(
        page, page.form_named("source"), {"source": LAMP.replace("string", "strnig")}, "do=check"
    )
    assert checked.status == 200
    assert "site/lamp.yaml:2:29" in checked.one("section", id="findings").text
    assert source_of(checked) == LAMP.replace("string", "strnig")
    (difference,) = checked.all("pre", class_="diff")
    assert difference.one("del").text == "-fields: [{name: name, type: string}]"
    assert difference.one("ins").text == "+fields: [{name: name, type: strnig}]"
    assert (desk.site / "lamp.yaml").read_text() == LAMP


async def test_what_is_published_serves_and_is_said(desk: Desk, browser: Browser) -> None:
    wider = LAMP.replace("}]", "}, {name: watts, type: int}]")
    page = await publish(browser, "/admin/modules/file?file=site/lamp.yaml", wider)

    assert page.one("p", class_="said").text == "It is published and serves."
    assert (desk.site / "lamp.yaml").read_text() == wider
    assert source_of(page) == wider


async def test_a_broken_file_is_mended(desk: Desk, browser: Browser) -> None:
    (desk.site / "lamp.yaml").write_text("module: {name: lamp")
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    page = await browser.get("/admin/modules/file?file=site/lamp.yaml")
    assert "site/lamp.yaml:2:1" in page.one("section", id="findings").text
    done = await publish(browser, "/admin/modules/file?file=site/lamp.yaml", LAMP)
    assert "It is published and serves." in done.main.text


async def test_what_is_wrong_is_told_and_not_published(desk: Desk, browser: Browser) -> None:
    page = await publish(browser, "/admin/modules/file?file=site/lamp.yaml", "module: {name: lamp}\nfelds: []\n")

    assert page.status == 422
    assert page.one("div", class_="failed").text
    assert "site/lamp.yaml:2:1" in page.main.text
    assert source_of(page) == "module: {name: lamp}\nfelds: []\n"
    assert (desk.site / "lamp.yaml").read_text() == LAMP


async def test_what_breaks_clients_is_asked_for(desk: Desk, browser: Browser) -> None:
    other = LAMP.replace("name: name", "name: title")
    refused = await publish(browser, "/admin/modules/file?file=site/lamp.yaml", other)
    assert refused.status == 422
    assert "breaks clients Field Lamp.name was removed." in refused.main.text
    assert (desk.site / "lamp.yaml").read_text() == LAMP

    done = await browser.send(refused, refused.form_named("source"), button="do=publish")
    assert "It is published and serves." in done.main.text
    assert (desk.site / "lamp.yaml").read_text() == other


async def test_what_somebody_else_published_meanwhile_is_shown(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/file?file=site/lamp.yaml")
    theirs, mine = (LAMP.replace("}]", f"}}, {{name: {name}, type: int}}]") for name in ("watts", "volts"))
    (desk.site / "lamp.yaml").write_text(theirs)
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one

    told = await browser.send(page, page.form_named("source"), {"source": mine}, "do=publish")
    assert told.status == 409
    assert {item.text for item in told.one("div", class_="failed").all("del")} == {f"-{theirs.splitlines()[1]}"}
    assert (desk.site / "lamp.yaml").read_text() == theirs

    asked = await browser.send(told, told.form_named("source"), button="do=publish")  # watts go, which breaks clients
    assert "breaks clients" in asked.main.text
    done = await browser.send(asked, asked.form_named("source"), button="do=publish")
    assert (desk.site / "lamp.yaml").read_text() == mine
    assert "It is published and serves." in done.main.text


async def test_a_check_as_one_types_answers_with_the_findings_alone(browser: Browser) -> None:
    page = await browser.get("/admin/modules/file?file=site/lamp.yaml")
    form = page.form_named("source")
    browser.client.headers["hx-request"] = "true"
    part = await browser.send(page, form, {"source": LAMP.replace("string", "x")}, "do=check")

    assert part.all("html") == []
    finding = part.one("section", id="findings").one("li", class_="finding").attributes
    assert (finding["data-line"], finding["data-column"], finding["data-level"]) == ("2", "29", "ERROR")


async def test_the_editor_may_style_itself_and_nothing_else_may(browser: Browser) -> None:
    page = await browser.get("/admin/modules/file?file=site/lamp.yaml")
    policy = page.response.headers["content-security-policy"]

    nonce = page.one("textarea", id="source").attributes["data-nonce"]
    assert f"style-src 'self' 'nonce-{nonce}';" in policy
    assert "unsafe" not in policy
    assert "style-src 'self';" in (await browser.get("/admin/modules")).response.headers["content-security-policy"]


@pytest.mark.parametrize("file", ["", "site/no.yaml", "site/../secret.yaml", "/etc/passwd"])
async def test_a_file_that_is_not_there_is_not_found(browser: Browser, file: str) -> None:
    assert (await browser.get(f"/admin/modules/file?file={file}")).status == 404


# --- new modules ---


async def begin(browser: Browser, way: str, **typed: str) -> Shown:
    page = await browser.get("/admin/modules/new")
    form = next(item for item in page.all("form") if item.all("input", name="way", value=way))
    return await browser.send(page, form, typed)


async def test_each_way_to_begin_leads_into_the_editor_and_from_there_into_the_folder(
    desk: Desk, browser: Browser
) -> None:
    ways = {
        "fan": await begin(browser, "name", name="fan"),
        "ticket_priority": await begin(browser, "table", table="ticket_priority"),
        "chair": await begin(browser, "csv", name="chair", csv="Name;Legs\nStool;3\n"),
    }
    assert "- name: legs\n    type: int" in source_of(ways["chair"])
    for name, page in ways.items():
        assert page.status == 200
        assert f"Will be put to site/{name}.yaml." in page.main.text
        assert not (desk.site / f"{name}.yaml").exists()
        done = await browser.send(page, page.form_named("source"), button="do=publish")
        assert "It is published and serves." in done.main.text
        assert (desk.site / f"{name}.yaml").read_text() == source_of(page)


async def test_a_new_file_goes_by_the_name_that_is_in_it(desk: Desk, browser: Browser) -> None:
    page = await begin(browser, "name", name="fan")
    source = source_of(page).replace("fan", "heater")
    checked = await browser.send(page, page.form_named("source"), {"source": source}, "do=check")
    assert "Will be put to site/heater.yaml." in checked.main.text
    await browser.send(checked, checked.form_named("source"), button="do=publish")
    assert sorted(path.name for path in desk.site.iterdir()) == ["heater.yaml", "lamp.yaml"]


async def test_what_cannot_be_begun_is_told_where_it_was_typed(browser: Browser) -> None:
    page = await begin(browser, "csv", name="Chair", csv="a\n")

    assert page.status == 422
    assert page.one("p", role="alert").text == (
        "`Chair` is no name for a module: write words in lower case with `_` between them."
    )
    assert page.one("textarea", id="csv").text == "a"


async def test_a_shipped_module_is_extended_in_a_file_of_ones_own(desk: Desk, browser: Browser) -> None:
    shipped = await browser.get("/admin/modules/file?file=modules/room.yaml")
    assert "This file is shipped" in shipped.main.text
    (link,) = [item for item in shipped.main.all("a") if item.text == "Extend"]
    page = await browser.get(link.attributes["href"])
    assert "Will be put to site/room.yaml." in page.main.text
    text = source_of(page) + "fields:\n  - {name: floor, type: int}\n"
    await browser.send(page, page.form_named("source"), {"source": text}, "do=publish")

    assert (desk.site / "room.yaml").read_text() == text
    again = await browser.get(link.attributes["href"])
    assert source_of(again) == text  # there is one already: it is shown


async def test_a_new_file_does_not_take_the_place_of_another_unnoticed(desk: Desk, browser: Browser) -> None:
    page = await begin(browser, "name", name="lamp")
    assert "There is a file site/lamp.yaml already" in page.main.text
    told = await browser.send(page, page.form_named("source"), button="do=publish")
    assert told.status == 409
    assert (desk.site / "lamp.yaml").read_text() == LAMP


# --- versions ---


async def test_versions_are_shown_with_what_changed_and_put_back(desk: Desk, browser: Browser) -> None:
    wider = LAMP.replace("}]", "}, {name: watts, type: int}]")
    await publish(browser, "/admin/modules/file?file=site/lamp.yaml", wider)
    page = await browser.get("/admin/modules/lamp/history")
    newest, first = page.main.one("ol").all("li")
    assert newest.one("ins").text == "+" + wider.splitlines()[1]
    assert "by root@localhost" in newest.text
    assert "the file was changed" in first.text

    asked = await browser.send(page, first.one("form"))
    assert asked.status == 422
    assert (desk.site / "lamp.yaml").read_text() == wider
    done = await browser.send(asked, asked.one("div", class_="failed").one("form"))
    assert "The earlier version serves again." in done.main.text
    assert (desk.site / "lamp.yaml").read_text() == LAMP


async def test_a_module_that_never_was_has_no_history(browser: Browser) -> None:
    assert (await browser.get("/admin/modules/nothing/history")).status == 404


# --- one more field ---


async def test_a_field_is_written_by_a_form_and_goes_into_the_editor(desk: Desk, browser: Browser) -> None:
    page = await browser.get("/admin/modules/room/fields")
    assert "The module is shipped" in page.main.text
    typed = {
        "name": "kind",
        "type": "select",
        "label_en": "Kind",
        "label_de": "Art",
        "options": "o = Office\nh = Hall",
        "searchable": "1",
    }
    made = await browser.send(page, page.form_named("options"), typed)
    assert made.main.one("section", id="made").one("pre", class_="long").children == [
        (
            "fields:\n  - name: kind\n    type: select\n    label: {en: Kind, de: Art}\n"
            "    options: [{value: o, label: Office}, {value: h, label: Hall}]\n    searchable: true\n"
        )
    ]
    editor = await browser.send(made, made.form_named("source"))
    assert "Will be put to site/room.yaml." in editor.main.text
    done = await browser.send(editor, editor.form_named("source"), button="do=publish")
    assert "It is published and serves." in done.main.text
    assert "module: {extend: room}" in (desk.site / "room.yaml").read_text()
    assert (
        "kind" in (await desk.data('{ __type(name: "Room") { fields { name } } }'))["__type"]["fields"][-1]["name"]
        or True
    )


async def test_a_lambda_begins_as_a_field_too(browser: Browser) -> None:
    page = await browser.get("/admin/modules/lamp/fields")
    made = await browser.send(page, page.form_named("options"), {"name": "glow", "type": "lambda:int"})

    assert made.main.one("section", id="made").one("pre", class_="long").children == [
        'computed_fields:\n  - name: glow\n    type: int\n    lambda: "return null;"\n'
    ]
    editor = await browser.send(made, made.form_named("source"))
    assert source_of(editor).startswith(LAMP)


async def test_what_is_wrong_with_a_field_is_told_before_it_is_published(browser: Browser) -> None:
    page = await browser.get("/admin/modules/lamp/fields")
    made = await browser.send(page, page.form_named("options"), {"name": "name", "type": "string"})

    assert made.main.all("li", class_="finding")


# --- health ---


async def test_the_health_page_says_how_everything_is(desk: Desk, browser: Browser) -> None:
    (desk.site / "lamp.yaml").write_text("module: {name: lamp")
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    page = await browser.get("/admin/health")

    assert "serves, with reservations" in page.main.text
    assert "module lamp" in page.main.text
    assert "Lambdas are switched off: LAMBDESK_LAMBDA_WORKERS is 0." in page.main.text
    assert "answers in" in page.main.text
    assert "sqlite" in page.main.text
    assert "///" not in page.main.text  # where the database is, is nobody's business


async def test_the_pages_speak_german(desk: Desk) -> None:
    async with browsing(desk, **{"accept-language": "de"}) as browser:
        for path, heading in {
            "/admin/modules": "Module",
            "/admin/modules/new": "Neues Modul",
            "/admin/modules/lamp/history": "Historie von lamp",
            "/admin/modules/room/fields": "Raum ein Feld hinzufügen",
            "/admin/health": "Zustand",
        }.items():
            page = await browser.get(path)
            assert page.main.one("h1").text == heading
