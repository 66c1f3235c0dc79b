"""Values as HTML: one small form a style, in which everything is escaped. Lists draw hundreds of them, too many for macros."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from markupsafe import Markup

from web.pages.cells import Shown

_NOTHING = "\u2014"  # what can be clicked where a value is empty
_LINKS = frozenset({"link", "outside"})
PROSE_LETTERS = 25
_PROSE = ' class="prose"'  # is not pressed into a narrow column by its neighbours
_WORD = ' class="word"'  # stays on one line
_CLASSES: Mapping[str, str] = {"number": ' class="number"', **dict.fromkeys(("link", "tone", "moment", "flag"), _WORD)}
_special = re.compile("[&<>\"']").search


def escape(text: str) -> str:
    """Escape a text. Most have nothing to be escaped, and one look at them takes less than five replacements."""
    return html.escape(text) if _special(text) else text


def draw(shown: Shown) -> Markup:
    """Draw a value."""
    return Markup(_drawn(shown))  # noqa: S704 - every form below escapes what it is given


def draw_first(shown: Shown, url: str) -> Markup:
    """Draw the first value of a row, which leads to the page of the row."""
    return Markup(_first(shown, url))  # noqa: S704 - as above


def draw_cell(shown: Shown, css: str = "") -> str:
    """Draw a value as the cell of a list; `css` are classes of its column."""
    return f"<td{_class(shown, css)}>{_drawn(shown)}</td>\n"


def draw_first_cell(shown: Shown, url: str, css: str = "") -> str:
    """Draw the first cell of a row, which leads to the page of the row."""
    return f"<td{_class(shown, css)}>{_first(shown, url)}</td>\n"


def _class(shown: Shown, css: str) -> str:
    usual = _CLASSES.get(shown.style) or (_PROSE if len(shown.text) > PROSE_LETTERS else "")
    if not css:
        return usual
    return f'{usual[:-1]} {escape(css)}"' if usual else f' class="{escape(css)}"'


def _first(shown: Shown, url: str) -> str:
    if not url or shown.style in _LINKS:
        return _drawn(shown)
    return f'<a href="{escape(url)}" class="link">{_drawn(shown) or _NOTHING}</a>'


def _drawn(shown: Shown) -> str:
    return _FORMS.get(shown.style, _text)(shown) if shown.text else ""


# --- one form a style ---


def _text(shown: Shown) -> str:
    text = escape(shown.text)
    return f'<span title="{escape(shown.title)}">{text}</span>' if shown.title else text


def _moment(shown: Shown) -> str:
    return f'<time datetime="{escape(shown.moment)}" title="{escape(shown.title)}">{escape(shown.text)}</time>'


def _tone(shown: Shown) -> str:
    return f'<span class="tone tone-{escape(shown.tone)}">{escape(shown.text)}</span>'


def _link(shown: Shown) -> str:
    title = f' title="{escape(shown.title)}"' if shown.title else ""
    return f'<a href="{escape(shown.url)}"{title}>{escape(shown.text)}</a>'


def _outside(shown: Shown) -> str:
    return f'<a href="{escape(shown.url)}" rel="noopener noreferrer nofollow" target="_blank">{escape(shown.text)}</a>'


def _colour(shown: Shown) -> str:
    text = escape(shown.text)
    square = (
        f'<svg viewBox="0 0 10 10" class="swatch" aria-hidden="true"><rect width="10" height="10" fill="{text}"/></svg>'
    )
    return f"{square} {text}"


def _long(shown: Shown) -> str:
    return f'<div class="long">{escape(shown.text)}</div>'


def _code(shown: Shown) -> str:
    return f'<pre class="long">{escape(shown.text)}</pre>'


def _unreadable(shown: Shown) -> str:
    return f'<span class="unreadable" title="{escape(shown.title)}">{escape(shown.text)}</span>'


def _foreign(shown: Shown) -> str:
    return f'<div class="foreign">{shown.html}</div>'  # the one text that is let through: it was cleaned


_FORMS: Mapping[str, Callable[[Shown], str]] = {
    "moment": _moment,
    "tone": _tone,
    "link": _link,
    "outside": _outside,
    "colour": _colour,
    "long": _long,
    "code": _code,
    "unreadable": _unreadable,
    "html": _foreign,
}
