"""Items of a file's lists, written anew or taken out: a field, a computed field. All else stays as somebody wrote it.

As in `schema.rewriting`, what is written is read again, and must say the same as before but for the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from schema.rewriting import CannotRewrite, last_of, read_text, root_of, value_of
from schema.source import read
from schema.tree import Map
from schema.yaml_text import Written, block, flow


def items_of(text: str, section: str) -> list[dict[str, Any]]:
    """Return the items of a list as the file has them. Raises `CannotRewrite`."""
    document = read_text(text).document
    found = document.get(section) if document is not None else None
    return [plain(item) for item in found if isinstance(item, Map)] if isinstance(found, list) else []


def item_named(text: str, section: str, name: str) -> dict[str, Any] | None:
    """Return the item with a name; None where there is none. Raises `CannotRewrite`."""
    return next((item for item in items_of(text, section) if item.get("name") == name), None)


def plain(value: Any) -> Any:
    """Return what was read as dictionaries and lists that can be written again."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def replace_item(text: str, section: str, name: str, item: Mapping[str, Written]) -> str:
    """Return the file with another item in place of the one with a name. Raises `CannotRewrite`."""
    return _change(text, section, name, item)


def remove_item(text: str, section: str, name: str) -> str:
    """Return the file without an item, and without the list where it was the only one. Raises `CannotRewrite`."""
    return _change(text, section, name, None)


# --- inside ---


def _change(text: str, section: str, name: str, item: Mapping[str, Written] | None) -> str:
    before = read_text(text)
    old = before.document
    items = old.get(section) if old is not None else None
    places = [
        place
        for place, found in enumerate(items if isinstance(items, list) else ())
        if isinstance(found, Map) and found.get("name") == name
    ]
    if old is None or not isinstance(items, list) or len(places) != 1:
        raise CannotRewrite(f"The file has no `{name}` in `{section}`, or has it twice.")
    place = places[0]
    changed = _with(before.text, section, place, item)
    after = read("", changed.encode("utf-8", "surrogatepass")).document
    rest = [*items[:place], *([] if item is None else [dict(item)]), *items[place + 1 :]]
    wanted = {key: value for key, value in old.items() if key != section} | ({section: rest} if rest else {})
    if after is None or dict(after) != wanted:
        raise CannotRewrite(f"`{name}` is written in a way that cannot be changed here.")
    return changed


def _with(text: str, section: str, place: int, item: Mapping[str, Written] | None) -> str:
    root = root_of(text)
    found = value_of(root, section)
    key, value = found if found is not None else (root, root)
    if not isinstance(value, yaml.SequenceNode) or root.flow_style:
        raise CannotRewrite(f"`{section}` is written in a way that cannot be changed here.")
    if item is None and len(value.value) == 1:
        return _without_lines(text, key.start_mark.line, _last_line(text, value), "")
    node = value.value[place]
    if value.flow_style:
        return _in_flow(text, value.value, place, item)
    written = "" if item is None else block(item, value.start_mark.column)
    return _without_lines(text, node.start_mark.line, _last_line(text, node), written)


def _last_line(text: str, node: yaml.Node) -> int:
    return text.count("\n", 0, len(text[: last_of(node)].rstrip()))


def _without_lines(text: str, first: int, last: int, written: str) -> str:
    """Put something in place of lines; what ends lines stays what it was."""
    mark = "\r\n" if "\r\n" in text else "\n"
    kept = text.split("\n")
    body = written.replace("\n", mark)
    head = "\n".join(kept[:first]) + ("\n" if first else "")
    return head + body + "\n".join(kept[last + 1 :])


def _in_flow(text: str, nodes: Sequence[yaml.Node], place: int, item: Mapping[str, Written] | None) -> str:
    node = nodes[place]
    start, end = node.start_mark.index, node.end_mark.index
    if item is not None:
        return text[:start] + flow(item) + text[end:]
    if place + 1 < len(nodes):
        return text[:start] + text[nodes[place + 1].start_mark.index :]
    return text[: nodes[place - 1].end_mark.index] + text[end:]
