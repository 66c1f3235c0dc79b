"""Changes of a module file at one place: the code of a lambda, one more item of a list. All else stays as somebody wrote it.

What is written is read again before it is given back: either the file says the same as before but for the change, or `CannotRewrite`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from schema.source import Source, read, split_lines
from schema.tree import Map
from schema.yaml_text import Written, block, exact, flow

STEP = 2
LAMBDAS = "computed_fields"
CODE = "lambda"


class CannotRewrite(ValueError):
    """The file is written so that this change cannot be made for its author; he can make it himself."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value in the text: from where to where, how it is written, and the column of the key that it belongs to."""

    start: int
    end: int
    node: yaml.Node
    column: int
    is_inline: bool  # inside of braces or brackets, where no block can be


def replace_code(text: str, name: str, code: str) -> str:
    """Return the file with other code for a computed field. Raises `CannotRewrite`."""
    before = read_text(text)
    item = _item(before, name)
    code = code.rstrip("\n") + "\n" if "\n" in code.rstrip("\n") else code.strip("\n")
    spot = _spot_of(root_of(before.text), name)
    for written in _writings(spot, before.text[spot.start : spot.end], code):
        changed = before.text[: spot.start] + written + before.text[spot.end :]
        found = read("", changed.encode("utf-8", "surrogatepass"))
        if found.document is not None and _differs_in_code_alone(before, found, item, code):
            return changed
    raise CannotRewrite(f"The lambda of `{name}` is written in a way that cannot be changed here.")


def code_of(text: str, name: str) -> str:
    """Return the code of a computed field as the file has it. Raises `CannotRewrite`."""
    source = read_text(text)
    place = _item(source, name)
    return str((source.document or Map(0, 0))[LAMBDAS][place][CODE])


def add_item(text: str, section: str, item: Mapping[str, Written]) -> str:
    """Return the file with one more item at the end of a list. Raises `CannotRewrite`."""
    before = read_text(text)
    changed = _with_item(before.text, section, item)
    after = read("", changed.encode("utf-8", "surrogatepass"))
    old, new = before.document, after.document
    if old is None or new is None:
        raise CannotRewrite(f"`{section}` cannot be added to here.")
    items = old.get(section) or []
    others = {key: value for key, value in new.items() if key != section}
    if new.get(section) != [*items, dict(item)] or others != {key: old[key] for key in old if key != section}:
        raise CannotRewrite(f"`{section}` is written in a way that cannot be added to here.")
    return changed


# --- the code of a lambda ---


def read_text(text: str) -> Source:
    """Read a file that a change is to be made in. Raises `CannotRewrite`."""
    found = read("", text.encode("utf-8", "surrogatepass"))
    if found.document is None:
        raise CannotRewrite("The file cannot be read. Mend it first.")
    return found


def _item(source: Source, name: str) -> int:
    items = source.document.get(LAMBDAS) if source.document is not None else None
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Map) and item.get("name") == name and CODE in item:
            return place
    raise CannotRewrite(f"The file has no lambda for `{name}`.")


def _differs_in_code_alone(before: Source, after: Source, place: int, code: str) -> bool:
    old, new = before.document, after.document
    if old is None or new is None or not _has_item(new, place):
        return False
    old_item, new_item = old[LAMBDAS][place], new[LAMBDAS][place]
    if {**old_item, CODE: code} != dict(new_item):
        return False
    return {**old, LAMBDAS: [*old[LAMBDAS][:place], new_item, *old[LAMBDAS][place + 1 :]]} == dict(new)


def _has_item(document: Map, place: int) -> bool:
    items = document.get(LAMBDAS)
    return isinstance(items, list) and place < len(items) and isinstance(items[place], Map)


def _writings(spot: _Spot, old: str, code: str) -> list[str]:
    """Return ways to write code, the most legible first. Not each of them says the same everywhere."""
    quoted = exact(code)
    if spot.is_inline:
        return [quoted]
    tail = old[len(old.rstrip()) :] if _is_block(spot.node) else ""
    bare = [] if _is_block(spot.node) or "\n" in code else [code]
    return [*bare, *_blocks(spot, code, tail), quoted + "\n" * tail.count("\n")]


def _blocks(spot: _Spot, code: str, tail: str) -> list[str]:
    column = spot.column + STEP
    lines = code.rstrip("\n").split("\n")
    body = "\n".join(" " * column + line if line.strip() else line and " " * column + line for line in lines)
    mark = "" if code.endswith("\n") else "-"
    blank = "\n" * max(tail.count("\n"), 1) if _is_block(spot.node) else ""
    return [f"|{mark}\n{body}{blank}", f"|{STEP}{mark}\n{body}{blank}"]


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}


def _spot_of(root: yaml.MappingNode, name: str) -> _Spot:
    section = value_of(root, LAMBDAS)
    if section is None or not isinstance(section[1], yaml.SequenceNode):
        raise CannotRewrite(f"The file has no lambda for `{name}`.")
    for item in section[1].value:
        found = value_of(item, "name") if isinstance(item, yaml.MappingNode) else None
        code = value_of(item, CODE) if found and found[1].value == name else None
        if code is None:
            continue
        key, node = code
        if node.start_mark.index < key.end_mark.index or not isinstance(node, yaml.ScalarNode):
            break  # an alias: its text stands elsewhere, and others use it too
        inline = any(outer.flow_style for outer in (root, section[1], item))
        return _Spot(node.start_mark.index, node.end_mark.index, node, key.start_mark.column, inline)
    raise CannotRewrite(f"The lambda of `{name}` is written in a way that cannot be changed here.")


def root_of(text: str) -> yaml.MappingNode:
    """Compose a text that `read` has found to be within its limits: the composer calls itself."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise CannotRewrite("The file cannot be read. Mend it first.")
    return root


def value_of(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return a key and its value where they stand in the text."""
    for found, value in node.value:
        if isinstance(found, yaml.ScalarNode) and found.value == key:
            return found, value
    return None


# --- one more item ---


def _with_item(text: str, section: str, item: Mapping[str, Written]) -> str:
    root = root_of(text)
    found = value_of(root, section)
    if root.flow_style:
        raise CannotRewrite("The whole file stands in braces. Write its sections on lines of their own first.")
    if found is None:
        gap = "" if text.endswith("\n") else "\n"
        return f"{text}{gap}\n{section}:\n{block(item, STEP)}"
    key, value = found
    if isinstance(value, yaml.SequenceNode) and value.flow_style:
        at = text.rindex("]", value.start_mark.index, value.end_mark.index)
        inside = text[value.start_mark.index + 1 : at].rstrip()
        comma = ", " if value.value and not inside.endswith(",") else ""
        place = value.start_mark.index + 1 + len(inside)
        return f"{text[:place]}{comma}{flow(item)}{text[place:]}"
    if isinstance(value, yaml.SequenceNode):
        return _put(text, last_of(value), block(item, value.start_mark.column))
    return _put(text, key.end_mark.index, block(item, STEP))


def last_of(node: yaml.Node) -> int:
    """Return where the last thing of a node ends; what libyaml says of blocks includes the comments behind them."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end


def _put(text: str, after: int, item: str) -> str:
    """Put an item behind the line in which something ends. A block's end is the beginning of the next line."""
    at = len(text[:after].rstrip())
    rest = split_lines(text[at:])
    line_end = at + len(rest[0])
    broken = text[line_end : line_end + 2]
    mark = "\r\n" if broken == "\r\n" else "\n"
    behind = text[line_end + len(mark) :] if broken else ""
    return text[:line_end] + mark + item.replace("\n", mark) + behind
