"""Fields that hold several values as rows of another table: loaded for all rows of a shape by one statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from resolvers.shape import ListLoad, Row, Shape, link_key
from resolvers.statements import Statement, Statements

Fetch = Callable[[Statement], Awaitable[list[tuple[Any, ...]]]]


async def load_lists(statements: Statements, shape: Shape, rows: Sequence[Row], fetch: Fetch) -> None:
    """Load every such field of a shape."""
    loads = shape.lists
    there = [row for row in rows if shape.is_there(row)]
    owners = list({link_key(value): value for row in there if (value := row[loads[0].position]) is not None}.values())
    if not owners:
        return
    by_field: dict[int, list[ListLoad]] = {}
    for load in loads:
        by_field.setdefault(_dynamic_id(load), []).append(load)
    for field, owner, text in await fetch(statements.several(loads, owners)):
        for load in by_field.get(int(field), ()):
            load.found.setdefault(link_key(owner), []).append(text)


def _dynamic_id(load: ListLoad) -> int:
    dynamic = getattr(load.term.item, "dynamic", None)
    return dynamic.id if dynamic else 0
