"""A table of a spreadsheet becomes a module file that its author would have written much the same."""

import pytest

from schema.check import check_module
from schema.scaffold_csv import csv_yaml
from schema.source import read

CSV = """\
Name;Größe (m²);Seats;Opened;Mail;Wide;Kind;Notes;id
Blue;12.5;4;2026-01-31;a@b.example;yes;office;;1
Red;20;10;2025-12-01;c@d.example;no;office;"two
lines";2
Green;9.75;;2024-02-29;e@f.example;no;hall;short;3
Grey;8;2;2024-03-01;g@h.example;yes;hall;;4
Pink;8;2;2024-03-01;g@h.example;yes;hall;;5
Black;8;2;2024-03-01;g@h.example;yes;office;;6
"""
YAML = """\
# yaml-language-server: $schema=/schema/module.json
module:
  name: meeting_room
  singular: Meeting room
  table: meeting_room  # made from this file when it does not exist
  operations: [view, create, update, delete, bulk]

fields:
  - name: name
    type: string
    label: Name
    required: true
    searchable: true
  - name: groesse_m
    type: float
    label: "Größe (m²)"
    required: true
  - name: seats
    type: int
    label: Seats
  - name: opened
    type: date
    label: Opened
    required: true
  - name: mail
    type: email
    label: Mail
    required: true
  - name: wide
    type: bool
    label: Wide
  - name: kind
    type: select
    options: [{name: OFFICE, value: office, label: office}, {name: HALL, value: hall, label: hall}]
    label: Kind
    required: true
  - name: notes
    type: text
    label: Notes

features: {search: true, export_csv: true, import_csv: true}

# Without `access`, only administrators may use the module.
ui:
  list_columns: [name, groesse_m, seats, opened, mail, wide]
"""


def test_names_and_types_are_guessed() -> None:
    assert csv_yaml(CSV, "meeting_room") == YAML


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2"], "int"),
        (["1", "3000000000"], "bigint"),
        (["1", "2.5"], "float"),
        (["007", "12"], "string"),  # a number with zeros in front is a number of something
        (["1,5"], "string"),
        (["2026-01-31T10:00:00Z"], "datetime"),
        (["2026-02-31"], "string"),
        (["https://lambdesk.example/x"], "url"),
        (["x" * 251], "text"),
        (["Ja", "nein"], "bool"),
        (["", ""], "string"),
    ],
)
def test_a_type_is_one_that_all_values_have(values: list[str], kind: str) -> None:
    lines = "".join(f'a,"{value}"\n' for value in values)
    assert f"  - name: it\n    type: {kind}\n" in csv_yaml(f"x,it\n{lines}", "thing")


def test_whatever_the_headings_are_the_file_serves() -> None:
    heads = [
        "id",
        "Name",
        "name",
        "NAME",
        "",
        "__typename",
        "1st",
        "version",
        "yes",
        'a "b": c',
        "a\tb",
        "x" * 300,
        "Ärger",
    ]
    text = csv_yaml(",".join('"' + head.replace('"', '""') + '"' for head in heads) + "\n", "thing")
    module, problems = check_module([read("site/thing.yaml", text.encode())])

    assert [problem.message for problem in problems] == []
    assert module is not None
    assert len(module.fields) == len(heads) - 1


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "thing", "The text is empty"),
        (" \n,\n", "thing", "The text is empty"),
        ('a,"b\n', "thing", "The text is no CSV: line 1"),
        ("a,b\n", "Thing", "`Thing` is no name for a module"),
        (",".join("x" * 201) + "\n", "thing", "The text has 201 columns; a module may have 200 fields."),
    ],
)
def test_what_is_no_table_is_told(text: str, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        csv_yaml(text, name)
