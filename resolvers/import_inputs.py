"""From a row of a file to what its fields are given: by the types and rules of the module's own inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLNonNull, Undefined, coerce_input_value

from resolvers.assignments import Given, InputReader
from resolvers.checks import fault, in_range
from resolvers.context import Context
from resolvers.faults import Fault, FaultCode
from resolvers.filters import FilterReader
from resolvers.gate import Gate, Use
from resolvers.ids import read_id
from resolvers.importing import Mapped, RowInput, Target
from schema.spec import Computed, Field, Module, Relation
from schema.writes import writes_of
from storage.errors import BadParameter
from storage.values import bind_text


@dataclass(slots=True)
class OnceGate(Gate):
    """The gate of a whole file: what every row names passes once."""

    _passed: set[tuple[str, str, Use]] = field(default_factory=set)

    def name(self, module: Module, item: Field | Relation | Computed | str, use: Use, path: str) -> None:
        """Let the import at a field, named in whatever row."""
        if self._is_new(module, item if isinstance(item, str) else item.name, use):
            Gate.name(self, module, item, use, path)

    def rows(self, module: Module, path: str) -> None:
        """Let the import at the rows that references name."""
        if self._is_new(module, "", Use.ROWS):
            Gate.rows(self, module, path)

    def _is_new(self, module: Module, name: str, use: Use) -> bool:
        key = (module.name, name, use)
        if key in self._passed:
            return False
        self._passed.add(key)
        return True


class RowReader:
    """Reads the rows of one file. Paths of faults begin with the input's name."""

    def __init__(self, context: Context, gate: Gate, mapped: Mapped) -> None:
        module = mapped.module
        writes = writes_of(module, context.audience)
        inputs = cast("GraphQLInputObjectType", context.schema.get_type(f"{module.type_name}Create")).fields
        self.module = module
        self._inputs = InputReader(FilterReader(context.snapshot, gate), context.snapshot.modules, context.audience)
        self._targets: Mapping[str, tuple[Target, GraphQLInputType]] = {
            target.name: (target, _nullable(inputs[target.name].type))
            for target in mapped.targets.values()
            if target.field is not None
        }
        self._key_type = inputs["databaseId"].type if writes.names_key else None
        self._patched = {name for item in writes.patch for name in (item.api_name, item.raw_name) if name}

    def key(self, row: RowInput, target: Target) -> tuple[int | str, ...] | None:
        """Return what a row's cell says of its key; None where it is empty, nothing where it can be no row's."""
        value = (
            row.keys.get(target.name)
            if target.field is None
            else self._coerced(target.name, row.values.get(target.name))
        )
        if value is None or value is Undefined:
            return None
        if target.name == "id":
            found = read_id(str(value), {self.module.type_name: self.module})
            return found.key if found else ()
        is_fit = in_range(self.module.key_classes[0], value) if isinstance(value, int) else _is_text(value)
        return (value,) if is_fit else ()

    def create(self, row: RowInput) -> Given:
        """Read a new row."""
        data, faults = self._read(row)
        if self._key_type is not None:
            key = coerce_input_value(row.keys.get("databaseId"), self._key_type)
            if key is Undefined or not _is_text(key):
                code = FaultCode.REQUIRED if "databaseId" not in row.keys else FaultCode.INVALID
                faults.append(Fault(code, "import-key", ("databaseId",)))
            else:
                data["databaseId"] = key
        return _joined(self._inputs.create(self.module, data, ()), faults, row)

    def patch(self, row: RowInput) -> Given:
        """Read the change of a row that is there: the columns of the file, nothing else."""
        data, faults = self._read(row)
        patch = {name: value for name, value in data.items() if name in self._patched}
        return _joined(self._inputs.patch(self.module, patch, ()), faults, row)

    def _read(self, row: RowInput) -> tuple[dict[str, Any], list[Fault]]:
        data: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, value in row.values.items():
            found = self._coerced(name, value)
            item = self._targets[name][0].field
            if found is Undefined and item is not None:
                faults.append(fault(item, FaultCode.INVALID, "invalid").under(name))
            else:
                data[name] = found
        return data, faults

    def _coerced(self, name: str, value: Any) -> Any:
        target, type_ = self._targets[name]
        found = None if value is None else coerce_input_value(value, type_)
        if target.target is not None and isinstance(found, dict) and not all(map(_is_text, found.values())):
            return Undefined
        return found


def _nullable(type_: GraphQLInputType) -> GraphQLInputType:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _is_text(value: Any) -> bool:
    """Answer whether a value can be asked for; numbers can."""
    try:
        return not isinstance(value, str) or bool(bind_text(value)) or not value
    except BadParameter:
        return False


def _joined(given: Given, faults: list[Fault], row: RowInput) -> Given:
    """Add what was wrong before; a cell that could not be read is not missing, too."""
    bad = {item.path[0] for item in (*faults, *(cell.fault for cell in row.faults)) if item.path}
    rest = [
        item for item in given.faults if not (item.code is FaultCode.REQUIRED and item.path and item.path[0] in bad)
    ]
    given.faults = [*(cell.fault for cell in row.faults), *faults, *rest]
    return given
