"""Which texts of a module are in the full-text index: fields with the same rules together, so that who may read one may read all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from resolvers.terms import Term
from schema.bindings import ToMany, ToOne
from schema.spec import Field, Home, Module, Relation

# Part of every form: whoever changes what words are makes the index new.
FORMAT = 1
_KEY = "text sources"


@dataclass(frozen=True, slots=True, eq=False)
class TextSource:
    """Texts of a module's rows. `owner` is the number by which the index knows them; `form` tells what they are made of."""

    module: Module
    owner: Term
    fields: tuple[Field, ...]
    form: str


class Texts(Protocol):
    """Says what of the full-text index can be used; `resolvers.text_index` does."""

    @property
    def ready(self) -> Mapping[str, int]:
        """Which forms are complete, and their slots."""


@dataclass(frozen=True, slots=True)
class NoTexts:
    """Nothing is in the index."""

    ready: Mapping[str, int] = field(default_factory=dict)


def is_text(item: Field) -> bool:
    """Answer whether `search:` looks into a field."""
    return item.searchable and item.traits.searchable and not item.to


def sources_of(module: Module) -> tuple[TextSource, ...]:
    """Return what of a module belongs into the index."""
    found: tuple[TextSource, ...] | None = module.derived.get(_KEY)
    if found is None:
        found = module.derived[_KEY] = tuple(_sources(module)) if module.search.full_text else ()
    return found


def path_of(module: Module, path: str, modules: Mapping[str, Module]) -> tuple[ToOne | ToMany, ...]:
    """Return the steps of a path of `below`; none where it does not lead through."""
    steps: list[ToOne | ToMany] = []
    for name in path.split("."):
        item = module.by_name.get(name)
        target = modules.get(item.to or "") if isinstance(item, Field | Relation) else None
        if target is None:
            return ()
        if isinstance(item, Field) and item.home is Home.TABLE:
            steps.append(ToOne(module, item, target))
        elif isinstance(item, Relation) and item.through is None and item.link_column in target.columns:
            steps.append(ToMany(module, item, target))
        else:
            return ()
        module = target
    return tuple(steps)


def _sources(module: Module) -> list[TextSource]:
    of = module.field_named(module.search.of) if module.search.of else None
    owner = Term((), module, of.column if of is not None else module.key_columns[0])
    groups: dict[str, list[Field]] = {}
    for item in module.shown_fields:
        if item.is_readable and is_text(item):
            # Customers see dynamic fields only where a rule names them.
            rules = sorted(module.access.fields.get(item.name, {}).items())
            groups.setdefault(repr((rules, item.home is Home.DYNAMIC)), []).append(item)
    return [TextSource(module, owner, tuple(items), _form(module, owner, items)) for items in groups.values()]


def _form(module: Module, owner: Term, items: list[Field]) -> str:
    said = [FORMAT, module.name, module.table, owner.name]
    said += [(item.name, item.home.value, item.column, item.dynamic and item.dynamic.id) for item in items]
    return hashlib.sha256(repr(said).encode()).hexdigest()
