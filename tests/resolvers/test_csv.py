"""CSV files as people's programs write them: read as they are meant, or refused with the place that is wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.csv_cells import guard, split_list, unguard, write_cell, write_row
from resolvers.csv_rows import CsvTable, read_csv
from resolvers.faults import Faulty
from resolvers.messages import text_of


def cells(table: CsvTable) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


def refusal(data: Any, **limits: Any) -> str:
    with pytest.raises(Faulty) as caught:
        read_csv(data, **limits)
    (fault,) = caught.value.faults
    return f"{fault.code}: {text_of(fault.key, fault.params)}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(delimiter: str) -> None:
    lines = [("name", "price", "note"), ("Raw", "1,5", "a; b"), ("Junk", "2,5", "c|d")]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)

    table = read_csv(text.encode())

    assert table.delimiter == delimiter
    assert [table.header, *cells(table)] == lines


def test_a_file_of_one_column_is_no_puzzle() -> None:
    assert cells(read_csv(b"name\nRaw\nJunk; or not\n")) == [("Raw",), ("Junk; or not",)]


def test_decimal_commas_do_not_hide_the_semicolon() -> None:
    assert cells(read_csv(b"name;price\nRaw;1,50\nJunk;2,75\n")) == [("Raw", "1,50"), ("Junk", "2,75")]


def test_a_byte_order_mark_and_the_line_that_names_the_separator_are_no_content() -> None:
    table = read_csv(b"\xef\xbb\xbfsep=;\r\nname;note\r\nRaw;x\r\n")

    assert table.header == ("name", "note")
    assert [(row.number, row.cells) for row in table.rows] == [(3, ("Raw", "x"))]


def test_quotes_keep_separators_quotes_and_line_breaks() -> None:
    table = read_csv(b'name,note\r\n"Raw, the first","says ""hi""\r\nand more"\r\n\r\nJunk,\r\n')

    assert [(row.number, row.cells) for row in table.rows] == [
        (2, ("Raw, the first", 'says "hi"\r\nand more')),
        (4, ("Junk", "")),
    ]


def test_a_file_may_come_in_pieces() -> None:
    assert cells(read_csv(iter([b"name\nR", b"aw \xe2", b"\x82\xac\n"]))) == [("Raw €",)]


@pytest.mark.parametrize(
    ("data", "limits", "message"),
    [
        (b"", {}, "INVALID: The file is empty."),
        (b"\n\r\n", {}, "INVALID: The file is empty."),
        (b"name\nRaw\nJ\xfcnk\n", {}, "INVALID: Line 3 is not UTF-8. Save the file as “CSV UTF-8”."),
        ("name\nRaw".encode("utf-16"), {}, "INVALID: Line 1 is not UTF-8. Save the file as “CSV UTF-8”."),
        (b"a,b\n1,2\n3\n4,5,6\n", {}, "INVALID: The header has 2 columns; these rows have more or fewer: 3, 4."),
        (b"a,,c\n1,2,3\n", {}, "INVALID: Column 2 has no name, or a name that is too long."),
        (b"a,b,a\n1,2,3\n", {}, "INVALID: Two columns are called a."),
        (b'a,b\n1,"open\n', {}, "INVALID: Row 2: quotes do not match, or a cell is longer than 131,072 characters."),
        (b'a,b\n1,"x"y\n', {}, "INVALID: Row 2: quotes do not match, or a cell is longer than 131,072 characters."),
        (b"a\n1\n2\n3\n", {"row_limit": 2}, "LIMIT: The file has more than 2 rows. Split it."),
        (iter([b"a\n1", b"234567"]), {"size_limit": 8}, "LIMIT: The file has more than 8 bytes."),
        (",".join(f"c{n}" for n in range(301)).encode(), {}, "LIMIT: The file has more than 300 columns."),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(data: Any, limits: dict[str, int], message: str) -> None:
    assert refusal(data, **limits) == message


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 123", "-x", "@SUM(A1)", "\tx", "\rx", "\uff1dx", "\uff0bx", "\uff0dx", "\uff20x", "'=x"]
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", ["-5", "-5.25", "-1e+16", "5", "'quoted'", "a=b", "", "'"])
def test_numbers_and_harmless_texts_stay_as_they_are(text: str) -> None:
    assert guard(text) == text
    assert unguard(text) == text


def test_values_are_written_so_that_they_can_be_read_again() -> None:
    row = write_row([write_cell(value) for value in (None, True, False, -5, 1.5, "a;b", ["x", "y;z"], "=1", 'say "x"')])

    assert row == ',true,false,-5,1.5,"a;b","x;y\\;z",\'=1,"say ""x"""\r\n'
    assert write_row([""]) == '""\r\n'
    assert write_cell({"a": [1, None]}, as_json=True) == '{"a":[1,null]}'
    assert write_cell("text", as_json=True) == '"text"'


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=4).map(tuple), max_size=6))
def test_every_text_survives_the_way_out_and_in(rows: list[tuple[str, ...]]) -> None:
    rows = [(*row, "", "", "")[:4] for row in rows]
    text = write_row(["a", "b", "c", "d"]) + "".join(map(write_row, rows))

    assert cells(read_csv(text.encode())) == rows


@given(st.lists(st.text(), min_size=1))
def test_lists_survive_whatever_is_in_their_items(items: list[str]) -> None:
    assert split_list(write_cell(items)) == items
