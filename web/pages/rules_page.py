"""The rule builder: a computed field by `when … then …`, with the JavaScript it writes and what it makes of real rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from schema.rewriting import LAMBDAS, CannotRewrite, add_item, code_of, replace_code
from schema.rewriting_items import item_named, replace_item
from schema.spec import Module
from schema.yaml_text import Written
from web.errors import NOTHING_HERE, Code, Refused
from web.pages.administration import told
from web.pages.field_form import FIRST_CODE
from web.pages.field_page import Target, find_target
from web.pages.lambda_page import PREVIEW, ROWS, text_of
from web.pages.rules_code import KINDS, OPERATORS, TONES, RuleSet, code_of_rules, rules_of_code
from web.pages.rules_form import Typed, askable, edited, padded, rules_of, typed_from, typed_of
from web.pages.said import say
from web.pages.source_page import CHANGED, CONFLICT, PUBLISH, UNPROCESSABLE, Findings, Sheet, check, read_file
from web.pages.visit import Visit

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class About:
    """The field that the rules are of: a new one, or one whose code came from rules."""

    name: str
    label_en: str
    label_de: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What comes of the rules: code, the file with it in, what a check says, and rows with what it makes of them."""

    code: str = ""
    source: str = ""
    findings: Findings | None = None
    rows: Sequence[tuple[str, str, str, str]] = ()  # what it was given, value, tone, error
    problem: str = ""


async def show_rules(visit: Visit) -> Response:
    """Show the form: empty, or with the rules that a field was made of."""
    module, name = _module(visit), str(visit.request.path_params.get("field", ""))
    if not name:
        return await _page(visit, module, About("", "", "", is_new=True), padded(Typed()), await find_target(visit))
    rules, target = await _stored(visit, module, name)
    if rules is None:
        return visit.see(f"/admin/modules/{quote(module.name)}/lambdas/{quote(name)}?rules=no")
    return await _page(visit, module, _about(target, name), padded(typed_from(rules)), target, rules)


async def take_rules(visit: Visit) -> Response:
    """Show what comes of what was typed, or publish it."""
    module, given = _module(visit), str(visit.request.path_params.get("field", ""))
    form, typed = visit.form, typed_of(visit.form)
    target = (await _stored(visit, module, given))[1] if given else await find_target(visit)
    about = About(
        given or form.one("name").strip(), form.one("label_en").strip(), form.one("label_de").strip(), not given
    )
    if edited(typed, form.one("do")):
        return await _page(visit, module, about, padded(typed), target)
    rules = rules_of(typed, askable(visit.snapshot, module, visit.look.lang), visit.texts)
    if rules is not None and not _NAME.fullmatch(about.name):
        typed.wrong[0] = [visit.texts("rules-name")]
        rules = None
    if form.one("do") == "publish" and rules is not None:
        return await _publish(visit, module, about, typed, target, rules)
    status = UNPROCESSABLE if form.one("do") == "publish" else 200
    return await _page(visit, module, about, padded(typed), target, rules, status, part="made" if visit.is_htmx else "")


def _module(visit: Visit) -> Module:
    found = visit.snapshot.modules.get(str(visit.request.path_params["module"]))
    if found is None:
        raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
    return found


async def _stored(visit: Visit, module: Module, name: str) -> tuple[RuleSet | None, Target]:
    """Read the rules of a field out of the file that it stands in. Raises `Refused` (404)."""
    computed = next((item for item in module.computed if item.name == name and item.code is not None), None)
    found = await read_file(visit, computed.code.place.file) if computed and computed.code else None
    if found is None:
        raise Refused(404, visit.texts("lambda-gone"), Code.BAD_REQUEST)
    target = Target(found["file"], found["source"], found["digest"], extends=False)
    try:
        return rules_of_code(code_of(found["source"], name)), target
    except CannotRewrite:
        return None, target


def _about(target: Target, name: str) -> About:
    item = item_named(target.source, LAMBDAS, name) or {}
    label = item.get("label")
    if isinstance(label, Mapping):
        return About(name, str(label.get("en", "")), str(label.get("de", "")), is_new=False)
    return About(name, str(label or ""), "", is_new=False)


def written(target: Target, about: About, rules: RuleSet) -> str:
    """Return the file with the rules in it. Raises `CannotRewrite`."""
    code = code_of_rules(rules)
    label: Written = {key: text for key, text in (("en", about.label_en), ("de", about.label_de)) if text}
    own: dict[str, Written] = {"name": about.name, "type": rules.kind}
    if label:
        own["label"] = label
    if about.is_new:
        item = {**own, "show_in_list": True, "needs": list(rules.needs), "lambda": FIRST_CODE}
        source = add_item(target.source, LAMBDAS, item)
    else:
        before = item_named(target.source, LAMBDAS, about.name) or {}
        changed = {**before, **own, "needs": list(rules.needs), "lambda": FIRST_CODE}
        source = replace_item(target.source, LAMBDAS, about.name, changed)
    return replace_code(source, about.name, code)


async def _make(visit: Visit, module: Module, about: About, target: Target, rules: RuleSet | None) -> Made:
    if rules is None:
        return Made()
    code = code_of_rules(rules)
    rows, problem = await _preview(visit, module, about, rules, code)
    if not about.name:
        return Made(code, rows=rows, problem=problem)
    try:
        source = written(target, about, rules)
    except CannotRewrite as error:
        return Made(code, rows=rows, problem=str(error))
    findings = await check(visit, Sheet(target.file, source, target.digest))
    return Made(code, source, findings, rows, problem)


async def _preview(
    visit: Visit, module: Module, about: About, rules: RuleSet, code: str
) -> tuple[Sequence[tuple[str, str, str, str]], str]:
    given: dict[str, Any] = {
        "module": module.name,
        "code": code,
        "type": rules.kind,
        "needs": list(rules.needs),
        "first": ROWS,
    }
    if not about.is_new:
        given["field"] = about.name
    try:
        found = (await visit.ask(PREVIEW, {"input": given})).data["previewLambda"]
    except Refused as refused:
        if refused.status >= 500:  # noqa: PLR2004 - not what was typed is wrong
            return (), visit.texts("rules-no-preview")
        return (), refused.message.removeprefix("previewLambda: ")
    problem = found["error"]["message"] if found["error"] else ""
    return [_row(item) for item in found["rows"]], problem


def _row(item: Mapping[str, Any]) -> tuple[str, str, str, str]:
    value, error = item["value"], item["error"]
    if isinstance(value, Mapping):
        return text_of(item["item"]), str(value.get("text", "")), str(value.get("tone", "")), ""
    return text_of(item["item"]), "" if value is None else text_of(value), "", error["message"] if error else ""


async def _publish(  # noqa: PLR0917 - what the page is made of
    visit: Visit, module: Module, about: About, typed: Typed, target: Target, rules: RuleSet
) -> Response:
    form = visit.form
    try:
        source = written(target, about, rules)
    except CannotRewrite as error:
        typed.wrong[0] = [str(error)]
        return await _page(visit, module, about, padded(typed), target, rules, UNPROCESSABLE)
    given = {"source": source, "file": target.file if target.digest else None, "ifDigest": form.one("digest")}
    done = (await visit.ask(PUBLISH, {"input": given})).data["publishModule"]
    if not done["errors"]:
        return visit.see(say(f"/admin/modules/{quote(module.name)}/lambdas/{quote(about.name)}", "published"))
    typed.wrong[0] = told(done["errors"])
    is_conflict = any(error["messageKey"] == CHANGED for error in done["errors"])
    return await _page(visit, module, about, padded(typed), target, rules, CONFLICT if is_conflict else UNPROCESSABLE)


async def _page(  # noqa: PLR0917 - the same
    visit: Visit,
    module: Module,
    about: About,
    typed: Typed,
    target: Target,
    rules: RuleSet | None = None,
    status: int = 200,
    *,
    part: str = "",
) -> Response:
    return visit.page(
        "modules/rules.html",
        status,
        block=part,
        module=module,
        about=about,
        typed=typed,
        target=target,
        made=await _make(visit, module, about, target, rules),
        fields=askable(visit.snapshot, module, visit.look.lang),
        operators=list(OPERATORS),
        tones=TONES,
        kinds=KINDS,
    )
