"""Who can be calling: an agent, a customer, a token or the system. Different types, because ids mean nothing without them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from schema.spec import Audience, Operation

_LOGIN_LETTERS = 200  # of the columns that keep it


class Kind(StrEnum):
    """The kinds of principals, as they are written into tokens, logs and the audit."""

    AGENT = "agent"
    CUSTOMER = "customer"
    TOKEN = "token"  # noqa: S105 - a kind of caller, no secret
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Agent:
    """A row of `users`."""

    kind: ClassVar[Kind] = Kind.AGENT
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of `customer_user`; `company` is its `customer_id`."""

    kind: ClassVar[Kind] = Kind.CUSTOMER
    id: int
    login: str
    company: str


Person: TypeAlias = Agent | Customer


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may be used for: modules by their names, and operations; None stands for all of them."""

    modules: frozenset[str] | None = None
    operations: frozenset[Operation] | None = None

    def allows(self, module: str, operation: Operation) -> bool:
        """Whether an operation on a module lies within the scope."""
        return (self.modules is None or module in self.modules) and (
            self.operations is None or operation in self.operations
        )


@dataclass(frozen=True, slots=True)
class Token:
    """A machine with a token that a person made: it may do what lies in its scope and what its owner may."""

    kind: ClassVar[Kind] = Kind.TOKEN
    id: int
    name: str
    owner: Person
    scope: Scope

    @property
    def login(self) -> str:
        """Whose it is, and its name: what stands beside what it did."""
        return f"{self.owner.login} ({self.name})"[:_LOGIN_LETTERS]


@dataclass(frozen=True, slots=True)
class System:
    """Lambdesk itself, at a task of its own."""

    kind: ClassVar[Kind] = Kind.SYSTEM
    id: ClassVar[int] = 0
    login: ClassVar[str] = "system"
    task: str


Principal: TypeAlias = Agent | Customer | Token | System


def person_of(principal: Principal) -> Person | None:
    """Return the person behind a principal: itself, or whose token it is; nobody for the system."""
    if isinstance(principal, Token):
        return principal.owner
    return None if isinstance(principal, System) else principal


def audience_of(principal: Principal) -> Audience:
    """Return whose schema a principal uses."""
    return Audience.CUSTOMER if isinstance(person_of(principal), Customer) else Audience.AGENT


def subject(person: Person) -> str:
    """Name a person in a token: kind and id, as in `agent:12`."""
    return f"{person.kind}:{person.id}"
