"""Every key that a module file may have, as one table. The check, the JSON Schema and the documentation all walk it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from schema.key_access import ACCESS
from schema.key_field import FIELD, FIELD_PATCH, pattern_short
from schema.key_member import ACTION, COMPUTED, FILTER, HOOK, RELATION, SCHEDULE
from schema.key_words import CAPTION, CODE, COLUMN, FLAG, NAMES, OPERATIONS, TABLE, TEXT
from schema.sections import Key, Section
from schema.shapes import Choice, ListOf, MapOf, Number, OneOf, Word, shape_of_names
from schema.tree import Map, Seq

FEATURES = Section(
    "`features`",
    (
        Key("soft_delete", FLAG, "Deleting sets the row invalid."),
        Key("search", FLAG, "The list has a search field."),
        Key("import_csv", FLAG, "Rows can be imported."),
        Key("export_csv", FLAG, "Rows can be exported."),
        Key("status_toggle", FLAG, "Validity can be switched in the list."),
        Key("color_picker", FLAG, "", idle=True),
        Key("password_reset", FLAG, "", idle=True),
        Key("group_assignment", FLAG, "", idle=True),
        Key("filters", FLAG, "", idle=True),
    ),
    ref="features",
)

SEARCH = Section(
    "`search`",
    (
        Key("full_text", FLAG, "The searchable fields are in the database's full-text index."),
        Key("of", COLUMN, "Reference to the row whose texts these are; for rows that are written along with that one."),
        Key(
            "below",
            ListOf(
                Word(
                    re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,3}", re.ASCII),
                    "a relation, or a path such as articles.mime",
                    "bad-name",
                ),
                lone=True,
                limit=5,
            ),
            "Relations and references to rows by whose texts these rows are found too.",
        ),
    ),
    ref="search",
)

FIELD_PATTERN = Section(
    "A field pattern",
    (
        Key("field", COLUMN, "Field that it holds for."),
        Key("pattern", TEXT, "RE2 pattern.", nullable=False),
        Key("message", CAPTION, "What people read when it does not match."),
    ),
    required=("pattern",),
    short=pattern_short,
    short_schema={"type": "string"},
)

CUSTOM_RULE = Section(
    "A custom rule",
    (
        Key("name", TEXT, "Name of the rule."),
        Key("field", COLUMN, "Field that it holds for."),
        Key("pattern", TEXT, "RE2 pattern that the field must match."),
        Key("lambda", CODE, "JavaScript that returns false (or calls reject) when the row is wrong.", alias="rule"),
        Key("message", CAPTION, "What people read."),
    ),
)

MODULE_VALIDATION = Section(
    "`validation`",
    (
        Key("unique_fields", shape_of_names("field"), "Fields whose values are unique."),
        Key("required_fields", shape_of_names("field"), "Fields that must be given."),
        Key(
            "field_patterns",
            OneOf((((Seq,), ListOf(FIELD_PATTERN)), ((Map,), MapOf(FIELD_PATTERN))), "a list or a mapping"),
            "Patterns of fields.",
        ),
        Key("custom_rules", ListOf(CUSTOM_RULE), "Rules as patterns or lambdas."),
    ),
    ref="module_validation",
)

FORM_SECTION = Section(
    "A form section",
    (
        Key("title", CAPTION, "Heading."),
        Key("fields", shape_of_names("field"), "Its inputs."),
        Key("type", TEXT, "", idle=True),
    ),
)

UI_ACTION = Section(
    "An action of `ui`",
    (
        Key("name", CAPTION, "Text of the button.", nullable=False),
        Key("action", NAMES, "Declared action that it runs."),
        Key("icon", TEXT, "Icon of the button."),
        Key("endpoint", TEXT, "Address that it opens, with {id}."),
        Key("confirm", CAPTION, "Question before it runs."),
        Key("modal", FLAG, "Opens in a dialog."),
    ),
    required=("name",),
)

UI = Section(
    "`ui`",
    (
        Key("list_columns", shape_of_names("field"), "Columns of the list, in order."),
        Key("form_sections", ListOf(FORM_SECTION), "Sections of the form."),
        Key("actions", ListOf(UI_ACTION), "More buttons."),
        Key("default_sort", COLUMN, "Field that lists are ordered by."),
        Key("default_sort_dir", Choice(("asc", "desc")), "Direction of that order."),
        Key("page_size", Number(1, 500, whole=True), "Rows of a page."),
    ),
    ref="ui",
)

LAMBDA_CONFIG = Section(
    "`lambda_config`",
    (
        Key("timeout_ms", Number(1, 5000, whole=True), "Time for one job."),
        Key("memory_limit_mb", Number(1, 256, whole=True), "Heap for one job."),
    ),
)

_OPERATIONS = ListOf(
    Choice(OPERATIONS, {"read": "view", "list": "view", "edit": "update"}, idle=("reset_password", "manage_groups")),
    lone=True,
)

HEADER = Section(
    "`module`",
    (
        Key("name", NAMES, "Name of the module; the API's names come from it.", nullable=False),
        Key("extend", NAMES, "Module of a lower layer that this file adds to.", nullable=False),
        Key("replace", FLAG, "This file stands in for the lower layer's module."),
        Key("plural_name", NAMES, "Name of the list; default: the English plural."),
        Key("singular", CAPTION, "What people call one."),
        Key("plural", CAPTION, "What people call many."),
        Key("table", ListOf(TABLE, lone=True, limit=10), "SQL table; the first that exists, when a list."),
        Key("description", CAPTION, "What it is for."),
        Key("notice", CAPTION, "Shown above its pages and in the API's documentation."),
        Key("section", CAPTION, "Section of the menu."),
        Key("icon", Word(re.compile(r"[a-z0-9][a-z0-9 -]{0,60}"), "an icon's name", "bad-value"), "Icon in the menu."),
        Key(
            "key", ListOf(COLUMN, lone=True, limit=10), "Key column or columns; `none` where rows cannot be told apart."
        ),
        Key("optional", FLAG, "Absent without a problem where the database has no such table."),
        Key("operations", _OPERATIONS, "What the API offers.", alias="permissions"),
        Key("read_only", FLAG, "GOTRS: only view.", gotrs=True),
        Key("default_sort", COLUMN, "GOTRS: field that lists are ordered by.", gotrs=True),
        Key("default_sort_dir", Choice(("asc", "desc")), "GOTRS: direction of that order.", gotrs=True),
        Key("page_size", Number(1, 500, whole=True), "GOTRS: rows of a page.", gotrs=True),
        Key("route_prefix", TEXT, "Addresses follow from the module's name.", idle=True, gotrs=True),
    ),
    ref="header",
)

DOCUMENT = Section(
    "A module file",
    (
        Key("module", HEADER, "What the module is.", nullable=False),
        Key("fields", ListOf(FIELD, limit=200), "Columns of the table."),
        Key("relations", ListOf(RELATION, limit=200), "The other direction, and many-to-many."),
        Key("computed_fields", ListOf(COMPUTED, limit=200), "Fields made by a lambda or an SQL expression."),
        Key("hooks", ListOf(HOOK, limit=100), "Lambdas around writes."),
        Key("actions", ListOf(ACTION, limit=100), "Mutations with a button."),
        Key("schedules", ListOf(SCHEDULE, limit=100), "Lambdas by the clock."),
        Key("filters", ListOf(FILTER, limit=100), "Filters of the list."),
        Key("features", FEATURES, "Switches."),
        Key("search", SEARCH, "How `search:` finds rows."),
        Key("operations", _OPERATIONS, "What the API offers.", alias="permissions"),
        Key("access", ACCESS, "Who may what; default: administrators only."),
        Key("validation", MODULE_VALIDATION, "GOTRS's place for what fields say themselves."),
        Key("ui", UI, "Lists and forms."),
        Key("lambda_config", LAMBDA_CONFIG, "Limits of the module's lambdas."),
        Key(
            "translations",
            MapOf(CAPTION),
            "Texts for `t(key)` in lambdas, one a language: `{late: {en: late, de: spät}}`.",
        ),
        Key("hide", shape_of_names("field"), "Fields that this site does not show."),
        Key("fields_patch", MapOf(FIELD_PATCH), "Changes of fields of the lower layer: `{title: {label: Subject}}`."),
    ),
    required=("module",),
)


def sections(section: Section = DOCUMENT) -> Iterator[Section]:
    """Walk every section that another refers to, each once."""
    seen: set[int] = set()
    queue: list[Any] = [section]
    while queue:
        shape = queue.pop()
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, Section):
            yield shape
            queue += [key.shape for key in shape.keys]
        elif isinstance(shape, (ListOf, MapOf)):
            queue.append(shape.item)
        elif isinstance(shape, OneOf):
            queue += [choice for _, choice in shape.choices]
