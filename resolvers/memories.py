"""What a rule is sure of when a row is gone: the history kept only some of it, and what is not known lets nobody see anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from resolvers.ledger import keeps
from resolvers.predicate import All, Compare, Either, Exists, KeyIn, Not, Predicate, Related, Worded
from resolvers.terms import Term
from schema.bindings import ToOne
from schema.spec import Computed, Field, Home, Module

_NEVER = Either()
_ALWAYS = All()


def certain(module: Module, predicate: Predicate, *, wanted: bool = True) -> Predicate:
    """Return a condition with what is not known of a row that is gone decided against it.

    A part that is not `wanted` keeps rows out, so there the unknown holds.
    """
    if isinstance(predicate, All | Either):
        return replace(predicate, parts=tuple(certain(module, part, wanted=wanted) for part in predicate.parts))
    if isinstance(predicate, Not):
        return Not(certain(module, predicate.part, wanted=not wanted))
    if _is_known(module, predicate):
        return predicate
    return _NEVER if wanted else _ALWAYS


def _is_known(module: Module, predicate: Compare | KeyIn | Exists | Related | Worded) -> bool:
    if isinstance(predicate, Worded):
        return False
    if isinstance(predicate, Compare):
        return _is_kept_term(module, predicate.term)
    if isinstance(predicate, KeyIn):
        return _leads_on(module, predicate.hops)
    # Rows that hung on it may have gone with it.
    return bool(predicate.hops) and _leads_on(module, predicate.hops)


def _leads_on(module: Module, hops: Sequence[ToOne]) -> bool:
    return not hops or _is_kept(module, hops[0].field)


def _is_kept_term(module: Module, term: Term) -> bool:
    if term.hops:
        return _leads_on(module, term.hops)
    if isinstance(term.item, str):
        return _is_kept_column(module, term.item)
    if isinstance(term.item, Computed):
        return term.item.expression is not None and all(
            _is_kept_column(module, column) for column in term.item.expression.columns
        )
    return _is_kept(module, term.item)


def _is_kept_column(module: Module, column: str) -> bool:
    return column in module.key_columns or any(
        item.column == column and _is_kept(module, item) for item in module.fields if item.home is Home.TABLE
    )


def _is_kept(module: Module, item: Field) -> bool:
    """Answer whether the history keeps a field in such a way that `resolvers.ghosts` puts it back into its column."""
    return item.home is Home.TABLE and not item.settings.get("virtual") and keeps(module, item)
