"""What stands around every page of somebody signed in. Only the look decides what it says, so it is drawn once for each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from web.pages.kept import Kept, escaped, keep, mark
from web.pages.look import Look
from web.pages.rendering import render
from web.pages.texts import Texts

LOOKS = 100
PARTS = ("start", "links", "top", "account", "end", "foot")
OWN = ("nonce", "csrf", "login", "back", "version")  # of one page
Frame = Mapping[str, Markup]


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """The parts of the frame, in which what is a page's own is missing."""

    parts: Mapping[str, Kept]

    def fill(self, values: Mapping[str, str]) -> Frame:
        """Return the frame of one page."""
        safe = escaped(values)
        return {name: part.fill(safe) for name, part in self.parts.items()}


@lru_cache(LOOKS)
def frame_of(look: Look) -> KeptFrame:
    """Return the frame for a look."""
    values = {"look": look, "t": Texts(look.lang), **{name: mark(name) for name in OWN}}
    return KeptFrame({name: keep(render("shell.html", values, name)) for name in PARTS})
