"""Fields by a form: one more, another form of one that the site has added, or none of it. It shows the YAML before anything is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from schema.kinds import COMPUTED_SCALARS, KINDS
from schema.rewriting import LAMBDAS, CannotRewrite, add_item
from schema.rewriting_access import field_rule, set_field_rule
from schema.rewriting_items import items_of, remove_item, replace_item
from schema.yaml_text import block
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.field_form import (
    COMPUTED,
    FIELDS,
    NAMES,
    NOT_IN_FORM,
    TICKS,
    WHO,
    item_of,
    rule_of,
    section_of,
    typed_of,
    typed_rule,
    wrong_limits,
)
from web.pages.source_page import BEGIN, CHECK, Findings, Sheet, check, read_file
from web.pages.visit import Visit
from web.workshop import status_of

INDENT = 2
REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Target:
    """The file that a field goes into, with its text before; a new one that extends where the module's own is shipped."""

    file: str
    source: str
    digest: str
    extends: bool


@dataclass(frozen=True, slots=True)
class Own:
    """A field that stands in the site's own file."""

    name: str
    section: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Made:
    """What the form makes: the lines of the field, the whole text, and what a check says of it; or why there is nothing."""

    yaml: str = ""
    source: str = ""
    findings: Findings | None = None
    problem: str = ""


async def show_field(visit: Visit) -> Response:
    """Show the form: empty, or with a field that the site has added."""
    target = await find_target(visit)
    name = visit.request.query_params.get("field", "")
    known = _known(target, name)
    if name and known is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    typed = dict.fromkeys(NAMES, "")
    if known is not None:
        section, item = known
        typed = typed_of(item, section) | typed_rule(_rule(target, name))
    return await _form(visit, target, Made(), typed, name)


async def take_field(visit: Visit) -> Response:
    """Show what the form makes: of a new field, of one that is there, or of the file without it."""
    target, was = await find_target(visit), visit.form.one("was")
    typed = {name: visit.form.one(name).strip() for name in NAMES}
    if visit.form.one("do") == REMOVE:
        made = await _without(visit, target, was)
        known = _known(target, was)
        typed = typed_of(known[1], known[0]) | typed_rule(_rule(target, was)) if known else typed
    else:
        made = await _make(visit, target, typed, was)
    return await _form(visit, target, made, typed, was, "made" if visit.is_htmx else "")


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


def _own(target: Target) -> list[Own]:
    """List the fields of the site's own file; of one that cannot be read none."""
    try:
        found = [(section, item) for section in (FIELDS, LAMBDAS) for item in items_of(target.source, section)]
    except CannotRewrite:
        return []
    return [
        Own(str(item["name"]), section, str(item.get("type", "")), typed_of(item, section)["label_en"])
        for section, item in found
        if isinstance(item.get("name"), str)
    ]


def _known(target: Target, name: str) -> tuple[str, Mapping[str, Any]] | None:
    """Find a field in the site's own file, with its section."""
    try:
        found = [(section, item) for section in (FIELDS, LAMBDAS) for item in items_of(target.source, section)]
    except CannotRewrite:
        return None
    return next((entry for entry in found if name and entry[1].get("name") == name), None)


def _rule(target: Target, name: str) -> Mapping[str, Any] | None:
    try:
        return field_rule(target.source, name)
    except CannotRewrite:
        return None


async def _make(visit: Visit, target: Target, typed: Mapping[str, str], was: str) -> Made:
    if not typed["name"]:
        return Made()
    if wrong := wrong_limits(typed):
        return Made(
            problem=visit.texts("field-no-number", fields=", ".join(visit.texts(f"field-{name}") for name in wrong))
        )
    section, known = section_of(typed), _known(target, was)
    if was and (known is None or known[0] != section):
        return Made(problem=visit.texts("field-other-section"))
    item = item_of(typed, known[1] if known else None)
    rule = rule_of(typed, _rule(target, was or typed["name"]))
    try:
        source = replace_item(target.source, section, was, item) if was else add_item(target.source, section, item)
        if was and was != typed["name"]:
            source = set_field_rule(source, was, None)
        source = set_field_rule(source, typed["name"], rule)
    except CannotRewrite as error:
        return Made(problem=str(error))
    lines = f"{section}:\n{block(item, INDENT)}"
    if rule:
        lines += f"access:\n{' ' * INDENT}fields:\n{block({typed['name']: rule}, INDENT).replace('- ', '  ', 1)}"
    return await _checked(visit, target, lines, source)


async def _without(visit: Visit, target: Target, name: str) -> Made:
    known = _known(target, name)
    if known is None:
        return Made(problem=visit.texts("field-gone"))
    try:
        source = set_field_rule(remove_item(target.source, known[0], name), name, None)
    except CannotRewrite as error:
        return Made(problem=str(error))
    made = await _checked(visit, target, "", source)
    return replace(made, yaml=visit.texts("field-removed", field=name))


async def _checked(visit: Visit, target: Target, lines: str, source: str) -> Made:
    return Made(lines, source, await check(visit, Sheet(target.file, source, target.digest)))


async def _form(  # noqa: PLR0917 - what the page is made of
    visit: Visit, target: Target, made: Made, typed: Mapping[str, str], was: str, part: str = ""
) -> Response:
    name = visit.request.path_params["module"]
    module = visit.snapshot.modules.get(str(name))
    return visit.page(
        "modules/field.html",
        block=part,
        name=name,
        label=module.singular.in_language(visit.look.lang) if module else name,
        target=target,
        made=made,
        typed=typed,
        was=was,
        own=_own(target),
        kinds=list(KINDS),
        computed=[(f"{COMPUTED}{kind}", kind) for kind in COMPUTED_SCALARS],
        ticks=(*TICKS, NOT_IN_FORM),
        who=WHO,
        modules=sorted(visit.snapshot.modules),
    )
