"""Fields of a ticket changed where they stand: one group at a time, against what it was when its form was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.choices import Choices, choice_roots, read_choices
from web.pages.deeds import CONFLICT, DONE, NOT_FOUND, read_done, update
from web.pages.form_page import UNPROCESSABLE, VERSION
from web.pages.form_query import row_id
from web.pages.form_read import Record, is_touched, merged_errors, posted, read_record
from web.pages.inputs import digest, make_input, values_of
from web.pages.said import say
from web.pages.ticket_page import Around, Open, after_of, answer_with, may_change, order_of
from web.pages.ticket_query import Told, ask_ticket
from web.pages.ticket_sight import Group, Sight, sight_of, ticket_address
from web.pages.view import Member
from web.pages.visit import Visit

HEAD = "head"
CHANGED = {"HX-Trigger": "ticket-changed"}  # parts of the page that tell of the past ask anew
_CHANGED_MEANWHILE = 409


async def show_change(visit: Visit) -> Response:
    """Show a group of the head with its inputs; htmx asks for the head alone, and for the group closed again."""
    sight = sight_of(visit)
    group = _group(visit, sight)
    told = await _ask(visit, sight)
    if visit.request.query_params.get("show"):
        return _answer(visit, sight, told, Around())
    if not may_change(sight, group, told):
        raise Refused(403, visit.texts("ticket-no-key", needed=group.key), Code.FORBIDDEN)
    choices = await _choices(visit, sight, group)
    return _answer(visit, sight, told, Around(open=_open(visit, group, told, choices)))


async def take_change(visit: Visit) -> Response:
    """Change a group of the head, if nobody was faster."""
    sight = sight_of(visit)
    group = _group(visit, sight)
    members = [item for item in group.members if item.name in sight.writable]
    record = read_record(visit, members, is_new=False)
    codes: frozenset[str] = frozenset()
    if not record.errors and record.given:
        deal = update(sight.view, row_id(visit), visit.form.one(VERSION) or None, record.given)
        done = read_done((await visit.ask(deal.document, deal.variables)).data[DONE])
        codes = done.codes
        if NOT_FOUND in codes:
            raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
        record.errors = merged_errors(record, done.errors, [item.name for item in members])
    if not record.errors and not visit.is_htmx:
        return visit.see(say(ticket_address(visit, sight), "saved"))
    told = await _ask(visit, sight)
    if not record.errors:
        return _answer(visit, sight, told, Around(is_saved=True))
    choices = await _choices(visit, sight, group)
    status = _CHANGED_MEANWHILE if CONFLICT in codes else UNPROCESSABLE
    return _answer(visit, sight, told, Around(open=_open(visit, group, told, choices, record), status=status))


def _group(visit: Visit, sight: Sight) -> Group:
    found = sight.groups.get(str(visit.request.path_params["group"]))
    if found is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found


async def _ask(visit: Visit, sight: Sight) -> Told:
    return await ask_ticket(visit, sight, order=order_of(visit), after=after_of(visit), only_head=visit.is_htmx)


def _answer(visit: Visit, sight: Sight, told: Told, around: Around) -> Response:
    response = answer_with(visit, sight, told, around, HEAD if visit.is_htmx else "")
    if around.is_saved:
        response.headers.update(CHANGED)
    return response


async def _choices(visit: Visit, sight: Sight, group: Group) -> Mapping[str, Choices]:
    references = [item for item in group.members if item.target is not None and item.shown != "id"]
    roots = " ".join(choice_roots(references, visit.schema))
    if not roots:
        return {}
    answer = await visit.ask(f"query {sight.view.module.type_name}Choices {{ {roots} }}")
    return read_choices(references, answer.data)


def _open(
    visit: Visit,
    group: Group,
    told: Told,
    choices: Mapping[str, Choices],
    record: Record | None = None,
) -> Open:
    """Make the form of a group. One that came back holds what was typed, against what the ticket says by now."""
    zone = visit.look.time_zone()
    stored = {item.name: values_of(item, told.row[item.name], zone) for item in group.members}
    errors = record.errors if record else {}
    inputs = [
        replace(
            make_input(item, _typed(visit, item, stored, record), visit.texts, choices.get(item.name), is_new=False),
            errors=errors.get(item.name, ()),
        )
        for item in group.members
    ]
    first = replace(inputs[0], attributes={**inputs[0].attributes, "autofocus": "autofocus"})
    return Open(
        group.name,
        (first, *inputs[1:]),
        {name: digest(values) for name, values in stored.items()},
        _about(errors, [item.name for item in group.members]),
    )


def _typed(visit: Visit, item: Member, stored: Mapping[str, tuple[str, ...]], record: Record | None) -> tuple[str, ...]:
    if record is not None and item.name in visit.form and is_touched(item, visit.form):
        return posted(item, visit.form)
    return stored[item.name]


def _about(errors: Mapping[str | None, tuple[str, ...]], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for name, messages in errors.items() if name not in names for text in messages)
