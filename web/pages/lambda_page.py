"""The editor of one lambda: its code, and beside it what the draft makes of real rows. Saving writes it into its module file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from schema.rewriting import CannotRewrite, code_of, replace_code
from schema.spec import Computed, Module
from web.errors import Code, Refused
from web.pages.administration import editor_policy, keys_of, show_problems, told
from web.pages.rules_code import rules_of_code
from web.pages.said import said_of, say
from web.pages.source_page import CHANGED, CONFLICT, PUBLISH, UNPROCESSABLE, Findings, read_file
from web.pages.visit import Visit

ROWS = 20
LONGEST = 400  # letters of a value that are shown
PREVIEW = """\
query Preview($input: PreviewLambdaInput!) {
  previewLambda(input: $input) {
    rows { id item value old error { message line column } log }
    error { message line column }
    cpuMs wallMs heapBytes rounds questions { verb args } examples { line holds message }
  }
}
"""
ALWAYS = ("item", "args", "me", "now", "log", "gql", "return", "const", "let", "function")
WHO = ("id", "login", "kind", "groups", "roles", "language")


@dataclass(frozen=True, slots=True)
class Draft:
    """A lambda in the editor: where it belongs, and what somebody typed."""

    module: Module
    computed: Computed
    file: str
    code: str
    digest: str
    where: str = ""
    args: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """A row that a draft was run over, ready for a template."""

    item: str
    old: str
    new: str
    is_same: bool
    error: Mapping[str, Any] | None
    log: Sequence[str]


async def show_lambda(visit: Visit) -> Response:
    """Show a lambda with what it makes of rows."""
    draft = await _stored(visit)
    return await _page(visit, draft)


async def take_lambda(visit: Visit) -> Response:
    """Try a draft, or save it."""
    module, computed = _computed(visit)
    form, place = visit.form, computed.code.place if computed.code else module.place
    draft = Draft(
        module, computed, place.file, form.one("code"), form.one("digest"), form.one("where"), form.one("args")
    )
    if form.one("do") == "save":
        return await _save(visit, draft)
    return await _page(visit, draft, block="result" if visit.is_htmx else "")


def _computed(visit: Visit) -> tuple[Module, Computed]:
    params = visit.request.path_params
    module = visit.snapshot.modules.get(params["module"])
    for computed in module.computed if module else ():
        if module is not None and computed.name == params["field"] and computed.code is not None:
            return module, computed
    raise Refused(404, visit.texts("lambda-gone"), Code.BAD_REQUEST)


async def _stored(visit: Visit) -> Draft:
    module, computed = _computed(visit)
    code = computed.code
    file = code.place.file if code else ""
    found = await read_file(visit, file)
    try:
        text = code_of(found["source"] if found else "", computed.name)
    except CannotRewrite:  # the file is broken: then the last good version is what there is to look at
        text = code.source if code else ""
    return Draft(module, computed, file, text, found["digest"] if found else "")


async def _save(visit: Visit, draft: Draft) -> Response:
    found = await read_file(visit, draft.file)
    try:
        source = replace_code(found["source"] if found else "", draft.computed.name, draft.code)
    except CannotRewrite as error:
        return await _page(visit, draft, UNPROCESSABLE, errors=[str(error)])
    given = {"source": source, "file": draft.file, "ifDigest": draft.digest}
    done = (await visit.ask(PUBLISH, {"input": given})).data["publishModule"]
    if not done["errors"]:
        return visit.see(say(visit.request.url.path, "published"))
    is_conflict = CHANGED in keys_of(done["errors"])
    if is_conflict and found:  # who reads this and saves again has been told
        draft = Draft(draft.module, draft.computed, draft.file, draft.code, found["digest"], draft.where, draft.args)
    findings = Findings(show_problems(done["problems"]), done["changes"])
    status = CONFLICT if is_conflict else UNPROCESSABLE
    return await _page(visit, draft, status, errors=told(done["errors"]), findings=findings)


async def _page(
    visit: Visit,
    draft: Draft,
    status: int = 200,
    *,
    block: str = "",
    errors: Sequence[str] = (),
    findings: Findings | None = None,
) -> Response:
    found, problem = await _preview(visit, draft)
    rows = [_row(item) for item in found["rows"]] if found else []
    on_disk = None if block else await read_file(visit, draft.file)
    return visit.page(
        "modules/lambda.html",
        status,
        block=block,
        headers=editor_policy(visit.nonce),
        draft=draft,
        is_own=on_disk is None or on_disk["isOwn"],
        names=orjson.dumps(_names(draft.module, draft.computed)).decode(),
        found=found,
        problem=problem,
        rows=rows,
        differing=sum(not row.is_same for row in rows),
        failing=sum(row.error is not None for row in rows),
        questions=[(item["verb"], text_of(item["args"])) for item in found["questions"]] if found else [],
        errors=errors,
        findings=findings,
        has_rules=rules_of_code(draft.code) is not None,
        is_no_rules=visit.request.query_params.get("rules") == "no",
        said=said_of(visit),
    )


async def _preview(visit: Visit, draft: Draft) -> tuple[Mapping[str, Any] | None, str]:
    """Run a draft; what cannot be run is told as a sentence."""
    given: dict[str, Any] = {
        "module": draft.module.name,
        "field": draft.computed.name,
        "code": draft.code,
        "first": ROWS,
    }
    for name, typed in (("filter", draft.where), ("args", draft.args)):
        if typed.strip():
            value = _object(typed)
            if value is None:
                return None, visit.texts("lambda-no-object", field=visit.texts(_LABELS[name]))
            given[name] = value
    try:
        return (await visit.ask(PREVIEW, {"input": given})).data["previewLambda"], ""
    except Refused as refused:
        if refused.status >= 500:  # noqa: PLR2004 - not what was typed is wrong
            raise
        return None, refused.message.removeprefix("previewLambda: ")


_LABELS = {"filter": "lambda-filter", "args": "lambda-args"}


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _row(item: Mapping[str, Any]) -> Tried:
    error = item["error"]
    same = error is None and item["value"] == item["old"]
    return Tried(text_of(item["item"]), text_of(item["old"]), text_of(item["value"]), same, error, item["log"])


def text_of(value: Any) -> str:
    """Return a value as a reader wants to see it."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _names(module: Module, computed: Computed) -> Mapping[str, Sequence[str]]:
    """Return what the editor completes, by what stands before the dot."""
    needs = computed.needs if computed.needs is not None else [item.name for item in module.fields if item.is_readable]
    return {
        "": ALWAYS,
        "item": sorted({name.partition(".")[0] for name in needs}),
        "args": [argument.name for argument in computed.args],
        "me": WHO,
    }
