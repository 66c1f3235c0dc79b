"""The rule of one field in a file's `access: fields:`, set or taken out. All else stays as somebody wrote it.

As in `schema.rewriting`, what is written is read again, and must say the same as before but for the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from schema.rewriting import STEP, CannotRewrite, last_of, read_text, root_of, value_of
from schema.rewriting_items import plain
from schema.source import read
from schema.yaml_text import Written, flow, text

ACCESS, FIELDS = "access", "fields"


def field_rule(source: str, name: str) -> dict[str, Any] | None:
    """Return the rule of a field as the file has it; None where there is none. Raises `CannotRewrite`."""
    found = (_fields(read_text(source).document or {})).get(name)
    return plain(found) if isinstance(found, Mapping) else None


def set_field_rule(source: str, name: str, rule: Mapping[str, Written] | None) -> str:
    """Return the file with this rule of a field, or without one. Raises `CannotRewrite`."""
    before = read_text(source)
    old = plain(before.document or {})
    if (_fields(old).get(name)) == (None if rule is None else dict(rule)):
        return before.text
    wanted = _with_rule(old, name, rule)
    for changed in _ways(before.text, wanted, name, rule):
        after = read("", changed.encode("utf-8", "surrogatepass")).document
        if after is not None and plain(after) == wanted:
            return changed
    raise CannotRewrite(f"`{ACCESS}` is written in a way in which the rule of `{name}` cannot be changed here.")


# --- inside ---


def _fields(document: Mapping[str, Any]) -> Mapping[str, Any]:
    access = document.get(ACCESS)
    fields = access.get(FIELDS) if isinstance(access, Mapping) else None
    return fields if isinstance(fields, Mapping) else {}


def _with_rule(old: Mapping[str, Any], name: str, rule: Mapping[str, Written] | None) -> dict[str, Any]:
    fields = {key: value for key, value in _fields(old).items() if key != name or rule is not None}
    if rule is not None:
        fields[name] = dict(rule)
    access = {key: value for key, value in (old.get(ACCESS) or {}).items() if key != FIELDS}
    access |= {FIELDS: fields} if fields else {}
    return {key: value for key, value in old.items() if key != ACCESS} | ({ACCESS: access} if access else {})


def _ways(source: str, wanted: Mapping[str, Any], name: str, rule: Mapping[str, Written] | None) -> list[str]:
    """Return ways to write it, the one that leaves most as it is first."""
    root = root_of(source)
    section = value_of(root, ACCESS)
    line = f"{text(name)}: {flow(rule)}\n" if rule is not None else ""
    if section is None:
        gap = "" if source.endswith("\n") else "\n"
        return [f"{source}{gap}\n{ACCESS}:\n{' ' * STEP}{FIELDS}:\n{' ' * 2 * STEP}{line}"]
    key, node = section
    whole = ACCESS in wanted and source[: key.end_mark.index] + ": " + flow(wanted[ACCESS]) + _behind(source, node)
    ways = [_in_block(source, node, name, line)] if isinstance(node, yaml.MappingNode) and not node.flow_style else []
    without = source[: key.start_mark.index] + _behind(source, node).lstrip("\n")
    return [way for way in (*ways, whole or without) if way]


def _behind(source: str, node: yaml.Node) -> str:
    """Return what follows a value, beginning with the end of its line."""
    end = last_of(node)
    at = len(source[:end].rstrip())
    return source[at:]


def _in_block(source: str, access: yaml.MappingNode, name: str, line: str) -> str:
    """Change one line below `access`, whose keys stand on lines of their own."""
    column = access.start_mark.column
    found = value_of(access, FIELDS)
    if found is None:
        return _insert(source, last_of(access), f"{' ' * column}{FIELDS}:\n{' ' * (column + STEP)}{line}")
    key, fields = found
    if not isinstance(fields, yaml.MappingNode) or fields.flow_style:
        return ""
    known = value_of(fields, name)
    if known is None:
        return _insert(source, last_of(fields), " " * fields.start_mark.column + line)
    first = known[0] if line or len(fields.value) > 1 else key
    lines = source.split("\n")
    last = source.count("\n", 0, len(source[: last_of(known[1])].rstrip()))
    written = [" " * fields.start_mark.column + line.rstrip("\n")] if line else []
    return "\n".join([*lines[: first.start_mark.line], *written, *lines[last + 1 :]])


def _insert(source: str, after: int, written: str) -> str:
    at = source.find("\n", len(source[:after].rstrip()))
    return f"{source}\n{written}" if at < 0 else source[: at + 1] + written + source[at + 1 :]
