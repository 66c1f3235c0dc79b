"""A database is known in a handful of statements: every table, column and key, and the dynamic fields of OTRS."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from schema.catalog import Catalog, Column, ColumnClass, ForeignKey, Table
from storage.engine import Database
from storage.otrs import LayoutColumn, LayoutTable, read_layout
from storage.reflect import reflect, refresh
from storage.values import wall_clock
from tests.databases import DIALECTS, LAYOUTS, NOW, foreign_url, fresh_url

STRING, TEXT, BYTES = ColumnClass.STRING, ColumnClass.TEXT, ColumnClass.BYTES
STATEMENTS = 5  # columns, keys, foreign keys, dynamic fields, managed tables
# What the type words of a layout file become; where the databases differ, one by one.
EVERYWHERE = {
    "smallint": ColumnClass.SMALLINT,
    "integer": ColumnClass.INT,
    "bigint": ColumnClass.BIGINT,
    "bigserial": ColumnClass.BIGINT,
    "serial": ColumnClass.INT,
    "datetime": ColumnClass.DATETIME,
    "decimal": ColumnClass.DECIMAL,
}
CLASSES: dict[str, dict[str, ColumnClass]] = {
    "sqlite": {"smallserial": ColumnClass.INT, "longtext": TEXT, "blob": BYTES},
    "postgresql": {"smallserial": ColumnClass.INT, "longtext": TEXT, "blob": TEXT},
    "mysql": {"smallserial": ColumnClass.SMALLINT, "longtext": BYTES, "blob": BYTES},
}
UNBOUNDED_FROM = {"sqlite": 10_000, "postgresql": 10_000, "mysql": 256}


def expected(table: LayoutTable, column: LayoutColumn, dialect: str) -> Column:
    if column.type == "varchar":
        bounded = int(column.size) < UNBOUNDED_FROM[dialect]
        kind, size = (STRING, int(column.size)) if bounded else (TEXT, None)
    else:
        kind, size = {**EVERYWHERE, **CLASSES[dialect]}[column.type], None
    # On PostgreSQL a key that counts up has the counter as its default.
    has_default = column.default is not None or (column.counts_up and dialect == "postgresql")
    keys = [
        [item.name for item in table.columns if item.is_key],
        *table.unique,
        *(index[1:] for index in table.indexes),
    ]
    # Of long texts PostgreSQL's indexes hold the beginning, which is no column.
    is_long = column.type == "varchar" and int(column.size) >= UNBOUNDED_FROM["mysql"]
    is_indexed = dialect == "postgresql" and [column.name] in [key[:1] for key in keys] and not is_long
    return Column(column.name, kind, column.nullable, size, has_default, column.counts_up, is_indexed)


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_layout_is_reflected_as_it_is_written(dialect: str, layout: str) -> None:
    with foreign_url(dialect, layout) as url:
        database = Database(url)
        async with database.transaction() as transaction:  # no installation: only what reflection reads of ours
            await transaction.execute("CREATE TABLE lambdesk_module (managed_table VARCHAR(64))")
        catalog = await reflect(database)
        await database.close()
    written = read_layout(layout)
    assert set(catalog.tables) == {*written, "lambdesk_module"}
    for table in written.values():
        found = catalog.tables[table.name]
        assert list(found.columns.values()) == [expected(table, column, dialect) for column in table.columns], (
            table.name
        )
        assert found.key == tuple(column.name for column in table.columns if column.is_key), table.name
        assert set(found.unique) == {tuple(names) for names in table.unique}, table.name
        links = {ForeignKey((column.name,), column.to, ("id",)) for column in table.columns if column.to}
        assert set(found.foreign_keys) == links, table.name


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def desk(shared_url: str) -> AsyncIterator[Database]:
    database = Database(shared_url)
    yield database
    await database.close()


async def run(database: Database, *statements: str) -> None:
    async with database.transaction() as transaction:
        for statement in statements:
            await transaction.execute(statement)


async def test_the_number_of_statements_does_not_grow_with_the_tables(desk: Database) -> None:
    catalog = await reflect(desk)
    said: list[str] = []
    desk.statements = said.append
    assert len((await reflect(desk)).tables) > 120
    assert len(said) == STATEMENTS
    said.clear()
    await refresh(desk, catalog, ["ticket", "queue", "article"])
    assert len(said) == STATEMENTS


async def test_tables_that_did_not_change_stay_the_same_objects(desk: Database) -> None:
    await run(
        desk, "CREATE TABLE changing (a INTEGER)", "CREATE TABLE resting (a INTEGER)", "CREATE TABLE going (a INTEGER)"
    )
    before = await reflect(desk)
    await run(desk, "ALTER TABLE changing ADD COLUMN b INTEGER", "DROP TABLE going", "CREATE TABLE coming (a INTEGER)")
    after = await refresh(desk, before, ["changing", "resting", "going", "coming", "never"])
    assert tuple(after.tables["changing"].columns) == ("a", "b")
    assert after.tables["resting"] is before.tables["resting"]
    assert after.tables["ticket"] is before.tables["ticket"]
    assert after.dynamic_fields is before.dynamic_fields
    assert "coming" in after.tables
    assert not {"going", "never"} & set(after.tables)
    assert await refresh(desk, after, []) == after


async def test_keys_of_several_columns_keep_their_order(desk: Database) -> None:
    await run(
        desk,
        "CREATE TABLE room (b INTEGER NOT NULL, a INTEGER NOT NULL, c INTEGER, d INTEGER, PRIMARY KEY (b, a), UNIQUE (d, c))",
        "CREATE TABLE lamp (x INTEGER, y INTEGER, FOREIGN KEY (y, x) REFERENCES room (b, a))",
    )
    catalog = await refresh(desk, Catalog({}), ["room", "lamp"])
    assert catalog.tables["room"].key == ("b", "a")
    assert catalog.tables["room"].unique == (("d", "c"),)
    assert catalog.tables["lamp"].foreign_keys == (ForeignKey(("y", "x"), "room", ("b", "a")),)
    assert not catalog.tables["room"].columns["a"].autoincrement


async def test_names_are_kept_as_they_are_stored(desk: Database) -> None:
    quote = "`" if desk.dialect.name == "mysql" else '"'
    name = "It's {odd} 100% \\ Täglich"
    await run(
        desk,
        f"CREATE TABLE {quote}{name}{quote} ({quote}Ö rder{quote} INTEGER)".replace("%", "%%" if quote == "`" else "%"),
    )
    assert tuple((await reflect(desk)).tables[name].columns) == ("Ö rder",)
    assert tuple((await refresh(desk, Catalog({}), [name])).tables[name].columns) == ("Ö rder",)


# type as written → class and size, beside what the layouts have
TYPES: dict[str, dict[str, tuple[ColumnClass, int | None]]] = {
    "sqlite": {
        "BOOLEAN": (ColumnClass.BOOL, None),
        "DOUBLE PRECISION": (ColumnClass.FLOAT, None),
        "NUMERIC(8, 3)": (ColumnClass.DECIMAL, None),
        "CHAR(3)": (STRING, 3),
        "TIMESTAMP": (ColumnClass.DATETIME, None),
        "TIME": (ColumnClass.TIME, None),
        "JSON": (ColumnClass.JSON, None),
        "GEOMETRY": (ColumnClass.OTHER, None),
    },
    "postgresql": {
        "BOOLEAN": (ColumnClass.BOOL, None),
        "DOUBLE PRECISION": (ColumnClass.FLOAT, None),
        "NUMERIC(8, 3)": (ColumnClass.DECIMAL, None),
        "CHAR(3)": (STRING, 3),
        "VARCHAR": (TEXT, None),
        "TIMESTAMP WITH TIME ZONE": (ColumnClass.DATETIME, None),
        "TIME": (ColumnClass.TIME, None),
        "BYTEA": (BYTES, None),
        "JSONB": (ColumnClass.JSON, None),
        "UUID": (ColumnClass.OTHER, None),
        "INTEGER[]": (ColumnClass.OTHER, None),
    },
    "mysql": {
        "BOOLEAN": (ColumnClass.BOOL, None),
        "TINYINT": (ColumnClass.SMALLINT, None),
        "MEDIUMINT": (ColumnClass.INT, None),
        "DOUBLE": (ColumnClass.FLOAT, None),
        "DECIMAL(8, 3)": (ColumnClass.DECIMAL, None),
        "CHAR(3)": (STRING, 3),
        "MEDIUMTEXT": (TEXT, None),
        "TIMESTAMP NULL": (ColumnClass.DATETIME, None),
        "TIME": (ColumnClass.TIME, None),
        "VARBINARY(20)": (BYTES, None),
        "BIT(8)": (ColumnClass.OTHER, None),
    },
}


async def test_types_beyond_those_of_otrs_have_their_class(desk: Database) -> None:
    types = TYPES[desk.dialect.name]
    columns = ", ".join(f"c{number} {word}" for number, word in enumerate(types))
    await run(desk, f"CREATE TABLE various ({columns})")
    table = (await refresh(desk, Catalog({}), ["various"])).tables["various"]
    found = dict(zip(types, ((column.type, column.size) for column in table.columns.values()), strict=True))
    assert found == types


async def test_a_view_is_a_table_without_a_key(desk: Database) -> None:
    await run(desk, "CREATE VIEW open_ticket AS SELECT id, title FROM ticket WHERE ticket_state_id = 4")
    view: Table = (await reflect(desk)).tables["open_ticket"]
    assert (tuple(view.columns), view.key, view.foreign_keys) == (("id", "title"), (), ())


CONFIGS = {
    "Colour": "---\nPossibleValues:\n  b: Blue\n  a: Red\n  1: ''\n  '': nothing\n",
    "Broken": "---\nPossibleValues: [",
    "Bomb": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)),
    "Deep": "[" * 100_000,
    "Own": "!!python/object/apply:os.system [echo]",
    "Empty": "",
    "Listed": "---\nPossibleValues: [a, b]\n",
}


async def test_postgresql_tells_where_more_happens_to_a_row_than_a_statement_says(desk: Database) -> None:
    """Elsewhere nobody asks, so nothing is built on it."""
    names = ("salutation", "queue", "lambdesk_change", "ticket")
    is_ours = desk.dialect.name == "postgresql"
    before = await reflect(desk)
    assert [before.tables[name].is_plain for name in names] == [is_ours] * len(names)
    if not is_ours:
        return
    async with desk.transaction() as transaction:
        await transaction.execute(
            "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
        )
        await transaction.execute("CREATE TRIGGER looks AFTER UPDATE ON salutation EXECUTE FUNCTION look()")
        await transaction.execute("CREATE RULE tells AS ON UPDATE TO queue DO ALSO NOTIFY queues")
        await transaction.execute("CREATE VIEW seen AS SELECT id FROM ticket")
    try:
        after = await refresh(desk, before, [*names, "seen"])
        told = {name: after.tables[name].is_plain for name in (*names, "seen")}
        assert told == {"salutation": False, "queue": False, "lambdesk_change": True, "ticket": True, "seen": False}
    finally:
        async with desk.transaction() as transaction:
            await transaction.execute("DROP VIEW seen")
            await transaction.execute("DROP RULE tells ON queue")
            await transaction.execute("DROP FUNCTION look() CASCADE")


async def test_dynamic_fields_bring_their_options_and_a_bad_configuration_none(desk: Database) -> None:
    moment = wall_clock(NOW, desk.dialect.name, desk.zone)
    audit = {"valid_id": 1, "create_time": moment, "create_by": 1, "change_time": moment, "change_by": 1}
    await add_fields(
        desk,
        [
            {"name": name, "label": "", "field_order": 10 + number, "config": config, **audit}
            for number, (name, config) in enumerate(CONFIGS.items())
        ]
        + [{"name": "Retired", "label": "", "field_order": 99, "config": "", **audit, "valid_id": 2}],
    )
    fields = {item.name: item for item in (await reflect(desk)).dynamic_fields}
    assert list(fields)[-len(CONFIGS) :] == list(CONFIGS)
    assert "Retired" not in fields
    assert (fields["Colour"].label, fields["Colour"].field_type, fields["Colour"].object_type) == (
        "Colour",
        "Dropdown",
        "Ticket",
    )
    assert fields["Colour"].options == {"1": "1", "a": "Red", "b": "Blue"}
    assert {name: dict(item.options) for name, item in fields.items() if name in CONFIGS and name != "Colour"} == {
        name: {} for name in CONFIGS if name != "Colour"
    }


async def add_fields(database: Database, rows: list[dict[str, Any]]) -> None:
    columns = ["internal_field", "field_type", "object_type", *rows[0]]
    table = sa.table("dynamic_field", *(sa.column(name) for name in columns))
    kind = {"internal_field": 0, "field_type": "Dropdown", "object_type": "Ticket"}
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(table).inline(), [{**kind, **row} for row in rows])
