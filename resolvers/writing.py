"""What a mutation works with beyond a read: who has a say in rows of a table, which lambdas run, whom to wake afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.conduct import Conduct
from resolvers.hands import Hand
from resolvers.hooks import HookRunner
from resolvers.lambda_outside import Outside


def _nobody() -> None:
    """Wake nobody."""


@dataclass(frozen=True, slots=True)
class Note:
    """How `note(ticket, text)` of lambdas is written: a mutation, its input that names the row, and the rest of its input."""

    mutation: str
    key: str
    write: Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Writing:
    """The tools of one request's mutations.

    `conducts` are by table, `hands` (mutations written by hand) by the name of their binding; `committed` is called after
    each commit; `idempotency_key` is the client's, or None. Without `hooks` the lambdas of the modules run in the sandbox.
    `outside` is what lambdas that run after or instead of a write may ask beyond the data.
    """

    conducts: Mapping[str, Conduct] = field(default_factory=dict)
    hands: Mapping[str, Hand] = field(default_factory=dict)
    hooks: HookRunner | None = None
    note: Note | None = None
    outside: Outside | None = None
    committed: Callable[[], None] = _nobody
    idempotency_key: str | None = None
