"""Which tables and columns there are for somebody who asks in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from identity.access import Access, access_of
from identity.principals import Agent
from identity.rights import Grant, Rights
from lambdas.contract import Question
from resolvers.sql_answers import QUERY, answer
from resolvers.sql_ground import find_modules, readable_columns
from resolvers.sql_syntax import RefusedSql
from schema.build import build_schema
from schema.catalog import ColumnClass
from schema.spec import Access as Rules
from schema.spec import Audience, AudienceAccess, Home, Module, Operation, Rule
from tests.access.bare import SYSTEM, field, module
from tests.resolvers.world import ROWS, World, modules

ALL = Rule(allow=True)
VALID = {"validity": {"eq": "VALID"}}
RITA = Rights(Agent(11, "rita"), (Grant(1, "users", "ro"),))


def table(*names: str, **more: Any) -> Module:
    """A module whose fields sit on columns of the same names."""
    fields = tuple(replace(field(name), column=name, column_class=ColumnClass.STRING) for name in names)
    columns = dict.fromkeys(("id", *names), ColumnClass.STRING)
    return module(table="things", tables=("things",), fields=fields, columns=columns, **more)


def names(found: Module, access: Access = SYSTEM, dialect: str = "sqlite") -> set[str]:
    return set(readable_columns(access, found, dialect))


def test_the_key_and_the_columns_of_fields_can_be_read() -> None:
    assert names(table("name", "title")) == {"id", "name", "title"}


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "password"},
        {"kind": "secret"},
        {"kind": "file"},
        {"hidden": True},
        {"home": Home.SIDE},
        {"home": Home.DYNAMIC},
        {"column_class": ColumnClass.JSON},
        {"column_class": ColumnClass.TIME},
        {"column_class": ColumnClass.OTHER},
        {"column": "pw"},  # one that the module does not list, since nobody may read it
    ],
    ids=str,
)
def test_other_columns_cannot(changed: dict[str, Any]) -> None:
    found = table("name", "title")
    assert names(replace(found, fields=(found.fields[0], replace(found.fields[1], **changed)))) == {"id", "name"}


def test_bytes_are_texts_only_where_any_can_be_read_as_such() -> None:
    found = table("name")
    found = replace(found, fields=(replace(found.fields[0], column_class=ColumnClass.BYTES),))
    assert [names(found, dialect=name) for name in ("mysql", "postgresql")] == [{"id", "name"}, {"id"}]


def test_a_table_goes_by_the_names_that_its_files_know() -> None:
    things = replace(table("name"), tables=("stuff", "things"))
    groups = replace(table("name"), name="group", table="permission_groups", tables=("permission_groups", "groups"))
    for name, found in (("things", things), ("stuff", things), ("groups", groups), ("permission_groups", groups)):
        assert find_modules(name, [things, groups], SYSTEM) == [found]


def test_a_module_that_cannot_be_viewed_is_none() -> None:
    for found in (table("name", access=Rules()), table("name", operations=frozenset({Operation.CREATE}))):
        with pytest.raises(RefusedSql, match=r"^There is no table `things` that may be read here\.$"):
            find_modules("things", [found], access_of(RITA) if found.access == Rules() else SYSTEM)


@pytest.fixture
def twice(world: World) -> World:
    """Queues by two modules: one shows all columns of the valid ones, the other all rows without the comment."""
    found = modules(world.database.dialect.name)
    agents = AudienceAccess(view=ALL)
    rules = replace(found["queue"].access, agent=replace(agents, rows=VALID))
    few = {"comment": {"agent": Rule()}}
    more = replace(
        found["queue"], name="line", plural_name="lines", access=Rules(agents, fields=few), relations=(), computed=()
    )
    found = {**found, "queue": replace(found["queue"], access=rules), "line": replace(more, digest="line")}
    schemas = {audience: build_schema(found, audience) for audience in Audience}
    return World(world.database, replace(world.snapshot, modules=found, schemas=schemas), world.seen)


async def test_of_several_modules_on_a_table_one_that_shows_all_columns_decides_about_the_rows(twice: World) -> None:
    context = twice.context(rights=RITA)
    texts = (
        "SELECT COUNT(*) AS n FROM queue",
        "SELECT COUNT(*) AS n FROM queue WHERE comments IS NULL OR comments <> ''",
        "SELECT COUNT(*) AS n FROM queue a JOIN queue b ON b.id = a.id AND b.comments IS NULL",
    )
    found = [one.value[0]["n"] for one in await answer(context, [Question(QUERY, (text,)) for text in texts])]
    valid = [row for row in ROWS["queue"] if row["valid_id"] == 1]
    assert found == [len(ROWS["queue"]), len(valid), sum(row["comments"] is None for row in valid)]
