"""From a mutation's input, as GraphQL coerced it, to what each field is to hold: values, rows to look up, faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any

from resolvers.checks import check, fault, is_empty
from resolvers.faults import Fault, FaultCode
from resolvers.filters import FilterReader
from resolvers.gate import Touch, Use
from resolvers.predicate import Compare, Predicate
from resolvers.templates import Kept, kept_with
from resolvers.terms import Term, stored_of
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Audience, Field, Home, Module
from schema.writes import Writes, default_of, is_required, writes_of


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A row that a reference is to point at, named by one of its keys."""

    field: Field
    target: Module
    where: Predicate
    path: tuple[str, ...]

    @property
    def joined(self) -> str:
        """The column of the target's table whose value is stored."""
        return stored_of(self.field, self.target)


def stores_number(item: Field) -> bool:
    """Answer whether a reference holds a number, which is a row or a mistake; a text may be anything."""
    return item.column_class in WHOLE_NUMBERS


def lookup_stored(item: Field, target: Module, value: Any, path: tuple[str, ...]) -> Lookup:
    """Look for the row that a reference leads to with a stored value, for whom some rows are not there to be linked."""
    where = Compare(Term((), target, stored_of(item, target)), "eq", value, ".".join(path))
    return Lookup(item, target, where, path)


@dataclass(slots=True)
class Given:
    """What one row is given. `values` are by field, as the API has them; `key` is the client's own for a new row."""

    path: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    key: Any = None
    extras: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    missing: list[Field] = field(default_factory=list)  # whose default a lambda makes
    heard: bool = False  # whether lambdas had their say

    def copy(self) -> Given:
        """Return it anew: a transaction that is tried again must not see the last one's work."""
        return replace(
            self,
            values=dict(self.values),
            lookups=dict(self.lookups),
            extras=dict(self.extras),
            faults=list(self.faults),
        )

    def only(self, names: Collection[str]) -> Given:
        """Return the part that is about these inputs."""
        return Given(
            self.path,
            {name: value for name, value in self.values.items() if name in names},
            {name: item for name, item in self.lookups.items() if name in names},
            self.key,
            self.extras,
            list(self.faults),
        )


@dataclass(frozen=True, slots=True)
class InputReader:
    """Reads the inputs of one operation; every name passes the gate."""

    filters: FilterReader
    modules: Mapping[str, Module]
    audience: Audience

    def create(self, module: Module, data: Mapping[str, Any], path: tuple[str, ...]) -> Given:
        """Read the input of a new row: defaults fill in what is left out, and what is required must be there."""
        writes = writes_of(module, self.audience)
        given = self._read(module, writes.create, data, path)
        if writes.names_key:
            self._name_key(module, data.get("databaseId"), given)
        complete(module, given, self.audience)
        return given

    def part(self, module: Module, data: Mapping[str, Any], path: tuple[str, ...]) -> Given:
        """Read a part of the input of a new row; somebody else knows the rest, and then calls `complete`."""
        return self._read(module, writes_of(module, self.audience).patch, data, path)

    def patch(self, module: Module, data: Mapping[str, Any], path: tuple[str, ...]) -> Given:
        """Read the input of a change: what is left out stays."""
        fields = writes_of(module, self.audience).patch
        given = self._read(module, fields, data, path)
        if any(not value or (isinstance(value, str) and value.isspace()) for value in given.values.values()):
            for item in fields:
                if item.required and item.name in given.values and is_empty(item, given.values[item.name]):
                    given.faults.append(_required(item, path))
            _keep_nulls_out(fields, given)
        return given

    def _read(self, module: Module, fields: tuple[Field, ...], data: Mapping[str, Any], path: tuple[str, ...]) -> Given:
        given, gate, known = Given(path), self.filters.gate, _named(module, fields)
        names = [name for name in known if name in data]
        # What has passed the gate once passes it again. Lists of rows have too many paths for that to be kept.
        kept: Kept[tuple[Touch, ...]] = kept_with(self.filters.snapshot.memo, "inputs")
        key = (module.name, gate.access.rights.shape, path, *names)
        passed = kept.get(key) if len(path) == 1 else None
        start, taken = len(gate.touched), None
        for name in names:
            item = known[name]
            if item is taken:  # by its other name, too
                continue
            taken = item
            if passed is None:
                gate.name(module, item, Use.WRITE, ".".join((*path, name)))
            self._assign(module, item, name, data, given)
        if passed is not None:
            gate.again(passed)
        elif len(path) == 1:
            kept.put(key, tuple(touch for touch in gate.touched[start:] if touch.use is Use.WRITE))
        if len(names) < len(data):
            used = {"databaseId", *names}
            given.extras = {name: value for name, value in data.items() if name not in used}
        return given

    def _looks_up(self, item: Field, at: tuple[str, ...]) -> bool:
        """Answer whether a reference given by its bare number must be looked up: where some rows are not the caller's to link."""
        target = self.modules.get(item.to or "")
        if target is None:
            return False
        self.filters.gate.rows(target, ".".join(at))
        return self.filters.gate.access.is_bounded(target)

    def _name_key(self, module: Module, value: Any, given: Given) -> None:
        """Take the client's own key of a new row; a field of the file on that column says what it may be."""
        key = module.key_columns[0]
        item = next((item for item in module.fields if item.home is Home.TABLE and item.column == key), None)
        given.key = value
        if item is None:
            return
        wrong = fault(item, FaultCode.REQUIRED, "required") if is_empty(item, value) else check(item, value)
        if wrong is not None:
            given.faults.append(wrong.under(*given.path, "databaseId"))

    def _assign(self, module: Module, item: Field, name: str, data: Mapping[str, Any], given: Given) -> None:
        """Take over what a field is given, by the first of its names or by both."""
        value, raw_name = data[name], item.raw_name if item.by else None
        if raw_name is not None and raw_name != name and data.get(raw_name) is not None:
            if value is not None:
                given.faults.append(fault(item, FaultCode.INVALID, "given-twice").under(*given.path, item.api_name))
                return
            name, value = raw_name, data[raw_name]
        if value is None:
            given.values[item.name] = None
            return
        at = (*given.path, name)
        if item.to and name != raw_name:
            target = self.modules[item.to]
            self.filters.gate.rows(target, ".".join(at))
            self.filters.gate.link(module, item, target, ".".join(at))  # what is stored of it can be read
            given.lookups[item.name] = Lookup(item, target, self.filters.read_key(target, value, ".".join(at)), at)
            return
        if item.to and stores_number(item) and self._looks_up(item, at):
            given.lookups[item.name] = lookup_stored(item, self.modules[item.to], value, at)
            return
        value = _settled(item, value)
        wrong = None if item.required and is_empty(item, value) else check(item, value)  # that is told by itself
        if wrong is not None:
            given.faults.append(wrong.under(*at))
        given.values[item.name] = value


def _named(module: Module, fields: tuple[Field, ...]) -> Mapping[str, Field]:
    """Return fields by the names of their inputs, each with its other name behind it, in their order."""
    key = ("names of inputs", id(fields))  # which live as long as the module
    found: Mapping[str, Field] | None = module.derived.get(key)
    if found is None:
        found = module.derived[key] = {name: item for item in fields for name in (item.api_name, item.raw_name) if name}
    return found


def complete(module: Module, given: Given, audience: Audience) -> None:
    """Fill defaults into the input of a new row, and note what is missing in it."""
    fields, values = writes_of(module, audience).create, given.values
    for item in fields:
        if item.name not in values and item.name not in given.lookups:
            _fill_in(item, given)
        if item.required and item.name in values and is_empty(item, values[item.name]):
            given.faults.append(_required(item, given.path))
    # A row has its defaults, whoever makes it; what he may not give he need not give.
    if audience is not Audience.AGENT:
        for item in writes_of(module, Audience.AGENT).create:
            if item not in fields and default_of(item) is not None:
                _fill_in(item, given)
    _keep_nulls_out(fields, given)


def check_set(module: Module, given: Given, *, is_new: bool) -> None:
    """Check values that a lambda set as if a client had given them; what is no field, or the key of a row, is dropped."""
    for name, value in list(given.values.items()):
        item = module.field_named(name)
        if item is None or (not is_new and item.home is Home.TABLE and item.column in module.key_columns):
            del given.values[name]
            continue
        if value is None or (item.required and is_empty(item, value)):
            if item.required or _takes_no_null(item):
                given.faults.append(_required(item, given.path))
            continue
        given.values[name] = settled = _settled(item, value)
        wrong = check(item, settled)
        if wrong is not None:
            given.faults.append(wrong.under(*given.path, item.api_name))


def _takes_no_null(item: Field) -> bool:
    """Answer whether a column takes no null; of epochs 0 stands for it."""
    return item.home is Home.TABLE and not item.nullable and item.kind != "epoch"


def _settled(item: Field, value: Any) -> Any:
    """Bring a value to what is stored of it: whole seconds, and every option once."""
    if isinstance(value, datetime | time):
        return value.replace(microsecond=0)
    return list(dict.fromkeys(value)) if item.kind == "multiselect" else value


def _fill_in(item: Field, given: Given) -> None:
    default = default_of(item)
    if default is None:
        if is_required(item):
            given.faults.append(_required(item, given.path))
    elif default.code is not None:
        given.missing.append(item)
    elif item.kind == "epoch" and isinstance(default.value, int):
        given.values[item.name] = datetime.fromtimestamp(default.value, UTC) if default.value else None
    else:
        given.values[item.name] = default.value


def _keep_nulls_out(fields: tuple[Field, ...], given: Given) -> None:
    """Refuse null where the column takes none."""
    for item in fields:
        if (
            given.values.get(item.name, ...) is None and _takes_no_null(item) and not item.required  # said already
        ):
            given.faults.append(_required(item, given.path))


def _required(item: Field, path: tuple[str, ...]) -> Fault:
    return fault(item, FaultCode.REQUIRED, "required").under(*path, item.api_name)


def names_in(writes: Writes, given: Collection[str]) -> frozenset[str]:
    """Return the fields that a client's input names, by its own keys."""
    return frozenset(
        item.name for item in writes.create if item.api_name in given or (item.raw_name and item.raw_name in given)
    )
