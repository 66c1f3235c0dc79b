"""The part of the API that is about Lambdesk itself, written with Strawberry by topic and merged into every snapshot's schema."""

from __future__ import annotations

from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLNamedType, GraphQLObjectType, is_introspection_type, is_specified_scalar_type
from strawberry.schema.config import StrawberryConfig

from schema.build import HandWritten
from schema.history import history_extension
from schema.kernel import KERNEL
from schema.spec import Audience
from web.adopt import adopt
from web.desk_types import desk_extension
from web.platform_access import AccessQuery
from web.platform_deliveries import DeliveryMutation, DeliveryQuery
from web.platform_drafts import DraftMutation, DraftQuery
from web.platform_files import FileQuery
from web.platform_imports import ImportMutation, ImportQuery
from web.platform_lambdas import LambdaQuery
from web.platform_module_drafts import ModuleDraftMutation, ModuleDraftQuery
from web.platform_modules import ModuleQuery, ModuleSubscription
from web.platform_preview import PreviewQuery
from web.platform_publishing import PublishingMutation, PublishingQuery
from web.platform_secrets import SecretMutation, SecretQuery
from web.platform_sign_in import SignInMutation
from web.platform_texts import TextQuery
from web.platform_tickets import TicketQuery
from web.platform_versions import VersionQuery
from web.platform_viewer import ViewerQuery
from web.platform_views import ViewMutation, ViewQuery


@strawberry.type
class AgentQuery(
    AccessQuery,
    ModuleQuery,
    PublishingQuery,
    FileQuery,
    VersionQuery,
    ViewQuery,
    ImportQuery,
    ViewerQuery,
    LambdaQuery,
    PreviewQuery,
    DeliveryQuery,
    SecretQuery,
    TicketQuery,
    DraftQuery,
    TextQuery,
    ModuleDraftQuery,
):
    """What agents ask about the platform."""


@strawberry.type
class AgentMutation(
    PublishingMutation,
    ViewMutation,
    ImportMutation,
    SignInMutation,
    DeliveryMutation,
    SecretMutation,
    DraftMutation,
    ModuleDraftMutation,
):
    """What agents change about the platform."""


@strawberry.type
class CustomerQuery(ModuleQuery, ViewQuery, ViewerQuery):
    """What customers ask about the platform."""


@strawberry.type
class CustomerMutation(ViewMutation, SignInMutation):
    """What customers change about the platform."""


# By audience: the root types. Customers neither publish nor import.
_ROOTS: dict[Audience, tuple[type, type]] = {
    Audience.AGENT: (AgentQuery, AgentMutation),
    Audience.CUSTOMER: (CustomerQuery, CustomerMutation),
}


class PlatformSchema(strawberry.Schema):
    """Strawberry's schema without its patch of `__Type.isOneOf`.

    The patch concerns the whole process: every generated `@oneOf` input would introspect as an ordinary one.
    """

    def _extend_introspection(self) -> None:
        """Leave graphql-core's introspection as it is; no input here is `@oneOf`."""


@cache
def hand_written(audience: Audience = Audience.AGENT) -> HandWritten:
    """Return the hand-written part for an audience, made once: it depends on no module."""
    query, mutation = _ROOTS[audience]
    made = PlatformSchema(
        query=query,
        mutation=mutation,
        subscription=ModuleSubscription,
        config=StrawberryConfig(auto_camel_case=True),
    )
    core = made._schema  # noqa: SLF001 - Strawberry has no public way to its graphql-core schema; the version is pinned
    adopt(core.type_map.values(), KERNEL)
    roots = {root.name for root in (core.query_type, core.mutation_type, core.subscription_type) if root}
    types: dict[str, GraphQLNamedType] = {
        name: type_
        for name, type_ in core.type_map.items()
        if name not in roots
        and name not in KERNEL
        and not is_introspection_type(type_)
        and not is_specified_scalar_type(type_)
    }
    return HandWritten(
        query=_fields(core.query_type),
        mutation=_fields(core.mutation_type),
        subscription=_fields(core.subscription_type),
        types=types,
        extensions=(history_extension, desk_extension),
    )


def _fields(root: GraphQLObjectType | None) -> dict[str, Any]:
    return dict(root.fields) if root else {}
