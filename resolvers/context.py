"""What one request carries from beginning to end: one snapshot, one caller, one deadline, one count."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self, TypeAlias

from graphql import GraphQLSchema

from identity.access import Access, access_of
from identity.principals import Principal, audience_of
from identity.rights import Rights
from lambdas.contract import Answer, Question, Runner
from lambdas.off import Off
from resolvers.errors import TooComplex
from resolvers.lambda_caller import Moment
from resolvers.lambda_limits import LambdaLimits
from resolvers.lambda_memory import Memory
from resolvers.text_sources import NoTexts, Texts
from schema.snapshot import Snapshot
from schema.spec import Audience
from storage.changes import Batch, read_since
from storage.engine import Database
from storage.places import Places

REQUEST_DEADLINE_S = 5.0
STATEMENTS_AT_ONCE = 4  # of one request, so that it cannot take the whole pool
COST_LIMIT = 200_000  # rows times fields


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement that was sent: its text, in which marks stand for the values, what it found, and how long that took."""

    sql: str
    rows: int
    ms: float


class FeedReader(Protocol):
    """Reads the feed of changes; `storage.feed.Feed` does."""

    async def read_since(self, after_id: int, limit: int, modules: Sequence[str] | None = None) -> Batch:
        """Read changes after an id."""


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """The feed for one request alone: it remembers nothing of ids that may still come, and may wait longer for them."""

    database: Database

    async def read_since(self, after_id: int, limit: int, modules: Sequence[str] | None = None) -> Batch:
        """Read changes after an id."""
        return await read_since(self.database, after_id, limit, modules)


# Answers questions of lambdas as the caller of a request.
Ask: TypeAlias = "Callable[[Context, Sequence[Question]], Awaitable[Sequence[Answer]]]"


@dataclass(slots=True)
class Spent:
    """What the questions of a request's lambdas have cost together."""

    cost: int = 0


def _deadline() -> float:
    return time.monotonic() + REQUEST_DEADLINE_S


@dataclass(slots=True)
class Context:
    """One request of whoever has these rights. `secret` signs cursors and versions; `deadline` is of `time.monotonic()`.

    `asks` are by the verbs of the questions that its lambdas may ask; `depth` tells how many lambdas asked one another to come here.
    """

    snapshot: Snapshot
    database: Database
    secret: bytes
    rights: Rights
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deadline: float = field(default_factory=_deadline)
    lambdas: Runner = field(default_factory=Off)
    lambda_limits: LambdaLimits = field(default_factory=LambdaLimits)
    asks: Mapping[str, Ask] = field(default_factory=dict)
    memory: Memory | None = None  # of what lambdas made of rows; None where nothing is remembered
    moment: Moment = field(default_factory=Moment)
    depth: int = 0
    spent: Spent = field(default_factory=Spent)
    places: Places = field(default_factory=lambda: Places(STATEMENTS_AT_ONCE))
    apart: bool = False  # rows that look the same to a lambda are not run as one: somebody wants to see each
    hook_depth: int = 0  # how many hooks after writes led here
    languages: tuple[str, ...] = ()  # of messages, the best first
    changes: FeedReader | None = None  # the process's own; another one knows less of what is still being committed
    texts: Texts = field(default_factory=NoTexts)  # what of the full-text index can be used
    cost_limit: int = COST_LIMIT
    cost: int = 0
    statements: int = 0
    is_planned: bool = False
    has_failed: bool = False  # a lambda, for one row at least
    notes: list[Sent] | None = None  # of the statements that are sent; None where nobody asks for them

    @property
    def caller(self) -> Principal:
        """Who is calling."""
        return self.rights.principal

    @property
    def audience(self) -> Audience:
        """Whose schema the caller uses."""
        return audience_of(self.rights.principal)

    @property
    def access(self) -> Access:
        """What the caller may do."""
        return access_of(self.rights)

    def spend(self, cost: int) -> None:
        """Count what a lambda asks for; all of it together may cost what an operation may. Raises `TooComplex`."""
        if self.spent.cost + cost > self.cost_limit:
            raise TooComplex(
                f"The lambdas of this operation ask for more than a cost of {self.cost_limit} (rows times fields)."
            )
        self.spent.cost += cost

    def asked_by_lambda(self) -> Self:
        """Return the context of an operation that a lambda of this one asks for: the same caller, moment and deadline."""
        return replace(
            self, depth=self.depth + 1, apart=False, cost=0, statements=0, is_planned=False, has_failed=False
        )

    @property
    def feed(self) -> FeedReader:
        """The feed of changes."""
        return self.changes or OwnFeed(self.database)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema of the caller's audience."""
        return self.snapshot.schema_for(self.audience)
