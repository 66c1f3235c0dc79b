"""HTML of mails made harmless: for a frame that may run nothing and load nothing but the pictures that the mail brought along.

What cleaning costs is bounded beforehand: the cleaner sees only tags that `balanced` wrote, few of them and properly nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import nh3

HTML_LIMIT_CHARS = 512 * 1024
AMPERSANDS_LIMIT = 100_000  # the cleaner looks for a name behind each; no text that people read has more
TAGS_LIMIT = 20_000
DEPTH_LIMIT = 100  # what is deeper loses its tags and keeps its text
VOID = frozenset({"br", "hr", "img", "col", "wbr"})
TAGS = VOID | frozenset(
    [
        "a",
        "abbr",
        "address",
        "article",
        "b",
        "big",
        "blockquote",
        "caption",
        "center",
        "cite",
        "code",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "i",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
# Their content is no text of the mail.
SILENT = frozenset(
    [
        "applet",
        "audio",
        "embed",
        "frame",
        "frameset",
        "head",
        "iframe",
        "math",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "plaintext",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
        "video",
        "xmp",
    ]
)
STYLES = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-bottom-color",
        "border-bottom-style",
        "border-bottom-width",
        "border-collapse",
        "border-color",
        "border-left",
        "border-left-color",
        "border-left-style",
        "border-left-width",
        "border-radius",
        "border-right",
        "border-right-color",
        "border-right-style",
        "border-right-width",
        "border-spacing",
        "border-style",
        "border-top",
        "border-top-color",
        "border-top-style",
        "border-top-width",
        "border-width",
        "color",
        "direction",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-variant",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-width",
        "min-width",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
        "word-wrap",
    ]
)
_SIZES = {"width", "height", "align", "valign", "bgcolor"}
ATTRIBUTES: Mapping[str, set[str]] = {
    "*": {"title", "dir", "lang", "style"},
    "a": {"href"},
    "img": {"src", "alt", *_SIZES},
    "font": {"color", "face", "size"},
    "table": {*_SIZES, "border", "cellpadding", "cellspacing"},
    "td": {*_SIZES, "colspan", "rowspan"},
    "th": {*_SIZES, "colspan", "rowspan"},
    "tr": {*_SIZES},
    "col": {"span", *_SIZES},
    "ol": {"start", "type"},
    "ul": {"type"},
    "div": {"align"},
    "p": {"align"},
    "time": {"datetime"},
}
SCHEMES = frozenset({"http", "https", "mailto", "cid"})
REMOTE = ("http:", "https:")
_CID = "cid:"
_ATTRIBUTE = r"""\s+[a-zA-Z_:][\w:.-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"""
# One tag as far as its end is beyond doubt, or something else that begins like one.
_TAG = re.compile(rf"<(?:(/?)([a-zA-Z][a-zA-Z0-9]*)((?:{_ATTRIBUTE})*)\s*/?>|(!--)|(?=[!?/])|)", re.ASCII)
_NO_TAG = re.compile(r"<(?![a-zA-Z/!?])", re.ASCII)


@dataclass(slots=True)
class Cleaned:
    """The HTML, and how many pictures of other servers it would show."""

    html: str
    remote: int = 0


@dataclass(slots=True)
class _Pictures:
    """Decides what becomes of addresses of pictures."""

    inline: Mapping[str, str]
    shows_remote: bool
    remote: int = field(default=0)

    def filter(self, _tag: str, name: str, value: str) -> str | None:
        """Return the value that an attribute gets, None to leave it out; `nh3` asks for each."""
        if name != "src":
            return value
        address = value.strip()
        if address.lower().startswith(_CID):
            return self.inline.get(address[len(_CID) :].strip("<>"))
        if address.lower().startswith(REMOTE):
            self.remote += 1
            return address if self.shows_remote else None
        return None


def clean_mail(text: str, inline: Mapping[str, str] | None = None, *, shows_remote: bool = False) -> Cleaned | None:
    """Return the HTML of a mail made harmless; None where it is too large to be. `inline` has addresses by content id."""
    if len(text) > HTML_LIMIT_CHARS or text.count("&") > AMPERSANDS_LIMIT:
        return None
    pictures = _Pictures(inline or {}, shows_remote)
    cleaner = nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(SILENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=pictures.filter,
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        filter_style_properties=set(STYLES),
    )
    html = cleaner.clean(balanced(text))
    return Cleaned(html, pictures.remote)


def content_ids(text: str) -> set[str]:
    """Return the content ids that a text may show as pictures."""
    return {found.strip("<>") for found in re.findall(r"cid:([^\s\"'>)]{1,250})", text, re.IGNORECASE)}


def balanced(text: str) -> str:
    """Write HTML anew with known tags alone, properly nested and neither too many nor too deep; other `<` become text."""
    return "".join(_balanced(_NO_TAG.sub("&lt;", text)))


def _balanced(text: str) -> Iterator[str]:
    lowered = text.lower()
    if len(lowered) != len(text):  # letters that become two when they are small: places must be the same in both
        lowered = text
    open_tags: list[str] = []
    tags = place = 0
    while True:
        start = text.find("<", place)
        if start < 0:
            yield text[place:]
            break
        yield text[place:start]
        found = _TAG.match(text, start)
        name = (found[2] or "").lower() if found else ""
        if found is None or not name:
            place, kept = _beyond(text, start, is_comment=bool(found and found[4]))
            yield kept
            continue
        place = found.end()
        if name in SILENT and not found[1]:
            end = lowered.find(f"</{name}", place)
            close = text.find(">", end) if end >= 0 else -1
            place = close + 1 if close >= 0 else len(text)
            continue
        if name not in TAGS:
            continue
        if found[1]:
            yield from _close(open_tags, name)
            continue
        tags += 1
        if tags > TAGS_LIMIT or len(open_tags) >= DEPTH_LIMIT:
            continue
        if name not in VOID:
            open_tags.append(name)
        yield f"<{name}{found[3]}>"
    yield "".join(f"</{name}>" for name in reversed(open_tags))


def _beyond(text: str, start: int, *, is_comment: bool) -> tuple[int, str]:
    """Return where it goes on behind a `<` that begins no tag, and what is left of it."""
    if is_comment:
        end = text.find("-->", start + 4)
        return (end + 3 if end >= 0 else len(text)), ""
    if text[start + 1 : start + 2] in ("!", "?", "/"):
        end = text.find(">", start)
        return (end + 1 if end >= 0 else len(text)), ""
    return start + 1, "&lt;"


def _close(open_tags: list[str], name: str) -> Iterator[str]:
    """Close a tag and what is open inside of it; one that is not open closes nothing."""
    if name not in open_tags:
        return
    while open_tags:
        last = open_tags.pop()
        yield f"</{last}>"
        if last == name:
            return
