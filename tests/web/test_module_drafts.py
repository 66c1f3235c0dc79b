"""Drafts of module files stay on the server until they are published, one for each administrator and file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.module_drafts import Owner, module_drafts, sweep, write_module_draft
from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import Browser, browsing
from tests.web.oneself import browsing_as, fill
from tests.web.real import Desk, open_desk, sign_in
from tests.web.test_pages_xss import check
from tests.web.xss import PAYLOADS
from web.platform_module_drafts import DRAFTS

LAMP = "module: {name: lamp, plural: {en: Lamps, de: Lampen}, table: lamp}\nfields: [{name: name, type: string}]\n"
WIDER = LAMP.replace("}]", "}, {name: watts, type: int}]")
ADDRESS = "/admin/modules/file?file=site/lamp.yaml"
KEEP = """mutation ($input: SaveModuleDraftInput!) { saveModuleDraft(input: $input) {
  draft { file author isMine source basis isOutdated } errors { code messageKey path } } }"""
DRAFTS_OF = "query ($file: String) { moduleDrafts(file: $file) { file author isMine source basis isOutdated } }"
DIGEST = '{ moduleFile(file: "site/lamp.yaml") { digest } }'


@pytest.fixture(params=DIALECTS)
async def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, {"lamp": LAMP}) as found:
            yield found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"lamp": LAMP}) as found:
            yield found


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as found:
        yield found


async def digest(desk: Desk) -> str:
    return str((await desk.data(DIGEST))["moduleFile"]["digest"])


async def keep(desk: Desk, source: str, **more: str) -> dict[str, Any]:
    given = {"file": "site/lamp.yaml", "source": source, **more}
    found: dict[str, Any] = (await desk.data(KEEP, input=given))["saveModuleDraft"]
    return found


async def make_administrator(desk: Desk) -> None:
    """Make ada an administrator too, by a role."""
    await fill(desk)
    async with desk.identities.database.transaction() as transaction:
        await transaction.execute("UPDATE group_role SET group_id = 2 WHERE role_id = 3")


# --- the API ---


async def test_a_draft_is_kept_in_the_place_of_the_one_before(everywhere: Desk) -> None:
    basis = await digest(everywhere)
    for source in ("module: {name: lamp", "half: ä 😀\n", "half: ä 😀\n"):
        done = await keep(everywhere, source, basis=basis)
    told = {"file": "site/lamp.yaml", "author": "root@localhost", "isMine": True, "basis": basis, "isOutdated": False}
    assert done == {"draft": {**told, "source": "half: ä 😀\n"}, "errors": []}
    assert (await everywhere.data(DRAFTS_OF))["moduleDrafts"] == [done["draft"]]
    assert (await everywhere.data(DRAFTS_OF, file="site/other.yaml"))["moduleDrafts"] == []
    gone = 'mutation { deleteModuleDraft(input: {file: "site/lamp.yaml"}) { deleted } }'
    assert [(await everywhere.data(gone))["deleteModuleDraft"]["deleted"] for _ in range(2)] == [True, False]


async def test_what_is_published_is_no_draft_any_more(desk: Desk) -> None:
    publish = "mutation ($source: String!, $file: String) { publishModule(input: {source: $source, file: $file}) { errors { messageKey } } }"
    await keep(desk, WIDER, basis=await digest(desk))
    await desk.data(publish, source="broken", file="site/lamp.yaml")
    assert len((await desk.data(DRAFTS_OF))["moduleDrafts"]) == 1
    await desk.data(publish, source=WIDER, file="site/lamp.yaml")
    assert (await desk.data(DRAFTS_OF))["moduleDrafts"] == []


async def test_a_draft_knows_that_the_file_has_changed_since(desk: Desk) -> None:
    await keep(desk, WIDER, basis=await digest(desk))
    (desk.site / "lamp.yaml").write_text(LAMP.replace("string", "text"))
    assert [item["isOutdated"] for item in (await desk.data(DRAFTS_OF))["moduleDrafts"]] == [True]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"file": "../etc/passwd"}, ("INVALID", "module-file")),
        ({"file": "site/x.txt"}, ("INVALID", "module-file")),
        ({"file": "site/" + "x" * 300 + ".yaml"}, ("INVALID", "module-file")),
        ({"source": "x" * 262_145}, ("LIMIT", "file-too-large")),
        ({"basis": "x" * 65}, ("CONFLICT", "module-changed")),
    ],
)
async def test_what_cannot_be_a_draft_is_refused(desk: Desk, changed: dict[str, str], error: tuple[str, str]) -> None:
    done = (await desk.data(KEEP, input={"file": "site/lamp.yaml", "source": "x", **changed}))["saveModuleDraft"]
    assert (done["draft"], [(item["code"], item["messageKey"]) for item in done["errors"]]) == (None, [error])


async def test_nobody_keeps_drafts_without_end(everywhere: Desk) -> None:
    database = everywhere.identities.database
    me, other = Owner("agent", 1, "root@localhost"), Owner("agent", 2, "x")
    for number in range(DRAFTS):
        assert await write_module_draft(database, me, f"site/m{number}.yaml", basis="", source="x", most=DRAFTS)
    done = await keep(everywhere, LAMP)
    assert [item["messageKey"] for item in done["errors"]] == ["module-draft-too-many"]
    assert await write_module_draft(database, me, "site/m1.yaml", basis="", source="y", most=DRAFTS)
    assert await write_module_draft(database, other, "site/m1.yaml", basis="", source="z", most=DRAFTS)
    assert await sweep(database, 3_600) == 0
    assert len(await module_drafts(database)) == DRAFTS + 1
    await asyncio.sleep(1.1)  # the table counts seconds
    assert await sweep(database, 0.5) == DRAFTS + 1


async def test_others_see_that_there_is_one_and_whose_but_not_what_is_in_it(desk: Desk) -> None:
    await keep(desk, "a: secret thought\n")
    await make_administrator(desk)
    pair = await sign_in(desk.live, "ada")
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        answer = (await client.post("/graphql", json={"query": DRAFTS_OF})).json()["data"]["moduleDrafts"]
    assert [(item["author"], item["isMine"], item["source"]) for item in answer] == [("root@localhost", False, None)]
    async with browsing_as(desk, "ada") as other:
        page = await other.get(ADDRESS)
        assert "root@localhost has a draft of this file" in page.main.text
        assert "secret thought" not in page.response.text
        assert "secret thought" not in (await other.get(f"{ADDRESS}&draft=1")).response.text
        listed = await other.get("/admin/modules")
        assert "site/lamp.yaml by root@localhost" in listed.main.one("details", id="drafts").text


async def test_drafts_are_for_administrators(desk: Desk) -> None:
    await fill(desk)
    pair = await sign_in(desk.live, "ada")
    async with desk.connect(authorization=f"Bearer {pair.access_token}") as client:
        for query in (DRAFTS_OF, 'mutation { saveModuleDraft(input: {file: "site/lamp.yaml", source: "x"}) { errors { code } } }', 'mutation { deleteModuleDraft(input: {file: "site/lamp.yaml"}) { deleted } }'):  # fmt: skip
            answer = (await client.post("/graphql", json={"query": query})).json()
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", query


# --- the page, without scripts ---


def source_of(page: Any) -> str:
    return "".join(page.one("textarea", id="source").children).removeprefix("\n")


async def test_a_draft_is_saved_found_again_and_published(desk: Desk, browser: Browser) -> None:
    page = await browser.get(ADDRESS)
    kept = await browser.send(page, page.form_named("source"), {"source": WIDER}, "do=draft")
    assert "The draft is kept." in kept.main.text
    assert (source_of(kept), (desk.site / "lamp.yaml").read_text()) == (WIDER, LAMP)

    later = await browser.get(ADDRESS)
    assert source_of(later) == LAMP
    taken = await browser.get(later.main.one(id="draft").one("a").attributes["href"])
    assert source_of(taken) == WIDER
    assert "+fields: [{name: name, type: string}, {name: watts, type: int}]" in taken.main.text
    done = await browser.send(taken, taken.form_named("source"), button="do=publish")
    assert "It is published and serves." in done.main.text
    assert (desk.site / "lamp.yaml").read_text() == WIDER
    assert (await browser.get(ADDRESS)).main.all(id="draft") == []


async def test_whoever_takes_an_old_draft_is_warned_and_publishes_over_nothing(desk: Desk, browser: Browser) -> None:
    page = await browser.get(ADDRESS)
    await browser.send(page, page.form_named("source"), {"source": WIDER}, "do=draft")
    theirs = LAMP.replace("}]", "}, {name: volts, type: int}]")
    (desk.site / "lamp.yaml").write_text(theirs)
    await desk.live.registry.reload()  # type: ignore[attr-defined] # the real one
    taken = await browser.get(f"{ADDRESS}&draft=1")
    assert "The file has changed since" in taken.main.one(id="draft").text
    told = await browser.send(taken, taken.form_named("source"), button="do=publish")
    assert told.status == 409
    assert (desk.site / "lamp.yaml").read_text() == theirs


async def test_a_draft_is_forgotten(desk: Desk, browser: Browser) -> None:
    await keep(desk, WIDER, basis=await digest(desk))
    page = await browser.get(ADDRESS)
    after = await browser.send(page, page.main.one(id="draft").one("form"), button="do=forget")
    assert "The draft is forgotten." in after.main.text
    assert (await desk.data(DRAFTS_OF))["moduleDrafts"] == []


async def test_a_draft_of_a_new_file_is_found_in_the_list(desk: Desk, browser: Browser) -> None:
    begin = await browser.get("/admin/modules/new")
    form = next(item for item in begin.all("form") if item.all("input", name="way", value="name"))
    page = await browser.send(begin, form, {"name": "fan"})
    await browser.send(page, page.form_named("source"), button="do=draft")
    assert not (desk.site / "fan.yaml").exists()
    listed = await browser.get("/admin/modules")
    taken = await browser.get(listed.main.one("details", id="drafts").one("a").attributes["href"])
    assert "name: fan" in source_of(taken)
    other = source_of(taken).replace("fan", "heater")
    await browser.send(taken, taken.form_named("source"), {"source": other}, "do=publish")
    assert (desk.site / "heater.yaml").exists()
    assert (await desk.data(DRAFTS_OF))["moduleDrafts"] == []


async def test_what_a_script_keeps_while_one_types_is_told_in_a_line(browser: Browser) -> None:
    page = await browser.get(ADDRESS)
    browser.client.headers["hx-request"] = "true"
    line = await browser.send(page, page.form_named("source"), {"source": WIDER}, "do=draft")
    assert line.one("p", id="draft-state").text.startswith("The draft is kept:")
    refused = await browser.send(page, page.form_named("source"), {"source": "x", "file": "nowhere.yaml"}, "do=draft")
    assert (refused.status, refused.one("p", id="draft-state").attributes["role"]) == (422, "alert")


async def test_texts_of_drafts_and_names_of_their_authors_stay_texts(desk: Desk, browser: Browser) -> None:
    await make_administrator(desk)
    database = desk.identities.database
    for payload in [item for item in PAYLOADS if len(item) < 150][::40]:
        await write_module_draft(database, Owner("agent", 1, "root@localhost"), "site/lamp.yaml", basis="", source=payload, most=9)  # fmt: skip
        await write_module_draft(database, Owner("agent", 7, payload), "site/lamp.yaml", basis="", source="x", most=9)
        for path in (ADDRESS, f"{ADDRESS}&draft=1", "/admin/modules"):
            check(await browser.get(path), f"{path} {payload}")
