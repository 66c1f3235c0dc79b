"""The words of the pages, in every language that Lambdesk speaks. Texts of modules come from their files."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from web.pages.texts_form import FORM
from web.pages.texts_home import HOME
from web.pages.texts_list import LIST
from web.pages.texts_live import LIVE
from web.pages.texts_modules import MODULES
from web.pages.texts_profile import PROFILE
from web.pages.texts_query import QUERY
from web.pages.texts_rights import RIGHTS
from web.pages.texts_rules import RULE_TEXTS
from web.pages.texts_shell import SHELL
from web.pages.texts_ticket import TICKET
from web.pages.texts_work import WORK

# key → language → text with {params}
TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {**FORM, **HOME, **LIST, **LIVE, **MODULES, **PROFILE, **QUERY, **RIGHTS, **RULE_TEXTS, **SHELL, **TICKET, **WORK}
)


class Texts:
    """The texts in one language: `texts("home")`."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **params: Any) -> str:
        """Return a text with its parameters filled in."""
        text = TEXTS[key][self.language]
        return text.format(**params) if params else text

    def around(self, key: str, name: str) -> tuple[str, str]:
        """Return what stands before and after the one parameter of a text, for texts about many things."""
        before, _, after = TEXTS[key][self.language].partition(f"{{{name}}}")
        return before, after

    def choose(self, key: str, count: int, **params: Any) -> str:
        """Return the text for one (`key-one`) or for any other number (`key`) of things, with `count` in it."""
        return self(f"{key}-one" if count == 1 else key, count=self.number(count), **params)

    def number(self, value: int) -> str:
        """Write a whole number with the language's separators."""
        return f"{value:,}".replace(",", _THOUSANDS[self.language])


_THOUSANDS: Mapping[str, str] = {"en": ",", "de": "."}
