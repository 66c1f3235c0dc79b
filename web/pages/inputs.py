"""How values are entered: one row a widget of the table of kinds. Forms, cells that are edited in place and bulk changes use it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from schema.kinds import KINDS, kind_of
from schema.outline import has_options
from schema.spec import Argument, Caption, Field
from schema.writes import default_of, is_required
from web.pages.choices import Choices
from web.pages.filters import choices_of
from web.pages.texts import Texts
from web.pages.values import read_value, write_value
from web.pages.view import Member

DIGEST_LETTERS = 16
MANY = "\x1f"  # between values where a text stands for several
# Browsers send the ends of lines in their own way.
_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Widget:
    """How a widget is drawn: `draws` names the piece of template, `type` is what `<input>` calls it."""

    draws: str
    type: str = "text"
    wide: bool = False
    rows: int = 4


# By the `widget` of a kind; a new kind names one of these, or brings its own row.
WIDGETS: Mapping[str, Widget] = {
    "text": Widget("line"),
    "textarea": Widget("area", wide=True),
    "editor": Widget("area", wide=True, rows=10),
    "code": Widget("code", wide=True, rows=8),
    "number": Widget("line", "number"),
    "range": Widget("line", "range"),
    "checkbox": Widget("tick"),
    "date": Widget("line", "date"),
    "time": Widget("line", "time"),
    "datetime-local": Widget("line", "datetime-local"),
    "duration": Widget("line"),
    "select": Widget("choice"),
    "radio": Widget("radios"),
    "chips": Widget("ticks"),
    "reference": Widget("reference"),
    "color": Widget("line", "color"),
    "email": Widget("line", "email"),
    "url": Widget("line", "url"),
    "tel": Widget("line", "tel"),
    "password": Widget("line", "password"),
    "file": Widget("file"),
}


@dataclass(frozen=True, slots=True)
class Input:
    """One input, ready for a template. `values` are texts as a browser sends them."""

    name: str
    label: str
    widget: Widget
    values: tuple[str, ...] = ()
    help: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    errors: tuple[str, ...] = ()
    searches: bool = False  # a reference whose rows are found as one types
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> str:
        """Its one value."""
        return self.values[0] if self.values else ""

    @property
    def was(self) -> str:
        """A digest of its values: what comes back with another one was changed."""
        return digest(self.values)


def digest(values: Sequence[str]) -> str:
    """Return a short digest of the values of an input."""
    told = MANY.join(_ENDS.sub("\n", value) for value in values if value)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LETTERS]


def widget_of(item: Field) -> Widget:
    """Return how a field is entered: as its file says, else as its kind does."""
    named = WIDGETS.get(str(item.settings.get("widget", ""))) if item.to is None and not has_options(item) else None
    found = named or WIDGETS[item.traits.widget]
    if found.draws in {"choice", "radios", "ticks"} and not has_options(item) and item.kind != "validity":
        return WIDGETS["text"]
    return found


def values_of(member: Member, value: Any, zone: ZoneInfo) -> tuple[str, ...]:
    """Return the texts of an input that stand for a value of the API."""
    if value is None:
        return ()
    if member.target is not None:
        told = value.get(member.shown)
        return () if told is None else (str(told),)
    if member.kind == "multiselect":
        return tuple(str(item) for item in value)
    return (write_value(member.kind, value, zone),)


def make_input(
    member: Member, values: tuple[str, ...], texts: Texts, choices: Choices | None = None, *, is_new: bool = True
) -> Input:
    """Make the input of a field."""
    item = member.field
    if item is None:
        return Input(member.name, member.label.in_language(texts.language), WIDGETS["text"], values, required=True)
    widget = _fitting(item, widget_of(item), values)
    options = choices_of(member, texts)
    if item.kind == "bool":
        options = [("1", texts("yes")), ("0", texts("no"))]
    if choices is not None:
        known = dict(choices.options)
        options = [*choices.options, *((value, value) for value in values if value not in known)]
    made = Input(
        member.name,
        member.label.in_language(texts.language),
        replace(widget, rows=int(item.settings.get("rows", widget.rows))),
        values,
        help=item.help.in_language(texts.language) if item.help else "",
        required=is_required(item) and (is_new or item.is_readable),  # a password that is there may stay
        options=options,
        searches=choices is not None and choices.is_cut,
        attributes=_attributes(item, widget, texts),
    )
    if widget.draws == "reference" and choices is None:
        return replace(made, widget=WIDGETS["text"])
    return made


def argument_input(argument: Argument, label: Caption, texts: Texts) -> Input:
    """Make the input of an argument of an action."""
    kind = kind_of(argument.kind)
    widget = WIDGETS.get(kind.widget if kind else "", WIDGETS["text"])
    if widget.draws not in {"line", "area", "code", "tick"}:
        widget = WIDGETS["text"]
    values = () if argument.default is None else (str(argument.default),)
    return Input(argument.api_name, label.in_language(texts.language), widget, values, required=argument.required)


def _fitting(item: Field, widget: Widget, values: tuple[str, ...]) -> Widget:
    """Return another widget where a browser would send something else than what is there."""
    if widget.draws == "tick" and item.nullable and default_of(item) is None:
        return WIDGETS["select"]  # a tick has two states, the value three
    if widget.type in _NEVER_EMPTY and not is_required(item):
        return replace(widget, type=_NEVER_EMPTY[widget.type])
    if widget.draws == "line" and any("\n" in value or "\r" in value for value in values):
        return WIDGETS["textarea"]
    return widget


# Inputs that always hold a value, and what takes their place where there may be none.
_NEVER_EMPTY: Mapping[str, str] = {"color": "text", "range": "number"}


def _attributes(item: Field, widget: Widget, texts: Texts) -> Mapping[str, str]:
    """Return what the browser may check, too. The server checks it whatever the browser does."""
    rules, said = item.validation, item.settings
    found: dict[str, Any] = {}
    if widget.type in {"number", "range"}:
        is_whole = item.kind in {"int", "bigint"}
        found |= {
            "min": said.get("min", rules.min),
            "max": said.get("max", rules.max),
            "step": said.get("step") or ("1" if is_whole else "any"),
        }
    elif widget.draws in {"line", "area"} and widget.type not in {"date", "time", "datetime-local", "color"}:
        found |= {"maxlength": rules.max_length or item.size, "minlength": rules.min_length}
    if widget.type == "datetime-local":
        found["step"] = "1"
    placeholder = said.get("placeholder")
    if placeholder is not None and widget.draws in {"line", "area", "code"}:
        found["placeholder"] = placeholder.in_language(texts.language)
    elif widget is WIDGETS["duration"]:
        found["placeholder"] = "1h 30m"
    if widget.draws == "file":
        found["accept"] = said.get("accept")
    return {name: str(value) for name, value in found.items() if value is not None}


def read_input(member: Member, values: Sequence[str], zone: ZoneInfo) -> Any:
    """Read what an input holds as the API takes it; None for nothing. Raises `Unreadable`."""
    given = (
        [value for value in values if value.strip()]
        if member.kind not in {"password", "secret"}
        else [item for item in values if item]
    )
    if member.kind == "multiselect":
        return list(dict.fromkeys(given)) or None
    if not given:
        return None
    if member.target is not None:
        return {member.shown: read_key(member, given[-1], zone)}
    if member.kind in KINDS and KINDS[member.kind].widget in {"select", "radio"}:
        return given[-1]
    return read_value(member.kind, given[-1], zone)


def read_key(member: Member, text: str, zone: ZoneInfo) -> Any:
    """Read what a row is called by. Raises `Unreadable`."""
    key = next((key for key in member.target.row_keys if key.api_name == member.shown), None) if member.target else None
    if key is None or key.scalar == "String":
        return text
    return read_value(_KEY_KINDS.get(key.scalar, "string"), text, zone)


_KEY_KINDS: Mapping[str, str] = {"Int": "int", "BigInt": "bigint", "Float": "float", "Decimal": "decimal"}
