"""How values look: one row a kind. Lists, details, histories and forms that are read only show them alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from desk.plain_text import plain_text
from lambdas.sanitize import sanitize
from lambdas.tones import NEUTRAL, TONES
from schema.kinds import UNKNOWN, VALIDITY
from schema.spec import Computed, Field
from web.pages.texts import Texts
from web.pages.values import local, write_value
from web.pages.view import Member, settings_of

LIST_LETTERS = 160
HTML_LETTERS = 200_000  # what is longer is shown as it is written
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_VALIDITY_TONES: Mapping[str, str] = {"VALID": "green", "INVALID": "gray", "INVALID_TEMPORARILY": "yellow"}
_BADGES = frozenset({"badge", "chip"})  # of `display_as`
_SCHEMES = frozenset({"http", "https"})  # of links to other sites
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: texts, zone, and the moment that relative times count from."""

    texts: Texts
    zone: ZoneInfo
    now: datetime
    brief: bool = True  # in a list, where a value has one line


class Shown(NamedTuple):  # pages make hundreds of them, and a dataclass takes three times as long
    """A value ready for a template: `style` names how it is drawn, `title` is what the pointer tells."""

    text: str
    style: str = "text"
    url: str = ""
    tone: str = ""
    title: str = ""
    moment: str = ""
    html: str = ""  # cleaned: the one text that a template lets through as it is

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self.text


EMPTY = Shown("")


def show(value: Any, member: Member, reader: Reader) -> Shown:
    """Return how a value of a member looks."""
    if value is None:
        return EMPTY
    if member.target is not None:
        return _reference(value, member)
    made = _displayed(SHOWN.get(member.kind, _text)(value, member, reader), value, member, reader)
    return _shortened(made, member) if reader.brief and made.style in {"text", "long"} else made


def shower(member: Member, reader: Reader) -> Callable[[Any], Shown]:
    """Return what shows the values of a member as `show` does, for many of them: most are short texts as they are."""
    said = member.field.settings if member.field else {}
    is_usual = member.target is None and member.kind not in SHOWN
    is_plain = is_usual and not said.get("display_map") and said.get("display_as") not in _BADGES
    limit = _letters(member) if is_plain and reader.brief else 0

    def shown(value: Any) -> Shown:
        if value.__class__ is str and len(value) <= limit:
            return Shown(value)
        return show(value, member, reader)

    return shown


def _displayed(made: Shown, value: Any, member: Member, reader: Reader) -> Shown:
    """Follow what the file says of how a field is displayed."""
    said = member.field.settings if member.field else {}
    words = said.get("display_map") or {}
    if str(value) in words:
        made = made._replace(text=words[str(value)].in_language(reader.texts.language), style="text")
    return made._replace(style="tone", tone=made.tone or NEUTRAL) if said.get("display_as") in _BADGES else made


# What `list_class` of a file may say, in the words of GOTRS and Tailwind, and the class of ours that it stands for.
LIST_CLASSES: Mapping[str, str] = {
    **dict.fromkeys(("text-right", "text-end", "number"), "number"),
    "text-center": "cell-middle",
    **dict.fromkeys(("font-mono", "mono"), "cell-mono"),
    **dict.fromkeys(("font-bold", "font-semibold", "font-medium", "strong"), "cell-strong"),
    **dict.fromkeys(("whitespace-nowrap", "nowrap"), "word"),
    **dict.fromkeys(("text-muted", "muted"), "cell-muted"),
    **{tone: f"cell-{tone}" for tone in TONES},
}


def cell_classes(member: Member) -> str:
    """Return the classes that the file wants for a column's cells; words that are none of ours count for nothing."""
    words = str(settings_of(member).get("list_class") or "").split()
    return " ".join(dict.fromkeys(LIST_CLASSES[word] for word in words if word in LIST_CLASSES))


def unreadable(texts: Texts) -> Shown:
    """Return what stands where a value could not be had."""
    return Shown(texts("unreadable"), "unreadable", title=texts("unreadable-why"))


def option_label(item: Field, name: Any, texts: Texts) -> Shown:
    """Return how an enum's value looks."""
    if name == UNKNOWN:
        return Shown(texts("unknown"), "tone", tone=NEUTRAL)
    if item.kind == "validity":
        label = texts(f"validity-{name}") if name in VALIDITY else str(name)
        return Shown(label, "tone", tone=_VALIDITY_TONES.get(str(name), ""))
    found = next((option for option in item.options if option.name == name), None)
    if found is None:
        return Shown(str(name))
    tone = tone_of(found.tone)
    return Shown(found.label.in_language(texts.language), "tone" if tone else "text", tone=tone)


def tone_of(word: str | None) -> str:
    """Return a tone; none for a word that is none."""
    return word if word in TONES else ""


# --- moments ---


def show_moment(value: Any, reader: Reader) -> Shown:
    """Return a moment relative to now, with the exact one for the pointer."""
    found = local(str(value), reader.zone)
    if found is None:
        return Shown(str(value))
    exact = f"{found:%Y-%m-%d %H:%M:%S} {found.tzname() or ''}".strip()
    return Shown(relative(found, reader), "moment", title=exact, moment=str(value))


def relative(moment: datetime, reader: Reader) -> str:
    """Say how long ago or ahead a moment is; beyond a month its day."""
    seconds = (moment - reader.now).total_seconds()
    size = abs(seconds)
    for limit, unit, length in (
        (_MINUTE_S, "", 1),
        (_HOUR_S, "minute", _MINUTE_S),
        (_DAY_S, "hour", _HOUR_S),
        (31 * _DAY_S, "day", _DAY_S),
    ):
        if size < limit:
            if not unit:
                return reader.texts("moment-now")
            direction = "in" if seconds > 0 else "ago"
            return reader.texts.choose(f"moment-{unit}-{direction}", int(size // length))
    return moment.strftime("%Y-%m-%d")


def now() -> datetime:
    """Return the moment that relative times count from."""
    return datetime.now(UTC)


# --- one row a kind ---


def _text(value: Any, _member: Member, _reader: Reader) -> Shown:
    return Shown(str(value))


def _long(value: Any, _member: Member, _reader: Reader) -> Shown:
    return Shown(str(value), "long")


def _html(value: Any, member: Member, reader: Reader) -> Shown:
    """Show HTML: cleaned once more here, whoever wrote it; in a list what is stored as its text alone."""
    text = str(value)
    if isinstance(member.item, Computed) or not reader.brief:
        return Shown(text, "html", html=sanitize(text))
    return Shown(plain_text(text) if len(text) <= HTML_LETTERS else text, "long")


def _number(value: Any, member: Member, reader: Reader) -> Shown:
    return Shown(write_value(member.kind, value, reader.zone), "number")


def _flag(value: Any, _member: Member, reader: Reader) -> Shown:
    return Shown(reader.texts("yes" if value else "no"), "flag")


def _moment(value: Any, _member: Member, reader: Reader) -> Shown:
    return show_moment(value, reader)


def _length(value: Any, member: Member, reader: Reader) -> Shown:
    return Shown(write_value(member.kind, value, reader.zone), "number")


def _option(value: Any, member: Member, reader: Reader) -> Shown:
    return option_label(member.field, value, reader.texts) if member.field else Shown(str(value))


def _options(value: Any, member: Member, reader: Reader) -> Shown:
    items = value if isinstance(value, list) else [value]
    return Shown(", ".join(_option(item, member, reader).text for item in items))


def _colour(value: Any, _member: Member, _reader: Reader) -> Shown:
    return Shown(str(value), "colour" if _COLOUR.fullmatch(str(value)) else "text")


def _mail(value: Any, _member: Member, _reader: Reader) -> Shown:
    return Shown(str(value), "link", url=f"mailto:{quote(str(value), safe='@.+-_')}")


def _phone(value: Any, _member: Member, _reader: Reader) -> Shown:
    digits = "".join(letter for letter in str(value) if letter in "+0123456789")
    return Shown(str(value), "link", url=f"tel:{digits}") if digits else Shown(str(value))


def _address(value: Any, _member: Member, _reader: Reader) -> Shown:
    text = str(value)
    try:
        is_safe = urlsplit(text).scheme.lower() in _SCHEMES
    except ValueError:
        is_safe = False
    return Shown(text, "outside", url=text) if is_safe else Shown(text)


def _structure(value: Any, _member: Member, reader: Reader) -> Shown:
    return Shown(
        json.dumps(value, ensure_ascii=False, indent=None if reader.brief else 2), "text" if reader.brief else "code"
    )


def _badge(value: Any, _member: Member, _reader: Reader) -> Shown:
    return Shown(str(value["text"]), "tone", tone=tone_of(value.get("tone")) or NEUTRAL)


def _file(value: Any, _member: Member, reader: Reader) -> Shown:
    size = value.get("size")
    title = reader.texts("bytes", count=reader.texts.number(int(size))) if size is not None else ""
    return Shown(str(value["name"]), "link", url=str(value["url"]), title=title)


def _reference(value: Mapping[str, Any], member: Member) -> Shown:
    text = value.get(member.called) or value.get(member.shown)
    target = member.target  # global ids are letters of base64, so that they stand in an address as they are
    url = f"/modules/{target.name}/{value['id']}" if target and member.links and value.get("id") else ""
    return Shown("" if text is None else str(text), "link" if url else "text", url=url)


def _letters(member: Member) -> int:
    said = member.field.settings.get("truncate") if member.field else None
    return int(said) if said else LIST_LETTERS


def _shortened(made: Shown, member: Member) -> Shown:
    """Make one line of a value."""
    limit = _letters(member)
    is_long = made.style == "long"
    if len(made.text) <= limit and not is_long:
        return made
    text = " ".join(made.text.split()) if is_long else made.text
    if len(text) <= limit:
        return Shown(text, title=made.title)
    return Shown(f"{text[:limit].rstrip()}…", title=made.title or text[: 4 * limit])


SHOWN: Mapping[str, Callable[[Any, Member, Reader], Shown]] = {
    "text": _long,
    "markdown": _long,
    "html": _html,
    "int": _number,
    "bigint": _number,
    "float": _number,
    "decimal": _number,
    "range": _number,
    "bool": _flag,
    "datetime": _moment,
    "epoch": _moment,
    "duration": _length,
    "select": _option,
    "radio": _option,
    "validity": _option,
    "multiselect": _options,
    "color": _colour,
    "email": _mail,
    "phone": _phone,
    "url": _address,
    "json": _structure,
    "yaml": _structure,
    "badge": _badge,
    "file": _file,
}

# Kinds whose columns are set flush right.
NUMERIC = frozenset(kind for kind, row in SHOWN.items() if row in {_number, _length})
TIMED = frozenset(kind for kind, row in SHOWN.items() if row is _moment)  # look different a minute later

# What is selected of a value that is no leaf. References are selected by their own name.
SELECTIONS: Mapping[str, str] = {"badge": "{ text tone }", "file": "{ name size contentType url }"}


def selection_of(member: Member) -> str:
    """Return what an operation selects to show a member."""
    if member.target is not None:
        parts = dict.fromkeys([*(["id"] if member.links else []), member.shown, member.called])
        return f"{member.name} {{ {' '.join(parts)} }}"
    return f"{member.name} {SELECTIONS[member.kind]}" if member.kind in SELECTIONS else member.name
