"""The rows of an export, page by page: each page is an operation that runs exactly as one sent to `/graphql`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import orjson
from graphql import OperationDefinitionNode

from identity.errors import NotSignedIn
from resolvers.context import COST_LIMIT
from resolvers.csv_cells import UNREADABLE, write_cell, write_row
from resolvers.listing import ROOT, Column, list_document
from web.edge import Note
from web.errors import Code, Refused
from web.export_request import Export
from web.live import Call, Live
from web.operation import run
from web.recognition import Caller, unauthenticated

PAGE_SIZE = 500
# A page in the middle is tried again while the server is busy or the database away; the first is an answer as any other.
TRIES = 10
PAUSE_S = 0.5
_CELL_DEPTH = 4  # rows, nodes, the row's place, the column: an error there concerns one cell

Errors = Sequence[Mapping[str, Any]]


class Broken(Exception):
    """A page could not be read; `errors` are what a client of `/graphql` would see."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        super().__init__(str(errors[0]["message"]))

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(self.errors[0]["extensions"]["code"])


async def read_pages(live: Live, export: Export, request_id: str) -> AsyncGenerator[str]:
    """Yield the rows as text, a page at a time. Raises `Broken` or `Refused`.

    Pages go by cursors, so that each row is there once while others come and go; rows without a key go by their place.
    """
    document = list_document(export.snapshot.schema_for(export.audience), export.module, export.columns, export.wanted)
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode):
        raise TypeError("the document of a list is one operation")
    size = min(PAGE_SIZE, COST_LIMIT // (2 * len(export.columns) + 1))
    variables: dict[str, Any] = {**export.wanted.variables(), "first": size}
    tries = 1
    while True:
        deadline = time.monotonic() + live.settings.request_seconds
        caller = await _again(live, export)
        call = Call(export.snapshot, document, operation, dict(variables), caller, request_id, deadline)
        page, errors = await _read(live, call, tries)
        yield "".join(_lines(page["nodes"], export.columns, errors))
        if not page["pageInfo"]["hasNextPage"]:
            return
        if export.module.has_id:
            variables["after"] = page["pageInfo"]["endCursor"]
        else:
            variables["offset"] = variables.get("offset", 0) + size
        tries = TRIES


async def _again(live: Live, export: Export) -> Caller:
    """Look at the caller anew: an export may take long. A database that is away is noticed by the page."""
    try:
        return await live.guard.again(export.caller)
    except NotSignedIn:
        raise unauthenticated() from None
    except Refused:
        return export.caller


async def _read(live: Live, call: Call, tries: int) -> tuple[Mapping[str, Any], Errors]:
    for left in reversed(range(tries)):
        try:
            return await _page(live, call)
        except (Broken, Refused) as error:
            if not left or error.code != Code.UNAVAILABLE:
                raise
        await asyncio.sleep(PAUSE_S)
    raise TypeError("a page is tried once at least")


async def _page(live: Live, call: Call) -> tuple[Mapping[str, Any], Errors]:
    outcome = await run(live, call, Note(call.request_id))
    if outcome.errors:
        raise Broken(outcome.errors)
    answer = orjson.loads(outcome.body)
    errors: Errors = answer.get("errors", ())
    elsewhere = [error for error in errors if len(error.get("path", ())) < _CELL_DEPTH]
    if elsewhere or answer["data"] is None:
        raise Broken(elsewhere or errors)
    return answer["data"][ROOT], errors


def _lines(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], errors: Errors) -> list[str]:
    """Write rows; a cell that could not be read says so, for nobody would miss it if it were empty."""
    keys = [(f"c{number}", column) for number, column in enumerate(columns)]
    bad = {(error["path"][2], error["path"][3]) for error in errors}
    return [
        write_row(
            UNREADABLE if (place, key) in bad else write_cell(column.read(row, key), as_json=column.as_json)
            for key, column in keys
        )
        for place, row in enumerate(rows)
    ]
