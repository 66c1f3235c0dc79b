"""Who can hold keys to groups, and what the GraphQL names of it are: told by OTRS's tables, whatever their modules are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desk.permissions import (
    CONTEXT,
    GROUP,
    KEY,
    OF_AGENTS,
    OF_COMPANIES,
    OF_CUSTOMERS,
    OF_ROLES,
    VALUE,
    Holding,
    field_at,
)
from desk.roles import Role, find_role
from schema.spec import VALIDITY_COLUMN, Field, Module
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.visit import Visit

AGENTS, ROLES, COMPANIES, CUSTOMERS = "agents", "roles", "companies", "customers"


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of holders. `key` names one of them in inputs, `given` is the input of `setGroupPermissions`."""

    name: str
    role: Role
    kept_in: Role
    holding: Holding
    given: str
    key: str
    columns: tuple[str, ...]  # what a holder is called by: the first is shown first


SIDES: Mapping[str, Side] = {
    side.name: side
    for side in (
        Side(AGENTS, Role.AGENT, Role.GROUP_USER, OF_AGENTS, "agent", "databaseId", ("login", "first_name", "last_name")),
        Side(ROLES, Role.ROLE, Role.GROUP_ROLE, OF_ROLES, "role", "databaseId", ("name",)),
        Side(COMPANIES, Role.COMPANY, Role.GROUP_CUSTOMER, OF_COMPANIES, "company", "databaseId", ("name",)),
        Side(
            CUSTOMERS,
            Role.CUSTOMER_USER,
            Role.GROUP_CUSTOMER_USER,
            OF_CUSTOMERS,
            "customerUser",
            "login",
            ("login", "first_name", "last_name"),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of one kind of holders, by their names in the API."""

    module: Module
    holder: str
    group: str
    key: str
    values: Mapping[str, str]  # enum name → OTRS's key
    granted: str = ""  # a field that says whether the row counts
    context: str = ""  # a field that says which tickets of a company are meant


def module_of(visit: Visit, role: Role) -> Module:
    """Return the module of a part of the desk. Raises `Refused` (404) where there is none."""
    found = find_role(visit.snapshot.modules, role)
    if found is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found


def has_side(visit: Visit, side: Side) -> bool:
    """Whether the modules of a kind of holders are there."""
    return all(find_role(visit.snapshot.modules, role) is not None for role in (side.role, side.kept_in))


def side_of(name: str) -> Side:
    """Return a kind of holders by its name in addresses; agents where nobody knows it."""
    return SIDES.get(name, SIDES[AGENTS])


def kept_of(visit: Visit, side: Side) -> Kept:
    """Return the names of the rows in which keys are kept. Raises `Refused` (404)."""
    module = module_of(visit, side.kept_in)
    key = named(module, KEY)
    granted, context = field_at(module, VALUE), field_at(module, CONTEXT)
    values = {option.name: str(option.value) for option in key.options}
    return Kept(
        module,
        named(module, side.holding.holder).api_name,
        named(module, GROUP).api_name,
        key.api_name,
        values,
        granted.api_name if granted is not None else "",
        context.api_name if context is not None else "",
    )


def named(module: Module, column: str) -> Field:
    """Return the field of a column. Raises `Refused` (404) where the site hides it."""
    found = field_at(module, column)
    if found is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found


def told_columns(module: Module, side: Side) -> list[str]:
    """Return the names in the API of what a holder is called by."""
    found = (field_at(module, column) for column in side.columns)
    return [item.api_name for item in found if item is not None]


def validity_of(module: Module) -> str:
    """Name the field that says whether a row is valid; nothing where there is none."""
    found = field_at(module, VALIDITY_COLUMN)
    return found.api_name if found is not None and found.kind == "validity" else ""
