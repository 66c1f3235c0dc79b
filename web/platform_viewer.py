"""Who is calling, in the API: `viewer`, with his sessions and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry

from identity.api_tokens import ApiToken as StoredToken
from identity.principals import Customer, Kind, Person, Token, person_of
from identity.profiles import read_name
from identity.rights import Rights
from identity.session_rows import Session
from resolvers.errors import Forbidden
from schema.spec import Operation
from web.platform_access import AccessRight, may
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]
FOR_PEOPLE = "A token may not see or change how its owner signs in."


@strawberry.enum(description="What is calling.")
class ViewerKind(Enum):
    """The kinds of callers."""

    AGENT = "agent"
    CUSTOMER = "customer"
    TOKEN = "token"  # noqa: S105 - a kind of caller, no secret


@strawberry.enum(description="What a token may do with the modules of its scope, if its owner may.")
class TokenOperation(Enum):
    """The operations of `schema.spec.Operation`."""

    VIEW = "view"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"
    BULK = "bulk"


@strawberry.type(description="A group, and what the caller may do in it.")
class ViewerGroup:
    """A group as its member sees it."""

    name: str
    keys: list[str] = strawberry.field(description="OTRS's keys: `ro`, `move_into`, `create`, `note`, `owner`, `rw` …")


@strawberry.type(description="Somebody signed in: a browser, or a client of the API.")
class SignInSession:
    """A session as its owner sees it."""

    id: strawberry.ID
    kind: str = strawberry.field(description="`page`: a browser with a cookie. `api`: a client with tokens.")
    created_at: datetime
    seen_at: datetime = strawberry.field(description="When it was last used, roughly.")
    expires_at: datetime
    address: str
    client: str = strawberry.field(description="What the browser or program calls itself.")
    is_current: bool


@strawberry.type(description="A token for a machine. Its secret was shown when it was made, and never again.")
class ApiToken:
    """A token as its owner sees it."""

    id: strawberry.ID
    name: str
    modules: list[str] | None = strawberry.field(description="Null: all that its owner may use.")
    operations: list[TokenOperation] | None = strawberry.field(description="Null: all that its owner may do.")
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None = strawberry.field(description="When it was last used, roughly.")


@strawberry.type(description="The token that is calling.")
class ViewerToken:
    """What a token may know of itself."""

    id: strawberry.ID
    name: str
    modules: list[str] | None
    operations: list[TokenOperation] | None


@strawberry.type(description="Who is calling. A token stands for its owner.")
class Viewer:
    """The caller as the API shows him."""

    kind: ViewerKind
    database_id: int = strawberry.field(description="The key of the agent or the customer user.")
    login: str
    audience: str = strawberry.field(description="Whose schema it is: `agent` or `customer`.")
    token: ViewerToken | None = strawberry.field(description="Null for people.")
    groups: list[ViewerGroup]
    roles: list[str]
    companies: list[str] = strawberry.field(description="The customer numbers that a customer stands for.")

    @strawberry.field
    async def name(self, info: Info) -> str:
        """Return first and last name."""
        person = person_of(info.context.guest.principal)
        return await read_name(info.context.database, person) if person else ""

    @strawberry.field
    def email(self, info: Info) -> str:
        """Return the address of mail, empty for none."""
        return info.context.rights.email

    @strawberry.field(description="The session of this request; null for a token.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    async def session(self, info: Info) -> SignInSession | None:
        """Return the session of this request."""
        if person_or_none(info.context) is None:
            return None
        return next((item for item in await _sessions(info.context) if item.is_current), None)

    @strawberry.field(description="Where you are signed in; the ones used last come first. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def sessions(self, info: Info) -> list[SignInSession]:
        """List the caller's sessions."""
        return await _sessions(info.context)

    @strawberry.field(description="Your tokens that count, the newest first. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def api_tokens(self, info: Info) -> list[ApiToken]:
        """List the caller's tokens."""
        found = await info.context.identities.api_tokens.list_of(the_person(info.context))
        return [view_token(token) for token in found]

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="Whether you may do something with a module, with one of its fields, or with a row by its global id."
    )
    async def can(
        self,
        info: Info,
        module: str,
        operation: AccessRight,
        field: str | None = None,
        row: strawberry.ID | None = None,
    ) -> bool:
        """Answer as the operation itself would be decided."""
        return await may(info.context, module, operation, field, row)


@strawberry.type
class ViewerQuery:
    """Root fields about who is calling."""

    @strawberry.field(description="Who is calling.")  # type: ignore[untyped-decorator] # the same
    def viewer(self, info: Info) -> Viewer:
        """Say who is calling."""
        principal = info.context.guest.principal
        rights: Rights = info.context.rights
        person = person_of(principal)
        if person is None:
            raise Forbidden(FOR_PEOPLE)
        return Viewer(
            kind=ViewerKind(str(principal.kind)),
            database_id=person.id,
            login=person.login,
            audience=str(Kind.CUSTOMER if isinstance(person, Customer) else Kind.AGENT),
            token=_view_own(principal) if isinstance(principal, Token) else None,
            groups=_groups(rights.group_names),
            roles=sorted(rights.roles),
            companies=list(rights.companies),
        )


def person_or_none(context: PlatformContext) -> Person | None:
    """Return who is calling; nobody for a token."""
    principal = context.guest.principal
    return None if isinstance(principal, Token) else principal


def the_person(context: PlatformContext) -> Person:
    """Return who is calling. Raises `Forbidden` for a token: one that leaked must not make others, or lock its owner out."""
    person = person_or_none(context)
    if person is None:
        raise Forbidden(FOR_PEOPLE)
    return person


def view_session(session: Session, current: str | None) -> SignInSession:
    """Make the API's view of a session."""
    return SignInSession(
        id=strawberry.ID(session.id),
        kind=str(session.kind),
        created_at=moment(session.created),
        seen_at=moment(session.seen),
        expires_at=moment(session.expires),
        address=session.address,
        client=session.client,
        is_current=session.id == current,
    )


def view_token(token: StoredToken) -> ApiToken:
    """Make the API's view of a token."""
    return ApiToken(
        id=strawberry.ID(str(token.id)),
        name=token.name,
        modules=_sorted(token.scope.modules),
        operations=_operations(token.scope.operations),
        created_at=moment(token.created),
        expires_at=moment(token.expires),
        seen_at=None if token.seen is None else moment(token.seen),
    )


def moment(seconds: int) -> datetime:
    """Make a moment of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


async def _sessions(context: PlatformContext) -> list[SignInSession]:
    found = await context.identities.sessions.list_of(the_person(context))
    return [view_session(session, context.guest.session_id) for session in found]


def _view_own(token: Token) -> ViewerToken:
    return ViewerToken(
        id=strawberry.ID(str(token.id)),
        name=token.name,
        modules=_sorted(token.scope.modules),
        operations=_operations(token.scope.operations),
    )


def _sorted(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _operations(operations: frozenset[Operation] | None) -> list[TokenOperation] | None:
    return None if operations is None else [item for item in TokenOperation if Operation(item.value) in operations]


def _groups(names: Mapping[str, frozenset[str]]) -> list[ViewerGroup]:
    """Turn groups by key into keys by group."""
    held: dict[str, list[str]] = {}
    for key, members in names.items():
        for name in members:
            held.setdefault(name, []).append(key)
    return [ViewerGroup(name=name, keys=keys) for name, keys in sorted(held.items())]
