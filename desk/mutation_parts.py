"""What the desk's mutations are described with, as data: inputs, payloads, the modules that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desk.roles import Role
from schema.spec import Operation

# Without these there is nothing to do about tickets.
CORE = (Role.TICKET, Role.ARTICLE)
ROWS = "rows"  # the right to see rows


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of an input. `type` is written as in GraphQL, with a role in braces where the name of its module's type stands."""

    name: str
    type: str
    description: str | None = None
    default: Any = None


@dataclass(frozen=True, slots=True)
class Part:
    """A row in a payload: the row of `role` that the outcome has under the name `kept`."""

    name: str
    role: Role
    description: str
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation; its parts beside the parameters mean what `schema.bindings.HandRoot` says of them, with roles for modules.

    `about` is the role of the row that it is about, `rights` what the modules' rules are asked; with `counts` the payload says
    how many rows were written.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    parts: tuple[Part, ...]
    keys: Mapping[str, Role]
    changed: tuple[str, ...] = ()
    patches: Mapping[str, str] = field(default_factory=dict)
    creates: Mapping[str, Role] = field(default_factory=dict)
    # Of tickets `desk.permits` asks for the rest.
    rights: tuple[tuple[Role, str], ...] = ((Role.TICKET, "update"),)
    about: Role = Role.TICKET
    counts: bool = False

    @property
    def type_name(self) -> str:
        """What the names of its types begin with."""
        return self.name[0].upper() + self.name[1:]

    @property
    def roles(self) -> frozenset[Role]:
        """Return the roles that must be taken for it."""
        named = {role for role, _ in self.rights} | {part.role for part in self.parts}
        core = CORE if self.about is Role.TICKET else (self.about,)
        return frozenset({*named, *core, *self.keys.values(), *self.creates.values()})

    @property
    def needs(self) -> frozenset[tuple[Role, Operation]]:
        """Return the operations that module files must allow."""
        if self.about is not Role.TICKET:
            return frozenset((role, Operation(right)) for role, right in self.rights if right != ROWS)
        wanted = (Operation.UPDATE, Operation.CREATE) if self.creates else (Operation.UPDATE,)
        return frozenset((Role.TICKET, operation) for operation in wanted)


@dataclass(frozen=True, slots=True)
class Words:
    """An enum: by each of its values what stands for it inside, and what it means."""

    name: str
    description: str
    values: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """An input that several mutations take."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
