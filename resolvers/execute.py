"""Running an operation: analyse, read everything that is generated, then let GraphQL's own executor shape the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import graphql
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
)

from resolvers.analysis import analyse
from resolvers.context import Context
from resolvers.door import Door
from resolvers.errors import DeadlinePassed, OperationError, cause_of, from_storage, is_fatal, mask, present
from resolvers.failed import take_out
from resolvers.footprint import Analysis
from resolvers.lambda_actions import ActionDeeds
from resolvers.lean import LeanExecutor
from resolvers.planning import answer
from resolvers.selection import Selections, VariableErrors, select
from resolvers.shape import Answer, Record
from resolvers.writers import Unplain, root_writers
from resolvers.writing import Writing
from schema.bindings import BINDING, VersionRoot
from storage.patience import Within

Info = GraphQLResolveInfo[Context]
# After the deadline, for what the database has to say of it: only that tells whether a COMMIT was on its way.
LAST_WORD_S = 0.5
READING = Writing()  # nobody beside the module files has a say, and nobody is woken


async def execute(
    context: Context,
    document: DocumentNode,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
    *,
    writing: Writing = READING,
    plain: bool = False,
) -> ExecutionResult:
    """Run a parsed, validated and limited document. What is refused has no data; every error has a code.

    `plain` does without plans, and without anything of our own in the place of GraphQL's executor: proofs hold against it.
    """
    try:
        async with Within(context.deadline - time.monotonic() + LAST_WORD_S):
            selections = select(context.schema, document, operation_name, variables)
            result = (
                None if plain else await answer(context, selections, partial(_others, context, selections, document))
            )
            result = result or await _run(context, writing, selections, document, plain=plain)
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
    return ExecutionResult(result.data, errors or None, _extensions(context))


def _extensions(context: Context) -> dict[str, Any]:
    """Say what the operation was estimated at, and to who asks for it how it was answered."""
    if context.notes is None:
        return {"cost": context.cost}
    sent = [{"sql": note.sql, "rows": note.rows, "ms": note.ms} for note in context.notes]
    return {"cost": context.cost, "explain": {"planned": context.is_planned, "statements": sent}}


async def _run(
    context: Context, writing: Writing, selections: Selections, document: DocumentNode, *, plain: bool
) -> ExecutionResult:
    every = selections.all_roots()
    known = [found for _, _, found in every if found is not None]
    analysis = analyse(context, selections, known)
    writers = root_writers(context, selections, known) if len(known) == len(every) and not plain else None
    door = Door(context)
    is_mutation = selections.operation.operation is OperationType.MUTATION
    root: Roots | Mutations
    if not is_mutation:
        root = Roots(await door.read(analysis))
    else:
        root = Mutations(ActionDeeds(context, writing, door), analysis)
        if writers is not None:
            root = await root.carry_out()
    if writers is not None and isinstance(root, Roots):
        try:
            data = {key: write(root.get(key)) for key, write in writers.items()}
            return ExecutionResult(data, take_out(data) if context.has_failed else None)
        except Unplain:
            pass
    result = await _shape(context, selections, document, root)
    for error in result.errors or ():
        cause = from_storage(cause_of(error))  # fields written by hand use the database without the door
        # What a mutation has written stays written, so its answer stands beside the failure of another.
        if is_fatal(cause) and not is_mutation:
            raise cause
    return result


async def _others(
    context: Context, selections: Selections, document: DocumentNode, operation: OperationDefinitionNode
) -> ExecutionResult:
    """Answer the roots of an operation that have no plan."""
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    reduced = DocumentNode(definitions=(operation, *fragments), loc=document.loc)
    return await _run(context, READING, replace(selections, operation=operation), reduced, plain=False)


async def answer_event(
    context: Context, selections: Selections, document: DocumentNode, key: str, event: Answer
) -> ExecutionResult:
    """Shape the answer of a subscription to one event, which stands behind the root's response key."""
    result = await _shape(context, selections, document, Roots({key: event}))
    return ExecutionResult(result.data, present(result.errors or (), context.request_id) or None)


async def _shape(context: Context, selections: Selections, document: DocumentNode, root: Any) -> ExecutionResult:
    name = selections.operation.name
    found = graphql.execute(
        context.schema,
        document,
        root_value=root,
        context_value=context,
        variable_values={name: source.value for name, source in selections.variables.sources.items()},
        operation_name=name.value if name else None,
        field_resolver=resolve,
        type_resolver=resolve_type,
        executor_class=LeanExecutor,
        hide_suggestions=True,
    )
    return found if isinstance(found, ExecutionResult) else await found


class Mutations:
    """The mutations of an operation, each carried out when the executor comes to it: one after the other."""

    def __init__(self, deeds: ActionDeeds, analysis: Analysis) -> None:
        self.deeds = deeds
        self.analysis = analysis

    async def carry_out(self) -> Roots:
        """Carry all of them out, up to one that fails as a whole: GraphQL goes no further then."""
        answers: dict[str, Any] = {}
        for key, node in self.analysis.deeds.items():
            try:
                answers[key] = await self.deeds.carry_out(node)
            except Exception as error:  # noqa: BLE001 - the executor puts it where it belongs, and it is masked there
                answers[key] = error
                break
        return Roots(answers)


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
    if isinstance(source, Mutations):
        return source.deeds.carry_out(source.analysis.deeds[str(info.path.key)])
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
