"""Expected failures of hand-written mutations, as data in their payloads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import strawberry

from resolvers.faults import Fault
from resolvers.messages import text_of
from web.workshop import PlatformContext


@strawberry.type
class UserError:
    """Stands for the kernel's type of this name, which takes its place when the schema is put together."""

    message: str


def tell(context: PlatformContext, faults: Iterable[Fault]) -> list[UserError]:
    """Write faults as the kernel's `UserError` reads them, in the caller's language."""
    told = [
        {
            "code": fault.code.value,
            "message": text_of(fault.key, fault.params, context.languages),
            "path": None if fault.path is None else list(fault.path),
            "messageKey": fault.key,
            "params": dict(fault.params),
        }
        for fault in faults
    ]
    return cast("list[UserError]", told)
