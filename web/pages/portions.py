"""Members of a row in portions that one operation may ask for: a module may have more references than an operation selections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from web.pages.cells import selection_of
from web.pages.view import Member, View
from web.pages.visit import Answer, Visit

MOST_JOINED = 15  # references of one operation: PostgreSQL plans twice as many for two seconds where all are indexed
SPARE = 20  # of the selections, for what stands around the members
ROW = "row"


@dataclass(frozen=True, slots=True)
class Part:
    """What one operation selects of a row."""

    members: tuple[Member, ...]

    @property
    def selection(self) -> str:
        """The members as an operation has them."""
        return " ".join(selection_of(member) for member in self.members)


def weight(member: Member) -> int:
    """Return how many selections a member is."""
    return len(selection_of(member).replace("{", " ").replace("}", " ").split())


def portions(members: Iterable[Member], most: int) -> Sequence[Part]:
    """Put members together as long as they fit; there is always one portion."""
    parts: list[list[Member]] = [[]]
    left, joins = most - SPARE, MOST_JOINED
    for member in members:
        cost, joined = weight(member), int(member.target is not None)
        if parts[-1] and (cost > left or joined > joins):
            parts.append([])
            left, joins = most - SPARE, MOST_JOINED
        parts[-1].append(member)
        left, joins = left - cost, joins - joined
    return [Part(tuple(part)) for part in parts]


async def ask_whole_row(visit: Visit, view: View, name: str, row: str, roots: Sequence[str] = ()) -> Answer:
    """Ask for a row with all of its members, and with the roots beside it, in as many operations as that takes.

    Its version is the one that the first answer had: whoever changes it meanwhile is noticed when it is saved.
    """
    limits = visit.live.settings.limits
    spent = sum(len(root.replace("{", " ").replace("}", " ").split()) for root in roots)
    first, *rest = portions(view.members.values(), limits.selections - spent)
    answer = await visit.ask(_document(view, name, first, roots), {"id": row})
    data: dict[str, Any] = dict(answer.data)
    errors = list(answer.errors)
    for part in rest if data[ROW] is not None else ():
        more = await visit.ask(_document(view, name, part, ()), {"id": row})
        data[ROW] = {**(more.data[ROW] or {}), **data[ROW]}
        errors += more.errors
    return Answer(data, errors)


def _document(view: View, name: str, part: Part, roots: Sequence[str]) -> str:
    module = view.module
    beside = f" {' '.join(roots)}" if roots else ""
    return (
        f"query {module.type_name}{name}($id: ID!) "
        f"{{ {ROW}: {module.one_root}(by: {{id: $id}}) {{ id version {part.selection} }}{beside} }}"
    )
