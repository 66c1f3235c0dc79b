"""A document from libyaml's events, taken one at a time within limits: libyaml's own composer recurses, and dies on 60 kB of brackets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import yaml
from yaml._yaml import CParser

DEPTH_LIMIT = 32
NODE_LIMIT = 20_000
FIELD_LIMIT = 200
ALIAS_LIMIT = 50
EXPANDED_NODE_LIMIT = 10_000

# What YAML forbids in a text, and what hides the order of characters from a reader.
UNSAFE_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)

# Line, column (both counted from 0) of a key, and of its value.
Mark: TypeAlias = tuple[int, int, int, int]
Value: TypeAlias = Any  # None, bool, int, float, str, Map or Seq
# Takes code, message, line, column (counted from 0) and hint of a problem.
Note: TypeAlias = Callable[[str, str, int, int, str | None], None]


class Map(dict[str, Value]):
    """A mapping of a module file. Keys are texts as written; `marks` says where each key and value stands."""

    __slots__ = ("line", "marks", "offset", "size")

    def __init__(self, line: int, offset: int) -> None:
        super().__init__()
        self.line = line
        self.offset = offset
        self.marks: dict[str, Mark] = {}
        self.size = 1

    def mark(self, key: str) -> Mark:
        """Return where a key and its value stand; the mapping itself when the key is not there."""
        return self.marks.get(key, (self.line, self.offset, self.line, self.offset))


class Seq(list[Value]):
    """A list of a module file; `marks` says where each item stands."""

    __slots__ = ("line", "marks", "offset", "size")

    def __init__(self, line: int, offset: int) -> None:
        super().__init__()
        self.line = line
        self.offset = offset
        self.marks: list[Mark] = []
        self.size = 1

    def mark(self, index: int) -> Mark:
        """Return where an item stands."""
        return self.marks[index]


class StopReadingError(Exception):
    """A limit is reached: nothing after it is looked at. The problem is noted already."""


class _NoKey:
    """Stands for a mapping's key that is yet to come."""


_NO_KEY: Final = _NoKey()
_CONSTANTS: dict[str, Value] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DIGITS_LIMIT = 40


def build(text: str, note: Note) -> Value:
    """Build the document of a text. Raises what libyaml raises, and StopReadingError at a limit."""
    parser = CParser(text)
    try:
        return _Builder(parser, note).build()
    finally:
        parser.dispose()


class _Builder:
    """One reading. Open collections are on a stack of ours, so depth costs no recursion."""

    def __init__(self, parser: Any, note: Note) -> None:
        self.next = parser.get_event
        self.note = note
        self.root: Value = None
        self.top: Map | Seq | None = None
        self.stack: list[tuple[Map | Seq | None, Any, str | None]] = []
        self.key: Any = _NO_KEY  # (key, line, offset) of the open mapping's next value
        self.nodes = 0
        self.expanded = 0
        self.aliases = 0
        self.anchors: dict[str, Value] = {}

    def build(self) -> Value:
        """Take every event; the handlers are few, scalars first because most are."""
        following = self.next
        documents = 0
        while True:
            event = following()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._stop("several-documents", "The file holds more than one YAML document (`---`).", event.start_mark, "Keep one module a file.")  # fmt: skip
            elif event is None or kind is yaml.StreamEndEvent:
                return self.root

    def _stop(self, code: str, message: str, mark: Any, hint: str) -> None:
        self.note(code, message, mark.line, mark.column, hint)
        raise StopReadingError

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        self.nodes += 1
        if self.nodes > NODE_LIMIT:
            self._stop("too-many-values", f"The file holds more than {NODE_LIMIT} values.", mark, "Split it into several modules.")  # fmt: skip
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        text: str = event.value
        line, offset = mark.line, mark.column
        if type(self.top) is Map and self.key is _NO_KEY:
            self.key = (text, line, offset)
            return
        value: Value = text
        if event.style == '"' and (bad := UNSAFE_CHARACTER.search(text)):  # written as an escape
            self.note("bad-character", f"The text holds the character U+{ord(bad.group()):04X}.", line, offset, "Remove the escape.")  # fmt: skip
        if not event.style:
            if text in _CONSTANTS:
                value = _CONSTANTS[text]
            elif text[0] in _NUMBER_START:
                value = self._number(text, line, offset)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        self._put(value, line, offset)

    def _open(self, event: Any) -> None:
        mark = event.start_mark
        self.nodes += 1
        if len(self.stack) >= DEPTH_LIMIT:
            self._stop("too-deep", f"Values are nested more than {DEPTH_LIMIT} deep.", mark, "Check for brackets that are never closed.")  # fmt: skip
        if type(self.top) is Map and self.key is _NO_KEY:
            self._stop("key-not-text", "A list or mapping is used as a key.", mark, "Keys are plain words; quote a text that starts with `{` or `[`.")  # fmt: skip
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        kind = Map if type(event) is yaml.MappingStartEvent else Seq
        self.stack.append((self.top, self.key, event.anchor))
        self.top = kind(mark.line, mark.column)
        self.key = _NO_KEY

    def _close(self) -> None:
        done = self.top
        self.top, self.key, anchor = self.stack.pop()
        if done is None:
            return
        if anchor is not None:
            self.anchors[anchor] = done
        self._put(done, done.line, done.offset)

    def _put(self, value: Value, line: int, offset: int) -> None:
        """Put a finished value where it belongs."""
        top = self.top
        if type(top) is Map:
            key, key_line, key_offset = self.key
            self.key = _NO_KEY
            if key in top.marks:
                self._duplicate(top, key, key_line, key_offset)
                return
            top[key] = value
            top.marks[key] = (key_line, key_offset, line, offset)
        elif type(top) is Seq:
            top.append(value)
            top.marks.append((line, offset, line, offset))
            if len(top) > FIELD_LIMIT and len(self.stack) == 2 and self.stack[1][1][0] == "fields":  # noqa: PLR2004 - right under the document
                self.note("too-many-fields", f"The module has more than {FIELD_LIMIT} fields.", line, offset, "Split it into several modules on the same table.")  # fmt: skip
                raise StopReadingError
        else:
            self.root = value
            return
        top.size += value.size if isinstance(value, (Map, Seq)) else 1

    def _number(self, text: str, line: int, offset: int) -> Value:
        """Read a plain word that starts like a number, by the core schema: `12:30` and `1_000` are texts."""
        if _INT.fullmatch(text) and len(text) < _DIGITS_LIMIT:
            return int(text)
        if _NOT_FINITE.fullmatch(text):
            self.note("bad-number", f"`{text}` is not a number that can be stored.", line, offset, None)
            return None
        if _BASED.fullmatch(text) and len(text) < _DIGITS_LIMIT:
            return int(text[2:], 8 if text[1] == "o" else 16)
        if _FLOAT.fullmatch(text) or _BASED.fullmatch(text):
            number = float(text) if len(text) < _DIGITS_LIMIT else math.inf
            if math.isinf(number):
                self.note("bad-number", f"The number `{text[:20]}` is too large.", line, offset, "Quote it if it is a text.")  # fmt: skip
                return None
            return number
        return text

    def _refuse_tag(self, tag: str, mark: Any) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self.note("tag", f"The tag `{shown}` is not allowed.", mark.line, mark.column, "Remove it; quote the value if it is a text.")  # fmt: skip

    def _alias(self, event: Any) -> None:
        """Resolve `*name`: at most 50 of them, expanding to at most 10,000 values."""
        name, mark = event.anchor, event.start_mark
        if type(self.top) is Map and self.key is _NO_KEY:
            self._stop("key-not-text", "An alias is used as a key.", mark, "Write the key out.")
        if name not in self.anchors:
            self._stop("alias", f"The alias `*{name}` points at something that is not there, or not finished.", mark, f"Put the anchor `&{name}` before it.")  # fmt: skip
        value = self.anchors[name]
        self.aliases += 1
        self.expanded += value.size if isinstance(value, (Map, Seq)) else 1
        if self.aliases > ALIAS_LIMIT or self.expanded > EXPANDED_NODE_LIMIT:
            self._stop("alias", f"A file may have {ALIAS_LIMIT} aliases, for {EXPANDED_NODE_LIMIT} values in all.", mark, "Write the values out.")  # fmt: skip
        self._put(value, mark.line, mark.column)

    def _duplicate(self, top: Map, key: str, line: int, offset: int) -> None:
        first = top.marks[key]
        self.note(
            "duplicate-key",
            f"The key `{key}` is here twice; it is also in line {first[0] + 1}, column {first[1] + 1}.",
            line,
            offset,
            "Keep one of them.",
        )
