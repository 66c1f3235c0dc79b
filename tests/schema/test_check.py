"""From files to a module: the whole format, GOTRS's spellings, layers. What is refused stands in test_reports.py."""

from pathlib import Path
from typing import Any

import pytest

from schema.check import check_module, partial_module
from schema.kinds import KINDS
from schema.names import enum_value
from schema.problems import Level
from schema.source import read
from schema.spec import (
    ADMINISTRATORS,
    AudienceAccess,
    Caption,
    Code,
    Default,
    Field,
    Home,
    Module,
    Operation,
    Option,
    Rule,
)
from tests.schema.catalogs import MODULES, everything_wrong, faults, layout, made, shipped

GOOD = Path(__file__).parent / "files" / "good"


def field_of(text: str) -> Field:
    """The one field of a module."""
    return made(f"module: {{name: thing}}\nfields:\n  - {text}").fields[0]


def test_names_come_from_the_name_alone() -> None:
    module = made("module: {name: sla_rule, singular: Regel, plural: Regeln}")
    assert (module.type_name, module.one_root, module.many_root) == ("SlaRule", "slaRule", "slaRules")
    assert module.tables == ("sla_rule",)
    assert made("module: {name: sysconfig, plural_name: sysconfig}").many_root == "sysconfigList"


@pytest.mark.parametrize(
    ("name", "type_name", "one", "many"),
    [
        ("users", "User", "user", "users"),
        ("mail_accounts", "MailAccount", "mailAccount", "mailAccounts"),
        ("news", "News", "news", "newses"),
        ("address", "Address", "address", "addresses"),
        ("sla", "Sla", "sla", "slas"),
    ],
)
def test_a_module_named_like_its_list_has_a_singular_type(name: str, type_name: str, one: str, many: str) -> None:
    module = made(f"module: {{name: {name}}}")
    assert (module.type_name, module.one_root, module.many_root) == (type_name, one, many)


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("Queue", Caption("Queue")),
        ("2024", Caption("2024")),
        ("{en: Queue, de: Schlange}", Caption("Queue", {"en": "Queue", "de": "Schlange"})),
        ("{de: Schlange}", Caption("Schlange", {"de": "Schlange"})),
        ('"@queue.label|Queue"', Caption("Queue", key="queue.label")),
        ('"@admin.modules.queue.fields.group_id.label"', Caption("Group id", key="admin.modules.queue.fields.group_id.label")),
        ('"@admin.modules.queue.plural"', Caption("Queues", key="admin.modules.queue.plural")),
        ('"@ home"', Caption("@ home")),
        ('"{{ config }}"', Caption("{{ config }}")),
    ],
)  # fmt: skip
def test_a_caption_is_a_text_a_text_a_language_or_a_key(text: str, caption: Caption) -> None:
    assert made(f"module: {{name: queue, singular: {text}}}").singular == caption


@pytest.mark.parametrize("word", [word for kind in KINDS.values() for word in (kind.name, *kind.aliases)])
def test_every_kind_is_read_by_its_name_and_aliases(word: str) -> None:
    more = {"reference": ", to: x"}.get(word, ", options: [a]" if word in ("select", "radio", "multiselect") else "")
    kind = field_of(f"{{name: a, type: {word}{more}}}").kind
    assert kind == word or word in KINDS[kind].aliases


def test_options_get_names_of_their_labels() -> None:
    found = field_of("{name: a, type: select, options: [low, {value: 2x, label: Zwei Mal}, {value: neu, label: 新}]}")
    assert [(option.name, option.value, option.label.text) for option in found.options] == [
        ("LOW", "low", "low"),
        ("ZWEI_MAL", "2x", "Zwei Mal"),
        ("NEU", "neu", "新"),
    ]


def test_option_values_are_all_numbers_or_all_texts() -> None:
    found = field_of("{name: a, type: radio, options: [{value: 1, label: one}, {value: x, label: ex}]}")
    assert [option.value for option in found.options] == ["1", "x"]
    assert field_of("{name: a, options: [{value: 1, label: one}]}").options == (Option("ONE", 1, Caption("one")),)


@pytest.mark.parametrize(
    ("kind", "written", "stored"),
    [
        ("string", "5", "5"),
        ("int", '"5"', 5),
        ("bool", "0", False),
        ("bool", "true", True),
        ("date", "2026-01-31", "2026-01-31"),
        ("time", "12:30", "12:30"),
        ("datetime", "2026-01-31T08:30:00Z", "2026-01-31T08:30:00Z"),
        ("validity", "INVALID", 2),
        ("validity", "1", 1),
        ("json", "{a: [1]}", {"a": [1]}),
        ("decimal", "1.5", 1.5),
    ],
)
def test_a_default_is_kept_as_it_is_stored(kind: str, written: str, stored: object) -> None:
    assert field_of(f"{{name: a, type: {kind}, default: {written}}}").default == Default(stored)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("type: bool, default: yes", "true or false; found `yes`"),
        ("type: date, default: today", "a date such as 2026-01-31, or a lambda such as `{lambda: return now}`; found `today`"),
        ("type: int, default: 99999999999", "a whole number of 32 bits; found `99999999999`"),
        ("type: password, default: x", "left out; what is secret has no default; found `x`"),
        ("type: select, options: [low, high], default: hihg", "one of LOW, HIGH; found `hihg`"),
        ("type: validity, default: 4", "one of VALID, INVALID, INVALID_TEMPORARILY; found `4`"),
    ],
)  # fmt: skip
def test_a_default_that_does_not_fit_is_refused(field: str, wanted: str) -> None:
    (fault,) = faults(f"module: {{name: t}}\nfields: [{{name: a, {field}}}]")
    assert fault.partition(": ")[2] == f"The default of field `a` must be {wanted}."


def test_a_default_may_be_a_lambda_that_knows_its_line() -> None:
    found = made(
        "module: {name: t}\nfields:\n  - name: a\n    type: int\n    default:\n      lambda: |\n        // one\n        return 1;"
    )
    default = found.fields[0].default
    assert default is not None
    assert isinstance(default.code, Code)
    assert (default.code.source, str(default.code.place)) == ("// one\nreturn 1;", "site/thing.yaml:7:9")


def test_validation_is_a_pattern_or_bounds_wherever_it_is_said() -> None:
    short = field_of('{name: a, type: string, validation: "^x$"}').validation
    long = field_of("{name: a, type: int, min: 1, validation: {max: 5, message: no}}").validation
    assert (short.pattern, long.min, long.max, long.message) == ("^x$", 1, 5, Caption("no"))
    merged = made(
        "module: {name: t}\nfields: [{name: a, type: string}]\nvalidation: {field_patterns: {a: {pattern: ^y$, message: why}}}"
    ).fields[0]
    assert (merged.validation.pattern, merged.validation.message) == ("^y$", Caption("why"))


def test_what_a_kind_cannot_do_is_said_at_level_info_and_ignored() -> None:
    module, problems = check_module(
        [read("x.yaml", b"module: {name: t}\nfields: [{name: a, type: password, searchable: true, sortable: true}]")]
    )
    assert module is not None
    assert [(problem.path, problem.level) for problem in problems] == [
        ("fields.a.searchable", Level.INFO),
        ("fields.a.sortable", Level.INFO),
    ]
    assert (module.fields[0].searchable, module.fields[0].sortable, module.fields[0].is_readable) == (
        False,
        False,
        False,
    )


def test_a_module_without_access_is_for_administrators() -> None:
    access = made("module: {name: t}").access
    assert access.agent == AudienceAccess(ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS)
    assert access.customer == AudienceAccess()
    assert access.customer.view.is_never


def test_rules_default_to_reading_for_view_and_rw_for_writing() -> None:
    access = made(
        """
module: {name: t}
fields: [{name: owner, type: string}, {name: amount, type: decimal}]
access:
  agent:
    view: {group: users}
    update: {group: users}
    delete: {role: Supervisors}
    rows: {owner: {eq: $me.login}}
  customer: {view: true, create: false}
  fields: {amount: {customer: false, agent: {group: finance}}}
"""
    ).access
    assert access.agent == AudienceAccess(
        view=Rule(group="users", key="ro"),
        create=ADMINISTRATORS,
        update=Rule(group="users", key="rw"),
        delete=Rule(role="Supervisors"),
        rows={"owner": {"eq": "$me.login"}},
    )
    assert (access.customer.view, access.customer.create) == (Rule(allow=True), Rule())
    assert access.fields == {"amount": {"customer": Rule(), "agent": Rule(group="finance")}}


def test_a_hook_for_several_events_is_one_for_each() -> None:
    module = made(
        """
module: {name: queue}
fields: [{name: comment, type: string}]
hooks:
  - {on: [before_update, before_create, before_update], lambda: "return 1"}
  - {on: before_delete, lambda: "return 2"}
"""
    )
    assert [(hook.on, hook.code.source) for hook in module.hooks] == [
        ("before_update", "return 1"),
        ("before_create", "return 1"),
        ("before_delete", "return 2"),
    ]


def test_a_hook_for_no_event_is_refused() -> None:
    (found,) = faults("module: {name: queue}\nfields: [{name: a, type: string}]\nhooks: [{on: [], lambda: return 1}]\n")
    assert "`on` is empty" in found


def test_translations_are_texts_of_languages() -> None:
    module = made("module: {name: queue}\ntranslations: {late: {en: late, de: spät}, ok: fine}\n")
    assert module.translations["late"].in_language("de") == "spät"
    assert module.translations["ok"].text == "fine"


def test_lambdas_args_examples_and_needs_are_kept() -> None:
    module = made(
        """
module: {name: queue}
fields: [{name: unlock_timeout, type: int}]
computed_fields:
  - name: load_label
    needs: [unlock_timeout, group.name]
    args: {locale: string!, limit: {type: int, default: 60}}
    lambda: 'return item.unlock_timeout > 60 ? "slow" : "ok";'
    examples:
      - {item: {unlock_timeout: 90}, returns: slow}
      - {item: {unlock_timeout: 9}, args: {locale: de}, returns: null}
hooks: [{on: before_update, lambda: "reject('comment', 'why')"}]
actions: [{name: empty, confirm: "Really?", lambda: "return 1"}]
schedules: [{name: nightly, cron: "0 3 * * 1-5", lambda: "return 1", as: robot}]
"""
    )
    (computed,) = module.computed
    assert (computed.kind, computed.needs) == ("string", ("unlock_timeout", "group.name"))
    assert [(item.name, item.kind, item.required, item.default) for item in computed.args] == [
        ("locale", "string", True, None),
        ("limit", "int", False, 60),
    ]
    assert [(item.item, item.args, item.returns) for item in computed.examples] == [
        ({"unlock_timeout": 90}, {}, "slow"),
        ({"unlock_timeout": 9}, {"locale": "de"}, None),
    ]
    assert [hook.on for hook in module.hooks] == ["before_update"]
    assert [(action.name, action.label.text) for action in module.actions] == [("empty", "Empty")]
    assert [(item.cron, item.as_principal) for item in module.schedules] == [("0 3 * * 1-5", "robot")]


def test_a_lambda_is_data_up_to_64_kilobytes() -> None:
    """A13: nothing in its text is special."""
    source = "*/ </script> ${x} `y`"
    module = made(f"module: {{name: t}}\ncomputed_fields: [{{name: a, lambda: '{source}'}}]")
    assert module.computed[0].code is not None
    assert module.computed[0].code.source == source
    (fault,) = faults(f"module: {{name: t}}\ncomputed_fields: [{{name: a, lambda: {'x' * 65537}}}]")
    assert fault == "2:37 too-long: `lambda` has 65537 characters; 65536 are allowed."
    (fault,) = faults(f"module: {{name: t}}\ncomputed_fields: [{{name: a, lambda: {'ä' * 40000}}}]")
    assert fault == "2:37 too-long: The lambda has 80000 bytes; 65536 are allowed."


def test_rows_without_a_key_can_only_be_viewed() -> None:
    module = made("module: {name: t, key: none}")
    assert (module.declared_key, module.operations) == ((), frozenset({Operation.VIEW}))
    assert made("module: {name: t, key: [a, b]}").declared_key == ("a", "b")
    assert made("module: {name: t}").declared_key is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("operations: view", {"view"}),
        ("operations: [view, upsert, bulk]", {"view", "upsert", "bulk"}),
        ("permissions: [view, reset_password]", {"view"}),
        ("permissions: []", {"view", "create", "update", "delete"}),
        ("fields: []", {"view", "create", "update", "delete"}),
    ],
)
def test_operations_are_also_called_permissions(text: str, wanted: set[str]) -> None:
    assert made(f"module: {{name: t}}\n{text}").operations == wanted
    inside = text.replace("fields: []", "optional: false")
    assert made(f"module: {{name: t, {inside}}}").operations == wanted


# --- GOTRS ---


@pytest.fixture
def gotrs() -> Module:
    return made((GOOD / "gotrs_queue.yaml").read_text())


def test_a_gotrs_file_loads_unchanged_and_says_what_has_no_effect() -> None:
    module, problems = check_module([read("queue.yaml", (GOOD / "gotrs_queue.yaml").read_bytes())])
    assert module is not None
    assert {problem.level for problem in problems} == {Level.INFO}
    assert [problem.path for problem in problems] == [
        "module.route_prefix",
        "fields.create_time.format",
        "features.color_picker",
        "features.filters",
        "permissions.[4]",
        "ui.form_sections.Basics.type",
    ]


def test_gotrs_lookups_are_references_and_valid_is_the_validity(gotrs: Module) -> None:
    found: dict[str, Any] = {item.name: (item.kind, item.column) for item in gotrs.fields}
    assert found["group_id"] == ("reference", "group_id")
    assert found["valid_id"] == ("validity", "valid_id")
    group = gotrs.field_named("group_id")
    assert group is not None
    assert (group.to, group.settings["lookup_table"], group.settings["lookup_display"]) == (None, "groups", "name")


def test_gotrs_computed_fields_are_html_and_ours_are_texts(gotrs: Module) -> None:
    assert gotrs.computed[0].kind == "html"
    assert made("module: {name: t}\ncomputed_fields: [{name: a, lambda: return 1}]").computed[0].kind == "string"


def test_gotrs_validation_reaches_the_fields_and_custom_rules_become_hooks(gotrs: Module) -> None:
    name = gotrs.field_named("name")
    assert name is not None
    assert (name.unique, name.required, name.validation.pattern) == (True, True, "^[^:]+$")
    assert [hook.on for hook in gotrs.hooks] == ["before_create", "before_update"]


def test_gotrs_lookup_can_be_one_mapping() -> None:
    found = field_of("{name: a, type: select, lookup: {table: users, value_column: id, display_column: login}}")
    assert found.kind == "reference"
    assert [found.settings[key] for key in ("lookup_table", "lookup_key", "lookup_display")] == ["users", "id", "login"]


def test_a_read_only_gotrs_module_can_be_viewed() -> None:
    module = made("module: {name: log, read_only: true, default_sort: id, default_sort_dir: desc, page_size: 50}")
    assert module.operations == {Operation.VIEW}
    assert module.ui == {"default_sort": "id", "default_sort_dir": "desc", "page_size": 50}


# --- layers ---

TICKET = (
    "module: {name: ticket, singular: Ticket}\nfields: [{name: title, type: string}, {name: time_unit, type: int}]\n"
)


def merged(*texts: str) -> Module:
    module, problems = check_module([read(f"{number}/ticket.yaml", text.encode()) for number, text in enumerate(texts)])
    assert module is not None, problems
    return module


def test_an_extension_adds_patches_and_hides() -> None:
    module = merged(
        TICKET + "access: {agent: {view: true, delete: true}}\nui: {list_columns: [title], page_size: 10}",
        "module: {extend: ticket, notice: Ours}\n"
        "fields: [{name: contract_no, type: string, label: Contract, searchable: true}]\n"
        "computed_fields: [{name: urgency, type: badge, needs: [title], lambda: return 1}]\n"
        "hide: [time_unit]\n"
        "fields_patch: {title: {label: Subject, required: true}}\n"
        "access: {agent: {delete: false}}\n"
        "ui: {list_columns: [title, contract_no]}",
    )
    assert module.files == ("0/ticket.yaml", "1/ticket.yaml")
    assert [(item.name, item.label.text, item.hidden, item.home) for item in module.fields] == [
        ("title", "Subject", False, Home.TABLE),
        ("time_unit", "Time unit", True, Home.TABLE),
        ("contract_no", "Contract", False, Home.SIDE),
    ]
    assert module.fields[0].required
    assert [item.api_name for item in module.shown_fields] == ["title", "contractNo"]
    assert (module.access.agent.view, module.access.agent.delete) == (Rule(allow=True), Rule())
    assert module.ui == {"list_columns": ("title", "contract_no"), "page_size": 10}
    assert (module.singular.text, module.notice) == ("Ticket", Caption("Ours"))


def test_problems_of_an_extension_name_its_own_file() -> None:
    found = check_module(
        [
            read("modules/ticket.yaml", TICKET.encode()),
            read(
                "site/ticket.yaml",
                b"module: {extend: ticket, table: x}\nfields: [{name: title, type: int}]\nhide: [titel]\nfields_patch: {x: {}}",
            ),
        ]
    )[1]
    assert [f"{problem.place} {problem.message}" for problem in found] == [
        "site/ticket.yaml:1:26 An extension cannot change `table`.",
        "site/ticket.yaml:4:16 `fields_patch` names `x`, which is no field.",
        "site/ticket.yaml:2:17 Field `title` and field `title` (modules/ticket.yaml:2:17) are both called `title` in the API.",
        "site/ticket.yaml:3:7 `hide` names `titel`, which is no field.",
    ]


def test_a_patch_is_checked_as_the_field_it_makes() -> None:
    assert faults(TICKET, "module: {extend: ticket}\nfields_patch: {title: {default: 5, min_length: 3}}") == [
        "2:36 unknown-key: A patch of a field has no key `min_length`."
    ]
    assert faults(TICKET, "module: {extend: ticket}\nfields_patch: {time_unit: {default: soon}}") == [
        "2:37 bad-default: The default of field `time_unit` must be a whole number; found `soon`."
    ]


def test_the_digest_changes_with_any_layer() -> None:
    extension = "module: {extend: ticket}\n"
    digests = {
        merged(TICKET).digest,
        merged(TICKET, extension).digest,
        merged(TICKET, extension + "hide: [title]").digest,
    }
    assert len(digests) == 3
    assert merged(TICKET, extension).digest == merged(TICKET, extension).digest


def test_an_extension_without_its_base_is_no_module() -> None:
    """What to say about it is the loader's to know: it sees all files."""
    assert check_module([read("site/ticket.yaml", b"module: {extend: ticket}")])[0] is None


def test_a_broken_layer_breaks_the_module_and_only_it_is_blamed() -> None:
    module, problems = check_module([read("a.yaml", TICKET.encode()), read("b.yaml", b"module: {extend: ticket")])
    assert module is None
    assert {problem.file for problem in problems} == {"b.yaml"}


# --- all problems at once ---


def everything(text: str) -> list[str]:
    found = everything_wrong("site/thing.yaml", text.encode(), layout("znuny65"))
    return sorted(f"{problem.line} {problem.code}: {problem.message}" for problem in found)


def test_what_the_database_lacks_is_said_beside_what_the_file_gets_wrong() -> None:
    """A10: nobody mends a file twice."""
    assert everything(
        """
module: {name: thing, table: queue}
fields:
  - {name: name, type: strnig}
  - {name: comment, column: coment, type: text}
  - {name: group, column: group_id, type: reference, to: gruop}
computed_fields:
  - {name: a, type: string, lambda: return 1, needs: [nmae]}
  - {name: b, type: string, sql: UPPER(commments)}
relations: [{name: tickets, to: tikcet, by: queue}]
filters: [{field: nothing}]
ui: {list_columns: [name, nowhere]}
validation: {unique_fields: [unknown]}
"""
    ) == [
        "10 missing-module: Relation `tickets` is left out: there is no module `tikcet`.",
        "11 unknown-field: The filter on `nothing` is left out: there is no such field.",
        "12 unknown-field: `list_columns` names `nowhere`, which module `thing` does not have.",
        "13 unknown-field: `unique_fields` names `unknown`, which is no field.",
        "4 unknown-type: `type` must be one of string, text, markdown, html, int, bigint, float, decimal, bool, date, time, datetime, epoch, duration, select, radio, multiselect, validity, reference, color, email, url, phone, range, json, yaml, password, secret, file; found `strnig`.",
        "5 missing-column: Table `queue` has no column `coment` for field `comment`.",
        "6 missing-module: Field `group` is left out: there is no module `gruop`.",
        "8 bad-needs: `needs` of `a` names `nmae`, which is no field and no column.",
        "9 bad-expression: The SQL expression of `b` cannot use `commments`: table `queue` has no such column.",
    ]


def test_an_error_is_not_followed_by_complaints_about_what_it_took_away() -> None:
    assert everything(
        """
module: {name: thing, table: queue, key: [code]}
fields:
  - {name: code, column: name, type: strnig}
  - {name: number, column: 5, type: int}
computed_fields:
  - {name: a, type: string, lambda: return 1, needs: [code, number]}
  - {name: b, type: string, sql: UPPER(code)}
filters: [{field: code}]
hide: [number]
access: {agent: {rows: {code: {eq: x}}}, fields: {code: {agent: true}}}
ui: {list_columns: [code, a, b], default_sort: code}
"""
    ) == [
        "4 unknown-type: `type` must be one of string, text, markdown, html, int, bigint, float, decimal, bool, date, time, datetime, epoch, duration, select, radio, multiselect, validity, reference, color, email, url, phone, range, json, yaml, password, secret, file; found `strnig`.",
        "5 bad-type: `column` must be a column name of letters, digits and _; found `5`.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "module: {name: thing, table: 5}",
        "module: {name: thing, key: {}}",
        "module: {name: thing}\nfields: 7",
        "module: {table: queue}",
        "module: {name: thing, table: lambdesk_role}",
        "module: {extend: thing}",
        "module: {name: thing",
        "",
    ],
)
def test_a_file_that_says_too_little_is_not_bound_for_a_report(text: str) -> None:
    assert partial_module([read("site/thing.yaml", text.encode())]) is None


def test_a_good_file_makes_the_same_module_in_part_and_in_whole() -> None:
    for module in shipped().values():
        path = next(path for path in MODULES if path.as_posix().endswith(module.files[0]))
        assert partial_module([read(module.files[0], path.read_bytes())]) == module


def test_one_name_for_two_members_is_said_even_where_both_are_wrong() -> None:
    assert faults(
        "module: {name: thing}\nfields:\n  - {name: a_b, type: x}\n  - {name: a_b, type: reference}\nactions:\n  - {name: go, lambda: ''}\n  - {name: go, lambda: return 1}"
    )[-2:] == [
        "4:12 name-collision: Field `a_b` and field `a_b` (site/thing.yaml:3:12) are both called `aB` in the API.",
        "7:12 name-collision: Action `go` is here twice; the first is at site/thing.yaml:6:12.",
    ]


def test_options_are_compared_even_where_one_has_no_value() -> None:
    found = faults(
        "module: {name: thing}\nfields:\n  - {name: a, type: select, options: [{value: 1, label: x}, {label: y}, {value: 1, label: z}]}"
    )
    assert [line.split(":")[1].split()[1] for line in found] == ["missing-key", "duplicate-option"]


# --- names and values of options ---


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("new ticket", "NEW_TICKET"),
        ("Ünïcode Ä", "UNICODE_A"),
        ("Straße", "STRASSE"),
        ("GROẞ", "GROSS"),
        ("Ærø Łódź", "AERO_LODZ"),
        ("crème brûlée", "CREME_BRULEE"),
        ("ﬁne ②", "FINE_2"),
        ("3rd party", "_3RD_PARTY"),
        ("--a--b--", "A_B"),
        ("新", "EMPTY"),
    ],
)
def test_an_enum_value_keeps_every_letter_that_latin_has_a_letter_for(label: str, name: str) -> None:
    assert enum_value(label) == name


@pytest.mark.parametrize(
    ("label", "value", "name"), [("新", "7", "VALUE_7"), ("★", "☆", "VALUE_2"), ("...", "2.5", "VALUE_2_5")]
)
def test_a_label_without_letters_makes_a_number_of_a_name_with_a_warning(label: str, value: str, name: str) -> None:
    text = f'module: {{name: thing}}\nfields: [{{name: a, type: select, options: [one, {{value: "{value}", label: "{label}"}}]}}]'
    module, problems = check_module([read("site/thing.yaml", text.encode())])
    assert module is not None
    assert module.fields[0].options[1].name == name
    assert [(problem.code, problem.level, problem.hint) for problem in problems] == [
        ("bad-name", Level.WARNING, "Give the option a `name`.")
    ]


@pytest.mark.parametrize("value", ["a,b", " a", "a ", ","])
@pytest.mark.parametrize("kind", ["multiselect", "select, multiple: true"])
def test_values_of_a_multiselect_can_be_told_apart_again(value: str, kind: str) -> None:
    text = (
        f'module: {{name: thing}}\nfields: [{{name: a, type: {kind}, options: [one, {{name: X, value: "{value}"}}]}}]'
    )
    (found,) = faults(text)
    assert found.partition(" ")[2] == (
        f"bad-option: Option `X` of field `a` stores `{value}`, which a list of options cannot hold."
    )
    assert faults(text.replace(kind, "select")) == []
