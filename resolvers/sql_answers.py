"""What `db.query` and `db.queryRow` of a lambda answer: SQL of its author, over what the caller may read.

The text passes `resolvers.sql_words` and `resolvers.sql_parse`, so that only one SELECT can be said; `resolvers.sql_ground` and
the row rules see to it that it says nothing of what the caller may not see; connections that cannot write send it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambdas.contract import Answer, Question
from resolvers.context import Context
from resolvers.errors import DatabaseAway, DeadlinePassed, OperationError, TooComplex
from resolvers.reads import Reads
from resolvers.sql_kinds import TEXT_LIMIT, Kind
from resolvers.sql_syntax import RefusedSql
from resolvers.sql_together import put_together
from resolvers.sql_values import ROWS_LIMIT, Asked, fill, read
from storage.errors import StorageError

if TYPE_CHECKING:
    from resolvers.sql_forms import Form, Forms
    from storage.direct import Ready

QUERY, QUERY_ROW = "query", "queryRow"
VERBS = (QUERY, QUERY_ROW)
TEXTS_AT_ONCE = 20  # different ones in one round: each new one takes some milliseconds in which nobody else is served
QUESTIONS_AT_ONCE = 50
ROWS_AT_ONCE = 20_000  # that one statement may give
# Statements have one of few sizes, so that databases have few of them to prepare; what is missing asks for no row.
SIZES = (1, 2, 4, 7, 12, 20, 32, QUESTIONS_AT_ONCE)
_SCALARS = (str, int, float, bool, type(None))
# What is said to a lambda of failures that have no sentence of its SQL's own.
_TOLD: Mapping[type[OperationError], str] = {
    DeadlinePassed: "SQL_TIMEOUT: The SQL took too long and was stopped.",
    DatabaseAway: "SQL_UNAVAILABLE: The database is not available at the moment.",
}
_FAILED = "SQL_FAILED: The database could not answer this SQL."
_TOO_MANY = f"SQL_LIMIT: More than {TEXTS_AT_ONCE} different texts of SQL at once; give what differs as parameters."

log = logging.getLogger("lambdesk.lambdas")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question that can be understood: its place among all, and what it gives."""

    place: int
    verb: str
    asked: Asked


async def answer(context: Context, questions: Sequence[Question]) -> list[Answer]:
    """Answer questions in SQL as the caller of a request, in their order, with as few statements as can be."""
    found: dict[int, Answer] = {}
    texts: dict[str, list[Ask]] = {}
    for place, question in enumerate(questions):
        try:
            text, ask = _understood(place, question, context)
            texts.setdefault(text, []).append(ask)
        except RefusedSql as error:
            found[place] = _refusal(error)
    for asks in list(texts.values())[TEXTS_AT_ONCE:]:
        found.update((ask.place, Answer(error=_TOO_MANY)) for ask in asks)
    if texts:
        reading = _Reading(context, await _loaded_forms(context))
        jobs = [reading.answer(text, asks) for text, asks in list(texts.items())[:TEXTS_AT_ONCE]]
        for answers in await asyncio.gather(*jobs):
            found.update(answers)
    return [found[place] for place in range(len(questions))]


async def _loaded_forms(context: Context) -> Forms:
    """Load what reads SQL when it is first asked for: half a second in which others need not wait."""
    name = "resolvers.sql_forms"
    module: Any = sys.modules.get(name) or await asyncio.to_thread(import_module, name)
    forms: Forms = module.forms_of(context)
    return forms


def _understood(place: int, question: Question, context: Context) -> tuple[str, Ask]:
    text, *values = question.args or (None,)
    if question.verb not in VERBS or not isinstance(text, str):
        raise RefusedSql("db.query and db.queryRow take a text of SQL, and values for its parameters.")
    strange = next((number for number, value in enumerate(values, 1) if not isinstance(value, _SCALARS)), None)
    if strange is not None:
        raise RefusedSql(f"Parameter {strange} must be a text, a number, true, false or null.")
    database = context.database
    now = datetime.fromtimestamp(context.moment.now_ms / 1000, UTC)  # as the lambdas see it
    # One row more than may be, to see whether there are more.
    limit = 1 if question.verb == QUERY_ROW else ROWS_LIMIT + 1
    return text, Ask(place, question.verb, Asked(tuple(values), now, database.dialect.name, database.zone, limit))


def _refusal(error: OperationError) -> Answer:
    told = next((text for kind, text in _TOLD.items() if isinstance(error, kind)), None)
    code = "SQL_LIMIT" if isinstance(error, TooComplex) else error.code
    return Answer(error=told or f"{code}: {error}")


class _Reading:
    """Answers the questions of one round for one caller."""

    def __init__(self, context: Context, forms: Forms) -> None:
        self.context = context
        self.forms = forms
        self.zone = context.database.zone
        self._fetch = Reads(context, context.database.readers()).fetch

    async def answer(self, text: str, asks: Sequence[Ask]) -> Mapping[int, Answer]:
        """Answer the questions with one text, by place."""
        await asyncio.sleep(0)  # others have their turn between two texts
        try:
            form = self.forms.form(text)
        except OperationError as error:
            return dict.fromkeys((ask.place for ask in asks), _refusal(error))
        found: dict[int, Answer] = {}
        ready: list[tuple[Ask, Ready]] = []
        for ask in asks:
            try:
                ready.append((ask, self.forms.ready(form, ask.asked)))
            except OperationError as error:
                found[ask.place] = _refusal(error)
        for batch in _batches(ready, form):
            found.update(await self._answer_batch(form, batch))
        return found

    async def _answer_batch(self, form: Form, batch: Sequence[tuple[Ask, Ready]]) -> Mapping[int, Answer]:
        rows: list[list[Sequence[Any]]] = [[] for _ in batch]
        try:
            statement = put_together(self._filled_up(form, batch), form.shape)
            found = await self._fetch(statement)
            self.context.spend(len(found) * len(form.names))
        except OperationError as error:
            return dict.fromkeys((ask.place for ask, _ in batch), _refusal(error))
        except StorageError as error:
            log.error("the database refused the SQL of a lambda: %s", error)  # noqa: TRY400 - with the statement in no trace
            return dict.fromkeys((ask.place for ask, _ in batch), Answer(error=_FAILED))
        for number, *values in found:
            rows[number].append(values)
        return {ask.place: self._told(form, ask, part) for (ask, _), part in zip(batch, rows, strict=True)}

    def _filled_up(self, form: Form, batch: Sequence[tuple[Ask, Ready]]) -> list[Ready]:
        size = next(size for size in SIZES if size >= len(batch))
        last = batch[-1][0].asked
        more = [self.forms.ready(form, replace(last, limit=0))] if size > len(batch) else []
        return [*(ready for _, ready in batch), *(more * (size - len(batch)))]

    def _told(self, form: Form, ask: Ask, rows: Sequence[Sequence[Any]]) -> Answer:
        if len(rows) > ROWS_LIMIT:
            return Answer(error=f"SQL_LIMIT: The answer has more than {ROWS_LIMIT:,} rows; write a LIMIT.")
        told = [self._row(form, values) for values in rows]
        if any(isinstance(value, str) and len(value) > TEXT_LIMIT for row in told for value in row.values()):
            return Answer(error=f"SQL_LIMIT: A text has more than {TEXT_LIMIT:,} characters; cut it with SUBSTR.")
        if ask.verb == QUERY:
            return Answer(told)
        return Answer(told[0] if told else None)

    def _row(self, form: Form, values: Sequence[Any]) -> dict[str, Any]:
        return {
            name: read(value, kind, self.zone)
            for name, kind, value in zip(form.names, form.shape.kinds, values, strict=True)
        }


def _batches(ready: Sequence[tuple[Ask, Ready]], form: Form) -> Iterator[list[tuple[Ask, Ready]]]:
    """Put as many questions together as one statement may have, and may give rows to."""
    batch: list[tuple[Ask, Ready]] = []
    rows = 0
    for ask, statement in ready:
        wanted = sum(fill(slot, ask.asked) for slot in form.slots if slot.kind is Kind.LIMIT and slot.is_top)
        if batch and (len(batch) == QUESTIONS_AT_ONCE or rows + wanted > ROWS_AT_ONCE):
            yield batch
            batch, rows = [], 0
        batch.append((ask, statement))
        rows += wanted
    if batch:
        yield batch
