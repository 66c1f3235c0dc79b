"""Rows of lists that are drawn already: who looks at a list again, or after somebody else, mostly sees rows as they were.

What a row looks like follows from its values, which the page has just been given, and from what the table is kept under. So
nobody is shown what he could not read at this moment.
"""

from __future__ import annotations

from resolvers.templates import Kept, kept_with
from web.pages.list_state import ListState
from web.pages.visit import Visit

TABLES = 40  # of a snapshot
ROWS = 300  # of a table


def rows_kept(visit: Visit, state: ListState) -> Kept[str]:
    """Return the rows that are drawn for the columns of a list, by their values as JSON."""
    tables = kept_with(visit.snapshot.memo, "rows of pages", TABLES)
    columns = tuple(member.name for member in state.columns)
    look = visit.look
    key = (visit.access.rights.shape, state.view.module.name, columns, look.lang, look.time_zone().key)
    found: Kept[str] = tables.get(key) or tables.put(key, Kept(ROWS))
    return found
