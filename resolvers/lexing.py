"""The first look at a document: what it costs to read on, decided in one pass of a regular expression, and a quicker lexer."""

from __future__ import annotations

import re
from bisect import bisect_right

from graphql.language import DocumentNode, Lexer, Source, SourceLocation, Token, TokenKind
from graphql.language.parser import Parser

# `#` comments are lexemes of their own here, so that padding with them counts.
_LEXEME = re.compile(
    r"""(?P<ignored>[ \t,\r\n\ufeff]++)
    |(?P<name>[_A-Za-z][_0-9A-Za-z]*+)
    |(?P<open>[{\[(])
    |(?P<close>[}\])])
    |(?P<comment>\#[^\r\n]*+)
    |(?P<block>\"\"\"(?:[^"\\]++|\\\"\"\"|\\|"(?!""))*+\"\"\")
    |(?P<string>"(?:[^"\\\r\n]++|\\.)*+")
    |(?P<number>-?[0-9][0-9.eE+-]*+)
    |(?P<other>\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_IGNORED = re.compile(r"[ \t,\ufeff]*+")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*+")
_PLAIN_STRING = re.compile(r'"(?!"")[^"\\\r\n\ud800-\udfff]*+"')
_PLAIN_COMMENT = re.compile(r"#[^\r\n\ud800-\udfff]*+")
_NEWLINE = re.compile(r"\r\n|[\r\n]")

_STEPS = {"open": 1, "close": -1}
_LITERAL = frozenset({"string", "block", "number", "comment"})

MAX_NAME = 255
# Each level of brackets costs the recursive parser a handful of stack frames.
MAX_NESTING = 64
# Locations of errors are found by counting lines.
MAX_LINES = 5_000
# Long values belong into variables, which are not lexed character by character.
MAX_LITERAL_TEXT = 20_000


class TooMuch(Exception):
    """A document goes beyond a limit; the text says which, and what to do."""


def check_text(text: str, *, max_bytes: int, max_tokens: int) -> None:
    """Raise `TooMuch` when the text is more than the parser should be given.

    Reads no further than the first lexeme above a limit, so that a refusal costs the same for any length.
    """
    if len(text) > max_bytes or len(text.encode(errors="surrogatepass")) > max_bytes:
        raise TooMuch(f"The document is longer than {max_bytes} bytes.")
    if text.count("\n") + text.count("\r") > MAX_LINES:
        raise TooMuch(f"The document has more than {MAX_LINES} lines.")
    count = _Count(max_tokens)
    for lexeme in _LEXEME.finditer(text):
        count.add(str(lexeme.lastgroup), lexeme.end() - lexeme.start())


class _Count:
    """What has been seen of a text so far."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.tokens = self.nesting = self.literal = 0

    def add(self, kind: str, length: int) -> None:
        """Count a lexeme. Raises `TooMuch`."""
        if kind == "ignored":
            return
        self.tokens += 1
        self.nesting += _STEPS.get(kind, 0)
        if kind in _LITERAL:
            self.literal += length
        if self.tokens > self.max_tokens:
            raise TooMuch(f"The document has more than {self.max_tokens} tokens.")
        if kind == "name" and length > MAX_NAME:
            raise TooMuch(f"The document has a name of more than {MAX_NAME} characters.")
        if self.nesting > MAX_NESTING:
            raise TooMuch(f"The document nests deeper than {MAX_NESTING} brackets.")
        if self.literal > MAX_LITERAL_TEXT:
            raise TooMuch(
                f"The document has more than {MAX_LITERAL_TEXT} characters of literal values and comments. "
                "Send long values as variables."
            )


class LinedSource(Source):
    """A source that remembers where its lines start: an error names a place without counting lines again."""

    def __init__(self, body: str) -> None:
        super().__init__(body, "GraphQL request")
        self.starts = [0, *(found.end() for found in _NEWLINE.finditer(body))]

    def get_location(self, position: int) -> SourceLocation:
        """Return line and column of a position, counted from 1."""
        line = bisect_right(self.starts, position)
        return SourceLocation(line, position + 1 - self.starts[line - 1])


class QuickLexer(Lexer):
    """graphql-core's lexer with the common lexemes read by regular expressions; everything else goes to the original."""

    def read_next_token(self, start: int) -> Token:
        """Read the token at or after a position."""
        body = self.source.body
        position = _end(_IGNORED, body, start)
        while body[position : position + 1] == "\n":
            self.line += 1
            self.line_start = position + 1
            position = _end(_IGNORED, body, position + 1)
        return self._read_here(body[position : position + 1], position)

    def _read_here(self, char: str, position: int) -> Token:
        body = self.source.body
        if char.isalpha() or char == "_":
            found = _NAME.match(body, position)
            if found:
                return self.create_token(TokenKind.NAME, position, found.end(), found.group())
        elif char == '"':
            found = _PLAIN_STRING.match(body, position)
            if found and (found.end() - position > 2 or body[found.end() : found.end() + 1] != '"'):  # noqa: PLR2004
                return self.create_token(TokenKind.STRING, position, found.end(), found.group()[1:-1])
        elif char == "#":
            found = _PLAIN_COMMENT.match(body, position)
            if found and body[found.end() : found.end() + 1] in {"", "\n", "\r"}:
                return self.create_token(TokenKind.COMMENT, position, found.end(), found.group()[1:])
        return super().read_next_token(position)


def _end(pattern: re.Pattern[str], body: str, start: int) -> int:
    found = pattern.match(body, start)
    return found.end() if found else start


def parse_text(text: str) -> DocumentNode:
    """Parse a text that `check_text` let through. Raises GraphQLSyntaxError."""
    source = LinedSource(text)
    return Parser(source, lexer=QuickLexer(source)).parse_document()
