"""Rows from a CSV file: what it would do is shown before anything is written, with every row that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.deeds import read_done
from web.pages.form_page import NO_RIGHT
from web.pages.form_query import form_members
from web.pages.view import View
from web.pages.visit import Visit

FILE = "file"
UPLOAD = "upload"
COLUMN = "map."  # before a column of the file
BY_HEADER, LEFT_OUT = "", "-"
SHOWN_ERRORS = 100
JOB = (
    "id module state dryRun total done failed created updated ignoredColumns failure { message } "
    f"rowErrors(first: {SHOWN_ERRORS}) {{ row column message }}"
)
ASK = f"query Import($id: ID!) {{ importJob(id: $id) {{ {JOB} }} }}"
BEGIN = f"mutation Import($input: ImportRowsInput!) {{ done: importRows(input: $input) {{ job {{ {JOB} }} errors {{ code message path }} }} }}"


async def show_import(visit: Visit) -> Response:
    """Show the form; with `?job=` how far an import is."""
    view = _importing(visit)
    number = visit.request.query_params.get("job", "")
    if not number:
        return _page(visit, view)
    answer = await visit.ask(ASK, {"id": number})
    job = answer.data["importJob"]
    if job is None or job["module"] != view.module.name:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return _page(visit, view, job)


async def take_import(visit: Visit) -> Response:
    """Look at a file, or write its rows."""
    view = _importing(visit)
    upload = visit.form.files.get(FILE) or visit.form.one(UPLOAD)
    if not upload:
        return _page(visit, view, problem=visit.texts("import-no-file"))
    act = visit.form.one("act", "look")
    asked = {
        "module": view.module.name,
        "upload": upload,
        "mapping": [
            {"column": name, "field": "" if field == LEFT_OUT else field}
            for name, field in _mapping(visit).items()
            if field
        ],
        "upsertBy": visit.form.one("by") or None,
        "dryRun": act == "look",
        "policy": "SKIP_FAILED" if act == "good" else "ALL_OR_NOTHING",
    }
    answer = await visit.ask(BEGIN, {"input": asked})
    done = read_done(answer.data["done"])
    if not done.is_done:
        told = " ".join(message for messages in done.errors.values() for message in messages)
        return _page(visit, view, upload=upload, problem=told)
    job = done.payload["job"]
    if not job["dryRun"]:
        return visit.see(f"/modules/{view.module.name}/import?job={job['id']}")
    return _page(visit, view, job, upload=upload)


def _importing(visit: Visit) -> View:
    view = visit.view()
    if not view.imports:
        raise Refused(403, NO_RIGHT, Code.FORBIDDEN)
    return view


def _mapping(visit: Visit) -> dict[str, str]:
    """Return what somebody said of columns of the file."""
    return {name.removeprefix(COLUMN): visit.form.one(name) for name in visit.form.fields if name.startswith(COLUMN)}


def _page(
    visit: Visit, view: View, job: Mapping[str, Any] | None = None, *, upload: str = "", problem: str = ""
) -> Response:
    language, mapping = visit.look.lang, _mapping(visit)
    members = form_members(view, is_new=True)
    unknown = dict.fromkeys([*mapping, *(job["ignoredColumns"] if job else [])])
    return visit.page(
        "import.html",
        422 if problem else 200,
        view=view,
        job=job,
        upload=upload,
        problem=problem,
        by=visit.form.one("by"),
        keys=[(key.api_name, _key_label(view, key.api_name, language)) for key in view.module.row_keys],
        columns=[(name, mapping.get(name, BY_HEADER)) for name in unknown],
        fields=[(member.path, member.label.in_language(language)) for member in members],
        is_done=job is not None and job["state"] == "DONE",
        hidden_errors=max(0, job["failed"] - SHOWN_ERRORS) if job else 0,
    )


def _key_label(view: View, name: str, language: str) -> str:
    member = view.members.get(name)
    return member.label.in_language(language) if member else name
