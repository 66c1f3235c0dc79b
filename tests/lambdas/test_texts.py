import base64
import hashlib
import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.tones import TONES
from tests.lambdas.inside import Inside


@pytest.mark.parametrize("tone", TONES)
def test_a_badge_is_a_text_and_a_tone(inside: Inside, tone: str) -> None:
    assert inside.value("return badge('new', item.tone);", {"tone": tone}) == {"text": "new", "tone": tone}


def test_a_badge_is_gray_where_nothing_is_said_and_takes_any_text(inside: Inside) -> None:
    assert inside.value("return [badge('a'), badge(3), badge(null)];") == [
        {"text": "a", "tone": "gray"},
        {"text": "3", "tone": "gray"},
        {"text": "", "tone": "gray"},
    ]


def test_a_tone_that_is_none_is_refused(inside: Inside) -> None:
    assert inside.said("return badge('new', 'mauve');") == (
        "TypeError: badge: mauve is no tone; tones are "
        "gray, red, orange, amber, yellow, green, teal, blue, indigo, purple, pink."
    )


def test_html_escapes_what_it_inserts(inside: Inside) -> None:
    source = 'return html`<b title="${item.a}">${item.a}</b> ${null} ${5}`;'

    assert inside.value(source, {"a": "<i>\"&'"}) == (
        '<b title="&lt;i&gt;&quot;&amp;&#39;">&lt;i&gt;&quot;&amp;&#39;</b>  5'
    )


def test_html_takes_pieces_and_lists_of_them_as_they_are(inside: Inside) -> None:
    source = "return html`<ul>${item.names.map((name) => html`<li>${name}</li>`)}</ul>${link('<all>', '/x?a=1&b=\"')}`;"

    assert inside.value(source, {"names": ["a", "<b>"]}) == (
        '<ul><li>a</li><li>&lt;b&gt;</li></ul><a href="/x?a=1&amp;b=&quot;">&lt;all&gt;</a>'
    )


def test_a_piece_is_a_text_wherever_a_text_is_wanted(inside: Inside) -> None:
    assert inside.value("return [`${html`<b>`}`, '' + html`<i>`, JSON.stringify([html`<u>`]), html`<s>`];") == [
        "<b>",
        "<i>",
        '["<u>"]',
        "<s>",
    ]


def test_what_looks_like_a_piece_is_escaped(inside: Inside) -> None:
    source = "return html`${{toString: () => '<b>'}} ${Object.create(html`<b>`, {toString: {value: () => '<i>'}})}`;"

    assert inside.value(source) == "&lt;b&gt; &lt;i&gt;"


@pytest.mark.parametrize(
    "path", ["javascript:alert(1)", " javascript:alert(1)", "//evil", "/\\evil", "data:text/html,x", ""]
)
def test_a_link_leads_to_a_page(inside: Inside, path: str) -> None:
    assert inside.said("return link('x', item.path);", {"path": path}) == (
        "TypeError: link: the path must begin with /, http://, https:// or mailto:."
    )


@pytest.mark.parametrize("text", ["", "abc", "x" * 55, "x" * 56, "x" * 64, "ä€😀" * 50])
def test_digests_are_those_of_everybody(inside: Inside, text: str) -> None:
    assert_digests(inside, "key", text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_digests_of_any_text_are_those_of_everybody(inside: Inside, key: str, text: str) -> None:
    assert_digests(inside, key, text)


def assert_digests(inside: Inside, key: str, text: str) -> None:
    data = text.encode()
    assert inside.value("return [sha256(item.b), hmac(item.a, item.b), base64(item.b)];", {"a": key, "b": text}) == [
        hashlib.sha256(data).hexdigest(),
        hmac.new(key.encode(), data, "sha256").hexdigest(),
        base64.b64encode(data).decode(),
    ]


def test_a_key_longer_than_a_block_is_hashed_first(inside: Inside) -> None:
    assert_digests(inside, "k" * 65, "text")


def test_a_uuid_is_one_and_each_is_another(inside: Inside) -> None:
    found = inside.value("return [uuid(), uuid()];")

    assert [uuid.UUID(text).version for text in found] == [4, 4]
    assert found[0] != found[1]


def test_t_gives_the_translation_or_the_key(inside: Inside) -> None:
    source = "return [t('urgent'), t('calm'), t('toString')];"

    assert inside.value(source, texts={"urgent": "dringend"}) == ["dringend", "calm", "toString"]
