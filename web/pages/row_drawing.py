"""The rows of a list as HTML. What belongs to a column is found out once a page, and what stands in it again and again is drawn once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson
from markupsafe import Markup

from web.pages.cells import TIMED, Reader, cell_classes, shower, unreadable
from web.pages.drawing import draw_cell, draw_first_cell, escape
from web.pages.kept import put
from web.pages.view import Member

Row = Mapping[str, Any]
Cell = Callable[[Any], str]
Drawn = dict[bytes, str]  # rows as HTML by their values, as JSON
_IN_USE = frozenset({"VALID", None})
ROWS_KEPT = 300  # of a table
LETTERS_KEPT = 8_000  # of a row; longer ones are drawn anew
_FEW = frozenset({"bool", "select", "radio", "validity"})  # kinds with few values, which are texts or flags


class RowAction(Protocol):
    """What a list offers for each row."""

    @property
    def label(self) -> str:
        """What it is called."""

    def url(self, row_url: str, key: Any) -> str:
        """Return where it leads for a row; nowhere for one without a key."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """What is offered for each row: to choose it, to edit it, and what its module's file says."""

    chooses: bool = False
    edits: bool = False
    actions: Sequence[RowAction] = ()


NO_DEEDS = Deeds()


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that an operation answered. `wrong` are the places of cells that could not be had: row and response key.

    `kept` are rows that are drawn already, by their values; what tells how long ago something was is drawn anew each time.
    """

    nodes: Sequence[Row]
    columns: Sequence[Member]
    module: str
    reader: Reader
    wrong: frozenset[tuple[Any, ...]] = frozenset()
    deeds: Deeds = NO_DEEDS
    kept: Drawn | None = None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.nodes)

    def plain(self) -> Markup:
        """Draw them with nothing but their cells."""
        parts = [f"<tr{line.off}>{line.cells}</tr>\n" for line in self._lines(self.nodes)]
        return Markup("".join(parts))  # noqa: S704 - all that is in them was escaped

    def draw(self, pen: Markup) -> Markup:
        """Draw them with what is offered for each; `pen` is the picture of what edits."""
        kept = None if self.wrong or any(member.kind in TIMED for member in self.columns) else self.kept
        parts = self._drawn(self.nodes, pen) if kept is None else self._drawn_once(kept, pen)
        return Markup("".join(parts))  # noqa: S704 - as above

    def _drawn_once(self, kept: Drawn, pen: Markup) -> Iterable[str]:
        keys = [orjson.dumps(row) for row in self.nodes]
        found = {key: kept[key] for key in keys if key in kept}
        new = {key: row for key, row in zip(keys, self.nodes, strict=True) if key not in found}
        for key, text in zip(new, self._drawn(list(new.values()), pen), strict=True):
            found[key] = text
            if len(text) <= LETTERS_KEPT:
                put(kept, key, text, ROWS_KEPT)
        return [found[key] for key in keys]

    def _drawn(self, rows: Sequence[Row], pen: Markup) -> Iterator[str]:
        choice, deeds = self._choice(), self._deeds(str(pen))
        for line in self._lines(rows):
            yield f'<tr{line.off} data-url="{line.url}">\n{choice(line)}{line.cells}\n{deeds(line)}</tr>\n'

    def _lines(self, rows: Sequence[Row]) -> Iterator[Line]:
        if not self.columns:  # of related rows whose only value is what they are related by
            yield from (Line(row, "", "", "", "", "") for row in rows)
            return
        first, *rest = self.columns
        name_of, link = shower(first, self.reader), cell_classes(first)
        cells = [(member.name, make_cell(member, self.reader)) for member in rest]
        states = [member.name for member in self.columns if member.kind == "validity"]
        base = escape(f"/modules/{self.module}/")
        missing = unreadable(self.reader.texts)
        for place, row in enumerate(rows):
            key = escape(str(row.get("id", "")))
            url = f"{base}{key}" if key else ""
            is_wrong = bool(self.wrong) and (place, first.name) in self.wrong
            shown = missing if is_wrong else name_of(row[first.name])
            drawn = [draw_first_cell(shown, url, link)]
            if self.wrong:
                drawn += [
                    draw_cell(missing) if (place, name) in self.wrong else cell(row[name]) for name, cell in cells
                ]
            else:
                drawn += [cell(row[name]) for name, cell in cells]
            off = ' class="off"' if states and any(row[name] not in _IN_USE for name in states) else ""
            yield Line(row, key, url, escape(shown.text) or key, "".join(drawn), off)

    def _choice(self) -> Callable[[Line], str]:
        before, after = map(escape, self.reader.texts.around("choose-row", "row"))

        def draw(line: Line) -> str:
            return (
                '<td class="tick"><input type="checkbox" class="checkbox checkbox-xs" name="id" '
                f'value="{line.key}" aria-label="{before}{line.name}{after}" @change="count"></td>\n'
            )

        return draw if self.deeds.chooses else _nothing

    def _deeds(self, pen: str) -> Callable[[Line], str]:
        before, after = map(escape, self.reader.texts.around("edit-row", "row"))
        edits, actions = self.deeds.edits, self.deeds.actions

        def edit(line: Line) -> str:
            return (
                f'<a href="{line.url}/edit" class="btn btn-ghost btn-xs btn-square" '
                f'aria-label="{before}{line.name}{after}">{pen}</a>'
            )

        def draw(line: Line) -> str:
            offered = "".join([self._action(item, line) for item in actions]) if actions else ""
            return f'<td class="does">{offered}{edit(line) if edits else ""}</td>\n'

        return draw if edits or actions else _nothing

    def _action(self, item: RowAction, line: Line) -> str:
        row = line.row
        url = item.url(f"/modules/{self.module}/{row['id']}", row.get("databaseId", row["id"]))
        if not url:
            return ""
        label = escape(item.label)
        return f'<a href="{escape(url)}" class="btn btn-ghost btn-xs" aria-label="{label}: {line.name}">{label}</a> '


class Line(NamedTuple):
    """A row while it is drawn: what of it is text has been escaped."""

    row: Row
    key: str
    url: str
    name: str
    cells: str
    off: str


def _nothing(_line: Line) -> str:
    return ""


def make_cell(member: Member, reader: Reader) -> Cell:
    """Return what draws the cells of a column. What is the same in many rows, as what they lead to, is drawn once."""
    css, shown = cell_classes(member), shower(member, reader)
    known: dict[Any, str] = {}

    def any_value(value: Any) -> str:
        return draw_cell(shown(value), css)

    def once(key_of: Callable[[Any], Any]) -> Cell:
        def draw(value: Any) -> str:
            key = key_of(value)
            found = known.get(key)
            if found is None:
                found = known[key] = any_value(value)
            return found

        return draw

    if member.target is not None:
        return once(lambda value: value and tuple(value.values()))  # in the order of the operation
    return once(lambda value: (value, value.__class__)) if member.kind in _FEW else any_value
