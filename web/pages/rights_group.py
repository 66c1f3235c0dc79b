"""One group: which queues are in it, and who may do what with them, directly or by which role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from desk.permissions import GROUP, field_at
from desk.roles import Role, find_role
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.rights_data import (
    AT_ONCE,
    SEARCH_LETTERS,
    Cell,
    Holder,
    Wanted,
    every,
    ordered,
    read_groups,
    read_holders,
    read_keys,
)
from web.pages.rights_matrix import ADDRESS, cell_address, holder_address
from web.pages.rights_names import AGENTS, ROLES, SIDES, Side, has_side, module_of, named
from web.pages.said import said_of
from web.pages.visit import Visit

QUEUES = "queue"
SHOWN = 200  # holders of one kind; a word finds the others


@dataclass(frozen=True, slots=True)
class Table:
    """The holders of one kind who have keys to the group."""

    side: Side
    lines: Sequence[tuple[Holder, Cell, str, str, str]]  # with page, form and place
    total: int


@dataclass(slots=True)
class _Held:
    """What agents hold by roles."""

    by_agent: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


async def show_group(visit: Visit) -> Response:
    """Show the page."""
    key = str(visit.request.path_params["group"])
    if not (key.isascii() and key.isdecimal() and len(key) < 10):  # noqa: PLR2004 - a number of a group
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    found = (await read_groups(visit, Wanted(with_invalid=True, size=1, keys=[key]))).items
    if not found:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    word = visit.request.query_params.get("q", "").strip()[:SEARCH_LETTERS]
    sides = [side for side in SIDES.values() if has_side(visit, side)]
    return visit.page(
        "rights/group.html",
        group=found[0],
        queues=await _queues(visit, key),
        tables=[await _table(visit, side, key, word) for side in sides],
        word=word,
        sides=sides,
        said=said_of(visit),
    )


async def _table(visit: Visit, side: Side, group: str, word: str) -> Table:
    own = {holder: keys for (holder, _), keys in (await read_keys(visit, side, None, [group])).items()}
    by_role = await _by_role(visit, group) if side.name == AGENTS and has_side(visit, SIDES[ROLES]) else {}
    wanted = sorted({*own, *by_role})
    if not wanted:
        return Table(side, (), 0)
    page = await read_holders(visit, side, Wanted(word, with_invalid=True, size=SHOWN, keys=wanted[:AT_ONCE]))
    back = f"{ADDRESS}/groups/{group}"
    number = list(SIDES).index(side.name)
    lines = [
        (
            holder,
            Cell(own.get(holder.key, ()), dict(by_role.get(holder.key, {}))),
            holder_address(side, holder),
            cell_address(side, holder.key, group, f"{number}-{place}", back),
            f"{number}-{place}",
        )
        for place, holder in enumerate(page.items)
    ]
    return Table(side, lines, page.total)


async def _by_role(visit: Visit, group: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the keys that agents have to a group by valid roles: agent → role → keys."""
    given = {role: keys for (role, _), keys in (await read_keys(visit, SIDES[ROLES], None, [group])).items()}
    if not given:
        return {}
    roles = (await read_holders(visit, SIDES[ROLES], Wanted(size=AT_ONCE, keys=sorted(given)))).items
    labels = {role.key: role.label for role in roles}
    module = module_of(visit, Role.ROLE_USER)
    role, agent = named(module, "role_id").api_name, named(module, "user_id").api_name
    where: dict[str, Any] = {role: {"databaseId": {"in": [int(key) for key in labels]}}}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    async for node in every(visit, module, f"{role} {{ databaseId }} {agent} {{ databaseId }}", where):
        if node[role] and node[agent]:
            key = str(node[role]["databaseId"])
            found.setdefault(str(node[agent]["databaseId"]), {})[labels[key]] = ordered(given[key])
    return found


async def _queues(visit: Visit, group: str) -> Sequence[str]:
    """Return the names of the group's queues, where there is a module of queues."""
    modules = visit.snapshot.modules.values()
    module = next((item for item in modules if item.table == QUEUES and field_at(item, GROUP)), None)
    if module is None or find_role(visit.snapshot.modules, Role.GROUP) is None or field_at(module, "name") is None:
        return ()
    name, to = named(module, "name").api_name, named(module, GROUP).api_name
    nodes = every(visit, module, name, {to: {"databaseId": {"eq": int(group)}}})
    return sorted([str(node[name]) async for node in nodes], key=str.casefold)
