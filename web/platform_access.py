"""Rights in the API: what the caller may do, and which rule, group and role decide about anybody."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import strawberry

from identity.access import Right, access_of
from identity.accounts import find_standing
from identity.principals import Kind
from identity.rights import Grant, Rights
from resolvers.context import Context
from resolvers.errors import BadRequest
from resolvers.explain_access import Entitlement, Question, Step, entitlements, explain, find_named
from resolvers.explain_rows import Part
from resolvers.listing import shown_module
from schema.outline import visible
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


@strawberry.type(
    description="One of the ways in which a row may meet a rule: an alternative of its `or`, else the whole."
)
class AccessPart:
    """A part of a rule as the API shows it."""

    operation: AccessRight = strawberry.field(
        description="What the rule is for: VIEW also where a write is asked about."
    )
    allowed: bool = strawberry.field(description="Whether the row meets it.")
    rule: str = strawberry.field(description="As the file writes it.")
    grants: list[AccessGrant] = strawberry.field(description="Keys to groups each of which alone is enough for it.")


@strawberry.type(description="One decision of those that lead to an answer.")
class AccessStep:
    """A step as the API shows it."""

    about: str = strawberry.field(description="`module`, `field` or `row`.")
    allowed: bool
    rule: str = strawberry.field(description="The rule as it is written, or the filter with the caller's values in it.")
    role: str | None = strawberry.field(description="The role that satisfies a rule for a role.")
    grants: list[AccessGrant]
    parts: list[AccessPart] = strawberry.field(
        description="Of a row: each alternative of the rules, held against it. Those for writing only of a row that may be seen."
    )


@strawberry.type(description="A right to a module, and what decides about it.")
class ModuleRight:
    """An entitlement as the API shows it."""

    module: str
    operation: AccessRight
    allowed: bool
    rule: str = strawberry.field(description="The rule as it is written.")
    role: str | None = strawberry.field(description="The role that satisfies a rule for a role.")
    grants: list[AccessGrant]
    rows: str | None = strawberry.field(
        description="The filter that rows must meet besides, as the file writes it; null: every row."
    )


@strawberry.type(description="What somebody may do with every module, and why.")
class AccessOverview:
    """The answer of `accessOverview`."""

    is_administrator: bool
    roles: list[str]
    grants: list[AccessGrant] = strawberry.field(
        description="Every key to a group that is held, by valid groups and roles."
    )
    rights: list[ModuleRight]


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
        named: Annotated[
            str | None,
            strawberry.argument(
                description="Instead of `row`: the value of one of the row's keys, such as a ticket's number. For administrators."
            ),
        ] = None,
        agent: str | None = None,
        customer: str | None = None,
    ) -> AccessExplanation:
        """Explain a decision."""
        context = info.context
        if agent is not None or customer is not None or named is not None:
            administrators_only(context, _ABOUT_OTHERS)
        rights = await _rights(context, agent, customer)
        known = context.snapshot.modules.get(module)
        if known is None:
            raise BadRequest(f"module: there is no module {module[:60]!r}.")
        if named is not None:
            row = await _named(context, known, row, named)
        steps = await explain(context, rights, Question(known, Right(operation.value), field, row))
        return AccessExplanation(allowed=all(step.allowed for step in steps), steps=[_view(step) for step in steps])

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="What somebody may do with every module, with the rule, groups and roles that decide. "
        "You may ask about yourself; administrators about every agent (`agent`) and customer (`customer`), by login."
    )
    async def access_overview(
        self, info: Info, *, agent: str | None = None, customer: str | None = None
    ) -> AccessOverview:
        """Tell all rights of one person."""
        context = info.context
        if agent is not None or customer is not None:
            administrators_only(context, "accessOverview of others")
        rights = await _rights(context, agent, customer)
        access = access_of(rights)
        modules = visible(context.snapshot.modules, access.audience)
        return AccessOverview(
            is_administrator=access.is_administrator,
            roles=sorted(rights.roles),
            grants=[_grant(item) for item in rights.grants],
            rights=[_entitlement(item) for item in entitlements(access, modules)],
        )


async def _named(context: PlatformContext, module: Module, row: str | None, named: str) -> strawberry.ID:
    """Return the id of a row that is named by one of its keys. Raises `BadRequest`."""
    if row is not None:
        raise BadRequest("Name the row by `row` or by `named`, not by both.")
    found = await find_named(context, module, named)
    if found is None:
        raise BadRequest(f"named: no row of {module.type_name} has the key {named[:60]!r}.")
    return strawberry.ID(found)


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
    return AccessStep(
        about=step.about,
        allowed=step.allowed,
        rule=step.rule,
        role=step.role,
        grants=[_grant(item) for item in step.grants],
        parts=[_part(item) for item in step.parts],
    )


def _part(part: Part) -> AccessPart:
    grants = [_grant(item) for item in part.grants]
    return AccessPart(operation=AccessRight(part.right.value), allowed=part.allowed, rule=part.rule, grants=grants)


def _grant(item: Grant) -> AccessGrant:
    return AccessGrant(group=item.group, key=item.key, role=item.role)


def _entitlement(item: Entitlement) -> ModuleRight:
    reason = item.reason
    return ModuleRight(
        module=item.module.name,
        operation=AccessRight(item.right.value),
        allowed=reason.allowed,
        rule=reason.rule,
        role=reason.role,
        grants=[_grant(grant) for grant in reason.grants],
        rows=item.rows or None,
    )
