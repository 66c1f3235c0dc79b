"""Saved views of a list: what is shown kept under a name, opened again, renamed, replaced and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from schema.spec import Audience
from web.pages.form_page import UNPROCESSABLE
from web.pages.list_page import read_list
from web.pages.list_state import ListState
from web.pages.said import say
from web.pages.views_state import settings_of, view_address
from web.pages.visit import Visit

_PARTS = "id name shared filter search orderBy columns owner { isMe }"
VIEWS = f"query SavedViews($module: String!) {{ savedViews(module: $module) {{ {_PARTS} }} }}"
SAVE = "mutation SaveView($input: SaveViewInput!) { done: saveView(input: $input) { view { id } errors { message } } }"
DELETE = "mutation DeleteView($input: DeleteViewInput!) { done: deleteView(input: $input) { errors { message } } }"
NAME_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """A view in the menu."""

    id: str
    name: str
    shared: bool
    is_own: bool
    url: str


async def show_views(visit: Visit) -> Response:
    """Show the views of a list, and the form that keeps the present one; htmx gets the panel."""
    return await _show(visit, read_list(visit))


async def take_views(visit: Visit) -> Response:
    """Keep, change or remove a view."""
    state = read_list(visit)
    deed = visit.form.one("deed")
    problems = await (_remove(visit) if deed == "delete" else _save(visit, state, is_new=deed != "change"))
    if problems:
        return await _show(visit, state, " ".join(problems))
    return visit.see(say(state.here(), "view-deleted" if deed == "delete" else "view-saved"))


async def _save(visit: Visit, state: ListState, *, is_new: bool) -> Sequence[str]:
    """Keep what the list shows; a view that is changed keeps what it has, unless it is to be replaced."""
    zone = visit.look.time_zone()
    kept: Mapping[str, Any] | None = settings_of(state, visit.schema, zone)
    if not is_new and visit.form.one("replace") != "1":
        found = (item for item in await _ask(visit, state) if item["id"] == visit.form.one("id"))
        view = next(found, None)
        kept = {name: view[name] for name in ("filter", "search", "orderBy", "columns")} if view else None
    if kept is None:
        return [visit.texts("view-gone")]
    given = {
        **kept,
        "module": state.view.module.name,
        "name": visit.form.one("name").strip()[: NAME_LETTERS + 1],
        "shared": visit.form.one("shared") == "1",
        **({} if is_new else {"id": visit.form.one("id")}),
    }
    return _problems(await visit.ask(SAVE, {"input": given}))


async def _remove(visit: Visit) -> Sequence[str]:
    return _problems(await visit.ask(DELETE, {"input": {"id": visit.form.one("id")}}))


def _problems(answer: Any) -> Sequence[str]:
    return [str(error["message"]) for error in answer.data["done"]["errors"]]


async def _ask(visit: Visit, state: ListState) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = (await visit.ask(VIEWS, {"module": state.view.module.name})).data["savedViews"]
    return found


async def _show(visit: Visit, state: ListState, problem: str = "") -> Response:
    zone = visit.look.time_zone()
    views = [
        Saved(item["id"], item["name"], item["shared"], item["owner"]["isMe"], view_address(state.view, item, zone))
        for item in await _ask(visit, state)
    ]
    return visit.page(
        "views.html",
        UNPROCESSABLE if problem else 200,
        block="panel" if visit.is_htmx and not problem else "",
        state=state,
        view=state.view,
        views=views,
        here=state.here(f"/modules/{state.view.module.name}/views"),
        shares=visit.audience is Audience.AGENT,
        name_letters=NAME_LETTERS,
        typed=visit.form.one("name") if problem else "",
        problem=problem,
    )
