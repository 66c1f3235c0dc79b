"""What lambdas of a request may ask, and who answers it as the same caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambdas.answering import by_verb
from lambdas.contract import Answer, Answerer, Batch, Job, Question
from lambdas.limits import Limits
from resolvers.context import Context
from resolvers.lambda_caller import me_of
from resolvers.lambda_texts import texts_of


def answerers(context: Context) -> Mapping[str, Answerer]:
    """Return who answers the questions of a request's lambdas, by verb. Others may add verbs of theirs."""

    def of(verb: str) -> Answerer:
        ask = context.asks[verb]

        async def answer(questions: Sequence[Question]) -> Sequence[Answer]:
            return await ask(context, questions)

        return answer

    return {verb: of(verb) for verb in context.asks}


def answerer_of(context: Context) -> Answerer:
    """Return who answers all questions of a request's lambdas."""
    return by_verb(answerers(context))


def job_of(context: Context, module: str, batches: Sequence[Batch], limits: Limits) -> Job:
    """Make a job of a request's lambdas of one module: its caller, its moment, its texts."""
    me, moment = me_of(context.rights, context.languages), context.moment
    known = context.snapshot.modules.get(module)
    texts = texts_of(known, context.languages) if known is not None and known.translations else {}
    return Job(module, batches, me, moment.now_ms, moment.seed, limits, texts)
