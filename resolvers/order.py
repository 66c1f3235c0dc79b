"""From `orderBy` to the terms that rows are ordered by. The key comes last, so that an order is total.

It goes in the direction of what stands before it, and is left out after what is unique: so an index on the first column
gives the order, backwards too, and no database has to sort a whole table for the first page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.errors import BadRequest
from resolvers.gate import Gate, Use
from resolvers.terms import Term, key_terms
from schema.bindings import ToOne
from schema.snapshot import Snapshot
from schema.spec import Field, Home, Module, Relation

ORDER_LIMIT = 10
HOPS_LIMIT = 5

_REVERSED = {
    "ASC": "DESC_NULLS_LAST",
    "DESC": "ASC_NULLS_LAST",
    "ASC_NULLS_LAST": "DESC",
    "DESC_NULLS_LAST": "ASC",
}


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """A term and its direction. Nulls come first in ASC and DESC, last where the direction says so."""

    term: Term
    direction: str = "ASC"

    @property
    def is_descending(self) -> bool:
        """Whether greater values come first."""
        return self.direction.startswith("DESC")

    @property
    def nulls_last(self) -> bool:
        """Whether nulls come after all values."""
        return self.direction.endswith("NULLS_LAST")

    def reverse(self) -> Ordered:
        """Return the exactly opposite order, nulls included."""
        return Ordered(self.term, _REVERSED[self.direction])


@dataclass(frozen=True, slots=True)
class OrderReader:
    """Reads the orders of one operation."""

    snapshot: Snapshot
    gate: Gate

    def read(self, module: Module, given: Sequence[Mapping[str, Any]] | None, path: str) -> tuple[Ordered, ...]:
        """Read `orderBy`; what is named twice counts where it is named first."""
        if given and len(given) > ORDER_LIMIT:
            raise BadRequest(f"{path}: at most {ORDER_LIMIT} items; these are {len(given)}.")
        found: dict[tuple[str, ...], Ordered] = {}
        for index, item in enumerate(given or ()):
            ordered = self._item(module, item, f"{path}.{index}", ())
            found.setdefault(ordered.term.key, ordered)
        order = tuple(found.values())
        for place, ordered in enumerate(order, 1):
            if self._is_total(module, ordered.term):
                return order[:place]
        direction = "DESC" if order and order[-1].is_descending else "ASC"
        for term in self._last_terms(module):
            found.setdefault(term.key, Ordered(term, direction))
        return tuple(found.values())

    def _is_total(self, module: Module, term: Term) -> bool:
        """Answer whether no two rows are equal in a term, by the database itself."""
        table = self.snapshot.catalog.tables.get(module.table)
        if table is None or term.hops or term.nullable or term.key[0] != "column":
            return False
        return (term.key[-1],) in (table.key, *table.unique)

    def _item(self, module: Module, item: Mapping[str, Any], path: str, hops: tuple[ToOne, ...]) -> Ordered:
        if len(item) != 1 or None in item.values():
            raise BadRequest(f"{path}: name exactly one field and its direction.")
        name, given = next(iter(item.items()))
        at = f"{path}.{name}"
        if name == "databaseId":
            self.gate.name(module, name, Use.ORDER, at)
            return Ordered(key_terms(module, hops)[0], given)
        member = module.members.get(name)
        if member is None or isinstance(member, Relation):
            raise BadRequest(f"{at}: {module.type_name} cannot be ordered by it.")
        self.gate.name(module, member, Use.ORDER, at)
        if isinstance(member, Field) and member.to:
            if len(hops) == HOPS_LIMIT:
                raise BadRequest(f"{at}: an order may lead through {HOPS_LIMIT} references.")
            target = self.snapshot.modules[member.to]
            self.gate.rows(target, at)
            self.gate.link(module, member, target, at)
            return self._item(target, given, at, (*hops, ToOne(module, member, target)))
        return Ordered(Term(hops, module, member), given)

    def _last_terms(self, module: Module) -> tuple[Term, ...]:
        """Return what makes an order total: the key; rows without one are told apart as well as their columns can.

        What the caller sees of those comes first: the rest must decide nothing but between rows that look alike.
        """
        if module.has_id:
            return key_terms(module)
        seen = {item.column for item in self.gate.seen(module, module.fields) if item.home is Home.TABLE}
        columns = sorted(module.columns, key=lambda column: column not in seen)
        return tuple(Term((), module, column) for column in columns)
