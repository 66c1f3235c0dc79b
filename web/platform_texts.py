"""Text templates in the API: those of a queue, with their placeholders filled in for a ticket or a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import strawberry
from graphql import parse

from desk.placeholders import fill, template_text
from identity.principals import person_of
from resolvers.errors import BadRequest, Forbidden
from resolvers.execute import execute
from schema.names import enum_value
from web.text_sources import Sources, Wanted, ask_people, ask_queue, ask_ticket, read_values
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]
REFUSED = "textTemplates: you may not view queues and templates."


@strawberry.enum(description="What a text template is for.")
class TextTemplateType(Enum):
    """OTRS's types of templates, as its column has them."""

    ANSWER = "Answer"
    CREATE = "Create"
    EMAIL = "Email"
    FORWARD = "Forward"
    NOTE = "Note"
    PHONE_CALL = "PhoneCall"
    SNIPPET = "Snippet"


@strawberry.type(description="A prepared text, with what is known filled in.")
class TextTemplate:
    """A template as whoever writes gets it."""

    id: strawberry.ID = strawberry.field(description="The global id of the template.")
    name: str
    type: TextTemplateType | None = strawberry.field(description="Null for a type that is the site's own.")
    text: str = strawberry.field(description="Plain text: of a template in HTML what it says.")


@strawberry.type
class TextQuery:
    """Root fields about text templates."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="The templates of a ticket's queue, or of a queue for a ticket that is yet to be made, by name. Their placeholders are "
        "filled with what you may read of the ticket, its people, the `customer` (a login) and yourself; `-` stands for what is not known."
    )
    async def text_templates(
        self,
        info: Info,
        *,
        ticket: strawberry.ID | None = None,
        queue: str | None = None,
        customer: str | None = None,
        types: list[TextTemplateType] | None = None,
    ) -> list[TextTemplate]:
        """List templates."""
        context = info.context
        if (ticket is None) == (queue is None):
            raise BadRequest("textTemplates: give one of ticket and queue.")
        data = await _ask(context, ticket, queue, customer)
        home = data.get("queue") if ticket is None else (data.get("ticket") or {}).get("home")
        values = read_values(data) | _own(context, queue, customer)
        found = [_show(node, values) for node in ((home or {}).get("templates") or {}).get("nodes", ())]
        found.sort(key=lambda template: template.name.casefold())
        return [item for item in found if types is None or item.type in types]


async def _ask(
    context: PlatformContext, ticket: str | None, queue: str | None, customer: str | None
) -> Mapping[str, Any]:
    """Ask for templates and values as the caller himself. Raises `Forbidden`."""
    sources, wanted = Sources(context.snapshot, context.access), Wanted()
    home = sources.view("queue")
    if home is None or not sources.templates(home):
        raise Forbidden(REFUSED)
    if ticket is not None:
        ask_ticket(sources, wanted, ticket)
    else:
        ask_queue(sources, wanted, queue or "")
    person = person_of(context.caller)
    ask_people(sources, wanted, person.id if person else 0, customer)
    own = replace(context, cost=0, statements=0, is_planned=False, has_failed=False)
    result = await execute(own, parse(wanted.document), None, wanted.variables)
    if result.data is None:
        raise result.errors[0] if result.errors else Forbidden(REFUSED)
    return result.data


def _own(context: PlatformContext, queue: str | None, customer: str | None) -> dict[str, str]:
    """Return what the caller knows anyway: his address, and what he said of the new ticket."""
    found = {f"{prefix}USEREMAIL": context.rights.email for prefix in ("CURRENT_", "AGENT_")}
    if queue is not None:
        found["TICKET_QUEUE"] = queue
    if customer is not None:
        found["TICKET_CUSTOMERUSERID"] = customer
    return found


def _show(node: Mapping[str, Any], values: Mapping[str, str]) -> TextTemplate:
    text = template_text(str(node.get("text") or ""), node.get("type"))
    kinds = {enum_value(item.value): item for item in TextTemplateType} | {item.name: item for item in TextTemplateType}
    return TextTemplate(
        id=strawberry.ID(str(node["id"])),
        name=str(node["name"]),
        type=kinds.get(str(node.get("kind") or "")),
        text=fill(text, values),
    )
