"""A module's list as a document made from data: which columns, by which filter, search and order. Exports and saved views use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import DocumentNode, GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, parse
from graphql.type import is_required_argument

from identity.access import Access, Right
from resolvers.analysis import analyse
from resolvers.context import Context
from resolvers.errors import BadRequest
from resolvers.selection import select
from schema.bindings import BINDING, ComputedValue, ToOne, Value
from schema.spec import Computed, Field, Module

COLUMN_LIMIT = 300
BETWEEN = ": "  # in captions: `Queue: Name`
ROOT = "rows"
_STRUCTURED = frozenset({"JSON"})
_BUILTIN_CAPTIONS: Mapping[str, str] = {"id": "ID", "databaseId": "Number", "version": "Version"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: its path in the API, at most one reference deep, and the captions of its steps."""

    path: tuple[str, ...]
    members: tuple[Field | Computed | str, ...]
    as_json: bool

    @property
    def name(self) -> str:
        """The path as it is written: `queue.name`."""
        return ".".join(self.path)

    def caption(self, language: str) -> str:
        """Return what people call it."""
        return BETWEEN.join(
            _BUILTIN_CAPTIONS.get(item, item) if isinstance(item, str) else item.label.in_language(language)
            for item in self.members
        )

    def read(self, row: Mapping[str, Any], key: str) -> Any:
        """Return its value in a row of the answer, where it stands under `key`."""
        value = row[key]
        return value["v"] if value is not None and len(self.path) > 1 else value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a list, as a client says it: filter and order as the API takes them."""

    filter: Any = None
    search: str | None = None
    order_by: Any = None

    def variables(self) -> dict[str, Any]:
        """Return the variables of the list's document."""
        given = {"filter": self.filter, "search": self.search, "orderBy": self.order_by}
        return {name: value for name, value in given.items() if value is not None}


def read_columns(schema: GraphQLSchema, module: Module, names: Iterable[str]) -> tuple[Column, ...]:
    """Find columns by their paths; a reference alone stands for what its rows are called by. Raises `BadRequest`."""
    found = tuple(_read_column(schema, module, name) for name in names)
    if len(found) > COLUMN_LIMIT:
        raise BadRequest(f"columns: at most {COLUMN_LIMIT}; these are {len(found)}.")
    return found


def default_columns(schema: GraphQLSchema, module: Module, access: Access) -> tuple[Column, ...]:
    """Return every column that a file with all of a row's own values needs: the key, and each field in the file's order.

    What the caller may not see is left out.
    """
    fields = _object(schema, module.type_name).fields
    names = ["databaseId"] if "databaseId" in fields else []
    for name, field in fields.items():
        binding = _binding(field)
        is_value = isinstance(binding, Value) and is_leaf_type(get_named_type(field.type))  # a file is none
        if not isinstance(binding, Value | ToOne) or not access.sees(module, binding.field):
            continue
        if isinstance(binding, ToOne) and not access.may(binding.target, Right.VIEW):
            continue
        if is_value or (isinstance(binding, ToOne) and _shown_key(schema, binding.target)):
            names.append(name)
    # A reference with a stored text is told by that text: the row that it names may not be there.
    raw = {item.api_name for item in module.shown_fields if item.raw_name in names}
    return read_columns(schema, module, [name for name in names if name not in raw])


def list_document(schema: GraphQLSchema, module: Module, columns: Sequence[Column], wanted: Wanted) -> DocumentNode:
    """Make the document of a page: `rows { nodes { c0 c1 … } pageInfo }`. Raises `BadRequest` where the list takes no such word."""
    root = _query_field(schema, module)
    takes = {name: str(argument.type) for name, argument in root.args.items()}
    for name in wanted.variables():
        if name not in takes:
            raise BadRequest(f"{name}: this list takes none.")
    paging = "after" if "after" in takes else "offset"
    used = [name for name in ("filter", "search", "orderBy", "first", paging) if name in takes]
    declared = ", ".join(f"${name}: {takes[name]}" for name in used)
    given = ", ".join(f"{name}: ${name}" for name in used)
    cells = " ".join(f"c{number}: {_selection(column.path)}" for number, column in enumerate(columns))
    return parse(
        f"query Rows({declared}) {{ {ROOT}: {module.many_root}({given}) "
        f"{{ nodes {{ {cells} }} pageInfo {{ endCursor hasNextPage }} }} }}",
        no_location=True,
    )


def check_list(context: Context, module: Module, columns: Sequence[str], wanted: Wanted) -> None:
    """Check that a list can be asked for so, without asking. Raises `OperationError` or `GraphQLError`, as asking would."""
    found = read_columns(context.schema, module, columns) or default_columns(context.schema, module, context.access)
    document = list_document(context.schema, module, found, wanted)
    trial = replace(context)  # what is counted there does not count here
    analyse(trial, select(trial.schema, document, None, wanted.variables()))


def shown_module(context: Context, name: str) -> Module | None:
    """Return a module that is part of the caller's schema, and that he may view."""
    module = context.snapshot.modules.get(name)
    if module is None or context.schema.get_type(module.type_name) is None:
        return None
    return module if context.access.may(module, Right.VIEW) else None


# --- columns ---


def _read_column(schema: GraphQLSchema, module: Module, name: str) -> Column:
    steps = tuple(part.strip() for part in name.split("."))
    if len(steps) > 2:  # noqa: PLR2004 - a reference and a field of its target
        raise BadRequest(f"columns: `{name[:100]}` leads further than one reference.")
    field = _field(schema, module, steps[0], name)
    binding = _binding(field)
    if isinstance(binding, ToOne):
        last = steps[1] if len(steps) > 1 else _shown_key(schema, binding.target)
        if last is None:
            raise BadRequest(f"columns: say which field of `{name}`, such as `{name}.id`.")
        below = _field(schema, binding.target, last, name)
        return Column((steps[0], last), (binding.field, _leaf(below, last, name)), _is_structured(below))
    if len(steps) > 1:
        raise BadRequest(f"columns: `{steps[0][:100]}` is no reference, so `{name[:100]}` leads nowhere.")
    return Column(steps, (_leaf(field, steps[0], name),), _is_structured(field))


def _field(schema: GraphQLSchema, module: Module, step: str, name: str) -> GraphQLField:
    fields = _object(schema, module.type_name).fields
    if step not in fields:
        raise BadRequest(f"columns: there is no `{name[:100]}`.")
    found: GraphQLField = fields[step]
    return found


def _leaf(field: GraphQLField, step: str, name: str) -> Field | Computed | str:
    if not is_leaf_type(get_named_type(field.type)) or any(map(is_required_argument, field.args.values())):
        raise BadRequest(f"columns: `{name[:100]}` is no single value.")
    binding = _binding(field)
    if isinstance(binding, Value):
        return binding.field
    return binding.computed if isinstance(binding, ComputedValue) else step


def _shown_key(schema: GraphQLSchema, target: Module) -> str | None:
    """Name the field that a row is called by: its first unique text, else the first key that can be read."""
    fields = _object(schema, target.type_name).fields
    keys = [
        key
        for key in target.row_keys
        if key.api_name in fields and is_leaf_type(get_named_type(fields[key.api_name].type))
    ]
    named = next((key for key in keys if key.field is not None and key.scalar == "String"), None)
    found = named or next(iter(keys), None)
    if found is not None:
        return found.api_name
    return "id" if "id" in fields else None


def _is_structured(field: GraphQLField) -> bool:
    return get_named_type(field.type).name in _STRUCTURED


def _selection(path: Sequence[str]) -> str:
    return path[0] if len(path) == 1 else f"{path[0]} {{ v: {path[1]} }}"


def _binding(field: GraphQLField) -> Any:
    return (field.extensions or {}).get(BINDING)


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.get_type(name)
    if not isinstance(found, GraphQLObjectType):
        raise BadRequest(f"There is no type {name} here.")
    return found


def _query_field(schema: GraphQLSchema, module: Module) -> GraphQLField:
    if schema.query_type is None:
        raise BadRequest("There is no list here.")
    found: GraphQLField = schema.query_type.fields[module.many_root]
    return found
