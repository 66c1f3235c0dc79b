"""Running an operation: analyse, read everything that is generated, then let GraphQL's own executor shape the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import graphql
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLResolveInfo

from resolvers.analysis import analyse
from resolvers.context import Context
from resolvers.door import Door
from resolvers.errors import DeadlinePassed, OperationError, cause_of, from_storage, is_fatal, mask, present
from resolvers.lean import LeanExecutor
from resolvers.selection import VariableErrors, select
from resolvers.shape import Answer, Record
from schema.bindings import BINDING, VersionRoot

Info = GraphQLResolveInfo[Context]


async def execute(
    context: Context,
    document: DocumentNode,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> ExecutionResult:
    """Run a parsed, validated and limited document. What is refused has no data; every error has a code."""
    try:
        async with asyncio.timeout(context.deadline - time.monotonic()):
            result = await _run(context, document, operation_name, variables)
    except VariableErrors as error:
        result = ExecutionResult(None, [_refusal(found, error) for found in error.errors])
    except GraphQLError as error:
        result = ExecutionResult(None, [error])
    except TimeoutError as error:
        passed = error if isinstance(error, OperationError) else DeadlinePassed()
        result = ExecutionResult(None, [mask(passed, context.request_id)])
    except Exception as error:  # noqa: BLE001 - nothing leaves unmasked; what it was is in the log
        result = ExecutionResult(None, [mask(from_storage(error), context.request_id)])
    errors = present(result.errors or (), context.request_id)
    return ExecutionResult(result.data, errors or None, {"cost": context.cost})


async def _run(
    context: Context, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any] | None
) -> ExecutionResult:
    selections = select(context.schema, document, operation_name, variables)
    analysis = analyse(context, selections)
    answers = await Door(context).read(analysis)
    found = graphql.execute(
        context.schema,
        document,
        root_value=Roots(answers),
        context_value=context,
        variable_values=dict(variables or {}),
        operation_name=operation_name,
        field_resolver=resolve,
        type_resolver=resolve_type,
        executor_class=LeanExecutor,
        hide_suggestions=True,
    )
    result = found if isinstance(found, ExecutionResult) else await found
    for error in result.errors or ():
        cause = from_storage(cause_of(error))  # fields written by hand use the database without the door
        if is_fatal(cause):
            raise cause
    return result


class Roots(Answer):
    """What the root fields of an operation found."""

    __slots__ = ("_answers",)

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def get(self, key: str) -> Any:
        """Return what was read for a root field; null for those that are not read from the database."""
        return self._answers.get(key)


def resolve(source: Any, info: Info, **args: Any) -> Any:
    """Resolve any field without a resolver of its own: what was read knows its response keys."""
    if isinstance(source, Roots) and isinstance(_binding(info), VersionRoot):
        return info.context.snapshot.version
    if isinstance(source, Answer):
        return source.get(str(info.path.key))
    return graphql.default_field_resolver(source, info, **args)


def _binding(info: Info) -> Any:
    return (info.parent_type.fields[info.field_name].extensions or {}).get(BINDING)


def resolve_type(value: Any, info: Info, abstract: graphql.GraphQLAbstractType) -> Any:
    """Say of which type a row is where the schema says only Node."""
    if isinstance(value, Record):
        return value.shape.module.type_name
    return graphql.default_type_resolver(value, info, abstract)


def _refusal(error: GraphQLError, cause: OperationError) -> GraphQLError:
    return GraphQLError(error.message, nodes=error.nodes, extensions=cause.extensions)
