"""Texts of strangers, made fit for a column and for a line of a log."""

from __future__ import annotations


def clean(text: str, letters: int) -> str:
    """Leave out what cannot be printed (line breaks, zeros, lone surrogates), and cut the rest to so many letters."""
    return "".join(letter for letter in text[: 4 * letters] if letter.isprintable())[:letters]
