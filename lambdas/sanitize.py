"""HTML from lambdas made harmless: a short list of what may stay, and a look beforehand at what cleaning would cost."""

from __future__ import annotations

import html
import re
from functools import cache

import nh3

from lambdas.tones import TONES

HTML_LIMIT_CHARS = 512 * 1024
# Tags times depth. The parser behind nh3 opens formatting again wherever a block interrupts it, so that its work and
# its output can grow by the product of both; 20,000 take it about 10 ms.
COST_LIMIT = 20_000

TAGS = frozenset(
    "a b br code div em i li ol p pre small span strong table tbody td th thead tr ul".split()  # noqa: SIM905 - a table
)
VOID = frozenset({"br"})
SPAN_CLASSES = frozenset({"badge", *(f"badge-{tone}" for tone in TONES)})
SCHEMES = frozenset({"http", "https", "mailto"})
GONE_WITH_CONTENT = frozenset(
    "iframe math noembed noframes noscript script select style svg template textarea title xmp".split()  # noqa: SIM905
)

_ATTRIBUTE = r"""\s+[a-zA-Z-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"""
# One tag, as far as its end is beyond doubt; else the bare `<` that begins something else.
_TAG = re.compile(rf"<(?:(/?)([a-zA-Z][a-zA-Z0-9]*)((?:{_ATTRIBUTE})*)\s*/?>|(?=[a-zA-Z/!?]))")


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(GONE_WITH_CONTENT),
        attributes={"*": {"title"}, "a": {"href"}},
        allowed_classes={"span": set(SPAN_CLASSES)},
        url_schemes=set(SCHEMES),
        link_rel="noopener",
    )


def sanitize(text: str) -> str:
    """Return HTML that can be shown; what is too large or too tangled to be cleaned comes back as plain text.

    What is returned reads in one way: a browser makes of it what was looked at here. By the rules of HTML a link may come to
    stand in a link (`<a><table><a>`), and is read as two beside each other once it is written.
    """
    if len(text) > HTML_LIMIT_CHARS or cost_of(text) > COST_LIMIT:
        return html.escape(text)
    clean = _cleaner().clean
    once = clean(text)
    twice = clean(once)
    return twice if twice == once or clean(twice) == twice else html.escape(text)


def cost_of(text: str) -> int:
    """Foretell the work of cleaning: tags times depth. Where the tags are not nested properly, any number may stay open."""
    tags = depth = 0
    is_proper = True
    open_tags: list[str] = []
    for found in _TAG.finditer(text):
        tags += 1
        name = (found[2] or "").lower()
        if name not in TAGS:
            is_proper = False
        elif not found[1]:
            if name not in VOID:
                open_tags.append(name)
                depth = max(depth, len(open_tags))
        elif not open_tags or open_tags.pop() != name:
            is_proper = False
    return tags * (depth if is_proper and not open_tags else tags)
