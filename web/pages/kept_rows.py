"""Rows of lists that are drawn already: who looks at a list again, or after somebody else, mostly sees rows as they were.

What a row looks like follows from its values, which the page has just been given, and from what the table is kept under. So
nobody is shown what he could not read at this moment.
"""

from __future__ import annotations

from web.pages.kept import put
from web.pages.list_state import ListState
from web.pages.row_drawing import Drawn
from web.pages.visit import Visit

TABLES = 40  # of a snapshot


def drawn_rows(visit: Visit, state: ListState) -> Drawn:
    """Return the rows that are drawn for the columns of a list, by their values as JSON."""
    tables: dict[object, Drawn] = visit.snapshot.memo.setdefault("rows of pages", {})
    columns = tuple(member.name for member in state.columns)
    look = visit.look
    key = (visit.access.rights.shape, state.view.module.name, columns, look.lang, look.time_zone().key)
    found = tables.get(key)
    if found is None:
        found = {}
        put(tables, key, found, TABLES)
    return found
