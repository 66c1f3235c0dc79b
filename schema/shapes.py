"""Shapes of values in a module file. Each reads a value or says what is wrong, and describes itself as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schema.names import plural
from schema.problems import Level, suggest
from schema.spec import Caption
from schema.spot import Entry, Findings, Spot, listed, shown
from schema.tree import Map, Seq

JsonSchema = dict[str, Any]

LAMBDA_LIMIT_BYTES = 64 * 1024
TEXT_LIMIT_CHARACTERS = 10_000


class _Wrong:
    """What a shape returns for a value that it has reported."""

    def __repr__(self) -> str:
        return "WRONG"


WRONG: Any = _Wrong()


class Shape(Protocol):
    """Reads one value of a module file."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the value as ours, or note a problem and return WRONG."""

    def describe(self) -> JsonSchema:
        """Return the JSON Schema of the value."""


def wrong_type(spot: Spot, findings: Findings, wanted: str, value: Any, hint: str | None = None) -> Any:
    """Note that a value is of the wrong type."""
    findings.add(spot, "bad-type", f"`{spot.key}` must be {wanted}; found {shown(value)}.", hint)
    return WRONG


@dataclass(frozen=True, slots=True)
class Text:
    """A text. Numbers are taken as they are written, since labels and values often look like numbers."""

    limit: int = TEXT_LIMIT_CHARACTERS
    may_be_empty: bool = True

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the text."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return wrong_type(spot, findings, "a text", value)
        if len(value) > self.limit:
            findings.add(
                spot, "too-long", f"`{spot.key}` has {len(value)} characters; {self.limit} are allowed.", "Shorten it."
            )
            return WRONG
        if not value and not self.may_be_empty:
            findings.add(spot, "bad-value", f"`{spot.key}` is empty.", "Write a text or leave the key out.")
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": ["string", "number"], "maxLength": self.limit}


@dataclass(frozen=True, slots=True)
class Word:
    """A text of a fixed form, such as a column name."""

    pattern: re.Pattern[str]
    wanted: str
    code: str = "bad-value"
    hint: str | None = None

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the word."""
        if not isinstance(value, str):
            return wrong_type(spot, findings, self.wanted, value, self.hint)
        if self.pattern.fullmatch(value) is None:
            findings.add(spot, self.code, f"`{spot.key}` must be {self.wanted}; found {shown(value)}.", self.hint)
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": f"^(?:{self.pattern.pattern})$"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words. `idle` words are known from GOTRS and have no effect."""

    words: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    code: str = "bad-value"
    idle: tuple[str, ...] = ()

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the word, with aliases resolved."""
        if isinstance(value, str):
            if value in self.words:
                return value
            if value in self.aliases:
                return self.aliases[value]
            if value in self.idle:
                findings.add(spot, "no-effect", f"`{value}` is known but has no effect here.", level=Level.INFO)
                return WRONG
        near = suggest(value, (*self.words, *self.aliases)) if isinstance(value, str) else None
        name = f"`{spot.key}` must be" if isinstance(spot.key, str) else "An entry must be"
        findings.add(spot, self.code, f"{name} one of {listed(self.words)}; found {shown(value)}.", near)
        return WRONG

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"enum": [*self.words, *self.aliases, *self.idle]}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the truth value."""
        if isinstance(value, bool):
            return value
        hint = None
        if isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
            hint = f"Write `{'true' if value.lower() in ('yes', 'on') else 'false'}`; `{value}` is a text in a module file."
        return wrong_type(spot, findings, "true or false", value, hint)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds."""

    low: float | None = None
    high: float | None = None
    whole: bool = False

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (self.whole and isinstance(value, float)):
            return wrong_type(spot, findings, "a whole number" if self.whole else "a number", value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            low = "" if self.low is None else f"at least {self.low:g}"
            high = "" if self.high is None else f"at most {self.high:g}"
            wanted = " and ".join(part for part in (low, high) if part)
            findings.add(spot, "bad-value", f"`{spot.key}` must be {wanted}; found {shown(value)}.")
            return WRONG
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        made: JsonSchema = {"type": "integer" if self.whole else "number"}
        if self.low is not None:
            made["minimum"] = self.low
        if self.high is not None:
            made["maximum"] = self.high
        return made


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, as plain data: dicts and lists that know no positions."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:  # noqa: ARG002 - the protocol's arguments
        """Return the value as plain data."""
        return plain(value)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {}


@dataclass(frozen=True, slots=True)
class Raw:
    """Any value, kept with its positions for a check of its own."""

    schema: JsonSchema = field(default_factory=dict)

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:  # noqa: ARG002 - the protocol's arguments
        """Return the value as it is."""
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return self.schema


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number, true or false."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the value."""
        if value is None or isinstance(value, (Map, Seq)):
            return wrong_type(spot, findings, "a text or a number", value)
        return value

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": ["string", "number", "boolean"]}


_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,4})?")


@dataclass(frozen=True, slots=True)
class CaptionShape:
    """A text for people: `Queue`, `{en: Queue, de: Queue}` or `@key|fallback`."""

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the caption."""
        if isinstance(value, str):
            return caption(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Caption(str(value))
        if not isinstance(value, Map) or not value:
            return wrong_type(spot, findings, "a text, or one text a language such as `{en: Queue, de: Queue}`", value)
        texts: dict[str, str] = {}
        for language, text in value.items():
            if _LANGUAGE.fullmatch(language) is None:
                findings.add(
                    spot.under(value, language),
                    "bad-language",
                    f"`{language}` is not a language.",
                    "Use codes such as en, de, pt-BR.",
                    at_key=True,
                )
            elif not isinstance(text, str):
                return wrong_type(spot.under(value, language), findings, "a text", text)
            else:
                texts[language.replace("_", "-")] = text
        if not texts:
            return WRONG
        return Caption(texts.get("en", next(iter(texts.values()))), texts)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"$ref": "#/$defs/caption"}


def caption(text: str) -> Caption:
    """Make a caption of a text; `@key|fallback` and GOTRS's `@key` are translation keys."""
    if not text.startswith("@") or " " in text.partition("|")[0] or len(text) == 1:
        return Caption(text)
    key, bar, fallback = text[1:].partition("|")
    return Caption(fallback if bar else _from_key(key), key=key)


_KEY_ENDS = ("label", "help", "singular", "plural")


def _from_key(key: str) -> str:
    parts = [part for part in key.split(".") if part]
    last = parts.pop() if len(parts) > 1 and parts[-1] in _KEY_ENDS else ""  # GOTRS: ….fields.name.label
    if last == "plural":
        return words(plural(parts[-1]))
    return words(parts[-1]) if parts else key


def words(name: str) -> str:
    """Turn a snake_case name into words: `unlock_timeout` → `Unlock timeout`."""
    text = re.sub(r"[_\-\s]+", " ", name).strip()
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. Where `lone` is set, a single value stands for a list of one."""

    item: Shape
    lone: bool = False
    limit: int = 1000

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return the items that are right."""
        if not isinstance(value, Seq):
            if self.lone and value is not None and not isinstance(value, Map):
                found = self.item.read(value, spot, findings)
                return WRONG if found is WRONG else [found]
            return wrong_type(spot, findings, "a list", value)
        if len(value) > self.limit:
            findings.add(spot, "too-long", f"`{spot.key}` has {len(value)} entries; {self.limit} are allowed.")
            return WRONG
        items = []
        read = self.item.read
        for index, item in enumerate(value):
            found = read(item, spot.under(value, index), findings)
            if found is not WRONG:
                items.append(found)
        return items

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        made: JsonSchema = {"type": "array", "items": self.item.describe(), "maxItems": self.limit}
        return {"anyOf": [self.item.describe(), made]} if self.lone else made


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names of the author's choice to values of one shape, returned as an Entry."""

    item: Shape
    key: re.Pattern[str] | None = None

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return an entry with the values that are right."""
        if not isinstance(value, Map):
            return wrong_type(spot, findings, "a mapping", value)
        made = Entry(spot, value)
        for key, item in value.items():
            under = spot.under(value, key)
            if self.key is not None and self.key.fullmatch(key) is None:
                findings.add(
                    under,
                    "bad-name",
                    f"{shown(key)} is not a name.",
                    "Use a-z, 0-9 and _, a letter first.",
                    at_key=True,
                )
                continue
            found = self.item.read(item, under, findings)
            if found is not WRONG:
                made[key] = found
        return made

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"type": "object", "additionalProperties": self.item.describe()}


@dataclass(frozen=True, slots=True)
class OneOf:
    """The first shape whose Python types hold the value; `wanted` says what is allowed when none does."""

    choices: tuple[tuple[tuple[type, ...], Shape], ...]
    wanted: str

    def read(self, value: Any, spot: Spot, findings: Findings) -> Any:
        """Return what the fitting shape returns."""
        for types, shape in self.choices:
            if type(value) in types:
                return shape.read(value, spot, findings)
        return wrong_type(spot, findings, self.wanted, value)

    def describe(self) -> JsonSchema:
        """Return the JSON Schema."""
        return {"anyOf": [shape.describe() for _, shape in self.choices]}


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
            return wrong_type(spot, findings, f"a mapping ({self.what})", value)
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


def plain(value: Any) -> Any:
    """Turn a value with positions into plain dicts and lists."""
    if isinstance(value, Map):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [plain(item) for item in value]
    if isinstance(value, Entry):
        return {key: plain(item) for key, item in value.items()}
    return value


def shape_of_names(what: str) -> ListOf:
    """Return the shape of a list of field names."""
    return ListOf(Word(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}"), f"the name of a {what}", "bad-name"))


def sequence(value: Any) -> Sequence[Any]:
    """Return the items of a value that may be absent."""
    return value if isinstance(value, list) else ()
