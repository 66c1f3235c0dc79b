"""Who may do what with every shipped module, as a table that people review: `docs/permissions.md`."""

from __future__ import annotations

import os
from pathlib import Path

from identity.access import Access, Right
from identity.principals import Agent, Customer
from identity.rights import Grant, Rights
from schema.spec import Module, Operation
from tests.modules.shipped import shipped

TABLE = Path(__file__).parents[2] / "docs" / "permissions.md"
WRITE = "LAMBDESK_WRITE_PERMISSIONS"
HEAD = """\
# Who may do what

What the rules of the shipped modules say, made by a test (`{write}=1` writes it anew). Rules of a site change it.

- **Administrator**: holds `rw` of the group `admin`. **Agent**: any other agent. **Customer**: a customer of the portal.
- `+` may, `-` may not, `~` may with some rows: those that the rule of the module's `access.rows` leaves. Where a module has no such operation, nothing stands.
- Articles are made by `createTicket` and `addArticle`, and tickets ask for OTRS's keys beside this: see [administration](administration.md).

| module | Administrator | Agent | Customer |
|---|---|---|---|
"""
ROLES = (
    Rights(Agent(1, "root@localhost"), tuple(Grant(2, "admin", key) for key in ("rw",))),
    Rights(Agent(2, "ada")),
    Rights(Customer(1, "carl", "ACME"), companies=("ACME",)),
)


def cell(module: Module, rights: Rights) -> str:
    """What one role may do with a module: `view+ create~`."""
    access = Access(rights)
    found = []
    for right in Right:
        if Operation(right) not in module.operations:
            continue
        bounded = access.is_bounded(module) or access.is_bounded(module, right, after=True)
        sign = "-" if not access.may(module, right) else "~" if bounded else "+"
        found.append(f"{right.value}{sign}")
    return " ".join(found)


def table() -> str:
    rows = (
        f"| {name} | " + " | ".join(cell(module, rights) for rights in ROLES) + " |"
        for name, module in sorted(shipped().items())
    )
    return HEAD.format(write=WRITE) + "\n".join(rows) + "\n"


def test_the_rules_of_the_shipped_modules_are_those_that_were_reviewed() -> None:
    if os.environ.get(WRITE):
        TABLE.write_text(table())
    assert table() == TABLE.read_text()


def test_nobody_but_administrators_writes_what_everybody_s_work_depends_on() -> None:
    for name in ("user", "group", "role", "group_user", "group_role", "role_user", "queue", "state", "sysconfig_value"):
        for rights in ROLES[1:]:
            for right in (Right.CREATE, Right.UPDATE, Right.DELETE):
                assert not Access(rights).may(shipped()[name], right), (name, right)


def test_an_agent_without_groups_may_view_no_more_than_everybody() -> None:
    module = shipped()["group_user"]
    assert not Access(ROLES[1]).may(module, Right.VIEW)
