"""The one place where an operation names what it wants to see: every field, in whatever role, passes here by name.

The access compiler decides here; until it does, the gate keeps the list, which is the operation's footprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from schema.spec import Computed, Field, Module, Relation


class Use(StrEnum):
    """In which role an operation names something."""

    ROWS = "rows"  # rows of a module are read at all
    SELECT = "select"
    FILTER = "filter"
    ORDER = "order"
    GROUP = "group"
    AGGREGATE = "aggregate"
    SEARCH = "search"
    KEY = "key"
    VERSION = "version"
    NEEDS = "needs"  # the input of a lambda
    HISTORY = "history"
    WRITE = "write"  # a field is given a value
    CREATE = "create"  # rows of a module are made, changed, removed
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Touch:
    """One use of one thing: `path` is what a refusal names, `name` is empty for the module itself."""

    module: str
    name: str
    use: Use
    path: str


@dataclass(slots=True)
class Gate:
    """What an operation touches, in the order in which it names it."""

    touched: list[Touch] = field(default_factory=list)

    def rows(self, module: Module, path: str) -> None:
        """Let an operation at a module's rows."""
        self.touched.append(Touch(module.name, "", Use.ROWS, path))

    def write(self, module: Module, use: Use, path: str) -> None:
        """Let an operation make, change or remove a module's rows."""
        self.touched.append(Touch(module.name, "", use, path))

    def names(self, module: Module, items: Sequence[Field], use: Use, path: str) -> None:
        """Let an operation at fields of a module."""
        name = module.name
        self.touched += [Touch(name, item.name, use, path) for item in items]

    def again(self, touched: Sequence[Touch]) -> None:
        """Let an operation at what one of the same selection touched before."""
        self.touched += touched

    def name(self, module: Module, item: Field | Relation | Computed | str, use: Use, path: str) -> None:
        """Let an operation at a field, relation, computed field or builtin (as a text) of a module."""
        self.touched.append(Touch(module.name, item if isinstance(item, str) else item.name, use, path))
