"""Reading a CSV file: bytes to a header and rows of text, whatever spreadsheet wrote it. Nothing is guessed about values."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.csv_cells import unguard
from resolvers.faults import Fault, FaultCode, Faulty

SIZE_LIMIT_BYTES = 50_000_000
ROW_LIMIT = 100_000
COLUMN_LIMIT = 300
HEADER_LIMIT_CHARS = 200
RAGGED_SHOWN = 20  # rows of another length than the header that an error names
DELIMITERS = ",;\t|"
SNIFFED_ROWS = 20
SNIFFED_CHARS = 65_536
_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16, as spreadsheets call "Unicode text"
_HINT = "sep="  # the first line by which spreadsheets are told the separator


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its number in the file (the header is row 1) and its cells, as many as the header has."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file that was read."""

    header: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    delimiter: str


def read_csv(
    data: bytes | Iterable[bytes], *, size_limit: int = SIZE_LIMIT_BYTES, row_limit: int = ROW_LIMIT
) -> CsvTable:
    """Read a whole file. Empty lines are skipped; the apostrophe before what looks like a formula is taken away.

    Raises `Faulty` with one fault: not UTF-8 (naming the line), too large, no header, a column twice, quotes that do not
    close, rows of another length than the header (naming them).
    """
    text = _decode(_collect(data, size_limit))
    hinted = _hinted(text)
    if hinted is not None:
        text = text.partition("\n")[2]
    delimiter = hinted or _sniff(text)
    rows = _numbered(text, delimiter, 1 if hinted is None else 2)
    first = next(rows, None)
    if first is None:
        raise _fault("csv-empty")
    header = _check_header(first.cells)
    found: list[CsvRow] = []
    ragged: list[int] = []
    for row in rows:
        if len(found) >= row_limit:
            raise _fault("csv-rows", FaultCode.LIMIT, limit=row_limit)
        if len(row.cells) != len(header):
            ragged.append(row.number)
        found.append(row)
    if ragged:
        shown = ", ".join(map(str, ragged[:RAGGED_SHOWN])) + (" …" if len(ragged) > RAGGED_SHOWN else "")
        raise _fault("csv-ragged", count=len(header), rows=shown)
    return CsvTable(header, tuple(found), delimiter)


def _collect(data: bytes | Iterable[bytes], limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in (data,) if isinstance(data, bytes) else data:
        size += len(part)
        if size > limit:
            raise _fault("csv-size", FaultCode.LIMIT, limit=limit)
        parts.append(part)
    return b"".join(parts)


def _decode(data: bytes) -> str:
    if data.startswith(_OTHER_MARKS):
        raise _fault("csv-encoding", line=1)
    data = data.removeprefix(_MARK)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _fault("csv-encoding", line=data.count(b"\n", 0, error.start) + 1) from None


def _hinted(text: str) -> str | None:
    line = text.partition("\n")[0].rstrip("\r")
    found = line.removeprefix(_HINT)
    return found if found != line and len(found) == 1 and found in DELIMITERS else None


def _sniff(text: str) -> str:
    """Choose the separator that gives the first rows most cells, and all of them equally many."""
    sample = text[:SNIFFED_CHARS]
    return max(DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[bool, float, int]:
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) > SNIFFED_ROWS:
                break
    except csv.Error:
        return (False, 0.0, 0)
    if len(widths) > 1 and len(widths) <= SNIFFED_ROWS and len(sample) == SNIFFED_CHARS:
        widths.pop()  # the sample may end inside a row
    width = widths[0] if widths else 0
    return (width > 1, Counter(widths)[width] / max(len(widths), 1), width)


def _numbered(text: str, delimiter: str, first: int) -> Iterator[CsvRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = first - 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _fault("csv-quotes", row=number) from None
        if cells:
            yield CsvRow(number, tuple(map(unguard, cells)))


def _check_header(cells: Sequence[str]) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    if len(header) > COLUMN_LIMIT:
        raise _fault("csv-columns", FaultCode.LIMIT, limit=COLUMN_LIMIT)
    for position, name in enumerate(header):
        if not name or len(name) > HEADER_LIMIT_CHARS:
            raise _fault("csv-header", column=position + 1)
        if name in header[:position]:
            raise _fault("csv-twice", name=name)
    return header


def _fault(key: str, code: FaultCode = FaultCode.INVALID, **params: Any) -> Faulty:
    given: Mapping[str, Any] = params
    return Faulty(Fault(code, key, None, given))
