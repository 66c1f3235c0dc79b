"""The shipped module files, read and checked once, for the tests of this folder."""

from functools import cache
from pathlib import Path

from schema.catalog import Catalog, Column, ColumnClass, ForeignKey, Table
from schema.check import check_module
from schema.source import Source, read
from schema.spec import Module
from storage.otrs import LayoutTable, read_layout

ROOT = Path(__file__).parents[2]
LAYOUTS = ("znuny65", "otrs6")
_CLASSES = {
    "smallint": ColumnClass.SMALLINT,
    "smallserial": ColumnClass.SMALLINT,
    "integer": ColumnClass.INT,
    "serial": ColumnClass.INT,
    "bigint": ColumnClass.BIGINT,
    "bigserial": ColumnClass.BIGINT,
    "decimal": ColumnClass.DECIMAL,
    "datetime": ColumnClass.DATETIME,
    "varchar": ColumnClass.STRING,
    "longtext": ColumnClass.TEXT,
    "blob": ColumnClass.BYTES,
}


@cache
def sources() -> tuple[Source, ...]:
    files = sorted((ROOT / "modules").rglob("*.yaml"))
    return tuple(read(str(file.relative_to(ROOT)), file.read_bytes()) for file in files)


@cache
def shipped() -> dict[str, Module]:
    found: dict[str, Module] = {}
    for source in sources():
        module, problems = check_module((source,))
        assert module is not None, problems
        found[module.name] = module
    return found


def table_in(module: Module, layout: str) -> LayoutTable | None:
    tables = read_layout(layout)
    return next((tables[name] for name in module.tables if name in tables), None)


@cache
def catalog(layout: str) -> Catalog:
    """A layout as a database with it would be reflected."""
    return Catalog({table.name: _reflected(table) for table in read_layout(layout).values()})


def _reflected(table: LayoutTable) -> Table:
    columns = {
        column.name: Column(
            column.name,
            _CLASSES[column.type],
            nullable=column.nullable,
            size=int(column.size) if column.type == "varchar" else None,
            has_default=column.default is not None,
            autoincrement=column.counts_up,
        )
        for column in table.columns
    }
    return Table(
        table.name,
        columns,
        key=tuple(column.name for column in table.columns if column.is_key),
        unique=tuple(tuple(names) for names in table.unique),
        foreign_keys=tuple(
            ForeignKey((column.name,), column.to, ("id",)) for column in table.columns if column.to is not None
        ),
    )
