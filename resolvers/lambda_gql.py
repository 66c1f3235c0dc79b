"""`gql(query, variables)` of lambdas: queries of the same caller, within the same limits and rights, by the same plans.

Questions with the same text are answered together: what differs in variables alone shares its statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType

from lambdas.contract import Answer, Question
from resolvers.context import Context
from resolvers.document import Document, DocumentRefused, Documents
from resolvers.errors import BadRequest, OperationError
from resolvers.execute import execute
from resolvers.planning import answer_alike
from resolvers.selection import Selections, select, vary

QUERIES_ONLY = "gql() asks queries; this is a {}."
AT_ONCE = 4  # of those that have no plan: each has statements of its own


@dataclass(frozen=True, slots=True)
class Queries:
    """Answers the questions `gql` of lambdas. `documents` keeps what they ask, apart from what clients ask."""

    documents: Documents

    async def __call__(self, context: Context, questions: Sequence[Question]) -> Sequence[Answer]:
        """Answer all of them, each text once."""
        inner = context.asked_by_lambda()
        texts: dict[str, list[int]] = {}
        for place, question in enumerate(questions):
            texts.setdefault(question.args[0], []).append(place)
        variables = [question.args[1] or {} for question in questions]
        asked = [[variables[place] for place in places] for places in texts.values()]
        found = await asyncio.gather(
            *(self._of_text(inner, text, given) for text, given in zip(texts, asked, strict=True))
        )
        context.statements += inner.statements
        answers = {
            place: answer
            for places, part in zip(texts.values(), found, strict=True)
            for place, answer in zip(places, part, strict=True)
        }
        return [answers[place] for place in range(len(questions))]

    async def _of_text(self, context: Context, text: str, given: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        try:
            document = self._document(context, text)
            return await _Asked(context, document, given).answers()
        except DocumentRefused as refused:
            return [Answer(error=refused.errors[0].message)] * len(given)
        except OperationError as error:
            return [Answer(error=str(error))] * len(given)

    def _document(self, context: Context, text: str) -> Document:
        version = f"{context.snapshot.version}:{context.audience}"
        document = self.documents.prepare(text, context.schema, version)
        kind = document.operation(None).operation
        if kind is not OperationType.QUERY:
            raise BadRequest(QUERIES_ONLY.format(kind.value))
        return document


@dataclass(frozen=True, slots=True)
class _Asked:
    """One text with several sets of variables."""

    context: Context
    document: Document
    given: Sequence[Mapping[str, Any]]

    async def answers(self) -> Sequence[Answer]:
        """Answer by plan, and one by one what has none."""
        places, selections = self._selected()
        found: list[ExecutionResult | None] = [None] * len(self.given)
        for place, result in zip(places, await answer_alike(self.context, selections), strict=True):
            found[place] = result
        turn = asyncio.Semaphore(AT_ONCE)
        rest = [place for place, result in enumerate(found) if result is None]
        for place, result in zip(
            rest, await asyncio.gather(*(self._alone(place, turn) for place in rest)), strict=True
        ):
            found[place] = result
        return [_told(result) for result in found if result is not None]

    def _selected(self) -> tuple[list[int], list[Selections]]:
        """Return those whose variables fit; what is wrong with the others is told when they are carried out."""
        places: list[int] = []
        selections: list[Selections] = []
        for place, variables in enumerate(self.given):
            try:
                first = selections[0] if selections else None
                fits = (
                    vary(first, variables)
                    if first
                    else select(self.context.schema, self.document.node, None, variables)
                )
            except (OperationError, GraphQLError):
                continue
            selections.append(fits)
            places.append(place)
        return places, selections

    async def _alone(self, place: int, turn: asyncio.Semaphore) -> ExecutionResult:
        async with turn:
            spent = self.context.spent
            context = replace(self.context, statements=0, cost_limit=max(self.context.cost_limit - spent.cost, 0))
            result = await execute(context, self.document.node, None, self.given[place])
            spent.cost += context.cost
            self.context.statements += context.statements
        return result


def _told(result: ExecutionResult) -> Answer:
    """Throw what failed: a lambda that is to go on without it says so."""
    if not result.errors:
        return Answer(result.data)
    error = result.errors[0]
    path = ".".join(map(str, error.path or ()))
    return Answer(error=f"{path}: {error.message}" if path else error.message)
