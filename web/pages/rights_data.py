"""What the pages of rights read through the API: holders, groups, and the keys that the ones have to the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desk.rights_mutations import SAME_COMPANY
from desk.roles import Role
from identity.rights import ALL_KEYS, KEYS
from schema.spec import Module
from web.pages.rights_names import (
    AGENTS,
    ROLES,
    SIDES,
    Kept,
    Side,
    kept_of,
    module_of,
    named,
    told_columns,
    validity_of,
)
from web.pages.visit import Visit

AT_ONCE = 500  # rows of a page of the API
ROLES_OF_ONE = 200  # agent
PAGES = 40  # of those: what nobody can read is not read
SEARCH_LETTERS = 100
WORDS = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody, or a role or company, that holds keys."""

    key: str
    label: str
    more: str = ""
    is_valid: bool = True
    roles: tuple[str, ...] = ()  # keys of an agent's roles


@dataclass(frozen=True, slots=True)
class Page:
    """A page of holders or groups."""

    items: Sequence[Holder]
    total: int
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class Cell:
    """The keys of one holder to one group: his own, and those of each of his roles."""

    own: tuple[str, ...] = ()
    by_role: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[str, ...]:
        """Everything that is held, in OTRS's order; whoever has the key to everything needs no other."""
        held = {key for keys in (self.own, *self.by_role.values()) for key in keys}
        return (ALL_KEYS,) if ALL_KEYS in held else ordered(held)

    @property
    def along(self) -> Sequence[tuple[str, str]]:
        """What comes by roles: each key with the roles that give it."""
        held = ordered({key for keys in self.by_role.values() for key in keys})
        return [(key, ", ".join(role for role, keys in self.by_role.items() if key in keys)) for key in held]


def ordered(keys: Iterable[str]) -> tuple[str, ...]:
    """Return keys in OTRS's order."""
    given = set(keys)
    return tuple(key for key in KEYS if key in given)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which holders or groups: those that a word is in, those that are valid, and which page of them."""

    word: str = ""
    with_invalid: bool = False
    size: int = 25
    after: str = ""
    before: str = ""
    keys: Sequence[str] | None = None  # these alone
    role: str = ""  # agents who have it
    with_roles: bool = False  # of agents: which they have


async def read_holders(visit: Visit, side: Side, wanted: Wanted) -> Page:
    """Read a page of holders of one kind; agents with their roles."""
    module = module_of(visit, side.role)
    through = (item for item in module.relations if item.through == Role.ROLE_USER.value)
    roles = next(through, None) if side.name == AGENTS else None
    return await _page(visit, module, (side.key, *told_columns(module, side)), wanted, roles.api_name if roles else "")


async def read_groups(visit: Visit, wanted: Wanted) -> Page:
    """Read a page of groups."""
    module = module_of(visit, Role.GROUP)
    return await _page(visit, module, ("databaseId", named(module, "name").api_name), wanted)


async def _page(visit: Visit, module: Module, names: Sequence[str], wanted: Wanted, roles: str = "") -> Page:
    """Read a page in the order of the first of the names that is told; the very first is the key."""
    key, told, validity = names[0], list(dict.fromkeys(names[1:])), validity_of(module)
    filters: list[dict[str, Any]] = [{validity: {"eq": "VALID"}}] if validity and not wanted.with_invalid else []
    if wanted.keys is not None:
        filters.append({key: {"in": [plain(module, key, item) for item in wanted.keys]}})
    words = wanted.word[:SEARCH_LETTERS].split()[:WORDS]
    filters += [{"or": [{name: {"contains": word}} for name in told]} for word in words]
    if wanted.role.isdecimal() and roles:
        filters.append({roles: {"some": {"databaseId": {"eq": int(wanted.role)}}}})
    members = f"{roles}(first: {ROLES_OF_ONE}) {{ nodes {{ databaseId }} }}" if roles and wanted.with_roles else ""
    document = (
        f"query Held($first: Int, $after: String, $last: Int, $before: String, $filter: {module.type_name}Filter, "
        f"$order: [{module.type_name}Order!]) {{ found: {module.many_root}(first: $first, after: $after, last: $last, "
        f"before: $before, filter: $filter, orderBy: $order) {{ totalCount nodes {{ "
        f"{' '.join(dict.fromkeys([key, *told]))} {validity} {members} }} "
        "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )
    variables: dict[str, Any] = {"filter": {"and": filters} if filters else None, "order": [{told[0]: "ASC"}]}
    variables |= (
        {"first": None, "last": wanted.size, "before": wanted.before} if wanted.before else {"first": wanted.size}
    )
    if wanted.after and not wanted.before:
        variables["after"] = wanted.after
    found = (await visit.ask(document, variables)).data["found"]
    info = found["pageInfo"]
    items = [_holder(node, key, told, validity, roles if members else "") for node in found["nodes"]]
    before = info["startCursor"] if info["hasPreviousPage"] else ""
    return Page(items, found["totalCount"], before or "", (info["endCursor"] if info["hasNextPage"] else "") or "")


def _holder(node: Mapping[str, Any], key: str, told: Sequence[str], validity: str, roles: str) -> Holder:
    texts = [str(node[name] or "") for name in told]
    held = tuple(str(item["databaseId"]) for item in (node.get(roles) or {"nodes": ()})["nodes"]) if roles else ()
    is_valid = not validity or node[validity] == "VALID"
    more = [*texts[1:], *([str(node[key])] if key not in told and isinstance(node[key], str) else [])]
    return Holder(str(node[key]), texts[0], " ".join(filter(None, more)), is_valid, held)


def plain(module: Module, key: str, value: str) -> Any:
    """Return the value of a key as the API takes it."""
    is_number = any(item.api_name == key and item.scalar == "Int" for item in module.row_keys)
    return int(value) if is_number and value.isdecimal() else value


async def read_keys(
    visit: Visit, side: Side, holders: Sequence[str] | None, groups: Sequence[str] | None
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Read which keys holders have to groups; None asks for all of them."""
    kept = kept_of(visit, side)
    holder_module = module_of(visit, side.role)
    filters: list[dict[str, Any]] = []
    if holders is not None:
        given = [plain(holder_module, side.key, item) for item in holders]
        filters.append({kept.holder: {side.key: {"in": given}}})
    if groups is not None:
        filters.append({kept.group: {"databaseId": {"in": [int(item) for item in groups]}}})
    if kept.granted:
        filters.append({kept.granted: {"eq": True}})
    if kept.context:
        filters.append({kept.context: {"eq": SAME_COMPANY}})
    selection = f"{kept.holder} {{ {side.key} }} {kept.group} {{ databaseId }} {kept.key}"
    found: dict[tuple[str, str], list[str]] = {}
    async for node in every(visit, kept.module, selection, {"and": filters} if filters else None):
        if node[kept.holder] is not None and node[kept.group] is not None:
            place = (str(node[kept.holder][side.key]), str(node[kept.group]["databaseId"]))
            found.setdefault(place, []).append(_value(kept, node[kept.key]))
    return {place: ordered(keys) for place, keys in found.items()}


def _value(kept: Kept, name: Any) -> str:
    return kept.values.get(str(name), str(name))


async def every(visit: Visit, module: Module, selection: str, given: Mapping[str, Any] | None) -> Any:
    """Go through all rows of a filter."""
    document = (
        f"query Every($after: String, $filter: {module.type_name}Filter) {{ found: {module.many_root}(first: {AT_ONCE}, "
        f"after: $after, filter: $filter) {{ nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    after = None
    for _ in range(PAGES):
        found = (await visit.ask(document, {"after": after, "filter": given})).data["found"]
        for node in found["nodes"]:
            yield node
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


async def read_cells(
    visit: Visit, side: Side, holders: Sequence[Holder], groups: Sequence[str]
) -> tuple[Mapping[tuple[str, str], Cell], Mapping[str, Holder]]:
    """Read the cells of a matrix, with the roles that are in it."""
    cells: dict[tuple[str, str], Cell] = {}
    if not holders or not groups:
        return cells, {}
    for place, keys in (await read_keys(visit, side, [item.key for item in holders], groups)).items():
        cells.setdefault(place, Cell()).own = keys
    wanted = sorted({role for item in holders for role in item.roles}) if side.name == AGENTS else []
    if not wanted:
        return cells, {}
    roles = {
        item.key: item for item in (await read_holders(visit, SIDES[ROLES], Wanted(keys=wanted, size=AT_ONCE))).items
    }
    given = await read_keys(visit, SIDES[ROLES], list(roles), groups) if roles else {}
    for item, group, role in _combined(holders, groups, roles):
        if (role, group) in given:
            cells.setdefault((item.key, group), Cell()).by_role[roles[role].label] = given[role, group]
    return cells, roles


def _combined(
    holders: Sequence[Holder], groups: Sequence[str], roles: Mapping[str, Holder]
) -> Iterator[tuple[Holder, str, str]]:
    return ((item, group, role) for item in holders for role in item.roles if role in roles for group in groups)
