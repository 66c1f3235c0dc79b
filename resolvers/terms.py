"""A value that a statement can say: a column, a field wherever it lives, or an SQL expression, seen from a statement's base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schema.bindings import ToOne
from schema.catalog import ColumnClass
from schema.spec import Computed, Field, Home, Module

# Dynamic field type → the column of dynamic_field_value that holds it; every other type (processes, web services,
# what packages add) keeps a text.
_DYNAMIC_TEXT = ("value_text", ColumnClass.TEXT)
_DYNAMIC_COLUMNS: Mapping[str, tuple[str, ColumnClass]] = MappingProxyType(
    {
        "Checkbox": ("value_int", ColumnClass.BIGINT),
        "Date": ("value_date", ColumnClass.DATETIME),
        "DateTime": ("value_date", ColumnClass.DATETIME),
    }
)

# What SQL expressions of a computed kind are, where a column would have a class.
_COMPUTED_CLASSES: Mapping[str, ColumnClass] = MappingProxyType(
    {
        "int": ColumnClass.BIGINT,
        "float": ColumnClass.FLOAT,
        "bool": ColumnClass.SMALLINT,  # expressions give 0 and 1 on every database
        "datetime": ColumnClass.DATETIME,
        "json": ColumnClass.TEXT,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A value of the row that one comes to from the base by `hops`; a text as `item` is a column of the module's table."""

    hops: tuple[ToOne, ...]
    module: Module
    item: Field | Computed | str

    @property
    def name(self) -> str:
        """The name in the module file, or of the column."""
        return self.item if isinstance(self.item, str) else self.item.name

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same value within one statement."""
        path = tuple(hop.field.name for hop in self.hops)
        if isinstance(self.item, Field) and self.item.home is Home.TABLE:
            return (*path, "column", self.item.column)
        kind = "column" if isinstance(self.item, str) else type(self.item).__name__
        return (*path, kind, self.name)

    @property
    def kind(self) -> str:
        """The row of the table of kinds by which it is read and compared."""
        return "reference" if isinstance(self.item, str) else self.item.kind

    @property
    def column_class(self) -> ColumnClass:
        """The class of the column, or of what the expression gives."""
        if isinstance(self.item, str):
            return self.module.columns.get(self.item, ColumnClass.OTHER)
        if isinstance(self.item, Computed):
            return _COMPUTED_CLASSES.get(self.item.kind, ColumnClass.STRING)
        if self.item.home is Home.DYNAMIC and self.item.dynamic is not None:
            return dynamic_column(self.item)[1]
        return self.item.column_class

    @property
    def nullable(self) -> bool:
        """Whether a statement may find null here."""
        if self.hops or isinstance(self.item, Computed):
            return True
        if isinstance(self.item, str):
            return self.item not in self.module.key_columns
        return self.item.home is not Home.TABLE or self.item.nullable or self.item.kind == "epoch"

    @property
    def is_rows(self) -> bool:
        """Whether its values are several rows of another table (a dynamic field with several values)."""
        return isinstance(self.item, Field) and self.item.home is Home.DYNAMIC and self.item.kind == "multiselect"


def dynamic_column(item: Field) -> tuple[str, ColumnClass]:
    """Return the column of `dynamic_field_value` that holds a dynamic field, and its class."""
    return _DYNAMIC_COLUMNS.get(item.dynamic.field_type if item.dynamic else "", _DYNAMIC_TEXT)


def key_terms(module: Module, hops: tuple[ToOne, ...] = ()) -> tuple[Term, ...]:
    """Return the key columns as terms."""
    return tuple(Term(hops, module, column) for column in module.key_columns)


def joined_column(hop: ToOne) -> str:
    """Return the column of the target's table that a reference's value equals."""
    return stored_of(hop.field, hop.target)


def stored_of(item: Field, target: Module) -> str:
    """Return the column of the target's table whose value a reference stores."""
    return item.by_column or target.key_columns[0]
