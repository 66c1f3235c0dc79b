"""One more field by a form: it shows the YAML that it writes, checks it, and hands it to the editor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from schema.kinds import COMPUTED_SCALARS, KINDS
from schema.rewriting import LAMBDAS, CannotRewrite, add_item
from schema.yaml_text import Written, block
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.source_page import BEGIN, CHECK, Findings, Sheet, check, read_file
from web.pages.visit import Visit
from web.workshop import status_of

COMPUTED = "lambda:"  # before the types of fields that a lambda makes
WITH_OPTIONS = frozenset({"select", "radio", "multiselect"})
TICKS = ("required", "unique", "searchable", "show_in_list")
NAMES = ("name", "type", "label_en", "label_de", "help", "column", "options", "to", *TICKS)
FIRST_CODE = "return null;"
INDENT = 2


@dataclass(frozen=True, slots=True)
class Target:
    """The file that a field goes into, with its text before; a new one that extends where the module's own is shipped."""

    file: str
    source: str
    digest: str
    extends: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What the form makes: the lines of the field, the whole text, and what a check says of it; or why there is nothing."""

    yaml: str = ""
    source: str = ""
    findings: Findings | None = None
    problem: str = ""


async def show_field(visit: Visit) -> Response:
    """Show the form."""
    return await _form(visit, await find_target(visit), Made())


async def take_field(visit: Visit) -> Response:
    """Show what the form makes."""
    target = await find_target(visit)
    return await _form(visit, target, await _make(visit, target), "made" if visit.is_htmx else "")


async def find_target(visit: Visit) -> Target:
    """Find the module's topmost file, if it is one's own; else begin one."""
    name = str(visit.request.path_params["module"])
    status = status_of(visit.snapshot, name)
    if status is None or not status.files:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    found = await read_file(visit, status.files[-1])
    if found is not None and found["isOwn"]:
        return Target(found["file"], found["source"], found["digest"], extends=False)
    source = str((await visit.ask(BEGIN, {"extend": name})).data["scaffoldModule"])
    file = str((await visit.ask(CHECK, {"source": source})).data["checkModule"]["file"])
    return Target(file, source, "", extends=True)


async def _make(visit: Visit, target: Target) -> Made:
    section, item = item_of({name: visit.form.one(name).strip() for name in NAMES})
    if not item["name"]:
        return Made()
    try:
        source = add_item(target.source, section, item)
    except CannotRewrite as error:
        return Made(problem=str(error))
    findings = await check(visit, Sheet(target.file, source, target.digest))
    return Made(f"{section}:\n{block(item, INDENT)}", source, replace(findings, diff=()))


def item_of(typed: Mapping[str, str]) -> tuple[str, dict[str, Written]]:
    """Return the section of the file that a form is about, and the item that it makes."""
    is_computed = typed["type"].startswith(COMPUTED)
    kind = typed["type"].removeprefix(COMPUTED)
    item: dict[str, Written] = {"name": typed["name"], "type": kind}
    if not is_computed and typed["column"]:
        item["column"] = typed["column"]
    if label := _label(typed):
        item["label"] = label
    if typed["help"]:
        item["help"] = typed["help"]
    if is_computed:
        item |= {"show_in_list": True} if typed["show_in_list"] else {}
        return LAMBDAS, item | {"lambda": FIRST_CODE}
    if kind == "reference" and typed["to"]:
        item["to"] = typed["to"]
    if kind in WITH_OPTIONS:
        item["options"] = options_of(typed["options"])
    return "fields", item | {name: True for name in TICKS if typed[name]}


def _label(typed: Mapping[str, str]) -> Written:
    found = {language: typed[f"label_{language}"] for language in ("en", "de") if typed[f"label_{language}"]}
    return found["en"] if set(found) == {"en"} else found


def options_of(text: str) -> Sequence[Written]:
    """Read options, one a line: `VALUE = label`, or a value alone."""
    made: list[Written] = []
    for line in text.splitlines():
        value, _, label = (part.strip() for part in line.partition("="))
        if value:
            made.append({"value": value, "label": label or value})
    return made


async def _form(visit: Visit, target: Target, made: Made, part: str = "") -> Response:
    module = visit.snapshot.modules.get(str(visit.request.path_params["module"]))
    values: dict[str, Any] = {name: visit.form.one(name) for name in NAMES}
    return visit.page(
        "modules/field.html",
        block=part,
        name=visit.request.path_params["module"],
        label=module.singular.in_language(visit.look.lang) if module else visit.request.path_params["module"],
        target=target,
        made=made,
        typed=values,
        kinds=list(KINDS),
        computed=[(f"{COMPUTED}{kind}", kind) for kind in COMPUTED_SCALARS],
        ticks=TICKS,
        modules=sorted(visit.snapshot.modules),
    )
