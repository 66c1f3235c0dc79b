"""How somebody wants the pages to look: colours, density, language, single-key shortcuts, time zone. Kept in a cookie of the browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import Request

from web.cookies import LOOK
from web.settings import Settings
from web.wishes import read_languages

AGE_S = 365 * 86_400
UTC = "UTC"
AUTO = "auto"  # the zone that the browser tells
_SLASH = "~"  # a cookie cannot hold the slash of `Europe/Berlin` as it is
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
# What may be chosen, by name; the first of each is what one gets without choosing.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "theme": ("system", "light", "dark"),
    "density": ("comfortable", "compact"),
    "language": ("auto", *LANGUAGES),
    "keys": ("on", "off"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The choices of one browser. `zone` is the time zone that it told, `own_zone` the one chosen instead; `spoken` what `auto` stands for."""

    theme: str = "system"
    density: str = "comfortable"
    language: str = "auto"
    keys: str = "on"
    zone: str = UTC
    own_zone: str = AUTO
    spoken: str = "en"

    @property
    def lang(self) -> str:
        """The language of texts."""
        return self.spoken if self.language == "auto" else self.language

    def time_zone(self) -> ZoneInfo:
        """Return the zone that moments are shown in."""
        return ZoneInfo(self.zone if self.own_zone == AUTO else self.own_zone)


def read_look(request: Request, settings: Settings) -> Look:
    """Read the cookie; what it should not hold counts for nothing."""
    told = dict(_pairs(LOOK.read(request.headers, settings) or ""))
    spoken = next((item for item in read_languages(request.headers) if item in LANGUAGES), "en")
    return choose(Look(spoken=spoken), told)


def choose(look: Look, told: Mapping[str, str]) -> Look:
    """Return the look with what is told, as far as it can be chosen."""
    found = {name: told[name] for name, allowed in CHOICES.items() if told.get(name) in allowed}
    if told.get("zone") in _zones():
        found["zone"] = told["zone"]
    if told.get("own_zone") in {AUTO, *_zones()}:
        found["own_zone"] = told["own_zone"]
    return replace(look, **found)


def write_look(look: Look, settings: Settings) -> str:
    """Make the header that keeps it."""
    kept = "|".join(f"{item.name}:{getattr(look, item.name)}" for item in fields(Look) if item.name != "spoken")
    return LOOK.write(kept.replace("/", _SLASH), settings, max_age=AGE_S)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.replace(_SLASH, "/").split("|"):
        name, _, value = pair.partition(":")
        yield name, value


@cache
def zone_names() -> Sequence[str]:
    """Return the zones that a form offers: those with a place in their names, without the many older names of the same."""
    return (UTC, *sorted(name for name in _zones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
