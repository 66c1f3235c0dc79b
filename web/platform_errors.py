"""Expected failures of hand-written mutations, as data in their payloads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import strawberry

from resolvers.faults import Fault
from resolvers.messages import text_of


@strawberry.type
class UserError:
    """Stands for the kernel's type of this name, which takes its place when the schema is put together."""

    message: str


def tell(faults: Iterable[Fault], languages: Sequence[str] = ()) -> list[UserError]:
    """Write faults as the kernel's `UserError` reads them."""
    told = [
        {
            "code": fault.code.value,
            "message": text_of(fault.key, fault.params, languages),
            "path": None if fault.path is None else list(fault.path),
            "messageKey": fault.key,
            "params": dict(fault.params),
        }
        for fault in faults
    ]
    return cast("list[UserError]", told)
