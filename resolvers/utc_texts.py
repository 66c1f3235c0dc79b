"""Moments of UTC as the API and lambdas have them, kept by what is stored: a list shows mostly the same ones as before."""

from __future__ import annotations

from datetime import datetime

MOMENTS_KEPT = 8_192  # with their texts, about 2 MB


class _Moments(dict[datetime, str]):
    """The texts of moments that are stored without their zone."""

    def __missing__(self, moment: datetime) -> str:
        if len(self) >= MOMENTS_KEPT:
            self.clear()
        found = self[moment] = moment.isoformat() + "Z"
        return found


class _StoredMoments(dict[str, str | None]):
    """The same of those that are stored as a text; None for a text that is none, or says its zone."""

    def __missing__(self, stored: str) -> str | None:
        if len(self) >= MOMENTS_KEPT:
            self.clear()
        try:
            moment = datetime.fromisoformat(stored)
        except ValueError:
            return None
        found = self[stored] = None if moment.tzinfo else moment.isoformat() + "Z"
        return found


UTC_TEXTS, STORED_UTC_TEXTS = _Moments(), _StoredMoments()
