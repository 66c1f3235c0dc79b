"""From one read field of a module file to a `Field`, or to the problems with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema.captions import words
from schema.check_option import WITH_OPTIONS, make_options
from schema.defaults import WrongDefaultError, stored_default
from schema.expressions import parse_condition
from schema.kinds import KINDS, Kind
from schema.patterns import pattern_error
from schema.problems import Level
from schema.shapes import LAMBDA_LIMIT_BYTES, plain
from schema.spec import FILE_COLUMNS, Caption, Code, Default, Expression, Field, Home, Option, Validation
from schema.spot import Entry, Findings, Spot, shown
from schema.sql_reader import ExpressionError
from schema.tree import Map

# What only forms and lists use; kept as it is.
SETTINGS = (
    "display_as",
    "display_map",
    "list_class",
    "list_position",
    "rows",
    "step",
    "accept",
    "multiple",
    "placeholder",
    "widget",
    "truncate",
)
LOOKUPS = ("lookup_table", "lookup_key", "lookup_display", "lookup_condition")
_LOOKUP_WORDS = {
    "table": "lookup_table",
    "value_column": "lookup_key",
    "display_column": "lookup_display",
    "condition": "lookup_condition",
}

# GOTRS looks `valid_id` up in the table `valid`; here that is a kind.
VALIDITY_TABLE = "valid"
_NUMBERS = ("int", "bigint", "float", "decimal", "range", "duration")


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What a module says about its fields outside of them: `validation:` and `hide:`."""

    required: frozenset[str] = frozenset()
    unique: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    patterns: Mapping[str, Entry] | None = None


def make_field(entry: Entry, context: FieldContext, findings: Findings, *, extension: bool) -> Field | None:
    """Make a field of its section; None when it cannot be one."""
    name = entry.get("name")
    if name is None:
        return None
    _unfold_lookup(entry)
    kind = _kind(entry, name, findings)
    if kind is None or entry.is_wrong("column", "db_column") or entry.is_wrong("by"):
        return None
    options = make_options(entry, kind, findings)
    settings = {key: entry[key] for key in (*SETTINGS, *LOOKUPS) if key in entry}
    settings |= _file_columns(entry, kind, findings)
    if settings.get("lookup_table"):
        settings["plain_kind"] = entry.get("type", "int")
    if "lookup_condition" in settings:
        settings["lookup_filter"] = _condition(entry, findings)
    if entry.get("virtual"):
        settings["virtual"] = True
    for key in ("min", "max"):
        if isinstance(entry.get(key), str):
            settings[key] = entry[key]
    return Field(
        name=name,
        kind=kind.name,
        column=entry.get("column", name),
        label=entry.get("label") or Caption(words(name)),
        place=entry.at("name").place,
        help=entry.get("help"),
        required=bool(entry.get("required", False)) or name in context.required,
        unique=_allowed(entry, "unique", kind.name != "file", False, findings)
        or (name in context.unique and kind.name != "file"),
        searchable=_allowed(entry, "searchable", kind.searchable, False, findings),
        sortable=_allowed(entry, "sortable", kind.sortable, kind.sortable, findings),
        filterable=_allowed(entry, "filterable", kind.readable, kind.readable, findings),
        readonly=bool(entry.get("readonly", False)),
        hidden=bool(entry.get("hidden", False)) or name in context.hidden,
        optional=bool(entry.get("optional", False)),
        show_in_list=bool(entry.get("show_in_list", False)) and kind.readable,
        show_in_form=bool(entry.get("show_in_form", True)),
        default=_default(entry, kind, options, findings),
        validation=_validation(entry, kind, context, findings),
        options=options,
        to=entry.get("to") if kind.name == "reference" else None,
        by=entry.get("by") if kind.name == "reference" else None,
        deprecated=entry.get("deprecated"),
        settings=settings,
        home=Home.SIDE if extension else Home.TABLE,
    )


def _file_columns(entry: Entry, kind: Kind, findings: Findings) -> dict[str, Any]:
    """Read which columns describe a file whose bytes stand in a column themselves."""
    said = [key for key in FILE_COLUMNS if key in entry]
    if kind.name != "file":
        for key in said:
            findings.add(
                entry.at(key),
                "no-effect",
                f"`{key}` has no effect on a field of type {kind.name}.",
                "Use `type: file`, or leave it out.",
                Level.INFO,
                at_key=True,
            )
        return {}
    if said and "name_column" not in said and not entry.says("name_column"):
        findings.add(
            entry.at(said[0]),
            "missing-key",
            f"Field `{entry['name']}` has `{said[0]}` and no `name_column`.",
            "Name the column that holds the name of the file.",
            at_key=True,
        )
    return {key: entry[key] for key in said}


def _condition(entry: Entry, findings: Findings) -> Expression | None:
    """Read which rows of the lookup table may be chosen."""
    if not entry["lookup_condition"]:
        return None
    try:
        return parse_condition(entry["lookup_condition"])
    except ExpressionError as error:
        findings.add(
            entry.at("lookup_condition"),
            "bad-query",
            f"The lookup condition of field `{entry['name']}`: {error}.",
            error.hint,
        )
        return None


def _unfold_lookup(entry: Entry) -> None:
    """Read `lookup: {table, value_column, display_column}` as the lookup keys."""
    lookup = entry.get("lookup")
    if isinstance(lookup, Entry):
        for word, key in _LOOKUP_WORDS.items():
            if word in lookup and key not in entry:
                entry[key] = lookup[word]
                entry.patches[key] = lookup.at(word)


def _kind(entry: Entry, name: str, findings: Findings) -> Kind | None:
    said = entry.get("type")
    table = entry.get("lookup_table")
    if said is None and entry.says("type") and entry.holder is not None and entry.holder.get("type") is not None:
        return None  # an unknown type is reported already
    if table == VALIDITY_TABLE and said in (None, "int", "select", "bigint"):
        return KINDS["validity"]
    if table is not None and said not in ("multiselect", "radio"):
        return KINDS["reference"]
    if "to" in entry or said == "reference":
        return _reference(entry, name, said, findings)
    if said is None:
        if entry.get("options"):
            return KINDS["select"]
        findings.add(
            entry.at("name"), "missing-key", f"Field `{name}` has no `type`.", "Add for example `type: string`."
        )
        return None
    if said == "select" and entry.get("multiple"):
        return KINDS["multiselect"]
    return KINDS[said]


def _reference(entry: Entry, name: str, said: str | None, findings: Findings) -> Kind | None:
    if "to" not in entry:
        if not entry.says("to"):
            findings.add(
                entry.at("type"),
                "missing-key",
                f"Field `{name}` is a reference and has no `to`.",
                "Name the module that it points at: `to: queue`.",
            )
        return None
    if said not in (None, "reference"):
        findings.add(
            entry.at("to"),
            "bad-value",
            f"Field `{name}` has `to` and the type `{said}`.",
            "Write `type: reference`, or leave `to` out.",
            at_key=True,
        )
        return None
    return KINDS["reference"]


def _allowed(entry: Entry, key: str, possible: bool, default: bool, findings: Findings) -> bool:
    """Read a flag that not every kind can have."""
    value = entry.get(key)
    if value is None:
        return default
    if value and not possible:
        findings.add(
            entry.at(key),
            "no-effect",
            f"`{key}` has no effect on a field of this type.",
            "Leave it out.",
            Level.INFO,
            at_key=True,
        )
    return bool(value) and possible


def _default(entry: Entry, kind: Kind, options: tuple[Option, ...], findings: Findings) -> Default | None:
    value = entry.get("default")
    if value is None:
        return None
    spot = entry.at("default")
    if isinstance(value, Map) and set(value) == {"lambda"} and isinstance(value["lambda"], str):
        return Default(code=read_code(value["lambda"], spot.under(value, "lambda"), findings))
    if isinstance(value, Map) and kind.name not in ("json", "yaml"):
        findings.add(spot, "bad-default", "`default` must be a value or `{lambda: ...}`.", "For example `default: 1`.")
        return None
    if kind.name in WITH_OPTIONS and not options:
        return None
    try:
        return Default(stored_default(kind.name, plain(value), options))
    except WrongDefaultError as error:
        findings.add(
            spot,
            "bad-default",
            f"The default of field `{entry['name']}` must be {error}; found {shown(value)}.",
            "Change it or leave it out.",
        )
        return None


def read_code(text: str, spot: Spot, findings: Findings) -> Code | None:
    """Make code of a lambda's text, within its size."""
    size = len(text.encode())
    if size > LAMBDA_LIMIT_BYTES:
        findings.add(
            spot,
            "too-long",
            f"The lambda has {size} bytes; {LAMBDA_LIMIT_BYTES} are allowed.",
            "Split it or shorten it.",
        )
        return None
    if not text.strip():
        findings.add(spot, "bad-value", "The lambda is empty.", "Write a function body such as `return item.name;`.")
        return None
    return Code(text, spot.code_place)


def _validation(entry: Entry, kind: Kind, context: FieldContext, findings: Findings) -> Validation:
    own = entry.get("validation")
    parts: list[Entry] = [
        part for part in ((context.patterns or {}).get(entry["name"]), own) if isinstance(part, Entry)
    ]
    values: dict[str, Any] = {}
    for part in parts:
        values.update(part)
    for key in ("min", "max", "pattern"):
        if key in entry and not (key != "pattern" and isinstance(entry[key], str)):
            values[key] = entry[key]
    where = own if isinstance(own, Entry) else entry
    _check_bounds(values, kind, where, entry, findings)
    pattern = values.get("pattern") or None
    if pattern is not None:
        reason = pattern_error(pattern)
        if reason is not None:
            spot = entry.at("pattern") if "pattern" in entry else _pattern_spot(parts, entry)
            findings.add(
                spot,
                "bad-pattern",
                f"The pattern of field `{entry['name']}` is not RE2: {reason}.",
                "RE2 has no look-ahead, look-behind and back-references.",
            )
            pattern = None
    return Validation(
        pattern=pattern,
        message=values.get("message"),
        min=values.get("min"),
        max=values.get("max"),
        min_length=values.get("min_length"),
        max_length=values.get("max_length"),
    )


def _pattern_spot(parts: list[Entry], entry: Entry) -> Spot:
    for part in reversed(parts):
        if "pattern" in part:
            return part.at("pattern")
    return entry.spot


def _check_bounds(values: dict[str, Any], kind: Kind, where: Entry, entry: Entry, findings: Findings) -> None:
    for low, high in (("min", "max"), ("min_length", "max_length")):
        if low in values and high in values and values[low] > values[high]:
            spot = where.at(low) if where.says(low) else entry.at(low)
            findings.add(
                spot,
                "bad-value",
                f"`{low}` ({values[low]:g}) of field `{entry['name']}` is above `{high}` ({values[high]:g}).",
                "No value could satisfy both.",
            )
    if kind.name not in _NUMBERS:
        for key in ("min", "max"):
            if key in values:
                del values[key]
                findings.add(
                    where.at(key) if where.says(key) else entry.at(key),
                    "no-effect",
                    f"`{key}` has no effect on a field of type {kind.name}.",
                    "Use min_length and max_length for texts.",
                    Level.INFO,
                    at_key=True,
                )
