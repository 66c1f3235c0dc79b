"""What somebody may do and why: all modules at once, or one module, field-free, down to a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from identity.access import Right
from web.errors import Refused
from web.pages.rights_names import SIDES, has_side
from web.pages.rule_words import Teller
from web.pages.view import modules_of
from web.pages.visit import Visit

RIGHTS = tuple(item.name for item in Right)
LONGEST = 250  # letters of a key of a row
GRANTS = "grants { group key role }"
OVERVIEW_FIELD = "accessOverview"
OVERVIEW = f"isAdministrator roles rights {{ module operation allowed rule rows role {GRANTS} }}"
STEPS = f"allowed steps {{ about allowed rule role {GRANTS} parts {{ operation allowed rule {GRANTS} }} }}"
OF_OTHERS = f"query May($agent: String, $customer: String) {{ found: accessOverview(agent: $agent, customer: $customer) {{ {OVERVIEW} }} }}"
WHY = (
    "query Why($module: String!, $right: AccessRight!, $named: String, $agent: String, $customer: String) { found: "
    f"explainAccess(module: $module, operation: $right, named: $named, agent: $agent, customer: $customer) {{ {STEPS} }} }}"
)


@dataclass(frozen=True, slots=True)
class ModuleRights:
    """A module with a decision for each right; None where it has no such operation."""

    name: str
    label: str
    rights: Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the form: whom, what, with which module, with which record."""

    login: str = ""
    kind: str = "agent"
    module: str = ""
    right: str = "VIEW"
    named: str = ""

    @property
    def who(self) -> Mapping[str, str]:
        """The arguments of the API that name the person."""
        return {self.kind: self.login}


def modules_with(visit: Visit, rights: Sequence[Mapping[str, Any]], word: str = "") -> list[ModuleRights]:
    """Put the rights of an overview together by module, those that a word picks."""
    by_module: dict[str, dict[str, Mapping[str, Any] | None]] = {}
    teller = Teller(visit.snapshot.modules, visit.texts)
    for item in rights:
        module = visit.snapshot.modules.get(item["module"])
        told = {**item, "words": teller.tell(module, item["rows"]) if module is not None else ""}
        by_module.setdefault(item["module"], dict.fromkeys(RIGHTS))[item["operation"]] = told
    labels = {name: item.plural.in_language(visit.look.lang) for name, item in visit.snapshot.modules.items()}
    made = [ModuleRights(name, labels.get(name, name), found) for name, found in by_module.items()]
    fitting = [item for item in made if word.lower() in item.label.lower() or word.lower() in item.name]
    return sorted(fitting, key=lambda item: item.label.casefold())


def asks_overview(visit: Visit) -> bool:
    """Whether the caller's schema tells all rights."""
    query = visit.schema.query_type
    return query is not None and OVERVIEW_FIELD in query.fields


def asked_of(visit: Visit, login: str = "", kind: str = "") -> Asked:
    """Read a question from the address; what nobody offers counts for nothing."""
    params = visit.request.query_params
    kind = kind or (params.get("kind", "") if params.get("kind") in {"agent", "customer"} else "agent")
    right = params.get("may", "")
    module = params.get("of", "")
    return Asked(
        login or params.get("who", "").strip()[:LONGEST],
        kind,
        module if module in modules_of(visit.snapshot, visit.audience) else "",
        right if right in RIGHTS else RIGHTS[0],
        params.get("row", "").strip()[:LONGEST],
    )


def in_words(visit: Visit, name: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add to each alternative of an answer what it says in words."""
    teller, module = Teller(visit.snapshot.modules, visit.texts), visit.snapshot.modules[name]
    steps = [
        {**step, "parts": [{**part, "words": teller.tell(module, part["rule"])} for part in step["parts"]]}
        for step in answer["steps"]
    ]
    return {**answer, "steps": steps}


async def answer_of(visit: Visit, asked: Asked) -> tuple[Mapping[str, Any] | None, str]:
    """Ask the API; a question that it refuses is told as a sentence."""
    if not asked.login or not asked.module:
        return None, ""
    given = {"module": asked.module, "right": asked.right, "named": asked.named or None, **asked.who}
    try:
        return in_words(visit, asked.module, (await visit.ask(WHY, given)).data["found"]), ""
    except Refused as refused:
        if refused.status >= 500:  # noqa: PLR2004 - not what was typed is wrong
            raise
        return None, visit.texts("rights-nobody" if not asked.named else "rights-nothing-named")


def all_modules(visit: Visit) -> list[tuple[str, str]]:
    """Return every module with its label: what may be asked about is more than what one may view."""
    modules = modules_of(visit.snapshot, visit.audience).items()
    found = [(name, item.plural.in_language(visit.look.lang)) for name, item in modules]
    return sorted(found, key=lambda option: option[1].casefold())


async def show_why(visit: Visit) -> Response:
    """Show the form for any person, with the answer."""
    asked = asked_of(visit)
    answer, problem = await answer_of(visit, asked)
    return visit.page(
        "rights/why.html",
        sides=[side for side in SIDES.values() if has_side(visit, side)],
        asked=asked,
        answer=answer,
        problem=problem,
        rights=RIGHTS,
        modules=all_modules(visit),
    )
