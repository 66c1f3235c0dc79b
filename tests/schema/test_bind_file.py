"""Fields that are files: which columns can hold one, and which columns are made for one."""

from schema.bind import bind, plan
from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.ports import PlannedColumn
from tests.schema.catalogs import layout, made, shipped

ZNUNY = layout("znuny65")
SCAN = "module: {name: asset}\nfields: [{name: name, type: string}, {name: scan, type: file, required: true}]"


def catalog(*columns: Column, key: tuple[str, ...] = ("id",)) -> Catalog:
    found = {column.name: column for column in (Column("id", ColumnClass.INT, nullable=False), *columns)}
    return Catalog({"asset": Table("asset", found, key)})


def codes(text: str, where: Catalog) -> list[str]:
    return [problem.code for problem in bind(made(text), where, {})[1]]


def test_a_new_table_gets_a_column_for_the_id_of_a_file() -> None:
    (table,) = plan(made(SCAN), ZNUNY, {})
    assert table.columns[1] == PlannedColumn("scan", ColumnClass.STRING, 64, nullable=False)


def test_a_new_table_gets_a_column_for_bytes_where_their_name_has_one() -> None:
    text = "module: {name: asset}\nfields: [{name: title, type: string}, {name: scan, type: file, name_column: title}]"
    (table,) = plan(made(text), ZNUNY, {})
    assert table.columns[1] == PlannedColumn("scan", ColumnClass.BYTES)


def test_a_file_on_a_column_of_texts_is_found_by_its_id_and_is_no_key() -> None:
    text = SCAN.replace("required", "unique")
    found, _ = bind(made(text), catalog(Column("name", ColumnClass.STRING), Column("scan", ColumnClass.STRING)), {})
    assert found is not None
    field = found.field_named("scan")
    assert field is not None
    assert (field.holds_bytes, field.sortable, field.searchable, field.unique) == (False, False, False, False)
    assert [key.api_name for key in found.row_keys] == ["databaseId"]


def test_attachments_of_otrs_are_files_by_the_columns_beside_their_bytes() -> None:
    found = bind(shipped()["article_attachment"], ZNUNY, shipped())[0]
    assert found is not None
    field = found.field_named("content")
    assert field is not None
    assert field.holds_bytes
    assert field.readonly
    assert {key: field.settings[key] for key in ("name_column", "type_column", "size_column")} == {
        "name_column": "filename",
        "type_column": "content_type",
        "size_column": "content_size",
    }


def test_a_file_needs_a_row_with_a_key() -> None:
    without = catalog(Column("name", ColumnClass.STRING), Column("scan", ColumnClass.STRING), key=())
    said = [problem.message for problem in bind(made(SCAN), without, {})[1]]
    assert (
        "Field `scan` is a file, and files are fetched by the id of their row: rows of table `asset` have no key."
        in said
    )


def test_bytes_need_the_column_of_their_name_and_an_id_needs_room() -> None:
    name = Column("name", ColumnClass.STRING)
    assert codes(SCAN, catalog(name, Column("scan", ColumnClass.BYTES))) == ["wrong-column-type"]
    assert codes(SCAN, catalog(name, Column("scan", ColumnClass.STRING, size=42))) == ["wrong-column-type"]
    assert codes(SCAN, catalog(name, Column("scan", ColumnClass.STRING, size=43))) == []
    assert codes(SCAN, catalog(name, Column("scan", ColumnClass.TEXT))) == []


def test_the_columns_that_describe_a_file_are_there_and_hold_no_secrets() -> None:
    columns = (Column("scan", ColumnClass.BYTES), Column("name", ColumnClass.STRING), Column("pw", ColumnClass.STRING))
    for given, expected in (("name", []), ("nome", ["missing-column"]), ("pw", ["secret-column"])):
        text = f"module: {{name: asset}}\nfields: [{{name: scan, type: file, name_column: {given}}}]"
        assert codes(text, catalog(*columns)) == expected
    text = "module: {name: asset}\nfields: [{name: scan, type: file, name_column: name, size_column: pw}]"
    assert codes(text, catalog(*columns)) == ["secret-column"]
