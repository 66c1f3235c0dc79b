"""Which modules stand for tickets, articles, agents, groups and so on: those on OTRS's tables, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from schema.catalog import GROUP_TABLES
from schema.spec import Module


class Role(StrEnum):
    """A part that a module plays at the desk; the value is its table."""

    TICKET = "ticket"
    ARTICLE = "article"
    AGENT = "users"
    WATCHER = "ticket_watcher"
    GROUP = "permission_groups"
    ROLE = "roles"
    COMPANY = "customer_company"
    CUSTOMER_USER = "customer_user"
    GROUP_USER = "group_user"
    GROUP_ROLE = "group_role"
    GROUP_CUSTOMER = "group_customer"
    GROUP_CUSTOMER_USER = "group_customer_user"
    ROLE_USER = "role_user"


_TABLES: Mapping[Role, tuple[str, ...]] = {Role.GROUP: GROUP_TABLES}
_KEYS: Mapping[Role, tuple[str, ...]] = {
    Role.WATCHER: ("ticket_id", "user_id"),
    Role.COMPANY: ("customer_id",),
    Role.GROUP_USER: ("user_id", "group_id", "permission_key"),
    Role.GROUP_ROLE: ("role_id", "group_id", "permission_key"),
    Role.GROUP_CUSTOMER: ("customer_id", "group_id", "permission_key", "permission_context"),
    Role.GROUP_CUSTOMER_USER: ("user_id", "group_id", "permission_key"),
    Role.ROLE_USER: ("user_id", "role_id"),
}
_USUAL_KEY = ("id",)


def find_role(modules: Mapping[str, Module], role: Role) -> Module | None:
    """Return the module of a role, or None. Of several on one table the one that is called like it counts."""
    tables = _TABLES.get(role, (role.value,))
    fit = [
        module
        for module in modules.values()
        if module.table in tables and module.has_id and module.key_columns == _KEYS.get(role, _USUAL_KEY)
    ]
    return next((module for module in fit if module.name == role), fit[0] if fit else None)
