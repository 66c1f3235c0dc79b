"""Who holds which keys to which groups, as a table: agents, roles, companies or customer users against groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from starlette.responses import Response

from web.pages.rights_data import SEARCH_LETTERS, Cell, Holder, Page, Wanted, read_cells, read_groups, read_holders
from web.pages.rights_names import AGENTS, ROLES, SIDES, Side, has_side, side_of
from web.pages.said import said_of
from web.pages.visit import Visit

ADDRESS = "/admin/rights"
HOLDERS, GROUPS = 25, 12  # of a page
CURSOR_LETTERS = 4_000
NOBODY = Page((), 0)


@dataclass(frozen=True, slots=True)
class State:
    """What the address says: which holders, which of them, which groups, and where one is in both."""

    side: Side
    word: str = ""
    group: str = ""
    role: str = ""
    with_invalid: bool = False
    after: str = ""
    before: str = ""
    group_after: str = ""
    group_before: str = ""

    def address(self, **changed: object) -> str:
        """Return the address of this state, with something changed; a page of holders does not outlive another question."""
        state = replace(self, **changed)  # type: ignore[arg-type] # names of this class
        pairs = {
            "of": state.side.name if state.side.name != AGENTS else "",
            "q": state.word,
            "g": state.group,
            "role": state.role,
            "all": "1" if state.with_invalid else "",
            "after": state.after,
            "before": state.before,
            "gafter": state.group_after,
            "gbefore": state.group_before,
        }
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"{ADDRESS}?{query}" if query else ADDRESS


@dataclass(frozen=True, slots=True)
class Line:
    """A holder with his cells, one for each group that is shown."""

    holder: Holder
    url: str
    cells: Sequence[tuple[Cell, str, str]]  # with the address of its form, and its id in the page


def state_of(visit: Visit) -> State:
    """Read the address."""
    params = visit.request.query_params
    text = {name: params.get(name, "")[:CURSOR_LETTERS] for name in ("after", "before", "gafter", "gbefore")}
    role = params.get("role", "")
    return State(
        side_of(params.get("of", "")),
        params.get("q", "").strip()[:SEARCH_LETTERS],
        params.get("g", "").strip()[:SEARCH_LETTERS],
        role if role.isascii() and role.isdecimal() and len(role) < 10 else "",  # noqa: PLR2004 - a number of a role
        params.get("all") == "1",
        text["after"],
        text["before"],
        text["gafter"],
        text["gbefore"],
    )


async def show_matrix(visit: Visit) -> Response:
    """Show the table."""
    state = state_of(visit)
    groups = await read_groups(
        visit,
        Wanted(
            state.group,
            size=GROUPS,
            after=state.group_after,
            before=state.group_before,
            with_invalid=state.with_invalid,
        ),
    )
    holders = await read_holders(
        visit,
        state.side,
        Wanted(
            state.word,
            state.with_invalid,
            HOLDERS,
            state.after,
            state.before,
            role=state.role if state.side.name == AGENTS else "",
            with_roles=True,
        ),
    )
    cells, _ = await read_cells(visit, state.side, holders.items, [item.key for item in groups.items])
    roles = await _roles(visit) if state.side.name == AGENTS else ()
    return visit.page(
        "rights/matrix.html",
        block="matrix" if visit.is_htmx else "",
        state=state,
        sides=[side for side in SIDES.values() if has_side(visit, side)],
        groups=groups,
        holders=holders,
        lines=lines_of(state, holders.items, groups.items, cells),
        roles=roles,
        said=said_of(visit),
    )


async def _roles(visit: Visit) -> Sequence[Holder]:
    """Return the roles that agents can be picked by."""
    if not has_side(visit, SIDES[ROLES]):
        return ()
    return (await read_holders(visit, SIDES[ROLES], Wanted(size=200))).items


def lines_of(
    state: State, holders: Sequence[Holder], groups: Sequence[Holder], cells: Mapping[tuple[str, str], Cell]
) -> list[Line]:
    """Put cells where they belong."""
    back = state.address()
    return [
        Line(
            holder,
            holder_address(state.side, holder),
            [
                (
                    cells.get((holder.key, group.key)) or Cell(),
                    cell_address(state.side, holder.key, group.key, f"{row}-{place}", back),
                    f"{row}-{place}",
                )
                for place, group in enumerate(groups)
            ],
        )
        for row, holder in enumerate(holders)
    ]


def holder_address(side: Side, holder: Holder) -> str:
    """Return the page about a holder; nothing where there is none."""
    if side.name == AGENTS:
        return f"{ADDRESS}/agents/{quote(holder.label, safe='')}"
    return f"{ADDRESS}/roles/{quote(holder.key, safe='')}" if side.name == ROLES else ""


def cell_address(side: Side, holder: str, group: str, at: str, back: str) -> str:
    """Return where the keys of one holder to one group are changed."""
    return f"{ADDRESS}/keys?{urlencode({'of': side.name, 'holder': holder, 'group': group, 'at': at, 'next': back})}"
