"""What people write in the demo: stories of demo_texts.yaml told for one customer, article by article."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from storage.demo_desk import Customer

_FILE = Path(__file__).parent / "demo_texts.yaml"
_TOLD = ("subject", "request", "answer", "reply", "note", "close")
_LETTERS = {"request": "customer", "reply": "again", "answer": "agent", "close": "agent"}  # the others are no letters


@dataclass(slots=True)
class Story:
    """One matter, with its words filled in."""

    queue: str
    type: str
    service: str
    texts: dict[str, str]
    answers: int = 0


class Texts:
    """Tells stories by chance; the same chance tells the same ones."""

    def __init__(self, random: Random) -> None:
        written: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        self._random = random
        self._words: dict[str, list[str]] = written["words"]
        self._letters: dict[str, dict[str, str]] = written["letter"]
        self._meanwhile: dict[str, list[str]] = written["meanwhile"]
        self._stories: dict[str, list[dict[str, str]]] = {language: written[language] for language in self._letters}

    def tell(self, language: str, name: str) -> Story:
        """Choose a story and its words for a customer."""
        told = self._pick(self._stories[language])
        words = {word: self._pick(values) for word, values in self._words.items()} | {"name": name}
        texts = {part: told[part].format_map(words) for part in _TOLD}
        return Story(told["queue"], told["type"], told.get("service", ""), texts)

    def body(self, story: Story, kind: str, customer: Customer, agent: str) -> str:
        """Write the body of an article: a letter, or a note as it is."""
        text = story.texts[kind]
        if kind not in _LETTERS:
            return text
        if kind == "answer":
            story.answers += 1
            if story.answers > 1:
                text = self._pick(self._meanwhile[customer.language])
        letter = self._letters[customer.language][_LETTERS[kind]]
        return letter.format(text=text, name=customer.name, company=customer.company, agent=agent)

    def _pick(self, values: list[Any]) -> Any:
        return values[int(self._random.random() * len(values))]
