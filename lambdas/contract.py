"""What may be asked of the sandbox and what comes back: plain data, the only thing that crosses the wall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from lambdas.errors import FailureCode
from lambdas.limits import FIELD_LIMITS, Limits


class Power(StrEnum):
    """What a lambda may use beyond looking at its item."""

    GQL = "gql"
    SQL = "sql"
    HTTP = "http"
    SECRET = "secret"  # noqa: S105 - the name of a helper
    WRITE = "write"  # create, update, remove, note
    SET = "set"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Script:
    """A lambda: the body of a function of item, args, me, now and before. `line` is where the body starts in its file."""

    name: str
    source: str
    line: int = 1
    powers: frozenset[Power] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """One lambda over many rows, each a JSON object.

    With `shape`, rows are lists of values instead; `shape` says for each value the references that it stands inside and its
    names, so that a value under three names crosses once. `befores` are the rows as they were, for hooks around changes.
    """

    script: Script
    rows: Sequence[Any]
    args: Mapping[str, Any] = field(default_factory=dict)
    shape: Sequence[tuple[Sequence[str], Sequence[str]]] | None = None
    befores: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker does at a stretch: lambdas of one module for one caller.

    `now_ms` (since 1970, UTC) and `seed` are all that a lambda can see of clock and chance, so that a replay takes the same path.
    """

    module: str
    batches: Sequence[Batch]
    me: Mapping[str, Any]
    now_ms: float
    seed: int
    limits: Limits = FIELD_LIMITS
    texts: Mapping[str, str] = field(default_factory=dict)  # translations for `t(key)`
    measured: bool = False  # whether the heap is looked at, too


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a lambda has no value. Line and column are those of the file; a message holds nothing of the server's."""

    code: FailureCode
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """What `reject(field, message)` said; None for the row as a whole."""

    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Deed:
    """An operation that a lambda asks for, to be done after it has returned: `verb` is create, update, remove or note."""

    verb: str
    args: tuple[Any, ...]


@dataclass(slots=True)
class Outcome:
    """What a lambda made of one row. With a failure nothing else counts but the log.

    There is one for each row of a page, and a frozen one takes ten times as long to make.
    """

    value: Any = None
    failure: Failure | None = None
    log: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()
    deeds: tuple[Deed, ...] = ()
    questions: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a job took. Heap in bytes, as V8 counts it after the job; times in milliseconds."""

    cpu_ms: float = 0
    wall_ms: float = 0
    heap_bytes: int = 0
    rounds: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The outcomes of a job: for each batch one a row, in their order."""

    outcomes: tuple[tuple[Outcome, ...], ...]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Question:
    """What a lambda asks while it runs: `gql(query, variables)`, `db.query(sql, …)` (`query`, `queryRow`), `http`, `secret`."""

    verb: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A question's answer: a JSON value, or what the lambda gets thrown."""

    value: Any = None
    error: str | None = None


Answerer = Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]


class Runner(Protocol):
    """Who runs jobs. What goes wrong stands in the outcomes; only a cancelled task raises."""

    async def run(self, job: Job, answer: Answerer | None = None) -> Result:
        """Run a job. `answer` gets all distinct questions of a round at once and answers them in their order."""

    async def compile(self, module: str, scripts: Sequence[Script]) -> Sequence[Failure | None]:
        """Say of each script why it does not compile, or None."""
