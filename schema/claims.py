"""Whose the names of a schema are. From one snapshot to the next most stay with their modules, so the table is handed on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from schema.kernel import KERNEL, KERNEL_MUTATIONS, KERNEL_ROOTS
from schema.outline import Names, changed_alone, names_of
from schema.spec import Audience, Module

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Owners:
    """The names of one kind and whose they are, while they are collected."""

    def __init__(self, owners: Mapping[str, Any] = _NOTHING) -> None:
        self.owners: dict[str, Any] = dict(owners)
        self._expected = len(owners)

    def copy(self) -> Owners:
        """Return the same names, to be added to."""
        made = Owners(self.owners)
        made._expected = self._expected
        return made

    def claim(self, names: Collection[str], owner: Module | None) -> None:
        """Give names to an owner."""
        self.owners.update(dict.fromkeys(names, owner))
        self._expected += len(names)

    def hand_on(self, names: Collection[str], owner: Module) -> None:
        """Give names that have an owner to a new one; they stay where they stand."""
        self.owners.update(dict.fromkeys(names, owner))

    def take(self, made: Mapping[str, Any]) -> None:
        """Give every name to what makes it."""
        self.owners.update(made)
        self._expected += len(made)

    @property
    def are_claimed_twice(self) -> bool:
        """Whether a name was given to two owners."""
        return len(self.owners) != self._expected


@dataclass(frozen=True, slots=True)
class Claims:
    """The names that the kernel and the modules of one audience have."""

    audience: Audience
    modules: Mapping[str, Module]
    types: Owners
    query: Owners
    mutation: Owners
    subscription: Owners

    def copy(self) -> tuple[Owners, Owners, Owners, Owners]:
        """Return the names of all four kinds, to be added to."""
        return self.types.copy(), self.query.copy(), self.mutation.copy(), self.subscription.copy()

    def names_of(self, module: Module) -> tuple[tuple[Owners, Collection[str]], ...]:
        """Return what a module has of each kind, beside where it goes."""
        names: Names = names_of(module, self.audience, self.modules)
        return (
            (self.types, names.types),
            (self.query, names.roots),
            (self.mutation, names.mutations),
            (self.subscription, names.subscriptions),
        )


def claim(modules: Mapping[str, Module], audience: Audience, before: Claims | None = None) -> Claims:
    """Say whose the names of the modules are that an audience sees, from what was said before where no name came or went."""
    if before is not None and before.audience is audience:
        changed = changed_alone(before.modules, modules, audience)
        if changed is not None:
            handed = Claims(audience, modules, *before.copy())
            for module in changed:
                for owners, names in handed.names_of(module):
                    owners.hand_on(names, module)
            return handed
    kernel = (KERNEL, KERNEL_ROOTS, KERNEL_MUTATIONS if modules else (), ())
    made = Claims(audience, modules, *(Owners(dict.fromkeys(names)) for names in kernel))
    for module in modules.values():
        for owners, names in made.names_of(module):
            owners.claim(names, module)
    return made
