"""A new ticket: who asks, what about, where it goes, and the first article of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from schema.spec import Audience
from schema.writes import Deed
from web.errors import Code, Refused
from web.pages.deeds import DONE, create
from web.pages.form_body import Form
from web.pages.form_page import NO_RIGHT, UNPROCESSABLE
from web.pages.form_query import Asked, ask_new, form_members
from web.pages.form_read import Record, posted, read_record
from web.pages.inputs import Input, make_input
from web.pages.once import mark_of, shown_mark
from web.pages.otrs_tables import TICKET
from web.pages.said import said_of, say
from web.pages.view import Member, View
from web.pages.visit import Visit
from web.pages.work_choices import Chosen, Offer, ask_offer
from web.pages.work_composer import (
    BODY,
    FILES,
    About,
    Draft,
    compose,
    draft_of,
    drop_draft,
    form_of,
    press,
    uploads_of,
)
from web.pages.work_tables import audience_only, the_view, ticket_address

PLACE = "/desk/new"
ARTICLE = "article"  # what the API calls the first article in the input of a new ticket
# Columns of tickets by where they stand in the form; everything else that the module has is offered below them.
ABOUT = ("title", "customer_user_id", "customer_id", "service_id", "sla_id")
HANDLING = ("queue_id", "ticket_state_id", "until_time", "ticket_priority_id", "user_id", "type_id")
DEPENDENT = ("customer_id", "service_id", "sla_id")
DECIDING = ("customer_user_id", "queue_id", "service_id")
# What kind of contact it is, as one choice: the API's kind, and whether customers see the article.
CONTACTS: Mapping[str, tuple[str, bool]] = {
    "phone-in": ("PHONE_FROM_CUSTOMER", True),
    "phone-out": ("PHONE_TO_CUSTOMER", True),
    "note-seen": ("NOTE", True),
    "note": ("NOTE", False),
}
CONTACT = "contact"
TEMPLATE_TYPES = ("CREATE", "PHONE_CALL", "NOTE", "SNIPPET", "ANSWER", "EMAIL")


@dataclass(frozen=True)
class Sheet:
    """The form's members, by the columns that they stand for."""

    view: View
    members: Sequence[Member]

    def on(self, column: str) -> Member | None:
        """Return the member of a column, if the form has it."""
        return next((item for item in self.members if item.field and item.field.column == column), None)

    def typed(self, form: Form, column: str) -> str:
        """Return what a form has for a column."""
        member = self.on(column)
        return form.one(member.name).strip() if member else ""

    def chosen(self, form: Form) -> Chosen:
        """Return what other choices depend on."""
        customer, queue, service = (self.typed(form, column) for column in DECIDING)
        return Chosen(queue, customer, service)


@dataclass(frozen=True)
class Known:
    """What inputs are made of: what was typed, what may be chosen, what is wrong."""

    form: Form
    asked: Asked
    offer: Offer
    wrong: Mapping[str | None, Sequence[str]]


async def show_new_ticket(visit: Visit) -> Response:
    """Show the form: empty, or with what the caller had begun to write."""
    sheet = _sheet(visit)
    draft = await draft_of(visit, PLACE)
    return await _form(visit, sheet, draft=draft)


async def take_new_ticket(visit: Visit) -> Response:
    """Make the ticket, or do what another button asks for."""
    sheet = _sheet(visit)
    pressed = await press(visit, PLACE, PLACE)
    if pressed is not None:
        wrong: dict[str | None, Sequence[str]] = {None: pressed.wrong} if pressed.wrong else {}
        return pressed.answer or await _form(visit, sheet, errors=wrong)
    record = read_record(visit, sheet.members, is_new=True)
    _read_article(visit, record)
    if not record.errors:
        await _fill_company(visit, sheet, record)
        deal = create(sheet.view, record.given)
        payload = (await visit.ask(deal.document, deal.variables, once=mark_of(visit))).data[DONE]
        if not payload["errors"]:
            await drop_draft(visit, PLACE)
            return visit.see(say(ticket_address(sheet.view, payload["row"]["id"]), "created"))
        record.errors = _told(payload["errors"], sheet)
    return await _form(visit, sheet, errors=record.errors)


async def show_choices(visit: Visit) -> Response:
    """Answer with the part of the form that depends on the customer, the queue and the service."""
    sheet = _sheet(visit)
    form = Form({name: [value] for name, value in visit.request.query_params.items()})
    offer = await ask_offer(visit, sheet.chosen(form))
    known = Known(form, await ask_new(visit, sheet.view, sheet.members), offer, {})
    inputs = {member.name: _input(visit, member, known) for member in sheet.members}
    composer = await compose(visit, PLACE, _about(sheet.chosen(form)), body="")
    values = _placed(sheet, inputs)
    return visit.page("work/new.html", block="dependents", offer=offer, composer=composer, **values)


def _sheet(visit: Visit) -> Sheet:
    audience_only(visit, Audience.AGENT)
    view = the_view(visit, TICKET)
    if not view.may(Deed.CREATE):
        raise Refused(403, NO_RIGHT, Code.FORBIDDEN)
    return Sheet(view, form_members(view, is_new=True))


def _read_article(visit: Visit, record: Record) -> None:
    """Read the first article, whose subject is the ticket's title."""
    kind, is_visible = CONTACTS.get(visit.form.one(CONTACT), CONTACTS["phone-in"])
    body = visit.form.one(BODY)
    if not body.strip():
        record.errors[BODY] = (visit.texts("required", field=visit.texts("work-body")),)
    record.given[ARTICLE] = {
        "subject": str(record.given.get("title", "")) or "-",
        "body": body,
        "kind": kind,
        "visibleForCustomer": is_visible,
        "attachments": uploads_of(visit.form),
    }


async def _fill_company(visit: Visit, sheet: Sheet, record: Record) -> None:
    """Let the ticket be the company's of its customer, where nobody says another one."""
    company = sheet.on("customer_id")
    login = sheet.typed(visit.form, "customer_user_id")
    if company is None or company.field is None or not login or company.name in record.given:
        return
    offer = await ask_offer(visit, Chosen(customer=login))
    if offer.company and company.field.raw_name:
        record.given[company.field.raw_name] = offer.company


def _told(errors: Sequence[Mapping[str, Any]], sheet: Sheet) -> dict[str | None, tuple[str, ...]]:
    """Put the API's errors beside the inputs that they are about."""
    names = {member.name for member in sheet.members}
    raw = {str(member.field.raw_name): member.name for member in sheet.members if member.field}
    parts = {"subject": "title", "body": BODY, "attachments": FILES}
    found: dict[str | None, tuple[str, ...]] = {}
    for error in errors:
        path = [str(step) for step in error.get("path") or ()][1:]
        name = (
            parts.get(path[1])
            if path[:1] == [ARTICLE] and len(path) > 1
            else raw.get(path[0], path[0])
            if path
            else None
        )
        place = name if name in {*names, BODY, FILES} else None
        found[place] = (*found.get(place, ()), str(error["message"]))
    return found


async def _form(
    visit: Visit,
    sheet: Sheet,
    *,
    draft: Draft | None = None,
    errors: Mapping[str | None, Sequence[str]] | None = None,
) -> Response:
    """Show the form with what was typed, or with the draft."""
    wrong = errors or {}
    form = form_of(draft) if draft else visit.form
    chosen = sheet.chosen(form)
    offer = await ask_offer(visit, chosen)
    known = Known(form, await ask_new(visit, sheet.view, sheet.members), offer, wrong)
    inputs = {member.name: _input(visit, member, known) for member in sheet.members}
    beside = {name: wrong[name] for name in (BODY, FILES) if name in wrong}
    composer = await compose(visit, PLACE, _about(chosen), draft=draft, errors=beside)
    told = form.one(CONTACT)
    labels = {name: item.label for name, item in inputs.items()}
    return visit.page(
        "work/new.html",
        UNPROCESSABLE if wrong else 200,
        said=said_of(visit),
        offer=offer,
        composer=composer,
        contacts=list(CONTACTS),
        contact=told if told in CONTACTS else "phone-in",
        errors=wrong,
        labels={**labels, BODY: visit.texts("work-body"), FILES: visit.texts("work-files")},
        once=shown_mark(visit),
        **_placed(sheet, inputs),
    )


def _placed(sheet: Sheet, inputs: Mapping[str, Input]) -> Mapping[str, Any]:
    """Sort inputs by where they stand."""

    def named(columns: Sequence[str]) -> list[Input]:
        return [inputs[member.name] for column in columns if (member := sheet.on(column)) is not None]

    placed = {item.name for item in named((*ABOUT, *HANDLING))}
    return {
        "module": sheet.view.module.name,
        "title": next(iter(named(("title",))), None),
        "customer": next(iter(named(("customer_user_id",))), None),
        "dependents": named(DEPENDENT),
        "deciding": " ".join(item.name for item in named(DECIDING)),
        "handling": named(HANDLING),
        "others": [item for name, item in inputs.items() if name not in placed],
    }


def _input(visit: Visit, member: Member, known: Known) -> Input:
    column = member.field.column if member.field else ""
    is_typed = member.name in known.form
    values = posted(member, known.form) if is_typed else tuple(known.asked.defaults.get(member.name, ()))
    choices = known.offer.choices.get(column, known.asked.choices.get(member.name))
    if column == "customer_id" and not any(values) and known.offer.company:
        values = (known.offer.company,)
    made = make_input(member, values, visit.texts, choices)
    return replace(made, errors=tuple(known.wrong.get(member.name, ())))


def _about(chosen: Chosen) -> About:
    return About(queue=chosen.queue, customer=chosen.customer, types=TEMPLATE_TYPES)
