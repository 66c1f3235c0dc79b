"""SELECTs made at random over the tables of these tests, with columns and tables that a role may name and others.

A text that names nothing forbidden is one that every database can run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.access.model import COLUMNS, TABLES, Model

NUMBERS = {
    "w_tray": ("id", "group_id", "budget", "open"),
    "w_job": ("id", "tray_id", "owner_id", "reviewer_id", "parent_id", "memo_id", "hot", "internal", "valid_id"),
    "w_note": ("id", "job_id", "is_inner", "create_by"),
    "w_firm": ("id", "rating", "open"),
    "w_watch": ("id", "job_id", "agent_id"),
    "w_label": ("id", "shared"),
    "w_memo": ("id",),
    "customer_user": ("id",),
    "users": ("id",),
    "permission_groups": ("id",),
    "w_line": ("hidden_rank", "tray_id"),
}
TEXTS = {
    "w_tray": ("name", "remark"),
    "w_job": ("number", "title", "buyer_login", "company", "firm_code", "tax_code", "state", "secret_note"),
    "w_note": ("text",),
    "w_firm": ("code", "title", "tax"),
    "w_label": ("name",),
    "w_memo": ("text",),
    "customer_user": ("login", "email", "customer_id"),
    "users": ("login",),
    "permission_groups": ("name",),
    "w_line": ("text",),
}
# Pairs of columns that are equal where rows belong together.
LINKS = (
    ("w_job", "tray_id", "w_tray", "id"),
    ("w_note", "job_id", "w_job", "id"),
    ("w_job", "parent_id", "w_job", "id"),
    ("w_job", "memo_id", "w_memo", "id"),
    ("w_watch", "job_id", "w_job", "id"),
    ("w_job", "buyer_login", "customer_user", "login"),
    ("w_job", "firm_code", "w_firm", "code"),
    ("w_job", "tax_code", "w_firm", "tax"),
    ("w_tray", "group_id", "permission_groups", "id"),
    ("w_job", "owner_id", "users", "id"),
    ("w_line", "tray_id", "w_tray", "id"),
)
# What is nobody's to see in SQL: secrets, tables without a module, what is Lambdesk's own or the databases'.
NEVER_TABLES = ("w_job_label", "lambdesk_change", "lambdesk_ext_w_gear", "dynamic_field_value", "sessions", "pg_class")
NEVER_COLUMNS = {"users": ("pw", "first_name"), "customer_user": ("pw", "city")}
WORDS = (
    "red",
    "blue",
    "printer",
    "open",
    "shut",
    "secret",
    "acme",
    "bolt",
    "carla",
    "Zebra",
    "äpfel",
    "J0007",
    "%e%",
    "",
)
TOTALS = ("COUNT", "SUM", "MIN", "MAX", "AVG")


@dataclass
class Made:
    """A question: its text, the values of its parameters, and whether it names what the role may not."""

    text: str
    values: list[Any]
    is_forbidden: bool
    traits: Counter[str] = field(default_factory=Counter)


class Maker:
    """Makes questions for a role. `bold` ones name what it may not see, now and then."""

    def __init__(self, model: Model, chance: random.Random, *, bold: bool = True) -> None:
        self.model = model
        self.chance = chance
        self.bold = bold
        self.values: list[Any] = []
        self.aliases = 0
        self.is_forbidden = False
        self.traits: Counter[str] = Counter()
        self.modules = {table: module for module, table in TABLES.items() if module != "gear"} | {"w_line": "line"}
        self.tables = [table for table in NUMBERS if self._may(table)]

    def question(self) -> Made:
        """Make one question."""
        shape = self.chance.choice((self._rows, self._rows, self._total, self._groups, self._with))
        text = shape()
        return Made(text, self.values, self.is_forbidden, self.traits)

    # --- shapes ---

    def _rows(self) -> str:
        source, seen = self._source()
        columns = [self._expression(seen) for _ in range(self.chance.randint(1, 3))]
        shown = [f"{column} AS c{number}" for number, column in enumerate(columns)]
        # Every table's key, so that there is one order only.
        keys = [f"{alias}.id" for alias, table in seen.items() if table != "w_line"]
        order = f" ORDER BY {', '.join(keys)} LIMIT {self.chance.randint(1, 30)}" if len(keys) == len(seen) else ""
        distinct = "" if order or self.chance.random() < 0.6 else "DISTINCT "
        self.traits["rows"] += 1
        return f"SELECT {distinct}{', '.join(shown)} FROM {source}{self._where(seen)}{order}"  # noqa: S608 - the tests' own words

    def _total(self) -> str:
        source, seen = self._source()
        shown = ["COUNT(*) AS n", *(f"{self._sum(seen)} AS c{number}" for number in range(self.chance.randint(0, 2)))]
        self.traits["total"] += 1
        return f"SELECT {', '.join(shown)} FROM {source}{self._where(seen)}"  # noqa: S608 - the tests' own words

    def _groups(self) -> str:
        source, seen = self._source()
        key = self._expression(seen)
        having = f" HAVING COUNT(*) > {self.chance.randint(0, 3)}" if self.chance.random() < 0.3 else ""
        self.traits["groups"] += 1
        where = self._where(seen)
        return f"SELECT {key} AS k, COUNT(*) AS n, {self._sum(seen)} AS s FROM {source}{where} GROUP BY k{having}"  # noqa: S608 - the tests' own words

    def _with(self) -> str:
        source, seen = self._source()
        inner = f"SELECT {self._number(seen)} AS a, {self._text(seen)} AS b FROM {source}{self._where(seen)}"  # noqa: S608 - the tests' own words
        self.traits["query in FROM"] += 1
        if self.chance.random() < 0.5:
            return f"WITH x AS ({inner}) SELECT COUNT(*) AS n, SUM(x.a) AS s FROM x WHERE x.b IS NOT NULL"  # noqa: S608 - the tests' own words
        return f"SELECT x.b AS b, COUNT(x.a) AS n FROM ({inner}) AS x GROUP BY x.b"  # noqa: S608 - the tests' own words

    # --- parts ---

    def _source(self) -> tuple[str, dict[str, str]]:
        """Make FROM: one table, or some that belong together."""
        first = self._table()
        seen = {self._alias(): first}
        text = f"{first} AS {next(iter(seen))}"
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2))):
            links = [link for link in LINKS if link[0] in seen.values() and self._wants(link)]
            if not links:
                break
            here, column, there, other = self.chance.choice(links)
            owner = self.chance.choice([alias for alias, table in seen.items() if table == here])
            alias = self._alias()
            kind = self.chance.choice(("JOIN", "LEFT JOIN"))
            text += f" {kind} {there} AS {alias} ON {alias}.{other} = {owner}.{column}"
            seen[alias] = there
            self._named(there, other)
            self._named(here, column)
            self.traits["join"] += 1
        return text, seen

    def _wants(self, link: tuple[str, str, str, str]) -> bool:
        here, column, there, other = link
        allowed = self._may(there) and not self._hides(here, column) and not self._hides(there, other)
        return allowed or (self.bold and self.chance.random() < 0.1)

    def _where(self, seen: Mapping[str, str]) -> str:
        parts = [self._condition(seen) for _ in range(self.chance.choice((0, 1, 1, 2, 3)))]
        return f" WHERE {self.chance.choice((' AND ', ' OR ')).join(parts)}" if parts else ""

    def _condition(self, seen: Mapping[str, str]) -> str:
        chance = self.chance
        pick = chance.randrange(10)
        if pick < 3:
            return f"{self._number(seen)} {chance.choice(('=', '<>', '<', '>='))} {self._given(chance.randint(0, 12))}"
        if pick < 5:
            return f"{self._text(seen)} {chance.choice(('=', '<>', 'LIKE'))} {self._given(chance.choice(WORDS))}"
        if pick == 5:
            words = ", ".join(self._given(chance.choice(WORDS)) for _ in range(chance.randint(1, 3)))
            return f"{self._text(seen)} {chance.choice(('', 'NOT '))}IN ({words})"
        if pick == 6:
            return f"{self._expression(seen)} IS {chance.choice(('', 'NOT '))}NULL"
        if pick == 7:
            return f"NOT ({self._condition(seen)})"
        return self._inside(seen)

    def _inside(self, seen: Mapping[str, str]) -> str:
        """Make a condition with a query inside, which may look at the tables around it."""
        table, alias = self._table(), self._alias()
        inner = {alias: table}
        self.traits["query inside"] += 1
        if self.chance.random() < 0.5:
            same = f"{self._number(inner)} = {self._number(seen)}"
            negated = self.chance.choice(("", "NOT "))
            return f"{negated}EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {same} AND {self._simple(inner)})"  # noqa: S608 - the tests' own words
        if self.chance.random() < 0.5:
            return f"{self._number(seen)} IN (SELECT {self._number(inner)} FROM {table} AS {alias})"  # noqa: S608 - the tests' own words
        counted = f"(SELECT COUNT(*) FROM {table} AS {alias} WHERE {self._simple(inner)})"  # noqa: S608 - the tests' own words
        return f"{counted} > {self._number(seen)}"

    def _simple(self, seen: Mapping[str, str]) -> str:
        return f"{self._number(seen)} <> {self.chance.randint(0, 9)}"

    def _expression(self, seen: Mapping[str, str]) -> str:
        number, text = self._number, self._text
        made: tuple[Callable[[], str], ...] = (
            lambda: number(seen),
            lambda: text(seen),
            lambda: f"{number(seen)} * 2 + {number(seen)}",
            lambda: f"{number(seen)} / {number(seen)}",
            lambda: f"{number(seen)} % {number(seen)}",
            lambda: f"CONCAT({text(seen)}, '-', {number(seen)})",
            lambda: f"COALESCE({number(seen)}, {self._given(7)})",
            lambda: f"CAST({text(seen)} AS INTEGER)",  # which some databases take for an error
            lambda: f"CAST(SUBSTR({text(seen)}, 2) AS INTEGER)",
            lambda: f"LENGTH({text(seen)})",
            lambda: f"LOWER({text(seen)})",
            lambda: f"CASE WHEN {self._simple(seen)} THEN {text(seen)} ELSE 'x' END",
            lambda: f"{text(seen)} = {self._given('red')}",
        )
        return self.chance.choice(made)()

    def _sum(self, seen: Mapping[str, str]) -> str:
        if self.chance.random() < 0.2:
            return f"COUNT(DISTINCT {self._text(seen)})"
        return f"{self.chance.choice(TOTALS)}({self._number(seen)})"

    def _given(self, value: Any) -> str:
        """Write a value into the text, or give it beside."""
        if self.chance.random() < 0.5:
            self.values.append(value)
            return f"${len(self.values)}"
        return f"'{value}'" if isinstance(value, str) else str(value)

    # --- names ---

    def _alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}"

    def _table(self) -> str:
        if self.bold and self.chance.random() < 0.06:
            table = self.chance.choice([*NEVER_TABLES, *NUMBERS])
            self.is_forbidden |= not self._may(table)
            return table
        return self.chance.choice(self.tables)

    def _number(self, seen: Mapping[str, str]) -> str:
        return self._column(seen, NUMBERS)

    def _text(self, seen: Mapping[str, str]) -> str:
        return self._column(seen, TEXTS, otherwise="CONCAT('no text')")

    def _column(self, seen: Mapping[str, str], columns: Mapping[str, Sequence[str]], otherwise: str = "ABS(1)") -> str:
        alias, table = self.chance.choice(list(seen.items()))
        names = list(columns.get(table, ()))
        if not self.bold or self.chance.random() > 0.05:
            names = [name for name in names if not self._hides(table, name)]
        elif self.chance.random() < 0.5:
            names += NEVER_COLUMNS.get(table, ())
        if not names:
            return otherwise
        name = self.chance.choice(names)
        self._named(table, name)
        return f"{alias}.{name}"

    def _named(self, table: str, column: str) -> None:
        self.is_forbidden |= not self._may(table) or self._hides(table, column)

    def _may(self, table: str) -> bool:
        return table in self.modules and self.model.may(self.modules[table], "view")

    def _hides(self, table: str, column: str) -> bool:
        if column in NEVER_COLUMNS.get(table, ()):
            return True
        module = self.modules.get(table, "")
        fields = [name for name, found in COLUMNS.get(module, {}).items() if found == column]
        return bool(fields) and all(name in self.model.hidden(module) for name in fields)
