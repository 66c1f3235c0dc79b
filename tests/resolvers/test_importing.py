"""What stands in a CSV file becomes what the API takes: columns by any of their names, cells as people write them."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.csv_cells import write_cell, write_row
from resolvers.csv_rows import read_csv
from resolvers.csv_values import NotSuch, reader_of
from resolvers.faults import Faulty
from resolvers.importing import RowInput, convert_rows, map_columns, reference_texts
from resolvers.messages import text_of
from schema import scalars
from schema.spec import Caption, Default, Field, Module, Option
from tests.counts import count
from tests.resolvers.world import PLACE, modules

MODULES = modules("sqlite")
TICKET = MODULES["ticket"]
SECONDS_FOR_10_000_ROWS = 1.0


def with_fields(module: Module, **changed: Mapping[str, Any]) -> Module:
    """Return the module with other settings of some of its fields."""
    return replace(module, fields=tuple(replace(item, **changed.get(item.name, {})) for item in module.fields))


def convert(text: str, module: Module = TICKET, **settings: Any) -> list[RowInput]:
    table = read_csv(text.encode())
    return list(convert_rows(table, map_columns(module, table.header, MODULES), **settings))


def value(kind: str, text: str, **settings: Any) -> Any:
    return reader_of(Field(name="x", kind=kind, column="x", label=Caption("X"), place=PLACE, **settings))(text)


def told(row: RowInput, *languages: str) -> list[str]:
    return [
        f"row {item.row}, {item.column}: {item.fault.code}: {text_of(item.fault.key, item.fault.params, languages)}"
        for item in row.faults
    ]


# --- which column is which field ---


def test_a_column_is_found_by_its_name_in_the_api_in_the_file_or_by_its_caption_in_any_language() -> None:
    label = Caption("Reason", {"en": "Reason", "de": "Grund"})
    module = with_fields(TICKET, title={"label": label})

    for header in ("title", "Title", "Reason", "Grund", "GRUND"):
        mapped = map_columns(module, [header], MODULES)
        assert [target.name for target in mapped.targets.values()] == ["title"]
    assert map_columns(module, ["pending_until"], MODULES).targets[0].name == "pendingUntil"
    assert map_columns(module, ["PendingUntil"], MODULES).targets[0].name == "pendingUntil"


def test_references_are_found_by_each_key_of_their_target() -> None:
    headers = [
        "queue",
        "queue.databaseId",
        "customer_user",
        "customerUserLogin",
        "Queue: Name",
        "queue.id",
        "parent.number",
    ]

    found = [map_columns(TICKET, [header], MODULES).targets[0] for header in headers]

    assert [(target.name, target.key and target.key.api_name) for target in found] == [
        ("queue", None),
        ("queue", "databaseId"),
        ("customerUser", None),
        ("customerUserLogin", None),
        ("queue", "name"),
        ("queue", "id"),
        ("parent", "number"),
    ]


def test_an_explicit_mapping_wins_and_can_leave_columns_out() -> None:
    mapped = map_columns(
        TICKET, ["title", "note", "waste"], MODULES, chosen={"title": "body", "note": "title", "waste": ""}
    )

    assert [target.name for target in mapped.targets.values()] == ["body", "title"]
    assert mapped.unknown == ()


def test_columns_that_are_nothing_here_are_reported() -> None:
    module = with_fields(TICKET, title={"readonly": True}, body={"hidden": True})
    mapped = map_columns(module, ["number", "title", "body", "watchers", "nonsense"], MODULES)

    assert mapped.unknown == ("title", "body", "watchers", "nonsense")
    assert list(mapped.targets) == [0]


def test_two_columns_for_one_field_and_a_mapping_to_nothing_are_refused() -> None:
    with pytest.raises(Faulty) as caught:
        map_columns(TICKET, ["queue", "queue.name", "a"], MODULES, chosen={"a": "tickets", "b": "title"})

    assert [text_of(fault.key, fault.params) for fault in caught.value.faults] == [
        "The file has no column b.",
        "a cannot be mapped to tickets: there is no such field that can be written.",
        "The columns queue and queue.name both stand for queue.",
    ]


# --- what a cell means ---


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("int", " 12 ", 12), ("int", "+7", 7), ("int", "-3.0", -3), ("bigint", "9007199254740993", 9007199254740993),
        ("float", "1.5", 1.5), ("float", "1,5", 1.5), ("float", "-1e3", -1000.0), ("decimal", "19.90", "19.90"),
        ("decimal", "1234,5678", "1234.5678"), ("bool", "yes", True), ("bool", "Ja", True), ("bool", "1", True),
        ("bool", "nein", False), ("bool", "FALSE", False), ("bool", "0", False), ("date", "2026-01-31", "2026-01-31"),
        ("date", "31.1.2026", "2026-01-31"), ("time", "8:30", "08:30:00"), ("time", "23:59:59.5", "23:59:59.500000"),
        ("datetime", "2026-01-31T14:30:00Z", "2026-01-31T14:30:00Z"), ("datetime", "31.01.2026 14:30", "2026-01-31T14:30:00Z"),
        ("datetime", "2026-01-31 14:30:00 +02:00", "2026-01-31T12:30:00Z"), ("epoch", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("duration", "PT1H30M", "PT1H30M"), ("duration", "1:30", "PT1H30M0S"), ("duration", "-0:00:05", "-PT0H0M5S"),
        ("json", '{"a": 1}', {"a": 1}), ("validity", "valid", "VALID"), ("validity", "2", "INVALID"),
        ("validity", "invalid-temporarily", "INVALID_TEMPORARILY"), ("validity", "ungültig", "INVALID"),
        ("string", " kept ", " kept "), ("text", "a\nb", "a\nb"), ("multiselect", "a; b;c", ["a", "b", "c"]),
    ],
)  # fmt: skip
def test_cells_are_read_as_people_write_them(kind: str, text: str, expected: Any) -> None:
    assert value(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("int", "1,234", "1,234 is no whole number."),
        ("int", "٣", "٣ is no whole number."),
        ("float", "1,234", "1,234 is no number; write it like 1234.5 without separators of thousands."),
        ("float", "1e999", "1e999 is no number; write it like 1234.5 without separators of thousands."),
        ("float", "nan", "nan is no number; write it like 1234.5 without separators of thousands."),
        ("bool", "maybe", "maybe is neither yes nor no; write yes, no, true, false, 1 or 0."),
        ("date", "01/31/2026", "01/31/2026 is no date; write it like 2026-01-31 or 31.01.2026."),
        ("date", "31.02.2026", "31.02.2026 is no date; write it like 2026-01-31 or 31.01.2026."),
        ("time", "25:00", "25:00 is no time of day; write it like 14:30 or 14:30:00."),
        ("datetime", "soon", "soon is no date with a time; write it like 2026-01-31 14:30 or 31.01.2026 14:30."),
        ("datetime", "0001-01-01 00:00 +05:00",
         "0001-01-01 00:00 +05:00 is no date with a time; write it like 2026-01-31 14:30 or 31.01.2026 14:30."),
        ("duration", "an hour", "an hour is no length of time; write it like PT1H30M or 1:30."),
        ("json", "{broken", "{broken is no JSON."),
        ("validity", "maybe", "maybe is none of the options; there are VALID, INVALID, INVALID_TEMPORARILY."),
        ("int", "x" * 100, "x" * 60 + "… is no whole number."),
    ],
)  # fmt: skip
def test_a_cell_that_is_none_of_its_kind_is_refused_with_what_was_expected(kind: str, text: str, message: str) -> None:
    with pytest.raises(NotSuch) as caught:
        value(kind, text)

    assert text_of(caught.value.key, caught.value.params) == message


def test_an_option_is_meant_by_its_name_its_value_or_its_caption_in_that_order() -> None:
    options = (
        Option("LOW", 1, Caption("low", {"en": "low", "de": "niedrig"})),
        Option("HIGH", 2, Caption("1")),
    )

    assert [value("select", text, options=options) for text in ("low", "Niedrig", "2", "1")] == [
        "LOW",
        "LOW",
        "HIGH",
        "LOW",
    ]
    with pytest.raises(NotSuch) as caught:
        value("multiselect", "low;other", options=options)
    assert text_of(caught.value.key, caught.value.params) == "other is none of the options; there are LOW, HIGH."


def test_moments_without_an_offset_are_in_the_zone_of_the_importer() -> None:
    rows = convert("number,pending_until\n1,15.07.2026 12:00\n2,2026-01-15\n", zone=ZoneInfo("Europe/Berlin"))

    assert [row.values["pendingUntil"] for row in rows] == ["2026-07-15T10:00:00Z", "2026-01-14T23:00:00Z"]


# --- rows ---


def test_a_row_becomes_the_input_that_creates_it() -> None:
    (row,) = convert(
        "number,title,queue,customer_user,parent.databaseId,price,hot,urgency,areas,databaseId,nonsense\n"
        '20261,"Printer, again",Raw,anna,7,"19,90",ja,high,north;south,12,?\n'
    )

    assert row.values == {
        "number": "20261",
        "title": "Printer, again",
        "queue": {"name": "Raw"},
        "customerUser": {"login": "anna"},
        "parent": {"databaseId": 7},
        "price": "19.90",
        "hot": True,
        "urgency": "HIGH",
        "areas": ["north", "south"],
    }
    assert (row.keys, row.faults) == ({"databaseId": 12}, ())


def test_an_empty_cell_is_null_or_the_default_or_missing() -> None:
    module = with_fields(TICKET, title={"required": True}, body={"default": Default("x")})
    table = read_csv(b"colour,title,body,price\n,,,\n")
    (row,) = convert_rows(table, map_columns(module, table.header, MODULES))

    assert row.values == {"colour": None, "price": None}
    assert told(row) == ["row 2, title: REQUIRED: A value is required here."]


def test_every_bad_cell_is_named_by_row_and_column_in_the_caller_s_language() -> None:
    rows = convert("Number,Effort,parent.databaseId,due\n1,soon,x,1.2.3\n2,PT1M,7,2026-01-01\n3,PT1M,,never\n")

    assert [told(row, "de") for row in rows] == [
        [
            "row 2, Effort: INVALID: soon ist keine Dauer; schreiben Sie sie wie PT1H30M oder 1:30.",
            "row 2, parent.databaseId: INVALID: x benennt kein ticket: Der Schlüssel databaseId ist 123.",
            "row 2, due: INVALID: 1.2.3 ist kein Datum; schreiben Sie es wie 2026-01-31 oder 31.01.2026.",
        ],
        [],
        ["row 4, due: INVALID: never ist kein Datum; schreiben Sie es wie 2026-01-31 oder 31.01.2026."],
    ]


def test_who_can_look_rows_up_decides_what_a_reference_means() -> None:
    table = read_csv(b"number,queue\n1,Raw\n2, 3 \n3,Gone\n")
    mapped = map_columns(TICKET, table.header, MODULES)

    assert reference_texts(table, mapped) == {"queue": {"Raw", "3", "Gone"}}

    known = {"queue": {"Raw": {"databaseId": 2}, "3": {"databaseId": 3}}}
    rows = list(convert_rows(table, mapped, known=known))
    assert [row.values.get("queue") for row in rows] == [{"databaseId": 2}, {"databaseId": 3}, None]
    assert told(rows[2]) == ["row 4, queue: REFERENCE: There is no queue Gone."]


# --- out and in again ---

_MOMENTS = st.datetimes().map(scalars.write_date_time)
# kind → its values as the API writes them
_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(codec="utf-8"), min_size=1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "decimal": st.decimals(-(10**12), 10**12, places=3).map(scalars.write_decimal),
    "bool": st.booleans(),
    "date": st.dates().map(scalars.write_date),
    "time": st.times().map(scalars.write_time),
    "datetime": _MOMENTS,
    "epoch": _MOMENTS,
    "duration": st.integers(-(2**31) + 1, 2**31 - 1).map(scalars.write_duration),
    "json": st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    ),
    "validity": st.sampled_from(["VALID", "INVALID", "INVALID_TEMPORARILY"]),
    "multiselect": st.lists(st.text(st.characters(codec="utf-8")).map(str.strip), min_size=1).filter(lambda items: items != [""]),
}  # fmt: skip


@given(st.data())
def test_what_is_exported_is_imported_with_the_same_values(data: st.DataObject) -> None:
    fields = tuple(
        Field(name=f"{kind}_field", kind=kind, column=kind, label=Caption(kind), place=PLACE) for kind in _VALUES
    )
    module = replace(TICKET, fields=fields, relations=(), computed=(), row_keys=(), name="sample")
    expected = {item.api_name: data.draw(_VALUES[item.kind]) for item in fields}
    for name in data.draw(st.sets(st.sampled_from(sorted(expected)))) - {"validityField"}:  # its empty cell is VALID
        expected[name] = None
    cells = [write_cell(expected[item.api_name], as_json=item.kind == "json") for item in fields]
    table = read_csv((write_row(expected) + write_row(cells)).encode())

    (row,) = convert_rows(table, map_columns(module, table.header, MODULES))

    assert row.faults == ()
    assert row.values == expected


def test_ten_thousand_rows_are_converted_in_a_second() -> None:
    """Not a benchmark: the best of three keeps a busy machine out of it."""
    rows = count(10_000, 100_000)
    line = "{n},Printer,Raw,anna,19.90,ja,2026-01-31,31.01.2026 14:30,high,north;south\n"
    text = "number,title,queue,customer_user,price,hot,due,pending_until,urgency,areas\n" + "".join(
        line.format(n=n) for n in range(rows)
    )
    best = min(measure(text.encode()) for _ in range(3))

    assert best < SECONDS_FOR_10_000_ROWS * rows / 10_000


def measure(data: bytes) -> float:
    begun = time.process_time()
    table = read_csv(data)
    converted = list(convert_rows(table, map_columns(TICKET, table.header, MODULES)))
    assert not any(row.faults for row in converted)
    return time.process_time() - begun
