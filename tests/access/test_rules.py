"""What rules say, one line each: on a small place of its own, good and bad beside each other."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import parse, validate
from sqlalchemy.schema import CreateTable

from identity.access import Right, access_of
from identity.principals import Agent, Customer
from identity.rights import Grant, Rights
from resolvers.context import Context
from resolvers.execute import execute
from resolvers.gate import Gate
from resolvers.guard import guard_of
from resolvers.ids import write_id
from resolvers.import_order import ImportOrder, plan_import
from resolvers.import_run import ImportRun
from resolvers.past import write_change_id
from resolvers.predicate import Either
from resolvers.writing import Writing
from schema.registry import Registry
from schema.snapshot import Snapshot
from storage.engine import Database
from storage.library import Library
from tests.access.worlds import SECRET, build
from tests.callers import everything
from tests.databases import DIALECTS, fresh_url

ITEM = """
module: {name: item, table: item, operations: [view, create, update, upsert, delete, bulk]}
fields:
  - {name: name, type: string, required: true, unique: true, searchable: true}
  - {name: holder, type: string}
  - {name: number, type: int}
  - {name: code, type: string}
  - {name: home, type: reference, to: home, by: code}
  - {name: salary, type: string, searchable: true}
  - {name: opens, type: datetime}
relations:
  - {name: homes, to: home, by: item}
access:
RULES
"""
HOME = """
module: {name: home, table: home, operations: [view, create, update, delete]}
fields:
  - {name: code, type: string}
  - {name: item, type: reference, to: item}
  - {name: note, type: string}
access: {agent: {view: true, create: true, update: true, delete: true}, customer: {view: true}}
"""
_METADATA = sa.MetaData()
_TYPES: Mapping[str, Any] = {
    "number": sa.Integer,
    "item": sa.Integer,
    "valid_id": sa.Integer,
    "opens": sa.DateTime,
}


def _table(name: str, *columns: str) -> sa.Table:
    own = [sa.Column(column, _TYPES.get(column, sa.String(100))) for column in columns]
    return sa.Table(name, _METADATA, sa.Column("id", sa.Integer, primary_key=True), *own, sqlite_autoincrement=True)


_ITEM = ("name", "holder", "number", "code", "home", "salary", "opens", "valid_id")
TABLES = (_table("item", *_ITEM), _table("thing", *_ITEM), _table("home", "code", "item", "note"))
FIRST_ID = 500  # of rows that tests make

ROWS = (("a", "rita", 11, "acme"), ("b", "sofia", 12, "bolt"), ("c", None, None, None), ("d", "carla", 21, "acme"))

RITA = Rights(Agent(11, "rita"), (Grant(101, "alpha", "ro"), Grant(102, "beta", "rw")), email="rita@example.com")
SOFIA = Rights(Agent(12, "sofia"), (Grant(101, "alpha", "ro"), Grant(102, "beta", "rw")), email="sofia@example.com")
CARLA = Rights(Customer(21, "carla", "acme"), companies=("acme",), email="carla@example.com")
LENA = Rights(Customer(23, "lena", ""))
CYRIL = Rights(Customer(22, "cyril", "bolt"), companies=("bolt", "acme"))
GUEST = Rights(Customer(24, "guest", ""), companies=("acme",))  # of nobody's own company, and standing for one


class Shelf:
    """A database whose module has the rules of one test."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.registry = Registry([folder], Library(database), build)
        self.sent: list[str] = []

    @property
    def snapshot(self) -> Snapshot:
        return self.registry.snapshot

    async def rule(self, rules: str, home: str = HOME) -> None:
        """Load the module with these rules."""
        (self.folder / "home.yaml").write_text(home)
        (self.folder / "item.yaml").write_text(
            ITEM.replace("RULES", "\n".join(f"  {line}" for line in rules.split("\n")))
        )
        await (self.registry.reload() if self.registry.is_loaded else self.registry.start())
        problems = [item for item in self.snapshot.problems if item.level == "error"]
        assert not problems, problems

    async def change(self, statement: Any) -> None:
        async with self.database.transaction() as transaction:
            await transaction.execute(statement)

    async def fill(self) -> None:
        async with self.database.transaction() as transaction:
            await transaction.execute("DELETE FROM item")
            await transaction.execute("DELETE FROM home")
            await transaction.execute(_insert("item", id=FIRST_ID, name="last"))
            await transaction.execute("DELETE FROM item")
            if self.database.dialect.name == "postgresql":
                await transaction.execute(f"SELECT setval('item_id_seq', {FIRST_ID})")
            for number, (name, holder, owner, code) in enumerate(ROWS, 1):
                await transaction.execute(
                    _insert("item", id=number, name=name, holder=holder, number=owner, code=code, salary=f"s{name}")
                )

    async def ask(self, rights: Rights, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        context = Context(self.snapshot, self.database, SECRET, rights)
        document = parse(query)
        assert validate(context.schema, document) == []
        self.sent = []
        self.database.statements = self.sent.append
        result = await execute(context, document, None, variables, writing=Writing())
        codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
        return {"data": result.data, "codes": codes, "text": " ".join(error.message for error in result.errors or ())}

    async def names(self, rights: Rights) -> str:
        """The names of the items that somebody sees."""
        answer = await self.ask(rights, "{ items { nodes { name } totalCount } }")
        assert answer["codes"] == [], answer
        found = answer["data"]["items"]
        assert found["totalCount"] == len(found["nodes"])
        return "".join(item["name"] for item in found["nodes"])

    async def write(self, rights: Rights, name: str, given: str) -> list[str]:
        """Carry a mutation out and return the codes of what is wrong."""
        answer = await self.ask(rights, f"mutation {{ {name}(input: {{{given}}}) {{ errors {{ code }} }} }}")
        return answer["codes"] or [item["code"] for item in answer["data"][name]["errors"]]

    async def stored(self, column: str = "holder") -> dict[str, Any]:
        return dict(await self.database.fetch(f"SELECT name, {column} FROM item ORDER BY id"))  # noqa: S608 - our own words


def _insert(table: str, **values: Any) -> Any:
    return sa.insert(sa.table(table, *map(sa.column, values))).values(values)


@pytest.fixture(scope="module", params=DIALECTS)
def shelf_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with fresh_url(request.param) as url:
        folder = tmp_path_factory.mktemp("rules")

        async def start() -> None:
            shelf = Shelf(Database(url), folder)
            async with shelf.database.transaction() as transaction:
                for table in TABLES:
                    await transaction.execute(CreateTable(table))
            await shelf.rule("{agent: {view: true}}")
            await shelf.database.close()

        asyncio.run(start())
        yield url, folder


@pytest.fixture
async def shelf(shelf_place: tuple[str, Path]) -> AsyncIterator[Shelf]:
    url, folder = shelf_place
    found = Shelf(Database(url), folder)
    await found.fill()
    yield found
    await found.database.close()


# --- who ---


@pytest.mark.parametrize(
    ("rule", "may"),
    [
        ("true", True),
        ("false", False),
        ("{group: alpha}", True),
        ("{group: alpha, key: rw}", False),
        ("{group: beta, key: create}", True),
        ("{group: gamma}", False),
        ("{role: Supervisors}", False),
    ],
)
async def test_a_rule_lets_in_whom_it_names(shelf: Shelf, rule: str, may: bool) -> None:
    await shelf.rule(f"{{agent: {{view: {rule}}}}}")
    answer = await shelf.ask(RITA, "{ items { totalCount } }")
    assert (answer["codes"], answer["data"] is None) == (([], False) if may else (["FORBIDDEN"], True))
    assert bool(shelf.sent) is may


async def test_a_role_lets_in_who_holds_it(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: {role: Supervisors}}}")
    assert await shelf.names(replace(RITA, roles=frozenset({"Supervisors"}))) == "abcd"
    assert (await shelf.ask(RITA, "{ items { totalCount } }"))["codes"] == ["FORBIDDEN"]


async def test_without_a_rule_administrators_may_and_customers_have_no_such_type(shelf: Shelf) -> None:
    await shelf.rule("{agent: {}}")
    admin = replace(RITA, grants=(Grant(2, "admin", "rw"),))
    assert await shelf.names(admin) == "abcd"
    assert (await shelf.ask(RITA, "{ items { totalCount } }"))["codes"] == ["FORBIDDEN"]
    assert Context(shelf.snapshot, shelf.database, SECRET, CARLA).schema.get_type("Item") is None


async def test_who_may_not_view_may_not_write(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: {role: Nobody}, create: true, update: true, delete: true}}")
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 1}, patch: {holder: "x"}') == ["FORBIDDEN"]
    assert await shelf.write(RITA, "createItem", 'item: {name: "n"}') == ["FORBIDDEN"]
    assert await shelf.write(RITA, "deleteItem", "key: {databaseId: 1}") == ["FORBIDDEN"]


# --- which rows ---


async def test_a_rule_reads_the_clock_each_time_also_in_statements_that_are_kept(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.rule("{agent: {view: true, rows: {opens: {lte: $now}}}}")
    for number, year in ((1, 2020), (2, 2050)):
        item = sa.table("item", sa.column("id"), sa.column("opens"))
        await shelf.change(sa.update(item).where(item.c.id == number).values(opens=datetime(year, 1, 1)))  # noqa: DTZ001 - wall clock
    document = parse("query ($n: Int!) { items { nodes { name } } item(by: {databaseId: $n}) { name } }")
    for year, seen in ((2030, "a"), (2060, "ab"), (2010, "")) * 3:
        monkeypatch.setattr("identity.access.datetime", _clock(year))
        context = Context(shelf.snapshot, shelf.database, SECRET, RITA)
        data = (await execute(context, document, None, {"n": 2}, writing=Writing())).data
        assert data == {
            "items": {"nodes": [{"name": name} for name in seen]},
            "item": {"name": "b"} if "b" in seen else None,
        }


def _clock(year: int) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(year, 6, 1, tzinfo=tz)

    return Clock


@pytest.mark.parametrize(
    ("rows", "rita", "carla", "lena"),
    [
        ("{number: {eq: $me.id}}", "a", "d", ""),
        ("{number: {ne: $me.id}}", "bcd", "abc", "abcd"),
        ("{holder: {eq: $me.login}}", "a", "d", ""),
        ("{code: {eq: $me.customerId}}", "", "ad", ""),
        ("{code: {ne: $me.customerId}}", "", "bc", ""),
        ("{not: {code: {eq: $me.customerId}}}", "", "bc", ""),
        ("{code: {in: [$me.customerId, bolt]}}", "b", "abd", "b"),
        ("{code: {notIn: [$me.customerId]}}", "", "bc", ""),
        ("{not: {code: {in: [$me.customerId]}}}", "", "bc", ""),
        ("{code: {in: $me.customerIds}}", "", "ad", ""),
        ("{or: [{code: {eq: $me.customerId}}, {name: {eq: c}}]}", "c", "acd", "c"),
        ("{not: {or: [{code: {eq: $me.customerId}}, {name: {eq: c}}]}}", "", "b", ""),
        ("{holder: {eq: $me.email}}", "", "", ""),
        ("{not: {holder: {eq: $me.email}}}", "abcd", "abcd", ""),
        ("{name: {eq: a}, holder: {isNull: false}}", "a", "a", "a"),
    ],
)
async def test_rows_are_those_of_the_caller_and_who_has_no_such_thing_sees_none_by_it(
    shelf: Shelf, rows: str, rita: str, carla: str, lena: str
) -> None:
    await shelf.rule(f"{{agent: {{view: true, rows: {rows}}}, customer: {{view: true, rows: {rows}}}}}")
    assert [await shelf.names(rights) for rights in (RITA, CARLA, LENA)] == [rita, carla, lena]


@pytest.mark.parametrize(("key", "names"), [("ro", "ab"), ("rw", "b"), ("note", "b"), ("move_into", "b")])
async def test_rows_by_the_groups_that_the_caller_has_a_key_to(shelf: Shelf, key: str, names: str) -> None:
    await shelf.change("UPDATE item SET number = 100 + id")
    await shelf.rule(f"{{agent: {{view: true, rows: {{number: {{in: $me.groups.{key}}}}}}}}}")
    assert await shelf.names(RITA) == names
    assert await shelf.names(replace(RITA, grants=())) == ""


async def test_rows_by_the_clock_are_of_the_moment_of_the_request(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true, rows: {name: {eq: a}}}}")
    assert await shelf.names(RITA) == "a"


async def test_own_values_are_each_callers_though_statements_are_kept(shelf: Shelf) -> None:
    """The same document object, for callers in turn."""
    await shelf.rule(
        "{agent: {view: true, rows: {number: {eq: $me.id}}}, customer: {view: true, rows: {holder: {eq: $me.login}}}}"
    )
    document = parse(
        "query ($n: String) { items(filter: {name: {ne: $n}}) { nodes { name } } item(by: {databaseId: 1}) { name } }"
    )
    callers = {"a": RITA, "b": SOFIA, "d": CARLA, "": LENA}
    for _ in range(3):
        for names, rights in callers.items():
            for other in ("zz", "yy"):
                context = Context(shelf.snapshot, shelf.database, SECRET, rights)
                data = (await execute(context, document, None, {"n": other})).data
                assert data is not None
                assert "".join(item["name"] for item in data["items"]["nodes"]) == names
                assert (data["item"] is None) is (names != "a")


async def test_kept_statements_are_not_shared_between_those_with_and_without_a_company(shelf: Shelf) -> None:
    """Both stand for one company; only one has it as his own, and a rule may ask for that."""
    rows = "{not: {code: {eq: $me.customerId}}}"
    await shelf.rule(f"{{agent: {{view: true}}, customer: {{view: true, rows: {rows}}}}}")
    for _ in range(3):
        assert [await shelf.names(rights) for rights in (CARLA, GUEST)] == ["bc", ""]


async def test_what_is_kept_for_one_right_is_not_for_another(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true, rows: {number: {in: $me.groups.ro}}}}")
    await shelf.change("UPDATE item SET number = 100 + id")
    for _ in range(3):
        assert await shelf.names(RITA) == "ab"
        assert await shelf.names(replace(RITA, grants=(Grant(103, "gamma", "ro"),))) == "c"


async def test_a_rule_through_a_reference_that_several_meet_is_about_the_oldest(shelf: Shelf) -> None:
    """A reference leads to the oldest row with the value; what a younger one says lets nobody in."""
    async with shelf.database.transaction() as transaction:
        await transaction.execute("UPDATE item SET home = 'x'")
        for number, note in ((1, "shut"), (2, "open")):
            await transaction.execute(_insert("home", id=number, code="x", note=note))
    await shelf.rule("{agent: {view: true, rows: {home: {note: {eq: open}}}}}")
    assert await shelf.names(RITA) == ""
    await shelf.rule("{agent: {view: true, rows: {home: {note: {eq: shut}}}}}")
    assert await shelf.names(RITA) == "abcd"


async def test_rules_by_related_rows(shelf: Shelf) -> None:
    async with shelf.database.transaction() as transaction:
        for number, (item, note) in enumerate(((1, "rita"), (1, "x"), (2, "x")), 1):
            await transaction.execute(_insert("home", id=number, item=item, note=note))
    for rows, names in (
        ("{homes: {some: {note: {eq: $me.login}}}}", "a"),
        ("{homes: {none: {note: {eq: $me.login}}}}", "bcd"),
        ("{homes: {every: {note: {eq: x}}}}", "bcd"),
    ):
        await shelf.rule(f"{{agent: {{view: true, rows: {rows}}}}}")
        assert await shelf.names(RITA) == names, rows


@pytest.mark.parametrize(
    ("rows", "notes"),
    [
        ("{item: {holder: {eq: $me.login}}}", "1"),
        ("{item: {holder: {eq: $me.login}, name: {eq: b}}}", ""),
        ("{item: {holder: {eq: $me.login}, name: {eq: a}}}", "1"),
        ("{item: {or: [{holder: {eq: $me.login}}, {name: {eq: b}}]}}", "12"),
        ("{item: {not: {holder: {eq: $me.login}}}}", "23"),
        ("{item: {not: {or: [{holder: {eq: $me.login}}, {name: {eq: b}}]}}}", "3"),
        ("{not: {item: {holder: {eq: $me.login}}}}", "234"),
        ("{or: [{item: {holder: {eq: $me.login}}}, {note: {eq: '4'}}]}", "14"),
        ("{note: {ne: '1'}, item: {holder: {isNull: false}}}", "2"),
        ("{item: {databaseId: {in: [1, 3]}}}", "13"),
        ("{item: {not: {databaseId: {in: [1, 3]}}}}", "2"),
        ("{item: {homes: {some: {note: {in: ['1', '3']}}}}}", "13"),
        ("{item: {homes: {none: {note: {eq: '2'}}}}}", "13"),
        ("{item: {home: {note: {eq: '2'}}}}", "1"),
        ("{item: {home: {not: {note: {eq: '2'}}}}}", "2"),
        ("{item: {not: {home: {note: {eq: '2'}}}}}", "23"),
        ("{item: {home: {item: {holder: {eq: sofia}}}}}", "1"),
        ("{item: $visible}", "12"),
        ("{not: {item: $visible}}", "34"),
        ("{or: [{item: $visible}, {note: {eq: '4'}}]}", "124"),
        ("{item: {home: {item: $visible}}}", "12"),
        ("{item: {homes: {some: $visible}}}", ""),  # round in circles
    ],
)
async def test_rules_through_references_are_about_the_row_that_they_lead_to(
    shelf: Shelf, rows: str, notes: str
) -> None:
    """Homes of the items a, b and c and of none; a is at home in the second, b in the first."""
    async with shelf.database.transaction() as transaction:
        for number, item in enumerate((1, 2, 3, None), 1):
            await transaction.execute(_insert("home", id=number, code=f"x{number}", item=item, note=str(number)))
        await transaction.execute("UPDATE item SET home = 'x2' WHERE id = 1")
        await transaction.execute("UPDATE item SET home = 'x1' WHERE id = 2")
    home = HOME.replace("access: {agent: {", f"access: {{agent: {{rows: {rows}, ")
    await shelf.rule("{agent: {view: true, rows: {name: {in: [a, b]}}}}", home)
    answer = await shelf.ask(RITA, "{ homes { nodes { note } totalCount } }")
    assert "".join(node["note"] for node in answer["data"]["homes"]["nodes"]) == notes
    assert answer["data"]["homes"]["totalCount"] == len(notes)


async def test_a_rule_through_a_number_is_a_list_that_is_made_once_and_through_a_text_it_is_not(shelf: Shelf) -> None:
    """A list for numbers of few; a table that grows with every ticket (its keys are big ones) would make it long."""
    home = HOME.replace("access: {agent: {", "access: {agent: {rows: {item: {holder: {eq: $me.login}}}, ")
    await shelf.rule("{agent: {view: true, rows: {home: {note: {eq: open}}}}}", home)
    await shelf.ask(RITA, "{ homes { totalCount } }")
    assert any(re.search(r"\bIN\s+\(SELECT", text) for text in shelf.sent)
    await shelf.ask(RITA, "{ items { totalCount } }")
    assert any("EXISTS" in text for text in shelf.sent)


async def test_for_the_system_every_row_is_there(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true, rows: {name: {eq: a}}}}")
    guard = guard_of(everything(), shelf.snapshot)
    assert (guard.snapshot, guard.own, guard.marked(0, 0)) == (shelf.snapshot, (), guard)
    assert not guard.access.is_bounded(shelf.snapshot.modules["item"])
    assert await shelf.names(everything()) == "abcd"


async def test_a_rule_that_another_modules_change_broke_lets_nobody_see_anything(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true, rows: {home: {note: {eq: open}}}}}")
    broken = replace(
        shelf.snapshot.modules["item"],
        access=replace(
            shelf.snapshot.modules["item"].access,
            agent=replace(shelf.snapshot.modules["item"].access.agent, rows={"home": {"gone": {"eq": "open"}}}),
        ),
    )
    guard = guard_of(RITA, shelf.snapshot)
    found = guard.rule(broken, Right.VIEW)
    assert isinstance(found, Either)
    assert found.parts == ()


# --- fields ---

FIELDS = "{agent: {view: true, create: true, update: true}, customer: {view: true}, fields: {salary: {agent: {group: finance}, customer: false}}}"


async def test_a_hidden_field_is_not_summed_up(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true}, fields: {number: {agent: {group: finance}}}}")
    answer = await shelf.ask(RITA, "{ itemAggregate { maxNumber } }")
    assert (answer["data"], answer["codes"], shelf.sent) == (None, ["FORBIDDEN"], [])
    assert "itemAggregate.maxNumber" in answer["text"]
    finance = replace(RITA, grants=(Grant(104, "finance", "ro"),))
    assert (await shelf.ask(finance, "{ itemAggregate { maxNumber } }"))["data"] == {
        "itemAggregate": [{"maxNumber": 21}]
    }


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ('{ items(filter: {salary: {startsWith: "s"}}) { totalCount } }', "items.filter.salary"),  # E1
        ('{ homes(filter: {item: {salary: {eq: "s"}}}) { totalCount } }', "homes.filter.item.salary"),  # E2
        (
            '{ homes(filter: {item: {homes: {some: {item: {homes: {none: {item: {salary: {eq: "s"}}}}}}}}}) { totalCount } }',
            "homes.filter.item.homes.some.item.homes.none.item.salary",
        ),
        ("{ items(orderBy: [{salary: ASC}]) { totalCount } }", "items.orderBy.0.salary"),  # E3
        ("{ homes(orderBy: [{item: {salary: ASC}}]) { totalCount } }", "homes.orderBy.0.item.salary"),
        ("{ itemAggregate(groupBy: [SALARY]) { count } }", "itemAggregate.groupBy"),
        ("{ items { nodes { open: salary } } }", "items.nodes.open"),  # E5
        ("{ homes { nodes { item { salary } } } }", "homes.nodes.item.salary"),
        (
            'mutation { updateItem(input: {key: {databaseId: 1}, patch: {salary: "x"}}) { errors { code } } }',
            "patch.salary",
        ),
        ('mutation { createItem(input: {item: {name: "n", salary: "x"}}) { errors { code } } }', "item.salary"),
    ],
)
async def test_a_hidden_field_is_refused_in_whatever_role_before_any_statement(
    shelf: Shelf, document: str, path: str
) -> None:
    await shelf.rule(FIELDS)
    answer = await shelf.ask(RITA, document)
    assert (answer["data"], answer["codes"], shelf.sent) == (None, ["FORBIDDEN"], [])
    assert path in answer["text"]
    finance = replace(RITA, grants=(Grant(104, "finance", "ro"),))
    assert (await shelf.ask(finance, document))["codes"] == []


async def test_search_and_version_know_nothing_of_a_hidden_field(shelf: Shelf) -> None:
    await shelf.rule(FIELDS)
    ask = '{ items(search: "sa") { totalCount } item(by: {databaseId: 1}) { version } }'
    before = (await shelf.ask(RITA, ask))["data"]
    assert before["items"]["totalCount"] == 0
    await shelf.change("UPDATE item SET salary = 'other' WHERE id = 1")
    assert (await shelf.ask(RITA, ask))["data"] == before
    assert (
        await shelf.ask(replace(RITA, grants=(Grant(104, "finance", "ro"),)), '{ items(search: "sb") { totalCount } }')
    )["data"]


async def test_customers_have_no_name_of_what_only_agents_have(shelf: Shelf) -> None:  # E22
    await shelf.rule(FIELDS)
    schema = Context(shelf.snapshot, shelf.database, SECRET, CARLA).schema
    for name in ("Item", "ItemFilter", "ItemOrder"):
        assert "salary" not in schema.get_type(name).fields  # type: ignore[union-attr]
    (error,) = validate(schema, parse("{ items { nodes { salary } } }"))
    assert "agent" not in error.message


async def test_a_relation_by_a_hidden_field_is_as_hidden(shelf: Shelf) -> None:
    home = HOME.replace("access: {", "access: {fields: {item: {agent: {group: finance}}}, ")
    await shelf.rule(FIELDS, home)
    for document in (
        "{ items { nodes { homes { totalCount } } } }",
        "{ items(filter: {homes: {some: {}}}) { totalCount } }",
    ):
        answer = await shelf.ask(RITA, document)
        assert (answer["codes"], shelf.sent) == (["FORBIDDEN"], []), document


async def test_a_reference_by_a_hidden_value_of_its_target_is_as_hidden(shelf: Shelf) -> None:
    home = HOME.replace("access: {", "access: {fields: {code: {agent: {group: finance}}}, ")
    await shelf.rule(FIELDS, home)
    for document in (
        "{ items { nodes { home { id } } } }",
        "{ items(filter: {home: {databaseId: {eq: 1}}}) { totalCount } }",
        "{ items(orderBy: [{home: {databaseId: ASC}}]) { totalCount } }",
        "{ itemAggregate(groupBy: [HOME]) { count } }",
        "mutation { updateItem(input: {key: {databaseId: 1}, patch: {home: {databaseId: 1}}}) { errors { code } } }",
    ):
        answer = await shelf.ask(RITA, document)
        assert (answer["codes"], shelf.sent) == (["FORBIDDEN"], []), document
    assert (await shelf.ask(RITA, '{ items(filter: {homeCode: {eq: "x"}}) { nodes { homeCode } } }'))["codes"] == []


async def test_groups_by_what_the_caller_may_not_view_are_refused(shelf: Shelf) -> None:
    home = HOME.replace("agent: {view: true", "agent: {view: {group: finance}")
    await shelf.rule(FIELDS, home)
    answer = await shelf.ask(RITA, "{ itemAggregate(groupBy: [HOME]) { count } }")
    assert (answer["codes"], shelf.sent) == (["FORBIDDEN"], [])


async def test_a_row_that_nothing_links_has_an_empty_list(shelf: Shelf) -> None:
    home = HOME.replace("access:", "relations:\n  - {name: items, to: item, by: home}\naccess:")
    await shelf.rule(FIELDS, home)
    await shelf.change(_insert("home", id=1))
    answer = await shelf.ask(
        RITA, "{ homes { nodes { items { nodes { name } edges { cursor } totalCount } __typename } } }"
    )
    assert answer["data"]["homes"]["nodes"][0]["items"] == {"nodes": [], "edges": [], "totalCount": 0}


# --- writes ---

OWN = """agent:
  view: true
  create: {group: beta, key: create, rows: {holder: {eq: $me.login}}}
  update: {group: beta, rows: {holder: {eq: $me.login}}CHECK}
  delete: {group: beta, rows: {holder: {eq: $me.login}}}
  rows: {name: {ne: c}}"""


async def test_a_hidden_row_is_not_there_and_a_readable_one_is_forbidden(shelf: Shelf) -> None:
    await shelf.rule(OWN.replace("CHECK", ""))
    for verb, more in (("update", ", patch: {number: 5}"), ("delete", "")):
        assert await shelf.write(RITA, f"{verb}Item", f"key: {{databaseId: 3}}{more}") == ["NOT_FOUND"]
        assert await shelf.write(RITA, f"{verb}Item", f"key: {{databaseId: 99}}{more}") == ["NOT_FOUND"]
        assert await shelf.write(RITA, f"{verb}Item", f"key: {{databaseId: 2}}{more}") == ["FORBIDDEN"]
        assert await shelf.write(RITA, f"{verb}Item", f"key: {{databaseId: 1}}{more}") == []
    assert set(await shelf.stored()) == {"b", "c", "d"}


async def test_writes_by_filter_reach_the_callers_rows_alone(shelf: Shelf) -> None:  # E12
    await shelf.rule(OWN.replace("CHECK", ""))
    answer = await shelf.ask(
        RITA, "mutation { updateItems(input: {filter: {}, maxAffected: 9, patch: {number: 5}}) { affected } }"
    )
    assert answer["data"]["updateItems"]["affected"] == 1
    assert await shelf.stored("number") == {"a": 5, "b": 12, "c": None, "d": 21}
    answer = await shelf.ask(RITA, "mutation { deleteItems(input: {filter: {}, maxAffected: 9}) { affected } }")
    assert (answer["data"]["deleteItems"]["affected"], "".join(await shelf.stored())) == (1, "bcd")


async def test_a_row_may_not_be_made_or_become_what_the_caller_may_not_write(shelf: Shelf) -> None:
    await shelf.rule(OWN.replace("CHECK", ""))
    assert await shelf.write(RITA, "createItem", 'item: {name: "n", holder: "sofia"}') == ["FORBIDDEN"]
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 1}, patch: {holder: "sofia"}') == ["FORBIDDEN"]
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 1}, patch: {name: "c2"}') == []
    assert await shelf.write(RITA, "createItem", 'item: {name: "n", holder: "rita"}') == []
    assert (await shelf.stored())["n"] == "rita"


async def test_check_alone_says_what_a_row_may_become(shelf: Shelf) -> None:
    await shelf.rule(OWN.replace("CHECK", ", check: {holder: {in: [rita, sofia]}}"))
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 1}, patch: {holder: "carla"}') == ["FORBIDDEN"]
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 1}, patch: {holder: "sofia"}') == []


@pytest.mark.parametrize(
    ("update", "codes", "seen"), [("true", [], "h"), ("{check: {code: {notIn: $me.customerIds}}}", ["FORBIDDEN"], "")]
)
async def test_who_may_write_what_a_rule_reads_brings_rows_into_sight(
    shelf: Shelf, update: str, codes: list[str], seen: str
) -> None:
    home = HOME.replace("customer: {view: true}", "customer: {view: true, rows: {item: {code: {in: $me.customerIds}}}}")
    own = f"{{view: true, update: {update}, rows: {{holder: {{eq: $me.login}}}}}}"
    await shelf.rule(f"{{agent: {{view: true}}, customer: {own}}}", home)
    await shelf.change("UPDATE item SET code = 'dusk' WHERE name = 'd'")
    await shelf.change(_insert("home", item=4, code="h"))
    assert await _homes(shelf) == ""
    assert await shelf.write(CARLA, "updateItem", 'key: {databaseId: 4}, patch: {code: "acme"}') == codes
    assert await _homes(shelf) == seen


async def _homes(shelf: Shelf) -> str:
    """The homes that a customer sees, and by which he finds items."""
    answer = await shelf.ask(CARLA, "{ homes { nodes { code } } items(filter: {homes: {some: {}}}) { totalCount } }")
    found = [home["code"] for home in answer["data"]["homes"]["nodes"]]
    assert answer["data"]["items"]["totalCount"] == len(found)
    return "".join(found)


async def test_check_without_rows(shelf: Shelf) -> None:
    await shelf.rule("{agent: {view: true, update: {check: {holder: {eq: $me.login}}}}}")
    assert await shelf.write(RITA, "updateItem", "key: {databaseId: 2}, patch: {number: 1}") == ["FORBIDDEN"]
    assert await shelf.write(RITA, "updateItem", 'key: {databaseId: 2}, patch: {holder: "rita"}') == []


async def test_upserts_of_hidden_rows_are_those_of_rows_that_are_not_there(shelf: Shelf) -> None:
    await shelf.rule(OWN.replace("CHECK", ""))
    for number in (3, 99):
        given = f'key: {{databaseId: {number}}}, item: {{name: "n", holder: "rita"}}'
        assert await shelf.write(RITA, "upsertItem", given) == ["INVALID"]
    assert await shelf.write(RITA, "upsertItem", 'key: {databaseId: 2}, item: {name: "n", holder: "rita"}') == [
        "FORBIDDEN"
    ]
    assert set(await shelf.stored()) == {"a", "b", "c", "d"}


async def test_what_the_caller_may_not_give_is_no_input(shelf: Shelf) -> None:  # E14
    await shelf.rule(OWN.replace("CHECK", ""))
    schema = Context(shelf.snapshot, shelf.database, SECRET, RITA).schema
    for word in ("id", "databaseId", "role", "isAdmin", "createdBy", "tenantId"):
        document = parse(
            f'mutation {{ createItem(input: {{item: {{name: "n", {word}: 1}}}}) {{ errors {{ code }} }} }}'
        )
        assert validate(schema, document), word


async def test_links_lead_only_to_rows_that_the_caller_sees(shelf: Shelf) -> None:  # E15
    await shelf.rule(OWN.replace("CHECK", ""))
    for key in ("databaseId: 3", "databaseId: 99", 'name: "c"'):
        assert await shelf.write(RITA, "createHome", f"home: {{item: {{{key}}}}}") == ["REFERENCE"]
    assert await shelf.write(RITA, "createHome", "home: {item: {databaseId: 2}}") == []


async def test_a_hidden_row_is_no_node_like_one_that_never_was(shelf: Shelf) -> None:  # E10
    await shelf.rule(OWN.replace("CHECK", ""))
    item = shelf.snapshot.modules["item"]
    answers = []
    for number in (3, 99):
        answer = await shelf.ask(RITA, f'{{ node(id: "{write_id(item, (number,))}") {{ id }} }}')
        answers.append((answer, len(shelf.sent)))
    assert answers[0] == answers[1]
    assert answers[0][0]["data"] == {"node": None}


async def imported(shelf: Shelf, csv: str, upsert_by: str) -> list[tuple[int, str]]:
    """Import rows as Rita and return the row and code of each that is wrong."""
    context = Context(shelf.snapshot, shelf.database, SECRET, RITA)
    order = ImportOrder("item", csv.encode(), "file", {}, upsert_by, dry_run=False, skips_failed=True)
    run = ImportRun(
        context,
        Writing(),
        await plan_import(context, Gate(context.access, shelf.snapshot.by_table), order),
        lambda: None,
    )
    await run.run()
    return [(error.row, str(error.fault.code)) for error in run.tally.errors]


async def test_an_import_writes_what_the_callers_mutations_would(shelf: Shelf) -> None:
    await shelf.rule(OWN.replace("CHECK", ""))
    rows = "databaseId,name,holder\n1,a2,rita\n2,b2,rita\n3,c2,rita\n99,z2,rita\n"
    found = await imported(shelf, rows, "databaseId")
    assert found == [(3, "FORBIDDEN"), (4, "NOT_FOUND"), (5, "NOT_FOUND")]
    assert set(await shelf.stored()) == {"a2", "b", "c", "d"}
    assert [code for _, code in await imported(shelf, "name,holder\nn1,rita\nn2,sofia\na2,sofia\n", "name")] == [
        "FORBIDDEN",
        "FORBIDDEN",
    ]
    assert set(await shelf.stored()) == {"a2", "b", "c", "d", "n1"}


async def test_taking_a_change_back_obeys_the_rules_of_writing(shelf: Shelf) -> None:
    """Neither a row that is not the caller's to change, nor back to what it may not become."""
    await shelf.rule(OWN.replace("CHECK", ""))
    changed = {1: 'holder: "rita"', 2: "number: 5"}
    await shelf.change("UPDATE item SET holder = 'sofia' WHERE id = 1")
    for number, patch in changed.items():
        assert await shelf.write(everything(), "updateItem", f"key: {{databaseId: {number}}}, patch: {{{patch}}}") == []
        ((newest, kind),) = await shelf.database.fetch("SELECT id, kind FROM lambdesk_change ORDER BY id DESC LIMIT 1")
        given = f'change: "{write_change_id("Item", newest, kind)}"'
        assert await shelf.write(RITA, "undo", given) == ["FORBIDDEN"]
    assert await shelf.stored("number") == {"a": 11, "b": 5, "c": None, "d": 21}
    assert (await shelf.stored())["a"] == "rita"


PAYROLL = f"{OWN.replace('CHECK', '')}\nfields: {{salary: {{agent: {{role: Payroll}}}}}}"


async def _undo(shelf: Shelf, rights: Rights) -> tuple[bool, list[str]]:
    """Whether the newest change can be undone, as its history says, and the codes of trying it."""
    ((newest, kind, key),) = await shelf.database.fetch(
        "SELECT id, kind, row_key FROM lambdesk_change ORDER BY id DESC LIMIT 1"
    )
    row = write_id(shelf.snapshot.modules["item"], json.loads(key))
    found = await shelf.ask(rights, f'{{ history(of: "{row}", first: 1) {{ canBeUndone }} }}')
    told = bool(found["data"]["history"][0]["canBeUndone"])
    return told, await shelf.write(rights, "undo", f'change: "{write_change_id("Item", newest, kind)}"')


@pytest.mark.parametrize("salary", ["'sa'", "NULL"])
async def test_what_is_hidden_decides_nothing_about_taking_a_removal_back(shelf: Shelf, salary: str) -> None:
    """Or whoever removes a row would be told whether there is anything that he does not see."""
    await shelf.rule(PAYROLL)
    await shelf.change(f"UPDATE item SET salary = {salary} WHERE id = 1")  # noqa: S608 - our own words
    payroll = replace(RITA, roles=frozenset({"Payroll"}))
    assert await shelf.write(RITA, "deleteItem", "key: {databaseId: 1}") == []
    assert await _undo(shelf, RITA) == (False, ["FORBIDDEN"])
    assert await _undo(shelf, payroll) == (True, [])
    assert (await shelf.stored("salary"))["a"] == (None if salary == "NULL" else "sa")


@pytest.mark.parametrize("salary", ["'sa'", "NULL"])
async def test_what_is_hidden_decides_nothing_about_taking_a_new_row_back(shelf: Shelf, salary: str) -> None:
    """Neither what it was made with nor what it was given since."""
    await shelf.rule(PAYROLL)
    for more in ("", ', salary: "se"'):
        assert await shelf.write(everything(), "createItem", f'item: {{name: "e", holder: "rita"{more}}}') == []
        await shelf.change(f"UPDATE item SET salary = {salary} WHERE name = 'e'")  # noqa: S608 - our own words
        assert await _undo(shelf, RITA) == (True, [])
        assert "e" not in await shelf.stored()


async def test_taking_a_change_back_links_only_to_what_the_caller_sees(shelf: Shelf) -> None:
    """What a reference led to before may not be the caller's to link to any more."""
    await shelf.rule(OWN.replace("CHECK", ""))
    await shelf.change(_insert("home", id=1, item=3))
    assert await shelf.write(RITA, "updateHome", "key: {databaseId: 1}, patch: {item: {databaseId: 1}}") == []
    ((newest, kind),) = await shelf.database.fetch("SELECT id, kind FROM lambdesk_change ORDER BY id DESC LIMIT 1")
    given = f'change: "{write_change_id("Home", newest, kind)}"'
    assert await shelf.write(RITA, "undo", given) == ["REFERENCE"]
    assert await shelf.database.fetch("SELECT item FROM home") == [(1,)]


# --- the past ---

DELETED = "{agent: {view: true, delete: true, create: true, update: true, rows: ROWS}}"


async def _gone(shelf: Shelf, number: int) -> str:
    """Let somebody who may do everything delete a row, and return where the feed was before."""
    since = (await shelf.ask(everything(), "{ changes { cursor } }"))["data"]["changes"]["cursor"]
    assert await shelf.write(everything(), "deleteItem", f"key: {{databaseId: {number}}}") == []
    return str(since)


async def _heard(shelf: Shelf, number: int) -> bool:
    """Whether the history of a row that is gone is told."""
    of = write_id(shelf.snapshot.modules["item"], (number,))
    answer = await shelf.ask(RITA, f'{{ history(of: "{of}") {{ kind }} }}')
    return bool(answer["data"]["history"])


@pytest.mark.parametrize(
    ("rows", "number", "is_told"),
    [
        ("{holder: {eq: $me.login}}", 1, True),
        ("{holder: {eq: $me.login}}", 2, False),
        ("{not: {holder: {eq: $me.login}}}", 1, False),
        ("{not: {holder: {eq: $me.login}}}", 2, True),
        # What hung on a row went with it: nobody knows any more.
        ("{homes: {none: {note: {eq: x}}}}", 1, False),
        ("{or: [{holder: {eq: $me.login}}, {homes: {none: {note: {eq: x}}}}]}", 1, True),
        ("{not: {homes: {some: {note: {eq: x}}}}}", 1, False),
    ],
)
async def test_of_a_row_that_is_gone_who_surely_saw_it_hears(
    shelf: Shelf, rows: str, number: int, is_told: bool
) -> None:
    await shelf.rule(DELETED.replace("ROWS", rows))
    await _gone(shelf, number)
    assert await _heard(shelf, number) is is_told


async def test_changes_that_are_not_the_callers_cannot_be_told_from_none(shelf: Shelf) -> None:
    await shelf.rule(DELETED.replace("ROWS", "{holder: {eq: $me.login}}"))
    await _gone(shelf, 2)
    assert await shelf.write(everything(), "updateItem", 'key: {databaseId: 4}, patch: {salary: "z"}') == []
    ids = await shelf.database.fetch("SELECT id, kind FROM lambdesk_change ORDER BY id DESC LIMIT 2")
    for number, kind in [*ids, (10**6, 2), (10**6, 3)]:
        change = write_change_id("Item", number, kind)
        answer = await shelf.ask(RITA, f'mutation {{ undo(input: {{change: "{change}"}}) {{ errors {{ code }} }} }}')
        assert answer["data"]["undo"]["errors"] == [{"code": "NOT_FOUND"}]


async def test_a_feed_goes_on_only_where_something_of_the_callers_does(shelf: Shelf) -> None:
    await shelf.rule(DELETED.replace("ROWS", "{holder: {eq: $me.login}}"))
    since = await _since(shelf, RITA)
    for number in (1, 2, 4):
        await shelf.write(everything(), "updateItem", f'key: {{databaseId: {number}}}, patch: {{salary: "q{number}"}}')
    answer = await shelf.ask(RITA, f'{{ changes(since: "{since}", first: 1) {{ changes {{ rowId }} hasMore }} }}')
    assert len(answer["data"]["changes"]["changes"]) == 1
    assert answer["data"]["changes"]["hasMore"] is False


async def _since(shelf: Shelf, rights: Rights) -> str:
    return str((await shelf.ask(rights, "{ changes { cursor } }"))["data"]["changes"]["cursor"])


async def test_who_may_delete_may_restore_with_the_rows_of_deleting(shelf: Shelf) -> None:
    rules = "{agent: {view: true, update: true, delete: {rows: {holder: {eq: $me.login}}}}}"
    text = ITEM.replace(
        "fields:",
        "features: {soft_delete: true}\nfields:\n  - {name: validity, column: valid_id, type: validity, default: VALID}",
        1,
    )
    (shelf.folder / "thing.yaml").write_text(
        text.replace("name: item, table: item", "name: thing, table: thing")
        .replace("  - {name: homes, to: home, by: item}\n", "  []\n")
        .replace("relations:\n  []\n", "")
        .replace("RULES", f"  {rules[1:-1]}")
    )
    try:
        await shelf.rule("{agent: {view: true}}")
        await shelf.change("DELETE FROM thing")
        for number, holder in ((1, "rita"), (2, "sofia")):
            await shelf.change(_insert("thing", id=number, name=f"t{number}", holder=holder, valid_id=2))
        assert await shelf.write(RITA, "restoreThing", "key: {databaseId: 2}") == ["FORBIDDEN"]
        assert await shelf.write(RITA, "restoreThing", "key: {databaseId: 1}") == []
        valid = shelf.folder / "thing.yaml"
        valid.write_text(
            valid.read_text().replace("agent: {view: true,", "agent: {view: true, rows: {validity: {eq: VALID}},")
        )
        await shelf.registry.reload()
        assert await shelf.write(RITA, "deleteThing", "key: {databaseId: 1}") == []
        assert await shelf.write(RITA, "restoreThing", "key: {databaseId: 1}") == ["NOT_FOUND"]
    finally:
        (shelf.folder / "thing.yaml").unlink()


async def test_decisions_say_what_they_come_from() -> None:
    access = access_of(RITA)
    assert access.own() == (11, "rita", "rita@example.com", None)
    assert access_of(CYRIL).own() == (22, "cyril", None, "bolt", "bolt", "acme")
