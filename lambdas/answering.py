"""Who answers what lambdas ask: each question goes to the one that knows its verb, all verbs at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from lambdas.contract import Answer, Answerer, Question

UNKNOWN = "There is no {verb} here."
UNANSWERED = "The question could not be answered."

log = logging.getLogger("lambdesk.lambdas")


def by_verb(known: Mapping[str, Answerer]) -> Answerer:
    """Make an answerer of several, by the verbs that they know."""

    async def answer(questions: Sequence[Question]) -> Sequence[Answer]:
        places: dict[str, list[int]] = {}
        for place, question in enumerate(questions):
            places.setdefault(question.verb, []).append(place)
        parts = [[questions[place] for place in found] for found in places.values()]
        answers = await asyncio.gather(
            *(_ask(known.get(verb), verb, part) for verb, part in zip(places, parts, strict=True))
        )
        found = {
            place: answer
            for verb_places, part in zip(places.values(), answers, strict=True)
            for place, answer in zip(verb_places, part, strict=True)
        }
        return [found[place] for place in range(len(questions))]

    return answer


async def _ask(answerer: Answerer | None, verb: str, questions: Sequence[Question]) -> Sequence[Answer]:
    if answerer is None:
        return [Answer(error=UNKNOWN.format(verb=verb)) for _ in questions]
    try:
        return await answerer(questions)
    except Exception:
        # A job goes on without the answer; what it was is no business of a lambda's.
        log.exception("questions of lambdas could not be answered: %s", verb)
        return [Answer(error=UNANSWERED) for _ in questions]
