"""The past of a row: who changed what, field by field, and a button that takes a change back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from schema.kinds import VALIDITY
from schema.spec import Field
from web.pages.cells import EMPTY, Reader, Shown, show, show_moment
from web.pages.deeds import DONE, read_done
from web.pages.detail_page import row_address
from web.pages.form_query import row_id
from web.pages.list_page import reader_of
from web.pages.row_page import row_page
from web.pages.said import say
from web.pages.view import View
from web.pages.visit import Visit

PAGE_SIZE = 20
ENTRY_LETTERS = 500
ASK = (
    "query History($id: ID!, $first: Int, $before: ID) { history(of: $id, first: $first, before: $before) "
    "{ id kind at by { kind login } fields { field before after } undoes canBeUndone } }"
)
UNDO = f"mutation Undo($change: ID!) {{ {DONE}: undo(input: {{change: $change}}) {{ node {{ id }} errors {{ code message path }} }} }}"


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after."""

    label: str
    before: Shown
    after: Shown


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a row."""

    id: str
    kind: str
    who: str
    when: Shown
    changes: tuple[Change, ...]
    undoes: bool
    can_be_undone: bool


async def show_history(visit: Visit) -> Response:
    """Show the changes of a row, newest first; htmx gets them as a part of the row's page."""
    view = visit.view()
    before = visit.request.query_params.get("before", "")
    asked = {"id": row_id(visit), "first": PAGE_SIZE, **({"before": before} if before else {})}
    answer = await visit.ask(ASK, asked)
    reader = replace(reader_of(visit), brief=True)
    entries = [_entry(view, item, reader) for item in answer.data["history"]]
    return visit.page(
        "history.html",
        block="past" if visit.is_htmx else "",
        view=view,
        entries=entries,
        address=row_address(visit, view),
        older=entries[-1].id if len(entries) == PAGE_SIZE else "",
    )


async def take_undo(visit: Visit) -> Response:
    """Take a change back."""
    view = visit.view()
    answer = await visit.ask(UNDO, {"change": visit.form.one("change")})
    done = read_done(answer.data[DONE])
    if done.is_done:
        gone = answer.data[DONE]["node"] is None
        return visit.see(say(f"/modules/{view.module.name}" if gone else row_address(visit, view), "undone"))
    why = " ".join(message for messages in done.errors.values() for message in messages)
    return await row_page(visit, view, visit.texts("undo-refused", why=why), 409)


def _entry(view: View, item: Mapping[str, Any], reader: Reader) -> Entry:
    return Entry(
        item["id"],
        reader.texts(f"change-{item['kind']}"),
        item["by"]["login"],
        show_moment(item["at"], reader),
        tuple(_change(view, change, reader) for change in item["fields"]),
        item["undoes"] is not None,
        item["canBeUndone"],
    )


def _change(view: View, change: Mapping[str, Any], reader: Reader) -> Change:
    member = view.members.get(change["field"])
    label = member.label.in_language(reader.texts.language) if member else str(change["field"])
    return Change(label, _past(view, change, "before", reader), _past(view, change, "after", reader))


def _past(view: View, change: Mapping[str, Any], side: str, reader: Reader) -> Shown:
    """Show a value of the past; a reference is what it stores, for its row may be gone."""
    value, member = change[side], view.members.get(change["field"])
    if value is None:
        return EMPTY
    if member is None or member.target is not None:
        return Shown(str(value)[:ENTRY_LETTERS])
    return show(_external(member.field, value), member, reader)


def _external(item: Field | None, value: Any) -> Any:
    """Return the API's name of a stored option, where the past tells what is stored."""
    if item is None:
        return value
    stored = {option.value: option.name for option in item.options}
    if item.kind == "validity":
        stored = {number: name for name, number in VALIDITY.items()}
    return stored.get(value, value) if isinstance(value, int | str) else value
