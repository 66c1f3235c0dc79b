"""Modules as the file loader makes them, written out by hand: the contract's group and queue, and one of everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.catalog import ColumnClass
from schema.problems import Place
from schema.spec import (
    Access,
    Action,
    Argument,
    AudienceAccess,
    Caption,
    Code,
    Computed,
    Expression,
    Field,
    Home,
    Module,
    Operation,
    Option,
    Relation,
    RowKey,
    Rule,
)

PLACE = Place("modules/sample.yaml")
EVERYBODY = Rule(allow=True)
NOBODY = Rule()

INT = ColumnClass.INT
STRING = ColumnClass.STRING

_CLASSES = {
    "int": INT,
    "bigint": ColumnClass.BIGINT,
    "float": ColumnClass.FLOAT,
    "range": ColumnClass.FLOAT,
    "decimal": ColumnClass.DECIMAL,
    "bool": ColumnClass.SMALLINT,
    "date": ColumnClass.DATE,
    "time": ColumnClass.TIME,
    "datetime": ColumnClass.DATETIME,
    "epoch": INT,
    "duration": INT,
    "validity": ColumnClass.SMALLINT,
    "reference": INT,
}


def field(name: str, kind: str, **settings: Any) -> Field:
    """Make a bound field; NOT NULL unless `nullable`."""
    settings.setdefault("column", name)
    settings.setdefault("nullable", False)
    settings.setdefault("column_class", _CLASSES.get(kind, STRING))
    label = Caption(settings.pop("label", name.replace("_", " ").capitalize()))
    return Field(name=name, kind=kind, label=label, place=PLACE, **settings)


def module(name: str, plural: str, *fields: Field, **settings: Any) -> Module:
    """Make a bound module with an integer key."""
    settings.setdefault("key_columns", ("id",))
    settings.setdefault("key_classes", (INT,) * len(settings["key_columns"]))
    settings.setdefault("table", name)
    settings.setdefault("counted_key", settings["key_columns"] == ("id",))
    settings.setdefault("columns", {item.column: item.column_class for item in fields})
    unique = tuple(
        RowKey(item.api_name, item.column, item.column_class, "String", item.name) for item in fields if item.unique
    )
    database_id = (RowKey("databaseId", "id", INT, "Int"),) if len(settings["key_columns"]) == 1 else ()
    settings.setdefault("row_keys", (*database_id, *unique))
    return Module(
        name=name,
        plural_name=plural,
        singular=Caption(name.replace("_", " ").capitalize()),
        plural=Caption(plural.replace("_", " ").capitalize()),
        place=PLACE,
        fields=tuple(fields),
        **settings,
    )


def by_name(*modules: Module) -> Mapping[str, Module]:
    """Put modules by their names."""
    return {item.name: item for item in modules}


def audit() -> tuple[Field, ...]:
    """Make the audit columns of every OTRS table."""
    return (
        field("created_at", "datetime", column="create_time"),
        field("changed_at", "datetime", column="change_time"),
    )


def group() -> Module:
    """The contract's group."""
    return module(
        "group",
        "groups",
        field("id", "int"),
        field("name", "string", unique=True, searchable=True),
        field("validity", "validity", column="valid_id", sortable=False),
        *audit(),
        relations=(Relation("queues", "queue", PLACE, by="group"),),
    )


def queue() -> Module:
    """The contract's queue."""
    return module(
        "queue",
        "queues",
        field("id", "int"),
        field("name", "string", unique=True, searchable=True),
        field("comment", "text", nullable=True, sortable=False),
        field("unlock_timeout", "int", nullable=True),
        field("validity", "validity", column="valid_id", sortable=False),
        *audit(),
        field("group", "reference", column="group_id", to="group"),
        description=Caption("A ticket queue."),
        operations=frozenset(Operation),
        features={"soft_delete": True},
        computed=(
            Computed(
                "load_label",
                "string",
                PLACE,
                Caption("Load label"),
                needs=("unlock_timeout",),
                args=(Argument("locale", "string"),),
                code=Code("return 'ok'", PLACE),
            ),
        ),
    )


def desk() -> Mapping[str, Module]:
    """The contract's two modules."""
    return by_name(group(), queue())


FOLLOW_UP = (
    Option("POSSIBLE", 1, Caption("possible"), tone="green"),
    Option("REJECT", 2, Caption("reject")),
    Option("NEW_TICKET", 3, Caption("new ticket")),
)
COLOURS = (Option("RED", "red", Caption("Red")), Option("BLUE", "blue", Caption("Blue as the sea")))


def asset() -> Module:
    """A module with a field of every kind, every sort of reference and computed field, and rules."""
    plain = (
        *("string", "text", "markdown", "html", "int", "bigint", "float", "decimal", "bool", "date", "time"),
        *("datetime", "epoch", "duration", "color", "email", "url", "phone", "range", "json", "yaml"),
    )
    return module(
        "asset",
        "assets",
        field("id", "int"),
        field("name", "string", unique=True, searchable=True, help=Caption("What it says on the label")),
        *(field(f"a_{kind}", kind) for kind in plain),
        field("hidden", "string", hidden=True),
        field("password", "password"),
        field("token", "secret"),
        field("follow_up", "select", column_class=INT, options=FOLLOW_UP),
        field("colour", "radio", options=COLOURS, nullable=True),
        field("colours", "multiselect", options=COLOURS),
        field("loose", "select", column_class=ColumnClass.BIGINT),
        field("words", "multiselect"),
        field("price", "decimal"),
        field("old_price", "decimal", deprecated="use price instead"),
        field("internal_note", "text"),
        field("extra", "int", home=Home.SIDE),
        field("validity", "validity", column="valid_id"),
        field("queue", "reference", column="queue_id", to="queue"),
        field("owner", "reference", column="owner_id", to="user", nullable=True),
        field("customer", "reference", column="customer_login", to="customer", by="login", column_class=STRING),
        field("lost", "reference", column="lost_id", to="nowhere"),
        *audit(),
        relations=(
            Relation("notes", "asset_note", PLACE, by="asset", description=Caption("What was said about it")),
            Relation("groups", "group", PLACE, through="asset_group", here="asset_id", there="group_id"),
        ),
        computed=(
            Computed("state", "badge", PLACE, Caption("State"), code=Code("return {text: 'ok'}", PLACE)),
            Computed("card", "html", PLACE, Caption("Card"), code=Code("return ''", PLACE), deprecated="use state"),
            Computed(
                "price_with_tax",
                "float",
                PLACE,
                Caption("With tax"),
                expression=Expression("price * 2", ("price",), {}),
            ),
        ),
        actions=(
            Action(
                "check_in",
                Caption("Check in"),
                Code("return 1", PLACE),
                PLACE,
                args=(
                    Argument("at_shelf", "string", required=True, label=Caption("Where it lies now")),
                    Argument("days", "int", default=14),
                ),
                confirm=Caption("Is it clean?"),
            ),
            Action("throw_away", Caption("Throw away."), Code("return 1", PLACE), PLACE, deprecated="check it in"),
        ),
        notice=Caption("Kept for the books."),
        access=Access(
            agent=AudienceAccess(view=EVERYBODY),
            customer=AudienceAccess(view=EVERYBODY),
            fields={
                "internal_note": {"customer": NOBODY},
                "price": {"agent": Rule(group="finance")},
                "notes": {"customer": NOBODY},
            },
        ),
    )


def user() -> Module:
    """An agent; customers see nothing of them."""
    return module("user", "users", field("id", "int"), field("login", "string", unique=True), field("pw", "password"))


def customer() -> Module:
    """A customer with a text key."""
    return module(
        "customer",
        "customers",
        field("login", "string"),
        field("email", "email", searchable=True),
        key_columns=("login",),
        key_classes=(STRING,),
        row_keys=(RowKey("databaseId", "login", STRING, "String"),),
        access=Access(customer=AudienceAccess(view=EVERYBODY)),
    )


def asset_note() -> Module:
    """Rows that cannot be told apart."""
    return module(
        "asset_note",
        "asset_notes",
        field("asset", "reference", column="asset_id", to="asset"),
        field("body", "text", searchable=True),
        field("written", "date"),
        key_columns=(),
        row_keys=(),
    )


def member() -> Module:
    """A membership with a key of two columns."""
    return module(
        "member",
        "members",
        field("user", "reference", column="user_id", to="user"),
        field("group", "reference", column="group_id", to="group"),
        key_columns=("user_id", "group_id"),
        row_keys=(),
    )


def everything() -> Mapping[str, Module]:
    """Every sample module together."""
    return by_name(group(), queue(), asset(), user(), customer(), asset_note(), member())


def chain(length: int) -> Mapping[str, Module]:
    """Make modules where each refers to the one before and has many of the one after."""
    return by_name(*(_link(number, length) for number in range(length)))


def _link(number: int, length: int) -> Module:
    before = field("before", "reference", column="before_id", to=f"link_{number - 1}", nullable=True)
    return module(
        f"link_{number}",
        f"link_{number}_rows",
        field("id", "int"),
        field("name", "string", unique=True, searchable=True),
        field("note", "text", nullable=True),
        field("size", "int"),
        field("follow_up", "select", column_class=INT, options=FOLLOW_UP),
        field("validity", "validity", column="valid_id"),
        *audit(),
        *((before,) if number else ()),
        relations=(Relation("after", f"link_{number + 1}", PLACE, by="before"),) if number < length - 1 else (),
    )
