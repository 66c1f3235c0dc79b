"""What people change about how they sign in: tokens for machines, sessions, the own password."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import strawberry

from identity.api_tokens import LONGEST_S, NAME_LETTERS, BadToken
from identity.errors import NotSignedIn, SignInRefused, Throttled
from identity.own_password import BadPassword
from identity.passwords import BCRYPT_BYTES, SHORTEST
from identity.principals import Person, Scope
from resolvers.faults import Fault, FaultCode
from resolvers.listing import shown_module
from schema.spec import Operation
from web.cookies import PAGE
from web.platform_errors import UserError, tell
from web.platform_viewer import ApiToken, TokenOperation, the_person, view_token
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]


@strawberry.input
class CreateApiTokenInput:
    """What `createApiToken` takes."""

    name: str = strawberry.field(description="What it is for, up to 100 letters.")
    expires_at: datetime = strawberry.field(description="At most 366 days from now.")
    modules: list[str] | None = strawberry.field(
        default=None, description="Names of modules; without it, all that you may use."
    )
    operations: list[TokenOperation] | None = strawberry.field(
        default=None, description="Without it, all that you may do."
    )
    client_mutation_id: str | None = None


@strawberry.type
class CreateApiTokenPayload:
    """The answer of `createApiToken`."""

    api_token: ApiToken | None = None
    secret: str | None = strawberry.field(
        default=None, description="To be sent as `Authorization: Bearer`. Shown once."
    )
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class RevokeApiTokenInput:
    """What `revokeApiToken` takes."""

    id: strawberry.ID
    client_mutation_id: str | None = None


@strawberry.type
class RevokeApiTokenPayload:
    """The answer of `revokeApiToken`."""

    revoked_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class RevokeSessionInput:
    """What `revokeSession` takes."""

    id: strawberry.ID
    client_mutation_id: str | None = None


@strawberry.type
class RevokeSessionPayload:
    """The answer of `revokeSession`."""

    revoked_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class RevokeOtherSessionsInput:
    """What `revokeOtherSessions` takes."""

    client_mutation_id: str | None = None


@strawberry.type
class RevokeOtherSessionsPayload:
    """The answer of `revokeOtherSessions`."""

    revoked: int = strawberry.field(description="How many sessions went on until now.")
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class ChangePasswordInput:
    """What `changePassword` takes."""

    old_password: str
    new_password: str = strawberry.field(description=f"{SHORTEST} letters at least, {BCRYPT_BYTES} bytes at most.")
    client_mutation_id: str | None = None


@strawberry.type
class ChangePasswordPayload:
    """The answer of `changePassword`. A page gets its new session as a cookie, a client of the API these tokens."""

    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: int | None = strawberry.field(default=None, description="Seconds that the access token is good.")
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class SignInMutation:
    """Mutations about how the caller signs in."""

    @strawberry.mutation(description="Make a token for a machine. Not for tokens.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    async def create_api_token(self, info: Info, input: CreateApiTokenInput) -> CreateApiTokenPayload:  # noqa: A002 - its name in the API
        """Make a token."""
        person = the_person(info.context)
        given = input.client_mutation_id
        faults = _unknown_modules(info.context, input.modules)
        if not faults:
            expires = input.expires_at if input.expires_at.tzinfo else input.expires_at.replace(tzinfo=UTC)
            try:
                token, secret = await info.context.identities.api_tokens.create(
                    person, input.name, _scope(input), expires.timestamp()
                )
            except BadToken as error:
                faults = [_TOKEN_FAULTS[error.about]]
            else:
                return CreateApiTokenPayload(api_token=view_token(token), secret=secret, client_mutation_id=given)
        return CreateApiTokenPayload(errors=tell(info.context, faults), client_mutation_id=given)

    @strawberry.mutation(description="Revoke one of your tokens. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def revoke_api_token(self, info: Info, input: RevokeApiTokenInput) -> RevokeApiTokenPayload:  # noqa: A002 - the same
        """Revoke a token."""
        person = the_person(info.context)
        is_number = input.id.isascii() and input.id.isdigit() and len(input.id) <= LONGEST_NUMBER
        done = is_number and await info.context.identities.api_tokens.revoke(person, int(input.id))
        return RevokeApiTokenPayload(
            revoked_id=input.id if done else None,
            errors=[] if done else tell(info.context, [_NOT_FOUND]),
            client_mutation_id=input.client_mutation_id,
        )

    @strawberry.mutation(description="Sign one of your sessions out, perhaps this one. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionPayload:  # noqa: A002 - the same
        """End a session."""
        person = the_person(info.context)
        done = len(input.id) <= LONGEST_ID and await info.context.identities.sessions.end_own(person, input.id)
        return RevokeSessionPayload(
            revoked_id=input.id if done else None,
            errors=[] if done else tell(info.context, [_NOT_FOUND]),
            client_mutation_id=input.client_mutation_id,
        )

    @strawberry.mutation(description="Sign all your sessions out but this one. Not for tokens.")  # type: ignore[untyped-decorator] # the same
    async def revoke_other_sessions(self, info: Info, input: RevokeOtherSessionsInput) -> RevokeOtherSessionsPayload:  # noqa: A002 - the same
        """End the caller's other sessions."""
        person, current = the_person(info.context), info.context.guest.session_id
        count = await info.context.identities.sessions.end_all(person.kind, person.id, but=current)
        return RevokeOtherSessionsPayload(revoked=count, client_mutation_id=input.client_mutation_id)

    @strawberry.mutation(  # type: ignore[untyped-decorator] # the same
        description="Change your password. All your sessions end, and a new one begins for you here. Not for tokens."
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:  # noqa: A002 - the same
        """Change the caller's own password."""
        try:
            payload = await _change(info.context, the_person(info.context), input)
        except _Wrong as wrong:
            payload = ChangePasswordPayload(errors=tell(info.context, [wrong.fault]))
        payload.client_mutation_id = input.client_mutation_id
        return payload


LONGEST_NUMBER = 18
LONGEST_ID = 32
_NOT_FOUND = Fault(FaultCode.NOT_FOUND, "not-found", ("id",))
# What a token cannot have, by what it is about.
_TOKEN_FAULTS: Mapping[str, Fault] = {
    "name": Fault(FaultCode.INVALID, "token-name", ("name",), {"most": NAME_LETTERS}),
    "expires": Fault(FaultCode.INVALID, "token-expires", ("expiresAt",), {"days": LONGEST_S // 86_400}),
    "modules": Fault(FaultCode.INVALID, "token-scope", ("modules",)),
    "operations": Fault(FaultCode.INVALID, "token-scope", ("operations",)),
}


class _Wrong(Exception):
    def __init__(self, code: FaultCode, key: str, path: str | None, **params: Any) -> None:
        self.fault = Fault(code, key, (path,) if path else None, params)
        super().__init__(key)


async def _change(context: PlatformContext, person: Person, given: ChangePasswordInput) -> ChangePasswordPayload:
    """Change a password and begin a new session of the caller's kind. Raises `_Wrong`."""
    guest, identities = context.guest, context.identities
    if guest.has_cookie and context.cookies is None:
        raise _Wrong(FaultCode.INVALID, "password-by-post", None)
    try:
        standing = await identities.own_password.change(person, given.old_password, given.new_password, guest.address)
    except BadPassword as error:
        params = {"least": SHORTEST, "most": BCRYPT_BYTES}
        raise _Wrong(FaultCode.INVALID, f"password-{error.reason}", "newPassword", **params) from None
    except SignInRefused:
        raise _Wrong(FaultCode.INVALID, "password-wrong", "oldPassword") from None
    except Throttled as error:
        raise _Wrong(FaultCode.LIMIT, "throttled", None, seconds=error.retry_after_s) from None
    except NotSignedIn:
        raise _Wrong(FaultCode.CONFLICT, "conflict", None) from None
    if context.cookies is not None and guest.has_cookie:
        secret = await identities.sessions.start_page(standing, address=guest.address, client=guest.client)
        context.cookies.append(PAGE.write(secret, context.settings))
        return ChangePasswordPayload()
    made = await identities.refresh.start(standing, address=guest.address, client=guest.client)
    pair = identities.pair(made)
    return ChangePasswordPayload(
        access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in
    )


def _scope(given: CreateApiTokenInput) -> Scope:
    return Scope(
        None if given.modules is None else frozenset(given.modules),
        None if given.operations is None else frozenset(Operation(item.value) for item in given.operations),
    )


def _unknown_modules(context: PlatformContext, names: list[str] | None) -> list[Fault]:
    return [
        Fault(FaultCode.REFERENCE, "module-not-found", ("modules",), {"name": name[:100]})
        for name in names or ()
        if shown_module(context, name) is None
    ]
