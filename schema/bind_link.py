"""What a module says about others: relations, the paths of `needs`, expressions, filters and row rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.binding import Binding, column_named, describe, fits, near
from schema.catalog import Table
from schema.expressions import ExpressionError, Selection, parse
from schema.problems import Level, suggest
from schema.secrets import is_secret_column
from schema.spec import Computed, Expression, Field, Home, Module, Relation
from schema.tables import present, same_table


def bind_relation(relation: Relation, at: Binding) -> Relation | None:
    """Find the columns that a relation joins on; None when the other end is not there."""
    target = at.target(relation.to)
    path = f"relations.{relation.name}.to"
    if target is None:
        at.drop(
            relation.name,
            "missing-module",
            f"Relation `{relation.name}` is left out: there is no module `{relation.to}`, or its file is broken.",
            path,
            suggest(relation.to, at.others) or "Add the module, or mend it.",
            relation.place,
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
            relation.place,
            Level.INFO if target.optional else Level.WARNING,
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
            relation.place,
        )
        return None
    column = column_named(target, table, by)
    if column is None or is_secret_column(table.name, column):
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: module `{target.name}` ({target.place.file}) has no field `{by}` in table `{table.name}`.",
            path,
            _pointing_fields(target, at.module) or suggest(by, [item.name for item in target.fields]),
            relation.place,
        )
        return None
    wanted = pointing.by or pointing.settings.get("lookup_key") if pointing is not None else None
    here = _own_end(relation, wanted, path, at)
    if here is None or not _comparable(relation, at.table, here, table, column, at):
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
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: this module has no field `{wanted}`.",
            path,
            suggest(wanted, [item.name for item in at.module.fields]),
            relation.place,
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
        relation.place,
    )
    return None


def _comparable(relation: Relation, one: Table, own: str, other: Table, link: str, at: Binding) -> bool:
    left, right = one.columns[own], other.columns[link]
    if fits(left.type, right.type):
        return True
    at.drop(
        relation.name,
        "wrong-column-type",
        f"Relation `{relation.name}` is left out: `{one.name}.{own}` is {describe(left)}, `{other.name}.{link}` is {describe(right)}.",
        f"relations.{relation.name}.here",
        "Name another field with `{column: field}`.",
        relation.place,
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
            relation.place,
        )
        return None
    ends = (("here", relation.here or ""), ("there", relation.there or ""))
    wheres = tuple(("where", column) for column in relation.where)
    for key, column in (*ends, *wheres):
        if column not in between.columns or is_secret_column(between.name, column):
            at.drop(
                relation.name,
                "missing-column",
                f"Relation `{relation.name}` is left out: table `{between.name}` has no column `{column}`.",
                f"relations.{relation.name}.{key}",
                near(column, between.columns),
                relation.place,
            )
            return None
    here = _through_end(relation, "here", at.module, at.table, between, at)
    there = _through_end(relation, "there", target, table, between, at)
    if here is None or there is None:
        return None
    if not _comparable(relation, at.table, here, between, relation.here or "", at):
        return None
    if not _comparable(relation, table, there, between, relation.there or "", at):
        return None
    return replace(
        relation, through=between.name, here_column=here, link_column=relation.here or "", there_column=there
    )


def _through_end(relation: Relation, key: str, module: Module, table: Table, between: Table, at: Binding) -> str | None:
    """Return the column of a module that the table between points at: as said, as its foreign key says, or the key."""
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
    if found is None or found not in table.columns or is_secret_column(table.name, found):
        at.drop(
            relation.name,
            "bad-relation",
            f"Relation `{relation.name}` is left out: it is not clear which field of module `{module.name}` ({module.place.file}) `{column}` equals.",
            f"relations.{relation.name}.{key}",
            f"Write `{key}: {{{column}: field}}`.",
            relation.place,
        )
        return None
    return found


# --- computed fields ---


def bind_computed(computed: Computed, fields: Mapping[str, Field], at: Binding) -> Computed | None:
    """Check what a computed field is made of; leave it out when that is not there."""
    if computed.expression is not None:
        return _bind_expression(computed, fields, at)
    if computed.needs is None:
        return computed
    kept = tuple(path for path in computed.needs if _is_there(path, computed, at))
    return None if computed.name in at.dropped else replace(computed, needs=kept)


def _is_there(path: str, computed: Computed, at: Binding) -> bool:
    """Walk a dotted path through references. What this file gets wrong is an error; what others lack drops the field."""
    steps = path.split(".")
    where = f"computed_fields.{computed.name}.needs"
    module, table = at.module, at.table
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        field = module.field_named(step)
        if field is None and step not in table.columns:
            if step in at.module.by_name and number == 0 and last:
                at.note(
                    "bad-needs",
                    f"`needs` of `{computed.name}` names `{step}`, which is no field.",
                    where,
                    "Name fields and columns.",
                    place=computed.place,
                )
                return False
            hint = suggest(step, [*(item.name for item in module.fields), *table.columns])
            if number == 0:
                at.note(
                    "bad-needs",
                    f"`needs` of `{computed.name}` names `{step}`, which module `{module.name}` does not have.",
                    where,
                    hint,
                    place=computed.place,
                )
            else:
                at.drop(
                    computed.name,
                    "bad-needs",
                    f"Computed field `{computed.name}` is left out: module `{module.name}` ({module.place.file}) has no `{step}` for `{path}`.",
                    where,
                    hint,
                    computed.place,
                )
            return False
        column = field.column if field is not None else step
        if is_secret_column(table.name, column) or (field is not None and not field.is_readable):
            at.note(
                "secret-column",
                f"`needs` of `{computed.name}` names `{path}`, which holds secrets.",
                where,
                "Remove it.",
                place=computed.place,
            )
            return False
        if number == 0 and step in at.dropped and field is not None:
            if not last:
                at.dropped.add(computed.name)
            return False
        if last:
            return True
        following = _follow(field, at)
        if following is None:
            if field is None or field.kind != "reference":
                at.note(
                    "bad-needs",
                    f"`needs` of `{computed.name}`: `{step}` in `{path}` is no reference.",
                    where,
                    "Only references can be followed.",
                    place=computed.place,
                )
            else:
                at.drop(
                    computed.name,
                    "missing-module",
                    f"Computed field `{computed.name}` is left out: there is no module `{field.to}` for `{path}`.",
                    where,
                    None,
                    computed.place,
                )
            return False
        module, table = following
    return False


def _follow(field: Field | None, at: Binding) -> tuple[Module, Table] | None:
    if field is None or field.kind != "reference":
        return None
    target = at.target(field.to) if field.to else None
    table = at.table_of(target) if target is not None else None
    return (target, table) if target is not None and table is not None else None


def _bind_expression(computed: Computed, fields: Mapping[str, Field], at: Binding) -> Computed | None:
    where = f"computed_fields.{computed.name}.sql"
    columns = {name: name for name in at.table.columns if not is_secret_column(at.table.name, name)}
    for item in at.module.fields:
        bound = fields.get(item.name)
        if bound is not None and bound.home is Home.TABLE and bound.column in columns:
            columns.setdefault(item.name, bound.column)
    expression = computed.expression
    if expression is None:
        return None
    optional = {item.column for item in at.module.fields if item.optional} | {
        item.name for item in at.module.fields if item.optional
    }
    for name in expression.columns:
        if name in columns:
            continue
        if name in optional:
            at.dropped.add(computed.name)
            return None
        side = fields.get(name)
        if side is not None and side.home is Home.SIDE:
            at.note(
                "bad-expression",
                f"The SQL expression of `{computed.name}` uses `{name}`, which is kept beside table `{at.table.name}`.",
                where,
                "Only columns of the table itself can be used; take a lambda with `needs`.",
                place=computed.place,
            )
        elif name in at.table.columns:
            at.note(
                "secret-column",
                f"The SQL expression of `{computed.name}` uses `{name}`, which holds secrets.",
                where,
                "Remove it.",
                place=computed.place,
            )
        else:
            at.note(
                "bad-expression",
                f"The SQL expression of `{computed.name}` uses `{name}`; table `{at.table.name}` has no such column.",
                where,
                near(name, columns),
                place=computed.place,
            )
        return None
    if all(columns[name] == name for name in expression.columns):
        return computed
    try:
        renamed: Expression = parse(expression.text, columns)
    except ExpressionError as error:  # cannot happen: it was read before
        at.note(
            "bad-expression",
            f"The SQL expression of `{computed.name}`: {error}.",
            where,
            error.hint,
            place=computed.place,
        )
        return None
    return replace(computed, expression=renamed)


# --- filters ---


def bind_filter(found: Mapping[str, Any], names: Mapping[str, Any], at: Binding) -> Mapping[str, Any] | None:
    """Keep a filter whose field and choices are there."""
    name = str(found["field"])
    where = f"filters.{name}"
    if name not in names:
        if name not in at.dropped:
            hint = suggest(name, names) or f"Fields: {', '.join(names)}."
            at.note(
                "unknown-field",
                f"The filter on `{name}` is left out: there is no such field.",
                where,
                hint,
                Level.WARNING,
            )
        return None
    made = dict(found)
    selection = made.get("selection")
    if isinstance(selection, Selection):
        table = present(selection.table, at.catalog)
        used = {selection.value, selection.label, selection.order or selection.value}
        used |= set(selection.condition.columns if selection.condition is not None else ())
        if not _usable(table, used):
            del made["selection"]
            at.note(
                "bad-query",
                f"The query of the filter on `{name}` has no effect: it names a table or column that is not there.",
                where,
                "The choices come from the field itself.",
                Level.WARNING,
            )
        elif table is not None:
            made["selection"] = replace(selection, table=table.name)
    lookup = made.get("lookup_table")
    condition = made.get("condition")
    if lookup is not None:
        table = present(str(lookup), at.catalog)
        used = {str(made[key]) for key in ("lookup_key", "lookup_display") if key in made}
        used |= set(condition.columns) if isinstance(condition, Expression) else set()
        if not _usable(table, used):
            for key in ("lookup_table", "lookup_key", "lookup_display", "condition"):
                made.pop(key, None)
            at.note(
                "bad-query",
                f"The lookup of the filter on `{name}` has no effect: it names a table or column that is not there.",
                where,
                "The choices come from the field itself.",
                Level.WARNING,
            )
        elif table is not None:
            made["lookup_table"] = table.name
    return made


def _usable(table: Table | None, columns: set[str]) -> bool:
    if table is None:
        return False
    return all(column in table.columns and not is_secret_column(table.name, column) for column in columns)
