"""Values that are remembered of a page's rows, found by what is stored in them: of rows that are known nothing is written or run."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import orjson

from resolvers.context import Context
from resolvers.lambda_caller import locale_of, me_of
from resolvers.lambda_forms import Form, Stored
from resolvers.lambda_memory import UNKNOWN, Memory
from resolvers.lambda_rows import Row
from resolvers.lambda_texts import texts_of
from resolvers.nodes import LambdaSlot
from resolvers.shape import LambdaLoad


class Recalled:
    """A computed field's values in the rows of a page, as far as they are known. `waiting` are the places of the others."""

    __slots__ = ("_keys", "_recipe", "_stored", "values", "waiting")

    def __init__(self, values: list[Any], waiting: Sequence[int]) -> None:
        self.values = values
        self.waiting = waiting
        self._stored: Stored | None = None  # None where rows are not looked up by what is stored in them
        self._recipe: Hashable = None
        self._keys: list[Any] = []

    def to_keep(self, stored: Stored, recipe: Hashable, keys: list[Any]) -> None:
        """Say under which keys those that wait are remembered."""
        self._stored, self._recipe, self._keys = stored, recipe, keys

    def fill(self, values: list[Any]) -> None:
        """Put the values of those that waited into their places."""
        if len(values) == len(self.values):
            self.values = values
            return
        for place, value in zip(self.waiting, values, strict=True):
            self.values[place] = value

    def keep(self, memory: Memory, values: Sequence[Any], size: int) -> bool:
        """Remember values of those that waited, whose rows are so large together.

        False where some have to be remembered by what is written for the lambda.
        """
        if self._stored is None:
            return False
        made = [pair for pair in zip(self._keys, values, strict=True) if not isinstance(pair[1], Exception)]
        kept = {key: value for key, value in made if self._stored.is_exact(key)}
        memory.keep(self._recipe, list(kept.items()), size)
        return all(key in kept for key, _ in made)


def recall(context: Context, load: LambdaLoad, present: int | None, rows: Sequence[Row]) -> Recalled:
    """Return what is remembered of rows; `present` is the position that is null where there is none."""
    memory, stored = context.memory, load.form.stored
    recipe = None if memory is None or stored is None or context.apart else recipe_of(context, load.slot, load.form)
    if memory is None or stored is None or recipe is None:
        return Recalled([UNKNOWN] * len(rows), range(len(rows)))
    recipe = recipe, stored.how
    places = range(len(rows)) if present is None else [n for n, row in enumerate(rows) if row[present] is not None]
    keys = stored.keys(rows if len(places) == len(rows) else [rows[place] for place in places])
    values = found = memory.find(recipe, keys)
    if len(places) < len(rows):
        values = [None] * len(rows)
        for place, value in zip(places, found, strict=True):
            values[place] = value
    missing = [n for n, value in enumerate(found) if value is UNKNOWN] if UNKNOWN in found else []
    recalled = Recalled(values, [places[n] for n in missing])
    if missing:
        recalled.to_keep(stored, recipe, [keys[n] for n in missing])
    return recalled


def recipe_of(context: Context, slot: LambdaSlot, form: Form) -> Hashable | None:
    """Name all that a value is made of but the row; None where there may be more to it."""
    habits = form.habits
    if habits is None:
        return None
    me = orjson.dumps(me_of(context.rights, context.languages)) if habits.caller else locale_of(context.languages)
    module = context.snapshot.modules.get(slot.module.name)
    texts = orjson.dumps(texts_of(module, context.languages)) if module is not None and module.translations else None
    return form.made_of, me, texts, context.moment.now_ms if habits.clock else None
