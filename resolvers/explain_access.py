"""Why somebody may do something or not: every rule that has a say, in its order, with what satisfies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from identity.access import Access, Denied, Reason, Right, access_of
from identity.principals import System
from identity.rights import Grant, Rights, unbounded
from resolvers.context import Context
from resolvers.door import Door
from resolvers.errors import BadRequest
from resolvers.explain_rows import Part, parts_of, rows_text
from resolvers.ids import read_id, write_id
from resolvers.nodes import RowNode
from resolvers.predicate import Compare, KeyIn
from resolvers.terms import Term
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Computed, Field, Module, Operation, Relation

_FINDER = System("explanations")
_DIGITS = 19  # of a number that every database keeps


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: what it is about (`module`, `field`, `row`), how it ended, the rule, and the grants that satisfy it."""

    about: str
    allowed: bool
    rule: str
    grants: tuple[Grant, ...] = ()
    role: str | None = None
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A right to a module: the decision, and which rows it is about, as the file writes it; every row where nothing stands."""

    module: Module
    right: Right
    reason: Reason
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a right to a module, and perhaps to one of its fields, or one of its rows by its global id."""

    module: Module
    right: Right
    field: str | None = None
    row_id: str | None = None


async def explain(context: Context, rights: Rights, question: Question) -> list[Step]:
    """Decide as it would be decided for whoever has these rights. Raises `BadRequest` for what is not there."""
    access = access_of(rights)
    steps = [_step("module", access.reason(question.module, question.right))]
    if question.field is not None:
        steps.append(_field(access, question, question.field))
    if question.row_id is not None and steps[0].allowed:
        steps.append(await _row(replace(context, rights=rights), access, question, question.row_id))
    return steps


def entitlements(access: Access, modules: Mapping[str, Module]) -> list[Entitlement]:
    """Decide about every right to every module that has the operation."""
    return [
        Entitlement(module, right, access.reason(module, right), _as_written(access, module, right))
        for module in modules.values()
        for right in Right
        if Operation(right) in module.operations
    ]


def _as_written(access: Access, module: Module, right: Right) -> str:
    if right is Right.CREATE:  # there is no row before it
        return rows_text(access.unfilled(module, right, after=True))
    own = access.unfilled(module, right, after=False)
    seen = [] if right is Right.VIEW else access.unfilled(module, Right.VIEW, after=False)
    return rows_text([*seen, *own])


async def find_named(context: Context, module: Module, value: str) -> str | None:
    """Return the global id of the row with this value of one of its keys, whoever may see it; None where there is none.

    A text may be a number that a client of another kind would send as one.
    """
    door = Door(replace(context, rights=unbounded(_FINDER)))
    for row_key in module.row_keys:
        given: int | str = value
        if row_key.column_class in WHOLE_NUMBERS:
            if not (value.isascii() and value.isdigit() and len(value) < _DIGITS):
                continue
            given = int(value)
        where = Compare(Term((), module, row_key.column), "eq", given, "named")
        plan = door.statements.locked(module, [where], RowNode(module, (), {}), 1, Right.VIEW, lock=False)
        rows = await door.fetch(plan.statement)
        if rows:
            return write_id(module, [rows[0][place] for place in plan.sort])
    return None


def _step(about: str, reason: Reason) -> Step:
    return Step(about, reason.allowed, reason.rule, reason.grants, reason.role)


def _field(access: Access, question: Question, name: str) -> Step:
    module = question.module
    item: Field | Relation | Computed | None = module.members.get(name) or module.by_name.get(name)
    if item is None:
        raise BadRequest(f"field: {module.type_name} has no {name[:60]!r}.")
    if question.right in (Right.CREATE, Right.UPDATE) and isinstance(item, Field):
        return _step("field", access.reason_to_give(module, item))
    return _step("field", access.reason_of(module, item))


async def _row(context: Context, access: Access, question: Question, row_id: str) -> Step:
    """Hold the row against the filters; one that is not there is answered like one that may not be seen."""
    module, right = question.module, question.right
    found = read_id(row_id, {module.type_name: module})
    if found is None:
        raise BadRequest(f"row: this is no id of {module.type_name}.")
    door = Door(context)
    plan = door.statements.locked(
        module, [KeyIn((), module, (found.key,))], RowNode(module, (), {}), 1, right, lock=False
    )
    rows = await door.fetch(plan.statement)
    allowed = bool(rows) and (plan.allowed is None or bool(rows[0][plan.allowed]))
    parts = await parts_of(context, access, module, right, found.key)
    return Step("row", allowed, _told(access, module, right), parts=parts)


def _told(access: Access, module: Module, right: Right) -> str:
    """Write the filters as they are for this caller."""
    try:
        filters: list[Mapping[str, Any]] = access.filters(module, Right.VIEW)
        filters += access.filters(module, right) if right is not Right.VIEW else []
    except Denied:
        return "the rule names what the caller has not"
    if not filters:
        return "every row"
    return rows_text(filters)
