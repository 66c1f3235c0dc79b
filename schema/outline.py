"""What an audience sees of a module, and every GraphQL name that it claims. Pure data; no type is made here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from enum import Enum, auto
from typing import Any, NamedTuple

from schema.bindings import GroupValue
from schema.catalog import ColumnClass
from schema.kernel import KERNEL, KERNEL_ROOTS
from schema.names import enum_value, pascal
from schema.spec import Action, Audience, Computed, Field, Home, Module, Operation, Relation
from schema.writes import Deed, action_name, deed_name, many_word, writes_of

# Stored forms that may be unreadable in single rows (epoch 0 is null, a text may be no JSON) are never promised.
# The bytes of a file may be gone.
_NEVER_CERTAIN = frozenset({"epoch", "file", "json", "yaml"})
_ORDERED_RESULTS = frozenset({"string", "int", "float", "bool", "datetime"})
_OPTION_KINDS = frozenset({"select", "radio", "multiselect"})

# A stored value in whose class a select without options is served, and how it filters.
_CLASS_SCALARS: Mapping[ColumnClass, str] = {
    ColumnClass.SMALLINT: "Int",
    ColumnClass.INT: "Int",
    ColumnClass.BIGINT: "BigInt",
    ColumnClass.FLOAT: "Float",
    ColumnClass.DECIMAL: "Decimal",
    ColumnClass.BOOL: "Boolean",
}


class Part(Enum):
    """The types that a module can give rise to."""

    OBJECT = auto()
    CONNECTION = auto()
    EDGE = auto()
    KEY = auto()
    FILTER = auto()
    LIST_FILTER = auto()
    ORDER = auto()
    GROUP_BY = auto()
    AGGREGATE_KEY = auto()
    AGGREGATE_ROW = auto()
    OPTIONS = auto()
    OPTIONS_FILTER = auto()
    OPTIONS_LIST_FILTER = auto()
    CREATE = auto()
    PATCH = auto()
    DEED_INPUT = auto()
    DEED_PAYLOAD = auto()
    BULK_ROW = auto()
    BULK_PAYLOAD = auto()
    ACTION_INPUT = auto()
    ACTION_PAYLOAD = auto()
    CHANGE = auto()


class Root(Enum):
    """The root fields that a module can give rise to."""

    ONE = auto()
    MANY = auto()
    AGGREGATE = auto()


class Clash(NamedTuple):
    """A GraphQL name that two modules claim; `first` is empty where the kernel or a hand-written part has it."""

    name: str
    first: str
    second: str


class Neighbour(NamedTuple):
    """What the types of a module say about the target of a reference or relation, beyond the names of its types."""

    name: str
    has_id: bool
    has_order: bool
    singular: str


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a module claims in one audience's schema.

    `types` leads to a part and the field or mutation that it is made for, `roots`, `mutations` and `subscriptions` to what
    the root fields are.
    """

    types: Mapping[str, tuple[Part, str]]
    roots: Mapping[str, Root]
    mutations: Mapping[str, Deed | Action]
    subscriptions: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """What an audience sees of a module: members in the file's order, before asking which targets are there.

    `targets` are the modules that a reference or relation leads to, each once.
    """

    fields: tuple[Field, ...]
    relations: tuple[Relation, ...]
    computed: tuple[Computed, ...]
    guarded: frozenset[str]
    targets: tuple[str, ...]
    has_search: bool
    has_order: bool
    is_visible: bool
    names: dict[tuple[str, ...], Names] = default(default_factory=dict, compare=False, repr=False)  # by targets present

    @property
    def expressions(self) -> tuple[Computed, ...]:
        """The computed fields that are SQL and so filter and sort."""
        return tuple(computed for computed in self.computed if computed.expression)

    def is_certain(self, field: Field) -> bool:
        """Answer whether a value is never null: a NOT NULL column of the own table without a permission rule on it."""
        return (
            not field.nullable
            and field.home is Home.TABLE
            and field.kind not in _NEVER_CERTAIN
            and field.name not in self.guarded
        )


def visible(modules: Mapping[str, Module], audience: Audience) -> dict[str, Module]:
    """Return the modules that are part of an audience's schema, by name."""
    key = _KEYS[audience]
    return {
        name: module
        for name, module in modules.items()
        if (module.derived.get(key) or outline_of(module, audience)).is_visible
    }


# Where the outline stands among what a module has worked out. Plain texts, because enum members hash slowly.
_KEYS: Mapping[Audience, str] = {audience: f"outline of {audience.value}" for audience in Audience}


def outline_of(module: Module, audience: Audience) -> Outline:
    """Return what an audience sees of a module; worked out once for as long as the module lives."""
    key = _KEYS[audience]
    found: Outline | None = module.derived.get(key)
    if found is None:
        found = module.derived[key] = _outline(module, audience)
    return found


def _outline(module: Module, audience: Audience) -> Outline:
    """Work an outline out."""
    rules = {name: by[audience] for name, by in module.access.fields.items() if audience in by}
    shows = module.access.shows
    fields = tuple(field for field in module.shown_fields if field.is_readable and shows(field, audience))
    relations = tuple(relation for relation in module.relations if shows(relation, audience))
    computed = tuple(item for item in module.computed if shows(item, audience))
    targets = dict.fromkeys([field.to for field in fields if field.to] + [relation.to for relation in relations])
    return Outline(
        fields=fields,
        relations=relations,
        computed=computed,
        guarded=frozenset(name for name, rule in rules.items() if not rule.allow),
        targets=tuple(targets),
        has_search=any(field.searchable and field.traits.searchable for field in fields),
        has_order=module.has_database_id
        or any(sorts(field) and not field.to for field in fields)
        or any(orders(item) for item in computed),
        is_visible=_is_granted(module, audience) and _has_members(module, fields, computed),
    )


def _is_granted(module: Module, audience: Audience) -> bool:
    """Answer whether a module is served to an audience: agents share one schema, customers see what grants them something."""
    if Operation.VIEW not in module.operations:
        return False
    return audience is Audience.AGENT or not module.access.customer.view.is_never


def _has_members(module: Module, fields: Iterable[Field], computed: Collection[Computed]) -> bool:
    return module.has_id or bool(computed) or any(not item.to or item.by for item in fields)


def orders(computed: Computed) -> bool:
    """Answer whether a computed field may stand in an order."""
    return computed.expression is not None and computed.kind in _ORDERED_RESULTS


def sorts(field: Field) -> bool:
    """Answer whether a field may stand in an order."""
    return field.sortable and field.traits.sortable


def options_name(module: Module, field: Field) -> str:
    """Name the enum of a field with options: `QueueFollowUp`."""
    return f"{module.type_name}{pascal(field.name)}"


def has_options(field: Field) -> bool:
    """Answer whether a field makes an enum of its own."""
    return field.kind in _OPTION_KINDS and bool(field.options)


def scalar_of(field: Field) -> str:
    """Name the scalar of a field without an enum of its own; for a select without options the column decides."""
    return field.traits.scalar or _CLASS_SCALARS.get(field.column_class, "String")


def key_scalar(module: Module) -> str:
    """Name the scalar of `databaseId`."""
    return _CLASS_SCALARS.get(module.key_classes[0], "String") if module.key_classes else "Int"


def groups(outline: Outline, present: Iterable[str]) -> tuple[GroupValue, ...]:
    """Return what rows may be grouped by; the `_at` of a moment gives way to its bucket (`created_at` → `createdDay`)."""
    there = frozenset(present)
    names = {field.api_name for field in outline.fields}
    found: dict[str, GroupValue] = {}
    for field in outline.fields:
        if not field.to or field.to in there:
            for bucket in field.traits.groups:
                name = _bucket_name(field.api_name, bucket, names)
                found.setdefault(name, GroupValue(name, field, bucket))
    return tuple(found.values())


def _bucket_name(api_name: str, bucket: str, taken: set[str]) -> str:
    if not bucket:
        return api_name
    short = api_name.removesuffix("At")
    stem = short if short and short not in taken else api_name
    name = f"{stem}{bucket.capitalize()}"
    return name if name not in taken else f"{api_name}{bucket.capitalize()}"


def group_value_name(value: GroupValue) -> str:
    """Name the enum value of a group: `createdDay` → `CREATED_DAY`."""
    return enum_value("".join(f"_{char}" if char.isupper() else char for char in value.api_name))


def names_of(module: Module, audience: Audience, modules: Mapping[str, Module]) -> Names:
    """Return every name that a module claims, given the modules that the audience sees; cached with the module."""
    outline = outline_of(module, audience)
    present = tuple([target for target in outline.targets if target in modules])
    found = outline.names.get(present)
    if found is None:
        found = outline.names[present] = _names(module, outline, present, audience)
    return found


def _names(module: Module, outline: Outline, present: tuple[str, ...], audience: Audience) -> Names:
    name = module.type_name
    grouped = bool(groups(outline, present))
    rows: list[tuple[str, Part, str, bool]] = [
        (name, Part.OBJECT, "", True),
        (f"{name}Connection", Part.CONNECTION, "", True),
        (f"{name}Edge", Part.EDGE, "", module.has_id),
        (f"{name}Key", Part.KEY, "", module.has_id),
        (f"{name}Filter", Part.FILTER, "", True),
        (f"{name}ListFilter", Part.LIST_FILTER, "", True),
        (f"{name}Order", Part.ORDER, "", outline.has_order),
        (f"{name}GroupBy", Part.GROUP_BY, "", grouped),
        (f"{name}AggregateKey", Part.AGGREGATE_KEY, "", grouped),
        (f"{name}AggregateRow", Part.AGGREGATE_ROW, "", True),
    ]
    for field in filter(has_options, outline.fields):
        enum = options_name(module, field)
        rows += [
            (enum, Part.OPTIONS, field.name, True),
            (f"{enum}Filter", Part.OPTIONS_FILTER, field.name, field.kind != "multiselect" and field.filterable),
            (
                f"{enum}ListFilter",
                Part.OPTIONS_LIST_FILTER,
                field.name,
                field.kind == "multiselect" and field.filterable,
            ),
        ]
    writes = writes_of(module, audience)
    mutations = {deed_name(module, deed): deed for deed in Deed if deed in writes.deeds}
    actions = {action_name(module, action): action for action in writes.actions}
    rows += _write_types(module, mutations)
    for mutation, action in actions.items():
        rows += [
            (f"{upper(mutation)}Input", Part.ACTION_INPUT, action.name, True),
            (f"{upper(mutation)}Payload", Part.ACTION_PAYLOAD, action.name, True),
        ]
    types: dict[str, tuple[Part, str]] = {}
    repeated = [name for name in actions if name in mutations]
    for type_name, part, field_name, exists in rows:
        if exists and type_name in types:
            repeated.append(type_name)
        elif exists:
            types[type_name] = (part, field_name)
    roots = {module.many_root: Root.MANY, module.aggregate_root: Root.AGGREGATE}
    if module.has_id:
        roots = {module.one_root: Root.ONE, **roots}
    subscriptions = (f"{module.one_root}Changed",) if module.has_id else ()
    return Names(types, roots, {**mutations, **actions}, subscriptions, tuple(repeated))


def _write_types(module: Module, mutations: Mapping[str, Deed]) -> list[tuple[str, Part, str, bool]]:
    """Name the types of mutations and changes."""
    name, deeds = module.type_name, frozenset(mutations.values())
    rows = [
        (f"{name}Create", Part.CREATE, "", not deeds.isdisjoint(_CREATING)),
        (f"{name}Patch", Part.PATCH, "", not deeds.isdisjoint(_PATCHING)),
        (f"{name}BulkRow", Part.BULK_ROW, "", Deed.CREATE_MANY in deeds),
        (f"Bulk{many_word(module)}Payload", Part.BULK_PAYLOAD, "", not deeds.isdisjoint(_BY_FILTER)),
        (f"{name}Change", Part.CHANGE, "", module.has_id),
    ]
    for mutation, deed in mutations.items():
        rows += [
            (f"{upper(mutation)}Input", Part.DEED_INPUT, deed.value, True),
            (f"{upper(mutation)}Payload", Part.DEED_PAYLOAD, deed.value, deed not in _BY_FILTER),
        ]
    return rows


def upper(name: str) -> str:
    """Begin the names of a mutation's types: `CreateQueue`."""
    return name[0].upper() + name[1:]


_CREATING = frozenset({Deed.CREATE, Deed.UPSERT, Deed.CREATE_MANY})
_PATCHING = frozenset({Deed.UPDATE, Deed.UPDATE_MANY})
_BY_FILTER = frozenset({Deed.UPDATE_MANY, Deed.DELETE_MANY})


def changed_alone(before: Mapping[str, Module], after: Mapping[str, Module], audience: Audience) -> list[Module] | None:
    """Return the modules that are others than before; None when that changes which names there are.

    Both hold what the audience sees. The names of the modules that are not returned are what they were.
    """
    if list(before) != list(after):
        return None
    changed = []
    for old, new in zip(before.values(), after.values(), strict=True):
        if old is not new:
            if not _claim_alike(names_of(old, audience, before), names_of(new, audience, after)):
                return None
            changed.append(new)
    return changed


def _claim_alike(one: Names, other: Names) -> bool:
    return (
        list(one.types) == list(other.types)
        and list(one.roots) == list(other.roots)
        and list(one.mutations) == list(other.mutations)
        and one.subscriptions == other.subscriptions
        and one.repeated == other.repeated
    )


def neighbours(module: Module, audience: Audience, modules: Mapping[str, Module]) -> tuple[Neighbour, ...]:
    """Return what a module's types depend on beyond itself; equal neighbours mean equal types."""
    return tuple(
        [
            Neighbour(name, target.has_id, outline_of(target, audience).has_order, target.singular.text)
            for name in outline_of(module, audience).targets
            if (target := modules.get(name)) is not None
        ]
    )


def kept(module: Module, what: str, audience: Audience, modules: Mapping[str, Module]) -> dict[Any, Any]:
    """Return the module's shelf for pieces made from its types; it is emptied when a neighbour changes what they say."""
    around = neighbours(module, audience, modules)
    shelf: tuple[tuple[Neighbour, ...], dict[Any, Any]] | None = module.derived.get((what, audience))
    if shelf is None or shelf[0] != around:
        shelf = module.derived[what, audience] = (around, {})
    return shelf[1]


def clashes(
    modules: Mapping[str, Module], audience: Audience = Audience.AGENT, reserved: Iterable[str] = ()
) -> list[Clash]:
    """Return every GraphQL name that is claimed twice, in the order of the modules. `reserved` are hand-written names."""
    seen = visible(modules, audience)
    fixed = dict.fromkeys((*KERNEL, "Query", "Mutation", "Subscription", *reserved), "")
    type_owners, root_owners = dict(fixed), dict.fromkeys((*KERNEL_ROOTS, *reserved), "")
    mutation_owners, subscription_owners = dict.fromkeys(reserved, ""), dict.fromkeys(reserved, "")
    found: list[Clash] = []
    for module in seen.values():
        names = names_of(module, audience, seen)
        found += [Clash(name, module.name, module.name) for name in names.repeated]
        for owners, claimed in (  # roots first: they say more to people than the types made for them
            (root_owners, names.roots),
            (type_owners, names.types),
            (mutation_owners, names.mutations),
            (subscription_owners, dict.fromkeys(names.subscriptions)),
        ):
            if owners.keys().isdisjoint(claimed):
                owners.update(dict.fromkeys(claimed, module.name))
            else:
                found += [Clash(name, owners[name], module.name) for name in claimed if name in owners]
                owners.update({name: owners.get(name, module.name) for name in claimed})
    return found
