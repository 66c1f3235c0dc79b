"""One role: its keys to groups, and the agents who have it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.rights_agent import find_agent, set_roles
from web.pages.rights_data import AT_ONCE, SEARCH_LETTERS, Cell, Holder, Wanted, read_groups, read_holders, read_keys
from web.pages.rights_keys import UNPROCESSABLE
from web.pages.rights_matrix import ADDRESS, cell_address, holder_address
from web.pages.rights_names import AGENTS, ROLES, SIDES, has_side
from web.pages.said import said_of, say
from web.pages.visit import Visit

MEMBERS = 100  # of a page
ADD, REMOVE = "add", "remove"


async def show_role(visit: Visit) -> Response:
    """Show the page."""
    return await _page(visit, await _role(visit))


async def take_member(visit: Visit) -> Response:
    """Let an agent have the role, or take it from him; his other roles stay."""
    role, login = await _role(visit), visit.form.one("login").strip()
    agent = await find_agent(visit, login) if login else None
    if agent is None:
        return await _page(visit, role, [visit.texts("rights-no-agent", login=login)])
    roles = [key for key in agent.roles if key != role.key]
    errors = await set_roles(visit, agent.key, [*roles, role.key] if visit.form.one("do") == ADD else roles)
    if errors:
        return await _page(visit, role, errors)
    return visit.see(say(f"{ADDRESS}/roles/{role.key}", "rights-roles"))


async def _role(visit: Visit) -> Holder:
    """Find the role that the address names. Raises `Refused` (404)."""
    key = str(visit.request.path_params["role"])
    if not (key.isascii() and key.isdecimal() and len(key) < 10):  # noqa: PLR2004 - a number of a role
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    found = (await read_holders(visit, SIDES[ROLES], Wanted(with_invalid=True, size=1, keys=[key]))).items
    if not found:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found[0]


async def _page(visit: Visit, role: Holder, errors: Sequence[str] = ()) -> Response:
    params = visit.request.query_params
    word = params.get("q", "").strip()[:SEARCH_LETTERS]
    wanted = Wanted(
        word, True, MEMBERS, params.get("after", "")[:4_000], params.get("before", "")[:4_000], role=role.key
    )
    members = await read_holders(visit, SIDES[AGENTS], wanted)
    groups = (await read_groups(visit, Wanted(with_invalid=True, size=AT_ONCE))).items
    keys = await read_keys(visit, SIDES[ROLES], [role.key], None)
    back = f"{ADDRESS}/roles/{role.key}"
    return visit.page(
        "rights/role.html",
        UNPROCESSABLE if errors else 200,
        role=role,
        members=[(item, holder_address(SIDES[AGENTS], item)) for item in members.items],
        page=members,
        word=word,
        typed=visit.form.one("login") if visit.form.one("do") == ADD else "",
        errors=errors,
        groups=[
            (
                group,
                Cell(keys.get((role.key, group.key), ())),
                cell_address(SIDES[ROLES], role.key, group.key, f"0-{place}", back),
                f"0-{place}",
            )
            for place, group in enumerate(groups)
            if group.is_valid or (role.key, group.key) in keys
        ],
        sides=[side for side in SIDES.values() if has_side(visit, side)],
        said=said_of(visit),
    )
