"""The kinds of fields as one table: a new kind is a new row, seen by checks, types, filters, forms and documentation alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schema.catalog import WHOLE_NUMBERS, ColumnClass

_TEXT = frozenset({ColumnClass.STRING, ColumnClass.TEXT})
_LONG_TEXT = _TEXT | {ColumnClass.BYTES}  # OTRS keeps YAML and long texts in LONGBLOB on MySQL, in TEXT on PostgreSQL
_NUMBER = WHOLE_NUMBERS | {ColumnClass.FLOAT, ColumnClass.DECIMAL}
_ANY_VALUE = _TEXT | _NUMBER | {ColumnClass.BOOL}


@dataclass(frozen=True, slots=True)
class Kind:
    """One field kind.

    `scalar` is the GraphQL scalar ("" where the field makes its own type: enum, reference, nothing at all);
    `accepts` the column classes it may sit on; `creates` the class that a managed table gets; `filter` the shared
    operator input ("" for none, "enum" and "list" for inputs made per field); `aggregates` the functions offered;
    `groups` the suffixes of group-by values ("" for the value itself); `widget` the form input.
    """

    name: str
    scalar: str
    accepts: frozenset[ColumnClass]
    creates: ColumnClass
    filter: str
    widget: str
    aliases: tuple[str, ...] = ()
    size: int | None = None
    sortable: bool = True
    searchable: bool = False
    readable: bool = True
    aggregates: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


_SUMS = ("avg", "max", "min", "sum")
_ENDS = ("max", "min")
_DAYS = ("day", "month")

_ROWS = (
    Kind(
        "string",
        "String",
        _LONG_TEXT,
        ColumnClass.STRING,
        "StringFilter",
        "text",
        size=250,
        searchable=True,
        groups=("",),
    ),
    Kind(
        "text",
        "String",
        _LONG_TEXT,
        ColumnClass.TEXT,
        "StringFilter",
        "textarea",
        ("textarea", "notes"),
        searchable=True,
    ),
    Kind("markdown", "String", _LONG_TEXT, ColumnClass.TEXT, "StringFilter", "editor", searchable=True),
    Kind("html", "HTML", _LONG_TEXT, ColumnClass.TEXT, "StringFilter", "editor", searchable=True, sortable=False),
    Kind(
        "int",
        "Int",
        WHOLE_NUMBERS | {ColumnClass.BOOL},
        ColumnClass.INT,
        "IntFilter",
        "number",
        ("integer", "number"),
        aggregates=_SUMS,
        groups=("",),
    ),
    Kind("bigint", "BigInt", WHOLE_NUMBERS, ColumnClass.BIGINT, "BigIntFilter", "number", aggregates=_SUMS),
    Kind("float", "Float", _NUMBER, ColumnClass.FLOAT, "FloatFilter", "number", aggregates=_SUMS),
    Kind("decimal", "Decimal", _NUMBER, ColumnClass.DECIMAL, "DecimalFilter", "number", aggregates=_SUMS),
    Kind(
        "bool",
        "Boolean",
        WHOLE_NUMBERS | {ColumnClass.BOOL},
        ColumnClass.SMALLINT,
        "BooleanFilter",
        "checkbox",
        ("boolean", "checkbox"),
        groups=("",),
    ),
    Kind(
        "date",
        "Date",
        frozenset({ColumnClass.DATE, ColumnClass.DATETIME}),
        ColumnClass.DATE,
        "DateFilter",
        "date",
        aggregates=_ENDS,
        groups=("", "month"),
    ),
    Kind("time", "Time", frozenset({ColumnClass.TIME}), ColumnClass.TIME, "TimeFilter", "time", aggregates=_ENDS),
    Kind(
        "datetime",
        "DateTime",
        frozenset({ColumnClass.DATETIME}),
        ColumnClass.DATETIME,
        "DateTimeFilter",
        "datetime-local",
        ("datetime-local",),
        aggregates=_ENDS,
        groups=_DAYS,
    ),
    Kind(
        "epoch",
        "DateTime",
        WHOLE_NUMBERS,
        ColumnClass.BIGINT,
        "DateTimeFilter",
        "datetime-local",
        aggregates=_ENDS,
        groups=_DAYS,
    ),
    Kind("duration", "Duration", WHOLE_NUMBERS, ColumnClass.INT, "DurationFilter", "duration", aggregates=_SUMS),
    Kind("select", "", _ANY_VALUE, ColumnClass.STRING, "enum", "select", size=100, groups=("",)),
    Kind("radio", "", _ANY_VALUE, ColumnClass.STRING, "enum", "radio", size=100, groups=("",)),
    Kind("multiselect", "", _TEXT, ColumnClass.TEXT, "list", "chips", sortable=False),
    Kind("validity", "Validity", WHOLE_NUMBERS, ColumnClass.SMALLINT, "ValidityFilter", "select", groups=("",)),
    Kind("reference", "", _ANY_VALUE, ColumnClass.INT, "", "reference", groups=("",)),
    Kind("color", "String", _TEXT, ColumnClass.STRING, "StringFilter", "color", size=25, groups=("",)),
    Kind("email", "String", _TEXT, ColumnClass.STRING, "StringFilter", "email", size=250, searchable=True),
    Kind("url", "String", _TEXT, ColumnClass.STRING, "StringFilter", "url", size=1000, searchable=True),
    Kind("phone", "String", _TEXT, ColumnClass.STRING, "StringFilter", "tel", ("tel",), size=100, searchable=True),
    Kind("range", "Float", _NUMBER, ColumnClass.FLOAT, "FloatFilter", "range", aggregates=_SUMS),
    Kind("json", "JSON", _LONG_TEXT | {ColumnClass.JSON}, ColumnClass.TEXT, "", "code", sortable=False),
    Kind("yaml", "JSON", _LONG_TEXT, ColumnClass.TEXT, "", "code", sortable=False),
    Kind("password", "", _LONG_TEXT, ColumnClass.STRING, "", "password", size=250, sortable=False, readable=False),
    Kind("secret", "", _LONG_TEXT, ColumnClass.TEXT, "", "password", sortable=False, readable=False),
    # The id of an uploaded file; with `name_column`, the bytes themselves.
    Kind("file", "File", _LONG_TEXT, ColumnClass.STRING, "FileFilter", "file", size=64, sortable=False),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ROWS})

ALIASES: Mapping[str, str] = MappingProxyType({alias: kind.name for kind in _ROWS for alias in kind.aliases})

# What a computed field may return: kind → GraphQL type. A badge is a text plus a tone.
COMPUTED_SCALARS: Mapping[str, str] = MappingProxyType(
    {
        "string": "String",
        "int": "Int",
        "float": "Float",
        "bool": "Boolean",
        "datetime": "DateTime",
        "json": "JSON",
        "html": "HTML",
        "badge": "Badge",
    }
)

# The shared enum of `validity` fields: GraphQL value → valid_id (rows of OTRS's `valid`).
VALIDITY: Mapping[str, int] = MappingProxyType({"VALID": 1, "INVALID": 2, "INVALID_TEMPORARILY": 3})

# Written where a stored value is none of a select's options; never an error.
EXACT_IN_JAVASCRIPT = 2**53 - 1  # numbers beyond are written as texts
UNKNOWN = "UNKNOWN"


def kind_of(word: str) -> Kind | None:
    """Look a type word of a module file up, by its name or an alias."""
    return KINDS.get(ALIASES.get(word, word))
