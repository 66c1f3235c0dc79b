"""Full-text search in module files: what can be said, and what is told of what cannot be done."""

from schema.bind import bind
from schema.catalog import Catalog, Column, ColumnClass, Table
from schema.spec import Search
from tests.schema.catalogs import layout, made, shipped

ZNUNY = layout("znuny65")
FIELDS = "fields: [{name: name, type: string, searchable: true}]"
NO_NUMBER = "the key is not one whole number. Leave it out, or name a reference with `of`."
COLUMNS = (Column("name", ColumnClass.STRING), Column("size", ColumnClass.INT))


def searched(search: str, fields: str = FIELDS, *, key: ColumnClass = ColumnClass.INT) -> tuple[Search, list[str]]:
    """Bind a module with a `search`; return what is left of it, and what is told."""
    columns = {column.name: column for column in (Column("id", key, nullable=False), *COLUMNS)}
    catalog = Catalog({**ZNUNY.tables, "asset": Table("asset", columns, ("id",))})
    module = made(f"module: {{name: asset}}\nsearch: {search}\n{fields}")
    bound, problems = bind(module, catalog, shipped())
    assert bound is not None
    assert {problem.code for problem in problems} <= {"bad-search"}
    return bound.search, [f"{problem.path}: {problem.message} {problem.hint}" for problem in problems]


def test_tickets_are_found_by_their_articles_and_article_contents_stand_for_articles() -> None:
    ticket, mime = (bind(shipped()[name], ZNUNY, shipped())[0] for name in ("ticket", "article_mime"))
    assert ticket is not None
    assert mime is not None
    assert ticket.search == Search(full_text=True, below=("articles.mime",))
    assert mime.search == Search(full_text=True, of="article")


def test_a_module_with_a_number_for_a_key_can_have_full_text() -> None:
    assert searched("{full_text: true}") == (Search(full_text=True), [])


def test_full_text_needs_a_key_that_is_a_whole_number() -> None:
    assert searched("{full_text: true}", key=ColumnClass.STRING) == (
        Search(),
        [f"search.full_text: `full_text` of `search` has no effect: {NO_NUMBER}"],
    )


def test_full_text_needs_a_searchable_field() -> None:
    found, (told,) = searched("{full_text: true}", "fields: [{name: size, type: int}]")
    assert found == Search()
    assert told.startswith("search.full_text: `full_text` of `search` has no effect: there is no searchable field.")


def test_of_names_a_reference() -> None:
    found, (told,) = searched("{full_text: true, of: nmae}")
    assert found == Search()
    assert told.startswith("search.of: `of` of `search` has no effect: `nmae` is no reference.")


def test_a_path_leads_by_references_to_full_text() -> None:
    fields = "fields: [{name: size, type: reference, to: ticket}]"
    good = searched("{below: [size, size.articles.mime]}", fields)
    assert good == (Search(below=("size", "size.articles.mime")), [])

    for path, why in (
        ("size.articels", "`articels` of module `ticket` is no reference and no relation by one"),
        ("size.watchers", "`watchers` of module `ticket` is no reference and no relation by one"),
        ("size.queue", "module `queue`, where `size.queue` leads, has no full text"),
    ):
        found, (told,) = searched(f"{{below: {path}}}", fields)
        assert found == Search()
        assert why in told
