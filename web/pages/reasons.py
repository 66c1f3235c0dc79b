"""Why one may do something with a module, or may not: asked on the page about oneself, answered by the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity.access import Right
from web.pages.profile_forms import module_options
from web.pages.visit import Visit

WHY = "why"
MODULE, RIGHT = "of", "may"  # parameters of the address
FIELD = "explainAccess"


@dataclass(frozen=True, slots=True)
class Why:
    """The part of an operation that asks why."""

    variables: Mapping[str, Any]
    declared: str = "$module: String!, $right: AccessRight!"
    selection: str = (
        f"{WHY}: {FIELD}(module: $module, operation: $right) "
        "{ allowed steps { about allowed rule role grants { group key role } } }"
    )


@dataclass(frozen=True, slots=True)
class Whys:
    """What can be asked, and what was."""

    modules: Sequence[tuple[str, str]]
    rights: Sequence[str]
    module: str
    right: str


def whys_of(visit: Visit) -> Whys | None:
    """Return what the form offers; nothing where the caller's schema has no such question."""
    query = visit.schema.query_type
    if query is None or FIELD not in query.fields:
        return None
    asked = visit.request.query_params
    return Whys(module_options(visit), [item.name for item in Right], asked.get(MODULE, ""), asked.get(RIGHT, ""))


def ask_why(visit: Visit) -> Why | None:
    """Read from the address what is asked; what nobody offers counts for nothing."""
    whys = whys_of(visit)
    if whys is None or whys.right not in whys.rights or whys.module not in dict(whys.modules):
        return None
    return Why({"module": whys.module, "right": whys.right})
