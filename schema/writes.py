"""What an audience may write of a module: which deeds there are, and which fields their inputs take. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from schema.kinds import VALIDITY
from schema.names import camel, pascal
from schema.spec import VALIDITY_COLUMN, Action, Audience, Default, Field, Home, Module, Operation, Rule


class Deed(Enum):
    """The kinds of generated mutations."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    RESTORE = "restore"
    CREATE_MANY = "create_many"
    UPDATE_MANY = "update_many"
    DELETE_MANY = "delete_many"

    @property
    def is_many(self) -> bool:
        """Whether it is about several rows."""
        return self in _MANY

    @property
    def verb(self) -> str:
        """The word that its names begin with."""
        return self.value.removesuffix("_many")


_MANY = frozenset({Deed.CREATE_MANY, Deed.UPDATE_MANY, Deed.DELETE_MANY})


@dataclass(frozen=True, slots=True)
class Writes:
    """What an audience may write: `create` and `patch` are the fields of the inputs, in the file's order.

    `names_key` says that a new row's key comes from the client, as `databaseId`; `actions` are those that there are.
    """

    deeds: frozenset[Deed]
    create: tuple[Field, ...] = ()
    patch: tuple[Field, ...] = ()
    names_key: bool = False
    actions: tuple[Action, ...] = ()


# The operations that a deed needs, all of them.
_NEEDS: Mapping[Deed, frozenset[Operation]] = {
    Deed.CREATE: frozenset({Operation.CREATE}),
    Deed.UPDATE: frozenset({Operation.UPDATE}),
    Deed.UPSERT: frozenset({Operation.UPSERT}),
    Deed.DELETE: frozenset({Operation.DELETE}),
    Deed.RESTORE: frozenset({Operation.DELETE}),
    Deed.CREATE_MANY: frozenset({Operation.CREATE}),
    Deed.UPDATE_MANY: frozenset({Operation.UPDATE, Operation.BULK}),
    Deed.DELETE_MANY: frozenset({Operation.DELETE, Operation.BULK}),
}
# The rights that a deed needs, of the rules of an audience.
_RIGHTS: Mapping[Deed, tuple[str, ...]] = {
    Deed.CREATE: ("create",),
    Deed.UPDATE: ("update",),
    Deed.UPSERT: ("create", "update"),
    Deed.DELETE: ("delete",),
    Deed.RESTORE: ("delete",),
    Deed.CREATE_MANY: ("create",),
    Deed.UPDATE_MANY: ("update",),
    Deed.DELETE_MANY: ("delete",),
}
_PATCHING = frozenset({Deed.UPDATE, Deed.UPDATE_MANY})
_KEYS: Mapping[Audience, str] = {audience: f"writes of {audience.value}" for audience in Audience}


def writes_of(module: Module, audience: Audience) -> Writes:
    """Return what an audience may write of a module; worked out once for as long as the module lives."""
    key = _KEYS[audience]
    found: Writes | None = module.derived.get(key)
    if found is None:
        found = module.derived[key] = _writes(module, audience)
    return found


def soft_deletes(module: Module) -> bool:
    """Answer whether deleting sets a row invalid instead of removing it."""
    return bool(module.features.get("soft_delete")) and VALIDITY_COLUMN in module.columns


def many_word(module: Module) -> str:
    """Name several rows in mutations and their types: `Queues`, or `SysconfigList` where both words are equal."""
    return pascal(module.plural_name) if pascal(module.plural_name) != module.type_name else f"{module.type_name}List"


def deed_name(module: Module, deed: Deed) -> str:
    """Name a mutation: `createQueue`, `updateQueues`."""
    return f"{deed.verb}{many_word(module) if deed.is_many else module.type_name}"


# Words that stand in payloads beside the record; a module called so has its record under another name.
_TAKEN = frozenset({"affected", "clientMutationId", "created", "current", "errors", "ids", "index", "policy", "rows"})
_TAKEN_INPUTS = frozenset({"clientMutationId", "filter", "ifVersion", "key", "maxAffected", "patch", "policy"})


def action_name(module: Module, action: Action) -> str:
    """Name the mutation of an action: `queueEmpty`."""
    return camel(f"{module.one_name}_{action.name}")


# What stands beside the arguments of an action in its input, and beside the record in its payload.
ACTION_INPUTS = ("key", "ifVersion", "clientMutationId")
_ACTION_PARTS = frozenset({"result", "operations", "log"})


def acted_name(module: Module) -> str:
    """Name the record in the payload of an action."""
    return f"{module.one_root}Row" if module.one_root in _ACTION_PARTS else record_name(module)


def record_name(module: Module) -> str:
    """Name the record in inputs and payloads: `queue`."""
    return f"{module.one_root}Row" if module.one_root in _TAKEN | _TAKEN_INPUTS else module.one_root


def records_name(module: Module) -> str:
    """Name the list of records of an input: `queues`."""
    return f"{module.many_root}Rows" if module.many_root in _TAKEN | _TAKEN_INPUTS else module.many_root


def _writes(module: Module, audience: Audience) -> Writes:
    if not module.has_id or not _grants(module.access.of(audience).view, audience):
        return Writes(frozenset())
    fields = tuple(
        field for field in module.shown_fields if is_writable(field, module) and module.access.takes(field, audience)
    )
    patch = tuple(field for field in fields if not (field.home is Home.TABLE and field.column in module.key_columns))
    deeds = {deed for deed in Deed if _has(module, deed, audience)}
    if not patch:
        deeds -= _PATCHING
    if not soft_deletes(module):
        deeds.discard(Deed.RESTORE)
    # Who may change a row may have its actions, whether or not it can be changed otherwise.
    actions = module.actions if _grants(module.access.of(audience).update, audience) else ()
    return Writes(frozenset(deeds), fields, patch, names_key(module), actions)


def _has(module: Module, deed: Deed, audience: Audience) -> bool:
    rules = module.access.of(audience)
    return _NEEDS[deed] <= module.operations and all(
        _grants(getattr(rules, right), audience) for right in _RIGHTS[deed]
    )


def _grants(rule: Rule, audience: Audience) -> bool:
    """Agents share one schema; customers have what a rule grants to any of them."""
    return audience is Audience.AGENT or not rule.is_never


def is_writable(field: Field, module: Module) -> bool:
    """Answer whether a field takes values from outside: not what is written by itself, nor what is read only."""
    if field.readonly or field.settings.get("virtual") or field.holds_bytes:
        return False
    return not (field.home is Home.TABLE and module.stamps(field.column))


def names_key(module: Module) -> bool:
    """Answer whether a new row's key is given by the client and is no field of its own."""
    if not module.has_database_id or module.counted_key:
        return False
    key = module.key_columns[0]
    return not any(field.home is Home.TABLE and field.column == key for field in module.shown_fields)


_IN_USE = Default(VALIDITY["VALID"])


def default_of(field: Field) -> Default | None:
    """Return what a new row gets where nothing is said: what the file says; rows are in use unless it says otherwise."""
    if field.default is None and field.kind == "validity" and field.home is Home.TABLE:
        return _IN_USE
    return field.default


def is_required(field: Field) -> bool:
    """Answer whether a new row must be given a value: nothing else would fill the column."""
    if default_of(field) is not None:
        return False
    if field.kind == "epoch":  # 0 is null
        return field.required
    return field.required or (field.home is Home.TABLE and not field.nullable and not field.has_default)
