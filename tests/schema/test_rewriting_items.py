"""An item of a list is written anew or taken out, and nothing else of the file changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.rewriting import CannotRewrite
from schema.rewriting_items import item_named, items_of, remove_item, replace_item
from schema.yaml_text import block

FILE = """\
# the lamps of the house
module: {name: lamp}

fields:
  # what it is called
  - name: name
    type: string   # a word
    validation:
      max_length: 9

  - {name: watts, type: int}
  - name: kind
    type: select
    options:
      - {value: a, label: A}
# the end
access: {agent: {view: true}}
"""
FLOW = "module: {name: lamp}\nfields: [{name: name, type: string}, {name: watts, type: int}]\n"
scalars = st.one_of(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))), st.integers(-99, 99), st.booleans())
items = st.dictionaries(st.sampled_from(["type", "label", "help", "required", "max"]), scalars, max_size=4)


def test_an_item_is_written_anew_where_it_stood() -> None:
    assert replace_item(FILE, "fields", "watts", {"name": "watts", "type": "float", "min": 0}) == FILE.replace(
        "  - {name: watts, type: int}\n", "  - name: watts\n    type: float\n    min: 0\n"
    )
    assert replace_item(FLOW, "fields", "name", {"name": "title", "type": "text"}) == FLOW.replace(
        "{name: name, type: string}", "{name: title, type: text}"
    )


def test_an_item_is_taken_out_with_what_belongs_to_it() -> None:
    gone = remove_item(FILE, "fields", "kind")
    assert gone == FILE.replace("  - name: kind\n    type: select\n    options:\n      - {value: a, label: A}\n", "")
    assert remove_item(FLOW, "fields", "watts") == "module: {name: lamp}\nfields: [{name: name, type: string}]\n"
    assert remove_item(FLOW, "fields", "name") == "module: {name: lamp}\nfields: [{name: watts, type: int}]\n"


def test_the_last_item_takes_its_list_along() -> None:
    text = "module: {extend: lamp}\nfields:\n  - {name: a, type: int}\nhide: [b]\n"
    assert remove_item(text, "fields", "a") == "module: {extend: lamp}\nhide: [b]\n"


def test_lines_keep_how_they_end() -> None:
    windows = FILE.replace("\n", "\r\n")
    changed = replace_item(windows, "fields", "watts", {"name": "watts", "type": "float"})
    assert "\n" not in changed.replace("\r\n", "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (FILE, "nothing"),
        ("fields: [{name: a}, {name: a}]\n", "a"),
        ("{fields: [{name: a, type: int}, {name: b, type: int}]}\n", "a"),
        ("fields: x\n", "x"),
        ("fields:\n  -\n    name: a\n", "nothing"),
        ("fields: [", "a"),
    ],
)
def test_what_cannot_be_changed_is_left_to_its_author(text: str, name: str) -> None:
    with pytest.raises(CannotRewrite):
        remove_item(text, "fields", name)


@given(before=st.lists(items, min_size=1, max_size=4), place=st.integers(0, 3), new=items)
def test_whatever_items_say_only_one_of_them_changes(
    before: list[dict[str, object]], place: int, new: dict[str, object]
) -> None:
    named = [{"name": f"f{number}", **item} for number, item in enumerate(before)]
    text = "module: {name: x}\nfields:\n" + "".join(block(item, 2) for item in named) + "ui: {}\n"  # type: ignore[arg-type] # what YAML can say
    place %= len(named)
    made = {"name": "new", **new}
    changed = replace_item(text, "fields", f"f{place}", made)  # type: ignore[arg-type] # the same
    assert items_of(changed, "fields") == [*named[:place], made, *named[place + 1 :]]
    assert item_named(changed, "fields", "new") == made
    left = remove_item(changed, "fields", "new")
    assert items_of(left, "fields") == [*named[:place], *named[place + 1 :]]
    assert left.endswith("ui: {}\n")
