"""graphql-core's validation and executor, leaving no circles behind that hold the schema, the request and its rows.

Both leave objects that refer to each other. Until the garbage collector comes by they hold everything that a request had,
and with it old snapshots. Here all that is heavy goes when the last user lets go of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from typing import Any, cast

import graphql
from graphql import DocumentNode, GraphQLError, GraphQLResolveInfoHelpers, GraphQLSchema
from graphql.execution.incremental import IncrementalExecutor
from graphql.validation import ASTValidationRule, ValidationContext


class LeanExecutor(IncrementalExecutor):
    """The executor without the one reference that leads back to itself."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        here = weakref.proxy(self)  # its methods are looked up when they are called: bound ones would hold it
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=lambda values: here.gather_async_work(values),  # noqa: PLW0108 - see above
            track=lambda values: here.track_async_work(values),  # noqa: PLW0108 - see above
        )


def validate(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Collection[type[ASTValidationRule]],
    *,
    max_errors: int,
    hide_suggestions: bool,
) -> list[GraphQLError]:
    """Hold a document against a schema."""
    made: list[ASTValidationRule] = []

    def keep(rule: type[ASTValidationRule]) -> Callable[[ValidationContext], ASTValidationRule]:
        def make(context: ValidationContext) -> ASTValidationRule:
            made.append(rule(context))
            return made[-1]

        return make

    kept = cast("list[type[ASTValidationRule]]", [keep(rule) for rule in rules])
    errors = graphql.validate(schema, document, kept, max_errors, hide_suggestions=hide_suggestions)
    if made:
        vars(made[0].context._type_info).clear()  # type: ignore[attr-defined] # noqa: SLF001 - no public way; the version is pinned
    for rule in made:
        vars(rule).clear()
    return errors
