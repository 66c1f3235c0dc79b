"""What a row looks like: object, connection and edge types and the root fields, made from a module and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLID,
    GraphQLInputField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from schema.bindings import (
    BINDING,
    AggregateRoot,
    Binding,
    Builtin,
    ComputedValue,
    ConnectionPart,
    ManyRoot,
    OneRoot,
    ToMany,
    ToOne,
    Value,
)
from schema.kernel import KERNEL, NODE, NODE_ID, PAGE_INFO, ObjectType
from schema.kinds import COMPUTED_SCALARS, UNKNOWN, kind_of
from schema.outline import Names, Outline, Root, has_options, key_scalar, names_of, options_name, outline_of, scalar_of
from schema.spec import Argument, Audience, Caption, Computed, Field, Module, Relation

PAGE_SIZE = 25
AGGREGATE_PAGE_SIZE = 100


class World(Protocol):
    """What a type is made in: the modules that the audience sees, and every other type by its name."""

    @property
    def audience(self) -> Audience:
        """Who the schema is for."""

    @property
    def modules(self) -> Mapping[str, Module]:
        """The modules that the audience sees, by name."""

    def named(self, name: str) -> Any:  # graphql-core tells input from output types; here the name does
        """Return the type with this name, made now if it was not."""

    def extra_inputs(self, module: Module, what: str) -> dict[str, GraphQLInputField]:
        """Return the fields that were added by hand to a module's `create` or `patch` input."""


def outline_in(world: World, module: Module) -> Outline:
    """Return what the world's audience sees of a module."""
    return outline_of(module, world.audience)


def names_in(world: World, module: Module) -> Names:
    """Return the names that a module claims in the world."""
    return names_of(module, world.audience, world.modules)


def bound(
    type_: Any, binding: Binding, args: dict[str, GraphQLArgument] | None = None, **settings: Any
) -> GraphQLField:
    """Make a field that carries what it is bound to."""
    field = GraphQLField(type_, extensions={BINDING: binding}, **settings)
    if args:
        field.args = args  # past the constructor, which would look at every letter of their names
    return field


def _words(name: str) -> set[str]:
    return set(name.replace("_", " ").casefold().split())


def _in_a_sentence(caption: Caption) -> str:
    """Write a caption as it stands inside a sentence: `Customer user` gets a small letter, `SLA` keeps its capitals."""
    return " ".join(word if word[1:2].isupper() else word.lower() for word in caption.text.split())


def description_of(name: str, label: Caption, help_text: Caption | None = None) -> str | None:
    """Describe by the help text, else by a label that says more than the name does."""
    if help_text:
        return help_text.text
    return None if _words(label.text) <= _words(name) else label.text


def _paragraphs(*captions: Caption | None) -> str | None:
    return "\n\n".join(caption.text for caption in captions if caption and caption.text) or None


# --- the object type ---


def make_object(world: World, module: Module) -> GraphQLObjectType:
    """Make the type of a module's rows."""
    return ObjectType(
        module.type_name,
        lambda: _object_fields(world, module),
        interfaces=(NODE,) if module.has_id else (),
        description=_paragraphs(module.description, module.notice),
    )


def _object_fields(world: World, module: Module) -> dict[str, GraphQLField]:
    outline = outline_in(world, module)
    fields = _builtin_fields(module)
    for field in outline.fields:
        if field.to is None:
            fields[field.api_name] = _value_field(world, module, outline, field)
        elif field.to in world.modules:
            fields[field.api_name] = _reference_field(world, module, outline, field)
        if field.raw_name:
            fields[field.raw_name] = _raw_field(module, outline, field)
    for relation in outline.relations:
        if relation.to in world.modules:
            fields[relation.api_name] = _relation_field(world, module, relation)
    for computed in outline.computed:
        fields[computed.api_name] = _computed_field(module, computed)
    return fields


def _builtin_fields(module: Module) -> dict[str, GraphQLField]:
    if not module.has_id:
        return {}
    fields = {"id": bound(GraphQLNonNull(GraphQLID), Builtin(module, "id"), description=NODE_ID)}
    if module.has_database_id:
        scalar = key_scalar(module)
        fields["databaseId"] = bound(
            GraphQLNonNull(KERNEL[scalar]),
            Builtin(module, "databaseId"),
            description="The OTRS integer key."
            if scalar != "String" and not module.managed
            else "The key in the database.",
        )
    fields["version"] = bound(
        GraphQLNonNull(GraphQLString),
        Builtin(module, "version"),
        description="Changes on every write; send it back as ifVersion.",
    )
    return fields


def _value_field(world: World, module: Module, outline: Outline, field: Field) -> GraphQLField:
    type_: Any = world.named(options_name(module, field)) if has_options(field) else KERNEL[scalar_of(field)]
    if field.kind == "multiselect":
        type_ = GraphQLList(GraphQLNonNull(type_))
    return bound(
        GraphQLNonNull(type_) if outline.is_certain(field) else type_,
        Value(module, field),
        description=description_of(field.name, field.label, field.help),
        deprecation_reason=field.deprecated,
    )


def _reference_field(world: World, module: Module, outline: Outline, field: Field) -> GraphQLField:
    target = world.modules[field.to or ""]
    thing = _in_a_sentence(target.singular)
    if outline.is_certain(field) and not field.by:
        why_null = f"Null only if the caller may not see the {thing}."
    else:
        why_null = f"Null if there is no such {thing}, or if the caller may not see it."
    said = description_of(field.name, field.label, field.help)
    return bound(
        world.named(target.type_name),
        ToOne(module, field, target),
        description=f"{said.rstrip('.')}. {why_null}" if said else why_null,
        deprecation_reason=field.deprecated,
    )


def _raw_field(module: Module, outline: Outline, field: Field) -> GraphQLField:
    type_ = KERNEL[scalar_of(field)]
    return bound(
        GraphQLNonNull(type_) if outline.is_certain(field) else type_,
        Value(module, field, raw=True),
        description=f"What is stored in place of `{field.api_name}`.",
        deprecation_reason=field.deprecated,
    )


def _relation_field(world: World, module: Module, relation: Relation) -> GraphQLField:
    target = world.modules[relation.to]
    said = relation.description or relation.label
    return bound(
        GraphQLNonNull(world.named(f"{target.type_name}Connection")),
        ToMany(module, relation, target),
        args=_page_arguments(world, target, by_search=False, by_offset=False),
        description=description_of(relation.name, said) if said else None,
        deprecation_reason=relation.deprecated,
    )


def _computed_field(module: Module, computed: Computed) -> GraphQLField:
    said = description_of(computed.name, computed.label, computed.help)
    how = _how_computed(computed)
    return bound(
        KERNEL[COMPUTED_SCALARS[computed.kind]],
        ComputedValue(module, computed),
        args={argument.api_name: _argument(argument) for argument in computed.args},
        description=f"{said.rstrip('.')}. {how}" if said else how,
        deprecation_reason=computed.deprecated,
    )


def _how_computed(computed: Computed) -> str:
    if computed.expression:
        return "Computed in the database; filters and sorts like a column."
    return (
        f"Lambda `{computed.name}` (V8 isolate, batched per list). "
        "Null plus an entry in `errors` when it throws or times out."
    )


def _argument(argument: Argument) -> GraphQLArgument:
    kind = kind_of(argument.kind)
    type_: Any = KERNEL[(kind.scalar if kind else "") or "String"]
    return GraphQLArgument(
        GraphQLNonNull(type_) if argument.required else type_,
        default=None if argument.default is None else GraphQLDefaultInput(value=argument.default),
        description=argument.label.text if argument.label else None,
    )


# --- the enum of a field with options ---


def make_options(module: Module, field: Field) -> GraphQLEnumType:
    """Make the enum of a field with options; a stored value beside them is written as UNKNOWN."""
    values = {
        option.name: GraphQLEnumValue(
            option.value, description=description_of(option.name, option.label) if option.label else None
        )
        for option in field.options
    }
    values.setdefault(UNKNOWN, GraphQLEnumValue(UNKNOWN, description="The stored value is none of these."))
    return GraphQLEnumType(
        options_name(module, field), values, description=description_of(field.name, field.label, field.help)
    )


# --- connection and edge ---


def make_connection(world: World, module: Module) -> GraphQLObjectType:
    """Make a page of rows; rows without a key have no edges and no cursors."""

    def fields() -> dict[str, GraphQLField]:
        rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(world.named(module.type_name))))
        parts = {
            "nodes": bound(rows, ConnectionPart(module, "nodes")),
            "pageInfo": bound(GraphQLNonNull(PAGE_INFO), ConnectionPart(module, "pageInfo")),
            "totalCount": bound(
                GraphQLNonNull(GraphQLInt),
                ConnectionPart(module, "totalCount"),
                description="Counted only when selected.",
            ),
        }
        if not module.has_id:
            return parts
        edges = GraphQLNonNull(GraphQLList(GraphQLNonNull(world.named(f"{module.type_name}Edge"))))
        return {"edges": bound(edges, ConnectionPart(module, "edges")), **parts}

    return ObjectType(f"{module.type_name}Connection", fields)


def make_edge(world: World, module: Module) -> GraphQLObjectType:
    """Make a row in a page, with its cursor."""
    return ObjectType(
        f"{module.type_name}Edge",
        lambda: {
            "cursor": bound(GraphQLNonNull(GraphQLString), ConnectionPart(module, "cursor")),
            "node": bound(GraphQLNonNull(world.named(module.type_name)), ConnectionPart(module, "node")),
        },
    )


# --- root fields ---


def make_root(world: World, module: Module, root: Root) -> GraphQLField:
    """Make one of a module's root fields."""
    return _ROOTS[root](world, module)


def _one_root(world: World, module: Module) -> GraphQLField:
    key = GraphQLNonNull(world.named(f"{module.type_name}Key"))
    return bound(world.named(module.type_name), OneRoot(module), args={"by": GraphQLArgument(key)})


def _many_root(world: World, module: Module) -> GraphQLField:
    return bound(
        GraphQLNonNull(world.named(f"{module.type_name}Connection")),
        ManyRoot(module),
        args=_page_arguments(world, module, by_search=outline_in(world, module).has_search, by_offset=True),
    )


def _aggregate_root(world: World, module: Module) -> GraphQLField:
    names = names_in(world, module)
    row = GraphQLNonNull(world.named(f"{module.type_name}AggregateRow"))
    args = {"filter": GraphQLArgument(world.named(f"{module.type_name}Filter"))}
    if outline_in(world, module).has_search:
        args["search"] = GraphQLArgument(GraphQLString)
    group_by = f"{module.type_name}GroupBy"
    if group_by in names.types:
        args["groupBy"] = GraphQLArgument(GraphQLList(GraphQLNonNull(world.named(group_by))))
    args["first"] = GraphQLArgument(GraphQLInt, default=GraphQLDefaultInput(value=AGGREGATE_PAGE_SIZE))
    return bound(GraphQLNonNull(GraphQLList(row)), AggregateRoot(module), args=args)


_ROOTS = {Root.ONE: _one_root, Root.MANY: _many_root, Root.AGGREGATE: _aggregate_root}


def _page_arguments(world: World, module: Module, *, by_search: bool, by_offset: bool) -> dict[str, GraphQLArgument]:
    """Make the arguments of a list. Rows without a key have no cursors, so their only way on is `offset`."""
    args = {"first": GraphQLArgument(GraphQLInt, default=GraphQLDefaultInput(value=PAGE_SIZE))}
    if module.has_id:
        args |= {
            "after": GraphQLArgument(GraphQLString),
            "last": GraphQLArgument(GraphQLInt),
            "before": GraphQLArgument(GraphQLString),
        }
    if by_offset or not module.has_id:
        args["offset"] = GraphQLArgument(GraphQLInt)
    args["filter"] = GraphQLArgument(world.named(f"{module.type_name}Filter"))
    if by_search:
        args["search"] = GraphQLArgument(GraphQLString)
    if outline_in(world, module).has_order:
        order = world.named(f"{module.type_name}Order")
        args["orderBy"] = GraphQLArgument(GraphQLList(GraphQLNonNull(order)))
    return args
