"""A lambda's SQL, word by word, before a parser sees it: how much it may be, and which letters and signs it may have.

What the parser is given holds nothing of the author's but plain names, numbers and signs: texts between quotes and
placeholders become `'k1'` and `:p1`. So no difference between its reading of quotes and ours can matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from resolvers.sql_syntax import RefusedSql

LENGTH_LIMIT = 10_000
WORDS_LIMIT = 1_500
NESTING_LIMIT = 12  # of brackets and CASEs
NAME_LIMIT = 64
DIGITS_LIMIT = 18
DECIMALS_LIMIT = 6
PARAMETERS_LIMIT = 50

_WORD = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>\d+(?:\.\d+)?)(?![\w.])
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)(?![\w'"`$])
      | (?P<text>'(?:[^'\0]|'')*')(?!['"`\w])
      | (?P<quoted>"[^"\0]*"|`[^`\0]*`)(?!['"`\w])
      | (?P<parameter>\$[1-9]\d{0,2}(?!\w)|\?(?![?|&\w]))
      | (?P<sign><>|<=|>=|!=|\|\||::|-(?!-)|/(?!\*)|[+*%(),.=<>])
    """,
    re.VERBOSE | re.ASCII,
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPENING = frozenset({"(", "case"})
_CLOSING = frozenset({")", "end"})
_PREFIXES = frozenset({"not", "-", "+"})  # a parser goes down a level for each of them
_PREFIXES_LIMIT = 4
_SHOWN = 20


@dataclass(slots=True)
class Words:
    """SQL as the parser is given it, the texts that stand in it by their new names, and the placeholders in their order."""

    sql: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    parameters: list[int] = field(default_factory=list)


def read_words(text: str) -> Words:
    """Read SQL word by word, or raise `RefusedSql`."""
    if len(text) > LENGTH_LIMIT:
        raise RefusedSql(f"The SQL is longer than {LENGTH_LIMIT:,} characters.")
    return _Words(_without_end(text)).read()


def _without_end(text: str) -> str:
    """Leave out the `;` that many write at the end."""
    return text.rstrip(" \t\r\n").removesuffix(";")


class _Words:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found = Words()
        self.written: list[str] = []
        self.depth = 0
        self.prefixes = 0
        self.last = ""
        self.styles: set[str] = set()

    def read(self) -> Words:
        at = count = 0
        while at < len(self.text):
            word = _WORD.match(self.text, at)
            if word is None or word.lastgroup is None:
                raise RefusedSql(_unreadable(self.text[at:]))
            at = word.end()
            if word.lastgroup == "space":
                continue
            count += 1
            if count > WORDS_LIMIT:
                raise RefusedSql(f"The SQL has more than {WORDS_LIMIT:,} words and signs.")
            self._take(word.lastgroup, word[0])
        self._check_start()
        self.found.sql = " ".join(self.written)
        return self.found

    def _take(self, kind: str, word: str) -> None:
        lower = word.lower()
        self._nest(kind, lower)
        if kind == "name":
            _check_name(word)
        elif kind == "number":
            _check_number(word)
        elif kind == "quoted":
            word = f'"{_check_quoted(word[1:-1])}"'
        elif kind == "text":
            if self.last == "text":
                raise RefusedSql("Two texts stand side by side; write `||` between them.")
            key = f"k{len(self.found.texts) + 1}"
            self.found.texts[key] = word[1:-1].replace("''", "'")
            word = f"'{key}'"
        elif kind == "parameter":
            word = self._parameter(word)
        self.last = kind
        self.written.append(word)

    def _nest(self, kind: str, word: str) -> None:
        if kind in ("sign", "name"):
            self.depth += (word in _OPENING) - (word in _CLOSING)
            self.prefixes = self.prefixes + 1 if word in _PREFIXES else 0
        else:
            self.prefixes = 0
        if self.depth > NESTING_LIMIT or self.prefixes > _PREFIXES_LIMIT:
            raise RefusedSql(f"The SQL is nested more than {NESTING_LIMIT} deep.")
        if self.depth < 0:
            raise RefusedSql(f"`{word}` has nothing to close.")

    def _parameter(self, word: str) -> str:
        self.styles.add(word[0])
        if len(self.styles) > 1:
            raise RefusedSql("Write either `$1` or `?` for parameters, not both.")
        number = len(self.found.parameters) if word == "?" else int(word[1:]) - 1
        if number >= PARAMETERS_LIMIT:
            raise RefusedSql(f"The SQL has more than {PARAMETERS_LIMIT} parameters.")
        self.found.parameters.append(number)
        return f":p{number + 1}"

    def _check_start(self) -> None:
        # A parser takes other words for commands of databases, and says so in the log with all that stands there.
        first = self.written[0].lower() if self.written else ""
        if first not in ("select", "with"):
            raise RefusedSql("db.query and db.queryRow take one SELECT.")


def _check_name(word: str) -> None:
    if len(word) > NAME_LIMIT:
        raise RefusedSql(f"The name `{word[:_SHOWN]}…` is longer than {NAME_LIMIT} characters.")


def _check_quoted(word: str) -> str:
    if not _PLAIN.fullmatch(word):
        raise RefusedSql(
            "A quoted name has only letters of English, digits and `_`; texts stand between single quotes."
        )
    _check_name(word)
    return word


def _check_number(word: str) -> None:
    whole, _, decimals = word.partition(".")
    if len(whole) > DIGITS_LIMIT or len(decimals) > DECIMALS_LIMIT:
        raise RefusedSql(f"A number has at most {DIGITS_LIMIT} digits, and {DECIMALS_LIMIT} behind the point.")


def _unreadable(rest: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in rest[:_SHOWN])
    if rest.startswith(("--", "/*", "#")):
        return "Comments are not allowed in the SQL of lambdas."
    if rest.startswith(";"):
        return "Only one statement is allowed: there is a `;` inside."
    if rest.startswith(("'", '"', "`")):
        return "A quote is not closed, or something is joined to it."
    return f"`{shown}` cannot stand in the SQL of lambdas."
