"""What `t(key)` says in lambdas: the texts of a module's `translations`, in the language of whoever reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schema.spec import Caption, Module


def texts_of(module: Module, languages: Sequence[str]) -> Mapping[str, str]:
    """Return each text in the first of these languages that it has, else as it stands first."""
    return {key: _text(caption, languages) for key, caption in module.translations.items()}


def _text(caption: Caption, languages: Sequence[str]) -> str:
    found = next((language for language in languages if language in caption.languages), "")
    return caption.in_language(found)
