"""What a generated GraphQL field is bound to. Types carry these as data; how the data is fetched is the resolvers' business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.spec import Action, Computed, Field, Module, Relation
from schema.writes import Deed

# The key of `GraphQLField.extensions` under which a binding stands.
BINDING = "lambdesk"


@dataclass(frozen=True, slots=True)
class OneRoot:
    """`queue(by:)`."""

    module: Module


@dataclass(frozen=True, slots=True)
class ManyRoot:
    """`queues(...)`."""

    module: Module


@dataclass(frozen=True, slots=True)
class AggregateRoot:
    """`queueAggregate(...)`."""

    module: Module


@dataclass(frozen=True, slots=True)
class NodeRoot:
    """`node(id:)`, or `nodes(ids:)` when `many`."""

    many: bool


@dataclass(frozen=True, slots=True)
class VersionRoot:
    """`schemaVersion`."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """`id`, `databaseId` or `version` of a row."""

    module: Module
    name: str


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar or enum field of a row; `raw` for the stored text of a reference."""

    module: Module
    field: Field
    raw: bool = False


@dataclass(frozen=True, slots=True)
class ToOne:
    """A reference: the target's row, or null."""

    module: Module
    field: Field
    target: Module


@dataclass(frozen=True, slots=True)
class ToMany:
    """A relation: a connection of the target's rows that belong to this one."""

    module: Module
    relation: Relation
    target: Module


@dataclass(frozen=True, slots=True)
class ComputedValue:
    """A computed field, by lambda or by SQL expression."""

    module: Module
    computed: Computed


@dataclass(frozen=True, slots=True)
class ConnectionPart:
    """A field of a connection type: edges, nodes, pageInfo or totalCount; of an edge: cursor or node."""

    module: Module
    name: str


@dataclass(frozen=True, slots=True)
class AggregatePart:
    """A field of an aggregate row: `key`, `count`, or a function (avg, max, min, sum) over a field."""

    module: Module
    function: str
    field: Field | None = None
    computed: Computed | None = None


@dataclass(frozen=True, slots=True)
class AggregateKeyPart:
    """A field of an aggregate's key: the grouped value, its day or month (`bucket`), or the referenced row."""

    module: Module
    field: Field
    bucket: str = ""
    target: Module | None = None


@dataclass(frozen=True, slots=True)
class GroupValue:
    """The value of an enum value of `<Type>GroupBy`: which field is grouped by, and in which bucket."""

    api_name: str
    field: Field
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class WriteRoot:
    """A generated mutation."""

    module: Module
    deed: Deed


@dataclass(frozen=True, slots=True)
class ActionRoot:
    """An action of a module file: a mutation whose lambda says what is to be done."""

    module: Module
    action: Action


@dataclass(frozen=True, slots=True)
class HandRoot:
    """A mutation that is written by hand and carried out like a generated one.

    `module` is whose row its payload is about; `keys` names the inputs that are keys of rows (one key, or a list of them),
    each with the module of those rows. The rows of `changed` (of one key each) are locked, and what their module asks of a
    change applies to them; of the first of them `ifVersion` speaks. `patches` names the inputs that are changes, each with
    the key that it is for; `creates` those that a new row is made of, each with its module. `rights` names what the caller
    must have the right to (`create`, `update`, `delete`, `rows`), each with a module; nothing stands for changing rows of
    `module`.
    """

    module: Module
    name: str
    keys: Mapping[str, Module]
    changed: tuple[str, ...] = ()
    patches: Mapping[str, str] = field(default_factory=dict)
    creates: Mapping[str, Module] = field(default_factory=dict)
    rights: tuple[tuple[Module, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PayloadPart:
    """A field of a payload or of one row of it: `record`, `edge`, `current`, `rows`, `errors`, `result` and the like.

    Any other name is a row of `module` that a hand-written mutation keeps beside under that name.
    """

    module: Module
    name: str


@dataclass(frozen=True, slots=True)
class ChangeRoot:
    """`queueChanged(filter:)`."""

    module: Module


@dataclass(frozen=True, slots=True)
class HistoryRoot:
    """`history(of:)`."""


@dataclass(frozen=True, slots=True)
class ChangesRoot:
    """`changes(since:)`."""


@dataclass(frozen=True, slots=True)
class UndoRoot:
    """`undo`."""


@dataclass(frozen=True, slots=True)
class ChangePart:
    """A field of a change: `kind`, `id`, `version`, `record` or `changedFields`."""

    module: Module
    name: str


Binding = (
    OneRoot
    | ManyRoot
    | AggregateRoot
    | NodeRoot
    | VersionRoot
    | Builtin
    | Value
    | ToOne
    | ToMany
    | ComputedValue
    | ConnectionPart
    | AggregatePart
    | AggregateKeyPart
    | WriteRoot
    | ActionRoot
    | HandRoot
    | PayloadPart
    | ChangeRoot
    | HistoryRoot
    | ChangesRoot
    | UndoRoot
    | ChangePart
)
