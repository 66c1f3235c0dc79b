"""Rights in the API: what the caller may do, and which rule, group and role decide about anybody."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from identity.access import Right
from identity.accounts import find_standing
from identity.principals import Kind
from identity.rights import Rights
from resolvers.context import Context
from resolvers.errors import BadRequest
from resolvers.explain_access import Question, Step, explain
from resolvers.listing import shown_module
from schema.spec import Module
from web.administrators import administrators_only
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]
_UNUSED_KEY = b"accounts of explainAccess"  # makes stamps that nobody looks at
_ABOUT_OTHERS = "explainAccess of others"


@strawberry.enum(description="What somebody may do with the rows of a module.")
class AccessRight(Enum):
    """The rights of `identity.access`."""

    VIEW = Right.VIEW.value
    CREATE = Right.CREATE.value
    UPDATE = Right.UPDATE.value
    DELETE = Right.DELETE.value


@strawberry.type(description="A key to a group that satisfies a rule, held directly or by a role.")
class AccessGrant:
    """A grant as the API shows it."""

    group: str
    key: str
    role: str | None = strawberry.field(description="Null where it is held directly.")


@strawberry.type(description="One decision of those that lead to an answer.")
class AccessStep:
    """A step as the API shows it."""

    about: str = strawberry.field(description="`module`, `field` or `row`.")
    allowed: bool
    rule: str = strawberry.field(description="The rule as it is written, or the filter with the caller's values in it.")
    role: str | None = strawberry.field(description="The role that satisfies a rule for a role.")
    grants: list[AccessGrant]


@strawberry.type(description="Whether somebody may do something, and why.")
class AccessExplanation:
    """The answer of `explainAccess`."""

    allowed: bool
    steps: list[AccessStep]


@strawberry.type
class AccessQuery:
    """Root fields about rights."""

    @strawberry.field(  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
        description="Why somebody may do something with a module, a field of it or a row (by its global id), or may not. "
        "You may ask about yourself; administrators about every agent (`agent`) and customer (`customer`), by login."
    )
    async def explain_access(
        self,
        info: Info,
        module: str,
        operation: AccessRight,
        *,
        field: str | None = None,
        row: strawberry.ID | None = None,
        agent: str | None = None,
        customer: str | None = None,
    ) -> AccessExplanation:
        """Explain a decision."""
        context = info.context
        if agent is not None or customer is not None:
            administrators_only(context, _ABOUT_OTHERS)
        rights = await _rights(context, agent, customer)
        known = context.snapshot.modules.get(module)
        if known is None:
            raise BadRequest(f"module: there is no module {module[:60]!r}.")
        steps = await explain(context, rights, Question(known, Right(operation.value), field, row))
        return AccessExplanation(allowed=all(step.allowed for step in steps), steps=[_view(step) for step in steps])


async def may(context: Context, module: str, right: AccessRight, field: str | None, row: str | None) -> bool:
    """Answer whether the caller may do something; what is not part of his schema he may not. Raises `BadRequest`."""
    known: Module | None = shown_module(context, module)
    if known is None:
        return False
    steps = await explain(context, context.rights, Question(known, Right(right.value), field, row))
    return all(step.allowed for step in steps)


async def _rights(context: PlatformContext, agent: str | None, customer: str | None) -> Rights:
    """Return the rights of whoever is asked about. Raises `BadRequest`."""
    if agent is None and customer is None:
        return context.rights
    if agent is not None and customer is not None:
        raise BadRequest("Ask about an agent or about a customer, not both.")
    kind, login = (Kind.AGENT, agent) if agent is not None else (Kind.CUSTOMER, customer)
    found = await find_standing(context.database.fetch_kept, _UNUSED_KEY, kind, login or "")
    if found is None:
        raise BadRequest(f"{kind}: there is nobody with this login.")
    return await context.rights_reader.of(found.person)


def _view(step: Step) -> AccessStep:
    grants = [AccessGrant(group=item.group, key=item.key, role=item.role) for item in step.grants]
    return AccessStep(about=step.about, allowed=step.allowed, rule=step.rule, role=step.role, grants=grants)
