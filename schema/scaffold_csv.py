"""The module file for a table of a spreadsheet: names from its first row, types guessed from the values below."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schema.names import camel, is_name, option_name
from schema.scaffold import check_new_name
from schema.spec import BUILTIN_MEMBERS
from schema.yaml_text import Written, block, text

ROWS_LIMIT = 5_000  # as many are looked at; the guess does not get better after that
COLUMNS_LIMIT = 200
SHORT_CHARACTERS = 250  # what fits into a `string`
OPTION_LIMIT = 8
REPEATED = 3  # how often the values of an option come on average
LIST_COLUMNS = 6
DELIMITERS = ",;\t|"
_INT_LIMIT = 2**31
_UMLAUTS: dict[int, str] = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}
_BOOLS = ({"true", "false"}, {"yes", "no"}, {"ja", "nein"}, {"0", "1"})
_INT = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*)\.\d+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class NotATable(ValueError):
    """The text cannot be made a module of."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the text: its heading, its name as a field, and the values that are no blanks."""

    heading: str
    name: str
    values: tuple[str, ...]
    is_full: bool


def csv_yaml(source: str, name: str) -> str:
    """Write the module file for a CSV text with a heading. Raises `ValueError` with a sentence."""
    check_new_name(name)
    columns = list(_columns(_rows(source)))
    label = name.replace("_", " ").capitalize()
    fields = [_field(column) for column in columns]
    names = ", ".join(str(field["name"]) for field in fields[:LIST_COLUMNS])
    lines = [
        "# yaml-language-server: $schema=/schema/module.json",
        "module:",
        f"  name: {name}",
        f"  singular: {text(label)}",
        f"  table: {name}  # made from this file when it does not exist",
        "  operations: [view, create, update, delete, bulk]",
        "",
        "fields:",
    ]
    body = "".join(block(field, 2) for field in fields)
    features = "features: {search: true, export_csv: true, import_csv: true}"
    access = "# Without `access`, only administrators may use the module."
    return "\n".join(lines) + f"\n{body}\n{features}\n\n{access}\nui:\n  list_columns: [{names}]\n"


def _rows(source: str) -> list[list[str]]:
    source = source.removeprefix("\ufeff")
    head = source.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(source), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            if any(value.strip() for value in row):
                rows.append([value.strip() for value in row])
            if len(rows) > ROWS_LIMIT:
                break
    except csv.Error as error:
        raise NotATable(f"The text is no CSV: line {reader.line_num}: {error}.") from None
    if not rows:
        raise NotATable("The text is empty. Give a first row with the names of the columns.")
    if len(rows[0]) > COLUMNS_LIMIT:
        raise NotATable(f"The text has {len(rows[0])} columns; a module may have {COLUMNS_LIMIT} fields.")
    return rows


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[_Column]:
    taken = {camel(name) for name in BUILTIN_MEMBERS} | set(BUILTIN_MEMBERS)
    for place, heading in enumerate(rows[0]):
        cells = [row[place] if place < len(row) else "" for row in rows[1:]]
        if heading.lower() == "id":
            continue  # every row gets one of its own
        name = _name(heading, place + 1, taken)
        taken.add(camel(name))
        values = tuple(cell for cell in cells if cell)
        yield _Column(heading, name, values, bool(values) and len(values) == len(cells))


def _name(heading: str, number: int, taken: set[str]) -> str:
    plain = heading.lower().translate(_UMLAUTS)
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50]
    base = base if base[:1].isalpha() else f"column_{base or number}"
    candidates = [base, f"{base}_value", *(f"{base}_{again}" for again in range(2, COLUMNS_LIMIT + 2))]
    return next(name for name in candidates if is_name(name) and camel(name) not in taken)


def _field(column: _Column) -> dict[str, Written]:
    made: dict[str, Written] = {"name": column.name, **_kind(column.values)}
    if column.heading and column.heading != column.name:
        made["label"] = column.heading
    if column.is_full and made["type"] != "bool":
        made["required"] = True
    if made["type"] == "string":
        made["searchable"] = True
    return made


def _kind(values: Sequence[str]) -> dict[str, Written]:
    """Guess the kind that all values have; a text is what nothing else is."""
    if not values:
        return {"type": "string"}
    if {value.lower() for value in values} in _BOOLS:
        return {"type": "bool"}
    for kind, fits in _KINDS.items():
        if all(map(fits, values)):
            return {"type": kind}
    if any(len(value) > SHORT_CHARACTERS or "\n" in value for value in values):
        return {"type": "text"}
    counted = Counter(values)
    if _are_options(counted):
        return {"type": "select", "options": _options(list(counted))}
    return {"type": "string"}


def _are_options(counted: Counter[str]) -> bool:
    """Whether values look chosen from a few: more than one, and each of them came again and again."""
    is_few = 1 < len(counted) <= OPTION_LIMIT
    return is_few and min(counted.values()) > 1 and counted.total() >= REPEATED * len(counted)


def _options(values: Sequence[str]) -> list[Written]:
    made: dict[str, Written] = {}
    for number, value in enumerate(values, 1):
        name = option_name(value, value, number)
        name = f"{name}_{number}" if name in made or name in {"TRUE", "FALSE", "NULL", "UNKNOWN"} else name
        made[name] = {"name": name, "value": value, "label": value}
    return list(made.values())


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _is_int(value: str) -> bool:
    return _INT.fullmatch(value) is not None and -_INT_LIMIT <= int(value) < _INT_LIMIT


# kind → whether a value is one; the narrower kind comes first.
_KINDS: dict[str, Callable[[str], bool]] = {
    "int": _is_int,
    "bigint": lambda value: _INT.fullmatch(value) is not None,
    "float": lambda value: (_INT.fullmatch(value) or _DECIMAL.fullmatch(value)) is not None,
    "date": lambda value: len(value) == len("2026-01-31") and _parses(date.fromisoformat, value),
    "datetime": lambda value: len(value) > len("2026-01-31") and _parses(datetime.fromisoformat, value),
    "email": lambda value: _EMAIL.fullmatch(value) is not None,
    "url": lambda value: value.startswith(("https://", "http://")) and " " not in value,
}
