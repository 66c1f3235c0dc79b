"""A lambda or a new field goes into a file as its author would write it, and nothing else of the file changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.rewriting import CannotRewrite, add_item, code_of, replace_code
from schema.source import read
from schema.yaml_text import Written

BLOCK = """\
# what a room is
module: {name: room, table: room}   # kept

computed_fields:
  - name: size
    type: string
    lambda: |
      return item.seats > 10
        ? 'large' : 'small';

    # said of people
    label: Size
  - {name: short, lambda: "return item.name"}   # inline
  - name: plain
    lambda: return item.seats # seats
access: {agent: {view: true}}
"""


def test_a_block_is_replaced_where_it_stands() -> None:
    assert replace_code(BLOCK, "size", "const n = item.seats;\n\nreturn n;") == BLOCK.replace(
        "      return item.seats > 10\n        ? 'large' : 'small';\n",
        "      const n = item.seats;\n\n      return n;\n",
    )


def test_code_is_found_as_the_file_has_it() -> None:
    assert [code_of(BLOCK, name) for name in ("size", "short", "plain")] == [
        "return item.seats > 10\n  ? 'large' : 'small';\n",
        "return item.name",
        "return item.seats",
    ]
    with pytest.raises(CannotRewrite, match="The file has no lambda for `other`"):
        code_of(BLOCK, "other")


def test_inside_of_braces_code_stays_on_its_line() -> None:
    assert replace_code(BLOCK, "short", 'return "a";\nreturn b;') == BLOCK.replace(
        '"return item.name"', '"return \\"a\\";\\nreturn b;\\n"'
    )


def test_a_single_line_becomes_a_block_when_it_needs_one() -> None:
    assert replace_code(BLOCK, "plain", "return 1") == BLOCK.replace("return item.seats #", "return 1 #")
    two = replace_code(BLOCK.replace(" # seats", ""), "plain", "log(1);\nreturn 2;\n")
    assert two.endswith("    lambda: |\n      log(1);\n      return 2;\naccess: {agent: {view: true}}\n")


def test_an_extension_has_the_code_of_its_own_fields() -> None:
    file = "module: {extend: room}\ncomputed_fields:\n- name: floor\n  lambda: |-\n    return 1\n"
    assert replace_code(file, "floor", "return 2;") == file.replace("return 1", "return 2;")
    with pytest.raises(CannotRewrite, match="The file has no lambda for `size`"):
        replace_code(file, "size", "return 1")


def test_code_that_several_fields_share_is_left_to_its_author() -> None:
    file = """\
module: {name: room}
computed_fields:
  - {name: one, lambda: &code return 1}
  - {name: two, lambda: *code}
"""
    for name in ("one", "two"):
        with pytest.raises(CannotRewrite, match="in a way that cannot be changed here"):
            replace_code(file, name, "return 2")


def test_a_file_that_cannot_be_read_is_not_touched() -> None:
    with pytest.raises(CannotRewrite, match="Mend it first"):
        replace_code("module: {name: room", "a", "b")
    with pytest.raises(CannotRewrite, match="Mend it first"):
        add_item("module: {name: room", "fields", {"name": "a"})


# What people and machines write: indented first lines, blank lines, tabs, quotes, signs of YAML, breaks of other alphabets.
LINES = st.text(st.sampled_from("a {}[]'\"\\#:|>-\t&*!%@`äß€😀\u2028\x85"), max_size=12)


@given(
    st.lists(LINES, min_size=1, max_size=5).map("\n".join).filter(str.strip),
    st.sampled_from(["size", "short", "plain"]),
)
def test_whatever_the_code_is_it_is_read_again_as_it_was_written(code: str, name: str) -> None:
    before = read("", BLOCK.encode()).document
    after = read("", replace_code(BLOCK, name, code).encode()).document

    assert before is not None
    assert after is not None
    written = {item["name"]: item.pop("lambda") for item in after["computed_fields"]}
    kept = {item["name"]: item.pop("lambda") for item in before["computed_fields"]}
    assert written.pop(name).strip("\n") == code.strip("\n")
    assert kept.pop(name)
    assert written == kept
    assert after == before


FIELD: dict[str, Written] = {"name": "floor", "type": "int", "label": {"en": "Floor", "de": "Stock: welcher"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "module: {name: room}\nfields:\n  - name: name\n    type: string # short\n\n# rules\naccess: {agent: {view: true}}\n",
            (
                "module: {name: room}\nfields:\n  - name: name\n    type: string # short\n"
                '  - name: floor\n    type: int\n    label: {en: Floor, de: "Stock: welcher"}\n'
                "\n# rules\naccess: {agent: {view: true}}\n"
            ),
        ),
        (
            "module: {name: room}\nfields: [{name: name, type: string}]\n",
            (
                "module: {name: room}\nfields: [{name: name, type: string}, "
                '{name: floor, type: int, label: {en: Floor, de: "Stock: welcher"}}]\n'
            ),
        ),
        (
            "module: {name: room}\nfields: []\n",
            'module: {name: room}\nfields: [{name: floor, type: int, label: {en: Floor, de: "Stock: welcher"}}]\n',
        ),
        (
            "module: {extend: room}\nfields:\nhide: []\n",
            (
                "module: {extend: room}\nfields:\n  - name: floor\n    type: int\n"
                '    label: {en: Floor, de: "Stock: welcher"}\nhide: []\n'
            ),
        ),
        (
            "module: {extend: room}",
            (
                "module: {extend: room}\n\nfields:\n  - name: floor\n    type: int\n"
                '    label: {en: Floor, de: "Stock: welcher"}\n'
            ),
        ),
        (
            "module: {name: room}\nfields:\n- name: a\n  help: |\n    long\n\n    text\n",
            (
                "module: {name: room}\nfields:\n- name: a\n  help: |\n    long\n\n    text\n"
                '- name: floor\n  type: int\n  label: {en: Floor, de: "Stock: welcher"}\n'
            ),
        ),
        (
            "module: {name: room}\r\nfields:\r\n- {name: a}\r\n",
            (
                "module: {name: room}\r\nfields:\r\n- {name: a}\r\n"
                '- name: floor\r\n  type: int\r\n  label: {en: Floor, de: "Stock: welcher"}\r\n'
            ),
        ),
    ],
    ids=["block", "flow", "empty list", "nothing", "no section", "long text", "other line ends"],
)
def test_a_field_is_added_behind_the_last_one(before: str, after: str) -> None:
    assert add_item(before, "fields", FIELD) == after


def test_a_file_in_braces_is_left_to_its_author() -> None:
    with pytest.raises(CannotRewrite, match="Write its sections on lines of their own first"):
        add_item("{module: {name: room}}", "fields", FIELD)


@pytest.mark.parametrize(
    "value", ["yes", "a: b", "# no", "", " x ", 'say "hi"', "\\", "Grün", "12", "- a", "null", "two\nlines"]
)
def test_a_text_of_a_new_field_is_the_text_that_was_given(value: str) -> None:
    item: dict[str, Written] = {"name": "floor", "type": "string", "help": value}
    for file in ("module: {name: room}\nfields: []\n", "module: {name: room}\n"):
        made = read("", add_item(file, "fields", item).encode()).document
        assert made is not None
        assert made["fields"] == [item]
