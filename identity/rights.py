"""What a caller holds: groups by key, roles, companies. The access rules of the modules are decided by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from identity.principals import Principal

# OTRS's keys to a group; whoever has the last one has them all.
KEYS = ("ro", "move_into", "create", "note", "owner", "priority", "rw")


@dataclass(frozen=True, slots=True)
class Rights:
    """A principal and what it holds now.

    `groups` has the ids of groups by key, `group_names` the names; `companies` are the customer ids that a customer stands
    for. Who is `unbounded` (Lambdesk itself) passes every rule.
    """

    principal: Principal
    groups: Mapping[str, frozenset[int]] = field(default_factory=dict)
    group_names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    companies: tuple[str, ...] = ()
    email: str = ""
    unbounded: bool = False


def unbounded(principal: Principal) -> Rights:
    """Return rights to everything, for Lambdesk itself."""
    return Rights(principal, unbounded=True)
