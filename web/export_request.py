"""What an export is asked for by its address: the module, and which rows and columns, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from graphql import GraphQLSchema
from starlette.requests import Request

from identity.access import access_of
from identity.principals import audience_of
from resolvers.errors import OperationError
from resolvers.listing import Column, Wanted, default_columns, list_document, read_columns
from schema.snapshot import Snapshot
from schema.spec import Audience, Module
from web.body import check_shape, read_parameter
from web.errors import Code, Refused
from web.live import Live
from web.recognition import Caller

T = TypeVar("T")

MAX_QUERY_STRING = 30_000
SUFFIX = ".csv"
PARAMETERS = ("filter", "search", "orderBy", "columns", "language", "header", "bom")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Export:
    """Which rows and columns of which module, and how they are written; all of it from one snapshot."""

    snapshot: Snapshot
    module: Module
    columns: Sequence[Column]
    wanted: Wanted
    header: Sequence[str]
    has_mark: bool
    caller: Caller

    @property
    def audience(self) -> Audience:
        """Whose schema it is a list of."""
        return audience_of(self.caller.principal)


def read_export(request: Request, live: Live, caller: Caller) -> Export:
    """Read what is asked for. Raises `Refused`."""
    given = _parameters(request)
    snapshot = live.snapshot()
    schema = snapshot.schema_for(audience_of(caller.principal))
    module = _module(str(request.path_params["file"]), snapshot, schema)
    wanted = Wanted(_json(given, "filter", live), given.get("search") or None, _json(given, "orderBy", live))
    names = [name for name in given.get("columns", "").split(",") if name.strip()]
    try:
        columns = read_columns(schema, module, names) or default_columns(schema, module, access_of(caller.rights))
        list_document(schema, module, columns, wanted)
    except OperationError as error:
        raise Refused(400, str(error)) from None
    by_caption = _choice(given, "header", {"names": False, "captions": True}, default=False)
    language = given.get("language", "en")
    header = [column.caption(language) if by_caption else column.name for column in columns]
    has_mark = _choice(given, "bom", _FLAGS, default=False)
    return Export(snapshot, module, columns, wanted, header, has_mark, caller)


def _parameters(request: Request) -> dict[str, str]:
    raw: bytes = request.scope["query_string"]
    if len(raw) > MAX_QUERY_STRING:
        raise Refused(414, "The address is too long.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=len(PARAMETERS), errors="strict")
    except ValueError:
        raise Refused(400, "The address is not URL-encoded UTF-8, or has too many parameters.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise Refused(400, f"The parameter {name[:50]!r} is unknown; there are {', '.join(PARAMETERS)}.")
        if name in found:
            raise Refused(400, "The address names a parameter twice.")
        found[name] = value
    return found


def _module(file: str, snapshot: Snapshot, schema: GraphQLSchema) -> Module:
    """Return the module that a file is named after, if the caller's schema has it."""
    name = file.removesuffix(SUFFIX)
    module = snapshot.modules.get(name) if name != file else None
    if module is None or schema.get_type(module.type_name) is None:
        raise Refused(404, "There is no module to export at this address.")
    if module.features.get("export_csv") is False:
        message = f"Rows of `{module.name}` are not exported: its module file says `export_csv: false`."
        raise Refused(403, message, Code.FORBIDDEN)
    return module


def _json(given: Mapping[str, str], name: str, live: Live) -> Any:
    value = read_parameter(name, given.get(name, ""))
    if isinstance(value, dict | list):
        limits = live.settings
        check_shape(name, {name: value}, max_depth=limits.variable_depth, max_items=limits.variable_items)
    return value


def _choice(given: Mapping[str, str], name: str, choices: Mapping[str, T], *, default: T) -> T:
    if name not in given:
        return default
    if given[name] not in choices:
        raise Refused(400, f"The parameter `{name}` is one of {', '.join(choices)}.")
    return choices[given[name]]
