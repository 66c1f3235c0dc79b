"""Operations that were asked before, by callers with the same rights: how each uses its variables, and its plans by form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import OperationType, VariableNode

from resolvers.context import Context
from resolvers.cursors import CursorKey, list_key
from resolvers.given import CURSORS, Given, Reader, find_usage
from resolvers.plan import Plan
from resolvers.selection import Selected, Selections
from resolvers.templates import Kept, kept_with
from schema.bindings import ManyRoot
from storage.quick import quick

OPERATIONS_KEPT = 500
FORMS_KEPT = 32  # of one operation


@dataclass(slots=True, eq=False)
class Operation:
    """An operation for callers with the same rights, and its plans by form.

    `starts` are the lists that begin at a cursor in a variable, by its name.
    """

    node: Any  # kept with it: it is what the operation is found by
    reader: Reader | None
    starts: Mapping[str, Selected]
    plans: Kept[Seen]

    def read(self, context: Context, selections: Selections) -> Given | None:
        """Return what a request gives; None where it has no plan."""
        if self.reader is None:
            return None
        return self.reader.read(selections.variables.coerced, Starts(context, selections, self.starts))

    def seen(self, given: Given) -> Seen:
        """Return what is known of a form."""
        return self.plans.get(given.form) or self.plans.put(given.form, Seen())


@quick
class Starts:
    """The cursors in variables: each belongs to one list of the operation."""

    context: Context
    selections: Selections
    lists: Mapping[str, Selected]

    def read(self, name: str, cursor: str) -> Sequence[Any] | None:
        """Return the sort values in a variable that is a cursor; None where it is none of its list."""
        return self._key(name, self.selections).find(cursor) if name in self.lists else None

    def write(self, name: str, coerced: Mapping[str, Any], values: Sequence[Any]) -> str:
        """Return the cursor that would have these sort values, if the list was asked for with these variables."""
        variables = self.selections.variables._replace(coerced=dict(coerced))
        return self._key(name, replace(self.selections, variables=variables)).write(values)

    def _key(self, name: str, selections: Selections) -> CursorKey:
        selected = self.lists[name]
        module = selected.binding.module if isinstance(selected.binding, ManyRoot) else None
        if module is None:
            raise TypeError(f"{selected.name} is no list of a module.")
        return list_key(self.context.secret, self.context.caller, module, None, selections.args_of(selected))


@dataclass(slots=True)
class Seen:
    """A form: how often it was seen without a plan, and its plan."""

    times: int = 0
    plan: Plan | None = None


def operation_of(context: Context, selections: Selections) -> Operation:
    """Return what is known of an operation."""
    database = context.database
    # What of the full-text index can be used stands in statements, too.
    texts = frozenset(context.texts.ready.items())
    name = ("operations", database.dialect, database.zone, context.secret, texts)
    kept: Kept[Operation] = kept_with(context.snapshot.memo, name, OPERATIONS_KEPT)
    key = (id(selections.operation), context.rights.shape)
    found = kept.get(key)
    if found is None:
        reader = None
        if selections.operation.operation is OperationType.QUERY:
            usage = find_usage(selections.operation.selection_set, selections.fragments)
            reader = Reader(usage, context.snapshot.by_type_name)
        starts = _starts(selections, reader.usage.cursors) if reader and reader.usage.cursors else {}
        found = kept.put(key, Operation((selections.operation, selections.fragments), reader, starts, Kept(FORMS_KEPT)))
    return found


def _starts(selections: Selections, cursors: Collection[str]) -> Mapping[str, Selected]:
    """Find the root lists that begin at a variable of their own, which is nothing but a cursor."""
    found: dict[str, Selected | None] = {}
    for root in selections.roots():
        for argument in root.nodes[0].arguments or ():
            if argument.name.value in CURSORS and isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                found[name] = None if name in found or not isinstance(root.binding, ManyRoot) else root
    return {name: root for name, root in found.items() if root is not None and name in cursors}
