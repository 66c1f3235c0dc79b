"""Callers that may do everything, for tests of what is not about rights."""

from __future__ import annotations

from identity.principals import Agent, Customer, System
from identity.rights import Rights, unbounded
from schema.spec import Audience

ROOT = Agent(1, "root@localhost")
SYSTEM = System("tests")
SOMEBODY = Customer(1, "somebody", "")


def everything(audience: Audience = Audience.AGENT) -> Rights:
    """Rights to everything in the schema of an audience."""
    return unbounded(SYSTEM if audience is Audience.AGENT else SOMEBODY)
