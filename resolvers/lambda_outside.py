"""What lambdas may ask beyond the data: other servers, and secrets. For actions, schedules and hooks after a write only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from identity.secrets import Secrets
from lambdas.contract import Answer, Answerer, Question, Result
from lambdas.http_client import HttpClient
from lambdas.masking import mask_result, mask_text

HTTP, SECRET = "http", "secret"
NO_SECRET = "There is no secret of this name for lambdas of this module."  # noqa: S105 - what is said instead of one
LATE = "There is no time left."


@dataclass(frozen=True, slots=True)
class Outside:
    """What one server lets its lambdas ask for."""

    http: HttpClient
    secrets: Secrets

    def asked_by(self, module: str, deadline: float | None = None) -> Asked:
        """Return who answers one job of a module; `deadline` is an instant of `time.monotonic()`."""
        return Asked(self, module, deadline)


@dataclass(slots=True)
class Asked:
    """Answers one job, and knows which secrets it was given, so that nothing that is shown of it holds them."""

    outside: Outside
    module: str
    deadline: float | None
    given: set[str] = field(default_factory=set)

    def answerers(self) -> Mapping[str, Answerer]:
        """Return who answers, by verb, to stand beside those who answer from the data."""
        return {HTTP: self._call, SECRET: self._reveal}

    def mask(self, result: Result) -> Result:
        """Take the secrets out of what is shown of the job."""
        return mask_result(result, self.given)

    def mask_text(self, text: str) -> str:
        """Take the secrets out of a text about the job."""
        return mask_text(text, self.given)

    async def _call(self, questions: Sequence[Question]) -> Sequence[Answer]:
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            return [Answer(error=LATE) for _ in questions]
        return await asyncio.gather(*(self.outside.http.answer(question.args, left) for question in questions))

    async def _reveal(self, questions: Sequence[Question]) -> Sequence[Answer]:
        names = [_name(question) for question in questions]
        found = await self.outside.secrets.reveal(self.module, names)
        self.given |= set(found.values())
        return [Answer(found[name]) if name in found else Answer(error=NO_SECRET) for name in names]


def _name(question: Question) -> str:
    return question.args[0] if question.args and isinstance(question.args[0], str) else ""
