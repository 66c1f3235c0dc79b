"""What a lambda's `item` carries: the columns and fields that it names, dotted paths through references joined in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from identity.access import Right
from resolvers.errors import BadRequest
from resolvers.gate import Gate, Use
from resolvers.nodes import Need
from resolvers.terms import Term
from schema.bindings import ComputedValue, ToOne
from schema.names import camel
from schema.snapshot import Snapshot
from schema.spec import Computed, Field, Module, Relation

Needs = tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class NeedsReader:
    """Reads what the lambdas of one operation need."""

    snapshot: Snapshot
    gate: Gate

    def read(self, slot: ComputedValue, readable: Sequence[Field], hops: tuple[ToOne, ...], path: str) -> Needs:
        """Return the values that a lambda is given; without `needs` these are all own readable fields and the key."""
        module = slot.module
        if slot.computed.needs is None:
            for field in readable:
                self.gate.name(module, field, Use.NEEDS, path)
            keys = [Need((), (column,), Term(hops, module, column)) for column in module.key_columns]
            return (*keys, *(_of_field((), hops, module, field) for field in readable))
        found = (self._need(module, need, hops, path) for need in slot.computed.needs)
        return tuple(need for need in found if need is not None)

    def _need(self, module: Module, need: str, hops: tuple[ToOne, ...], path: str) -> Need | None:
        """Return what stands behind a need; None for what the caller may not use, which the lambda does not get."""
        *through, last = need.split(".")
        inside: tuple[str, ...] = ()
        for step in through:
            item = module.by_name.get(step)
            if not isinstance(item, Field) or not item.to:
                raise BadRequest(f"{path}: the lambda needs {need}, and {step} of {module.name} is no reference.")
            target = self.snapshot.modules[item.to]
            access = self.gate.access
            if not (
                access.sees(module, item) and access.may(target, Right.VIEW) and access.follows(module, item, target)
            ):
                return None
            self.gate.name(module, item, Use.NEEDS, path)
            self.gate.rows(target, path)
            hops, module, inside = (*hops, ToOne(module, item, target)), target, (*inside, step)
        item = module.by_name.get(last)
        named = [item] if item is not None else [field for field in module.fields if field.column == last]
        if not all(self._is_given(module, found) for found in named):
            return None
        if isinstance(item, Field):
            self.gate.name(module, item, Use.NEEDS, path)
            return _of_field(inside, hops, module, item)
        if isinstance(item, Computed) and item.expression:
            self.gate.name(module, item, Use.NEEDS, path)
            return Need(inside, (item.name, item.api_name), Term(hops, module, item))
        if last in module.columns:
            self.gate.name(module, last, Use.NEEDS, path)
            return Need(inside, (last, camel(last)), Term(hops, module, last))
        raise BadRequest(f"{path}: the lambda needs {need}, which {module.name} does not have.")

    def _is_given(self, module: Module, item: Field | Relation | Computed) -> bool:
        """Answer whether a lambda may know of it: what has no output of its own has none through lambdas."""
        is_hidden = isinstance(item, Field) and not item.is_readable
        return not is_hidden and self.gate.access.sees(module, item)


def _of_field(inside: tuple[str, ...], hops: tuple[ToOne, ...], module: Module, field: Field) -> Need:
    names = dict.fromkeys((field.name, field.api_name, field.column))
    return Need(inside, tuple(names), Term(hops, module, field))
