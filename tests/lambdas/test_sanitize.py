"""HTML of a lambda can do nothing but look like text, and cleaning it cannot take long."""

import html
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas.sanitize import COST_LIMIT, HTML_LIMIT_CHARS, SPAN_CLASSES, TAGS, cost_of, sanitize
from lambdas.tones import TONES

KEPT = [
    "<p>a <b>b</b> <i>c</i> <em>d</em> <strong>e</strong> <small>f</small> <code>g</code><br>h</p>",
    "<pre>a\n  b</pre><ul><li>a</li></ul><ol><li>b</li></ol><div>c</div>",
    '<table><thead><tr><th title="t">a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>',
    *(f'<span class="badge badge-{tone}">a</span>' for tone in TONES),
    "a &lt; b &amp; c",
    '<a href="/x?a=1&amp;b=2#c" rel="noopener">a</a>',
    '<a href="https://example.org/" rel="noopener">a</a>',
    '<a href="mailto:a@b.c" rel="noopener">a</a>',
]


@pytest.mark.parametrize("text", KEPT)
def test_what_looks_like_text_stays(text: str) -> None:
    assert sanitize(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ("<b onclick=alert(1)>a</b>", "<b>a</b>"),
        ("<svg onload=alert(1)><a href='/x'>b</a></svg>a", "a"),
        ("<math><mtext><mglyph><style><img src=x></style></mglyph></mtext></math>a", "a"),
        ("<style>b{}</style>a", "a"),
        ("<iframe srcdoc='<b>'></iframe>a", "a"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>a", "'&gt;a"),
        ("<template><b>x</b></template>a", "a"),
        ("<form action=/x><input name=a>a</form>", "a"),
        ("<base href=//evil><meta http-equiv=refresh content=0><link rel=stylesheet href=x>a", "a"),
        ("<b style='background:url(//evil)' id=x name=y class=z>a</b>", "<b>a</b>"),
        ("<span class='badge hidden badge-red fixed'>a</span>", '<span class="badge badge-red">a</span>'),
        ("<p class='badge'>a</p>", "<p>a</p>"),
        ("<a href='javascript:alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='java&#10;script:alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href=' jAvAsCrIpT:alert(1)'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='data:text/html,x'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='vbscript:x'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='/x' target=_blank rel=opener>a</a>", '<a href="/x" rel="noopener">a</a>'),
        ("<b>a", "<b>a</b>"),
        ("<!-- c -->a<!doctype html>", "a"),
        ("</b>a</p>", "a<p></p>"),
        ("a < b", "a &lt; b"),
    ],
)
def test_everything_else_goes(text: str, left: str) -> None:
    assert sanitize(text) == left


class Seen(HTMLParser):
    """Collects every tag and attribute of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


PIECES = st.sampled_from(
    [*(f"<{tag}>" for tag in sorted(TAGS)), *(f"</{tag}>" for tag in sorted(TAGS)), "<script>", "</script>", "<svg>", "<math>", "<style>", "</style>",
     "<a href='javascript:x'>", '<a href="', "<b title='", "'>", "<!--", "-->", "<![CDATA[", "]]>", "<template>", "<select>", "<noscript>", "&lt;", "&#0;",
     "<mglyph>", "<annotation-xml encoding=text/html>", "<title>", "</title>", "<plaintext>", "<img src=x onerror=x>", "<span class='badge x'>"]
)  # fmt: skip


@example("<a><table><a>")
@example("<a><table><a></a></table></a>")
@given(st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_of_any_text_only_harmless_html_is_left(text: str) -> None:
    clean = sanitize(text)

    seen = Seen(clean)
    assert seen.tags <= TAGS
    for tag, name, value in seen.attributes:
        assert name == "title" or (tag, name) in {("a", "href"), ("a", "rel"), ("span", "class")}
        assert name != "href" or not (value or "").lower().strip().startswith(("javascript", "data", "vbscript"))
        assert name != "class" or set((value or "").split()) <= SPAN_CLASSES
    assert sanitize(clean) == clean


def test_a_large_table_is_cleaned() -> None:
    table = f"<table><tbody>{'<tr><td>a</td><td>b</td></tr>' * 500}</tbody></table>"

    assert sanitize(table) == table


TANGLED = [
    "<div>" * 100_000,
    "<b>" * 500,
    "".join(f"<b title={number}>" for number in range(400)) + "<p>x" * 400,
    "<p>" + "".join(f"<b title={number}>" for number in range(30)) + "<div>x</div>" * 4000 + "</b>" * 30 + "</p>",
    "<b title=1><table></b></table>" * 300,
    "<b title='</b>'>" * 500,
    "<b title=1><!-- </b> -->" * 300,
    "<b title=1><textarea></b></textarea>" * 300,
    "<b title=1></b/x>" * 300,
    "<b title=1></i>" * 300,
    "x" * (HTML_LIMIT_CHARS + 1),
]


@pytest.mark.parametrize("text", TANGLED)
def test_g7_what_would_take_long_to_clean_is_shown_as_text(text: str) -> None:
    assert sanitize(text) == html.escape(text)


def test_the_work_is_foretold_from_tags_and_depth() -> None:
    assert cost_of("a < b") == 0
    assert cost_of("<p><b>a</b><br></p>") == 5 * 2
    assert cost_of("<p><b>a</p></b>") == 4 * 4
    assert cost_of("<p>a") == 1
    assert cost_of("<P>a</p>") == 2 * 1
    assert cost_of("<b title='a' title=\"b\" title=c title>a</b>") == 2 * 1
    assert cost_of("<svg></svg>") == 2 * 2
    assert COST_LIMIT == 20_000


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join), st.integers(1, 300))
def test_what_is_cleaned_does_not_grow_beyond_what_was_foretold(piece: str, times: int) -> None:
    text = piece * times

    if cost_of(text) <= COST_LIMIT:
        assert sanitize(text).count("<") <= 2 * (cost_of(text) + text.count("<"))
