"""What one request carries from beginning to end: one snapshot, one caller, one deadline, one count."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from graphql import GraphQLSchema

from identity.access import Access, access_of
from identity.principals import Principal, audience_of
from identity.rights import Rights
from lambdas.contract import Answer, Question
from resolvers.computed import LambdaRunner, NoRunner
from resolvers.lambda_caller import Moment
from resolvers.text_sources import NoTexts, Texts
from schema.snapshot import Snapshot
from schema.spec import Audience
from storage.changes import Batch, read_since
from storage.engine import Database

REQUEST_DEADLINE_S = 5.0
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


def _deadline() -> float:
    return time.monotonic() + REQUEST_DEADLINE_S


@dataclass(slots=True)
class Context:
    """One request of whoever has these rights. `secret` signs cursors and versions; `deadline` is of `time.monotonic()`.

    `asks` are by the verbs of the questions that its lambdas may ask.
    """

    snapshot: Snapshot
    database: Database
    secret: bytes
    rights: Rights
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deadline: float = field(default_factory=_deadline)
    lambdas: LambdaRunner = field(default_factory=NoRunner)
    asks: Mapping[str, Ask] = field(default_factory=dict)
    moment: Moment = field(default_factory=Moment)
    languages: tuple[str, ...] = ()  # of messages, the best first
    changes: FeedReader | None = None  # the process's own; another one knows less of what is still being committed
    texts: Texts = field(default_factory=NoTexts)  # what of the full-text index can be used
    cost_limit: int = COST_LIMIT
    cost: int = 0
    statements: int = 0
    is_planned: bool = False
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

    @property
    def feed(self) -> FeedReader:
        """The feed of changes."""
        return self.changes or OwnFeed(self.database)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema of the caller's audience."""
        return self.snapshot.schema_for(self.audience)
