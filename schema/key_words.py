"""Words that several sections of a module file share: names, columns, texts, tones, operations."""

from __future__ import annotations

import re

from schema.captions import CaptionShape
from schema.kinds import ALIASES, KINDS
from schema.names import NAME
from schema.shapes import LAMBDA_LIMIT_BYTES, Choice, Flag, Number, Text, Word

# Badges and options may carry one of these; the pages have a class for each.
TONES = ("gray", "red", "orange", "amber", "yellow", "green", "teal", "blue", "indigo", "purple", "pink")

OPERATIONS = ("view", "create", "update", "delete", "upsert", "bulk")
HOOKS = ("before_create", "before_update", "before_delete", "after_create", "after_update", "after_delete")
PERMISSION_KEYS = ("ro", "move_into", "create", "note", "owner", "priority", "rw")
FILTER_TYPES = ("text", "select", "multi_select", "checkbox", "date", "date_range", "number_range")

NAMES = Word(
    NAME,
    "a name of a-z, 0-9 and _, a letter first, at most 63 characters",
    "bad-name",
    "For example `customer_number`.",
)
COLUMN = Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}"), "a column name of letters, digits and _", "bad-column-name")
TABLE = Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}"), "a table name of letters, digits and _", "bad-table-name")
CAPTION = CaptionShape()
TEXT = Text()
FLAG = Flag()
WHOLE = Number(whole=True)
CODE = Text(limit=LAMBDA_LIMIT_BYTES, may_be_empty=False)
KIND = Choice(tuple(KINDS), {**ALIASES, "files": "file", "multi_select": "multiselect"}, "unknown-type")
