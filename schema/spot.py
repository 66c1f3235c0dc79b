"""Where a check stands inside a module file: enough to say line, column, path and excerpt, made only when there is a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schema.problems import Level, Place, Problem, has_errors
from schema.source import Source
from schema.tree import UNSAFE_CHARACTER, Map, Seq

SHOWN_CHARACTERS = 60
_ITEM_NAMES = ("name", "field", "on", "title", "value")


class Spot:
    """One value of a module file: the container that holds it and its key or index there."""

    __slots__ = ("holder", "key", "parent", "source")

    def __init__(
        self, source: Source, parent: Spot | None = None, holder: Map | Seq | None = None, key: str | int = ""
    ) -> None:
        self.source = source
        self.parent = parent
        self.holder = holder
        self.key = key

    def under(self, holder: Map | Seq, key: str | int) -> Spot:
        """Return the spot of a value inside this one."""
        return Spot(self.source, self, holder, key)

    @property
    def _mark(self) -> tuple[int, int, int, int]:
        holder = self.holder
        if isinstance(holder, Map):
            return holder.mark(str(self.key))
        if isinstance(holder, Seq) and isinstance(self.key, int):
            return holder.mark(self.key)
        return (0, 0, 0, 0)

    @property
    def place(self) -> Place:
        """Where the value stands."""
        _, _, line, offset = self._mark
        return Place(self.source.file, line + 1, offset + 1)

    @property
    def key_place(self) -> Place:
        """Where the key stands."""
        line, offset, _, _ = self._mark
        return Place(self.source.file, line + 1, offset + 1)

    @property
    def code_place(self) -> Place:
        """Where the text of a value starts: below the `|` of a block, else at the value itself."""
        place = self.place
        lines = self.source.lines
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        if line[place.column - 1 : place.column] not in ("|", ">"):
            return place
        for number in range(place.line, len(lines)):
            text = lines[number].lstrip(" ")
            if text:
                return Place(place.file, number + 1, len(lines[number]) - len(text) + 1)
        return place

    @property
    def path(self) -> str:
        """The keys that lead here, list items by their name: `fields.priority.type`."""
        parts: list[str] = []
        spot: Spot | None = self
        while spot is not None and spot.holder is not None:
            parts.append(_step(spot.holder, spot.key))
            spot = spot.parent
        return ".".join(reversed(parts))

    def problem(
        self, code: str, message: str, hint: str | None = None, level: Level = Level.ERROR, *, at_key: bool = False
    ) -> Problem:
        """Make a problem that stands here."""
        place = self.key_place if at_key else self.place
        return Problem(code, message, place, hint, self.path or None, self.source.excerpt(place.line), level)


def _step(holder: Map | Seq, key: str | int) -> str:
    if isinstance(holder, Seq) and isinstance(key, int):
        item = holder[key] if key < len(holder) else None
        if isinstance(item, Map):
            for word in _ITEM_NAMES:
                name = item.get(word)
                if isinstance(name, str) and name:
                    return name
        return f"[{key}]"
    return str(key)


class Findings:
    """Collects the problems of one check."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(
        self,
        spot: Spot,
        code: str,
        message: str,
        hint: str | None = None,
        level: Level = Level.ERROR,
        *,
        at_key: bool = False,
    ) -> None:
        """Note a problem at a spot."""
        self.problems.append(spot.problem(code, message, hint, level, at_key=at_key))

    @property
    def has_errors(self) -> bool:
        """Whether something keeps the module from going live."""
        return has_errors(self.problems)


class Entry(dict[str, Any]):
    """One read section: its keys with values of ours, and where they stand. Keys that were wrong are absent."""

    __slots__ = ("holder", "patches", "spot")

    def __init__(self, spot: Spot, holder: Map | None = None) -> None:
        super().__init__()
        self.spot = spot
        self.holder = holder
        self.patches: dict[str, Spot] = {}

    def at(self, *keys: str) -> Spot:
        """Return where the first of these keys stands, or the section itself."""
        for key in keys:
            if key in self.patches:
                return self.patches[key]
            if self.holder is not None and key in self.holder:
                return self.spot.under(self.holder, key)
        return self.spot

    def says(self, *keys: str) -> bool:
        """Answer whether the file has one of these keys, right or wrong."""
        return any(key in self.patches or (self.holder is not None and key in self.holder) for key in keys)

    def is_wrong(self, key: str, alias: str = "") -> bool:
        """Answer whether the file says something for a key that could not be read."""
        said = self.holder if self.holder is not None else {}
        return key not in self and (said.get(key) is not None or said.get(alias) is not None)

    def patch(self, other: Entry) -> None:
        """Lay another section over this one, key by key."""
        for key, value in other.items():
            self[key] = value
            self.patches[key] = other.at(key)

    def copy_of(self) -> Entry:
        """Return a copy that can be patched."""
        made = Entry(self.spot, self.holder)
        made.update(self)
        made.patches.update(self.patches)
        return made


def shown(value: object) -> str:
    """Write a value for a message, cut to a readable length."""
    if isinstance(value, Map):
        return "a mapping"
    if isinstance(value, Seq):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = UNSAFE_CHARACTER.sub("\ufffd", str(value))
    return f"`{text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + '...'}`"


def listed(words: Sequence[str], limit: int = 40) -> str:
    """Write the allowed words for a hint."""
    return ", ".join(words[:limit]) + (", ..." if len(words) > limit else "")
