"""A look at JavaScript without running it: where it calls a method of a helper. Texts, comments and patterns are passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PATTERN_LIMIT = 1_000  # characters of a regular expression; what is longer is taken for a division

_TOKEN = re.compile(
    rf"""(?P<space>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?)
      | (?P<pattern>/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\]){{1,{PATTERN_LIMIT}}}/)
      | (?P<word>[\w$]+)
      | (?P<sign>\?\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# The rest of a template, to its end or to the next `${`.
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{|\Z)", re.DOTALL)
# Behind a value a `/` divides; anywhere else it begins a pattern.
_ENDS_A_VALUE = re.compile(r"[\w$)\]}'\"`]\Z")
_BEFORE_A_VALUE = frozenset({"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"})
_DOTS = (".", "?.")


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A call such as `db.query(`; line and column count from 1."""

    name: str
    line: int
    column: int


def find_calls(source: str, helpers: Mapping[str, frozenset[str]]) -> Iterator[MethodCall]:
    """Yield where a source calls methods of helpers, such as `{"db": frozenset({"query"})}`."""
    words = [("", 0), *_Reader(source).words()]
    for (before, _), (helper, at), (dot, _), (method, _), (bracket, _) in zip(
        words, words[1:], words[2:], words[3:], words[4:], strict=False
    ):
        is_call = dot in _DOTS and bracket in ("(", "?.") and method in helpers.get(helper, ())
        if is_call and before not in _DOTS:
            line = source.count("\n", 0, at) + 1
            yield MethodCall(f"{helper}.{method}", line, at - source.rfind("\n", 0, at))


class _Reader:
    """Reads words and signs. Templates are texts, but for what stands in their `${}`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.last = ""
        self.braces: list[int] = []  # of each `${` that is open: how many `{` are open inside

    def words(self) -> Iterator[tuple[str, int]]:
        """Yield each with where it stands."""
        while self.at < len(self.source):
            found = _TOKEN.match(self.source, self.at)
            word = found[0] if found and not self._divides(found) else self.source[self.at]
            if word == "`" or (word == "}" and self.braces and not self.braces[-1]):
                self._pass_template(is_end=word == "}")
                continue
            if self.braces and word in ("{", "}"):
                self.braces[-1] += 1 if word == "{" else -1
            if found is None or found.lastgroup != "space":
                yield word, self.at
                self.last = word
            self.at += len(word)

    def _divides(self, found: re.Match[str]) -> bool:
        is_value = _ENDS_A_VALUE.search(self.last) and self.last not in _BEFORE_A_VALUE
        return found.lastgroup == "pattern" and bool(is_value)

    def _pass_template(self, *, is_end: bool) -> None:
        if is_end:
            self.braces.pop()
        found = _TEMPLATE.match(self.source, self.at + 1)
        self.at = found.end() if found else len(self.source)
        self.last = "`"
        if found and found[0].endswith("${"):
            self.braces.append(0)
            self.last = "{"
