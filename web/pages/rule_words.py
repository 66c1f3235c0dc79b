"""The filters of rules in words: what a row must be for somebody to see or change it. What has no words stays as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema.spec import VISIBLE, Field, Module, Relation
from web.pages.texts import Texts

DEEPEST = 8
_GROUPS = "$me.groups."
_ONESELF = frozenset({"$me.id", "$me.login", "$me.email"})
_COMPANY = frozenset({"$me.customerId", "$me.customerIds"})
_KEYS = frozenset({"id", "databaseId"})
_QUANTIFIERS = ("some", "none", "every")
# Operators of the API by the text that says them of a value.
_SAID: Mapping[str, str] = {
    "eq": "is", "in": "is", "ne": "is-not", "notIn": "is-not", "contains": "contains", "startsWith": "starts", "endsWith": "ends",
    "gt": "greater", "gte": "at-least", "lt": "less", "lte": "at-most",
}  # fmt: skip


class _NoWords(Exception):
    """A filter says something that has no words here."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells filters in one language."""

    modules: Mapping[str, Module]
    texts: Texts

    def tell(self, module: Module, rule: str | None) -> str:
        """Return a filter in words; nothing where it has none."""
        if not rule:
            return ""
        try:
            found = json.loads(rule)
            return self._filter(module, found, "", 0) if isinstance(found, dict) else ""
        except (ValueError, _NoWords):
            return ""

    def _filter(self, module: Module, rows: Any, path: str, depth: int) -> str:
        if not isinstance(rows, Mapping) or not rows or depth > DEEPEST:
            raise _NoWords
        parts = [self._entry(module, key, value, path, depth + 1) for key, value in rows.items()]
        return self.texts("rule-word-and").join(parts)

    def _entry(self, module: Module, key: str, value: Any, path: str, depth: int) -> str:
        if key in ("and", "or"):
            parts = [self._filter(module, item, path, depth) for item in value]
            return f"({self.texts(f'rule-word-{key}').join(parts)})" if len(parts) > 1 else "".join(parts)
        if key == "not":
            return self.texts("rule-word-not", what=self._filter(module, value, path, depth))
        if key in _KEYS:
            return self._condition(value, path or module.singular.in_language(self.texts.language))
        item = module.members.get(key) or next((field for field in module.fields if field.raw_name == key), None)
        if item is None or item.label is None:
            raise _NoWords
        label = item.label.in_language(self.texts.language)
        here = f"{path} → {label}" if path else label
        if value == VISIBLE:
            return self.texts("rule-word-visible", path=here)
        leads = item.api_name == key  # the stored key of a reference has a name of its own, and leads nowhere
        target = self.modules.get(getattr(item, "to", None) or "") if leads else None
        if isinstance(item, Relation) and target is not None:
            return self._many(target, value, here, depth)
        if isinstance(item, Field) and target is not None and isinstance(value, Mapping) and "isNull" not in value:
            return self._filter(target, value, here, depth)
        return self._condition(value, here)

    def _many(self, target: Module, value: Any, path: str, depth: int) -> str:
        if not isinstance(value, Mapping) or not set(value) <= set(_QUANTIFIERS):
            raise _NoWords
        told = []
        for name, rows in value.items():
            here = self.texts(f"rule-word-{name}", path=path)
            told.append(
                self.texts("rule-word-visible", path=here)
                if rows == VISIBLE
                else self._filter(target, rows, here, depth)
            )
        return self.texts("rule-word-and").join(told)

    def _condition(self, value: Any, path: str) -> str:
        if not isinstance(value, Mapping) or not value or not path:
            raise _NoWords
        return self.texts("rule-word-and").join(self._said(path, name, given) for name, given in value.items())

    def _said(self, path: str, operator: str, value: Any) -> str:
        if operator == "isNull":
            return self.texts("rule-word-empty" if value else "rule-word-filled", path=path)
        if isinstance(value, str) and value.startswith("$"):
            return self._own(path, operator, value)
        if operator not in _SAID or isinstance(value, Mapping):
            raise _NoWords
        values = [str(item) for item in value] if isinstance(value, list) else [self._plain(value)]
        return self.texts(f"rule-word-{_SAID[operator]}", path=path, value=", ".join(values))

    def _plain(self, value: Any) -> str:
        return self.texts("rule-word-yes" if value else "rule-word-no") if isinstance(value, bool) else str(value)

    def _own(self, path: str, operator: str, value: str) -> str:
        if operator not in ("eq", "in"):
            raise _NoWords
        if value.startswith(_GROUPS):
            return self.texts("rule-word-group", path=path, may=self.texts(f"key-to-{value.removeprefix(_GROUPS)}"))
        if value in _ONESELF:
            return self.texts("rule-word-oneself", path=path)
        if value in _COMPANY:
            return self.texts("rule-word-company", path=path)
        raise _NoWords
