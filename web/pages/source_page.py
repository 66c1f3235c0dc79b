"""The editor of a module file: its text, what a check finds, what differs from what serves, and publishing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from schema.snapshot import ModuleState
from web.errors import Code, Refused
from web.pages.administration import (
    PROBLEM,
    Finding,
    editor_policy,
    keys_of,
    show_diff,
    show_problems,
    source_address,
    told,
    unified,
)
from web.pages.module_drafts import FORGET, SAVE, Draft, Drafts, forget, read_drafts, take_draft
from web.pages.said import said_of, say
from web.pages.visit import Visit
from web.workshop import status_of

FILE = "query File($file: String!) { moduleFile(file: $file) { file source digest module isOwn } }"
BEGIN = """\
query Begin($name: String, $table: String, $extend: String) { scaffoldModule(name: $name, table: $table, extend: $extend) }
"""
CHECK = f"""\
query Check($source: String!, $file: String) {{
  checkModule(source: $source, file: $file) {{ file problems {{ {PROBLEM} }} changes {{ kind module description }} }}
}}
"""
PUBLISH = f"""\
mutation Publish($input: PublishModuleInput!) {{
  publishModule(input: $input) {{
    file problems {{ {PROBLEM} }} changes {{ kind module description }} errors {{ message messageKey }}
  }}
}}
"""
SERVED = "query Served($name: String!) { moduleVersions(name: $name, first: 10) { file source } }"
BREAKING, CHANGED = "module-breaking", "module-changed"
UNPROCESSABLE, CONFLICT = 422, 409


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found: problems, what changes for clients, and what differs from what serves."""

    problems: Sequence[Finding] = ()
    changes: Sequence[Mapping[str, str]] = ()
    diff: Sequence[tuple[str, str]] = ()
    file: str = ""  # where the text would be put

    @property
    def is_fine(self) -> bool:
        """Whether nothing keeps the file from going live."""
        return all(problem.level != "ERROR" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The editor as it is to be shown. `digest` is what the text started from, empty for a new file."""

    file: str
    source: str
    digest: str = ""
    module: str = ""
    is_own: bool = True
    findings: Findings | None = None
    errors: Sequence[str] = ()
    may_break: bool = False  # its author is asked whether clients may break
    theirs: Sequence[tuple[str, str]] = ()  # what differs from what somebody else published meanwhile
    exists: bool = False
    lambdas: Sequence[str] = ()


async def show_source(visit: Visit) -> Response:
    """Show a file, or the beginning of an extension."""
    params = visit.request.query_params
    if extended := params.get("extend"):
        return await begin(visit, {"extend": extended})
    found = await read_file(visit, params.get("file", ""))
    drafts = await read_drafts(visit, params.get("file", ""))
    if params.get("draft") == "1" and drafts.mine is not None:
        return await _show_draft(visit, found, drafts.mine)
    if found is None:
        raise Refused(404, visit.texts("source-gone"), Code.BAD_REQUEST)
    return _editor(visit, _sheet(visit, found), drafts=drafts)


async def take_source(visit: Visit) -> Response:
    """Do with a text what its form asks for: check it, publish it, or show it in the editor."""
    form = visit.form
    sheet = Sheet(form.one("file"), form.one("source"), form.one("digest"), form.one("module"))
    if form.one("do") == "publish":
        return await _publish(visit, sheet)
    if form.one("do") in (SAVE, FORGET):
        kept = await take_draft(visit, sheet.file, sheet.source, sheet.digest)
        return kept if isinstance(kept, Response) else _editor(visit, replace(sheet, errors=kept), UNPROCESSABLE)
    return await show_checked(visit, sheet, block="findings" if visit.is_htmx else "")


async def begin(visit: Visit, given: Mapping[str, str]) -> Response:
    """Show the beginning of a file. One that is there already is shown itself, if it is the extension that was asked for."""
    source = str((await visit.ask(BEGIN, given)).data["scaffoldModule"])
    return await begin_with(visit, source, opens_existing="extend" in given)


async def begin_with(visit: Visit, source: str, *, opens_existing: bool = False) -> Response:
    """Show a text as the beginning of a new file."""
    file = str((await visit.ask(CHECK, {"source": source})).data["checkModule"]["file"])
    existing = await read_file(visit, file)
    if existing is not None and opens_existing:
        return visit.see(source_address(file))
    return await show_checked(visit, Sheet(file, source, exists=existing is not None))


async def read_file(visit: Visit, file: str) -> Mapping[str, Any] | None:
    """Read a file as it is on the disk."""
    found: Mapping[str, Any] | None = (await visit.ask(FILE, {"file": file})).data["moduleFile"]
    return found


async def show_checked(visit: Visit, sheet: Sheet, *, block: str = "") -> Response:
    """Show a text with what a check finds."""
    checked = await check(visit, sheet)
    on_disk = await read_file(visit, sheet.file) if sheet.digest and not block else None
    is_own = on_disk is None or bool(on_disk["isOwn"])
    file = sheet.file if sheet.digest else checked.file  # a new file goes by the name in it
    return _editor(visit, replace(sheet, file=file, findings=checked, is_own=is_own), block=block)


async def check(visit: Visit, sheet: Sheet) -> Findings:
    """Check a text as if it were published."""
    answer = await visit.ask(CHECK, {"source": sheet.source, "file": sheet.file if sheet.digest else None})
    found = answer.data["checkModule"]
    return await findings_of(visit, sheet, found["file"], found)


async def findings_of(visit: Visit, sheet: Sheet, file: str, found: Mapping[str, Any]) -> Findings:
    """Make what was found ready for a template."""
    served = await _served(visit, file)
    diff = show_diff(unified(served, sheet.source, file, visit.texts("source-new") if not served else file))
    return Findings(show_problems(found["problems"]), found["changes"], diff, file)


async def _served(visit: Visit, file: str) -> str:
    """Return the text of a file that serves: the file itself, or its last good version while it is broken."""
    on_disk = await read_file(visit, file)
    if on_disk is None:
        return ""
    status = next((item for item in visit.snapshot.status if file in item.files), None)
    if status is None or status.state is ModuleState.LIVE:
        return str(on_disk["source"])
    kept = (await visit.ask(SERVED, {"name": status.name})).data["moduleVersions"]
    return next((str(item["source"]) for item in kept if item["file"] == file), "")


async def _publish(visit: Visit, sheet: Sheet) -> Response:
    given = {
        "source": sheet.source,
        "file": sheet.file if sheet.digest else None,
        "ifDigest": sheet.digest,
        "allowBreaking": visit.form.one("allow") == "1",
    }
    done = (await visit.ask(PUBLISH, {"input": given})).data["publishModule"]
    if not done["errors"]:
        if sheet.file != done["file"]:
            await forget(visit, sheet.file)
        return visit.see(say(source_address(done["file"]), "published"))
    keys = keys_of(done["errors"])
    on_disk = await read_file(visit, done["file"] or sheet.file)
    findings = await findings_of(visit, sheet, sheet.file, done)
    shown = replace(sheet, findings=findings, errors=told(done["errors"]), may_break=BREAKING in keys)
    if on_disk is not None and (CHANGED in keys or done["file"]):
        difference = unified(on_disk["source"], sheet.source, sheet.file, sheet.file) if CHANGED in keys else ""
        shown = replace(shown, digest=on_disk["digest"], theirs=show_diff(difference), is_own=bool(on_disk["isOwn"]))
    return _editor(visit, shown, CONFLICT if CHANGED in keys else UNPROCESSABLE)


def _sheet(visit: Visit, found: Mapping[str, Any]) -> Sheet:
    status = status_of(visit.snapshot, found["module"]) or next(
        (item for item in visit.snapshot.status if found["file"] in item.files), None
    )
    problems = [problem for problem in status.problems if problem.file == found["file"]] if status else []
    as_asked = [
        {name: getattr(problem, name) for name in PROBLEM.split()} | {"level": problem.level.name}
        for problem in problems
    ]
    name = status.name if status else str(found["module"])
    return Sheet(
        found["file"],
        found["source"],
        found["digest"],
        name,
        is_own=bool(found["isOwn"]),
        findings=Findings(show_problems(as_asked)) if as_asked else None,
        lambdas=_lambdas(visit, name, found["file"]),
    )


async def _show_draft(visit: Visit, found: Mapping[str, Any] | None, draft: Draft) -> Response:
    """Show a draft in the place of the file, with what differs from what serves."""
    known = _sheet(visit, found) if found is not None else Sheet(draft.file, "")
    sheet = replace(known, source=draft.source, digest=draft.basis)
    findings = await check(visit, sheet)
    return _editor(visit, replace(sheet, findings=findings), drafts=Drafts(shown=draft))


def _lambdas(visit: Visit, name: str, file: str) -> list[str]:
    module = visit.snapshot.modules.get(name)
    return [item.name for item in module.computed if item.code and item.code.place.file == file] if module else []


def _editor(
    visit: Visit, sheet: Sheet, status: int = 200, *, block: str = "", drafts: Drafts | None = None
) -> Response:
    line = visit.request.query_params.get("line", "")
    return visit.page(
        "modules/source.html",
        status,
        block=block,
        headers=editor_policy(visit.nonce),
        sheet=sheet,
        drafts=(drafts or Drafts()).beside(sheet.source),
        findings=sheet.findings,
        line=line if line.isascii() and line.isdigit() else "",
        said=said_of(visit),
    )
