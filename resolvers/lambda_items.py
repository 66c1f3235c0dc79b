"""Rows as lambdas around writes see them: each field under its column, its name in the file and its name in the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from resolvers.lambda_rows import input_value
from schema.names import camel
from schema.spec import Field, Module

Shape = Sequence[tuple[Sequence[str], Sequence[str]]]
Key = tuple[int | str, ...]


@dataclass(frozen=True)
class Items:
    """Makes items of a module's rows, of these fields and the key. A reference is its key; secrets are not among them."""

    module: Module
    fields: tuple[Field, ...]

    @cached_property
    def shape(self) -> Shape:
        """The names of the values of a row, as `lambdas.contract.Batch` takes them."""
        return [((), names) for names in self._names]

    def row(self, key: Key, values: Mapping[str, Any]) -> list[Any]:
        """Return the values of a row; a new one has no key yet."""
        keys = key or (None,) * len(self.module.key_columns)
        return [*map(input_value, keys), *(input_value(values.get(item.name)) for item in self.fields)]

    def item(self, key: Key, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row by all its names."""
        return {name: value for names, value in zip(self._names, self.row(key, values), strict=True) for name in names}

    @cached_property
    def _names(self) -> list[tuple[str, ...]]:
        module = self.module
        keys = [dict.fromkeys((column, camel(column))) for column in module.key_columns]
        if module.has_database_id:
            keys[0]["databaseId"] = None
        columns = set(module.key_columns)
        fields = [
            dict.fromkeys(
                name
                for name in (item.name, item.api_name, item.column)
                # The key is the key, whatever else stands on its column.
                if name not in columns or item.column == name
            )
            for item in self.fields
        ]
        return [tuple(names) for names in (*keys, *fields)]


def items_of(module: Module) -> Items:
    """Return what makes items of whole rows, for the rules of the module itself; nobody's rights narrow what a rule sees."""
    found: Items | None = module.derived.get(Items)
    if found is None:
        found = module.derived[Items] = Items(module, _readable(module, lambda _: True))
    return found


def items_for(module: Module, sees: Callable[[Field], bool]) -> Items:
    """Return what makes items of what somebody sees of rows."""
    return Items(module, _readable(module, sees))


def _readable(module: Module, sees: Callable[[Field], bool]) -> tuple[Field, ...]:
    return tuple(
        item
        for item in module.fields
        if item.is_readable and not item.holds_bytes and not item.settings.get("virtual") and sees(item)
    )
