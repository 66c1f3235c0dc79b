"""What stands around the rows of a list and does not depend on them: filters, headers, columns and sizes. Its address decides it, and who asks.

It is drawn once for a state of the list, and kept with the snapshot: many people look at the same lists again and again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from schema.snapshot import Snapshot
from schema.writes import Deed
from web.pages.buttons import row_actions
from web.pages.cells import NUMERIC, now
from web.pages.filters import chip_text
from web.pages.form_query import editable
from web.pages.kept import Kept, keep, mark, put
from web.pages.list_query import narrowing, order_of
from web.pages.list_state import SIZES, ListState
from web.pages.ready_filters import ready_filters
from web.pages.rendering import render
from web.pages.row_drawing import Deeds
from web.pages.view import View
from web.pages.visit import Visit

PARTS = ("tools", "hidden", "filters", "head", "sizes")
STATES = 300  # of a snapshot, whose parts are kept
LETTERS = 60_000  # of one of them; an address may be long, and stands in its parts many times
Parts = Mapping[str, Kept]


def parts_of(visit: Visit, state: ListState) -> Parts:
    """Return the parts of a list, without the nonce of the page."""
    look, zone = visit.look, visit.look.time_zone()
    # The view is that of everybody who may do the same, ready filters count from today, and all else is in the address.
    who = (visit.access.rights.shape, state.view.module.name)
    key = (*who, look.lang, zone.key, now().astimezone(zone).date(), tuple(state.pairs()))
    kept = _kept_in(visit.snapshot)
    found = kept.get(key)
    if found is None:
        found = _draw(visit, state, zone)
        if sum(map(len, found.values())) <= LETTERS:
            put(kept, key, found, STATES)
    return found


def _kept_in(snapshot: Snapshot) -> dict[object, Parts]:
    found: dict[object, Parts] = snapshot.memo.setdefault("page list parts", {})
    return found


def _draw(visit: Visit, state: ListState, zone: ZoneInfo) -> Parts:
    view, deeds = state.view, deeds_of(state.view, visit.look.lang)
    values: Mapping[str, Any] = {
        "t": visit.texts,
        "look": visit.look,
        "nonce": mark("nonce"),
        "state": state,
        "view": view,
        "numbers": {member.name for member in state.columns if member.target is None and member.kind in NUMERIC},
        "chips": [(chip_text(item, visit.texts), state.without(item)) for item in state.conditions],
        "sizes": [(size, state.address(size=size)) for size in sorted({*SIZES, state.usual_size})],
        "export": export_address(visit, state) if view.exports else "",
        "searches": "search" in view.takes(visit.schema),
        "editable": editable(view),
        "bulk": bulk_of(view),
        "row_actions": deeds.actions,
        "ready": ready_filters(state, visit.texts, zone),
        "updates": deeds.edits,
    }
    return {name: keep(render("list_parts.html", values, name)) for name in PARTS}


def deeds_of(view: View, language: str) -> Deeds:
    """Return what is offered for each row."""
    if not view.module.has_id:
        return Deeds()
    return Deeds(bool(bulk_of(view)), view.may(Deed.UPDATE), row_actions(view, language))


def bulk_of(view: View) -> Sequence[str]:
    """Name what can be done with chosen rows."""
    deeds = {
        "set": view.may(Deed.UPDATE),
        "delete": view.may(Deed.DELETE),
        "restore": view.may(Deed.RESTORE),
    }
    return [name for name, may in deeds.items() if may and view.module.has_id]


def export_address(visit: Visit, state: ListState) -> str:
    """Return the address of the CSV file with all rows of the filter, in the columns of the list."""
    variables, _ = narrowing(state, visit.schema, visit.look.time_zone())
    order = order_of(state)
    wanted = {
        "filter": json.dumps(variables["filter"]) if "filter" in variables else "",
        "search": variables.get("search", ""),
        "orderBy": json.dumps(order) if order else "",
        "columns": ",".join(member.path for member in state.columns if member.kind not in {"badge", "file"}),
        "header": "captions",
        "language": visit.look.lang,
        "bom": "1",
    }
    return f"/export/{state.view.module.name}.csv?{urlencode({name: value for name, value in wanted.items() if value})}"
