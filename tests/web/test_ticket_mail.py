"""HTML of mails: cleaned, bounded, in a frame that may run nothing and load nothing of other servers unless asked."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.web.test_pages_xss import check
from tests.web.ticket_office import Office, Ticket, open_office
from tests.web.xss import PAYLOADS
from web.pages.mail_html import DEPTH_LIMIT, HTML_LIMIT_CHARS, TAGS, TAGS_LIMIT, balanced, clean_mail, content_ids
from web.pages.ticket_frame import charset_of

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
PICTURE = "data:image/png;base64,"
OPEN = re.compile(r"<([a-z][a-z0-9]*)")
HARMLESS = {"title", "dir", "lang", "style", "href", "src", "alt", "width", "height", "align", "valign", "bgcolor", "color", "face", "size"} | {
    "border", "cellpadding", "cellspacing", "colspan", "rowspan", "span", "start", "type", "datetime", "rel", "target"
}  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as opened:
        yield opened


async def mail(office: Office, html: str) -> tuple[Ticket, str]:
    """A ticket with a mail; return it and the address of its frame."""
    ticket = await office.ticket()
    article = await office.add(ticket, body=html, contentType="text/html")
    return ticket, f"/modules/ticket/{ticket['id']}/desk/articles/{article}/html"


# --- cleaning ---


def test_what_a_mail_looks_like_stays() -> None:
    found = clean_mail(
        '<p style="color:red;position:fixed"><b>x</b></p><table border="1"><tr><td>y</td></tr></table><font size="2">z</font>'
    )
    assert found is not None
    assert (
        found.html
        == '<p style="color:red"><b>x</b></p><table border="1"><tbody><tr><td>y</td></tr></tbody></table><font size="2">z</font>'
    )


@pytest.mark.parametrize("address", ["http://t.example/p.gif", "HTTPS://t.example/p.gif", " https://t.example/p.gif"])
def test_pictures_of_other_servers_are_held_back_and_counted(address: str) -> None:
    held, shown = clean_mail(f"<img src='{address}' alt='x'>"), clean_mail(f"<img src='{address}'>", shows_remote=True)
    assert held is not None
    assert (held.remote, "t.example" in held.html, 'alt="x"' in held.html) == (1, False, True)
    assert shown is not None
    assert "t.example" in shown.html


@pytest.mark.parametrize(
    "address",
    [
        "//t.example/p.gif",
        "data:image/svg+xml,x",
        "file:///etc/passwd",
        "cid:other",
        "/files/x/content",
        "javascript:x",
    ],
)
def test_every_other_address_of_a_picture_is_dropped(address: str) -> None:
    found = clean_mail(f"<img src='{address}'>", {"logo": PICTURE}, shows_remote=True)
    assert found is not None
    assert found.html == "<img>"


def test_pictures_that_came_along_are_put_in_by_their_content_id() -> None:
    text = "<img src='cid:logo@x'>"
    assert content_ids(text) == {"logo@x"}
    found = clean_mail(text, {"logo@x": PICTURE})
    assert found is not None
    assert found.html == f'<img src="{PICTURE}">'


def test_links_lead_to_a_tab_of_their_own_and_tell_nothing() -> None:
    found = clean_mail("<a href='https://x.example/' onclick=hit() target=_top>x</a><a href='javascript:hit()'>y</a>")
    assert found is not None
    assert found.html == (
        '<a href="https://x.example/" target="_blank" rel="noopener noreferrer nofollow">x</a>'
        '<a target="_blank" rel="noopener noreferrer nofollow">y</a>'
    )


def test_payloads_leave_nothing_but_harmless_tags() -> None:
    for text in PAYLOADS:
        found = clean_mail(text, shows_remote=True)
        assert found is not None
        assert set(OPEN.findall(found.html)) <= TAGS, text
        for name, value in re.findall(r'\s([a-z-]+)="([^"]*)"', found.html):
            assert name in HARMLESS, (text, name)
            assert not value.lower().strip().startswith(("javascript", "data:text", "vbscript")), text


@pytest.mark.parametrize(
    "text",
    ["<div>" * 100_000, "<b><p>" * 60_000, "<b><p></b>" * 50_000, "<table><b>" * 50_000, "<a href=x><p></a>" * 25_000, "<" * 500_000, "<a" * 250_000,
     "<!--" * 120_000, "<p " + "a " * 200_000, "</b>" * 120_000, "<style>" * 70_000, "&" * 500_000, "&" * 100_000, "<p style='" + "(" * 400_000],
)  # fmt: skip
def test_no_mail_costs_much(text: str) -> None:
    """The cleaner alone would take many seconds for the first of these."""
    begun = time.process_time()
    clean_mail(text[:HTML_LIMIT_CHARS])
    assert time.process_time() - begun < 2.5


def test_what_the_cleaner_is_given_is_bounded_in_tags_and_depth() -> None:
    for text in ("<div>" * 1_000, "<p>x</p>" * 2 * TAGS_LIMIT, "<div></p></div></div><b>"):
        depth = deepest = tags = 0
        for mark in re.findall(r"<(/?)[a-z]", balanced(text)):
            depth += -1 if mark else 1
            tags += not mark
            deepest = max(deepest, depth)
            assert depth >= 0
        assert (depth, deepest <= DEPTH_LIMIT, tags <= TAGS_LIMIT) == (0, True, True)


def test_a_mail_that_is_too_large_is_not_cleaned_at_all() -> None:
    assert clean_mail("x" * (HTML_LIMIT_CHARS + 1)) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [('text/html; charset="iso-8859-1"', "iso8859-1"), ("text/html; charset=UTF-8", "utf-8"), ("text/html", "utf-8"), ("text/html; charset=idna", "utf-8"), ("text/html; charset=x-none", "utf-8")],
)  # fmt: skip
def test_only_encodings_that_mails_come_in_are_used(said: str, read: str) -> None:
    assert charset_of(said) == read


# --- the frame ---


async def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(office: Office) -> None:
    ticket, address = await mail(office, "<p>Hello</p><img src='https://t.example/p.gif'><script>hit()</script>")
    page = await office.open(ticket)
    frame = page.main.one("iframe")
    assert frame.attributes["src"] == address
    assert set(frame.attributes["sandbox"].split()) == {"allow-popups", "allow-popups-to-escape-sandbox"}
    assert frame.attributes["title"]
    assert page.response.headers["content-security-policy"].endswith("; frame-src 'self'")
    inside = await office.browser.get(address)
    policy = inside.response.headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    assert (inside.response.headers["x-frame-options"], inside.response.headers["referrer-policy"]) == (
        "SAMEORIGIN",
        "no-referrer",
    )
    assert "no-store" in inside.response.headers["cache-control"]
    assert "t.example" not in inside.response.text
    assert "hit()" not in inside.response.text
    assert "1 image of another server is not loaded" in inside.text


async def test_pictures_of_other_servers_come_where_one_asks_and_for_this_mail_alone(office: Office) -> None:
    ticket, address = await mail(office, "<img src='https://t.example/p.gif'>")
    await office.add(ticket, body="<img src='https://t.example/q.gif'>", contentType="text/html")
    page = await office.open(ticket)
    link = next(
        item for item in page.main.all("a") if item.attributes["href"] == f"{address.removesuffix('/html')}?images=1"
    )
    asked = await office.browser.get(link.attributes["href"])
    assert asked.main.one("iframe").attributes["src"] == f"{address}?images=1"
    part = await office.browser.get(link.attributes["hx-get"], **{"hx-request": "true"})
    assert [item.attributes["src"] for item in part.all("iframe")] == [f"{address}?images=1"]
    inside = await office.browser.get(f"{address}?images=1")
    assert "img-src data: https: http:;" in inside.response.headers["content-security-policy"]
    assert inside.one("img").attributes["src"] == "https://t.example/p.gif"
    other = (await office.open(ticket)).main.all("iframe")
    assert all("images=1" not in item.attributes["src"] for item in other)


async def test_pictures_that_came_along_are_shown_and_not_offered_as_files(office: Office) -> None:
    ticket, address = await mail(office, "<img src='cid:logo@x'>")
    upload = (await office.desk.client.post("/files?name=logo.png", content=PNG)).json()["id"]
    article = await office.add(
        ticket, body="<p><img src='cid:logo@x'></p>", contentType="text/html", attachments=[upload]
    )
    database = office.desk.identities.database
    async with database.transaction() as transaction:
        mark = sa.text(
            "UPDATE article_data_mime_attachment SET content_id = '<logo@x>', disposition = 'inline' WHERE filename = 'logo.png'"
        )
        await transaction.execute(mark)
    inside = await office.browser.get(f"/modules/ticket/{ticket['id']}/desk/articles/{article}/html")
    assert inside.one("img").attributes["src"].startswith(PICTURE)
    page = await office.open(ticket)
    assert not page.main.all(class_="article-files")
    alone = await office.open(ticket, f"/desk/articles/{article}")
    assert alone.main.one(class_="article-files").one("a").text == "logo.png"
    other = await office.browser.get(address)  # another article has no such picture
    assert "src" not in other.one("img").attributes


async def test_a_mail_that_is_too_large_says_so_and_can_be_read_as_text(office: Office) -> None:
    ticket, address = await mail(office, f"<p>{'word ' * 120_000}</p>")
    inside = await office.browser.get(address)
    assert (inside.status, "too large to be shown as HTML" in inside.text) == (200, True)
    page = await office.open(ticket)
    assert "word word" in page.main.one(class_="article-plain").text
    assert page.main.all(class_="article-below")[-1].one("a").text == "The text is longer: show all of it"


async def test_payloads_in_articles_are_texts_or_harmless(office: Office) -> None:
    """Subjects, texts, senders, recipients and names of files; the page and the frame."""
    ticket = await office.ticket("<img src=x onerror=hit()>")
    for text in PAYLOADS[::60]:
        upload = (await office.desk.client.post("/files", params={"name": text[:100]}, content=b"x")).json()["id"]
        line = " ".join(text.split())
        await office.add(ticket, subject=line, body=text, to=line, cc=line, **{"from": line, "attachments": [upload]})
        article = await office.add(ticket, subject=line, body=text, contentType="text/html")
        frame = await office.browser.client.get(f"/modules/ticket/{ticket['id']}/desk/articles/{article}/html")
        assert set(OPEN.findall(frame.text)) <= TAGS | {"html", "head", "meta", "title", "style", "body"}, text
        assert not re.search(r"<[^>]*\son\w+=", frame.text)
    article = await office.add(ticket)
    for rest in (
        "",
        "?order=old",
        "/desk/note",
        "/desk/links",
        "/desk/customer",
        f"/desk/articles/{article}",
        f"/desk/note?answers={article}",
    ):
        check(await office.open(ticket, rest), rest)
    check(await office.open(ticket, f"/desk/articles/{article}/split"), "split")
    page = await office.open(ticket, "/desk/merge")
    for text in ("<img src=x", '"><script>hit()</script>'):
        check(await office.send(page, "/desk/merge", {"other": text}), text)
