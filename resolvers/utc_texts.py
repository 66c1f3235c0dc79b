"""Moments of UTC as the API and lambdas have them, kept by what is stored: a list shows mostly the same ones as before."""

from __future__ import annotations

from datetime import datetime

from storage.remembered import Remembered

MOMENTS_KEPT = 8_192  # with their texts, about 2 MB


def _text(moment: datetime) -> str:
    """Write a moment that is stored without its zone."""
    return moment.isoformat() + "Z"


def _text_of_text(stored: str) -> str | None:
    """Write one that is stored as a text; None for a text that is none, or says its zone."""
    try:
        moment = datetime.fromisoformat(stored)
    except ValueError:
        return None
    return None if moment.tzinfo else _text(moment)


UTC_TEXTS = Remembered(_text, MOMENTS_KEPT)
STORED_UTC_TEXTS = Remembered(_text_of_text, MOMENTS_KEPT)
