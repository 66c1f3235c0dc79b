"""From the bytes of a module file to plain values that know where they stand. Hostile files end here, with a problem and no harm."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property

import yaml

from schema.problems import Level, Place, Problem
from schema.tree import UNSAFE_CHARACTER, Map, Seq, StopReadingError, Value, build

SIZE_LIMIT_BYTES = 256 * 1024
EXCERPT_CHARACTERS = 160


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

    @cached_property
    def header(self) -> Map:
        """The `module:` section, empty when there is none."""
        found = self.document.get("module") if self.document is not None else None
        return found if isinstance(found, Map) else Map(0, 0)

    @cached_property
    def role(self) -> str:
        """What the file is: `module`, `replace` (of a lower layer's module) or `extend`."""
        if "extend" in self.header:
            return "extend"
        return "replace" if self.header.get("replace") is True else "module"

    @cached_property
    def name(self) -> str:
        """The module that the file is about; empty where it does not say."""
        said = self.header.get("extend") if self.role == "extend" else self.header.get("name")
        return said if isinstance(said, str) else ""

    def excerpt(self, line: int) -> str | None:
        """Return a line of the text, counted from 1, cut to a readable length."""
        lines = self.lines
        if not 1 <= line <= len(lines):
            return None
        return _legible(lines[line - 1])


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NAMES = {
    "\x00": "a NUL character",
    "\ufeff": "a byte order mark inside the text",
    "\r": "a carriage return without a line feed",
}
_BAD_CHARACTER = re.compile(f"{UNSAFE_CHARACTER.pattern}|\r(?!\n)")


def split_lines(text: str) -> list[str]:
    """Split a text where YAML sees line breaks, so that its positions and ours agree."""
    return _LINE_BREAK.split(text)


def _legible(line: str) -> str:
    """Cut a line to a readable length; nothing in it may steer a terminal or turn the text around."""
    return UNSAFE_CHARACTER.sub("\ufffd", line[:EXCERPT_CHARACTERS])


def digest_of(data: bytes) -> str:
    """Return what tells the content of a file from any other."""
    return hashlib.sha256(data).hexdigest()


def read(file: str, data: bytes) -> Source:
    """Read a module file. Whatever the bytes are, the answer is a source with a document or with problems."""
    digest = digest_of(data)
    if len(data) > SIZE_LIMIT_BYTES:
        return _refused(file, digest, "", _too_large(file, len(data)))
    notes: list[Problem] = []
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append(_byte_order_mark(file))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused(file, digest, data.decode("utf-8", "replace"), _not_utf8(file, data, error))
    bad = [_bad_character(file, text, found) for found in _BAD_CHARACTER.finditer(text)]
    if bad:
        return Source(file, digest, text, None, (*notes, *bad[:20]))
    document, problems = _Reading(file, text).document()
    return Source(file, digest, text, document, (*notes, *problems))


def _refused(file: str, digest: str, text: str, problem: Problem) -> Source:
    source = Source(file, digest, text, None)
    return replace(source, problems=(replace(problem, excerpt=source.excerpt(problem.line)),))


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


class _Reading:
    """One reading of a text: collects problems with the lines that they stand in."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self._lines: list[str] = []

    @property
    def lines(self) -> list[str]:
        """The lines of the text, split when the first problem needs one."""
        self._lines = self._lines or split_lines(self.text)
        return self._lines

    def document(self) -> tuple[Map | None, list[Problem]]:
        """Return the document's mapping, or None, and the problems."""
        try:
            found = build(self.text, self.note)
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError as error:  # the reader's own: characters that it will not take
            self.note("yaml-syntax", f"The file is not YAML: {error}", 0, 0)
        except StopReadingError:
            pass
        else:
            if isinstance(found, Map):
                return found, self.problems
            self._not_a_mapping(found)
        return None, self.problems

    def note(self, code: str, message: str, line: int, offset: int, hint: str | None = None) -> None:
        """Add a problem at a position counted from 0."""
        excerpt = _legible(self.lines[line]) if line < len(self.lines) else None
        place = Place(self.file, line + 1, offset + 1)
        self.problems.append(Problem(code, message, place, hint=hint, excerpt=excerpt))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line, offset = (mark.line, mark.column) if mark is not None else (0, 0)
        what = error.problem or "it cannot be read"
        if error.context:
            what = f"{what}, {error.context}"
            if error.context_mark is not None and error.context_mark.line != line:
                what = f"{what} in line {error.context_mark.line + 1}"
        hint = None
        if line < len(self.lines) and self.lines[line].lstrip(" ").startswith("\t"):
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
