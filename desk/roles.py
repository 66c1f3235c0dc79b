"""Which modules stand for tickets, articles, agents and watchers: those on OTRS's tables, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from schema.spec import Module


class Role(StrEnum):
    """A part that a module plays at the desk; the value is its table."""

    TICKET = "ticket"
    ARTICLE = "article"
    AGENT = "users"
    WATCHER = "ticket_watcher"


_KEYS: Mapping[Role, tuple[str, ...]] = {Role.WATCHER: ("ticket_id", "user_id")}
_USUAL_KEY = ("id",)


def find_role(modules: Mapping[str, Module], role: Role) -> Module | None:
    """Return the module of a role, or None. Of several on one table the one that is called like it counts."""
    fit = [
        module
        for module in modules.values()
        if module.table == role and module.has_id and module.key_columns == _KEYS.get(role, _USUAL_KEY)
    ]
    return next((module for module in fit if module.name == role), fit[0] if fit else None)
