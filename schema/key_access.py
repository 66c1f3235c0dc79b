"""The keys of `access`."""

from __future__ import annotations

from typing import Any

from schema.key_words import PERMISSION_KEYS
from schema.sections import Key, Section
from schema.shapes import WRONG, Choice, MapOf, Raw, Text
from schema.spot import Entry, Findings, Spot, shown


def _rule_short(value: Any, spot: Spot, findings: Findings) -> Any:
    """`view: true`."""
    made = Entry(spot)
    if isinstance(value, bool):
        made["allow"] = value
    else:
        findings.add(
            spot,
            "bad-rule",
            f"`{spot.key}` must be true, false, `{{group: ...}}` or `{{role: ...}}`; found {shown(value)}.",
            "For example `view: {group: users}`.",
        )
        return WRONG
    return made


RULE = Section(
    "A rule",
    (
        Key("group", Text(limit=200, may_be_empty=False), "Members of this group may.", nullable=False),
        Key(
            "key",
            Choice(PERMISSION_KEYS),
            "With this permission key; default: ro to view, rw to write.",
            nullable=False,
        ),
        Key("role", Text(limit=200, may_be_empty=False), "Holders of this role may.", nullable=False),
    ),
    short=_rule_short,
    short_schema={"type": "boolean"},
    ref="rule",
)

WRITE_RULE = Section(
    "A rule of a write",
    (
        *RULE.keys,
        Key(
            "rows",
            Raw({"type": "object"}),
            "Filter in the API's grammar: with which rows. A new row is held against it too.",
            nullable=False,
        ),
        Key(
            "check",
            Raw({"type": "object"}),
            "Filter that a row meets once it is written; default: that of `rows`, and the rows that one sees.",
            nullable=False,
        ),
    ),
    short=_rule_short,
    short_schema={"type": "boolean"},
    ref="write_rule",
)

AUDIENCE = Section(
    "Rules of an audience",
    (
        Key("view", RULE, "Who may read.", nullable=False),
        Key("create", WRITE_RULE, "Who may create.", nullable=False),
        Key("update", WRITE_RULE, "Who may change.", nullable=False),
        Key("delete", WRITE_RULE, "Who may delete.", nullable=False),
        Key(
            "rows",
            Raw({"type": "object"}),
            "Filter in the API's grammar: which rows. $me.id, $me.groups.KEY, $now.",
            nullable=False,
        ),
    ),
    ref="audience",
)

FIELD_WRITE_RULES = Section(
    "Rules of writing a field",
    (
        Key("agent", RULE, "Which agents give it a value.", nullable=False),
        Key("customer", RULE, "Which customers give it a value.", nullable=False),
    ),
    ref="field_write_rules",
)

FIELD_RULES = Section(
    "Rules of a field",
    (
        Key("agent", RULE, "Which agents see and use it.", nullable=False),
        Key("customer", RULE, "Which customers see and use it.", nullable=False),
        Key("write", FIELD_WRITE_RULES, "Who, of those who see it, gives it a value; default: all.", nullable=False),
    ),
    ref="field_rules",
)

ACCESS = Section(
    "`access`",
    (
        Key("agent", AUDIENCE, "Rules for agents; default: group admin.", nullable=False),
        Key("customer", AUDIENCE, "Rules for customers; default: nothing.", nullable=False),
        Key("fields", MapOf(FIELD_RULES), "Rules of single fields.", nullable=False),
    ),
    ref="access",
)
