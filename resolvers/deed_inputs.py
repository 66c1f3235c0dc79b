"""What lambdas ask to be done, as mutations of the API: `update("queue", 4, {group: 2})` is `updateQueue` with its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    coerce_input_value,
    get_named_type,
)

from lambdas.contract import Deed as Wanted
from resolvers.checks import fault
from resolvers.context import Context
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.ids import read_id
from resolvers.lambda_values import api_reference, api_value, named_fields
from resolvers.writing import Writing
from schema.bindings import BINDING, HandRoot
from schema.catalog import WHOLE_NUMBERS
from schema.names import camel
from schema.spec import Field, Module
from schema.writes import Deed, deed_name, record_name, writes_of

_ARGUMENTS: Mapping[str, int] = {"create": 2, "update": 3, "remove": 2, "note": 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """One mutation with its input, as a client would send it."""

    module: Module
    mutation: str
    input_type: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeedReader:
    """Reads what the lambdas of one request ask for. All of it raises `Faulty`, with paths that begin at the values."""

    context: Context
    writing: Writing

    def read(self, wanted: Wanted) -> Asked:
        """Read one operation."""
        read = _VERBS.get(wanted.verb)
        if read is None or len(wanted.args) != _ARGUMENTS[wanted.verb]:
            raise Faulty(Fault(FaultCode.INVALID, "deed-unknown", None, {"verb": wanted.verb}))
        return read(self, *wanted.args)

    def create(self, name: Any, values: Any) -> Asked:
        """Read `create(module, values)`."""
        module = self._module(name, Deed.CREATE)
        given = self._values(module, f"{module.type_name}Create", values)
        return self._asked(module, deed_name(module, Deed.CREATE), {record_name(module): given})

    def update(self, name: Any, key: Any, values: Any) -> Asked:
        """Read `update(module, key, values)`."""
        module = self._module(name, Deed.UPDATE)
        given = self._values(module, f"{module.type_name}Patch", values)
        return self._asked(module, deed_name(module, Deed.UPDATE), {"key": self._key(module, key), "patch": given})

    def remove(self, name: Any, key: Any) -> Asked:
        """Read `remove(module, key)`."""
        module = self._module(name, Deed.DELETE)
        return self._asked(module, deed_name(module, Deed.DELETE), {"key": self._key(module, key)})

    def note(self, key: Any, text: Any) -> Asked:
        """Read `note(ticket, text)`."""
        note = self.writing.note
        root = None if note is None else self._mutations.fields.get(note.mutation)
        binding = None if root is None else (root.extensions or {}).get(BINDING)
        if note is None or not isinstance(binding, HandRoot):
            raise Faulty(Fault(FaultCode.FORBIDDEN, "deed-unknown", None, {"verb": "note"}))
        module = binding.keys[note.key]
        return self._asked(binding.module, note.mutation, {note.key: self._key(module, key), **note.write(str(text))})

    # --- inside ---

    @property
    def _mutations(self) -> GraphQLObjectType:
        return cast("GraphQLObjectType", self.context.schema.mutation_type)

    def _module(self, name: Any, deed: Deed) -> Module:
        """Return the module of this name, if its rows may be written so by anybody of the caller's audience."""
        module = self.context.snapshot.modules.get(name) if isinstance(name, str) else None
        if module is None:
            raise Faulty(Fault(FaultCode.NOT_FOUND, "module-not-found", None, {"name": str(name)}))
        if deed not in writes_of(module, self.context.audience).deeds:
            params = {"mutation": deed_name(module, deed)}
            raise Faulty(Fault(FaultCode.FORBIDDEN, "deed-absent", None, params))
        return module

    def _asked(self, module: Module, mutation: str, given: Mapping[str, Any]) -> Asked:
        input_type = get_named_type(self._mutations.fields[mutation].args["input"].type)
        return Asked(module, mutation, input_type.name, given)

    def _key(self, module: Module, key: Any) -> Mapping[str, Any]:
        """Write a key as `by:` and `key:` take it: a global id, the key in the database, or a unique key by its name."""
        named = key if isinstance(key, Mapping) else _key_of(module, key)
        type_ = self.context.schema.get_type(f"{module.type_name}Key")
        if named is None or coerce_input_value(named, cast("GraphQLInputObjectType", type_)) is Undefined:
            raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", ("key",)))
        return named

    def _values(self, module: Module, type_name: str, values: Any) -> dict[str, Any]:
        """Write values by whatever name as the fields of an input type."""
        if not isinstance(values, Mapping):
            raise Faulty(Fault(FaultCode.INVALID, "deed-values"))
        type_ = cast("GraphQLInputObjectType", self.context.schema.get_type(type_name))
        given: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, value in values.items():
            found = self._named(module, type_.fields, name, value)
            if found is None:
                params = {"module": module.name, "name": name}
                faults.append(Fault(FaultCode.INVALID, "deed-field", (name,), params))
            else:
                given[found[0]] = found[1]
        faults += _unfit(module, type_.fields, given)
        if faults:
            raise Faulty(*faults)
        return given

    def _named(
        self, module: Module, inputs: Mapping[str, GraphQLInputField], name: str, value: Any
    ) -> tuple[str, Any] | None:
        """Find the input that a name stands for, and write the value as it takes it."""
        item = named_fields(module).get(name)
        if item is None or (name in inputs and name not in (item.api_name, item.raw_name)):
            api_name = name if name in inputs else camel(name)
            return (api_name, value) if api_name in inputs else None
        target = self.context.snapshot.modules.get(item.to or "")
        api_name, written = api_reference(item, target, value) if target else (item.api_name, api_value(item, value))
        return (api_name, written) if api_name in inputs else None


def _key_of(module: Module, key: Any) -> Mapping[str, Any] | None:
    if isinstance(key, str) and read_id(key, {module.type_name: module}):
        return {"id": key}
    if not module.has_database_id or isinstance(key, bool) or not isinstance(key, str | int):
        return None
    if isinstance(key, str) and module.key_classes[0] in WHOLE_NUMBERS and key.isascii() and key.isdigit():
        return {"databaseId": int(key)}
    return {"databaseId": key}


def _unfit(module: Module, inputs: Mapping[str, GraphQLInputField], given: Mapping[str, Any]) -> Iterator[Fault]:
    """Say what is wrong with values, and what is missing; beyond that the mutation itself will."""
    fields = {name: item for item in module.fields for name in (item.api_name, item.raw_name) if name}
    for name, input_field in inputs.items():
        must = isinstance(input_field.type, GraphQLNonNull)
        if name not in given:
            if must and input_field.default is None:
                yield _fault(fields.get(name), name, FaultCode.REQUIRED, "required")
        elif must and given[name] is None:
            yield _fault(fields.get(name), name, FaultCode.REQUIRED, "required")
        elif coerce_input_value(given[name], input_field.type) is Undefined:
            yield _fault(fields.get(name), name, FaultCode.INVALID, "invalid")


def _fault(item: Field | None, name: str, code: FaultCode, key: str) -> Fault:
    made = Fault(code, key, None, {"field": name}) if item is None else fault(item, code, key)
    return made.under(name)


_VERBS: Mapping[str, Callable[..., Asked]] = {
    "create": DeedReader.create,
    "update": DeedReader.update,
    "remove": DeedReader.remove,
    "note": DeedReader.note,
}
