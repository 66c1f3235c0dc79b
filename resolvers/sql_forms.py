"""Statements of lambdas' SQL, kept by text and by the rights of who asks: of a question that comes again only values are new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from resolvers.context import Context
from resolvers.guard import Guard, guard_of
from resolvers.scope import Speech
from resolvers.sql_kinds import Kind, Slot
from resolvers.sql_parse import parse
from resolvers.sql_saying import Saying
from resolvers.sql_select import say_top
from resolvers.sql_syntax import Query
from resolvers.sql_together import Shape, Sorted
from resolvers.sql_values import Asked, fill, mark
from resolvers.templates import Kept, Template, are_plain, kept_with, marks_of, match
from storage.direct import Ready


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a text for those with the same rights: its slots and columns; the statement, where it can be kept."""

    query: Query
    slots: tuple[Slot, ...]
    shape: Shape
    template: Template | None

    @property
    def names(self) -> list[str]:
        """The columns of the result as its author calls them."""
        return [item.name for item in self.query.items]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What saying a query found out beside the statement."""

    slots: tuple[Slot, ...]
    kinds: tuple[Kind, ...]
    sorts: tuple[Sorted, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    """Makes the statements of one caller."""

    context: Context
    guard: Guard
    kept: Kept[Form]

    def form(self, text: str) -> Form:
        """Return what is known of a text. Raises `RefusedSql`."""
        key = (text, self.guard.key)
        return self.kept.get(key) or self.kept.put(key, self._make(text))

    def ready(self, form: Form, asked: Asked) -> Ready:
        """Put the values of a question into their places. Raises `RefusedSql`."""
        own = self.guard.own
        if form.template is not None and are_plain(own):
            return form.template.fill([*own, *(fill(slot, asked) for slot in form.slots)])
        made, _ = self._say(form.query, self.guard, lambda slot, _: fill(slot, asked))
        return made

    def _make(self, text: str) -> Form:
        query = parse(text)
        dialect, own = self.context.database.dialect.name, self.guard.own
        turns = (0, 1)
        guards = [self.guard.marked(turn, 0) if are_plain(own) else self.guard for turn in turns]
        (one, first), (other, _) = (self._say(query, guards[turn], _marks(turn, dialect)) for turn in turns)
        marks = [[*marks_of(own, turn), *map(_marks(turn, dialect), first.slots, count())] for turn in turns]
        # No mark need stand: a rule may leave out what it knows of the caller.
        template = match(one, other, marks[0], marks[1], 0) if are_plain(own) else None
        own_places = None if template is None else _own_places(template, len(own), first.slots)
        return Form(query, first.slots, Shape(dialect, first.kinds, first.sorts, own_places), template)

    def _say(self, query: Query, guard: Guard, filled: Callable[[Slot, int], Any]) -> tuple[Ready, Outcome]:
        context = self.context
        database, snapshot = context.database, context.snapshot
        speech = Speech(database.dialect, snapshot.catalog, database.zone, snapshot.modules, snapshot.by_table, guard)
        saying = Saying(speech, context.access, filled)
        statement, made = say_top(saying, query)
        ready = database.prepare(statement)
        if ready is None:
            raise TypeError("A SELECT of untyped columns can always be prepared.")
        outcome = Outcome(tuple(saying.slots), tuple(one.kind for one in made.outputs), tuple(made.sorts))
        return ready, outcome


def forms_of(context: Context) -> Forms:
    """Return the maker of a caller's statements; what it makes is kept with the snapshot."""
    database = context.database
    kept: Kept[Form] = kept_with(context.snapshot.memo, ("sql", database.dialect, database.zone))
    return Forms(context, guard_of(context.rights, context.snapshot), kept)


def _marks(turn: int, dialect: str) -> Callable[[Slot, int], Any]:
    return lambda slot, number: mark(slot, number, turn, dialect)


def _own_places(template: Template, first: int, slots: Sequence[Slot]) -> Mapping[int, Kind]:
    """Return the places of a statement that slots fill, and of which kinds these are; before them come the caller's values."""
    return {place: slots[number - first].kind for place, number in template.places if number >= first}
