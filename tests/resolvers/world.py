"""A small desk on one database, every home of a value in it: own columns, a side table, dynamic fields, tables between.

The rows are plain Python (`ROWS`), so that a test can say what it expects without asking the database.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from graphql import ExecutionResult, parse, validate
from sqlalchemy.schema import CreateTable, DropTable

from resolvers.context import Context
from resolvers.execute import execute
from schema.build import build_schema
from schema.catalog import Catalog, Column, ColumnClass, DynamicField, Table
from schema.problems import Place
from schema.snapshot import Snapshot
from schema.spec import (
    Argument,
    Audience,
    Caption,
    Code,
    Computed,
    Expression,
    Field,
    Home,
    Module,
    Option,
    Relation,
    RowKey,
)
from storage.columns import LongText, WallClock
from storage.engine import Database
from storage.values import wall_clock
from tests.callers import everything

PLACE = Place("modules/sample.yaml")
SECRET = b"a secret of the tests"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

# --- tables ---

_METADATA = sa.MetaData()
Number, Big, Small = sa.Integer, sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.SmallInteger


def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(name, _METADATA, *columns, mysql_charset="utf8mb4", mysql_collate="utf8mb4_unicode_520_ci")


def key(type_: Any = Number) -> sa.Column[Any]:
    return sa.Column("id", type_, primary_key=True, autoincrement=False)


TABLES = (
    table(
        "permission_groups",
        key(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("valid_id", Small, nullable=False),
    ),
    table(
        "queue",
        key(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("comments", sa.String(250)),
        sa.Column("group_id", Number, nullable=False),
        sa.Column("unlock_timeout", Number),
        sa.Column("follow_up_id", Small, nullable=False),
        sa.Column("valid_id", Small, nullable=False),
        sa.Column("create_time", WallClock(), nullable=False),
    ),
    table(
        "customer_user",
        key(),
        sa.Column("login", sa.String(200), nullable=False),
        sa.Column("email", sa.String(150), nullable=False),
        sa.Column("pw", sa.String(128)),
    ),
    table(
        "ticket",
        key(Big),
        sa.Column("tn", sa.String(50), nullable=False),
        sa.Column("title", sa.String(255)),
        sa.Column("body", LongText()),
        sa.Column("queue_id", Number, nullable=False),
        sa.Column("parent_id", Big),
        sa.Column("customer_user_id", sa.String(250)),
        sa.Column("until_time", Number, nullable=False),
        sa.Column("effort", Number),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("ratio", sa.Double),
        sa.Column("hot", Small),
        sa.Column("due", sa.Date),
        sa.Column("start_at", sa.Time),
        sa.Column("urgency", sa.String(20)),
        sa.Column("labels", sa.Text),
        sa.Column("meta", sa.Text),
        sa.Column("seen", Big),
        sa.Column("create_time", WallClock(), nullable=False),
    ),
    table("lambdesk_ext_ticket", key(Big), sa.Column("contract", sa.String(100))),
    table("service", key(), sa.Column("name", sa.String(200), nullable=False)),
    table(
        "ticket_service",
        sa.Column("ticket_id", Big, nullable=False),
        sa.Column("service_id", Number, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
    ),
    table(
        "ticket_watcher",
        sa.Column("ticket_id", Big, nullable=False),
        sa.Column("user_login", sa.String(100), nullable=False),
    ),
    table(
        "link_relation",
        sa.Column("source_key", sa.String(50), nullable=False),
        sa.Column("target_key", sa.String(50), nullable=False),
        sa.Column("type_id", Small, nullable=False),
    ),
    table(
        "group_customer",
        sa.Column("customer_id", sa.String(100), primary_key=True),
        sa.Column("group_id", Number, primary_key=True, autoincrement=False),
        sa.Column("level", Number),
    ),
    table(
        "dynamic_field_value",
        key(),
        sa.Column("field_id", Number, nullable=False),
        sa.Column("object_id", Big, nullable=False),
        sa.Column("value_text", sa.Text),
        sa.Column("value_date", WallClock()),
        sa.Column("value_int", Big),
    ),
    table(
        "dynamic_field_obj_id_name",
        sa.Column("object_id", Big, primary_key=True, autoincrement=False),
        sa.Column("object_name", sa.String(200), nullable=False),
        sa.Column("object_type", sa.String(200), nullable=False),
    ),
)

_CLASSES: Mapping[type, ColumnClass] = {
    sa.Integer: ColumnClass.INT,
    sa.BigInteger: ColumnClass.BIGINT,
    sa.SmallInteger: ColumnClass.SMALLINT,
    sa.String: ColumnClass.STRING,
    sa.Text: ColumnClass.TEXT,
    sa.Numeric: ColumnClass.DECIMAL,
    sa.Double: ColumnClass.FLOAT,
    sa.Date: ColumnClass.DATE,
    sa.Time: ColumnClass.TIME,
    WallClock: ColumnClass.DATETIME,
}


def column_class(column: sa.Column[Any], dialect: str) -> ColumnClass:
    if isinstance(column.type, LongText):
        return ColumnClass.BYTES if dialect == "mysql" else ColumnClass.TEXT
    return _CLASSES[type(column.type)]


def classes(name: str, dialect: str) -> dict[str, ColumnClass]:
    return {column.name: column_class(column, dialect) for column in _METADATA.tables[name].columns}


def catalog(dialect: str) -> Catalog:
    tables = {
        made.name: Table(
            made.name,
            {c.name: Column(c.name, column_class(c, dialect), bool(c.nullable)) for c in made.columns},
            tuple(c.name for c in made.primary_key.columns),
        )
        for made in TABLES
    }
    return Catalog(tables)


# --- modules ---


class Maker:
    """Makes modules bound to the tables above, as they are on one database."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect

    def field(self, table_name: str, name: str, kind: str, **settings: Any) -> Field:
        settings.setdefault("column", name)
        if settings.get("home") is None:
            column = _METADATA.tables[table_name].columns[settings["column"]]
            settings.setdefault("column_class", column_class(column, self.dialect))
            settings.setdefault("nullable", bool(column.nullable))
        return Field(name=name, kind=kind, label=Caption(name), place=PLACE, **settings)

    def module(self, name: str, plural: str, table_name: str, *fields: Field, **settings: Any) -> Module:
        columns = classes(table_name, self.dialect)
        keys = tuple(column.name for column in _METADATA.tables[table_name].primary_key.columns)
        rows = [
            RowKey(item.api_name, item.column, item.column_class, "String", item.name) for item in fields if item.unique
        ]
        if len(keys) == 1:
            scalar = "BigInt" if columns[keys[0]] is ColumnClass.BIGINT else "Int"
            rows.insert(0, RowKey("databaseId", keys[0], columns[keys[0]], scalar))
        return Module(
            name=name,
            plural_name=plural,
            singular=Caption(name),
            plural=Caption(plural),
            place=PLACE,
            fields=fields,
            table=table_name,
            key_columns=keys,
            key_classes=tuple(columns[name] for name in keys),
            row_keys=tuple(rows),
            columns=columns,
            **settings,
        )


def expression(text: str, *columns: str) -> Expression:
    return Expression(text, columns, dict.fromkeys(("sqlite", "mysql", "postgresql"), text))


def dynamic(id_: int, name: str, kind: str, field_type: str, object_type: str = "Ticket", **settings: Any) -> Field:
    found = DynamicField(id_, name, name, object_type, field_type)
    return Field(
        name=name, kind=kind, column="", label=Caption(name), place=PLACE, home=Home.DYNAMIC, dynamic=found, **settings
    )


def urgency_options() -> tuple[Option, ...]:
    return tuple(Option(name.upper(), name, Caption(name)) for name in ("low", "high"))


def modules(dialect: str) -> dict[str, Module]:
    make = Maker(dialect)
    group = make.module(
        "group",
        "groups",
        "permission_groups",
        make.field("permission_groups", "name", "string", unique=True, searchable=True),
        make.field("permission_groups", "validity", "validity", column="valid_id"),
        relations=(Relation("queues", "queue", PLACE, by="group", here_column="id", link_column="group_id"),),
    )
    follow_up = (
        Option("POSSIBLE", 1, Caption("possible")),
        Option("REJECT", 2, Caption("reject")),
        Option("NEW_TICKET", 3, Caption("new ticket")),
    )
    queue = make.module(
        "queue",
        "queues",
        "queue",
        make.field("queue", "name", "string", unique=True, searchable=True),
        make.field("queue", "comment", "text", column="comments", searchable=True),
        make.field("queue", "unlock_timeout", "int"),
        make.field("queue", "group", "reference", column="group_id", to="group"),
        make.field("queue", "oldest_ticket", "reference", column="id", to="ticket", by="queue", by_column="queue_id"),
        make.field("queue", "follow_up", "select", column="follow_up_id", options=follow_up),
        make.field("queue", "validity", "validity", column="valid_id"),
        make.field("queue", "created_at", "datetime", column="create_time"),
        relations=(Relation("tickets", "ticket", PLACE, by="queue", here_column="id", link_column="queue_id"),),
        computed=(
            Computed(
                "load_label",
                "string",
                PLACE,
                Caption("Load"),
                needs=("unlock_timeout", "group.name"),
                args=(Argument("locale", "string"),),
                code=Code("return 'x'", PLACE),
            ),
            Computed(
                "unlock_seconds",
                "int",
                PLACE,
                Caption("Seconds"),
                expression=expression("__t__.unlock_timeout * 60", "unlock_timeout"),
            ),
        ),
    )
    customer = make.module(
        "customer_user",
        "customer_users",
        "customer_user",
        make.field("customer_user", "login", "string", unique=True, searchable=True),
        make.field("customer_user", "email", "email"),
        make.field("customer_user", "pw", "password"),
        dynamic(21, "nickname", "string", "Text", "CustomerUser"),
        dynamic(22, "hobbies", "multiselect", "Multiselect", "CustomerUser"),
        relations=(
            Relation(
                "tickets", "ticket", PLACE, by="customer_user", here_column="login", link_column="customer_user_id"
            ),
        ),
    )
    ticket = make.module(
        "ticket",
        "tickets",
        "ticket",
        make.field("ticket", "number", "string", column="tn", unique=True, searchable=True),
        make.field("ticket", "title", "string", searchable=True),
        make.field("ticket", "body", "text", searchable=True),
        make.field("ticket", "queue", "reference", column="queue_id", to="queue"),
        make.field("ticket", "parent", "reference", column="parent_id", to="ticket"),
        make.field(
            "ticket",
            "customer_user",
            "reference",
            column="customer_user_id",
            to="customer_user",
            by="login",
            by_column="login",
        ),
        make.field("ticket", "pending_until", "epoch", column="until_time"),
        make.field("ticket", "effort", "duration"),
        make.field("ticket", "price", "decimal"),
        make.field("ticket", "ratio", "float"),
        make.field("ticket", "hot", "bool"),
        make.field("ticket", "due", "date"),
        make.field("ticket", "start_at", "time"),
        make.field("ticket", "urgency", "select", options=urgency_options()),
        make.field("ticket", "labels", "multiselect"),
        make.field("ticket", "meta", "json"),
        make.field("ticket", "seen", "bigint"),
        make.field("ticket", "created_at", "datetime", column="create_time"),
        Field(
            name="contract",
            kind="string",
            column="contract",
            label=Caption("Contract"),
            place=PLACE,
            home=Home.SIDE,
            column_class=ColumnClass.STRING,
            searchable=True,
        ),
        dynamic(11, "colour", "string", "Text", searchable=True),
        dynamic(12, "areas", "multiselect", "Multiselect"),
        dynamic(13, "urgent", "bool", "Checkbox"),
        dynamic(14, "visit", "date", "Date"),
        dynamic(15, "answered_at", "datetime", "DateTime"),
        side_table="lambdesk_ext_ticket",
        relations=(
            Relation("children", "ticket", PLACE, by="parent", here_column="id", link_column="parent_id"),
            Relation(
                "services",
                "service",
                PLACE,
                through="ticket_service",
                here="ticket_id",
                there="service_id",
                here_column="id",
                link_column="ticket_id",
                there_column="id",
            ),
            Relation(
                "linked",
                "ticket",
                PLACE,
                through="link_relation",
                here="source_key",
                there="target_key",
                where={"type_id": 1},
                here_column="id",
                link_column="source_key",
                there_column="id",
            ),
            Relation("watchers", "ticket_watcher", PLACE, by="ticket", here_column="id", link_column="ticket_id"),
        ),
    )
    service = make.module(
        "service", "services", "service", make.field("service", "name", "string", unique=True, searchable=True)
    )
    watcher = make.module(
        "ticket_watcher",
        "ticket_watchers",
        "ticket_watcher",
        make.field("ticket_watcher", "ticket", "reference", column="ticket_id", to="ticket"),
        make.field("ticket_watcher", "user_login", "string"),
    )
    grant = make.module(
        "group_customer",
        "group_customers",
        "group_customer",
        make.field("group_customer", "customer_id", "string"),
        make.field("group_customer", "group", "reference", column="group_id", to="group"),
        make.field("group_customer", "level", "int"),
    )
    return {item.name: item for item in (group, queue, customer, ticket, service, watcher, grant)}


def snapshot(dialect: str) -> Snapshot:
    made = modules(dialect)
    return Snapshot(
        version="v1",
        number=1,
        modules=made,
        status=(),
        schemas={audience: build_schema(made, audience) for audience in Audience},
        catalog=catalog(dialect),
    )


# --- rows ---

TITLES = (None, "Printer on fire", "printer ON FIRE", "Ärger im Büro", "ärger", "100% sure_thing", "a", "A", "", "ζΣς")
_TEXTS = (None, "ΟΔΟΣ", "straße", "x!y", "Zug")


def _rows() -> dict[str, list[dict[str, Any]]]:
    chance = random.Random(7)
    groups = [{"id": n, "name": name, "valid_id": n} for n, name in enumerate(("users", "admin", "Users"), 1)]
    queues = [
        {
            "id": n,
            "name": f"Queue {n}",
            "comments": chance.choice((None, "fast", "Slow")),
            "group_id": 1 + n % 3,
            "unlock_timeout": chance.choice((None, 0, 30, 90)),
            "follow_up_id": (1, 2, 3, 9)[n % 4],
            "valid_id": 1 + n % 2,
            "create_time": NOW - timedelta(days=n),
        }
        for n in range(1, 8)
    ]
    customers = [
        {"id": n, "login": login, "email": f"{login.lower()}@example.com", "pw": "geheim"}
        for n, login in enumerate(("anna", "Anna", "bert", "cora "), 1)
    ]
    tickets = [_ticket(n, chance) for n in range(1, 61)]
    found: dict[str, list[dict[str, Any]]] = {
        "permission_groups": groups,
        "queue": queues,
        "customer_user": customers,
        "ticket": tickets,
        "lambdesk_ext_ticket": [
            {"id": n, "contract": chance.choice((None, "C-1", "C-2"))} for n in range(1, 61) if n % 3 == 0
        ],
        "service": [{"id": n, "name": f"Service {n}"} for n in range(1, 5)],
        "ticket_service": [
            {"ticket_id": chance.randint(1, 60), "service_id": chance.randint(1, 4), "kind": chance.choice(("a", "b"))}
            for _ in range(80)
        ],
        "ticket_watcher": [
            {"ticket_id": chance.randint(1, 9), "user_login": chance.choice(("anna", "bert"))} for _ in range(20)
        ],
        "link_relation": [
            {"source_key": "1", "target_key": "2", "type_id": 1},
            {"source_key": "1", "target_key": "3", "type_id": 2},
            {"source_key": "1", "target_key": "4x", "type_id": 1},
            {"source_key": "1", "target_key": "2", "type_id": 1},
            {"source_key": "2", "target_key": "1", "type_id": 1},
        ],
        "group_customer": [
            {"customer_id": name, "group_id": n, "level": chance.choice((None, 1, 2))}
            for name in ("acme", "beta", "äöü")
            for n in (1, 2)
        ],
    }
    found["dynamic_field_value"], found["dynamic_field_obj_id_name"] = _dynamic_rows(chance)
    return found


def _ticket(n: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": n,
        "tn": f"2026{n:04}",
        "title": chance.choice(TITLES),
        "body": chance.choice(_TEXTS),
        "queue_id": chance.randint(1, 6),
        "parent_id": chance.choice((None, None, chance.randint(1, 60), 999)),
        "customer_user_id": chance.choice((None, "anna", "Anna", "bert", "ANNA", "gone")),
        "until_time": chance.choice((0, 0, 1_700_000_000, 1_700_000_001, 1_800_000_000)),
        "effort": chance.choice((None, 0, 90, 3600)),
        "price": chance.choice((None, Decimal("0.10"), Decimal("19.99"), Decimal(-5))),
        "ratio": chance.choice((None, 0.5, 1.25, -3.0)),
        "hot": chance.choice((None, 0, 1)),
        "due": chance.choice((None, date(2026, 2, 28), date(2026, 3, 1))),
        "start_at": chance.choice((None, time(8, 30), time(23, 59, 59))),
        "urgency": chance.choice((None, "low", "high", "LOW", "odd")),
        "labels": chance.choice((None, "", '["a","b"]', "a, c", "[]", '["A"]')),
        "meta": chance.choice((None, '{"a": 1}', "broken")),
        "seen": chance.choice((None, 1, 2**53 + 1)),
        "create_time": NOW - timedelta(days=chance.randint(0, 70), seconds=chance.randint(0, 1)),
    }


def _dynamic_rows(chance: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []

    def add(field_id: int, object_id: int, **value: Any) -> None:
        empty = {"value_text": None, "value_date": None, "value_int": None}
        rows.append({"id": len(rows) + 1, "field_id": field_id, "object_id": object_id, **empty, **value})

    for n in range(1, 61):
        if n % 2:
            add(11, n, value_text=chance.choice(("red", "Red", "blue")))
        for text in chance.sample(("north", "south", "North"), chance.randint(0, 3)):
            add(12, n, value_text=text)
        if n % 4 == 0:
            add(13, n, value_int=chance.randint(0, 1))
        if n % 5 == 0:
            add(14, n, value_date=datetime(2026, 1, 1 + n % 7, tzinfo=UTC))
            add(15, n, value_date=datetime(2026, 1, 1, n % 24, 30, tzinfo=UTC))
    add(21, 501, value_text="Annie")
    add(22, 501, value_text="chess")
    add(22, 501, value_text="golf")
    names = [
        {"object_id": 501, "object_name": "anna", "object_type": "CustomerUser"},
        {"object_id": 502, "object_name": "bert", "object_type": "CustomerUser"},
    ]
    return rows, names


ROWS = _rows()


def by_id(table_name: str, id_: Any) -> dict[str, Any] | None:
    return next((row for row in ROWS[table_name] if row["id"] == id_), None)


# --- on a database ---


async def build(database: Database) -> None:
    """Make the tables and fill them."""
    async with database.transaction(timeout_s=0) as transaction:
        for made in TABLES:
            await transaction.execute(DropTable(made, if_exists=True))
            await transaction.execute(CreateTable(made))
            rows = [_stored(row, database) for row in ROWS[made.name]]
            plain = sa.table(made.name, *(sa.column(name) for name in rows[0]))
            await transaction.execute(sa.insert(plain), rows)


def _stored(row: Mapping[str, Any], database: Database) -> dict[str, Any]:
    return {name: _store(value, database) for name, value in row.items()}


def _store(value: Any, database: Database) -> Any:
    if isinstance(value, datetime):
        return wall_clock(value, database.dialect.name, database.zone)
    if database.dialect.name == "sqlite":
        if isinstance(value, date | time):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value
    return value


@dataclass
class World:
    """A database with the rows above, and the API over it."""

    database: Database
    snapshot: Snapshot
    seen: list[str] = field(default_factory=list)

    def context(self, **settings: Any) -> Context:
        rights = everything(settings.pop("audience", Audience.AGENT))
        settings = {"rights": rights, "request_id": "r1", **settings}
        return Context(snapshot=self.snapshot, database=self.database, secret=SECRET, **settings)

    async def run(
        self, text: str, variables: Mapping[str, Any] | None = None, *, context: Context | None = None, **settings: Any
    ) -> ExecutionResult:
        """Run a query that must be valid."""
        context = context or self.context(**settings)
        document = parse(text)
        mistakes = validate(context.schema, document)
        assert not mistakes, mistakes
        self.seen.clear()
        return await execute(context, document, None, variables)

    async def data(self, text: str, variables: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        """Run a query that must have an answer without errors."""
        result = await self.run(text, variables, **settings)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def refusal(self, text: str, variables: Mapping[str, Any] | None = None, **settings: Any) -> str:
        """Run a query that must be refused before any statement; return the code and message."""
        result = await self.run(text, variables, **settings)
        assert result.data is None
        assert result.errors
        assert self.seen == []
        return f"{(result.errors[0].extensions or {})['code']}: {result.errors[0].message}"
