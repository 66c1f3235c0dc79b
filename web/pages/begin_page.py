"""New modules: empty, from a table of the database, from a spreadsheet, or as an extension. Each way leads into the editor."""

from __future__ import annotations

from starlette.responses import Response

from web.errors import Refused
from web.pages.source_page import UNPROCESSABLE, begin, begin_with
from web.pages.visit import Visit

BASIS = "query Basis { moduleTables { name module } modules { name state } }"
FROM_CSV = "query FromCsv($name: String!, $csv: String!) { scaffoldModuleFromCsv(name: $name, csv: $csv) }"
WAYS = ("name", "table", "extend")


async def show_begin(visit: Visit) -> Response:
    """Show the ways."""
    return await _ways(visit)


async def take_begin(visit: Visit) -> Response:
    """Go one of the ways; what does not lead anywhere is told where it was asked for."""
    form, way = visit.form, visit.form.one("way")
    try:
        if way == "csv":
            given = {"name": form.one("name").strip(), "csv": form.one("csv")}
            source = (await visit.ask(FROM_CSV, given)).data["scaffoldModuleFromCsv"]
            return await begin_with(visit, str(source))
        if way in WAYS:
            return await begin(visit, {way: form.one(way).strip()})
    except Refused as refused:
        if refused.status >= 500:  # noqa: PLR2004 - not what was typed is wrong
            raise
        return await _ways(visit, way, refused.message.partition(": ")[2] or refused.message)
    return await _ways(visit)


async def _ways(visit: Visit, way: str = "", problem: str = "") -> Response:
    basis = (await visit.ask(BASIS)).data
    return visit.page(
        "modules/begin.html",
        UNPROCESSABLE if problem else 200,
        tables=basis["moduleTables"],
        modules=sorted(item["name"] for item in basis["modules"]),
        typed={name: visit.form.one(name) for name in (*WAYS, "csv")},
        way=way,
        problem=problem,
    )
