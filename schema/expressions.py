"""SQL expressions of module files: one small language, read here and written for each database.

The grammar is the allow-list. Nothing of the author's text reaches a database: names are looked up among the table's
columns, values are written anew, functions come from a table with one rendering a database. (A general SQL parser costs
36 MB and half a second to load, and reads far more than may be said here.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from schema.spec import Expression

DIALECTS = ("sqlite", "mysql", "postgresql")
# Both keep recursion far from Python's limit.
DEPTH_LIMIT = 25
TERM_LIMIT = 300
NAME_LIMIT = 64


class ExpressionError(ValueError):
    """An expression cannot be taken; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


# --- the tree ---


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the own table."""

    name: str


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


# --- reading ---

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]))
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"[^"]+"|`[^`]+`)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><>|<=|>=|!=|\|\||[-+*/%(),=<>.])
    )""",
    re.VERBOSE,
)
_RESERVED = frozenset(
    "and or not is null in between like case when then else end cast as true false select from where distinct order by asc desc".split()
)
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CASTS: Final = {
    **dict.fromkeys(("text", "varchar", "char"), "text"),
    **dict.fromkeys(("int", "integer", "bigint", "signed"), "int"),
    **dict.fromkeys(("float", "real", "double", "decimal", "numeric"), "float"),
}


class _Reader:
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
        function = _FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(
                f"the function `{name}` is not allowed", f"Allowed: {', '.join(sorted(_FUNCTIONS))}, case, cast."
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


# --- writing ---

_Render = Callable[[tuple[str, ...], str], str]


@dataclass(frozen=True, slots=True)
class _Function:
    """A function: how many values it takes, and its text a dialect with the rendered terms filled in."""

    least: int
    most: int
    render: _Render


def _same(name: str) -> _Render:
    return lambda terms, _: f"{name}({', '.join(terms)})"


def _by(**texts: str) -> _Render:
    """Make a rendering of one text a dialect; `{0}` is the first term; `any` for the others."""

    def render(terms: tuple[str, ...], dialect: str) -> str:
        return texts.get(dialect, texts.get("any", "")).format(*terms)

    return render


def _as_text(term: str, dialect: str) -> str:
    return {
        "sqlite": f"CAST({term} AS TEXT)",
        "mysql": f"CONVERT({term} USING utf8mb4)",
        "postgresql": f"CAST({term} AS TEXT)",
    }[dialect]


def _concat(terms: tuple[str, ...], dialect: str) -> str:
    """CONCAT takes null as nothing (PostgreSQL's way), so that a missing part does not swallow the rest."""
    if dialect == "postgresql":
        return f"CONCAT({', '.join(terms)})"
    parts = [f"COALESCE({_as_text(term, dialect)}, '')" for term in terms]
    return f"CONCAT({', '.join(parts)})" if dialect == "mysql" else f"({' || '.join(parts)})"


def _join(terms: tuple[str, ...], dialect: str) -> str:
    """`||`: null when one side is null, on all three."""
    parts = [_as_text(term, dialect) for term in terms]
    return f"CONCAT({', '.join(parts)})" if dialect == "mysql" else f"({' || '.join(parts)})"


def _divide(terms: tuple[str, ...], dialect: str) -> str:
    """Divide as numbers: 7 / 2 is 3.5 and x / 0 is null, on all three."""
    left, right = terms
    if dialect == "mysql":
        return f"(({left} + 0e0) / NULLIF({right}, 0))"
    real = "REAL" if dialect == "sqlite" else "DOUBLE PRECISION"
    return f"(CAST({left} AS {real}) / NULLIF({right}, 0))"


def _round(terms: tuple[str, ...], dialect: str) -> str:
    digits = terms[1] if len(terms) > 1 else "0"
    value = f"CAST({terms[0]} AS NUMERIC)" if dialect == "postgresql" else terms[0]
    return f"ROUND({value}, {digits})"


def _substring(terms: tuple[str, ...], dialect: str) -> str:
    return f"{'SUBSTR' if dialect == 'sqlite' else 'SUBSTRING'}({', '.join(terms)})"


_FUNCTIONS: Mapping[str, _Function] = {
    "coalesce": _Function(2, 20, _same("COALESCE")),
    "ifnull": _Function(2, 2, _same("COALESCE")),
    "nullif": _Function(2, 2, _same("NULLIF")),
    "if": _Function(3, 3, _by(any="CASE WHEN {0} THEN {1} ELSE {2} END")),
    "abs": _Function(1, 1, _same("ABS")),
    "round": _Function(1, 2, _round),
    "floor": _Function(
        1,
        1,
        _by(sqlite="(CAST({0} AS INTEGER) - ({0} < CAST({0} AS INTEGER)))", any="FLOOR({0})"),
    ),
    "ceil": _Function(
        1,
        1,
        _by(sqlite="(CAST({0} AS INTEGER) + ({0} > CAST({0} AS INTEGER)))", any="CEIL({0})"),
    ),
    "mod": _Function(2, 2, _by(any="({0} % NULLIF({1}, 0))")),
    "least": _Function(
        2, 10, lambda terms, dialect: f"{'MIN' if dialect == 'sqlite' else 'LEAST'}({', '.join(terms)})"
    ),
    "greatest": _Function(
        2, 10, lambda terms, dialect: f"{'MAX' if dialect == 'sqlite' else 'GREATEST'}({', '.join(terms)})"
    ),
    "lower": _Function(1, 1, _same("LOWER")),
    "upper": _Function(1, 1, _same("UPPER")),
    "trim": _Function(1, 1, _same("TRIM")),
    "length": _Function(1, 1, _by(mysql="CHAR_LENGTH({0})", any="LENGTH({0})")),
    "replace": _Function(3, 3, _same("REPLACE")),
    "substr": _Function(2, 3, _substring),
    "substring": _Function(2, 3, _substring),
    "concat": _Function(1, 20, _concat),
    "year": _Function(
        1,
        1,
        _by(
            sqlite="CAST(STRFTIME('%Y', {0}) AS INTEGER)",
            mysql="YEAR({0})",
            postgresql="CAST(EXTRACT(YEAR FROM {0}) AS INTEGER)",
        ),
    ),
    "month": _Function(
        1,
        1,
        _by(
            sqlite="CAST(STRFTIME('%m', {0}) AS INTEGER)",
            mysql="MONTH({0})",
            postgresql="CAST(EXTRACT(MONTH FROM {0}) AS INTEGER)",
        ),
    ),
    "date": _Function(1, 1, _by(sqlite="DATE({0})", mysql="DATE({0})", postgresql="CAST({0} AS DATE)")),
}


def _infix(sign: str) -> _Render:
    return lambda terms, _: f"({terms[0]} {sign} {terms[1]})"


_OPERATORS: Mapping[str, _Render] = {
    **{sign: _infix(sign) for sign in ("+", "-", "*", "=", "<>", "<", "<=", ">", ">=")},
    "and": _infix("AND"),
    "or": _infix("OR"),
    # Ignores case, and a backslash is itself, on all three.
    "like": _by(sqlite="({0} LIKE {1})", mysql="({0} LIKE {1} ESCAPE '')", postgresql="({0} ILIKE {1} ESCAPE '')"),
    "%": _by(any="({0} % NULLIF({1}, 0))"),
    "/": _divide,
    "||": _join,
    "minus": _by(any="(-{0})"),
    "not": _by(any="(NOT {0})"),
    "is null": _by(any="({0} IS NULL)"),
    "is not null": _by(any="({0} IS NOT NULL)"),
    "between": _by(any="({0} BETWEEN {1} AND {2})"),
    "in": lambda terms, _: f"({terms[0]} IN ({', '.join(terms[1:])}))",
    "cast text": lambda terms, dialect: _as_text(terms[0], dialect),
    "cast int": _by(sqlite="CAST({0} AS INTEGER)", mysql="CAST({0} AS SIGNED)", postgresql="CAST({0} AS BIGINT)"),
    "cast float": _by(sqlite="CAST({0} AS REAL)", mysql="(({0}) + 0e0)", postgresql="CAST({0} AS DOUBLE PRECISION)"),
}

# What a condition gives, and what AND, OR, NOT and WHEN take.
_CONDITIONS = frozenset({*_COMPARISONS.values(), "and", "or", "not", "is null", "is not null", "between", "in", "like"})


def _render(term: Term, dialect: str, alias: str, *, condition: bool = False) -> str:
    """Write a term. PostgreSQL tells conditions from numbers: `condition` says that one is wanted here."""
    if isinstance(term, Column):
        text = f"{alias}.{_quote(term.name, dialect)}" if alias else _quote(term.name, dialect)
        return f"({text} <> 0)" if condition else text
    if isinstance(term, Literal):
        return _literal(term, dialect, condition=condition)
    if term.name == "case":
        return _case(term, dialect, alias, condition=condition)
    wants = term.name in ("and", "or", "not")
    terms = tuple(
        _render(part, dialect, alias, condition=True)
        if wants or (term.name == "if" and index == 0)
        else _value(part, dialect, alias)
        for index, part in enumerate(term.terms)
    )
    function = _FUNCTIONS.get(term.name)
    text = function.render(terms, dialect) if function else _OPERATORS[term.name](terms, dialect)
    if term.name in _CONDITIONS:
        return text
    return f"({text} <> 0)" if condition else text


def _case(term: Call, dialect: str, alias: str, *, condition: bool) -> str:
    parts = ["CASE"]
    for index in range(0, len(term.terms) - 1, 2):
        parts.append(f"WHEN {_render(term.terms[index], dialect, alias, condition=True)}")
        parts.append(f"THEN {_value(term.terms[index + 1], dialect, alias)}")
    parts.append(f"ELSE {_value(term.terms[-1], dialect, alias)} END")
    text = " ".join(parts)
    return f"({text} <> 0)" if condition else text


def _value(term: Term, dialect: str, alias: str) -> str:
    """Write a term as a value: a condition becomes 1 or 0 (null stays null), the same on all three."""
    text = _render(term, dialect, alias)
    if dialect == "postgresql" and isinstance(term, Call) and term.name in _CONDITIONS:
        return f"CAST({text} AS INTEGER)"
    return text


def _literal(term: Literal, dialect: str, *, condition: bool) -> str:
    value = term.value
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return ("(1 = 1)" if value else "(1 = 0)") if condition else str(int(value))
    if isinstance(value, (int, float)):
        return f"({term.digits} <> 0)" if condition else term.digits
    text = value.replace("'", "''")
    if dialect == "mysql":
        text = text.replace("\\", "\\\\")
    return f"'{text}'"


def _quote(name: str, dialect: str) -> str:
    mark = "`" if dialect == "mysql" else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def _columns(term: Term) -> list[str]:
    if isinstance(term, Column):
        return [term.name]
    if isinstance(term, Literal):
        return []
    return list(dict.fromkeys(name for part in term.terms for name in _columns(part)))


def _renamed(term: Term, names: Mapping[str, str]) -> Term:
    if isinstance(term, Column):
        return Column(names[term.name])
    if isinstance(term, Call):
        return Call(term.name, tuple(_renamed(part, names) for part in term.terms))
    return term


@lru_cache(maxsize=1024)
def _read(text: str) -> Term:
    reader = _Reader(text)
    if not reader.tokens:
        raise ExpressionError("it is empty")
    term = reader.term()
    if reader.at < len(reader.tokens):
        raise ExpressionError(f"`{reader.tokens[reader.at][1]}` is misplaced", "Write one expression.")
    return term


def parse(text: str, columns: Mapping[str, str] | None = None) -> Expression:
    """Read an expression, or raise `ExpressionError`.

    `columns` maps every name that may be used to the column that it stands for; without it names are taken as they are
    (the table is not known yet).
    """
    term = _read(text)
    names = _columns(term)
    if columns is not None:
        missing = next((name for name in names if name not in columns), None)
        if missing is not None:
            raise ExpressionError(f"there is no column `{missing}`", None)
        term = _renamed(term, columns)
        names = _columns(term)
    rendered = {dialect: _value(term, dialect, Expression.ALIAS) for dialect in DIALECTS}
    return Expression(text, tuple(names), rendered)


# --- the one SELECT of a filter ---


@dataclass(frozen=True, slots=True)
class Selection:
    """`SELECT value, caption FROM table WHERE condition ORDER BY column`: where a filter's choices come from."""

    table: str
    value: str
    label: str
    condition: Expression | None = None
    order: str | None = None


def parse_select(text: str) -> Selection:
    """Read the SELECT of a GOTRS filter, or raise `ExpressionError`."""
    reader = _Reader(text.rstrip().removesuffix(";"))
    reader.need("select")
    reader.take("distinct")
    names = [_plain_column(reader)]
    while reader.take(","):
        names.append(_plain_column(reader))
    if len(names) > 2:  # noqa: PLR2004 - a value and a caption
        raise ExpressionError("a filter's query selects a value and a caption")
    reader.need("from")
    table = _plain_column(reader)
    condition = None
    if reader.take("where"):
        term = reader.term()
        condition = _condition(text, term)
    order = None
    if reader.take("order"):
        reader.need("by")
        order = _plain_column(reader)
        reader.take("asc", "desc")
    if reader.at < len(reader.tokens):
        raise ExpressionError(
            f"`{reader.tokens[reader.at][1]}` is misplaced",
            "Write `SELECT id, name FROM queue WHERE valid_id = 1 ORDER BY name`.",
        )
    return Selection(table, names[0], names[-1], condition, order)


def parse_condition(text: str) -> Expression:
    """Read a condition over the columns of one table, or raise `ExpressionError`."""
    return _condition(text, _read(text))


def _condition(text: str, term: Term) -> Expression:
    rendered = {dialect: _render(term, dialect, Expression.ALIAS, condition=True) for dialect in DIALECTS}
    return Expression(text, tuple(_columns(term)), rendered)


def _plain_column(reader: _Reader) -> str:
    found = reader._primary()  # noqa: SLF001 - the reader of this file
    if not isinstance(found, Column):
        raise ExpressionError("only plain names are allowed there")
    return found.name
