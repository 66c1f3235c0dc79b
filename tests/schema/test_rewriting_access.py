"""The rule of one field is set and taken out, and nothing else of a file changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.rewriting import CannotRewrite, read_text
from schema.rewriting_access import field_rule, set_field_rule
from schema.rewriting_items import plain

HEAD = "module: {name: lamp}\nfields: [{name: a, type: int}]  # all\n"
BLOCK = f"{HEAD}access:\n  agent:\n    view: true   # everybody\n    rows: {{a: {{gt: 1}}}}\n  fields:\n    b: {{agent: false}}\n    c:\n      customer: false\n# the end\n"
RULE: dict[str, Any] = {"agent": {"group": "users"}, "customer": False}
FILES = (
    HEAD,
    BLOCK,
    f"{HEAD}access: {{agent: {{view: true}}}}\nui: {{}}\n",
    f"{HEAD}access:\n  agent: {{view: true}}\nui: {{}}\n",
    f"{HEAD}access:\n  fields: {{b: {{agent: false}}}}\n",
    f"{HEAD}access:\n  fields:\n    a: {{agent: false}}\n  agent: {{view: true}}",
)


def test_a_rule_comes_as_a_line_of_its_own() -> None:
    line = "a: {agent: {group: users}, customer: false}\n"
    assert set_field_rule(HEAD, "a", RULE) == f"{HEAD}\naccess:\n  fields:\n    {line}"
    assert set_field_rule(BLOCK, "a", RULE) == BLOCK.replace("# the end", f"    {line}# the end")
    assert set_field_rule(FILES[3], "a", RULE) == FILES[3].replace("ui:", f"  fields:\n    {line}ui:")


def test_a_rule_is_changed_and_taken_out_where_it_stands() -> None:
    assert set_field_rule(BLOCK, "c", {"customer": True}) == BLOCK.replace(
        "c:\n      customer: false", "c: {customer: true}"
    )
    assert set_field_rule(BLOCK, "b", None) == BLOCK.replace("    b: {agent: false}\n", "")
    assert set_field_rule(set_field_rule(BLOCK, "b", None), "c", None) == BLOCK.replace(
        "  fields:\n    b: {agent: false}\n    c:\n      customer: false\n", ""
    )
    assert set_field_rule(BLOCK, "a", None) == BLOCK


rules = st.fixed_dictionaries(
    {},
    optional={
        "agent": st.booleans() | st.fixed_dictionaries({"group": st.text("abc: {}#'é", min_size=1)}),
        "customer": st.booleans(),
        "write": st.fixed_dictionaries({"agent": st.booleans()}),
    },
)


@given(source=st.sampled_from(FILES), name=st.sampled_from(["a", "b", "c"]), rule=rules)
def test_whatever_a_rule_says_the_rest_stays(source: str, name: str, rule: dict[str, Any]) -> None:
    changed = set_field_rule(source, name, rule)
    assert field_rule(changed, name) == rule
    others = {other: field_rule(source, other) for other in "abc" if other != name}
    assert {other: field_rule(changed, other) for other in others} == others
    gone = plain(read_text(set_field_rule(changed, name, None)).document)
    before = plain(read_text(set_field_rule(source, name, None)).document)
    assert gone == before


@pytest.mark.parametrize("source", ["access: [", "access: *x\n"])
def test_what_cannot_be_read_is_left_to_its_author(source: str) -> None:
    with pytest.raises(CannotRewrite):
        set_field_rule(source, "a", RULE)
