"""Where a page begins: rows that come after (or before) given sort values, nulls included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from resolvers.order import Ordered
from resolvers.scope import Scope
from storage.dialects import Expression as Sql


def beyond(scope: Scope, order: Sequence[Ordered], values: Sequence[Any]) -> Sql:
    """Rows that come after these sort values: later in the first term, or equal in it and later in the next, ..."""
    steps: list[Sql] = []
    equal: list[Sql] = []
    for ordered, value in zip(order, values, strict=False):  # the owner may come after the sort values
        expression = scope.comparable(ordered.term)
        steps.append(sa.and_(*equal, _later(expression, ordered, value)))
        equal.append(expression.is_(None) if value is None else expression == value)
    found = sa.or_(sa.false(), *steps)
    bound = _not_earlier(scope.comparable(order[0].term), order[0], values[0])
    return found if bound is None or len(order) == 1 else sa.and_(bound, found)


def _later(expression: Sql, ordered: Ordered, value: Any) -> Sql:
    if value is None:
        return sa.false() if ordered.nulls_last else expression.is_not(None)
    later = expression < value if ordered.is_descending else expression > value
    return sa.or_(later, expression.is_(None)) if ordered.nulls_last and ordered.term.nullable else later


def _not_earlier(expression: Sql, ordered: Ordered, value: Any) -> Sql | None:
    """Say again, for the index, that the first term is not earlier; databases do not see it in the OR."""
    if value is None or (ordered.nulls_last and ordered.term.nullable):
        return None
    bound: Sql = expression <= value if ordered.is_descending else expression >= value
    return bound
