"""What may be chosen for a new ticket: it depends on the customer, the queue and the service that were chosen already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from schema.spec import Audience
from web.pages.choices import Choices
from web.pages.otrs_tables import CLOSED, NEW, OPEN, PENDING, QUEUE, TICKET, member_on, target_on, view_on
from web.pages.view import View
from web.pages.visit import Visit
from web.pages.work_composer import About, read_templates
from web.pages.work_tables import audience_only, the_view

EVERYBODY = "<DEFAULT>"  # OTRS's login for services that every customer may choose
FOUND = 12  # customers that are offered while one types
TYPED_LETTERS = 100
STATES = (NEW, OPEN, *PENDING, CLOSED)  # that a new ticket may have
_OPTIONS = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen so far: names and logins, as forms have them."""

    queue: str = ""
    customer: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be chosen, by columns of tickets, and what is known of the customer."""

    choices: Mapping[str, Choices]
    person: str = ""  # the customer's name
    company: str = ""  # his customer number
    company_name: str = ""


async def ask_offer(visit: Visit, chosen: Chosen) -> Offer:
    """Ask what may be chosen, in one operation."""
    asking = _Asking(visit, chosen)
    roots = [*asking.queues(), *asking.states(), *asking.customer(), *asking.services(), *asking.slas()]
    if not roots:
        return Offer({})
    head = f"({', '.join(asking.declared)})" if asking.declared else ""
    data = (await visit.ask(f"query Offer{head} {{ {' '.join(roots)} }}", asking.given)).data
    return _offer(data)


class _Asking:
    """Writes the root fields of one operation, as far as the caller may ask for them."""

    def __init__(self, visit: Visit, chosen: Chosen) -> None:
        self.visit = visit
        self.chosen = chosen
        self.declared: list[str] = []
        self.given: dict[str, Any] = {}
        self.tickets = the_view(visit, TICKET)

    def view(self, table: str) -> View | None:
        return view_on(self.visit.snapshot, self.visit.access, table)

    def give(self, name: str, type_: str, value: Any) -> str:
        self.declared.append(f"${name}: {type_}")
        self.given[name] = value
        return f"${name}"

    def _named(self, column: str, alias: str, view: View | None, more: Mapping[str, Any] | None = None) -> list[str]:
        """Ask for rows in use that a column of tickets may refer to."""
        member = target_on(self.tickets, column)
        if member is None or view is None:
            return []
        valid = member_on(view, "valid_id")
        narrowed = {**({valid.name: {"eq": "VALID"}} if valid else {}), **(more or {})}
        filter_ = self.give(alias, f"{view.module.type_name}Filter", narrowed)
        order = f", orderBy: [{{{member.shown}: ASC}}]" if member.shown == "name" else ""
        return [
            f"{alias}: {view.module.many_root}(first: {_OPTIONS}, filter: {filter_}{order}) {{ nodes {{ name: {member.shown} }} }}"
        ]

    def queues(self) -> list[str]:
        """Ask for the queues in which the caller may make tickets, by OTRS's key."""
        view = self.view(QUEUE)
        group = target_on(view, "group_id") if view else None
        rights = self.visit.access.rights
        bounded = group is not None and not rights.unbounded
        more = {group.name: {"databaseId": {"in": sorted(rights.groups["create"])}}} if group and bounded else {}
        return self._named("queue_id", "queue_id", view, more)

    def states(self) -> list[str]:
        """Ask for the states that a new ticket may have."""
        view = self.view("ticket_state")
        kind = target_on(view, "type_id") if view else None
        more = {kind.name: {kind.shown: {"in": list(STATES)}}} if kind else {}
        return self._named("ticket_state_id", "ticket_state_id", view, more)

    def customer(self) -> list[str]:
        """Ask for the customer's name and company."""
        view = self.view("customer_user")
        if view is None or not self.chosen.customer:
            return []
        names = {"first": "first_name", "last": "last_name"}
        parts = [f"{key}: {found.name}" for key, column in names.items() if (found := member_on(view, column))]
        company = member_on(view, "customer_id")
        if company is not None and company.field is not None:
            parts += [f"number: {company.field.raw_name}"] if company.field.raw_name else []
            parts += [f"company: {company.name} {{ name }}"] if company.target is not None else []
        if not parts:
            return []
        key = self.give("customer", "String!", self.chosen.customer)
        return [f"customer: {view.module.one_root}(by: {{login: {key}}}) {{ {' '.join(parts)} }}"]

    def services(self) -> list[str]:
        """Ask for the services that the customer may choose, and those that everybody may."""
        member = target_on(self.tickets, "service_id")
        links = self.view("service_customer_user")
        service = target_on(links, "service_id") if links else None
        login = member_on(links, "customer_user_login") if links else None
        if member is None or links is None or service is None or login is None or login.field is None:
            return []
        logins = [EVERYBODY, *([self.chosen.customer] if self.chosen.customer else [])]
        narrowed = {str(login.field.raw_name or login.name): {"in": logins}}
        filter_ = self.give("links", f"{links.module.type_name}Filter", narrowed)
        told = login.field.raw_name or login.name
        return [
            (
                f"links: {links.module.many_root}(first: {_OPTIONS}, filter: {filter_}) "
                f"{{ nodes {{ login: {told} service: {service.name} {{ name: {member.shown} }} }} }}"
            )
        ]

    def slas(self) -> list[str]:
        """Ask for the service levels that the chosen service has."""
        member = target_on(self.tickets, "sla_id")
        view = self.view("service")
        name = next((key for key, (_, target) in view.relations.items() if target.table == "sla"), "") if view else ""
        if member is None or view is None or not name or not self.chosen.service:
            return []
        key = self.give("service", "String!", self.chosen.service)
        return [
            (
                f"service: {view.module.one_root}(by: {{name: {key}}}) "
                f"{{ slas: {name}(first: {_OPTIONS}) {{ nodes {{ name: {member.shown} }} }} }}"
            )
        ]


def _offer(data: Mapping[str, Any]) -> Offer:
    found = {
        column: _choices(node["name"] for node in data[column]["nodes"])
        for column in ("queue_id", "ticket_state_id")
        if column in data
    }
    if "links" in data:
        links = [(node["login"], node["service"]["name"]) for node in data["links"]["nodes"] if node["service"]]
        own = [name for login, name in links if login != EVERYBODY]
        found["service_id"] = _choices(sorted(set(own or (name for _, name in links))))
        found["sla_id"] = Choices(())
    if data.get("service"):
        found["sla_id"] = _choices(node["name"] for node in data["service"]["slas"]["nodes"])
    customer = data.get("customer") or {}
    person = " ".join(str(customer[part]) for part in ("first", "last") if customer.get(part))
    company = customer.get("company") or {}
    return Offer(found, person, str(customer.get("number") or ""), str(company.get("name") or ""))


def _choices(names: Any) -> Choices:
    return Choices(tuple((str(name), str(name)) for name in names))


# --- pages that scripts ask ---


async def show_customers(visit: Visit) -> Response:
    """Offer customers whose login, name or mail contains what was typed."""
    audience_only(visit, Audience.AGENT)
    view = the_view(visit, "customer_user")
    params = visit.request.query_params
    typed = next((value for value in params.values()), "")[:TYPED_LETTERS].strip()
    login, valid = member_on(view, "login"), member_on(view, "valid_id")
    if login is None or not typed or "search" not in view.takes(visit.schema):
        return visit.page("options.html", options=())
    names = {"first": "first_name", "last": "last_name", "mail": "email"}
    parts = [f"{key}: {found.name}" for key, column in names.items() if (found := member_on(view, column))]
    company = target_on(view, "customer_id")
    parts += [f"company: {company.name} {{ name }}"] if company else []
    narrowed = f", filter: {{{valid.name}: {{eq: VALID}}}}" if valid else ""
    document = (
        f"query Customers($typed: String!) {{ found: {view.module.many_root}(first: {FOUND}, search: $typed{narrowed}) "
        f"{{ nodes {{ login: {login.name} {' '.join(parts)} }} }} }}"
    )
    nodes: Sequence[Mapping[str, Any]] = (await visit.ask(document, {"typed": typed})).data["found"]["nodes"]
    return visit.page("options.html", options=[(str(node["login"]), _called(node)) for node in nodes])


def _called(node: Mapping[str, Any]) -> str:
    person = " ".join(str(node[part]) for part in ("first", "last") if node.get(part))
    company = (node.get("company") or {}).get("name")
    return " · ".join(str(part) for part in (person, node.get("mail"), company) if part)


async def show_text(visit: Visit) -> Response:
    """Answer with one template as text, filled in: a script puts it where one writes."""
    audience_only(visit, Audience.AGENT)
    params = visit.request.query_params
    about = About(
        params.get("ticket", ""), params.get("queue", ""), params.get("customer", ""), tuple(params.getlist("type"))
    )
    found = next((item.text for item in await read_templates(visit, about) if item.id == params.get("template")), "")
    return Response(found, 200, {"Cache-Control": "no-store"}, "text/plain; charset=utf-8")
