"""What an operation may be at most, counted on the parsed document before it is validated (validation can be quadratic)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
)

from resolvers.lexing import TooMuch

# The plumbing of connections says nothing about how deep the data is asked for.
PLUMBING = frozenset({"edges", "node", "nodes"})
INTROSPECTION = frozenset({"__schema", "__type"})
# Lists of introspection that lead to more types: nested, they multiply the size of the schema with itself.
TYPE_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes", "types"})
MAX_TYPE_LISTS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits by name; the settings of the same names say what each one means."""

    document_bytes: int = 100_000
    tokens: int = 2_000
    depth: int = 12
    introspection_depth: int = 15
    aliases: int = 30
    selections: int = 300
    equal_siblings: int = 20
    directives: int = 50
    values: int = 500
    variables: int = 100
    fragments: int = 50
    operations: int = 5
    root_fields: int = 20
    mutation_fields: int = 10


def check_limits(document: DocumentNode, limits: Limits) -> None:
    """Raise `TooMuch` when the document asks for more than the limits allow.

    A document whose fragments run in circles is counted as it is written alone; it is not fit to be validated as a whole.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    _check(len(operations), limits.operations, "operations")
    _check(len(document.definitions) - len(operations), limits.fragments, "fragments")
    _Written(limits).count(document)
    if has_cycle(document):
        return
    for operation in operations:
        _Expanded(limits, fragments, operation).check()
    # What no operation uses is validated all the same.
    for fragment in fragments.values():
        _Expanded(limits, fragments, fragment).check()


def has_cycle(document: DocumentNode) -> bool:
    """Tell whether a fragment spreads itself, directly or through others: such a document has no size to count."""
    spreads = {
        node.name.value: set(_spreads(node.selection_set))
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    # What spreads nothing that is left is in no cycle; what remains in the end is.
    while spreads:
        done = {name for name, found in spreads.items() if not found & spreads.keys()}
        if not done:
            return True
        for name in done:
            del spreads[name]
    return False


def _spreads(selections: SelectionSetNode) -> Iterator[str]:
    stack = [selections]
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                yield selection.name.value
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                stack.append(selection.selection_set)


def _check(found: int, limit: int, what: str) -> None:
    if found > limit:
        raise TooMuch(f"The document has more than {limit} {what}.")


class _Written:
    """Counts what stands in the document as it is written."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.selections = self.aliases = self.directives = self.values = self.variables = 0

    def count(self, document: DocumentNode) -> None:
        """Count every definition; raise as soon as a count is too high."""
        for definition in document.definitions:
            self._count_directives(definition)
            for variable in getattr(definition, "variable_definitions", None) or ():
                self.variables += 1
                _check(self.variables, self.limits.variables, "variables")
                self._count_directives(variable)
                if variable.default_value:
                    self._count_value(variable.default_value)
            found = getattr(definition, "selection_set", None)
            stack: list[SelectionSetNode] = [found] if found else []
            while stack:
                self._count_selections(stack.pop(), stack)
        self._check_values()

    def _count_selections(self, selections: SelectionSetNode, stack: list[SelectionSetNode]) -> None:
        self.selections += len(selections.selections)
        _check(self.selections, self.limits.selections, "selections")
        for selection in selections.selections:
            self._count_directives(selection)
            if isinstance(selection, FieldNode):
                self.aliases += selection.alias is not None
                for argument in selection.arguments or ():
                    self._count_value(argument.value)
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                stack.append(selection.selection_set)
        _check(self.aliases, self.limits.aliases, "aliases")

    def _count_directives(self, node: object) -> None:
        for directive in getattr(node, "directives", None) or ():
            self.directives += 1
            for argument in directive.arguments or ():
                self._count_value(argument.value)
        _check(self.directives, self.limits.directives, "directives")

    def _count_value(self, value: ValueNode) -> None:
        stack = [value]
        while stack:
            node = stack.pop()
            self.values += 1
            if isinstance(node, ListValueNode):
                stack.extend(node.values)
            elif isinstance(node, ObjectValueNode):
                stack.extend(item.value for item in node.fields)
        self._check_values()

    def _check_values(self) -> None:
        if self.values > self.limits.values:
            raise TooMuch(
                f"The document has more than {self.limits.values} arguments and literal values. Send them as variables."
            )


class _Expanded:
    """Walks one operation or fragment as it is executed: fragments in place, selections of one response name merged."""

    def __init__(
        self,
        limits: Limits,
        fragments: dict[str, FragmentDefinitionNode],
        root: OperationDefinitionNode | FragmentDefinitionNode,
    ) -> None:
        self.limits = limits
        self.fragments = fragments
        self.root = root
        self.selections = 0

    def check(self) -> None:
        """Raise when the operation is too deep, too wide, or repeats itself too often."""
        top = self._merge([self.root.selection_set])
        if isinstance(self.root, OperationDefinitionNode):
            _check(len(top), self.limits.root_fields, "root fields")
            if self.root.operation is OperationType.MUTATION:
                _check(len(top), self.limits.mutation_fields, "root fields in a mutation")
            names = [nodes[0].name.value for nodes in top.values()]
            if ("__schema" in names and set(names) - {"__typename"} != {"__schema"}) or names.count("__schema") > 1:
                raise TooMuch("Ask for `__schema` once, in an operation of its own.")
        inside = isinstance(self.root, FragmentDefinitionNode) and self.root.type_condition.name.value.startswith("__")
        for nodes in top.values():
            if inside or nodes[0].name.value in INTROSPECTION:
                self._descend(nodes, 1, self.limits.introspection_depth, 0)
            else:
                self._descend(nodes, 1, self.limits.depth, None)

    def _descend(self, nodes: Sequence[FieldNode], depth: int, limit: int, lists: int | None) -> None:
        """Go one level down. `lists` counts the lists of types passed inside introspection; None outside of it."""
        if depth > limit:
            raise TooMuch(f"The document is deeper than {limit} levels.")
        if lists is not None and nodes[0].name.value in TYPE_LISTS:
            lists += 1
            if lists > MAX_TYPE_LISTS:
                raise TooMuch("The document nests lists of types inside introspection.")
        below = [node.selection_set for node in nodes if node.selection_set]
        if not below:
            return
        for children in self._merge(below).values():
            plumbing = lists is None and children[0].name.value in PLUMBING
            self._descend(children, depth if plumbing else depth + 1, limit, lists)

    def _merge(self, sets: Sequence[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        merged: dict[str, list[FieldNode]] = {}
        for field in self._fields(sets, set()):
            name = field.alias.value if field.alias else field.name.value
            nodes = merged.setdefault(name, [])
            nodes.append(field)
            if len(nodes) > self.limits.equal_siblings:
                raise TooMuch(
                    f"The document selects one name more than {self.limits.equal_siblings} times at one place."
                )
        return merged

    def _fields(self, sets: Sequence[SelectionSetNode], seen: set[str]) -> Iterator[FieldNode]:
        for selections in sets:
            for selection in selections.selections:
                self.selections += 1
                _check(self.selections, self.limits.selections, "selections once its fragments are in place")
                if isinstance(selection, FieldNode):
                    yield selection
                elif isinstance(selection, InlineFragmentNode):
                    yield from self._fields([selection.selection_set], seen)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    fragment = self.fragments.get(selection.name.value)
                    if fragment:
                        yield from self._fields([fragment.selection_set], seen)
