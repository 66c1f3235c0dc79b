"""Layers become one: a base or its replacement, then extensions, lowest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schema.keys import DOCUMENT
from schema.problems import suggest
from schema.source import Source
from schema.spot import Entry, Findings, Spot, listed

LISTS = ("fields", "relations", "computed_fields", "hooks", "actions", "schedules", "filters")
MAPPINGS = ("features", "search", "ui", "lambda_config", "translations")
# An extension adds to a module; what the module is stays with its own file.
_BASE_ONLY = ("name", "plural_name", "table", "key", "optional", "replace")
_GOTRS_FIELD_WORDS = ("db_column", "lookup_table", "lookup_key", "lookup_display")


@dataclass(slots=True)
class Merged:
    """The sections of all layers: lists appended (with the layer they come from), mappings laid over each other."""

    header: Entry
    lists: dict[str, list[tuple[Entry, bool]]]
    features: Entry
    ui: Entry
    lambda_config: Entry
    search: Entry
    translations: Entry
    access: list[Entry] = field(default_factory=list)
    validation: list[Entry] = field(default_factory=list)
    operations: Entry | None = None
    hidden: list[tuple[str, Spot]] = field(default_factory=list)
    patches: list[Entry] = field(default_factory=list)
    gotrs: bool = False


def read_sections(source: Source, findings: Findings) -> Entry | None:
    """Read one file's sections by the table of keys."""
    if source.document is None:
        return None
    found = DOCUMENT.read(source.document, Spot(source), findings)
    return found if isinstance(found, Entry) else None


def merge(documents: Sequence[Entry], findings: Findings) -> Merged | None:
    """Merge read files. The first is the base; the others extend it."""
    base = documents[0]
    header = base.get("module")
    if not isinstance(header, Entry):
        return None
    made = Merged(
        header=header.copy_of(),
        lists={name: [] for name in LISTS},
        features=Entry(base.spot),
        ui=Entry(base.spot),
        lambda_config=Entry(base.spot),
        search=Entry(base.spot),
        translations=Entry(base.spot),
        gotrs=is_gotrs(base),
    )
    for number, document in enumerate(documents):
        extends = number > 0
        if extends:
            _extend_header(made.header, document, findings)
        _add(made, document, extends=extends)
    _patch_fields(made, findings)
    return made


def _add(made: Merged, document: Entry, *, extends: bool) -> None:
    for name in LISTS:
        made.lists[name] += [(item, extends) for item in document.get(name) or () if isinstance(item, Entry)]
    for key in MAPPINGS:
        section, target = document.get(key), getattr(made, key)
        if isinstance(section, Entry):
            target.patch(section)
    for key, parts in (("access", made.access), ("validation", made.validation), ("fields_patch", made.patches)):
        section = document.get(key)
        if isinstance(section, Entry):
            parts.append(section)
    header = document.get("module")
    for holder in (header, document):
        if isinstance(holder, Entry) and "operations" in holder:
            made.operations = holder
    if document.get("hide"):
        spot = document.at("hide")
        made.hidden += [(name, spot) for name in document["hide"]]


def _extend_header(header: Entry, document: Entry, findings: Findings) -> None:
    """Lay the captions of an extension's header over the base's; the rest is not an extension's to say."""
    said = document.get("module")
    if not isinstance(said, Entry):
        return
    changed = said.copy_of()
    changed.pop("extend", None)
    for key in _BASE_ONLY:
        if key in changed:
            del changed[key]
            findings.add(
                said.at(key),
                "not-in-extension",
                f"An extension cannot change `{key}`.",
                "Write `replace: true` to stand in for the module, or change the module's own file.",
                at_key=True,
            )
    header.patch(changed)


def _patch_fields(made: Merged, findings: Findings) -> None:
    by_name = {entry.get("name"): (index, entry) for index, (entry, _) in enumerate(made.lists["fields"])}
    for section in made.patches:
        for name, patch in section.items():
            if name not in by_name:
                findings.add(
                    section.at(name),
                    "unknown-field",
                    f"`fields_patch` names `{name}`, which is no field.",
                    suggest(name, [str(word) for word in by_name])
                    or f"Fields: {listed([str(word) for word in by_name])}.",
                    at_key=True,
                )
                continue
            index, entry = by_name[name]
            patched = entry.copy_of()
            patched.patch(patch)
            by_name[name] = (index, patched)
            made.lists["fields"][index] = (patched, made.lists["fields"][index][1])


def is_gotrs(document: Entry) -> bool:
    """Answer whether a file is written in the GOTRS style; its computed fields are then HTML unless they say otherwise."""
    if document.says("permissions"):
        return True
    header = document.get("module")
    if isinstance(header, Entry) and header.says("route_prefix", "permissions", "read_only"):
        return True
    fields: Iterable[Entry] = document.get("fields") or ()
    return any(entry.says(*_GOTRS_FIELD_WORDS) for entry in fields)
