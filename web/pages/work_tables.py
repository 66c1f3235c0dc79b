"""What pages of the desk need of OTRS's tables: where it is not there for the caller, there is no such page."""

from __future__ import annotations

from urllib.parse import quote

from schema.spec import Audience, Module
from web.errors import NOTHING_HERE, Refused
from web.pages.otrs_tables import target_on, view_on
from web.pages.view import Member, View, view_of
from web.pages.visit import Visit


def audience_only(visit: Visit, audience: Audience) -> None:
    """Let the others find nothing: they have pages of their own. Raises `Refused` (404)."""
    if visit.audience is not audience:
        raise Refused(404, NOTHING_HERE)


def the_view(visit: Visit, table: str) -> View:
    """Return the module on a table. Raises `Refused` (404) where there is none for the caller."""
    found = view_on(visit.snapshot, visit.access, table)
    if found is None:
        raise Refused(404, NOTHING_HERE)
    return found


def the_target(view: View, column: str) -> tuple[Member, Module]:
    """Return the reference that a column is, and where it leads. Raises `Refused` (404) where the caller may not follow it."""
    found = target_on(view, column)
    if found is None or found.target is None:
        raise Refused(404, NOTHING_HERE)
    return found, found.target


def view_behind(visit: Visit, module: Module) -> View:
    """Return a module as the caller sees it. Raises `Refused` (404)."""
    found = view_of(visit.snapshot, visit.access, module.name)
    if found is None:
        raise Refused(404, NOTHING_HERE)
    return found


def ticket_address(view: View, row: str) -> str:
    """Return where a ticket is shown, by its global id."""
    return f"/modules/{view.module.name}/{quote(row)}"
