"""The menu: the desk's own pages, the modules that a caller may view by the sections of their files, the administrators' pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from identity.access import Access, Right
from schema.snapshot import Snapshot
from schema.spec import Audience, Module
from schema.writes import Deed
from web.pages.otrs_tables import TICKET, view_on
from web.pages.rendering import render
from web.pages.texts import Texts
from web.pages.view import modules_of, view_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A module in the menu, with where its list is, or another page."""

    name: str
    label: str
    about: str
    creates: bool  # whether the caller may make rows
    url: str


@dataclass(frozen=True, slots=True)
class MenuSection:
    """A section of the menu."""

    label: str
    entries: tuple[Entry, ...]


def sections_of(snapshot: Snapshot, access: Access, texts: Texts) -> Sequence[MenuSection]:
    """Return the menu. Kept with the snapshot: it is the same for all who may do the same."""
    key = ("page menu", access.rights.shape, texts.language)
    found: Sequence[MenuSection] | None = snapshot.memo.get(key)
    if found is None:
        found = snapshot.memo[key] = _sections(snapshot, access, texts)
    return found


def _sections(snapshot: Snapshot, access: Access, texts: Texts) -> tuple[MenuSection, ...]:
    grouped: dict[str, list[Module]] = {}
    for module in modules_of(snapshot, access.audience).values():
        if access.may(module, Right.VIEW) and _is_listed(module, access.audience):
            label = module.section.in_language(texts.language) if module.section else texts("other-section")
            grouped.setdefault(label, []).append(module)
    made = [
        MenuSection(label, tuple(sorted((_entry(snapshot, access, item, texts) for item in modules), key=_by_label)))
        for label, modules in grouped.items()
    ]
    # What is looked for most comes first: the section whose rows are in the full-text index.
    first = {label for label, modules in grouped.items() if any(module.search.full_text for module in modules)}
    made.sort(key=lambda section: (section.label not in first, section.label.casefold()))
    administration = [_administration(texts)] if access.is_administrator else []
    return (*_desk(snapshot, access, texts), *made, *administration)


def _is_listed(module: Module, audience: Audience) -> bool:
    """Answer whether a module stands in the menu: customers have pages for OTRS's tables, and lists of what is the site's own."""
    return audience is Audience.AGENT or module.managed


# The desk's own pages by audience: the heading, then address, label and whether it makes a ticket.
_DESK: Mapping[Audience, tuple[str, tuple[tuple[str, str, bool], ...]]] = {
    Audience.AGENT: (
        "work",
        (("/desk", "work-overview", False), ("/dashboard", "dashboard", False), ("/desk/new", "work-new-ticket", True)),
    ),
    Audience.CUSTOMER: ("my-tickets", (("/my", "my-tickets", False), ("/my/new", "my-new", True))),
}


def _desk(snapshot: Snapshot, access: Access, texts: Texts) -> list[MenuSection]:
    """Return the section of the desk's own pages; nothing where there are no tickets."""
    view = view_on(snapshot, access, TICKET)
    if view is None:
        return []
    heading, pages = _DESK[access.audience]
    may = view.may(Deed.CREATE)
    entries = [Entry(url.strip("/"), texts(key), "", False, url) for url, key, creates in pages if may or not creates]
    return [MenuSection(texts(heading), tuple(entries))]


# Pages of administrators: address and label.
_ADMINISTRATION = {"/admin/modules": "modules", "/admin/rights": "rights", "/admin/health": "health"}


def _administration(texts: Texts) -> MenuSection:
    entries = (Entry(url.strip("/"), texts(key), "", False, url) for url, key in _ADMINISTRATION.items())
    return MenuSection(texts("administration"), tuple(entries))


def _entry(snapshot: Snapshot, access: Access, module: Module, texts: Texts) -> Entry:
    view = view_of(snapshot, access, module.name)
    about = module.description.in_language(texts.language) if module.description else ""
    creates = view is not None and view.may(Deed.CREATE)
    return Entry(module.name, module.plural.in_language(texts.language), about, creates, f"/modules/{module.name}")


def _by_label(entry: Entry) -> str:
    return entry.label.casefold()


def side_menu(snapshot: Snapshot, access: Access, texts: Texts, here: str) -> Markup:
    """Return the menu as HTML, open at its first section and at the page whose address this is."""
    key = ("page side menu", access.rights.shape, texts.language)
    found: Sequence[tuple[frozenset[str], str]] | None = snapshot.memo.get(key)
    if found is None:
        sections = sections_of(snapshot, access, texts)
        made = [
            (frozenset(entry.url for entry in item.entries), render("side_menu.html", {"section": item}))
            for item in sections
        ]
        found = snapshot.memo[key] = made
    parts = [
        _marked(text, here) if here in addresses or place == 0 else text
        for place, (addresses, text) in enumerate(found)
    ]
    return Markup("".join(parts))  # noqa: S704 - templates made them, and escaped what is in them


def _marked(text: str, here: str) -> str:
    """Open a section, and mark the page that one is at."""
    address = f'<a href="{here}"'
    return text.replace("<details>", "<details open>", 1).replace(f"{address}>", f'{address} aria-current="page">', 1)


def palette(snapshot: Snapshot, access: Access, texts: Texts) -> Markup:
    """Return the entries of the palette as HTML."""
    key = ("page palette", access.rights.shape, texts.language)
    found: str | None = snapshot.memo.get(key)
    if found is None:
        values = {"menu": sections_of(snapshot, access, texts), "t": texts}
        found = snapshot.memo[key] = render("palette.html", values)
    return Markup(found)  # noqa: S704 - as above
