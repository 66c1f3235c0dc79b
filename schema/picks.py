"""What an introspection operation picks, as a small tree: after fragments, directives, variables and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    get_operation_ast,
    get_variable_values,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from schema.build import LambdeskSchema


@dataclass(frozen=True, slots=True)
class Pick:
    """One field of a selection after fragments, directives and variables: response key, field, arguments, what is under it."""

    key: str
    name: str
    arguments: tuple[tuple[str, Any], ...] = ()
    under: tuple[Pick, ...] = ()
    type_name: str = ""  # the introspection type that `under` picks from


def introspection_picks(
    schema: LambdeskSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
) -> tuple[Pick, ...] | None:
    """Return what an operation picks when it is a query that only introspects and its variables and arguments hold."""
    operation = get_operation_ast(document, operation_name)
    if operation is None or operation.operation is not OperationType.QUERY:
        return None
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    if not _only_introspects(operation.selection_set, fragments, set()):
        return None
    try:
        return _Reader(schema, operation, fragments, variables).picks()
    except GraphQLError:
        return None


def _only_introspects(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> bool:
    for node in selection_set.selections:
        if isinstance(node, FieldNode) and not node.name.value.startswith("__"):
            return False
        if isinstance(node, InlineFragmentNode) and not _only_introspects(node.selection_set, fragments, seen):
            return False
        if isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            fragment = fragments.get(node.name.value)
            if fragment is None or not _only_introspects(fragment.selection_set, fragments, seen):
                return False
    return True


class _Reader:
    """Reads an operation into picks, with graphql-core's own rules for fragments, directives and arguments."""

    def __init__(
        self,
        schema: LambdeskSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = {name: FragmentDetails(node) for name, node in fragments.items()}
        values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
        if isinstance(values, list):
            raise values[0]
        self._values: VariableValues = values

    def picks(self) -> tuple[Pick, ...]:
        root = self._schema.root_query
        return self._all(root, collect_fields(self._schema, self._fragments, self._values, root, self._operation))

    def _all(self, parent: GraphQLObjectType, collected: CollectedFields) -> tuple[Pick, ...]:
        return tuple(self._one(parent, key, details) for key, details in collected.grouped_field_set.items())

    def _one(self, parent: GraphQLObjectType, key: str, details: list[FieldDetails]) -> Pick:
        node = details[0].node
        field = self._schema.get_field(parent, node.name.value)
        if field is None:
            raise GraphQLError(f"There is no field `{node.name.value}` in `{parent}`.")
        arguments = tuple(sorted(get_argument_values(field, node, self._values).items()))
        type_ = get_named_type(field.type)
        if not isinstance(type_, GraphQLObjectType):
            return Pick(key, node.name.value, arguments)
        found = collect_subfields(self._schema, self._fragments, self._values, self._operation, type_, details)
        return Pick(key, node.name.value, arguments, self._all(type_, found), type_.name)
