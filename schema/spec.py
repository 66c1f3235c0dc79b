"""A module as data: what its files say (after layers are merged) and, once bound, where each value lives in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from schema.catalog import ColumnClass, DynamicField
from schema.kinds import KINDS, Kind
from schema.names import camel, pascal, singular
from schema.problems import Place

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    """Return the empty mapping; a default of its own only because Python 3.11 cannot hash a mapping proxy."""
    return _NOTHING


# Columns that say who made a row and who changed it last, and whether it is in use, wherever a table has them.
AUDIT_COLUMNS = ("create_time", "create_by", "change_time", "change_by")
VALIDITY_COLUMN = "valid_id"

# Names that every type with a key has; a module file cannot take them for something else.
BUILTIN_MEMBERS = ("id", "databaseId", "version")


class Audience(StrEnum):
    """Who a schema is made for. Agents and customers are different principals everywhere."""

    AGENT = "agent"
    CUSTOMER = "customer"


class Operation(StrEnum):
    """What a module file may enable with `operations` (GOTRS: `permissions`)."""

    VIEW = "view"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"
    BULK = "bulk"


# Of a file whose bytes stand in a column of the table itself: the settings that name the columns which describe it.
FILE_COLUMNS = ("name_column", "type_column", "size_column")


class Home(StrEnum):
    """Where a field's value lives."""

    TABLE = "table"  # a column of the module's own table
    SIDE = "side"  # a column of `lambdesk_ext_<table>`, made for an extension of a table that is not ours
    DYNAMIC = "dynamic"  # rows of OTRS's `dynamic_field_value`


@dataclass(frozen=True, slots=True)
class Caption:
    """A text for people: one text, one a language, or a translation key with a fallback (`@key|fallback`)."""

    text: str
    languages: Mapping[str, str] = field(default_factory=_nothing)
    key: str | None = None

    def in_language(self, language: str) -> str:
        """Return the caption in a language, or the default text."""
        return self.languages.get(language, self.text)


@dataclass(frozen=True, slots=True)
class Code:
    """A JavaScript lambda as written in a module file, with where it starts (errors name the line in the file)."""

    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Default:
    """A field's default: a value, or a lambda that makes it."""

    value: Any = None
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """What a value must satisfy beyond its kind; enforced in API, form and import. `pattern` is RE2."""

    pattern: str | None = None
    message: Caption | None = None
    min: float | None = None
    max: float | None = None
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a select: the GraphQL enum value, the stored value, the caption, a tone for badges."""

    name: str
    value: str | int
    label: Caption
    tone: str | None = None
    group: Caption | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a module. What stands after `place` is filled in when the module is bound to the database.

    `to` and `by` are set for references: the target module and the target's field or column that the stored value
    equals (the target's key when `by` is None). `settings` keeps the keys that only forms and lists use.
    """

    name: str
    kind: str
    column: str
    label: Caption
    place: Place
    help: Caption | None = None
    required: bool = False
    unique: bool = False
    searchable: bool = False
    sortable: bool = True
    filterable: bool = True
    readonly: bool = False
    hidden: bool = False  # `hide:` of a layer: not part of the API of this site
    optional: bool = False  # absent without a problem where the column is missing
    show_in_list: bool = False
    show_in_form: bool = True
    default: Default | None = None
    validation: Validation = Validation()
    options: tuple[Option, ...] = ()
    to: str | None = None
    by: str | None = None
    deprecated: str | None = None
    settings: Mapping[str, Any] = field(default_factory=_nothing)
    graphql_name: str | None = None  # differs from camelCase(name) only for dynamic fields
    # --- bound ---
    home: Home = Home.TABLE
    column_class: ColumnClass = ColumnClass.OTHER
    nullable: bool = True
    has_default: bool = False  # the database fills the column in where nothing is said
    size: int | None = None
    by_column: str | None = None  # the column of the target's table that a reference joins on
    dynamic: DynamicField | None = None

    @property
    def api_name(self) -> str:
        """The GraphQL name."""
        return self.graphql_name or camel(self.name)

    @property
    def traits(self) -> Kind:
        """The row of the table of kinds."""
        return KINDS[self.kind]

    @property
    def is_readable(self) -> bool:
        """Whether the API has an output for it (passwords and secrets have none)."""
        return self.traits.readable

    @property
    def holds_bytes(self) -> bool:
        """Whether a file's column holds its bytes, as OTRS has it, instead of the id of an uploaded file."""
        return self.kind == "file" and "name_column" in self.settings

    @property
    def raw_name(self) -> str | None:
        """The GraphQL name of a reference's stored text (`customerUserLogin`), for references by something else than the key."""
        return camel(f"{self.name}_{self.by}") if self.to and self.by else None


@dataclass(frozen=True, slots=True)
class Relation:
    """The other direction of a reference (`by`), or many-to-many through a table (`through`, `here`, `there`).

    Bound: `here_column` of this module's table equals `link_column`, which is a column of the target's table
    (has-many) or of the through table; `there_column` is the target's column that `there` equals.
    """

    name: str
    to: str
    place: Place
    by: str | None = None
    through: str | None = None
    here: str | None = None
    there: str | None = None
    label: Caption | None = None
    description: Caption | None = None
    deprecated: str | None = None
    # Fixed values of columns of the through table (link types and the like).
    where: Mapping[str, Any] = field(default_factory=_nothing)
    # --- bound ---
    here_column: str = ""
    link_column: str = ""
    there_column: str = ""

    @property
    def api_name(self) -> str:
        """The GraphQL name."""
        return camel(self.name)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a computed field or an action: a kind of the table of kinds and whether it must be given."""

    name: str
    kind: str
    required: bool = False
    default: Any = None
    label: Caption | None = None

    @property
    def api_name(self) -> str:
        """The GraphQL name."""
        return camel(self.name)


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a lambda that runs when the file loads.

    Given `item` (and `args`, `me`, `now`, and in their order the answers of what it asks), it returns `returns`. Or, for
    generated items with the values that `for_all` names, it returns a value of its type for which `holds` is true.
    """

    place: Place
    item: Mapping[str, Any] = field(default_factory=_nothing)
    returns: Any = None
    args: Mapping[str, Any] = field(default_factory=_nothing)
    me: Mapping[str, Any] = field(default_factory=_nothing)
    now: str | None = None
    answers: tuple[Any, ...] = ()
    for_all: Mapping[str, Any] = field(default_factory=_nothing)
    holds: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """An SQL expression over own columns.

    `rendered` holds one text a dialect (sqlite, mysql, postgresql) with every column written as `ALIAS.column` in the
    dialect's own quoting, where ALIAS stands for the table's alias in a statement.
    """

    ALIAS = "__t__"

    text: str
    columns: tuple[str, ...]
    rendered: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Computed:
    """A computed field: a lambda over `needs`, or an SQL expression over own columns (then it filters and sorts)."""

    name: str
    kind: str
    place: Place
    label: Caption
    needs: tuple[str, ...] | None = None  # None: all own readable columns
    args: tuple[Argument, ...] = ()
    code: Code | None = None
    expression: Expression | None = None
    examples: tuple[Example, ...] = ()
    help: Caption | None = None
    deprecated: str | None = None
    show_in_list: bool = False
    show_in_form: bool = False
    settings: Mapping[str, Any] = field(default_factory=_nothing)

    @property
    def api_name(self) -> str:
        """The GraphQL name."""
        return camel(self.name)


@dataclass(frozen=True, slots=True)
class Hook:
    """A lambda around a write: `on` is before_create, before_update, before_delete or the same with after_.

    One that is a custom rule refuses the row by returning false; `field` is what it is about, `message` what people read.
    """

    on: str
    code: Code
    is_rule: bool = False
    field: str | None = None
    message: Caption | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A mutation and a button."""

    name: str
    label: Caption
    code: Code
    place: Place
    args: tuple[Argument, ...] = ()
    confirm: Caption | None = None
    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A lambda that runs by the clock as a named system principal."""

    name: str
    cron: str
    code: Code
    as_principal: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: everybody of the audience (`allow`), or members of a group with a key, or holders of a role.

    Of writes it may say with which rows: `rows` is a filter that a row meets before it is written, `check` one that it meets
    afterwards (None: the same, and the rows that the audience sees).
    """

    allow: bool = False
    group: str | None = None
    key: str = "ro"
    role: str | None = None
    rows: Mapping[str, Any] | None = None
    check: Mapping[str, Any] | None = None

    @property
    def is_never(self) -> bool:
        """Whether nobody of the audience may."""
        return not self.allow and self.group is None and self.role is None


@dataclass(frozen=True, slots=True)
class AudienceAccess:
    """The rules of one audience for a module. `rows` is a filter in the API's own grammar with `$`-values."""

    view: Rule = Rule()
    create: Rule = Rule()
    update: Rule = Rule()
    delete: Rule = Rule()
    rows: Mapping[str, Any] | None = None


VISIBLE = "$visible"  # in a rule, in place of the filter of a row: one that the caller may view
ADMINISTRATORS = Rule(group="admin", key="rw")


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of a module. Without a word in the file: administrators only, customers nothing."""

    agent: AudienceAccess = AudienceAccess(ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS)
    customer: AudienceAccess = AudienceAccess()
    fields: Mapping[str, Mapping[str, Rule]] = field(default_factory=_nothing)
    writes: Mapping[str, Mapping[str, Rule]] = field(
        default_factory=_nothing
    )  # of fields; beside the rules for using them

    def of(self, audience: Audience) -> AudienceAccess:
        """Return the rules of one audience."""
        return self.agent if audience is Audience.AGENT else self.customer

    def shows(self, item: Field | Relation | Computed, audience: Audience) -> bool:
        """Answer whether a member is part of an audience's schema.

        Agents share one schema. Customers see what no rule takes from them; dynamic fields are nobody's word in a module
        file, so customers see those that a rule names.
        """
        if audience is Audience.AGENT:
            return True
        rule = self.fields.get(item.name, _NOTHING).get(audience)
        if rule is None:
            return not (isinstance(item, Field) and item.home is Home.DYNAMIC)
        return not rule.is_never

    def takes(self, item: Field, audience: Audience) -> bool:
        """Answer whether a field is part of an audience's inputs: customers give what they see and no rule keeps from them."""
        rule = self.writes.get(item.name, _NOTHING).get(audience)
        return self.shows(item, audience) and (audience is Audience.AGENT or rule is None or not rule.is_never)


@dataclass(frozen=True, slots=True)
class Search:
    """How `search:` finds rows of a module.

    With `full_text` the searchable fields are in the database's full-text index. `of` names the reference to the row that they
    stand for there, where that is not their own. `below` are paths to rows by whose texts these are found too.
    """

    full_text: bool = False
    of: str | None = None
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowKey:
    """One way to name a row in `by:`: a single field (or raw reference) with a unique key."""

    api_name: str
    column: str
    column_class: ColumnClass
    scalar: str  # the GraphQL scalar of the input
    field: str | None = None  # the field's name; None for databaseId


@dataclass(frozen=True)
class Module:
    """A module, merged from its layers and bound to the database. Immutable; shared by every snapshot that has it.

    `files` are the files it is made of, lowest layer first; `digest` changes whenever anything in it changes.
    `key_columns` is empty for tables whose rows cannot be told apart (view only, offset-paged, without `id`).
    """

    name: str
    plural_name: str
    singular: Caption
    plural: Caption
    place: Place
    files: tuple[str, ...] = ()
    digest: str = ""
    description: Caption | None = None
    notice: Caption | None = None
    section: Caption | None = None
    icon: str | None = None
    tables: tuple[str, ...] = ()
    optional: bool = False
    operations: frozenset[Operation] = frozenset({Operation.VIEW, Operation.CREATE, Operation.UPDATE, Operation.DELETE})
    fields: tuple[Field, ...] = ()
    relations: tuple[Relation, ...] = ()
    computed: tuple[Computed, ...] = ()
    hooks: tuple[Hook, ...] = ()
    actions: tuple[Action, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    access: Access = Access()
    filters: tuple[Mapping[str, Any], ...] = ()
    features: Mapping[str, Any] = field(default_factory=_nothing)
    search: Search = Search()
    ui: Mapping[str, Any] = field(default_factory=_nothing)
    lambda_config: Mapping[str, Any] = field(default_factory=_nothing)
    translations: Mapping[str, Caption] = field(default_factory=_nothing)  # texts for `t(key)`
    declared_key: tuple[str, ...] | None = None  # `key:` of the file; None: the table's own, empty: `key: none`
    places: Mapping[str, Place] = field(default_factory=_nothing)  # where keys stand, by path: `fields.group.column`
    broken: frozenset[str] = frozenset()  # members left out for errors of their own; a module that serves has none
    # --- bound ---
    table: str = ""
    side_table: str | None = None
    key_columns: tuple[str, ...] = ()
    key_classes: tuple[ColumnClass, ...] = ()
    counted_key: bool = False  # the database numbers new rows
    row_keys: tuple[RowKey, ...] = ()  # what `by:` takes beside `id`; databaseId first where it exists
    managed: bool = False
    columns: Mapping[str, ColumnClass] = field(default_factory=dict)  # every column of the table, for joins and keys

    @cached_property
    def one_name(self) -> str:
        """What one row is called: the name, or its singular where the file names the module like its list (`users`)."""
        return singular(self.name) if self.plural_name == self.name else self.name

    @cached_property
    def type_name(self) -> str:
        """The GraphQL object type's name."""
        return pascal(self.one_name)

    @cached_property
    def one_root(self) -> str:
        """The root field for one row."""
        return camel(self.one_name)

    @cached_property
    def many_root(self) -> str:
        """The root field for a list; `...List` where singular and plural are equal."""
        plural = camel(self.plural_name)
        return f"{self.one_root}List" if plural == self.one_root else plural

    @cached_property
    def aggregate_root(self) -> str:
        """The root field for aggregates."""
        return f"{self.one_root}Aggregate"

    @property
    def has_id(self) -> bool:
        """Whether rows have an identity (a key), and with it `id`, cursors and `Node`."""
        return bool(self.key_columns)

    @property
    def has_database_id(self) -> bool:
        """Whether the key is one column."""
        return len(self.key_columns) == 1

    @cached_property
    def has_dynamic(self) -> bool:
        """Whether rows have values in OTRS's tables of dynamic fields."""
        return any(item.home is Home.DYNAMIC for item in self.fields)

    @cached_property
    def shown_fields(self) -> tuple[Field, ...]:
        """The fields that are part of this site's API: not hidden, and not the key column itself (it is `databaseId`)."""
        key = self.key_columns[0] if self.has_database_id else None
        return tuple(
            item
            for item in self.fields
            if not item.hidden
            and not (item.home is Home.TABLE and item.column == key and item.to is None and item.is_readable)
        )

    @cached_property
    def by_name(self) -> Mapping[str, Field | Relation | Computed]:
        """Every field, relation and computed field by its name in the file."""
        found: dict[str, Field | Relation | Computed] = {item.name: item for item in self.fields}
        found.update((relation.name, relation) for relation in self.relations)
        found.update((computed.name, computed) for computed in self.computed)
        return found

    @cached_property
    def members(self) -> Mapping[str, Field | Relation | Computed]:
        """Every shown field, relation and computed field by its GraphQL name; raw texts of references lead to their field."""
        found: dict[str, Field | Relation | Computed] = {}
        for item in self.shown_fields:
            found[item.api_name] = item
            if item.raw_name:
                found[item.raw_name] = item
        found.update((relation.api_name, relation) for relation in self.relations)
        found.update((computed.api_name, computed) for computed in self.computed)
        return found

    @cached_property
    def derived(self) -> dict[Any, Any]:
        """What builders work out from this module alone and keep as long as it lives (lists of names, printed pieces)."""
        return {}

    def stamps(self, column: str) -> bool:
        """Answer whether a column says who wrote a row and when, and is not what rows are told apart by."""
        return column in AUDIT_COLUMNS and column not in self.key_columns

    def field_named(self, name: str) -> Field | None:
        """Return the field with this name in the file, if there is one."""
        found = self.by_name.get(name)
        return found if isinstance(found, Field) else None
