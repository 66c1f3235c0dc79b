"""The one place where an operation names what it wants to see: every field, in whatever role, passes here by name.

Nothing is read or written before an operation has passed with all of it; the list is the operation's footprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from identity.access import Access, Right
from resolvers.errors import Forbidden
from schema.spec import Computed, Field, Module, Relation

Member = TypeVar("Member", Field, Relation, Computed)


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


_RIGHTS: Mapping[Use, Right] = {Use.CREATE: Right.CREATE, Use.UPDATE: Right.UPDATE, Use.DELETE: Right.DELETE}
_MAY_NOT: Mapping[Use, str] = {
    Use.ROWS: "{path}: you may not view {plural}.",
    Use.CREATE: "{path}: you may not create {plural}.",
    Use.UPDATE: "{path}: you may not change {plural}.",
    Use.DELETE: "{path}: you may not delete {plural}.",
}
_KEPT = "{path}: you may not give the field {name} of {plural} a value."
_HIDDEN = "{path}: you may not use the field {name} of {plural}."


@dataclass(slots=True)
class Gate:
    """Lets an operation at what its caller may use, and keeps what it touches, in the order in which it names it.

    What may not be used raises `Forbidden`, which names the place.
    """

    access: Access
    by_table: Mapping[str, Sequence[Module]]
    touched: list[Touch] = field(default_factory=list)

    def rows(self, module: Module, path: str) -> None:
        """Let an operation at a module's rows."""
        self.write(module, Use.ROWS, path)

    def relation(self, module: Module, relation: Relation, use: Use, path: str) -> None:
        """Let an operation at the rows of a relation: at its name, and at the modules on the table between, if there is one."""
        self.name(module, relation, use, path)
        for between in self.by_table.get(relation.through or "", ()):
            self.rows(between, path)

    def write(self, module: Module, use: Use, path: str) -> None:
        """Let an operation make, change or remove a module's rows (or read them, which needs a right of its own)."""
        if not self.access.may(module, _RIGHTS.get(use, Right.VIEW)):
            raise Forbidden(_MAY_NOT[use].format(path=path, plural=module.plural.text))
        self.touched.append(Touch(module.name, "", use, path))

    def link(self, module: Module, item: Field | Relation, target: Module, path: str) -> None:
        """Let an operation follow a reference or relation, whose name and rows have passed."""
        if not self.access.follows(module, item, target):
            raise Forbidden(_HIDDEN.format(path=path, name=item.api_name, plural=module.plural.text))

    def names(self, module: Module, items: Sequence[Field], use: Use, path: str) -> None:
        """Let an operation at fields of a module."""
        for item in items:
            self.name(module, item, use, path)

    def seen(self, module: Module, items: Iterable[Member]) -> list[Member]:
        """Return what the caller may use of members that the operation does not name itself: of all, the visible ones."""
        return [item for item in items if self.access.sees(module, item)]

    def again(self, touched: Sequence[Touch]) -> None:
        """Let an operation at what one of the same selection, of a caller with the same rights, touched before."""
        self.touched += touched

    def name(self, module: Module, item: Field | Relation | Computed | str, use: Use, path: str) -> None:
        """Let an operation at a field, relation, computed field or builtin (as a text) of a module."""
        if not self.access.sees(module, item):
            raise Forbidden(_HIDDEN.format(path=path, name=_called(item), plural=module.plural.text))
        if use is Use.WRITE and isinstance(item, Field) and not self.access.gives(module, item):
            raise Forbidden(_KEPT.format(path=path, name=_called(item), plural=module.plural.text))
        self.touched.append(Touch(module.name, item if isinstance(item, str) else item.name, use, path))


def _called(item: Field | Relation | Computed | str) -> str:
    return item if isinstance(item, str) else item.api_name
