"""Module files get their tables: made, widened, never dropped; what Lambdesk did not make is left alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.ports import PlannedColumn, PlannedTable, Refusal
from storage.engine import Database
from storage.errors import ConstraintViolated
from storage.managed import ensure_tables
from storage.reflect import reflect
from storage.reflect_statements import INDEXES, one_table
from tests.databases import DIALECTS, fresh_url

INT, STRING, TEXT = ColumnClass.INT, ColumnClass.STRING, ColumnClass.TEXT
AUDIT = ("create_time", "create_by", "change_time", "change_by")


@pytest.fixture(scope="module", params=DIALECTS)
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One installed database for all tests here: each asks for tables of its own."""
    with fresh_url(request.param) as url:
        yield url


@pytest.fixture
async def desk(shared_url: str) -> AsyncIterator[Database]:
    database = Database(shared_url)
    yield database
    await database.close()


async def table_named(database: Database, name: str) -> Table:
    return (await reflect(database)).tables[name]


async def insert(database: Database, name: str, **values: Any) -> None:
    table = sa.table(name, *(sa.column(column) for column in values))
    async with database.transaction() as transaction:
        await transaction.execute(sa.insert(table).inline(), values)


def plain(name: str, *columns: PlannedColumn, **more: Any) -> PlannedTable:
    return PlannedTable(name, name, columns, **{"audit": False, **more})


async def test_a_table_comes_with_a_key_of_its_own_and_its_audit_columns(desk: Database) -> None:
    plan = PlannedTable("asset", "asset", (PlannedColumn("label", STRING, 80, nullable=False),), validity=True)
    assert await ensure_tables(desk, [plan]) == []
    catalog = await reflect(desk)
    asset = catalog.tables["asset"]
    assert tuple(asset.columns) == ("id", "label", *AUDIT, "valid_id")
    assert asset.key == ("id",)
    assert asset.columns["id"].autoincrement
    assert asset.columns["label"] == Column("label", STRING, nullable=False, size=80)
    assert not any(column.nullable for column in asset.columns.values())
    assert "asset" in catalog.managed


@pytest.mark.parametrize("kind", sorted(set(ColumnClass) - {ColumnClass.OTHER}))
async def test_every_class_of_column_can_be_asked_for(desk: Database, kind: ColumnClass) -> None:
    """What is found afterwards is the same class, or the plainer one that all three databases have."""
    found = {ColumnClass.BOOL: ColumnClass.SMALLINT, ColumnClass.JSON: TEXT}
    if desk.dialect.name == "postgresql":
        found[ColumnClass.BYTES] = TEXT  # base64, as OTRS keeps bytes there
    name = f"of_{kind}"
    assert await ensure_tables(desk, [plain(name, PlannedColumn("value", kind))]) == []
    assert (await table_named(desk, name)).columns["value"].type is found.get(kind, kind)


async def test_asking_again_changes_nothing(desk: Database) -> None:
    plan = plain("again", PlannedColumn("label", STRING, 80, unique=True))
    assert await ensure_tables(desk, [plan]) == []
    before = await table_named(desk, "again")
    assert await ensure_tables(desk, [plan]) == []
    assert await table_named(desk, "again") == before


async def test_a_table_gains_columns_and_keeps_its_rows_and_what_is_asked_for_no_more(desk: Database) -> None:
    await ensure_tables(desk, [plain("growing", PlannedColumn("old", STRING, 20))])
    await insert(desk, "growing", old="first")
    added = (PlannedColumn("fresh", INT, default=7), PlannedColumn("code", STRING, 20, unique=True))
    assert await ensure_tables(desk, [plain("growing", *added)]) == []
    assert await desk.fetch("SELECT id, old, fresh, code FROM growing") == [(1, "first", 7, None)]
    assert (await table_named(desk, "growing")).unique == (("code",),)


@pytest.mark.parametrize("size", [20, 1_000])
async def test_what_is_unique_is_so(desk: Database, size: int) -> None:
    name = f"unique_{size}"
    assert await ensure_tables(desk, [plain(name, PlannedColumn("address", STRING, size, unique=True))]) == []
    await insert(desk, name, address="a")
    with pytest.raises(ConstraintViolated) as refused:
        await insert(desk, name, address="a")
    assert refused.value.kind == "unique"


async def test_rows_are_found_by_what_they_refer_to(desk: Database) -> None:
    owned = PlannedColumn("owner_id", INT, refers=True)
    asked = INDEXES[desk.dialect.name].format(only=one_table(desk.dialect.name, ["belonging"]))
    assert await ensure_tables(desk, [plain("belonging", owned, PlannedColumn("size", INT))]) == []
    assert {row[3] for row in await desk.fetch(asked)} - {"id"} == {"owner_id"}
    added = PlannedColumn("maker", STRING, 200, refers=True)
    assert await ensure_tables(desk, [plain("belonging", owned, added)]) == []
    assert {row[3] for row in await desk.fetch(asked)} - {"id"} == {"owner_id", "maker"}


async def test_unique_columns_of_two_tables_do_not_get_in_each_other_s_way(desk: Database) -> None:
    """Indexes have one space of names on SQLite and PostgreSQL."""
    plans = [
        plain("part_of", PlannedColumn("car", STRING, 20, unique=True)),
        plain("part", PlannedColumn("of_car", STRING, 20, unique=True)),
    ]
    assert await ensure_tables(desk, plans) == []


@pytest.mark.parametrize("default", ["it's 50% :off", "", 'a "b" \\ c', -3, 2.5])
async def test_a_default_is_stored_as_it_is_written(desk: Database, default: str | float) -> None:
    kind = {str: STRING, int: INT, float: ColumnClass.FLOAT}[type(default)]
    column = PlannedColumn("value", kind, nullable=False, default=default)
    name = f"default_{[str, int, float].index(type(default))}_{len(str(default))}"
    assert await ensure_tables(desk, [plain(name, PlannedColumn("note", STRING), column)]) == []
    await insert(desk, name, note="x")
    assert await desk.fetch(sa.select(sa.column("value")).select_from(sa.table(name))) == [(default,)]
    later = PlannedColumn("later", kind, nullable=False, default=default)
    assert await ensure_tables(desk, [plain(name, later)]) == []
    assert await desk.fetch(sa.select(sa.column("later")).select_from(sa.table(name))) == [(default,)]


@pytest.mark.parametrize("name", ["order", "groups", "select"])
async def test_a_reserved_word_is_a_name_like_others(desk: Database, name: str) -> None:
    assert await ensure_tables(desk, [plain(name, PlannedColumn("where", STRING, 20, unique=True))]) == []
    assert await ensure_tables(desk, [plain(name, PlannedColumn("from", INT))]) == []
    assert tuple((await table_named(desk, name)).columns) == ("id", "where", "from")


async def test_a_declared_key_takes_the_place_of_the_number(desk: Database) -> None:
    columns = (PlannedColumn("site", STRING, 20), PlannedColumn("room", INT))
    assert await ensure_tables(desk, [plain("place", *columns, key=("site", "room"))]) == []
    place = await table_named(desk, "place")
    assert place.key == ("site", "room")
    assert tuple(place.columns) == ("site", "room")
    assert not any(column.nullable for column in place.columns.values())


@pytest.mark.parametrize(
    ("base", "key"),
    [
        ("ticket", {"id": ColumnClass.BIGINT}),
        ("customer_company", {"customer_id": STRING}),
        ("queue", {"id": INT}),
    ],
)
async def test_a_side_table_repeats_the_key_of_its_base(desk: Database, base: str, key: dict[str, ColumnClass]) -> None:
    before = await table_named(desk, base)
    name = f"lambdesk_ext_{base}"
    plan = PlannedTable(name, base, (PlannedColumn("contract", STRING, 50),), before.key, audit=False, beside=base)
    assert await ensure_tables(desk, [plan]) == []
    side = await table_named(desk, name)
    assert {column: side.columns[column].type for column in side.key} == key
    assert [side.columns[column].size for column in side.key] == [before.columns[column].size for column in key]
    assert tuple(side.columns) == (*key, "contract")
    assert await table_named(desk, base) == before


async def test_a_side_table_needs_a_key_to_repeat(desk: Database) -> None:
    plan = PlannedTable(
        "lambdesk_ext_group_user", "membership", (PlannedColumn("reason", STRING),), audit=False, beside="group_user"
    )
    assert await ensure_tables(desk, [plan]) == [
        Refusal(
            "lambdesk_ext_group_user",
            None,
            "Table `group_user` has no key, so nothing can be kept beside its rows.",
            "Name its key with `key:`, or drop the added fields.",
        )
    ]
    assert "lambdesk_ext_group_user" not in (await reflect(desk)).tables


async def test_a_table_of_somebody_else_is_never_altered(desk: Database) -> None:
    before = await table_named(desk, "salutation")
    assert await ensure_tables(desk, [plain("salutation", PlannedColumn("tone", STRING))]) == [
        Refusal(
            "salutation",
            None,
            "Table `salutation` is there already and was not made by Lambdesk, so it is not altered.",
            "Give the module another `table`, or describe its columns as they are.",
        )
    ]
    assert await table_named(desk, "salutation") == before


async def test_one_refusal_does_not_keep_the_others_from_their_tables(desk: Database) -> None:
    plans = [
        plain("before_it", PlannedColumn("a", INT)),
        plain("salutation", PlannedColumn("tone", STRING)),
        plain("after_it", PlannedColumn("a", INT)),
    ]
    assert [refusal.table for refusal in await ensure_tables(desk, plans)] == ["salutation"]
    assert {"before_it", "after_it"} <= (await reflect(desk)).managed


async def test_what_a_database_refuses_is_told_and_nothing_else_is_lost(desk: Database) -> None:
    """No database has tables of so many columns."""
    wrong = plain("wrong", *(PlannedColumn(f"c{number}", INT) for number in range(2_500)))
    plans = [wrong, plain("right", PlannedColumn("a", INT))]
    (refusal,) = await ensure_tables(desk, plans)
    assert refusal.table == "wrong"
    assert refusal.message.startswith("Table `wrong` could not be made: The database refused a statement (")
    assert "CREATE" not in refusal.message
    catalog = await reflect(desk)
    assert "wrong" not in catalog.tables
    assert "right" in catalog.managed
    assert await ensure_tables(desk, [plain("wrong", PlannedColumn("c0", INT))]) == []


async def test_two_servers_that_see_a_file_at_once_make_one_table(shared_url: str) -> None:
    databases = [Database(shared_url) for _ in range(2)]
    plan = plain("together", PlannedColumn("label", STRING, 80, unique=True))
    try:
        answers = await asyncio.gather(*(ensure_tables(database, [plan]) for database in databases))
        catalog: Catalog = await reflect(databases[0])
    finally:
        for database in databases:
            await database.close()
    assert answers == [[], []]
    assert catalog.tables["together"].unique == (("label",),)


async def test_the_number_of_a_removed_row_is_never_given_again(desk: Database) -> None:
    """Its history would be that of another row."""
    await ensure_tables(desk, [plain("numbered", PlannedColumn("label", STRING, 80))])
    await insert(desk, "numbered", label="first")
    (first,) = await desk.fetch("SELECT id FROM numbered")
    async with desk.transaction() as transaction:
        await transaction.execute("DELETE FROM numbered")
    await insert(desk, "numbered", label="second")
    (second,) = await desk.fetch("SELECT id FROM numbered")
    assert second[0] > first[0]
