"""Values that lambdas write: what they call a field, and how what they give for it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from graphql import GraphQLInputType, GraphQLSchema, Undefined, coerce_input_value

from resolvers.ids import read_id
from schema.catalog import WHOLE_NUMBERS
from schema.kinds import VALIDITY
from schema.spec import Field, Module

_DATE_LETTERS = 10
_WITH_OPTIONS = frozenset({"select", "radio", "multiselect"})


def named_fields(module: Module) -> Mapping[str, Field]:
    """Return the fields by every name that lambdas may call them: as in the file, as in the API, by column."""
    found: dict[str, Field] | None = module.derived.get("fields of lambdas")
    if found is None:
        found = {item.column: item for item in reversed(module.fields)}
        found |= {item.raw_name: item for item in module.fields if item.raw_name}
        found |= {item.api_name: item for item in module.fields}
        found |= {item.name: item for item in module.fields}
        module.derived["fields of lambdas"] = found
    return found


def api_value(item: Field, value: Any) -> Any:
    """Write a value of a lambda as a client would: options by name, durations as texts; what is none of them stays."""
    if value is None:
        return None
    if item.options:
        return _each(item, value, lambda given: _option(item, given)[0])
    write = _API.get(item.kind)
    return value if write is None else write(value)


def api_reference(item: Field, target: Module, value: Any) -> tuple[str, Any]:
    """Write what a lambda gives for a reference as a client would: the name of the input, and the key of a row."""
    if value is None or isinstance(value, Mapping):
        return item.api_name, value
    if item.raw_name:
        return item.raw_name, value
    if isinstance(value, str) and read_id(value, {target.type_name: target}):
        return item.api_name, {"id": value}
    return item.api_name, {"databaseId": value}


def set_value(schema: GraphQLSchema, item: Field, value: Any) -> Any:
    """Read what a hook sets as GraphQL would have coerced it, with references as their keys; Undefined for what cannot be read."""
    if value is None:
        return None
    if item.options:
        found = _each(item, value, lambda given: _option(item, given)[1])
        return Undefined if found is Undefined or (isinstance(found, list) and Undefined in found) else found
    if item.to or (item.kind in _WITH_OPTIONS and item.kind != "multiselect"):
        return _stored(item, value)
    scalar = "ID" if item.kind == "file" else item.traits.scalar or "String"
    type_ = cast("GraphQLInputType", schema.get_type(scalar))
    if item.kind == "multiselect":
        return [coerce_input_value(given, type_) for given in value] if isinstance(value, list) else Undefined
    return coerce_input_value(api_value(item, value), type_)


def _each(item: Field, value: Any, read: Callable[[Any], Any]) -> Any:
    if item.kind != "multiselect":
        return read(value)
    return [read(given) for given in value] if isinstance(value, list) else Undefined


def _option(item: Field, given: Any) -> tuple[Any, Any]:
    """Find an option by what is stored of it, or by its name: its name and what is stored; what is none has no value."""
    for option in item.options:
        if str(option.value) == str(given):
            return option.name, option.value
    for option in item.options:
        if option.name == given:
            return option.name, option.value
    return given, Undefined


def _stored(item: Field, value: Any) -> Any:
    """Read a key: digits are a number where the column holds one."""
    if item.column_class not in WHOLE_NUMBERS:
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else Undefined
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else Undefined


def _validity(value: Any) -> Any:
    return next((name for name, number in VALIDITY.items() if number == value), value)


def _duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return f"{'-' if value < 0 else ''}PT{abs(value)}S"


def _date(value: Any) -> Any:
    """Take the day of a moment, which is what a Date of JavaScript is."""
    return (
        value[:_DATE_LETTERS] if isinstance(value, str) and value[_DATE_LETTERS : _DATE_LETTERS + 1] == "T" else value
    )


_API: Mapping[str, Callable[[Any], Any]] = {"validity": _validity, "duration": _duration, "date": _date}
