"""Mappings with known keys, as tables: reading one reports every key that is unknown, wrong, missing or without effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schema.problems import Level, suggest
from schema.shapes import WRONG, JsonSchema, Shape, wrong_type
from schema.spot import Entry, Findings, Spot, listed, shown
from schema.tree import Map


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section.

    `alias` is another spelling of the same key (GOTRS's); `idle` keys are known and have no effect; `gotrs` marks keys
    that only files in the GOTRS style have; `nullable` keys may be left empty, which is as if they were not there.
    """

    name: str
    shape: Shape
    about: str
    alias: str | None = None
    idle: bool = False
    gotrs: bool = False
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known keys, returned as an Entry. `short` reads a value that is no mapping (a shorthand)."""

    what: str
    keys: tuple[Key, ...]
    required: tuple[str, ...] = ()
    short: Callable[[Any, Spot, Findings], Any] | None = None
    short_schema: JsonSchema | None = None
    ref: str | None = None
    by_word: dict[str, Key] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Index the keys by every spelling."""
        for key in self.keys:
            self.by_word[key.name] = key
            if key.alias:
                self.by_word[key.alias] = key

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return an entry with every key that is right; note all that are not."""
        if not isinstance(value, Map):
            if self.short is not None and value is not None:
                return self.short(value, spot, findings)
            return wrong_type(spot, findings, f"a mapping ({self.what[:1].lower()}{self.what[1:]})", value)
        made = Entry(spot, value)
        for word, item in value.items():
            key = self.by_word.get(word)
            if key is None:
                self._unknown(word, value, spot, findings)
            elif key.idle:
                findings.add(
                    spot.under(value, word),
                    "no-effect",
                    f"`{word}` is known but has no effect.",
                    key.about or None,
                    Level.INFO,
                    at_key=True,
                )
            elif item is None and key.nullable:
                continue
            else:
                self._read_key(key, word, made, findings)
        for name in self.required:
            if name not in made and not made.says(name, self.by_word[name].alias or name):
                findings.add(spot, "missing-key", f"{self.what} has no `{name}`.", f"Add `{name}:`.")
        return made

    def _read_key(self, key: Key, word: str, made: Entry, findings: Findings) -> None:
        holder = made.holder
        if holder is None:
            return
        under = made.spot.under(holder, word)
        if word != key.name and key.name in holder:
            findings.add(
                under, "duplicate-key", f"`{word}` says the same as `{key.name}`.", "Keep one of them.", at_key=True
            )
            return
        found = key.shape.read(holder[word], under, findings)
        if found is not WRONG:
            made[key.name] = found
            if word != key.name:
                made.patches[key.name] = under

    def _unknown(self, word: str, value: Map, spot: Spot, findings: Findings) -> None:
        hint = suggest(word, self.by_word)
        if word == "<<":
            hint = "Merge keys are not part of YAML 1.2; write the keys out."
        elif hint is None:
            hint = f"Known keys: {listed([key.name for key in self.keys if not key.idle])}."
        findings.add(
            spot.under(value, word), "unknown-key", f"{self.what} has no key {shown(word)}.", hint, at_key=True
        )

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"$ref": f"#/$defs/{self.ref}"} if self.ref else self.definition()

    def definition(self) -> JsonSchema:
        """Return the JSON Schema written out."""
        properties: JsonSchema = {}
        for key in self.keys:
            described = dict(key.shape.describe())
            if key.about:
                described = {"description": key.about, **described}
            if key.nullable:
                described = {"description": key.about, "anyOf": [key.shape.describe(), {"type": "null"}]}
            if key.idle:
                described["deprecated"] = True
            properties[key.name] = described
            if key.alias:
                properties[key.alias] = {**described, "description": f"GOTRS's word for `{key.name}`. {key.about}"}
        made: JsonSchema = {"type": "object", "additionalProperties": False, "properties": properties}
        alone = [name for name in self.required if not self.by_word[name].alias]
        if alone:
            made["required"] = alone
        if self.short_schema is not None:
            return {"anyOf": [made, self.short_schema]}
        return made
