"""One agent: his roles, his keys to groups and where they come from, and what he may do with every module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from desk.roles import Role
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.administration import told
from web.pages.rights_data import AT_ONCE, Cell, Holder, Wanted, read_cells, read_groups, read_holders
from web.pages.rights_keys import CONFLICT, UNPROCESSABLE
from web.pages.rights_matrix import ADDRESS, cell_address
from web.pages.rights_names import AGENTS, ROLES, SIDES, has_side, module_of
from web.pages.rights_why import OF_OTHERS, RIGHTS, all_modules, answer_of, asked_of, modules_with
from web.pages.said import said_of, say
from web.pages.visit import Visit

MOST_ROLES = 400
SET_ROLES = "mutation SetRoles($agent: {agent}Key!, $roles: [{role}Key!]!) {{ done: setAgentRoles(input: {{agent: $agent, roles: $roles}}) {{ affected errors {{ message messageKey }} }} }}"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why roles were not set, and what was chosen."""

    errors: Sequence[str]
    chosen: Sequence[str]
    status: int


async def show_agent(visit: Visit) -> Response:
    """Show the page."""
    return await _page(visit, await _agent(visit))


async def take_roles(visit: Visit) -> Response:
    """Give the agent exactly the roles that were chosen, unless somebody gave others meanwhile."""
    agent = await _agent(visit)
    chosen = [key for key in visit.form.all("role") if key.isascii() and key.isdecimal()]
    if visit.form.one("was") != " ".join(sorted(agent.roles)):
        return await _page(visit, agent, Trouble([visit.texts("rights-changed")], chosen, CONFLICT))
    errors = await set_roles(visit, agent.key, chosen)
    if errors:
        return await _page(visit, agent, Trouble(errors, chosen, UNPROCESSABLE))
    return visit.see(say(agent_address(agent), "rights-roles"))


async def set_roles(visit: Visit, agent: str, roles: Sequence[str]) -> Sequence[str]:
    """Say which roles an agent has; return why that cannot be."""
    names = {"agent": module_of(visit, Role.AGENT).type_name, "role": module_of(visit, Role.ROLE).type_name}
    given = {"agent": {"databaseId": int(agent)}, "roles": [{"databaseId": int(role)} for role in dict.fromkeys(roles)]}
    return told((await visit.ask(SET_ROLES.format(**names), given)).data["done"]["errors"])


def agent_address(agent: Holder) -> str:
    """Return the page about an agent."""
    return f"{ADDRESS}/agents/{quote(agent.label, safe='')}"


async def _agent(visit: Visit) -> Holder:
    """Find the agent that the address names. Raises `Refused` (404)."""
    found = await find_agent(visit, str(visit.request.path_params["login"]))
    if found is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found


async def find_agent(visit: Visit, login: str) -> Holder | None:
    """Find an agent by his login."""
    module = module_of(visit, Role.AGENT)
    document = f"query Named($login: String!) {{ found: {module.one_root}(by: {{login: $login}}) {{ databaseId }} }}"
    row = (await visit.ask(document, {"login": login})).data["found"]
    if row is None:
        return None
    wanted = Wanted(with_invalid=True, size=1, keys=[str(row["databaseId"])], with_roles=True)
    return next(iter((await read_holders(visit, SIDES[AGENTS], wanted)).items), None)


async def _page(visit: Visit, agent: Holder, trouble: Trouble | None = None) -> Response:
    asked = asked_of(visit, agent.label, "agent")
    word = visit.request.query_params.get("q", "").strip()
    answer, problem = await answer_of(visit, asked) if agent.is_valid else (None, "")
    overview = (await visit.ask(OF_OTHERS, {"agent": agent.label})).data["found"] if agent.is_valid else None
    groups = (await read_groups(visit, Wanted(with_invalid=True, size=AT_ONCE))).items
    cells, _ = await read_cells(visit, SIDES[AGENTS], [agent], [item.key for item in groups])
    roles: Sequence[Holder] = ()
    if has_side(visit, SIDES[ROLES]):
        roles = (await read_holders(visit, SIDES[ROLES], Wanted(with_invalid=True, size=MOST_ROLES))).items
    held = set(agent.roles)
    back = agent_address(agent)
    return visit.page(
        "rights/agent.html",
        trouble.status if trouble else 200,
        agent=agent,
        roles=[role for role in roles if role.is_valid or role.key in held],
        chosen=set(trouble.chosen) if trouble else held,
        was=" ".join(sorted(held)),
        errors=trouble.errors if trouble else (),
        groups=[
            (
                group,
                cells.get((agent.key, group.key)) or Cell(),
                cell_address(SIDES[AGENTS], agent.key, group.key, f"0-{place}", back),
                f"0-{place}",
            )
            for place, group in enumerate(groups)
            if group.is_valid or (agent.key, group.key) in cells
        ],
        overview=overview,
        modules=modules_with(visit, overview["rights"], word) if overview else [],
        word=word,
        asked=asked,
        answer=answer,
        problem=problem,
        rights=RIGHTS,
        options=all_modules(visit),
        sides=[side for side in SIDES.values() if has_side(visit, side)],
        said=said_of(visit),
    )
