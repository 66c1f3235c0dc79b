"""From a mutation's input and selection to a `DeedNode`; everything it names passes the gate before any statement."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from graphql import GraphQLObjectType, ObjectValueNode, VariableNode, get_named_type
from graphql.execution.values import VariableValues

from identity.access import Right
from resolvers.assignments import InputReader, names_in
from resolvers.context import Context
from resolvers.cursors import list_key
from resolvers.deed_nodes import (
    ActionNode,
    DeedNode,
    EdgePart,
    HandNode,
    Part,
    PayloadNode,
    PlainPart,
    RecordPart,
    RowsPart,
)
from resolvers.errors import BadRequest
from resolvers.filters import LIST_LIMIT, FilterReader
from resolvers.gate import Gate, Use
from resolvers.ledger import storable
from resolvers.nodes import RowNode, VersionSlot
from resolvers.once import once
from resolvers.order import OrderReader
from resolvers.past import UNDOING_RIGHTS, read_change_id
from resolvers.selection import Selected, Selections
from schema.bindings import ActionRoot, HandRoot, PayloadPart, ToOne, WriteRoot
from schema.spec import Module
from schema.writes import Deed, record_name, records_name, writes_of

AFFECTED_LIMIT = 5_000  # rows that one mutation by filter may change

_USES: Mapping[Deed, tuple[Use, ...]] = {
    Deed.CREATE: (Use.CREATE,),
    Deed.CREATE_MANY: (Use.CREATE,),
    Deed.UPDATE: (Use.UPDATE,),
    Deed.UPDATE_MANY: (Use.UPDATE,),
    Deed.UPSERT: (Use.CREATE, Use.UPDATE),
    Deed.DELETE: (Use.DELETE,),
    Deed.DELETE_MANY: (Use.DELETE,),
    Deed.RESTORE: (Use.DELETE,),
}


class Analyst(Protocol):
    """What the analysis of a mutation needs of the analysis of the operation."""

    context: Context
    selections: Selections
    gate: Gate
    filters: FilterReader
    orders: OrderReader
    cost: int

    def row(self, selected: Selected, module: Module, hops: tuple[ToOne, ...], path: tuple[str, ...]) -> RowNode:
        """Analyse the selection of a row."""

    def version(self, module: Module, hops: tuple[ToOne, ...], at: str) -> VersionSlot:
        """Analyse a row's version."""

    def type_named(self, name: str) -> GraphQLObjectType:
        """Return an object type of the caller's schema."""


def analyse_deed(analyst: Analyst, selected: Selected, root: WriteRoot) -> DeedNode:
    """Analyse one mutation."""
    module, deed = root.module, root.deed
    at = selected.key
    for use in _USES[deed]:
        analyst.gate.write(module, use, at)
    given = selected.args["input"]
    node = _READERS[deed](analyst, selected, module, given)
    payload = _payload(analyst, selected, module)
    analyst.cost += max(len(node.get("rows", ())), 1) * (1 + sum(view.cost for view in payload.views))
    return DeedNode(
        module=module,
        deed=deed,
        path=(at,),
        payload=payload,
        version=analyst.version(module, (), at),
        fingerprint=partial(_fingerprint, analyst.context.secret, selected.name, given),
        if_version=given.get("ifVersion"),
        client_mutation_id=given.get("clientMutationId"),
        **node,
    )


def analyse_action(analyst: Analyst, selected: Selected, root: ActionRoot) -> ActionNode:
    """Analyse an action: who may change a row may have it done."""
    module, action, at = root.module, root.action, selected.key
    analyst.gate.write(module, Use.UPDATE, at)
    given = selected.args["input"]
    payload = _payload(analyst, selected, module)
    analyst.cost += 1 + sum(view.cost for view in payload.views)
    return ActionNode(
        module=module,
        action=action,
        path=(at,),
        payload=payload,
        version=analyst.version(module, (), at),
        fingerprint=partial(_fingerprint, analyst.context.secret, selected.name, given),
        where=analyst.filters.read_key(module, given["key"], f"{selected.name}.input.key"),
        args={argument.name: given.get(argument.api_name) for argument in action.args},
        if_version=given.get("ifVersion"),
        client_mutation_id=given.get("clientMutationId"),
    )


def analyse_hand(analyst: Analyst, selected: Selected, root: HandRoot) -> HandNode:
    """Analyse a mutation that is written by hand; which rows it may touch is decided here like for any other."""
    module, given = root.module, selected.args["input"]
    rights = root.rights or ((module, Use.UPDATE),)
    for target, right in rights:
        analyst.gate.write(target, Use(right), selected.key)
    rows = {}
    for name, target in root.keys.items():
        if given.get(name) is None:
            continue
        keys = given[name] if isinstance(given[name], list) else [given[name]]
        if len(keys) > LIST_LIMIT:
            raise BadRequest(f"{selected.name}.input.{name}: at most {LIST_LIMIT} rows; these are {len(keys)}.")
        at = f"{selected.name}.input.{name}"
        analyst.gate.rows(target, at)
        rows[name] = (target, tuple(analyst.filters.read_key(target, key, at) for key in keys))
    inputs = _inputs(analyst)
    patches = {key: inputs.patch(root.keys[key], given.get(name) or {}, (name,)) for name, key in root.patches.items()}
    creates = {}
    for name, target in root.creates.items():
        analyst.gate.write(target, Use.CREATE, selected.key)
        creates[name] = (target, inputs.part(target, given.get(name) or {}, (name,)))
    payload = _payload(analyst, selected, module)
    analyst.cost += 1 + sum(view.cost for view in payload.views)
    return HandNode(
        module=module,
        name=root.name,
        path=(selected.key,),
        payload=payload,
        fingerprint=partial(_fingerprint, analyst.context.secret, selected.name, given),
        given=given,
        rows=rows,
        changed={name: analyst.version(root.keys[name], (), selected.key) for name in root.changed if name in rows},
        patches=patches,
        creates=creates,
        right=Right.UPDATE if (module, Use.UPDATE) in rights else Right.VIEW,
        if_version=given.get("ifVersion"),
        client_mutation_id=given.get("clientMutationId"),
    )


def analyse_undo(analyst: Analyst, selected: Selected) -> HandNode:
    """Analyse `undo`: the id of a change says whose row it is and which right taking it back needs."""
    given = selected.args["input"]
    named = read_change_id(given["change"])
    module = analyst.context.snapshot.by_type_name.get(named.type_name) if named else None
    if named is None or module is None or analyst.context.schema.get_type(module.type_name) is None:
        raise BadRequest(f"{selected.name}.input.change: this is not the id of a change.")
    analyst.gate.write(module, Use(UNDOING_RIGHTS[named.kind]), selected.key)
    parts: dict[str, Part] = {}
    for part in analyst.selections.below(selected, analyst.type_named("UndoPayload")):
        row = analyst.row(part, module, (), part.path) if part.name == "node" else None
        parts[part.key] = PlainPart(part.name) if row is None else RecordPart(row)
    return HandNode(
        module=module,
        name=selected.name,
        path=(selected.key,),
        payload=PayloadNode(
            module, parts, (), list_key(analyst.context.secret, analyst.context.caller, module, None, {})
        ),
        fingerprint=partial(_fingerprint, analyst.context.secret, selected.name, given),
        given=given,
        rows={},
        client_mutation_id=given.get("clientMutationId"),
    )


# --- inputs ---


def _key(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"where": (analyst.filters.read_key(module, given["key"], f"{selected.name}.input.key"),)}


def _create(analyst: Analyst, _selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    name = record_name(module)
    return {"rows": (_inputs(analyst).create(module, given[name], (name,)),)}


def _create_many(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    name = records_name(module)
    rows = given[name]
    if len(rows) > LIST_LIMIT:
        raise BadRequest(f"{selected.name}.input.{name}: at most {LIST_LIMIT} rows; these are {len(rows)}.")
    inputs = _inputs(analyst)
    found = tuple(inputs.create(module, row, (name, str(number))) for number, row in enumerate(rows))
    return {"rows": found, "skips_failed": given.get("policy") == "SKIP_FAILED"}


def _update(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    patch = _inputs(analyst).patch(module, given["patch"], ("patch",))
    return {**_key(analyst, selected, module, given), "rows": (patch,)}


def _upsert(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    name = record_name(module)
    named = _names_given(selected, analyst.selections.variables, name)
    return {
        **_key(analyst, selected, module, given),
        **_create(analyst, selected, module, given),
        "named": names_in(writes_of(module, analyst.context.audience), named),
    }


def _filtered(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    most = given["maxAffected"]
    if not 0 <= most <= AFFECTED_LIMIT:
        raise BadRequest(f"{selected.name}.input.maxAffected: must be between 0 and {AFFECTED_LIMIT}; found {most}.")
    where = analyst.filters.read(module, given["filter"], f"{selected.name}.input.filter")
    return {"where": (where,), "most": most}


def _update_many(analyst: Analyst, selected: Selected, module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    patch = _inputs(analyst).patch(module, given["patch"], ("patch",))
    return {**_filtered(analyst, selected, module, given), "rows": (patch,)}


_READERS: Mapping[Deed, Callable[[Analyst, Selected, Module, Mapping[str, Any]], dict[str, Any]]] = {
    Deed.CREATE: _create,
    Deed.CREATE_MANY: _create_many,
    Deed.UPDATE: _update,
    Deed.UPDATE_MANY: _update_many,
    Deed.UPSERT: _upsert,
    Deed.DELETE: _key,
    Deed.DELETE_MANY: _filtered,
    Deed.RESTORE: _key,
}


def _inputs(analyst: Analyst) -> InputReader:
    return InputReader(analyst.filters, analyst.context.snapshot.modules, analyst.context.audience)


def _names_given(selected: Selected, variables: VariableValues, name: str) -> frozenset[str]:
    """Name the keys of an object inside `input` as the client wrote them, before defaults filled it up."""
    argument = next(item for item in selected.nodes[0].arguments or () if item.name.value == "input")
    value: Any = argument.value
    for step in (name, None):
        if isinstance(value, VariableNode):
            value = variables.sources[value.name.value].value
        if step is None:
            break
        if isinstance(value, ObjectValueNode):
            value = next((field.value for field in value.fields if field.name.value == step), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, ObjectValueNode):
        return frozenset(field.name.value for field in value.fields)
    return frozenset(value) if isinstance(value, Mapping) else frozenset()


def _fingerprint(secret: bytes, name: str, given: Mapping[str, Any]) -> str:
    """Tell inputs apart; it is stored, and without the secret a password of an input could be guessed from it."""
    text = json.dumps([name, storable(given)], sort_keys=True, default=str)
    return hmac.new(secret, b"input\0" + text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


# --- payloads ---


def _payload(analyst: Analyst, selected: Selected, module: Module) -> PayloadNode:
    """Analyse what a payload shows."""
    return once(analyst, "payload", selected, lambda: _new_payload(analyst, selected, module), _shared)


def _shared(payload: PayloadNode) -> PayloadNode | None:
    """Return a payload for everybody. Cursors differ by caller, those of lists inside the rows too."""
    if payload.wants_cursors or any(view.has_lists for view in payload.views):
        return None
    return replace(payload, parts={name: _for_all(part) for name, part in payload.parts.items()})


def _for_all(part: Part) -> Part:
    if isinstance(part, RecordPart):
        return replace(part, row=replace(part.row, is_kept=True))
    if isinstance(part, EdgePart):
        rows = {key: None if row is None else replace(row, is_kept=True) for key, row in part.slots.items()}
        return EdgePart(rows)
    if isinstance(part, RowsPart):
        parts = {key: _for_all(below) for key, below in part.parts.items()}
        return RowsPart({key: below for key, below in parts.items() if isinstance(below, RecordPart | PlainPart)})
    return part


def _new_payload(analyst: Analyst, selected: Selected, module: Module) -> PayloadNode:
    type_ = _type_of(selected)
    parts = {
        part.key: _part(analyst, part, module, (*selected.path, part.key))
        for part in analyst.selections.below(selected, type_)
    }
    order = analyst.orders.read(module, None, selected.name)
    return PayloadNode(module, parts, order, list_key(analyst.context.secret, analyst.context.caller, module, None, {}))


def _part(analyst: Analyst, selected: Selected, module: Module, path: tuple[str, ...]) -> Part:
    binding = selected.binding
    name = binding.name if isinstance(binding, PayloadPart) else ""
    if name == "edge":
        below = analyst.selections.below(selected, analyst.type_named(f"{module.type_name}Edge"))
        return EdgePart(
            {
                field.key: None if field.name == "cursor" else analyst.row(field, module, (), (*path, field.key))
                for field in below
            }
        )
    if name == "rows":
        below = analyst.selections.below(selected, analyst.type_named(f"{module.type_name}BulkRow"))
        found = {field.key: _part(analyst, field, module, (*path, field.key)) for field in below}
        return RowsPart({key: part for key, part in found.items() if isinstance(part, RecordPart | PlainPart)})
    is_row = isinstance(get_named_type(selected.definition.type), GraphQLObjectType) and name not in _LISTS
    if isinstance(binding, PayloadPart) and is_row:
        analyst.gate.rows(binding.module, ".".join(path))
        return RecordPart(analyst.row(selected, binding.module, (), path), name)
    return PlainPart(name)


_LISTS = frozenset({"errors", "operations"})  # of objects that are no rows


def _type_of(selected: Selected) -> GraphQLObjectType:
    type_ = get_named_type(selected.definition.type)
    if not isinstance(type_, GraphQLObjectType):
        raise TypeError(f"The payload of {selected.name} is no object.")
    return type_
