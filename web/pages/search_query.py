"""Rows of all modules by what one types, in one operation: of those modules first that others refer to most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from schema.snapshot import Snapshot
from web.pages.cells import Reader, selection_of, show
from web.pages.form_query import heading_of
from web.pages.view import Member, View, modules_of, view_of
from web.pages.visit import Visit

MOST_MODULES = 16  # root fields of the operation
FEWEST_LETTERS = 2
LETTERS = 200
_TEXTS = frozenset({"string", "email"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found."""

    url: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found in one module."""

    name: str
    label: str
    rows: Sequence[Hit]
    all_url: str  # the list of the module with this search


def searched(visit: Visit) -> Sequence[View]:
    """Return the modules that can be searched, the most important first. Kept with the snapshot."""
    key = ("page search", visit.access.rights.shape)
    found: Sequence[View] | None = visit.snapshot.memo.get(key)
    if found is None:
        found = visit.snapshot.memo[key] = _searched(visit.snapshot, visit)
    return found


def _searched(snapshot: Snapshot, visit: Visit) -> Sequence[View]:
    modules = modules_of(snapshot, visit.audience)
    referred = Counter(field.to for module in modules.values() for field in module.shown_fields if field.to)
    views = [view for name in modules if (view := view_of(snapshot, visit.access, name)) is not None]
    able = [view for view in views if view.module.has_id and "search" in view.takes(visit.schema)]
    # Where each word is in an index one looks for it most, and what many rows refer to is what people know by name.
    return sorted(able, key=lambda view: (not view.module.search.full_text, -referred[view.module.name]))


def search_document(views: Sequence[View], size: int) -> str:
    """Return the operation that asks all of these modules."""
    roots = [
        f"{view.module.name}: {view.module.many_root}(search: $search, first: {size}) {{ nodes {{ {_selection(view)} }} }}"
        for view in views
    ]
    return f"query Search($search: String!) {{ {' '.join(roots)} }}"


def read_hits(views: Sequence[View], data: Mapping[str, Any], word: str, reader: Reader) -> list[Hits]:
    """Take the answer apart; modules without a row are left out."""
    found = []
    for view in views:
        page = data.get(view.module.name)
        nodes = [node for node in (page or {}).get("nodes", ()) if node]
        if nodes:
            label = view.module.plural.in_language(reader.texts.language)
            rows = [_hit(view, node, reader) for node in nodes]
            found.append(Hits(view.module.name, label, rows, list_url(view, word)))
    return found


def list_url(view: View, word: str) -> str:
    """Return the list of a module with a search."""
    return f"/modules/{view.module.name}?{urlencode({'q': word})}"


def _selection(view: View) -> str:
    return " ".join(["id", *(selection_of(member) for member in _told(view))])


def _told(view: View) -> Sequence[Member]:
    """Return what is told of a row: what it is called by, and the first other text that its list has."""
    title = view.title
    named = title.name if title is not None else ""
    other = next((item for item in view.columns if item.kind in _TEXTS and item.name != named), None)
    return [member for member in (title, other) if member is not None]


def _hit(view: View, node: Mapping[str, Any], reader: Reader) -> Hit:
    rest = _told(view)[1:]
    about = " ".join(show(node[member.name], member, reader).text for member in rest)
    return Hit(f"/modules/{view.module.name}/{node['id']}", heading_of(view, node), about)
