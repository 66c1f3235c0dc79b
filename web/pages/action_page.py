"""Actions of a module file as buttons on the page of a row: asked for where the file says so, with inputs for their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from schema.kinds import KINDS, kind_of
from schema.spec import Action, Argument
from schema.writes import acted_name, action_name
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.buttons import button_of, label_of
from web.pages.cells import selection_of
from web.pages.deeds import DONE, ERRORS, Deal, read_done
from web.pages.detail_page import read_row, row_address
from web.pages.form_page import VERSION
from web.pages.form_query import heading_of, row_id
from web.pages.inputs import read_input
from web.pages.portions import ROW
from web.pages.row_page import row_page
from web.pages.said import say
from web.pages.values import Unreadable
from web.pages.view import Member, View
from web.pages.visit import Visit


async def show_action(visit: Visit) -> Response:
    """Ask about an action of a row that a list offers: what it asks for, and a button. Nothing happens before that."""
    view = visit.view()
    button = button_of(visit, view, str(visit.request.path_params["action"]))
    title = view.title
    if button is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    called = selection_of(title) if title is not None else ""
    document = (
        f"query {view.module.type_name}Action($id: ID!) "
        f"{{ {ROW}: {view.module.one_root}(by: {{id: $id}}) {{ id version {called} }} }}"
    )
    row, _ = await read_row(visit, view, document)
    heading = heading_of(view, row)
    return visit.page(
        "action.html", view=view, row=row, button=button, heading=heading, address=row_address(visit, view)
    )


async def take_action(visit: Visit) -> Response:
    """Carry an action out."""
    view = visit.view()
    action = next((item for item in view.actions if item.name == visit.request.path_params["action"]), None)
    if action is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    try:
        given = {argument.api_name: _read(visit, argument) for argument in action.args}
    except Unreadable as error:
        return await row_page(visit, view, visit.texts("deed-refused", why=visit.texts(error.key)), 422)
    deal = act(view, action, row_id(visit), {name: value for name, value in given.items() if value is not None})
    answer = await visit.ask(deal.document, {**deal.variables, "version": visit.form.one(VERSION) or None})
    done = read_done(answer.data[DONE])
    if done.is_done:
        gone = answer.data[DONE]["row"] is None
        return visit.see(say(f"/modules/{view.module.name}" if gone else row_address(visit, view), "acted"))
    why = " ".join(message for messages in done.errors.values() for message in messages)
    return await row_page(visit, view, visit.texts("deed-refused", why=why), 409)


def act(view: View, action: Action, row: str, given: Mapping[str, Any]) -> Deal:
    """Make the mutation of an action."""
    scalars = {item.api_name: _scalar(item) for item in action.args}
    declared = "".join(f", ${name}: {scalars[name]}" for name in given)
    arguments = "".join(f", {name}: ${name}" for name in given)
    document = (
        f"mutation {view.module.type_name}Act($id: ID!, $version: String{declared}) {{ {DONE}: {action_name(view.module, action)}"
        f"(input: {{key: {{id: $id}}, ifVersion: $version{arguments}}}) {{ row: {acted_name(view.module)} {{ id }} {ERRORS} }} }}"
    )
    return Deal(document, {"id": row, **given})


def _scalar(argument: Argument) -> str:
    kind = kind_of(argument.kind)
    return f"{(kind.scalar if kind else '') or 'String'}{'!' if argument.required else ''}"


def _read(visit: Visit, argument: Argument) -> Any:
    kind = argument.kind if argument.kind in KINDS else "string"
    member = Member(argument.api_name, label_of(argument), kind)
    return read_input(member, visit.form.all(argument.api_name)[-1:], visit.look.time_zone())
