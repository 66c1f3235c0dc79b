"""What one request carries from beginning to end: one snapshot, one caller, one deadline, one count."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import GraphQLSchema

from resolvers.computed import LambdaRunner, NoRunner
from schema.snapshot import Snapshot
from schema.spec import Audience
from storage.engine import Database

REQUEST_DEADLINE_S = 5.0
COST_LIMIT = 200_000  # rows times fields


class CallerKind(StrEnum):
    """Agents and customers are different principals everywhere; an id never means anything without its kind."""

    AGENT = "agent"
    CUSTOMER = "customer"
    TOKEN = "token"  # noqa: S105 - a kind of caller, no secret
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling."""

    kind: CallerKind
    id: int
    login: str


SYSTEM = Caller(CallerKind.SYSTEM, 0, "system")


def _deadline() -> float:
    return time.monotonic() + REQUEST_DEADLINE_S


@dataclass(slots=True)
class Context:
    """One request. `secret` signs cursors and versions; `deadline` is an instant of `time.monotonic()`."""

    snapshot: Snapshot
    database: Database
    secret: bytes
    audience: Audience = Audience.AGENT
    caller: Caller = SYSTEM
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deadline: float = field(default_factory=_deadline)
    lambdas: LambdaRunner = field(default_factory=NoRunner)
    languages: tuple[str, ...] = ()  # of messages, the best first
    cost_limit: int = COST_LIMIT
    cost: int = 0
    statements: int = 0

    @property
    def schema(self) -> GraphQLSchema:
        """The schema of the caller's audience."""
        return self.snapshot.schema_for(self.audience)
