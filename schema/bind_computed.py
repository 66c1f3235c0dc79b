"""Computed fields meet the database: the paths that their lambdas need, the columns of their expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schema.binding import Binding, near
from schema.catalog import WHOLE_NUMBERS, Table
from schema.expressions import Beside, parse
from schema.problems import suggest
from schema.secrets import Guard, guards_in, is_secret_column, is_unreadable
from schema.spec import Computed, Expression, Field, Home, Module
from schema.sql_reader import Call, Column, Literal, Term


def bind_computed(computed: Computed, fields: Mapping[str, Field], at: Binding) -> Computed | None:
    """Check what a computed field is made of; None when that is not there. `fields` are the bound fields by name."""
    if computed.expression is not None:
        return _bind_expression(computed, computed.expression, fields, at)
    if computed.needs is None:
        return computed
    kept = tuple(path for path in computed.needs if _Path(computed, path, at).is_there())
    return None if computed.name in at.dropped else replace(computed, needs=kept)


class _Path:
    """One dotted path of `needs`. What this file gets wrong is an error; what others lack drops the computed field."""

    def __init__(self, computed: Computed, path: str, at: Binding) -> None:
        self.computed = computed
        self.path = path
        self.steps = path.split(".")
        self.at = at

    def is_there(self) -> bool:
        """Walk the path through references; note what is wrong with it."""
        module, table = self.at.module, self.at.table
        for number, step in enumerate(self.steps):
            field = module.field_named(step)
            if step in module.broken:
                return self._absent(drops=True)
            if field is None and step not in table.columns:
                return self._unknown(step, module, table, is_own=number == 0)
            if is_unreadable(table.name, field.column if field is not None else step) or (
                field is not None and not field.is_readable
            ):
                return self._wrong("secret-column", f"names `{self.path}`, which holds secrets", "Remove it.")
            last = number == len(self.steps) - 1
            if number == 0 and field is not None and step in self.at.dropped:
                return self._absent(drops=not last)
            if last:
                return True
            following = self._follow(field)
            if following is None:
                return self._dead_end(step, field)
            module, table = following
        return False

    def _wrong(self, code: str, what: str, hint: str | None) -> bool:
        where = f"computed_fields.{self.computed.name}.needs"
        self.at.note(code, f"`needs` of `{self.computed.name}` {what}.", where, hint, place=self.computed.place)
        return False

    def _left_out(self, code: str, why: str, hint: str | None) -> bool:
        message = f"Computed field `{self.computed.name}` is left out: {why}."
        where = f"computed_fields.{self.computed.name}.needs"
        self.at.drop(self.computed.name, code, message, where, hint, place=self.computed.place)
        return False

    def _absent(self, *, drops: bool) -> bool:
        if drops:
            self.at.dropped.add(self.computed.name)
        return False

    def _unknown(self, step: str, module: Module, table: Table, *, is_own: bool) -> bool:
        hint = suggest(step, [*(item.name for item in module.fields), *table.columns])
        if is_own:
            return self._wrong("bad-needs", f"names `{step}`, which is no field and no column", hint)
        why = f"module `{module.name}` ({module.place.file}) has no `{step}` for `{self.path}`"
        return self._left_out("bad-needs", why, hint)

    def _follow(self, field: Field | None) -> tuple[Module, Table] | None:
        target = self.at.target(field.to) if field is not None and field.to else None
        table = self.at.table_of(target) if target is not None else None
        return (target, table) if target is not None and table is not None else None

    def _dead_end(self, step: str, field: Field | None) -> bool:
        if field is None or field.kind != "reference":
            what = f"names `{self.path}`, but `{step}` is no reference"
            return self._wrong("bad-needs", what, "Only references can be followed.")
        why, hint = self.at.absence(field.to or str(field.settings.get("lookup_table")))
        return self._left_out("missing-module", f"{why}, for `{self.path}`", hint)


def _bind_expression(
    computed: Computed, expression: Expression, fields: Mapping[str, Field], at: Binding
) -> Computed | None:
    """Find the column of every name in an expression; names of fields stand for their columns."""
    terms = _terms(fields, at)
    missing = next((name for name in expression.columns if name not in terms), None)
    if missing is not None:
        _without_column(computed, missing, fields, at)
        return None
    if all(terms[name] == Column(name) for name in expression.columns):
        return computed
    return replace(computed, expression=parse(expression.text, terms))


def _terms(fields: Mapping[str, Field], at: Binding) -> dict[str, Term]:
    """Say what each name in an expression stands for: the column, guarded where some rows are secret, or the field's."""
    terms: dict[str, Term] = {
        name: Column(name, whole=found.type in WHOLE_NUMBERS)
        for name, found in at.table.columns.items()
        if not is_secret_column(at.table.name, name)
    }
    for column, guard in guards_in(at.table.name, at.table.columns).items():
        if guard.key in at.table.columns:
            terms[column] = _guarded(column, guard)
        else:
            terms.pop(column, None)
    for item in fields.values():
        if item.home is Home.TABLE and item.column in terms:
            terms.setdefault(item.name, terms[item.column])
        elif item.home is Home.SIDE and at.side is not None and item.is_readable:
            terms.setdefault(
                item.name, Beside(item.column, at.side.name, at.key, whole=item.column_class in WHOLE_NUMBERS)
            )
    return terms


def _guarded(column: str, guard: Guard) -> Term:
    """Read a value only in rows whose name holds no word for a secret, whatever stands around it."""
    name = Call("lower", (Column(guard.key),))
    secret: Term = Call("is null", (Column(guard.key),))
    for word in guard.words:
        secret = Call("or", (secret, Call("like", (name, Literal(f"%{word}%")))))
    return Call("case", (secret, Literal(None), Column(column)))


def _without_column(computed: Computed, name: str, fields: Mapping[str, Field], at: Binding) -> None:
    if name in at.dropped or any(item.optional and name in (item.name, item.column) for item in at.module.fields):
        at.dropped.add(computed.name)
        return
    code, hint = "bad-expression", near(name, [*at.table.columns, *fields])
    why = f"table `{at.table.name}` has no such column"
    if name in at.table.columns or (name in fields and not fields[name].is_readable):
        code, why, hint = "secret-column", "it holds secrets", "Remove it."
    elif name in fields:
        why, hint = "it is no column", "Take a lambda with `needs` instead."
    message = f"The SQL expression of `{computed.name}` cannot use `{name}`: {why}."
    at.note(code, message, f"computed_fields.{computed.name}.sql", hint, place=computed.place)
