"""Why a row meets a rule or not: each of the rule's alternatives, held against the row, with the keys that make it hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from identity.access import Access, Right
from identity.principals import System
from identity.rights import KEYS, Grant, unbounded
from resolvers.context import Context
from resolvers.door import Door
from resolvers.draft import Draft
from resolvers.guard import Guard, held
from resolvers.predicate import KeyIn, Predicate
from schema.spec import Module

GROUPS_TRIED = 100  # groups that are looked for as the reason of one alternative
_YES: Any = sa.literal_column("1")
_NO: Any = sa.literal_column("0")
_GROUPS = "$me.groups."
_EXPLAINER = System("explanations")


@dataclass(frozen=True, slots=True)
class Part:
    """An alternative of a rule as the file writes it: what it is needed for, whether it holds, and by which keys."""

    right: Right
    allowed: bool
    rule: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class _Alternative:
    right: Right
    rows: Mapping[str, Any]


async def parts_of(
    context: Context, access: Access, module: Module, right: Right, key: tuple[int | str, ...]
) -> tuple[Part, ...]:
    """Hold each alternative of the rules against a row.

    What a rule for writing says of a row is told only where the row may be seen.
    """
    seen = await _held(context, access, module, key, _alternatives(access, module, Right.VIEW))
    if right is Right.VIEW or (seen and not any(part.allowed for part in seen)):
        return seen
    return (*seen, *await _held(context, access, module, key, _alternatives(access, module, right)))


def rows_text(filters: Sequence[Mapping[str, Any]]) -> str:
    """Write filters as one; nothing where there are none."""
    if not filters:
        return ""
    return json.dumps(filters[0] if len(filters) == 1 else {"and": list(filters)}, ensure_ascii=False)


def _alternatives(access: Access, module: Module, right: Right) -> list[_Alternative]:
    """Return the alternatives of a rule: of one that is an `or`, its members, else the whole."""
    found = access.unfilled(module, right, after=False)
    return [
        _Alternative(right, part) for rows in found for part in (rows["or"] if set(rows) == {"or"} else [rows]) if part
    ]


async def _held(
    context: Context, access: Access, module: Module, key: tuple[int | str, ...], alternatives: Sequence[_Alternative]
) -> tuple[Part, ...]:
    """Ask for everything with one statement: each alternative, and each with one group alone in place of all that are held."""
    if not alternatives:
        return ()
    guard = Guard(access, context.snapshot)
    asked: list[Predicate] = [guard.part(module, item.rows) for item in alternatives]
    tried: list[tuple[int, Grant]] = []
    for place, item in enumerate(alternatives):
        for grant in _candidates(access, item.rows):
            alone = Access(replace(access.rights, grants=(grant,)))
            asked.append(Guard(alone, context.snapshot).part(module, item.rows))
            tried.append((place, grant))
    answers = await _answers(context, module, key, asked)
    by_place: dict[int, list[Grant]] = {}
    for (place, grant), holds in zip(tried, answers[len(alternatives) :], strict=True):
        if holds:
            by_place.setdefault(place, []).append(grant)
    return tuple(
        Part(item.right, holds, rows_text([item.rows]), tuple(by_place.get(place, ())) if holds else ())
        for place, (item, holds) in enumerate(zip(alternatives, answers, strict=False))
    )


def _candidates(access: Access, rows: Mapping[str, Any]) -> list[Grant]:
    """Return the grants that could make an alternative hold: those of the keys that it names."""
    keys = set(_keys_in(rows))
    return [grant for key in KEYS if key in keys for grant in access.rights.holding(key)][:GROUPS_TRIED]


def _keys_in(rows: Any) -> Iterator[str]:
    if isinstance(rows, Mapping):
        for value in rows.values():
            yield from _keys_in(value)
    elif isinstance(rows, list):
        for value in rows:
            yield from _keys_in(value)
    elif isinstance(rows, str) and rows.startswith(_GROUPS):
        yield rows.removeprefix(_GROUPS)


async def _answers(
    context: Context, module: Module, key: tuple[int | str, ...], asked: Sequence[Predicate]
) -> list[bool]:
    door = Door(replace(context, rights=unbounded(_EXPLAINER)))  # the row as it is, not as anybody sees it
    speech = door.statements.speech().open()
    draft = Draft(speech, module)
    draft.where([KeyIn((), module, (key,))])
    for predicate in asked:
        draft.add(sa.case((held(speech, module, draft.scope.base, predicate), _YES), else_=_NO))
    rows = await door.fetch(draft.statement())
    return [bool(value) for value in rows[0]] if rows else [False] * len(asked)
