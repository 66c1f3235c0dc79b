"""Questions of lambdas go to whoever knows their verb, and come back in their order."""

import asyncio
from collections.abc import Sequence

from lambdas.answering import UNANSWERED, by_verb
from lambdas.contract import Answer, Question


def test_each_question_goes_to_who_knows_its_verb_and_answers_keep_their_order() -> None:
    async def twice(questions: Sequence[Question]) -> Sequence[Answer]:
        return [Answer(question.args[0] * 2) for question in questions]

    async def size(questions: Sequence[Question]) -> Sequence[Answer]:
        return [Answer(len(questions)) for _ in questions]

    asked = [Question("twice", (1,)), Question("size", ()), Question("twice", (3,)), Question("size", ())]
    found = asyncio.run(_ask({"twice": twice, "size": size}, asked))
    assert found == [Answer(2), Answer(2), Answer(6), Answer(2)]


def test_verbs_are_answered_at_once() -> None:
    async def met() -> Sequence[Answer]:
        meeting = asyncio.Barrier(2)

        async def wait(questions: Sequence[Question]) -> Sequence[Answer]:
            await asyncio.wait_for(meeting.wait(), 30)
            return [Answer("met") for _ in questions]

        return await by_verb({"a": wait, "b": wait})([Question("a", ()), Question("b", ())])

    assert asyncio.run(met()) == [Answer("met"), Answer("met")]


def test_what_nobody_knows_and_what_breaks_is_said_and_spoils_no_other_answer() -> None:
    async def broken(_questions: Sequence[Question]) -> Sequence[Answer]:
        raise RuntimeError("a secret of the server")

    async def fine(questions: Sequence[Question]) -> Sequence[Answer]:
        return [Answer("fine") for _ in questions]

    asked = [Question("http", ()), Question("broken", ()), Question("fine", ())]
    found = asyncio.run(_ask({"broken": broken, "fine": fine}, asked))
    assert found == [Answer(error="There is no http here."), Answer(error=UNANSWERED), Answer("fine")]


async def _ask(known: dict[str, object], asked: Sequence[Question]) -> Sequence[Answer]:
    return await by_verb(known)(asked)  # type: ignore[arg-type] # answerers of the tests
