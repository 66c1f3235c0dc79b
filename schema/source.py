"""From the bytes of a module file to plain values that know where they stand. Hostile files end here, with a problem and no harm."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser  # type: ignore[import-untyped]  # libyaml's binding has no stubs

from schema.problems import Level, Place, Problem

SIZE_LIMIT_BYTES = 256 * 1024
DEPTH_LIMIT = 32
NODE_LIMIT = 20_000
FIELD_LIMIT = 200
ALIAS_LIMIT = 50
EXPANDED_NODE_LIMIT = 10_000
EXCERPT_CHARACTERS = 160

# Line, column (both counted from 0) of a key, and of its value.
Mark: TypeAlias = tuple[int, int, int, int]
Value: TypeAlias = Any  # None, bool, int, float, str, Map or Seq


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


@dataclass(frozen=True)
class Source:
    """One read module file. `document` is None when nothing could be read; `problems` then says why."""

    file: str
    digest: str
    text: str
    document: Map | None
    problems: tuple[Problem, ...] = ()
    _lines: list[str] = field(default_factory=list, repr=False, compare=False)

    @property
    def lines(self) -> list[str]:
        """The lines of the text, split where YAML splits them."""
        if not self._lines:
            self._lines.extend(split_lines(self.text))
        return self._lines

    @property
    def header(self) -> Map:
        """The `module:` section, empty when there is none."""
        found = self.document.get("module") if self.document is not None else None
        return found if isinstance(found, Map) else Map(0, 0)

    @property
    def role(self) -> str:
        """What the file is: `module`, `replace` (of a lower layer's module) or `extend`."""
        if "extend" in self.header:
            return "extend"
        return "replace" if self.header.get("replace") is True else "module"

    @property
    def name(self) -> str:
        """The module that the file is about; empty where it does not say."""
        said = self.header.get("extend") if self.role == "extend" else self.header.get("name")
        return said if isinstance(said, str) else ""

    def excerpt(self, line: int) -> str | None:
        """Return a line of the text, counted from 1, cut to a readable length."""
        lines = self.lines
        if not 1 <= line <= len(lines):
            return None
        return lines[line - 1][:EXCERPT_CHARACTERS]


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NAMES = {
    "\x00": "a NUL character",
    "\ufeff": "a byte order mark inside the text",
    "\r": "a carriage return without a line feed",
}
# What YAML forbids, what hides the order of characters from a reader, and lone carriage returns.
_BAD_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)


def split_lines(text: str) -> list[str]:
    """Split a text where YAML sees line breaks, so that its positions and ours agree."""
    return _LINE_BREAK.split(text)


def read(file: str, data: bytes) -> Source:
    """Read a module file. Whatever the bytes are, the answer is a source with a document or with problems."""
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > SIZE_LIMIT_BYTES:
        return _refused(file, digest, "", _too_large(file, len(data)))
    notes: list[Problem] = []
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append(_byte_order_mark(file))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused(file, digest, "", _not_utf8(file, data, error))
    bad = [_bad_character(file, text, found) for found in _BAD_CHARACTER.finditer(text)]
    if bad:
        return Source(file, digest, text, None, (*notes, *bad[:20]))
    builder = _Builder(file, text)
    document = builder.build()
    return Source(file, digest, text, document, (*notes, *builder.problems))


def _refused(file: str, digest: str, text: str, problem: Problem) -> Source:
    return Source(file, digest, text, None, (problem,))


def _too_large(file: str, size: int) -> Problem:
    return Problem(
        "file-too-large",
        f"The file has {size} bytes; a module file may have {SIZE_LIMIT_BYTES}.",
        Place(file),
        hint="Move texts and data out of the file, or split it into several modules.",
    )


def _byte_order_mark(file: str) -> Problem:
    return Problem(
        "byte-order-mark",
        "The file starts with a byte order mark, which was skipped.",
        Place(file),
        hint="Save it as UTF-8 without a byte order mark.",
        level=Level.INFO,
    )


def _not_utf8(file: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    before = data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    return Problem(
        "not-utf8",
        f"The file is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start} cannot be read.",
        Place(file, line, column),
        hint="Save the file as UTF-8.",
    )


def _bad_character(file: str, text: str, found: re.Match[str]) -> Problem:
    char = found.group()
    before = split_lines(text[: found.start()])
    what = _NAMES.get(char)
    if what is None:
        what = f"the character U+{ord(char):04X}"
        if char >= "\u2000":
            what += ", which changes the direction of text"
    return Problem(
        "bad-character",
        f"The file holds {what}.",
        Place(file, len(before), len(before[-1]) + 1),
        hint="Remove it; it cannot be seen in most editors.",
    )


class _StopReadingError(Exception):
    """Raised inside the builder when a limit is reached: nothing after it is looked at."""


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
_CONFUSABLE = re.compile(r"\t")


class _Builder:
    """Builds the document from libyaml's events, one at a time: its composer recurses, and dies on 60 kB of brackets."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self.nodes = 0
        self.expanded = 0
        self.aliases = 0
        self.anchors: dict[str, Value] = {}

    def build(self) -> Map | None:
        """Return the document's mapping, or None with problems."""
        try:
            document = self._documents()
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
            return None
        except yaml.YAMLError as error:  # the reader's: characters that it will not take
            self.note("yaml-syntax", f"The file is not YAML: {error}", 0, 0)
            return None
        except _StopReadingError:
            return None
        if not isinstance(document, Map):
            self._not_a_mapping(document)
            return None
        return document

    def note(self, code: str, message: str, line: int, offset: int, hint: str | None = None) -> None:
        """Add a problem at a position counted from 0."""
        lines = split_lines(self.text)
        excerpt = lines[line][:EXCERPT_CHARACTERS] if line < len(lines) else None
        place = Place(self.file, line + 1, offset + 1)
        self.problems.append(Problem(code, message, place, hint=hint, excerpt=excerpt))

    def stop(self, code: str, message: str, line: int, offset: int, hint: str | None = None) -> _StopReadingError:
        """Add a problem and return what ends the reading."""
        self.note(code, message, line, offset, hint)
        return _StopReadingError()

    def _documents(self) -> Value:
        parser = CParser(self.text)
        try:
            document: Value = None
            count = 0
            for event in _events(parser):
                if isinstance(event, yaml.DocumentStartEvent):
                    count += 1
                    if count > 1:
                        raise self.stop(
                            "several-documents",
                            "The file holds more than one YAML document (`---`).",
                            event.start_mark.line,
                            event.start_mark.column,
                            "Keep one module a file.",
                        )
                elif not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentEndEvent)):
                    document = self._tree(event, parser)
            return document
        finally:
            parser.dispose()

    def _tree(self, event: Any, parser: Any) -> Value:
        """Build one tree without recursion. `stack` holds open collections, `keys` their pending keys."""
        root: list[Value] = []
        stack: list[Map | Seq] = []
        keys: list[tuple[str, int, int] | None] = []
        anchors: list[str | None] = []
        while True:
            kind = type(event)
            mark = event.start_mark
            line, offset = mark.line, mark.column
            if kind is yaml.ScalarEvent:
                self.nodes += 1
                top = stack[-1] if stack else None
                if type(top) is Map and keys[-1] is None:
                    self._refuse_decoration(event, line, offset)
                    keys[-1] = (event.value, line, offset)
                else:
                    self._close(root, stack, keys, self._scalar(event, line, offset), line, offset)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, stack, keys, anchors, line, offset)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                done = stack.pop()
                keys.pop()
                anchor = anchors.pop()
                if anchor is not None:
                    self.anchors[anchor] = done
                self._close(root, stack, keys, done, done.line, done.offset)
            else:
                self._close(root, stack, keys, self._alias(event, line, offset), line, offset)
            if self.nodes > NODE_LIMIT:
                raise self.stop(
                    "too-many-values",
                    f"The file holds more than {NODE_LIMIT} values.",
                    line,
                    offset,
                    "Split it into several modules.",
                )
            if not stack and (root or kind is not yaml.ScalarEvent):
                return root[0]
            event = parser.get_event()

    def _open(
        self,
        event: Any,
        stack: list[Map | Seq],
        keys: list[tuple[str, int, int] | None],
        anchors: list[str | None],
        line: int,
        offset: int,
    ) -> None:
        self.nodes += 1
        if len(stack) >= DEPTH_LIMIT:
            raise self.stop(
                "too-deep",
                f"Values are nested more than {DEPTH_LIMIT} deep.",
                line,
                offset,
                "Check for brackets that are never closed.",
            )
        if stack and type(stack[-1]) is Map and keys[-1] is None:
            raise self.stop(
                "key-not-text",
                "A list or mapping is used as a key.",
                line,
                offset,
                "Keys are plain words; quote the text if it starts with `{` or `[`.",
            )
        if event.tag is not None:
            self._refuse_tag(event.tag, line, offset)
        stack.append(Map(line, offset) if type(event) is yaml.MappingStartEvent else Seq(line, offset))
        keys.append(None)
        anchors.append(event.anchor)

    def _close(
        self,
        root: list[Value],
        stack: list[Map | Seq],
        keys: list[tuple[str, int, int] | None],
        value: Value,
        line: int,
        offset: int,
    ) -> None:
        """Put a finished value where it belongs."""
        if not stack:
            root.append(value)
            return
        top = stack[-1]
        if isinstance(value, (Map, Seq)):
            top.size += value.size
        if isinstance(top, Seq):
            top.append(value)
            top.marks.append((line, offset, line, offset))
            if len(top) > FIELD_LIMIT and len(stack) == 2 and keys[0] is not None and keys[0][0] == "fields":  # noqa: PLR2004 - the list right under the document
                raise self.stop(
                    "too-many-fields",
                    f"The module has more than {FIELD_LIMIT} fields.",
                    line,
                    offset,
                    "Split it into several modules on the same table.",
                )
            return
        pending = keys[-1]
        if pending is None:  # an alias where a key should be
            raise self.stop("key-not-text", "An alias is used as a key.", line, offset, "Write the key out.")
        keys[-1] = None
        key, key_line, key_offset = pending
        if key in top:
            self._duplicate(top, key, key_line, key_offset)
            return
        top.size += 1
        top[key] = value
        top.marks[key] = (key_line, key_offset, line, offset)

    def _scalar(self, event: Any, line: int, offset: int) -> Value:
        self._refuse_decoration(event, line, offset)
        text: str = event.value
        if event.style is not None and event.style != "":
            value: Value = text
        elif text in _CONSTANTS:
            value = _CONSTANTS[text]
        elif text[0] in _NUMBER_START:
            value = self._number(text, line, offset)
        else:
            value = text
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def _number(self, text: str, line: int, offset: int) -> Value:
        """Read a plain word that starts like a number, by the core schema: `12:30` and `1_000` are texts."""
        if _NOT_FINITE.fullmatch(text):
            self.note("bad-number", f"`{text}` is not a number that can be stored.", line, offset)
            return None
        for pattern, make in ((_INT, int), (_BASED, _based), (_FLOAT, float)):
            if pattern.fullmatch(text):
                if len(text) > _DIGITS_LIMIT or math.isinf(float(make(text))):
                    self.note(
                        "bad-number",
                        f"The number `{text[:20]}…` has too many digits.",
                        line,
                        offset,
                        "Quote it if it is a text.",
                    )
                    return None
                return make(text)
        return text

    def _refuse_decoration(self, event: Any, line: int, offset: int) -> None:
        if event.tag is not None:
            self._refuse_tag(event.tag, line, offset)

    def _refuse_tag(self, tag: str, line: int, offset: int) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self.note(
            "tag", f"The tag `{shown}` is not allowed.", line, offset, "Remove it; quote the value if it is a text."
        )

    def _alias(self, event: Any, line: int, offset: int) -> Value:
        """Resolve `*name`: at most 50 of them, expanding to at most 10,000 values."""
        name = event.anchor
        self.aliases += 1
        if name not in self.anchors:
            raise self.stop(
                "alias",
                f"The alias `*{name}` points at something that is not finished or not there.",
                line,
                offset,
                f"Put the anchor `&{name}` before it.",
            )
        value = self.anchors[name]
        self.expanded += value.size if isinstance(value, (Map, Seq)) else 1
        if self.aliases > ALIAS_LIMIT or self.expanded > EXPANDED_NODE_LIMIT:
            raise self.stop(
                "alias",
                f"Aliases are limited to {ALIAS_LIMIT} in a file and {EXPANDED_NODE_LIMIT} values in all.",
                line,
                offset,
                "Write the values out.",
            )
        return value

    def _duplicate(self, top: Map, key: str, line: int, offset: int) -> None:
        first = top.marks[key]
        self.note(
            "duplicate-key",
            f"The key `{key}` is here twice; it is also in line {first[0] + 1}, column {first[1] + 1}.",
            line,
            offset,
            "Keep one of them.",
        )

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line, offset = (mark.line, mark.column) if mark is not None else (0, 0)
        what = error.problem or "it cannot be read"
        if error.context:
            what = f"{what}, {error.context}"
            if error.context_mark is not None and error.context_mark.line != line:
                what = f"{what} in line {error.context_mark.line + 1}"
        lines = split_lines(self.text)
        hint = None
        if line < len(lines) and _CONFUSABLE.match(lines[line].lstrip(" ")):
            hint = "YAML does not allow tabs for indentation; use spaces."
        elif "could not find expected ':'" in what or "mapping values are not allowed" in what:
            hint = "Quote texts that hold `: `, and check the indentation."
        self.note("yaml-syntax", f"The file is not YAML: {what}.", line, offset, hint)

    def _not_a_mapping(self, document: Value) -> None:
        what = {Seq: "a list", type(None): "nothing"}.get(type(document), "a single value")
        self.note(
            "no-module",
            f"The file holds {what}; a module file is a mapping that starts with `module:`.",
            0,
            0,
            "Start with `module: {name: ...}`; `lambdesk new-module` writes one.",
        )


def _based(text: str) -> int:
    return int(text[2:], 8 if text[1] == "o" else 16)


def _events(parser: Any) -> Iterator[Any]:
    while True:
        event = parser.get_event()
        if event is None or isinstance(event, yaml.StreamEndEvent):
            return
        yield event
