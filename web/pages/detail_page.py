"""The page of a row: its fields by section, its relations and its history behind them, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from schema.writes import Deed
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.buttons import buttons_of
from web.pages.cells import Shown, show, unreadable
from web.pages.deeds import DONE, Deal, read_done, remove, restore
from web.pages.form_page import VERSION, allowed, list_address
from web.pages.form_query import heading_of, row_id, section_captions
from web.pages.list_page import is_live, reader_of
from web.pages.live_names import row_watch
from web.pages.portions import ROW, ask_whole_row
from web.pages.said import said_of, say
from web.pages.view import Member, View, is_stamp
from web.pages.visit import Answer, Visit

_WIDE = frozenset({"long", "code"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A field and its value."""

    label: str
    shown: Shown
    help: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it wants a line of its own."""
        return self.shown.style in _WIDE


async def detail(visit: Visit, view: View, problem: str = "", status: int = 200) -> Response:
    """Answer with the page of a row, and why a deed was refused."""
    if not view.module.has_id:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    answer = await ask_whole_row(visit, view, "Detail", row_id(visit))
    row = _found(answer)
    block = "content" if is_live(visit) else ""
    return visit.page("detail.html", status, block=block, **_values(visit, view, row, answer), problem=problem)


async def read_row(visit: Visit, view: View, document: str) -> tuple[Mapping[str, Any], Answer]:
    """Ask for the row in the address. Raises `Refused` (404)."""
    if not view.module.has_id:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    answer = await visit.ask(document, {"id": row_id(visit)})
    return _found(answer), answer


def _found(answer: Answer) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = answer.data[ROW]
    if row is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return row


async def take_delete(visit: Visit) -> Response:
    """Delete a row, or set it invalid, as its module has it."""
    view = allowed(visit, Deed.DELETE)
    deal = remove(view, row_id(visit), visit.form.one(VERSION) or None)
    there = say(row_address(visit, view), "set-off") if view.soft_deletes else say(list_address(view), "deleted")
    return await _do(visit, view, deal, there)


async def take_restore(visit: Visit) -> Response:
    """Bring a row back that was set invalid."""
    view = allowed(visit, Deed.RESTORE)
    deal = restore(view, row_id(visit), visit.form.one(VERSION) or None)
    return await _do(visit, view, deal, say(row_address(visit, view), "restored"))


async def _do(visit: Visit, view: View, deal: Deal, there: str) -> Response:
    answer = await visit.ask(deal.document, deal.variables)
    done = read_done(answer.data[DONE])
    if done.is_done:
        return visit.see(there)
    why = " ".join(message for messages in done.errors.values() for message in messages)
    return await detail(visit, view, visit.texts("deed-refused", why=why), 409)


def row_address(visit: Visit, view: View) -> str:
    """Return where the page of the row is."""
    return f"{list_address(view)}/{quote(row_id(visit))}"


def _values(visit: Visit, view: View, row: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    bad = {error["path"][1] for error in answer.errors if len(error.get("path", ())) > 1}
    reader = reader_of(visit, brief=False)
    texts, language = visit.texts, visit.look.lang

    def fact(member: Member) -> Fact:
        shown = unreadable(texts) if member.name in bad else show(row[member.name], member, reader)
        said = member.field.help if member.field else None
        return Fact(member.label.in_language(language), shown, said.in_language(language) if said else "")

    placed: set[str] = set()
    sections = []
    for title, names in section_captions(view):
        members = [view.members[name] for name in names if name in view.members]
        placed.update(member.name for member in members)
        sections.append(
            (title.in_language(language) if title else texts("details"), [fact(member) for member in members])
        )
    stamps = [member for member in view.members.values() if is_stamp(member) or member.item is None]
    rest = [item for item in view.members.values() if item.name not in placed and item not in stamps]
    if rest:
        sections.append((texts("fields-other"), [fact(member) for member in rest]))
    sections.append((texts("stamps"), [fact(member) for member in stamps if member.name not in placed]))
    validity = next((member for member in view.members.values() if member.kind == "validity"), None)
    is_off = validity is not None and row[validity.name] == "INVALID"
    return {
        "view": view,
        "row": row,
        "heading": heading_of(view, row),
        "subheading": _subheading(view, row),
        "address": row_address(visit, view),
        "sections": [(title, facts) for title, facts in sections if facts],
        "relations": [
            (name, _caption(item, language), row_watch(view, row["id"], name))
            for name, (item, _) in view.relations.items()
        ],
        "watch": row_watch(view, row["id"]),
        "buttons": buttons_of(visit, view),
        "edits": view.may(Deed.UPDATE),
        "deletes": view.may(Deed.DELETE) and not (is_off and view.soft_deletes),
        "restores": view.may(Deed.RESTORE) and is_off,
        "said": said_of(visit),
        "has_past": "history" in (visit.schema.query_type.fields if visit.schema.query_type else {}),
    }


def _subheading(view: View, row: Mapping[str, Any]) -> str:
    """Return the first line of text of the list's columns that is not the heading."""
    title = view.title.name if view.title else ""
    found = next((item.name for item in view.columns if item.kind == "string" and item.name != title), None)
    return str(row[found] or "") if found else ""


def _caption(item: Any, language: str) -> str:
    return str(item.label.in_language(language)) if item.label else item.name.replace("_", " ").capitalize()
