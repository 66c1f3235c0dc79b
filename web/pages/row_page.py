"""The page of a row: its own where its table has one, else the generic one, which every row has too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from desk.roles import Role
from web.pages.detail_page import detail
from web.pages.ticket_page import ticket_page
from web.pages.ticket_sight import find_sight
from web.pages.view import View
from web.pages.visit import Visit

RowPage = Callable[[Visit, View, str, int], Awaitable[Response]]
Fits = Callable[[Visit, View], object]
# By table: whether a module on it has a page of its own for the caller, and the page.
PAGES: Mapping[str, tuple[Fits, RowPage]] = {Role.TICKET: (find_sight, ticket_page)}


async def show_row(visit: Visit) -> Response:
    """Show a row."""
    return await row_page(visit, visit.view())


async def show_fields(visit: Visit) -> Response:
    """Show all fields of a row, also where its table has a page of its own."""
    return await detail(visit, visit.view())


async def row_page(visit: Visit, view: View, problem: str = "", status: int = 200) -> Response:
    """Answer with the page of a row, and why a deed was refused."""
    fits, page = PAGES.get(view.module.table, (None, None))
    if fits is None or page is None or fits(visit, view) is None:
        return await detail(visit, view, problem, status)
    return await page(visit, view, problem, status)
