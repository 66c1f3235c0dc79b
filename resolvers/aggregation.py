"""From the selection and arguments of `queueAggregate` to what is grouped, counted and summed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graphql import GraphQLObjectType

from resolvers.errors import BadRequest
from resolvers.gate import Gate, Use
from resolvers.nodes import AggregateKey, AggregateNode, CountPart, GroupedRow, RowNode, SumPart
from resolvers.page import check_limit
from resolvers.predicate import Predicate
from resolvers.selection import Selected, Selections
from resolvers.terms import Term
from schema.bindings import AggregateKeyPart, AggregatePart, GroupValue, ToOne
from schema.spec import Module

DEFAULT_GROUPS = 100
GROUP_BY_LIMIT = 5

RowReader = Callable[[Selected, Module, tuple[ToOne, ...], tuple[str, ...]], RowNode]


@dataclass(frozen=True, slots=True)
class AggregateReader:
    """Reads aggregates of one operation; `row` analyses the selection of a row that a key leads to."""

    selections: Selections
    gate: Gate
    row: RowReader
    modules: Mapping[str, Module]

    def read(self, selected: Selected, module: Module, where: tuple[Predicate, ...]) -> tuple[AggregateNode, int]:
        """Return the aggregate and its cost."""
        groups = self._groups(selected, module)
        limit = check_limit(selected.args.get("first"), DEFAULT_GROUPS, f"{selected.name}.first")
        sums: list[tuple[str, Term]] = []
        parts: dict[str, CountPart | SumPart | AggregateKey] = {}
        cost = 1
        for part in self.selections.below(selected, self._type(f"{module.type_name}AggregateRow")):
            binding = part.binding
            if not isinstance(binding, AggregatePart):
                raise BadRequest(f"{part.name}: the field is not one that is read from the database.")
            if binding.function == "key":
                parts[part.key], more = self._key(part, module, groups, (selected.key, part.key))
                cost += more
            elif binding.function == "count":
                parts[part.key] = CountPart()
            else:
                parts[part.key] = SumPart(len(sums))
                sums.append((binding.function, self._term(module, binding, f"{selected.key}.{part.key}")))
            cost += 1
        rows = limit if groups else 1
        node = AggregateNode(module, (selected.key,), where, groups, limit, tuple(sums), parts)
        return node, rows * cost

    def _groups(self, selected: Selected, module: Module) -> tuple[GroupValue, ...]:
        path = f"{selected.name}.groupBy"
        found: dict[str, GroupValue] = {value.api_name: value for value in selected.args.get("groupBy") or ()}
        if len(found) > GROUP_BY_LIMIT:
            raise BadRequest(f"{path}: at most {GROUP_BY_LIMIT} values; these are {len(found)}.")
        for value in found.values():
            self.gate.name(module, value.field, Use.GROUP, path)
            target = self.modules.get(value.field.to or "")
            if target is not None:  # the groups tell which rows are there
                self.gate.rows(target, path)
                self.gate.link(module, value.field, target, path)
        return tuple(found.values())

    def _term(self, module: Module, binding: AggregatePart, path: str) -> Term:
        item = binding.field or binding.computed
        if item is None:
            raise BadRequest(f"{path}: nothing to sum up.")
        self.gate.name(module, item, Use.AGGREGATE, path)
        return Term((), module, item)

    def _key(
        self, key: Selected, module: Module, groups: tuple[GroupValue, ...], path: tuple[str, ...]
    ) -> tuple[AggregateKey, int]:
        slots: dict[str, int | GroupedRow | None] = {}
        cost = 0
        for part in self.selections.below(key, self._type(f"{module.type_name}AggregateKey")):
            binding = part.binding
            if not isinstance(binding, AggregateKeyPart):
                raise BadRequest(f"{part.name}: the field is not one that is grouped by.")
            position = _position(binding, groups)
            if binding.target is None or position is None:
                slots[part.key] = position
            else:
                at = (*path, part.key)
                self.gate.rows(binding.target, ".".join(at))
                row = self.row(part, binding.target, (), at)
                slots[part.key] = GroupedRow(position, row)
                cost += row.cost
            cost += 1
        return AggregateKey(slots), cost

    def _type(self, name: str) -> GraphQLObjectType:
        found = self.selections.schema.get_type(name)
        if not isinstance(found, GraphQLObjectType):
            raise BadRequest(f"There is no type {name} here.")
        return found


def _position(binding: AggregateKeyPart, groups: tuple[GroupValue, ...]) -> int | None:
    for position, value in enumerate(groups):
        if value.field.name == binding.field.name and value.bucket == binding.bucket:
            return position
    return None
