"""What an address says of a list: search, filters, order, page, columns. It is the only place where a list's state is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from web.pages.filters import Condition, read_conditions
from web.pages.view import MOST_COLUMNS, Member, View

SIZES = (25, 50, 100, 200)
SEARCH_LETTERS = 500
CURSOR_LETTERS = 4_000
# Of the state of a list; everything else in its address is passed over.
NAMES = frozenset({"q", "sort", "size", "after", "before", "offset", "c"})


@dataclass(frozen=True)
class ListState:
    """The state of one module's list. `wrong` names what of the address nobody understands."""

    view: View
    search: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: Member | None = None
    descends: bool = False
    is_sorted: bool = False  # whether the address names the order
    size: int = SIZES[0]
    after: str = ""
    before: str = ""
    offset: int = 0
    chosen: tuple[Member, ...] = ()
    wrong: tuple[str, ...] = field(default=())

    @property
    def columns(self) -> tuple[Member, ...]:
        """The columns that are shown."""
        return self.chosen or self.view.columns

    @property
    def is_narrowed(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.search or self.conditions)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of its address."""
        found = [("q", self.search)] if self.search else []
        found += [(item.parameter, value) for item in self.conditions for value in item.values]
        if self.sort is not None and self.is_sorted:
            found.append(("sort", f"{'-' * self.descends}{self.sort.name}"))
        if self.size != self.usual_size:
            found.append(("size", str(self.size)))
        found += [("c", ",".join(member.name for member in self.chosen))] if self.chosen else []
        for name in ("after", "before"):
            value = getattr(self, name)
            found += [(name, value)] if value else []
        return [*found, ("offset", str(self.offset))] if self.offset else found

    @property
    def usual_size(self) -> int:
        """How many rows a page has where nobody says."""
        said = self.view.module.ui.get("page_size")
        return int(said) if said else SIZES[1]

    def address(self, path: str = "", **changed: Any) -> str:
        """Return the address of the list with something changed; another state begins at its first page."""
        moves = {"after", "before", "offset"} & set(changed)
        start = {} if moves else {"after": "", "before": "", "offset": 0}
        query = urlencode(replace(self, **{**start, **changed}).pairs())
        base = path or f"/modules/{self.view.module.name}"
        return f"{base}?{query}" if query else base

    def here(self, path: str = "") -> str:
        """Return the address of this very page."""
        return self.address(path, after=self.after, before=self.before, offset=self.offset)

    def without(self, condition: Condition) -> str:
        """Return the address without a filter."""
        return self.address(conditions=tuple(item for item in self.conditions if item is not condition))

    def sorted_by(self, member: Member) -> str:
        """Return the address with the order that a click on a header makes: the other way round, where it was by that."""
        turned = self.sort is not None and self.sort.name == member.name and not self.descends
        return self.address(sort=member, descends=turned, is_sorted=True)


def read_state(view: View, pairs: Sequence[tuple[str, str]]) -> ListState:
    """Read an address. What it says wrongly counts for nothing, and is named."""
    last = {name: value for name, value in pairs if name in NAMES}
    conditions, wrong = read_conditions(view, pairs)
    sort, descends, is_sorted = _order(view, last, wrong)
    names = [name for key, value in pairs if key == "c" for name in value.split(",") if name]
    chosen = tuple(dict.fromkeys(name for name in names if name in view.members))[:MOST_COLUMNS]
    wrong += [f"c={name}" for name in names if name not in view.members]
    state = ListState(view)
    return ListState(
        view,
        search=" ".join(last.get("q", "")[:SEARCH_LETTERS].split()),
        conditions=tuple(conditions),
        sort=sort,
        descends=descends,
        is_sorted=is_sorted,
        size=_size(last.get("size", ""), state.usual_size),
        after=last.get("after", "")[:CURSOR_LETTERS],
        before="" if last.get("after") else last.get("before", "")[:CURSOR_LETTERS],
        offset=_count(last.get("offset", "")),
        chosen=()
        if chosen == tuple(member.name for member in view.columns)
        else tuple(view.members[name] for name in chosen),
        wrong=tuple(wrong),
    )


def _order(view: View, last: Mapping[str, str], wrong: list[str]) -> tuple[Member | None, bool, bool]:
    said = last.get("sort", "")
    member = view.members.get(said.removeprefix("-"))
    if said and member is not None and member.sorts:
        return member, said.startswith("-"), True
    if said:
        wrong.append("sort")
    named = view.module.ui.get("default_sort")
    usual = next((item for item in view.members.values() if item.item is not None and item.item.name == named), None)
    return usual, view.module.ui.get("default_sort_dir") == "desc", False


def _size(text: str, usual: int) -> int:
    return int(text) if text in {str(size) for size in SIZES} else usual


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0  # noqa: PLR2004 - ten million rows
