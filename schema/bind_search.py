"""Full-text search meets the tables: texts stand for a row by its number, and paths must lead to texts."""

from __future__ import annotations

from dataclasses import replace

from schema.binding import Binding
from schema.catalog import WHOLE_NUMBERS
from schema.problems import Level, suggest
from schema.spec import Field, Module, Relation, Search


def bind_search(module: Module, at: Binding) -> Search:
    """Return how a bound module is searched, without what cannot be done."""
    found = module.search
    if found.full_text and not _has_number(module, at):
        found = replace(found, full_text=False, of=None)
    elif found.full_text and not any(
        item.searchable and item.traits.searchable and not item.to for item in module.fields
    ):
        _warn(at, "full_text", "there is no searchable field", "Write `searchable: true` at the fields.")
        found = replace(found, full_text=False, of=None)
    return replace(found, below=tuple(path for path in found.below if _leads_to_texts(module, path, at)))


def _has_number(module: Module, at: Binding) -> bool:
    """Answer whether every row has the number by which the index knows it."""
    of = module.search.of
    if of is None:
        if len(module.key_classes) == 1 and module.key_classes[0] in WHOLE_NUMBERS:
            return True
        _warn(at, "full_text", "the key is not one whole number", "Leave it out, or name a reference with `of`.")
        return False
    item = module.field_named(of)
    if item is None and of in at.dropped:
        return False
    target = at.target(item.to) if item is not None and item.to is not None else None
    table = at.table_of(target) if target is not None else None
    if item is None or target is None or table is None:
        names = [field.name for field in module.fields if field.to]
        _warn(at, "of", f"`{of}` is no reference", suggest(of, names))
        return False
    key = at.key_of(target, table)
    is_key = len(key) == 1 and item.by_column in (None, *key) and item.column in module.columns
    if is_key and table.columns[key[0]].type in WHOLE_NUMBERS and item.column_class in WHOLE_NUMBERS:
        return True
    _warn(at, "of", f"`{of}` does not hold a key that is one whole number", "Name another reference, or leave it out.")
    return False


def _leads_to_texts(module: Module, path: str, at: Binding) -> bool:
    """Follow a path through the files of the modules that it leads to."""
    here = module
    for step in path.split("."):
        item = here.by_name.get(step)
        if here is module and item is None and step in at.dropped:
            return False
        to = item.to if isinstance(item, Field | Relation) else None
        if to is None or (isinstance(item, Relation) and item.through is not None):
            members: tuple[Field | Relation, ...] = (*here.relations, *here.fields)
            names = [each.name for each in members if each.to]
            what = f"`{step}` of module `{here.name}` is no reference and no relation by one"
            _warn(at, "below", f"`{path}` leads nowhere: {what}", suggest(step, names))
            return False
        target = at.target(to)
        if target is None:
            return False  # which is said where the member is bound
        here = target
    if here.search.full_text:
        return True
    _warn(
        at,
        "below",
        f"module `{here.name}`, where `{path}` leads, has no full text",
        "Write `search: {full_text: true}` there.",
    )
    return False


def _warn(at: Binding, key: str, why: str, hint: str | None) -> None:
    at.note("bad-search", f"`{key}` of `search` has no effect: {why}.", f"search.{key}", hint, level=Level.WARNING)
