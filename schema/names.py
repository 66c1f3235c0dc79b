"""Names: from the module file's snake_case to GraphQL's PascalCase, camelCase and UPPER_CASE, and what is reserved."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# Words that GraphQL or JavaScript reserve, or that would shadow what every type has.
RESERVED_NAMES = frozenset(
    {"query", "mutation", "subscription", "constructor", "prototype", "class", "true", "false", "null"}
    | {"__proto__", "to_string", "value_of", "has_own_property", "and", "or", "not"}
)

# Types of the kernel and of GraphQL itself; no module may be called like one of them.
RESERVED_TYPES = frozenset(
    [
        "Query",
        "Mutation",
        "Subscription",
        "Node",
        "PageInfo",
        "SortDirection",
        "Validity",
        "UserError",
        "UserErrorCode",
        "LambdaOperation",
        "BulkPolicy",
        "ChangeKind",
        "Module",
        "ModuleState",
        "ModuleProblem",
        "Viewer",
        "ID",
        "String",
        "Int",
        "Float",
        "Boolean",
        "BigInt",
        "Decimal",
        "Date",
        "Time",
        "DateTime",
        "Duration",
        "JSON",
        "HTML",
        "File",
        "FileFilter",
        "Badge",
        "SchemaChange",
        "SchemaChangeItem",
        "SchemaChangeKind",
        "SchemaChanged",
        "ModuleStatus",
        "ProblemLevel",
    ]
)

# They look like plurals and are none.
_NOT_PLURAL = frozenset(
    [
        "news",
        "series",
        "species",
        "means",
        "sms",
        "gas",
        "lens",
        "canvas",
        "alias",
        "bias",
        "atlas",
        "bus",
        "dns",
        "gps",
    ]
)
_IRREGULAR = {"person": "people", "child": "children", "status": "statuses", "index": "indexes", "sla": "slas"}


def is_name(text: str) -> bool:
    """Answer whether the text may name a module, field, relation, computed field or action."""
    return NAME.fullmatch(text) is not None and text not in RESERVED_NAMES


@lru_cache(maxsize=65536)
def pascal(name: str) -> str:
    """Turn snake_case into PascalCase: `ticket_state` → `TicketState`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part)


@lru_cache(maxsize=65536)
def camel(name: str) -> str:
    """Turn snake_case into camelCase: `unlock_timeout` → `unlockTimeout`."""
    text = pascal(name)
    return text[:1].lower() + text[1:]


# What an option is called by its number alone.
COUNTED = "VALUE_"

# Letters that Unicode does not take apart into a Latin letter and a mark.
_LETTERS = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Ø": "O", "Đ": "D", "Ð": "D", "Ħ": "H", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Þ": "TH", "ẞ": "SS"}
)


def has_latin(label: str) -> bool:
    """Answer whether a label has a letter or digit that an enum value can be made of."""
    return bool(_latin(label))


def _latin(label: str) -> str:
    """Write a label in A-Z, 0-9 and `_`: accents go, `ß` becomes SS; empty where nothing is left."""
    text = unicodedata.normalize("NFKD", label.upper().translate(_LETTERS))
    text = "".join(char for char in text if not unicodedata.combining(char)).upper()
    return re.sub(r"[^0-9A-Z]+", "_", text).strip("_")


def enum_value(label: str) -> str:
    """Turn an option's label into an enum value: `new ticket` → `NEW_TICKET`; a leading digit gets an underscore."""
    text = _latin(label)
    if not text:
        return "EMPTY"
    return f"_{text}" if text[0].isdigit() else text


def option_name(label: str, value: str, number: int) -> str:
    """Make the enum value of an option: of its label, else of its value, else a number."""
    if has_latin(label):
        return enum_value(label)
    text = _latin(value)
    if text[:1].isalpha():
        return text
    return f"{COUNTED}{text or number}"


def plural(name: str) -> str:
    """Make the plural of a snake_case English noun by the common rules; the last word is inflected."""
    head, _, last = name.rpartition("_")
    prefix = f"{head}_" if head else ""
    return prefix + _plural_word(last)


def singular(name: str) -> str:
    """Make the singular of a snake_case English plural, for a module that is named like its table."""
    head, _, last = name.rpartition("_")
    prefix = f"{head}_" if head else ""
    if last in _NOT_PLURAL:
        return name
    for one, many in _IRREGULAR.items():
        if last == many:
            return prefix + one
    if last.endswith("ies") and len(last) > 3:  # noqa: PLR2004 - "ies" itself has three letters
        return f"{prefix}{last[:-3]}y"
    if last.endswith(("sses", "shes", "ches", "xes", "zes")):
        return prefix + last[:-2]
    if last.endswith("s") and not last.endswith(("ss", "us", "is")):
        return prefix + last[:-1]
    return name


def is_plural(name: str) -> bool:
    """Answer whether a name is the regular plural of another: GOTRS calls the module of agents `users`."""
    one = singular(name)
    return one != name and plural(one) == name


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    if word.endswith(("s", "sh", "ch", "x", "z")):
        return f"{word}es"
    return f"{word}s"
