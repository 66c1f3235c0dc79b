"""Relations meet tables: the columns that has-many and many-to-many join on."""

from __future__ import annotations

from dataclasses import replace

from schema.binding import Binding, column_named, describe, fits, near
from schema.catalog import Table
from schema.problems import Level, suggest
from schema.secrets import is_reserved_table, is_secret_table, is_unreadable
from schema.spec import Field, Module, Relation
from schema.tables import present, same_table


def bind_relation(relation: Relation, at: Binding) -> Relation | None:
    """Find the columns that a relation joins on; None when the other end is not there."""
    target = at.target(relation.to)
    path = f"relations.{relation.name}.to"
    if target is None:
        why, hint = at.absence(relation.to)
        at.drop(
            relation.name,
            "missing-module",
            f"Relation `{relation.name}` is left out: {why}.",
            path,
            hint,
            place=relation.place,
        )
        return None
    table = at.table_of(target)
    if table is None:
        at.drop(
            relation.name,
            "missing-target",
            f"Relation `{relation.name}` is left out: the table of module `{target.name}` ({target.place.file}) is not in this database.",
            path,
            None,
            place=relation.place,
            level=Level.INFO if target.optional else Level.WARNING,
        )
        return None
    if relation.through is None:
        return _has_many(relation, target, table, at)
    return _many_to_many(relation, target, table, at)


def _has_many(relation: Relation, target: Module, table: Table, at: Binding) -> Relation | None:
    by = relation.by or ""
    path = f"relations.{relation.name}.by"
    pointing = target.field_named(by)
    if pointing is not None and pointing.kind == "reference" and not _points_here(pointing, at.module):
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: `{by}` of module `{target.name}` ({pointing.place}) points at `{pointing.to}`, not here.",
            path,
            _pointing_fields(target, at.module),
            place=relation.place,
        )
        return None
    column = column_named(target, table, by)
    if column is None or is_unreadable(table.name, column):
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: module `{target.name}` ({target.place.file}) has no field `{by}` in table `{table.name}`.",
            path,
            _pointing_fields(target, at.module) or suggest(by, [item.name for item in target.fields]),
            place=relation.place,
        )
        return None
    wanted = pointing.by or pointing.settings.get("lookup_key") if pointing is not None else None
    here = _own_end(relation, wanted, path, at)
    if here is None or not _comparable(relation, ((at.table, here), (table, column)), at):
        return None
    return replace(relation, here_column=here, link_column=column)


def _points_here(field: Field, module: Module) -> bool:
    if field.to is not None:
        return field.to == module.name
    return same_table(str(field.settings.get("lookup_table")), module.tables)


def _pointing_fields(target: Module, module: Module) -> str | None:
    names = [item.name for item in target.fields if item.kind == "reference" and _points_here(item, module)]
    return f"Fields that point here: {', '.join(names)}." if names else None


def _own_end(relation: Relation, wanted: str | None, path: str, at: Binding) -> str | None:
    """Return the own column that the other end equals: of a named field, or the key."""
    if wanted and not (wanted == "id" and column_named(at.module, at.table, wanted) is None):
        found = column_named(at.module, at.table, wanted)
        if found is not None:
            return found
        if wanted in at.module.broken:
            at.dropped.add(relation.name)
            return None
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: this module has no field `{wanted}`.",
            path,
            suggest(wanted, [item.name for item in at.module.fields]),
            place=relation.place,
        )
        return None
    if len(at.key) == 1:
        return at.key[0]
    at.drop(
        relation.name,
        "bad-relation",
        f"Relation `{relation.name}` is left out: this module has {'no key' if not at.key else 'a key of several columns'}.",
        path,
        "Name the field with `here: {column: field}`, or with `by` of the field that points here.",
        place=relation.place,
    )
    return None


def _comparable(relation: Relation, ends: tuple[tuple[Table, str], tuple[Table, str]], at: Binding) -> bool:
    (one, own), (other, link) = ends
    left, right = one.columns[own], other.columns[link]
    if fits(left.type, right.type):
        return True
    at.drop(
        relation.name,
        "wrong-column-type",
        f"Relation `{relation.name}` is left out: `{one.name}.{own}` is {describe(left)}, `{other.name}.{link}` is {describe(right)}.",
        f"relations.{relation.name}.here",
        "Name another field with `{column: field}`.",
        place=relation.place,
    )
    return False


def _many_to_many(relation: Relation, target: Module, table: Table, at: Binding) -> Relation | None:
    between = present(relation.through or "", at.catalog)
    if between is None:
        at.drop(
            relation.name,
            "missing-table",
            f"Relation `{relation.name}` is left out: there is no table `{relation.through}`.",
            f"relations.{relation.name}.through",
            suggest(relation.through or "", at.catalog.tables),
            place=relation.place,
        )
        return None
    if is_secret_table(between.name) or is_reserved_table(between.name):
        at.drop(
            relation.name,
            "secret-table",
            f"Relation `{relation.name}` is left out: table `{between.name}` holds secrets or is no table of modules.",
            f"relations.{relation.name}.through",
            "Remove the relation.",
            place=relation.place,
        )
        return None
    ends = (("here", relation.here or ""), ("there", relation.there or ""))
    wheres = tuple(("where", column) for column in relation.where)
    for key, column in (*ends, *wheres):
        if column not in between.columns or is_unreadable(between.name, column):
            at.drop(
                relation.name,
                "missing-column",
                f"Relation `{relation.name}` is left out: table `{between.name}` has no column `{column}`.",
                f"relations.{relation.name}.{key}",
                near(column, between.columns),
                place=relation.place,
            )
            return None
    here = _through_end(relation, "here", (at.module, at.table), between, at)
    there = _through_end(relation, "there", (target, table), between, at)
    if here is None or there is None:
        return None
    if not _comparable(relation, ((at.table, here), (between, relation.here or "")), at):
        return None
    if not _comparable(relation, ((table, there), (between, relation.there or "")), at):
        return None
    return replace(
        relation, through=between.name, here_column=here, link_column=relation.here or "", there_column=there
    )


def _through_end(relation: Relation, key: str, end: tuple[Module, Table], between: Table, at: Binding) -> str | None:
    """Return the column of a module that the table between points at: as said, as its foreign key says, or the key."""
    module, table = end
    said = relation.here_column if key == "here" else relation.there_column
    column = relation.here if key == "here" else relation.there
    if said:
        found = column_named(module, table, said)
    else:
        foreign = next(
            (item.target[0] for item in between.foreign_keys if item.columns == (column,) and item.table == table.name),
            None,
        )
        own_key = at.key_of(module, table)
        found = foreign or (own_key[0] if len(own_key) == 1 else None)
    if found is None or found not in table.columns or is_unreadable(table.name, found):
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: it is not clear which field of module `{module.name}` ({module.place.file}) `{column}` equals.",
            f"relations.{relation.name}.{key}",
            f"Write `{key}: {{{column}: field}}`.",
            place=relation.place,
        )
        return None
    return found
