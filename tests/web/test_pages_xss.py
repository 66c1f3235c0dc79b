"""Whatever rows, module files and addresses say, pages show it as text: no element, no attribute and no script is made of it."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import yaml

from tests.databases import fresh_url
from tests.web.browsing import Browser, Shown, browsing
from tests.web.real import Desk, open_desk
from tests.web.xss import PAYLOADS

TEMPLATES = Path(__file__).parent.parent.parent / "web" / "templates"
# Names of elements that our own templates and forms write. The frame of a mail is no page: it has a style sheet inside.
SOURCES = [
    *(path for path in TEMPLATES.rglob("*.html") if path.name != "frame.html"),
    TEMPLATES.parent / "pages" / "drawing.py",
    TEMPLATES.parent / "pages" / "row_drawing.py",
]
ELEMENTS = set(re.findall(r"<([a-z][a-z0-9]*)", "".join(path.read_text() for path in SOURCES)))
HANDLER = re.compile(r"on\w+|style|srcdoc|formaction|x-init|hx-on.*|data-hx.*")
ADDRESSES = ("href", "src", "action", "hx-get", "hx-post", "data-url")
KINDS = ("string", "text", "markdown", "html", "email", "url", "phone", "color", "json")
NOTE = {
    "module": {"name": "note", "plural_name": "notes", "table": "note"},
    "fields": [
        {"name": "name", "type": "string", "required": True, "unique": True, "searchable": True, "label": "Name"},
        *(
            {"name": f"as_{kind}", "type": "text" if kind == "string" else kind, "label": kind}
            for kind in KINDS
            if kind not in {"email", "url", "phone", "color"}
        ),
        {"name": "other", "type": "reference", "to": "note", "column": "other_id", "label": "Other"},
    ],
    "relations": [{"name": "others", "to": "note", "by": "other", "label": "Others"}],
    "access": {"agent": {"view": True}},
    "ui": {"list_columns": ["name", "as_text", "as_html", "as_json", "as_markdown", "other"]},
}


@asynccontextmanager
async def opened(folder: Path, **files: object) -> AsyncIterator[tuple[Desk, Browser]]:
    with fresh_url("sqlite") as url:
        texts = {name: yaml.safe_dump(module, allow_unicode=True) for name, module in files.items()}
        async with open_desk(url, folder, texts) as desk, browsing(desk) as browser:
            yield desk, browser


def check(page: Shown, where: str) -> None:
    """Check that a page has nothing but what our templates write."""
    policy = page.response.headers["content-security-policy"]
    (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)'", policy)
    for item in page.all():
        assert item.name in ELEMENTS | {"path"}, (where, item.name)
        for name, value in item.attributes.items():
            assert not HANDLER.fullmatch(name), (where, item.name, name)
            assert not name.startswith(("hx-", "x-")) or item.attributes.get("hx-nonce") in {nonce, None}, (where, name)
            if name in ADDRESSES:
                assert re.match(r"/(?!/)|#|mailto:|tel:|https?://|data:,$|\?|$", value), (where, name, value)
        if any(name.startswith("hx-") for name in item.attributes):
            assert item.attributes.get("hx-nonce") == nonce, (where, item.attributes)
    for script in page.all("script"):
        assert script.attributes["nonce"] == nonce
        assert script.text == ""


def said(page: Shown) -> str:
    """Return all that a page says as text and in its inputs."""
    return " ".join([page.text, *(value for item in page.all() for value in item.attributes.values())])


def bare(text: str) -> str:
    return " ".join(text.split())


def rows(start: int, payloads: tuple[str, ...]) -> Iterator[dict[str, object]]:
    for place, text in enumerate(payloads, start):
        yield {
            "name": f"{place} {text}"[:250],
            **{f"as{kind.capitalize()}": text for kind in ("string", "text", "markdown", "html")},
            "asJson": {text: [text]},
        }


def test_there_are_many_payloads() -> None:
    assert len(PAYLOADS) >= 200


def test_templates_let_nothing_through_but_html_that_was_cleaned() -> None:
    unsafe = {
        path.name: re.findall(r"[^{}]*\|\s*safe\b|autoescape|Markup", path.read_text())
        for path in TEMPLATES.rglob("*.html")
    }

    assert {name: found for name, found in unsafe.items() if found} == {}
    code = {path.name: path.read_text().count("{shown.") for path in (TEMPLATES.parent / "pages").glob("*.py")}
    assert {name: count for name, count in code.items() if count} == {"drawing.py": 1}  # the HTML; the rest is escaped


async def test_payloads_in_rows_are_texts_wherever_they_are_shown(tmp_path: Path) -> None:
    async with opened(tmp_path, note=NOTE) as (desk, browser):
        query = "mutation ($rows: [NoteCreate!]!) { createNotes(input: {notes: $rows}) { affected errors { message path } } }"
        for start in range(0, len(PAYLOADS), 100):
            part = PAYLOADS[start : start + 100]
            made = await desk.data(query, rows=list(rows(start, part)))
            assert made["createNotes"] == {"affected": len(part), "errors": []}
        link = "mutation { updateNotes: updateNote(input: {key: {databaseId: 1}, patch: {other: {databaseId: 2}}}) { errors { message } } }"
        await desk.data(link)
        address = "/modules/note?size=200"
        seen = ""
        while address:
            page = await browser.get(address)
            check(page, address)
            seen += said(page)
            older = page.main.all("a", rel="next")
            address = older[0].attributes["href"] if older else ""
        assert [text for text in PAYLOADS if bare(text)[:100] not in seen] == []


async def test_payloads_are_texts_on_the_page_the_form_and_in_the_past_of_a_row(tmp_path: Path) -> None:
    async with opened(tmp_path, note=NOTE) as (desk, browser):
        query = "mutation ($rows: [NoteCreate!]!) { createNotes(input: {notes: $rows}) { rows { note { id } } } }"
        update = "mutation ($id: ID!, $text: String!, $html: HTML!) { updateNote(input: {key: {id: $id}, patch: {asText: $text, asHtml: $html}}) { errors { message } } }"
        ids = []
        for start in range(0, len(PAYLOADS), 100):
            made = await desk.data(query, rows=list(rows(start, PAYLOADS[start : start + 100])))
            ids += [row["note"]["id"] for row in made["createNotes"]["rows"]]
        for row, text in list(zip(ids, PAYLOADS, strict=True))[::4]:
            await desk.data(update, id=row, text=f"{text}!", html=f"{text}!")
            for rest in ("", "/edit", "/history", "/related/others", "/cell/asText"):
                page = await browser.get(f"/modules/note/{row}{rest}")
                if rest.startswith("/cell"):
                    assert not [
                        item
                        for item in page.all()
                        if item.name not in {"form", "input", "label", "textarea", "span", "button"}
                    ]
                else:
                    check_with_foreign(page, f"{text} {rest}")
                if rest in {"", "/edit", "/history"}:
                    assert bare(text)[:100] in bare(said(page)), (rest, text)


def check_with_foreign(page: Shown, where: str) -> None:
    """Check a page on which stored HTML is shown, cleaned: inside of it only what may stay."""
    for item in page.all("div", class_="foreign"):
        for inner in item.all():
            assert inner.name in {"a", "b", "br", "code", "div", "em", "i", "li", "ol", "p", "pre", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}  # fmt: skip
            assert set(inner.attributes) <= {"class", "href", "title", "rel"}
            assert (
                not inner.attributes.get("href", "https:")
                .lower()
                .strip()
                .startswith(("javascript", "data", "vbscript"))
            ), where
        item.children.clear()
    check(page, where)


async def test_payloads_in_an_address_are_texts(tmp_path: Path) -> None:
    async with opened(tmp_path, note=NOTE) as (_desk, browser):
        for text in PAYLOADS[::2]:
            word = quote(text)
            for path in (
                f"/modules/note?q={word}&f.name={word}&f.asText.startsWith={word}&sort={word}&c={word}&{word}={word}&said={word}&n={word}",
                f"/modules/note/filter?f.name={word}&q={word}", f"/look?next={word}", f"/modules/{word}", f"/modules/note/{word}",
                f"/modules/note/bulk?deed=set&all=1&f.name={word}&field=name", f"/modules/note/import?job={word}",
            ):  # fmt: skip
                page = await browser.get(path)
                check(page, path)
                assert "Set-Cookie" not in page.response.headers.get("hx-push-url", "")
            part = await browser.client.get(f"/modules/note?q={word}", headers={"hx-request": "true"})
            assert "\n" not in part.headers["hx-push-url"]


async def test_payloads_that_are_typed_come_back_as_texts(tmp_path: Path) -> None:
    async with opened(tmp_path, note=NOTE) as (_desk, browser):
        page = await browser.get("/modules/note/new")
        for text in PAYLOADS[::4]:
            answer = await browser.send(
                page,
                page.main.form_named("once"),
                {"name": "", "asText": text, "asHtml": text, "asJson": text, "other": text},
            )
            assert answer.status == 422
            check(answer, text)
            assert bare(text) in bare(said(answer))
        login = Shown(await browser.client.get("/login"))
        assert login.status == 303


async def test_captions_of_module_files_are_texts(tmp_path: Path) -> None:
    """Also what looks like a template stays as it is written."""
    for text in ('"><script>hit()</script>', "{{ 7*7 }}{% raw %}", "<img src=x onerror=hit()>", "' onfocus=hit() x='"):
        module = {
            "module": {"name": "trap", "table": "trap", "singular": text, "plural": text, "description": text, "section": text, "notice": text},
            "fields": [
                {"name": "name", "type": "string", "label": text, "help": text, "placeholder": text, "required": True, "unique": True},
                {"name": "kind", "type": "select", "label": text, "options": [{"name": "A", "value": "a", "label": text, "tone": "red"}]},
                {"name": "ticks", "type": "multiselect", "label": text, "options": [{"name": "A", "value": "a", "label": text}]},
            ],
            "access": {"agent": {"view": True}},
            "ui": {"form_sections": [{"title": text, "fields": ["name", "kind", "ticks"]}]},
        }  # fmt: skip
        async with opened(tmp_path, trap=module) as (desk, browser):
            await desk.data(
                'mutation { createTrap(input: {trap: {name: "x", kind: A, ticks: [A]}}) { errors { message } } }'
            )
            row = (await browser.get("/modules/trap?c=name,kind,ticks")).main.one("tbody").all("a", class_="link")[0]
            for path in (
                "/",
                "/modules/trap",
                "/modules/trap/new",
                "/modules/trap/filter",
                "/modules/trap/import",
                row.attributes["href"],
                f"{row.attributes['href']}/edit",
            ):
                page = await browser.get(path)
                check(page, path)
                assert bare(text) in bare(said(page)), path


@pytest.mark.parametrize(
    "text",
    [
        "<x-evil></x-evil>",
        "<p onclick=hit()></p>",
        "<a href='javascript:hit()'>x</a>",
        "<p hx-get='/x'></p>",
        "<script>hit()</script>",
    ],
)
def test_a_page_with_something_foreign_is_noticed(text: str) -> None:
    headers = {"content-security-policy": "script-src 'nonce-abc'"}
    request = httpx.Request("GET", "http://localhost/")
    check(Shown(httpx.Response(200, headers=headers, text="<p>fine</p>", request=request)), "fine")
    with pytest.raises((AssertionError, KeyError)):
        check(Shown(httpx.Response(200, headers=headers, text=text, request=request)), "foreign")
