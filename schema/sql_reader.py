"""SQL expressions of module files, read into a tree. The grammar is the allow-list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from schema.sql_functions import FUNCTIONS

DEPTH_LIMIT = 25
TERM_LIMIT = 300
NAME_LIMIT = 64


class ExpressionError(ValueError):
    """An expression cannot be taken; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the own table; `whole` says that it holds integers."""

    name: str
    whole: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, true, false or null."""

    value: str | int | float | bool | None
    digits: str = ""  # a number as written, so that 0.10 stays 0.10


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function over terms."""

    name: str
    terms: tuple[Term, ...]


Term: TypeAlias = Column | Literal | Call


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"[^"]+"|`[^`]+`)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><>|<=|>=|!=|\|\||-(?!-)|[+*/%(),=<>.])
    )""",
    re.VERBOSE,
)
_RESERVED = frozenset(
    [
        "and",
        "or",
        "not",
        "is",
        "null",
        "in",
        "between",
        "like",
        "case",
        "when",
        "then",
        "else",
        "end",
        "cast",
        "as",
        "true",
        "false",
        "select",
        "from",
        "where",
        "distinct",
        "order",
        "by",
        "asc",
        "desc",
    ]
)
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CASTS: Final = {
    **dict.fromkeys(("text", "varchar", "char"), "text"),
    **dict.fromkeys(("int", "integer", "bigint", "signed"), "int"),
    **dict.fromkeys(("float", "real", "double", "decimal", "numeric"), "float"),
}


class Reader:
    """Reads tokens into a tree by precedence; every level counts against a depth limit."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            found = _TOKEN.match(stripped, at)
            if found is None or found.lastgroup is None:
                rest = stripped[at:].lstrip()
                raise ExpressionError(f"`{rest[:20]}` cannot be read", _hint_for(rest))
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
            if len(self.tokens) > TERM_LIMIT:
                raise ExpressionError(f"it has more than {TERM_LIMIT} words and signs", "Use a lambda.")
        self.at = 0
        self.depth = 0

    def peek(self, *words: str) -> bool:
        """Answer whether the next token is one of these words or signs."""
        if self.at >= len(self.tokens):
            return False
        kind, text = self.tokens[self.at]
        return (text.lower() if kind == "word" else text) in words and kind in ("word", "sign")

    def take(self, *words: str) -> str | None:
        """Step over one of these words or signs, if it is next."""
        if not self.peek(*words):
            return None
        self.at += 1
        return self.tokens[self.at - 1][1].lower()

    def need(self, word: str) -> None:
        """Step over a word or sign that must be next."""
        if self.take(word) is None:
            raise ExpressionError(f"`{word.upper()}` is missing {self.where()}")

    def where(self) -> str:
        """Say where the reader stands."""
        return f"before `{self.tokens[self.at][1]}`" if self.at < len(self.tokens) else "at the end"

    def term(self) -> Term:
        """Read a whole term: OR has the lowest precedence."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise ExpressionError(f"it is nested more than {DEPTH_LIMIT} deep", "Use a lambda.")
        found = self._chain(self._and, ("or",))
        self.depth -= 1
        return found

    def _chain(self, below: Callable[[], Term], signs: tuple[str, ...]) -> Term:
        left = below()
        while sign := self.take(*signs):
            left = Call(sign, (left, below()))
        return left

    def _and(self) -> Term:
        return self._chain(self._not, ("and",))

    def _not(self) -> Term:
        count = 0
        while self.take("not"):
            count += 1
        found = self._comparison()
        return Call("not", (found,)) if count % 2 else found

    def _comparison(self) -> Term:
        left = self._sum()
        if sign := self.take(*_COMPARISONS):
            return Call(_COMPARISONS[sign], (left, self._sum()))
        if self.take("is"):
            negated = self.take("not")
            self.need("null")
            return Call("is not null" if negated else "is null", (left,))
        negated = self.take("not")
        found: Term | None = None
        if self.take("in"):
            self.need("(")
            found = Call("in", (left, *self._terms()))
        elif self.take("between"):
            low = self._sum()
            self.need("and")
            found = Call("between", (left, low, self._sum()))
        elif self.take("like"):
            found = Call("like", (left, self._sum()))
        if found is None:
            if negated:
                raise ExpressionError(f"`NOT` is misplaced {self.where()}")
            return left
        return Call("not", (found,)) if negated else found

    def _sum(self) -> Term:
        return self._chain(self._product, ("+", "-", "||"))

    def _product(self) -> Term:
        return self._chain(self._unary, ("*", "/", "%"))

    def _unary(self) -> Term:
        minus = False
        while sign := self.take("-", "+"):
            minus ^= sign == "-"
        found = self._primary()
        return Call("minus", (found,)) if minus else found

    def _terms(self) -> tuple[Term, ...]:
        if self.peek("select"):
            raise ExpressionError("queries are not allowed inside an expression", "Use a relation or a lambda.")
        found = [self.term()]
        while self.take(","):
            found.append(self.term())
        self.need(")")
        return tuple(found)

    def _primary(self) -> Term:
        if self.at >= len(self.tokens):
            raise ExpressionError("it ends too early")
        kind, text = self.tokens[self.at]
        if kind == "sign":
            return self._in_brackets(text)
        self.at += 1
        if kind == "number":
            return Literal(float(text) if re.search(r"[.eE]", text) else int(text), text)
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "quoted":
            return self._column(text[1:-1])
        return self._word(text)

    def _in_brackets(self, text: str) -> Term:
        if text != "(":
            raise ExpressionError(f"`{text}` is misplaced")
        self.at += 1
        found = self._terms()
        if len(found) != 1:
            raise ExpressionError("a list in brackets only stands after `IN`")
        return found[0]

    def _word(self, word: str) -> Term:
        lower = word.lower()
        if lower in ("true", "false", "null"):
            return Literal({"true": True, "false": False}.get(lower))
        if lower == "case":
            return self._case()
        if lower == "cast" and self.take("("):
            return self._cast()
        if lower == "select":
            raise ExpressionError("queries are not allowed inside an expression", "Use a relation or a lambda.")
        if lower in _RESERVED and not self.peek("("):
            raise ExpressionError(f"`{word}` is misplaced")
        if self.take("("):
            return self._call(lower)
        return self._column(word)

    def _column(self, name: str) -> Term:
        if self.peek("."):
            raise ExpressionError(
                f"`{name}.` points at another table; an expression has only own columns", "Use a lambda with `needs`."
            )
        if len(name) > NAME_LIMIT:
            raise ExpressionError(f"`{name[:20]}…` is too long for a column")
        return Column(name)

    def _call(self, name: str) -> Term:
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(
                f"the function `{name}` is not allowed", f"Allowed: {', '.join(sorted(FUNCTIONS))}, case, cast."
            )
        terms = () if self.take(")") else self._terms()
        if not function.least <= len(terms) <= function.most:
            wanted = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            raise ExpressionError(f"`{name}` takes {wanted} values; found {len(terms)}")
        return Call(name, terms)

    def _case(self) -> Term:
        subject = None if self.peek("when") else self.term()
        terms: list[Term] = []
        while self.take("when"):
            condition = self.term()
            self.need("then")
            terms += [condition if subject is None else Call("=", (subject, condition)), self.term()]
        if not terms:
            raise ExpressionError("`CASE` has no `WHEN`")
        terms.append(self.term() if self.take("else") else Literal(None))
        self.need("end")
        return Call("case", tuple(terms))

    def _cast(self) -> Term:
        inner = self.term()
        self.need("as")
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        target = _CASTS.get(word.lower()) if kind == "word" else None
        if target is None:
            raise ExpressionError(f"`CAST` to `{word}` is not allowed", "Allowed: text, int, float.")
        self.at += 1
        if self.take("("):  # varchar(200), decimal(10, 2): the size is of no consequence
            self._terms()
        self.need(")")
        return Call(f"cast {target}", (inner,))


def _hint_for(rest: str) -> str | None:
    if rest.startswith(("--", "/*", "#", ";")):
        return "Write one expression, without comments and `;`."
    if rest.startswith(("?", "$", ":", "@")):
        return "An expression has no parameters."
    return None
