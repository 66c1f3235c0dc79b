"""The two layouts of OTRS as catalogs, and the shipped modules, for tests that bind without a database."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from schema.bind import bind, plan
from schema.catalog import Catalog, Column, ColumnClass, ForeignKey, Table
from schema.check import check_module, partial_module, unsaid, with_excerpt
from schema.problems import Problem
from schema.source import read
from schema.spec import Module
from schema.tables import table_of
from storage.otrs import LayoutTable, read_layout

HOUSE = Path(__file__).parents[2]
MODULES = sorted((HOUSE / "modules").rglob("*.yaml"))

_CLASSES = {
    "smallserial": ColumnClass.INT,
    "serial": ColumnClass.INT,
    "bigserial": ColumnClass.BIGINT,
    "smallint": ColumnClass.SMALLINT,
    "integer": ColumnClass.INT,
    "bigint": ColumnClass.BIGINT,
    "decimal": ColumnClass.DECIMAL,
    "datetime": ColumnClass.DATETIME,
    "varchar": ColumnClass.STRING,
    "longtext": ColumnClass.TEXT,
    "blob": ColumnClass.BYTES,
}


@cache
def layout(name: str) -> Catalog:
    """The catalog of `znuny65` or `otrs6`."""
    return Catalog({table.name: _table(table) for table in read_layout(name).values()})


def _table(table: LayoutTable) -> Table:
    columns = {
        column.name: Column(
            column.name,
            _CLASSES[column.type],
            column.nullable,
            int(column.size) if column.type == "varchar" and column.size else None,
            column.default is not None,
            column.counts_up,
        )
        for column in table.columns
    }
    return Table(
        table.name,
        columns,
        tuple(column.name for column in table.columns if column.is_key or column.counts_up),
        tuple(tuple(names) for names in table.unique),
        tuple(ForeignKey((column.name,), column.to, ("id",)) for column in table.columns if column.to),
    )


def made(text: str, file: str = "site/thing.yaml") -> Module:
    """The module of a file that is right."""
    module, problems = check_module([read(file, text.encode())])
    assert module is not None, problems
    return module


def faults(*texts: str, file: str = "site/thing.yaml") -> list[str]:
    """What is wrong with files, lowest layer first: position, code and message."""
    sources = [read(file if number == 0 else f"layer{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    return [
        f"{problem.line}:{problem.column} {problem.code}: {problem.message}" for problem in check_module(sources)[1]
    ]


@cache
def shipped() -> Mapping[str, Module]:
    """The shipped modules, unbound."""
    found = [made(path.read_text(), path.relative_to(HOUSE).as_posix()) for path in MODULES]
    return {module.name: module for module in found}


def everything_wrong(file: str, data: bytes, catalog: Catalog) -> list[Problem]:
    """Check a file and bind what is right in it: every problem, each with its line."""
    source = read(file, data)
    problems = check_module([source])[1]
    module = partial_module([source])
    if module is not None and table_of(module, catalog) is not None:
        problems += unsaid(problems, bind(module, catalog, {**shipped(), module.name: module})[1])
    return [with_excerpt(problem, [source]) for problem in problems]


def bound(text: str, catalog: Catalog, others: Mapping[str, Module] | None = None) -> Module:
    """The module of a file that is right, bound."""
    unbound = made(text)
    module, problems = bind(unbound, catalog, {**(shipped() if others is None else others), unbound.name: unbound})
    assert module is not None, problems
    return module


__all__ = ["MODULES", "bound", "everything_wrong", "faults", "layout", "made", "plan", "shipped"]
