"""Callers and modules that stand in no database: what is decided by rights and rules alone needs none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.access import Access as Decisions
from identity.principals import Agent, Customer, Person, Scope, System, Token
from identity.rights import Grant, Rights, unbounded
from schema.problems import Place
from schema.spec import (
    Access,
    AudienceAccess,
    Caption,
    Computed,
    Expression,
    Field,
    Module,
    Rule,
)

PLACE = Place("item.yaml", 1, 1)
ALL, NOBODY = Rule(allow=True), Rule()
BETA = Rule(group="beta", key="note")
CHIEFS = Rule(role="Chiefs")
ALPHA_RO, BETA_RW, BETA_BY_ROLE = Grant(1, "alpha", "ro"), Grant(2, "beta", "rw"), Grant(2, "beta", "note", "Chiefs")
ADMIN = Grant(3, "admin", "rw")
RITA, CARLA = Agent(11, "rita"), Customer(21, "carla", "acme")


def field(name: str, **more: Any) -> Field:
    return Field(name, "string", f"c_{name}", Caption(name), PLACE, **more)


def computed(name: str, *columns: str) -> Computed:
    expression = Expression("?", columns, {}) if columns else None
    return Computed(name, "string", PLACE, Caption(name), expression=expression)


def module(name: str = "item", **more: Any) -> Module:
    given = {"digest": name, "key_columns": ("id",), **more}
    return Module(name, f"{name}s", Caption(name), Caption(f"{name}s"), PLACE, **given)


def rules(**given: Any) -> AudienceAccess:
    return AudienceAccess(**given)


def ruled(agent: AudienceAccess | None = None, customer: AudienceAccess | None = None, **more: Any) -> Module:
    return module(access=Access(agent or AudienceAccess(), customer or AudienceAccess()), **more)


def rita(*grants: Grant, roles: tuple[str, ...] = ()) -> Decisions:
    return Decisions(Rights(RITA, grants, frozenset(roles), email="rita@example.com"))


def carla(*companies: str) -> Decisions:
    return Decisions(Rights(CARLA, companies=companies))


def machine(scope: Scope, *grants: Grant, owner: Person = RITA) -> Decisions:
    return Decisions(Rights(Token(7, "robot", owner, scope), grants))


SYSTEM = Decisions(unbounded(System("test")))


# Pay is for few; who is called what is for chiefs to say.
PAY, NAME = field("pay"), field("name")
FIELDS: Mapping[str, Mapping[str, Rule]] = {"pay": {"agent": BETA, "customer": NOBODY}, "side": {"agent": BETA}}
STAFF = module(
    fields=(PAY, NAME),
    computed=(computed("double", "c_pay"), computed("short", "c_name"), computed("free")),
    access=Access(AudienceAccess(view=ALL), fields=FIELDS, writes={"name": {"agent": CHIEFS}, "pay": {"agent": ALL}}),
)
