"""A problem of a module file is data: what is wrong, where, and what to do. Reports are made from it, never raised."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps a module from going live; a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a module file: the path as the operator knows it, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    `code` is stable and documented (docs/administration.md); `message` is a sentence with the value found;
    `path` the keys that lead to it (`fields.priority.type`); `hint` says what to do; `excerpt` is the source line.
    """

    code: str
    message: str
    place: Place
    hint: str | None = None
    path: str | None = None
    excerpt: str | None = None
    level: Level = Level.ERROR

    @property
    def file(self) -> str:
        """The module file, as the operator knows it."""
        return self.place.file

    @property
    def line(self) -> int:
        """Line, counted from 1."""
        return self.place.line

    @property
    def column(self) -> int:
        """Column, counted from 1."""
        return self.place.column


def has_errors(problems: Iterable[Problem]) -> bool:
    """Answer whether any problem keeps a module from going live."""
    return any(problem.level is Level.ERROR for problem in problems)


def suggest(word: str, allowed: Iterable[str]) -> str | None:
    """Return "Did you mean `x`?" for the nearest allowed word, or None when nothing is near."""
    near = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else None


def render(problem: Problem) -> str:
    """Make the report of one problem: position, message, excerpt with a caret, hint."""
    lines = [f"{problem.place}: {problem.level}: {problem.message}  [{problem.code}]"]
    if problem.excerpt is not None:
        number = str(problem.line)
        margin = " " * len(number)
        caret = "".join("\t" if char == "\t" else " " for char in problem.excerpt[: problem.column - 1]) + "^"
        lines += [f"  {number} | {problem.excerpt}", f"  {margin} | {caret}"]
    if problem.hint:
        lines.append(f"  hint: {problem.hint}")
    return "\n".join(lines)


def report(problems: Iterable[Problem]) -> str:
    """Make the report of many problems, ordered by file and position, with a blank line between them."""
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
    return "\n\n".join(render(problem) for problem in ordered)
