"""Secrets for lambdas in the API: administrators give and take them, and nobody reads them."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import strawberry

from identity.secrets import BadSecret
from resolvers.faults import Fault, FaultCode
from web.administrators import administrators_only, writers_only
from web.platform_errors import UserError, tell
from web.workshop import PlatformContext

Info = strawberry.Info[PlatformContext, Any]

_log = logging.getLogger("lambdesk.secrets")


@strawberry.type(description="A secret that lambdas may ask for. Its value can be written and never read.")
class LambdaSecret:
    """A secret as the API shows it."""

    name: str
    modules: list[str] | None = strawberry.field(description="Whose lambdas may ask for it; null for all.")
    changed_at: datetime
    changed_by: str


@strawberry.input
class SetSecretInput:
    """What `setSecret` takes."""

    name: str = strawberry.field(description="As lambdas ask for it: small letters, digits and `_`.")
    value: str = strawberry.field(
        description="8 letters or more. Give it as a variable, so that it stands in no document."
    )
    modules: list[str] | None = strawberry.field(
        default=None, description="Whose lambdas may ask for it; without it those of all modules."
    )
    client_mutation_id: str | None = None


@strawberry.type
class SetSecretPayload:
    """The answer of `setSecret`."""

    secret: LambdaSecret | None = None
    created: bool | None = strawberry.field(default=None, description="Whether there was none of this name.")
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.input
class RemoveSecretInput:
    """What `removeSecret` takes."""

    name: str
    client_mutation_id: str | None = None


@strawberry.type
class RemoveSecretPayload:
    """The answer of `removeSecret`."""

    removed_name: str | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class SecretQuery:
    """Root fields about secrets."""

    @strawberry.field(description="The names of the secrets that lambdas may ask for. For administrators.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    async def lambda_secrets(self, info: Info) -> list[LambdaSecret]:
        """List secrets."""
        administrators_only(info.context, "lambdaSecrets")
        return await _secrets(info.context)


@strawberry.type
class SecretMutation:
    """Mutations of secrets."""

    @strawberry.mutation(description="Keep a secret for lambdas, in place of the one of this name. For administrators.")  # type: ignore[untyped-decorator] # the same
    async def set_secret(self, info: Info, input: SetSecretInput) -> SetSecretPayload:  # noqa: A002 - its name in the API
        """Set a secret."""
        context, given = info.context, input.client_mutation_id
        administrators_only(context, "setSecret")
        writers_only(context.access, "setSecret")
        unknown = sorted(set(input.modules or ()) - context.snapshot.modules.keys())
        if unknown:
            fault = Fault(FaultCode.NOT_FOUND, "module-not-found", ("modules",), {"name": unknown[0][:100]})
            return SetSecretPayload(errors=tell(context, [fault]), client_mutation_id=given)
        secrets = context.afterwards.secrets
        try:
            created = await secrets.put(input.name, input.value, input.modules, context.caller, context.request_id)
        except BadSecret as bad:
            fault = Fault(FaultCode.INVALID, bad.key, (bad.field,), bad.params)
            return SetSecretPayload(errors=tell(context, [fault]), client_mutation_id=given)
        _log.info("a secret was set", extra={"fields": {"secret": input.name, "by": context.caller.login}})
        kept = next(item for item in await _secrets(context) if item.name == input.name)
        return SetSecretPayload(secret=kept, created=created, client_mutation_id=given)

    @strawberry.mutation(description="Forget a secret of lambdas. For administrators.")  # type: ignore[untyped-decorator] # the same
    async def remove_secret(self, info: Info, input: RemoveSecretInput) -> RemoveSecretPayload:  # noqa: A002 - the same
        """Remove a secret."""
        context, given = info.context, input.client_mutation_id
        administrators_only(context, "removeSecret")
        writers_only(context.access, "removeSecret")
        if not await context.afterwards.secrets.remove(input.name, context.caller, context.request_id):
            fault = Fault(FaultCode.NOT_FOUND, "not-found", ("name",))
            return RemoveSecretPayload(errors=tell(context, [fault]), client_mutation_id=given)
        _log.info("a secret was removed", extra={"fields": {"secret": input.name, "by": context.caller.login}})
        return RemoveSecretPayload(removed_name=input.name, client_mutation_id=given)


async def _secrets(context: PlatformContext) -> list[LambdaSecret]:
    return [
        LambdaSecret(
            name=item.name,
            modules=None if item.modules is None else list(item.modules),
            changed_at=item.changed,
            changed_by=item.changed_by,
        )
        for item in await context.afterwards.secrets.heads()
    ]
