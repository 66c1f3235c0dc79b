"""The keys of one holder to one group: a form on a page of its own, or in the cell of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from desk.roles import Role
from identity.rights import ALL_KEYS
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.administration import told
from web.pages.rights_data import Cell, Holder, Wanted, ordered, plain, read_cells, read_groups, read_holders
from web.pages.rights_matrix import ADDRESS, cell_address
from web.pages.rights_names import Side, module_of, side_of
from web.pages.safe_next import safe_next
from web.pages.said import say
from web.pages.visit import Visit

UNPROCESSABLE, CONFLICT = 422, 409
LONGEST_NUMBER = 10
_AT = re.compile(r"\d{1,4}-\d{1,4}")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose keys to which group."""

    side: Side
    holder: Holder
    group: Holder
    at: str  # where in the table
    next: str  # where one came from

    @property
    def address(self) -> str:
        """The address of the form."""
        return cell_address(self.side, self.holder.key, self.group.key, self.at, self.next)


async def show_keys(visit: Visit) -> Response:
    """Show the form; or with `show` the cell again."""
    place = await _place(visit)
    cell = await _cell(visit, place)
    if visit.is_htmx and visit.request.query_params.get("show"):
        return _shown(visit, place, cell)
    return _form(visit, place, cell, cell.own)


async def take_keys(visit: Visit) -> Response:
    """Give exactly the keys that were chosen, unless somebody gave others meanwhile."""
    place = await _place(visit)
    cell = await _cell(visit, place)
    chosen = ordered(key for key in visit.form.all("key") if key in place.side.holding.keys)
    wanted = (ALL_KEYS,) if ALL_KEYS in chosen else chosen
    if visit.form.one("was") != " ".join(cell.own):
        return _form(visit, place, cell, wanted, CONFLICT, errors=[visit.texts("rights-changed")])
    done = await _give(visit, place, wanted)
    if done["errors"]:
        return _form(visit, place, cell, wanted, UNPROCESSABLE, errors=told(done["errors"]))
    if visit.is_htmx:
        return _shown(visit, place, await _cell(visit, place))
    return visit.see(say(place.next, "rights-given"))


async def _give(visit: Visit, place: Place, keys: Sequence[str]) -> Mapping[str, Any]:
    group, holder = module_of(visit, Role.GROUP), module_of(visit, place.side.role)
    document = (
        f"mutation Give($group: {group.type_name}Key!, $holder: {holder.type_name}Key!, $keys: [PermissionName!]!) {{ "
        f"done: setGroupPermissions(input: {{group: $group, {place.side.given}: $holder, permissions: $keys}}) "
        "{ affected errors { message messageKey } } }"
    )
    variables = {
        "group": {"databaseId": int(place.group.key)},
        "holder": {place.side.key: plain(holder, place.side.key, place.holder.key)},
        "keys": [key.upper() for key in keys],
    }
    found: Mapping[str, Any] = (await visit.ask(document, variables)).data["done"]
    return found


async def _place(visit: Visit) -> Place:
    """Find out what the address names. Raises `Refused` (404)."""
    params = visit.request.query_params
    side, group, at = side_of(params.get("of", "")), params.get("group", ""), params.get("at", "")
    if not (group.isascii() and group.isdecimal() and len(group) < LONGEST_NUMBER):
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    holders = await read_holders(
        visit, side, Wanted(with_invalid=True, size=1, keys=[params.get("holder", "")], with_roles=True)
    )
    groups = await read_groups(visit, Wanted(with_invalid=True, size=1, keys=[group]))
    if not holders.items or not groups.items:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    back = safe_next(params.get("next", ""))
    back = back if back.startswith(ADDRESS) else ADDRESS
    return Place(side, holders.items[0], groups.items[0], at if _AT.fullmatch(at) else "0-0", back)


async def _cell(visit: Visit, place: Place) -> Cell:
    cells, _ = await read_cells(visit, place.side, [place.holder], [place.group.key])
    return cells.get((place.holder.key, place.group.key)) or Cell()


def _shown(visit: Visit, place: Place, cell: Cell) -> Response:
    return visit.page(
        "rights/cell.html",
        cell=cell,
        url=place.address,
        at=place.at,
        holder=place.holder.label,
        group=place.group.label,
    )


def _form(
    visit: Visit, place: Place, cell: Cell, chosen: Sequence[str], status: int = 200, *, errors: Sequence[str] = ()
) -> Response:
    return visit.page(
        "rights/keys_form.html" if visit.is_htmx else "rights/keys.html",
        status,
        place=place,
        cell=cell,
        chosen=chosen,
        errors=errors,
        url=place.address,
        at=place.at,
        holder=place.holder.label,
        group=place.group.label,
    )
