"""From read relations, computed fields, hooks, actions and schedules to their specs, or to the problems with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.captions import words
from schema.check_example import make_example
from schema.check_field import read_code
from schema.cron import cron_error
from schema.defaults import WrongDefaultError, stored_default
from schema.expressions import parse
from schema.kinds import KINDS
from schema.spec import Action, Argument, Caption, Computed, Expression, Hook, Relation, Schedule
from schema.spot import Entry, Findings, shown
from schema.sql_reader import ExpressionError

SYSTEM_PRINCIPAL = "system"
_SETTINGS = ("list_position", "list_class")


def make_relation(entry: Entry, findings: Findings) -> Relation | None:
    """Make a relation of its section."""
    name, to = entry.get("name"), entry.get("to")
    if name is None or to is None:
        return None
    through = entry.says("through")
    if through == entry.says("by"):
        findings.add(
            entry.at("name"),
            "bad-relation",
            f"Relation `{name}` must have either `by` (has many) or `through` (many to many).",
            "For example `{name: tickets, to: ticket, by: queue}`.",
        )
        return None
    if through and not (entry.says("here") and entry.says("there")):
        findings.add(
            entry.at("through"),
            "missing-key",
            f"Relation `{name}` goes through a table and needs `here` and `there`.",
            "Name its column that points here, and its column that points at the target.",
            at_key=True,
        )
        return None
    for key in ("here", "there", "where"):
        if not through and entry.says(key):
            findings.add(
                entry.at(key),
                "bad-relation",
                f"`{key}` belongs to relations with `through`.",
                "Remove it.",
                at_key=True,
            )
    here, here_field = _end(entry, "here", findings)
    there, there_field = _end(entry, "there", findings)
    if through and (here is None or there is None or entry.get("through") is None):
        return None
    return Relation(
        name=name,
        to=to,
        place=entry.at("name").place,
        by=entry.get("by"),
        through=entry.get("through"),
        here=here,
        there=there,
        label=entry.get("label"),
        description=entry.get("description"),
        deprecated=entry.get("deprecated"),
        where=dict(entry.get("where") or {}),
        here_column=here_field or "",
        there_column=there_field or "",
    )


def _end(entry: Entry, key: str, findings: Findings) -> tuple[str | None, str | None]:
    """Read `here: queue_id` or `here: {user_id: login}` as (column of the table between, field of the module)."""
    value = entry.get(key)
    if isinstance(value, Entry):
        if len(value) != 1:
            findings.add(
                entry.at(key), "bad-relation", f"`{key}` must name one column.", "For example `here: {user_id: login}`."
            )
            return None, None
        return next(iter(value.items()))
    return value, None


def make_argument(name: str, entry: Entry, findings: Findings) -> Argument | None:
    """Make an argument of a computed field or an action."""
    kind = entry.get("type")
    if kind is None:
        return None
    if not KINDS[kind].scalar or kind == "file":
        findings.add(
            entry.at("type"),
            "bad-argument",
            f"Argument `{name}` cannot have the type `{kind}`.",
            "Use a type of single values, such as string, int, bool or datetime.",
        )
        return None
    default = entry.get("default")
    if default is not None:
        try:
            default = stored_default(kind, default)
        except WrongDefaultError as error:
            findings.add(
                entry.at("default"),
                "bad-default",
                f"The default of argument `{name}` must be {error}; found {shown(default)}.",
                "Change it or leave it out.",
            )
            default = None
    return Argument(name, kind, bool(entry.get("required", False)) and default is None, default, entry.get("label"))


def _arguments(entry: Entry, findings: Findings) -> tuple[Argument, ...]:
    read = entry.get("args") or {}
    made = (make_argument(name, part, findings) for name, part in read.items())
    return tuple(argument for argument in made if argument is not None)


def make_computed(entry: Entry, findings: Findings, *, gotrs: bool) -> Computed | None:
    """Make a computed field of its section."""
    name = entry.get("name")
    if name is None:
        return None
    by_code, by_sql = entry.says("lambda"), entry.says("sql")
    if by_code == by_sql:
        findings.add(
            entry.at("name"),
            "bad-computed-field",
            f"Computed field `{name}` must have either `lambda` or `sql`.",
            "For example `lambda: return item.name;`.",
        )
        return None
    code = read_code(entry["lambda"], entry.at("lambda"), findings) if "lambda" in entry else None
    expression = _expression(entry, findings) if "sql" in entry else None
    if code is None and expression is None:
        return None
    if by_sql:
        for key in ("needs", "args", "examples"):
            if entry.get(key):
                findings.add(
                    entry.at(key),
                    "bad-computed-field",
                    f"Computed field `{name}` is an SQL expression and has no `{key}`.",
                    "Remove it, or use `lambda`.",
                    at_key=True,
                )
    needs = entry.get("needs")
    return Computed(
        name=name,
        kind=entry.get("type", "html" if gotrs and by_code else "string"),
        place=entry.at("name").place,
        label=entry.get("label") or Caption(words(name)),
        needs=None if needs is None else tuple(needs),
        args=_arguments(entry, findings),
        code=code,
        expression=expression,
        examples=tuple(made for part in entry.get("examples") or () if (made := make_example(part, findings))),
        help=entry.get("help"),
        deprecated=entry.get("deprecated"),
        show_in_list=bool(entry.get("show_in_list", False)),
        show_in_form=bool(entry.get("show_in_form", False)),
        settings={key: entry[key] for key in _SETTINGS if key in entry},
    )


def _expression(entry: Entry, findings: Findings) -> Expression | None:
    try:
        return parse(entry["sql"])
    except ExpressionError as error:
        findings.add(
            entry.at("sql"), "bad-expression", f"The SQL expression of `{entry['name']}`: {error}.", error.hint
        )
        return None


def make_hooks(entry: Entry, findings: Findings) -> tuple[Hook, ...]:
    """Make hooks of their section: one for each event that it names."""
    if "on" not in entry or "lambda" not in entry:
        return ()
    if not entry["on"]:
        findings.add(entry.at("on"), "bad-value", "`on` is empty.", "Name an event, such as `before_update`.")
    code = read_code(entry["lambda"], entry.at("lambda"), findings)
    return () if code is None else tuple(Hook(on, code) for on in dict.fromkeys(entry["on"]))


def make_action(entry: Entry, findings: Findings) -> Action | None:
    """Make an action of its section."""
    name = entry.get("name")
    if name is None or "lambda" not in entry:
        return None
    code = read_code(entry["lambda"], entry.at("lambda"), findings)
    if code is None:
        return None
    return Action(
        name=name,
        label=entry.get("label") or Caption(words(name)),
        code=code,
        place=entry.at("name").place,
        args=_arguments(entry, findings),
        confirm=entry.get("confirm"),
        deprecated=entry.get("deprecated"),
    )


def make_schedule(entry: Entry, findings: Findings) -> Schedule | None:
    """Make a schedule of its section."""
    if not {"name", "cron", "lambda"} <= entry.keys():
        return None
    code = read_code(entry["lambda"], entry.at("lambda"), findings)
    reason = cron_error(entry["cron"])
    if reason is not None:
        findings.add(
            entry.at("cron"),
            "bad-cron",
            f"`cron` of schedule `{entry['name']}`: {reason}.",
            "Five parts: minute, hour, day, month, weekday; for example `0 6 * * 1-5`.",
        )
    if code is None or reason is not None:
        return None
    return Schedule(entry["name"], entry["cron"], code, entry.get("as", SYSTEM_PRINCIPAL))


def plain_filter(entry: Entry) -> Mapping[str, Any]:
    """Turn a read filter into plain data, options as (value, caption) mappings."""
    made = dict(entry)
    if "options" in made:
        made["options"] = tuple(
            {"value": str(item["value"]), "label": item.get("label", Caption(str(item["value"])))}
            for item in made["options"]
            if "value" in item
        )
    return made
