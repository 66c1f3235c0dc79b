"""Texts for people: captions, translation keys, and words made of names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from schema.names import plural
from schema.shapes import WRONG, JsonSchema, wrong_type
from schema.spec import Caption
from schema.spot import Findings, Spot
from schema.tree import Map

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


_BETWEEN_WORDS = re.compile(r"[_\-\s]+")


def words(name: str) -> str:
    """Turn a snake_case name into words: `unlock_timeout` → `Unlock timeout`."""
    text = _BETWEEN_WORDS.sub(" ", name).strip()
    return text[:1].upper() + text[1:]
