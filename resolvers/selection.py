"""Which fields an operation selects, as graphql-core's own executor collects them: fragments, aliases, @skip, @include."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    ValueNode,
    VariableNode,
    get_argument_values,
    print_ast,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from resolvers.errors import BadRequest
from resolvers.literals import read_arguments
from resolvers.variables import coerce_variables
from schema.bindings import BINDING, Binding


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """One response key of a selection, its fields merged."""

    path: tuple[str, ...]
    nodes: tuple[FieldNode, ...]
    details: list[FieldDetails]
    definition: GraphQLField
    args: Mapping[str, Any]
    given: frozenset[str]

    @property
    def key(self) -> str:
        """The response key, which ends the path."""
        return self.path[-1]

    @property
    def name(self) -> str:
        """The field's name."""
        return self.nodes[0].name.value

    @property
    def binding(self) -> Binding | None:
        """What the field is bound to; nothing for hand-written ones."""
        found: Binding | None = (self.definition.extensions or {}).get(BINDING)
        return found

    def same_as(self) -> str:
        """Write everything but the response key; two roots with equal texts ask for the same."""
        return repr(
            (
                self.name,
                sorted(self.args.items(), key=str),
                [print_ast(node.selection_set) for node in self.nodes if node.selection_set],
            )
        )


# A response key, the field's name, and what is selected; None for what the executor knows by itself.
Found: TypeAlias = tuple[str, str, Selected | None]


@dataclass(slots=True, eq=False)
class Selections:
    """One operation of a document with its variables."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    variables: VariableValues

    def roots(self) -> list[Selected]:
        """Return the root fields of the operation, but for those that are the executor's own business."""
        return [found for _, _, found in self.all_roots() if found is not None]

    def all_roots(self) -> list[Found]:
        """Return all root fields of the operation."""
        root = self.schema.get_root_type(self.operation.operation)
        if root is None:
            raise BadRequest(f"There is no {self.operation.operation.value} here.")
        with fitting(()):
            found = collect_fields(
                self.schema, self.fragments, self.variables, root, self.operation, hide_suggestions=True
            )
        return list(self._selected((), root, found.grouped_field_set))

    def below(self, selected: Selected, type_: GraphQLObjectType) -> Iterator[Selected]:
        """Return the fields selected in a field that returns this type, but for `__typename`."""
        return (found for _, _, found in self.all_below(selected, type_) if found is not None)

    def all_below(self, selected: Selected, type_: GraphQLObjectType) -> Iterator[Found]:
        """Return all fields selected in a field that returns this type."""
        with fitting(selected.path):
            found = collect_subfields(
                self.schema,
                self.fragments,
                self.variables,
                self.operation,
                type_,
                selected.details,
                hide_suggestions=True,
            )
        return self._selected(selected.path, type_, found.grouped_field_set)

    def args_of(self, selected: Selected) -> Mapping[str, Any]:
        """Return the arguments of a field that was selected by an earlier request with the same document."""
        return get_argument_values(selected.definition, selected.nodes[0], self.variables, hide_suggestions=True)

    def is_fixed(self, selected: Selected) -> bool:
        """Answer whether what is selected below a field is the same whatever the variables are."""
        return not any(
            self._varies(node.selection_set.selections) for node in selected.nodes if node.selection_set is not None
        )

    def _varies(self, selections: Sequence[SelectionNode]) -> bool:
        for node in selections:
            if any(
                _names_variable(argument.value) for item in node.directives or () for argument in item.arguments or ()
            ):
                return True
            if isinstance(node, FieldNode) and any(_names_variable(item.value) for item in node.arguments or ()):
                return True
            below = self.fragments[node.name.value].definition if isinstance(node, FragmentSpreadNode) else node
            inner = getattr(below, "selection_set", None)
            if inner is not None and self._varies(inner.selections):
                return True
        return False

    def _selected(
        self, above: tuple[str, ...], type_: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]
    ) -> Iterator[Found]:
        for key, details in grouped.items():
            node = details[0].node
            name = node.name.value
            definition = type_.fields.get(name)
            if definition is None:  # __typename and introspection are the executor's own business
                yield key, name, None
                continue
            path = (*above, key)
            args: Mapping[str, Any] = {}
            if definition.args:
                with fitting(path):
                    args = read_arguments(self.schema, type_.name, definition, node, self.variables)
            nodes = tuple(detail.node for detail in details)
            yield key, name, Selected(path, nodes, details, definition, args, self._given(node))

    def _given(self, node: FieldNode) -> frozenset[str]:
        """Name the arguments that the client gave a value; a variable without one leaves the default."""
        return frozenset(
            argument.name.value
            for argument in node.arguments or ()
            if not isinstance(argument.value, VariableNode) or argument.value.name.value in self.variables.coerced
        )


def _names_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_names_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_names_variable(field.value) for field in value.fields)
    return isinstance(value, VariableNode)


@contextmanager
def fitting(path: tuple[str, ...]) -> Iterator[None]:
    """Refuse arguments that do not fit: a variable may pass validation for its default, and then be null or missing."""
    try:
        yield
    except GraphQLError as error:
        # Nothing ran yet, so there is no answer with a path: the message names the place.
        message = f"{'.'.join(path)}: {error.message}" if path else error.message
        raise GraphQLError(message, nodes=error.nodes, cause=BadRequest(message)) from None


def find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to run; several need a name."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        raise BadRequest("The document has several operations: name one." if operations else "There is no operation.")
    for operation in operations:
        if operation.name and operation.name.value == name:
            return operation
    raise BadRequest("The document has no operation of this name.")


def select(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any] | None
) -> Selections:
    """Pick the operation and coerce its variables."""
    operation = find_operation(document, operation_name)
    coerced = coerce_variables(schema, operation, variables or {})
    if isinstance(coerced, list):
        raise VariableErrors(coerced)
    fragments = {
        node.name.value: FragmentDetails(node)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return Selections(schema, operation, fragments, coerced)


def vary(selections: Selections, variables: Mapping[str, Any] | None) -> Selections:
    """Return the same operation with other variables."""
    coerced = coerce_variables(selections.schema, selections.operation, variables or {})
    if isinstance(coerced, list):
        raise VariableErrors(coerced)
    return replace(selections, variables=coerced)


class VariableErrors(BadRequest):
    """The variables do not fit the operation; one message a mistake."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors[0].message)
