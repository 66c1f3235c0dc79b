"""graphql-core's validation and executor, leaving no circles behind that hold the schema, the request and its rows.

Both leave objects that refer to each other. Until the garbage collector comes by they hold everything that a request had,
and with it old snapshots. Here all that is heavy goes when the last user lets go of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    assert_valid_schema,
)
from graphql.execution.incremental import IncrementalExecutor
from graphql.language import (
    BREAK,
    SKIP,
    FragmentDefinitionNode,
    Node,
    ParallelVisitor,
    Visitor,
    VisitorKeyMap,
    visit,
)
from graphql.language.visitor import EnterLeaveVisitor
from graphql.pyutils import RefMap
from graphql.validation import ASTValidationRule, ValidationContext
from graphql.validation.validate import (
    FragmentNestingVisitor,
    ValidationAbortedError,
    query_document_keys_to_validate,
)
from graphql.validation.validation_context import NodeWithSelectionSet, VariableUsage

_Method: TypeAlias = Callable[..., Any]

# What a validation keeps by node.
_BY_NODE = (
    "_fragment_spreads",
    "_recursively_referenced_fragments",
    "_variable_usages",
    "_recursive_variable_usages",
)
# No rule looks at a name by itself, and they are half of a document's nodes.
_KEYS: VisitorKeyMap = {
    kind: tuple(key for key in keys if key not in {"name", "alias"})
    for kind, keys in query_document_keys_to_validate.items()
}


class LeanExecutor(IncrementalExecutor):
    """The executor without the one reference that leads back to itself."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        here = weakref.proxy(self)  # its methods are looked up when they are called: bound ones would hold it
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=lambda values: here.gather_async_work(values),  # noqa: PLW0108 - see above
            track=lambda values: here.track_async_work(values),  # noqa: PLW0108 - see above
        )


class _Context(ValidationContext):
    """What rules are asked in. Nodes are known by their identity: by value, each would be hashed with all that is in it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for name in _BY_NODE:
            setattr(self, name, RefMap())

    def get_variable_usages(self, node: NodeWithSelectionSet) -> list[VariableUsage]:
        """Return the variables used in an operation or fragment: none, without a look, where no `$` is written."""
        source = self.document.loc.source.body if self.document.loc else "$"
        return super().get_variable_usages(node) if "$" in source else []


class _Typed(TypeInfoVisitor):
    """Keeps track of types, and asks the rules only about kinds of nodes that they look at."""

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """Return what is called for nodes of a kind."""
        found = self.enter_leave_map.get(kind)
        if found is None:
            found = self.enter_leave_map[kind] = EnterLeaveVisitor(*self._make(kind))
        return found

    def _make(self, kind: str) -> tuple[_Method | None, _Method | None]:
        enters: _Method | None = getattr(self.type_info, f"enter_{kind}", None)
        leaves: _Method | None = getattr(self.type_info, f"leave_{kind}", None)
        ask_first, ask_last = self.visitor.get_enter_leave_for_kind(kind)
        if enters is None and leaves is None:
            return ask_first, ask_last

        def enter(node: Node, *args: Any) -> None:
            if enters is not None:
                enters(node)
            if ask_first is not None:
                ask_first(node, *args)

        def leave(node: Node, *args: Any) -> None:
            if ask_last is not None:
                ask_last(node, *args)
            if leaves is not None:
                leaves()

        return enter, leave


class _Rules(ParallelVisitor):
    """All rules at once; which of them look at a kind of node is found out once for all documents."""

    visitors: Sequence[Visitor]

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """Return what is called for nodes of a kind."""
        found = self.enter_leave_map.get(kind)
        if found is None:
            found = self.enter_leave_map[kind] = self._make(kind)
        return found

    def _make(self, kind: str) -> EnterLeaveVisitor:
        visitors = self.visitors
        enters, leaves = _interested(tuple(map(type, visitors)), kind)
        entering = [(index, getattr(visitors[index], name)) for index, name in enters]
        leaving = [(index, getattr(visitors[index], name) if name else None) for index, name in leaves]
        return EnterLeaveVisitor(
            _entering(entering, self.skipping) if entering else None,
            _leaving(leaving, self.skipping) if leaving else None,
        )


def _entering(methods: Sequence[tuple[int, _Method]], skipping: list[Any]) -> _Method:
    def enter(node: Node, *args: Any) -> None:
        for index, method in methods:
            if not skipping[index]:
                result = method(node, *args)
                if result is not None:  # no rule edits a document
                    skipping[index] = node if result is SKIP or result is False else BREAK

    return enter


def _leaving(methods: Sequence[tuple[int, _Method | None]], skipping: list[Any]) -> _Method:
    def leave(node: Node, *args: Any) -> None:
        for index, method in methods:
            if not skipping[index]:
                result = method(node, *args) if method is not None else None
                if result is BREAK or result is True:
                    skipping[index] = BREAK
            elif skipping[index] is node:
                skipping[index] = None

    return leave


@cache
def _interested(rules: tuple[Any, ...], kind: str) -> tuple[list[tuple[int, str]], list[tuple[int, str | None]]]:
    """Say which of the rules look at a kind of node, and with which methods; who enters it also leaves it."""
    enters: list[tuple[int, str]] = []
    leaves: list[tuple[int, str | None]] = []
    for index, rule in enumerate(rules):
        enter, leave = _method(rule, "enter", kind), _method(rule, "leave", kind)
        if enter:
            enters.append((index, enter))
        if enter or leave:
            leaves.append((index, leave))
    return enters, leaves


def _method(rule: Any, what: str, kind: str) -> str | None:
    return next((name for name in (f"{what}_{kind}", what) if getattr(rule, name, None) is not None), None)


class _Enough(Exception):
    """As many errors were found as are wanted."""


def validate(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Collection[type[ASTValidationRule]],
    *,
    max_errors: int,
    hide_suggestions: bool,
) -> list[GraphQLError]:
    """Hold a document against a schema: graphql-core's `validate` at half of its cost. It stops at the last error wanted."""
    assert_valid_schema(schema)
    errors: list[GraphQLError] = []

    def note(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) >= max_errors:
            raise _Enough

    types = TypeInfo(schema)
    context = _Context(schema, document, types, note, hide_suggestions)
    made: list[Visitor] = [rule(context) for rule in rules]
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    if fragments:
        made.insert(0, FragmentNestingVisitor(fragments))
    rules_at_once = _Rules(made)
    walker = _Typed(types, rules_at_once)
    try:
        visit(document, walker, _KEYS)
    except _Enough:
        pass
    except ValidationAbortedError as error:  # fragments would be more work than graphql-core does
        error.__context__ = None  # it must not hold what it was raised in
        errors.append(error.with_traceback(None))
    except RecursionError:
        errors.append(ValidationAbortedError("Validation aborted."))
    for circle in (types, walker, rules_at_once, *made):
        vars(circle).clear()
    return errors
