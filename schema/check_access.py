"""Rights in a module file: who may, and which rows. A rule that cannot be read keeps the module from going live."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from schema.names import camel
from schema.problems import suggest
from schema.shapes import plain
from schema.spec import (
    ADMINISTRATORS,
    VISIBLE,
    Access,
    Audience,
    AudienceAccess,
    Computed,
    Field,
    Module,
    Relation,
    Rule,
)
from schema.spot import Entry, Findings, Spot, listed, shown
from schema.tree import Map, Seq

RIGHTS = ("view", "create", "update", "delete")
ROW_FILTERS = ("rows", "check")  # of the rule of a write
OPERATORS = (
    "eq",
    "ne",
    "in",
    "notIn",
    "lt",
    "lte",
    "gt",
    "gte",
    "contains",
    "startsWith",
    "endsWith",
    "isNull",
)
QUANTIFIERS = ("some", "none", "every")
_BUILTIN_FILTERS = ("id", "databaseId")
_SIMPLE_VALUES = ("$me.id", "$me.login", "$me.customerId", "$me.customerIds", "$me.email", "$now")
_GROUP_VALUE = re.compile(r"\$me\.groups\.(ro|move_into|create|note|owner|priority|rw)")
_CALLERS = "$me.id, $me.login, $me.customerId, $me.customerIds, $me.email, $me.groups.KEY, $now; $visible for a row"


def make_access(parts: Iterable[Entry], findings: Findings) -> Access:
    """Make the rules of a module from the `access:` sections of its layers, lowest first; later ones win key by key."""
    audiences: dict[str, dict[str, Any]] = {"agent": {}, "customer": {}}
    fields: dict[str, dict[str, Rule]] = {}
    writes: dict[str, dict[str, Rule]] = {}
    for part in parts:
        for audience, said in audiences.items():
            section = part.get(audience)
            if isinstance(section, Entry):
                _collect(section, said, findings)
        for name, rules in (part.get("fields") or {}).items():
            fields.setdefault(name, {}).update(_by_audience(rules, "view", findings))
            if isinstance(rules.get("write"), Entry):
                writes.setdefault(name, {}).update(_by_audience(rules["write"], "update", findings))
    return Access(
        agent=replace(
            AudienceAccess(ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS), **audiences["agent"]
        ),
        customer=replace(AudienceAccess(), **audiences["customer"]),
        fields=fields,
        writes=writes,
    )


def _by_audience(rules: Entry, right: str, findings: Findings) -> dict[str, Rule]:
    made = {audience: _rule(rules[audience], right, findings) for audience in map(str, Audience) if audience in rules}
    return {audience: rule for audience, rule in made.items() if rule is not None}


def _collect(section: Entry, said: dict[str, Any], findings: Findings) -> None:
    for right in RIGHTS:
        if right in section:
            rule = _rule(section[right], right, findings)
            if rule is not None:
                said[right] = rule
    if "rows" in section:
        rows = section["rows"]
        if isinstance(rows, Map):
            said["rows"] = plain(rows)
        else:
            findings.add(
                section.at("rows"),
                "bad-rule",
                f"`rows` must be a filter; found {shown(rows)}.",
                "For example `rows: {createdBy: {databaseId: {eq: $me.id}}}`.",
            )


def _rule(entry: Entry, right: str, findings: Findings) -> Rule | None:
    if "allow" in entry:
        return Rule(allow=entry["allow"])
    filters = {name: _filter(entry, name, findings) for name in ROW_FILTERS if name in entry}
    group, role = entry.get("group"), entry.get("role")
    if filters and group is None and role is None:
        return Rule(allow=True, **filters)
    if (group is None) == (role is None):
        findings.add(
            entry.spot,
            "bad-rule",
            "A rule names either a group or a role.",
            "For example `{group: users}` or `{role: Supervisors}`.",
        )
        return None
    if role is not None and "key" in entry:
        findings.add(entry.at("key"), "bad-rule", "`key` belongs to rules with a group.", "Remove it.", at_key=True)
        return None
    if role is not None:
        return Rule(role=role, **filters)
    return Rule(group=group, key=entry.get("key", "ro" if right == "view" else "rw"), **filters)


def _filter(entry: Entry, name: str, findings: Findings) -> Any:
    found = entry[name]
    if isinstance(found, Map):
        return plain(found)
    findings.add(
        entry.at(name),
        "bad-rule",
        f"`{name}` must be a filter; found {shown(found)}.",
        "For example `{createdBy: {databaseId: {eq: $me.id}}}`.",
    )
    return None


# OTRS's own way to name a dynamic field; which ones there are only the database knows.
DYNAMIC_PREFIX = "DynamicField_"

Path: TypeAlias = tuple[str | int, ...]
# Takes code, message, hint and the path inside the filter.
Note: TypeAlias = Callable[[str, str, str | None, Path], None]


def check_access(parts: Iterable[Entry], module: Module, findings: Findings) -> None:
    """Check that rules name what the module has. What lies behind references is checked when it is bound."""
    for part in parts:
        for name in part.get("fields") or ():
            if name not in {*module.by_name, *module.broken} and not name.startswith(DYNAMIC_PREFIX):
                findings.add(
                    part["fields"].at(name),
                    "unknown-field",
                    f"The rule is for `{name}`, which module `{module.name}` does not have.",
                    suggest(name, module.by_name) or f"It has: {listed(list(module.by_name))}.",
                    at_key=True,
                )
        for audience in Audience:
            section = part.get(audience.value)
            if not isinstance(section, Entry):
                continue
            for entry in (section, *(section[right] for right in RIGHTS if isinstance(section.get(right), Entry))):
                for name in ROW_FILTERS:
                    if isinstance(entry.get(name), Map):
                        _check_filter(entry, name, module, findings)


def _check_filter(section: Entry, name: str, module: Module, findings: Findings) -> None:
    root = section[name]
    base = section.at(name)

    def note(code: str, message: str, hint: str | None, path: Path) -> None:
        findings.add(_descend(base, root, path), code, message, hint, at_key=True)

    check_rows(plain(root), module, None, note)


def _descend(spot: Spot, value: Any, path: Path) -> Spot:
    for key in path:
        if isinstance(value, (Map, Seq)):
            spot = spot.under(value, key)
            value = value[key]  # type: ignore[index]  # the path was made by walking this very value
    return spot


def check_rows(rows: Any, module: Module, others: Mapping[str, Module] | None, note: Note) -> None:
    """Check a row filter against a module; with `others` also what lies behind references and relations."""
    _RowCheck(others, note).check(rows, module, ())


@dataclass(frozen=True, slots=True)
class _RowCheck:
    """Walks one filter, in the API's own grammar, with `$`-values for what is known of the caller."""

    others: Mapping[str, Module] | None
    note: Note

    def check(self, rows: Any, module: Module, path: Path) -> None:
        """Check one level of a filter."""
        if not isinstance(rows, dict):
            self.note("bad-rule", f"A filter must be a mapping; found `{rows}`.", None, path)
            return
        for key, value in rows.items():
            self._entry(key, value, module, (*path, key))

    def _entry(self, key: str, value: Any, module: Module, path: Path) -> None:
        members = module.members
        if key in ("and", "or"):
            if not isinstance(value, list):
                self.note("bad-rule", f"`{key}` takes a list of filters.", None, path)
                return
            for index, item in enumerate(value):
                self.check(item, module, (*path, index))
        elif key == "not":
            self.check(value, module, path)
        elif key in members:
            self._member(members[key], key, value, path)
        elif key in _BUILTIN_FILTERS:
            self._operators(value, key, path)
        elif key not in {camel(name) for name in module.broken}:
            hint = suggest(key, members) or f"It has: {listed(sorted(members))}."
            message = f"The filter names `{key}`, which module `{module.name}` does not have."
            self.note("unknown-field", message, hint, path)

    def _member(self, member: Field | Relation | Computed, key: str, value: Any, path: Path) -> None:
        if isinstance(member, Relation):
            if not isinstance(value, dict) or not value or any(word not in QUANTIFIERS for word in value):
                words = ", ".join(QUANTIFIERS)
                self.note("bad-rule", f"`{key}` leads to many rows and takes {words}.", None, path)
                return
            for word, inner in value.items():
                self._target(member.to, inner, (*path, word))
        elif isinstance(member, Field) and member.kind == "reference" and key == member.api_name:
            self._target(member.to, value, path)
        elif isinstance(member, Computed) and member.expression is None:
            self.note("bad-rule", f"`{key}` is computed by a lambda; a filter cannot use it.", None, path)
        elif isinstance(member, Field) and not member.is_readable:
            self.note("bad-rule", f"`{key}` is secret; a filter cannot use it.", None, path)
        else:
            self._operators(value, key, path)

    def _target(self, to: str | None, value: Any, path: Path) -> None:
        if value == VISIBLE or (isinstance(value, dict) and set(value) == {"isNull"}):
            return
        target = self.others.get(to) if self.others is not None and to is not None else None
        if target is not None:
            self.check(value, target, path)
        elif isinstance(value, dict):
            self._values(value, path)
        else:
            self.note("bad-rule", f"A filter must be a mapping; found `{value}`.", None, path)

    def _values(self, value: Any, path: Path) -> None:
        """Check at least the `$`-values of a filter whose module is not known yet."""
        if value == VISIBLE:
            return
        if isinstance(value, (dict, list)):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                self._values(item, (*path, key))
        elif isinstance(value, str) and value.startswith("$"):
            self._operand(value, "", path)

    def _operators(self, value: Any, key: str, path: Path) -> None:
        if not isinstance(value, dict) or not value:
            self.note("bad-rule", f"`{key}` takes an operator such as `{{eq: ...}}`; found `{value}`.", None, path)
            return
        for word, operand in value.items():
            here = (*path, word)
            if word not in OPERATORS:
                hint = suggest(word, OPERATORS) or f"Operators: {', '.join(OPERATORS)}."
                self.note("bad-rule", f"`{word}` is no operator.", hint, here)
                continue
            for item in operand if isinstance(operand, list) else [operand]:
                self._operand(item, word, here)
            if word in ("in", "notIn") and not isinstance(operand, list) and not _is_caller_value(operand):
                self.note("bad-rule", f"`{word}` takes a list; found `{operand}`.", None, here)

    def _operand(self, item: Any, word: str, path: Path) -> None:
        if isinstance(item, str) and item.startswith("$") and not _is_caller_value(item):
            self.note("bad-rule", f"`{item}` is not known.", f"Known: {_CALLERS}.", path)
        elif item is None:
            self.note("bad-rule", f"`{word}` needs a value.", "Write `isNull: true` for no value.", path)
        elif isinstance(item, (dict, list)):
            self.note("bad-rule", f"`{word}` takes a single value.", None, path)
        elif word == "isNull" and not isinstance(item, bool):
            self.note("bad-rule", "`isNull` takes true or false.", None, path)


def _is_caller_value(item: Any) -> bool:
    return isinstance(item, str) and (item in _SIMPLE_VALUES or _GROUP_VALUE.fullmatch(item) is not None)
