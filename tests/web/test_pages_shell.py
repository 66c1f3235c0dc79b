"""What surrounds every page: the menu, the look, languages, refusals, and the policy that lets only our scripts run."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import fresh_url
from tests.web.browsing import OWN, Browser, browsing, nonces
from tests.web.real import ROOM, Desk, open_desk
from web.pages.look import CHOICES
from web.pages.texts import TEXTS, Texts

LAMP = """\
module: {name: lamp, table: lamp, section: {en: Light, de: Licht}, plural: {en: Lamps, de: Lampen}}
fields: [{name: name, type: string, required: true}]
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM, "lamp": LAMP}) as opened:
            yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with browsing(desk) as opened:
        yield opened


def test_every_text_is_there_in_every_language() -> None:
    assert {key: set(texts) for key, texts in TEXTS.items() if set(texts) != {"en", "de"}} == {}
    for key, texts in TEXTS.items():
        places = {language: sorted(re.findall(r"\{(\w+)\}", text)) for language, text in texts.items()}
        assert places["en"] == places["de"], key
        assert all(text.strip() for text in texts.values()), key


def test_every_text_that_a_page_uses_is_there() -> None:
    room = Path(__file__).parent.parent.parent / "web"
    sources = [*room.glob("templates/**/*.html"), *room.glob("pages/*.py")]
    used = {
        key
        for path in sources
        for key in re.findall(r"""\b(?:t|texts)(?:\.choose)?\(\s*["']([\w-]+)["']\s*[,)]""", path.read_text())
    }

    assert len(used) > 30
    assert {key for key in used if key not in TEXTS} == set()


def test_numbers_have_the_separators_of_the_language() -> None:
    assert [Texts(language).number(1234567) for language in ("en", "de")] == ["1,234,567", "1.234.567"]


async def test_the_menu_has_every_module_that_one_may_view_by_section(browser: Browser) -> None:
    page = await browser.get("/")

    sections = page.one("nav").all("details")
    assert [(item.one("summary").text, [link.text for link in item.all("a")]) for item in sections] == [
        ("Light", ["Lamps"]),
        ("More", ["Rooms"]),
        ("Administration", ["Modules", "Rights", "Health"]),  # the first agent is an administrator
    ]
    assert {link.attributes["href"] for link in page.main.all("a")} >= {"/modules/lamp", "/modules/room"}


async def test_a_page_is_in_the_language_of_the_browser_or_in_the_chosen_one(desk: Desk) -> None:
    async with browsing(desk, **{"accept-language": "de-DE,de;q=0.9"}) as browser:
        page = await browser.get("/")
        assert page.one("html").attributes["lang"] == "de"
        assert "Lampen" in page.main.text
        look = await browser.get("/look?next=/")
        chosen = await browser.send(look, look.form("/look"), {"language": "en"})
        assert chosen.one("html").attributes["lang"] == "en"
        assert "Lamps" in chosen.main.text


async def test_what_somebody_chose_stays(browser: Browser) -> None:
    look = await browser.get("/look?next=/look")
    assert {name: len(look.all("input", name=name)) for name in CHOICES} == {
        name: len(values) for name, values in CHOICES.items()
    }
    chosen = {"theme": "dark", "density": "compact", "keys": "off", "zone": "Europe/Berlin"}
    await browser.send(look, look.form("/look"), chosen)

    attributes = (await browser.get("/")).one("html").attributes
    assert {name: attributes[f"data-{name}"] for name in chosen} == chosen


async def test_a_look_that_nobody_offers_counts_for_nothing(browser: Browser) -> None:
    look = await browser.get("/look")
    await browser.send(look, look.form("/look"), {"theme": 'x" onload="alert(1)', "zone": "../../etc/passwd"})

    attributes = (await browser.get("/")).one("html").attributes
    assert "data-theme" not in attributes
    assert attributes["data-zone"] == "UTC"
    browser.client.cookies.set("lambdesk-look", "theme:evil|zone:%00|language:xx|density", domain="localhost.local")
    assert (await browser.get("/")).status == 200


async def test_only_scripts_with_the_nonce_of_the_answer_run(browser: Browser) -> None:
    first, second = await browser.get("/"), await browser.get("/")

    (nonce,) = nonces(first.response)
    policy = first.response.headers["content-security-policy"]
    assert f"script-src 'nonce-{nonce}';" in policy
    assert "unsafe" not in policy
    assert nonces(second.response) != {nonce}
    assert all("src" in script.attributes and script.text == "" for script in first.all("script"))
    assert not re.search(r"<[^>]+\s(on\w+|style)=", first.response.text)


async def test_a_page_is_never_kept_by_a_browser(browser: Browser) -> None:
    for path in ("/", "/look", "/graphiql", "/modules/nothing"):
        assert (await browser.get(path)).response.headers["cache-control"] == "no-store"


async def test_the_token_of_forms_is_another_one_on_each_page_and_each_counts(browser: Browser) -> None:
    """So that nobody learns it from how well a page with a guess in it compresses."""
    pages = [await browser.get("/look") for _ in range(2)]
    tokens = [page.form("/look").one("input", name="csrf").attributes["value"] for page in pages]

    assert tokens[0][:16] != tokens[1][:16]
    assert tokens[0][16:] != tokens[1][16:]
    for page in pages:
        assert (await browser.send(page, page.form("/look"))).status == 200


@pytest.mark.parametrize("token", ["", "0" * 16, "0" * 80, "ü", "\ud800x"[1:]])
async def test_a_form_without_the_token_does_nothing(browser: Browser, token: str) -> None:
    page = await browser.get("/look")
    answer = await browser.send(page, page.form("/look"), {"csrf": token, "theme": "dark"})

    assert answer.status == 403
    assert "Not allowed" in answer.main.text
    assert "data-theme" not in (await browser.get("/")).one("html").attributes


async def test_a_form_of_another_site_does_nothing(browser: Browser) -> None:
    page = await browser.get("/look")
    token = page.form("/look").one("input", name="csrf").attributes["value"]
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
        {"origin": "null"},
    ):
        answer = await browser.client.post("/look", data={"csrf": token, "theme": "dark"}, headers=headers)
        assert answer.status_code == 403


async def test_what_is_not_there_is_said_inside_the_menu(browser: Browser) -> None:
    page = await browser.get("/modules/nothing")

    assert (page.status, page.main.one("h1").text) == (404, "Nothing here")
    assert page.one("nav").text
    assert page.response.headers["x-request-id"] in page.main.text


async def test_a_form_of_another_kind_or_with_too_much_is_refused(browser: Browser) -> None:
    token = (await browser.get("/look")).form("/look").one("input", name="csrf").attributes["value"]
    own = {"origin": OWN}

    json = await browser.client.post("/look", json={"csrf": token}, headers=own)
    many = await browser.client.post(
        "/look", content="a=1&" * 2_001, headers={**own, "content-type": "application/x-www-form-urlencoded"}
    )
    put = await browser.client.put("/look", headers=own)
    assert (json.status_code, many.status_code, put.status_code) == (415, 400, 405)
    assert put.headers["allow"] == "GET, HEAD, POST"


async def test_htmx_is_sent_to_the_sign_in_instead_of_swapping_it_in(desk: Desk) -> None:
    async with desk.connect(**{"hx-request": "true"}) as client:
        answer = await client.get("/look?next=/x")

    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/login?next=/look%3Fnext%3D/x")


async def test_a_page_is_compressed_for_those_who_take_it(browser: Browser) -> None:
    packed = await browser.client.get("/", headers={"accept-encoding": "gzip"})
    plain = await browser.client.get("/", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["vary"]


async def test_pages_work_where_only_allowed_operations_run(tmp_path: Path) -> None:
    """Their operations are the program's own."""
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, persisted="only", persisted_dir=tmp_path) as desk:
            assert (await desk.ask("{ rooms { totalCount } }"))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            async with browsing(desk) as browser:
                assert "There are no rows yet." in (await browser.get("/modules/room")).main.text
