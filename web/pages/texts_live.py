"""The words of what changes while one looks at it."""

from __future__ import annotations

from collections.abc import Mapping

# key → language → text with {params}
LIVE: Mapping[str, Mapping[str, str]] = {
    "live-updated": {"en": "The page was brought up to date.", "de": "Die Seite wurde aktualisiert."},
    "live-modules": {
        "en": "The modules have changed; the page was brought up to date.",
        "de": "Die Module haben sich geändert; die Seite wurde aktualisiert.",
    },
    "live-signed-out": {
        "en": "You are signed out. Sign in again to go on.",
        "de": "Sie sind abgemeldet. Melden Sie sich wieder an, um fortzufahren.",
    },
    "live-gone": {
        "en": "What was shown here is not there any more, or you may not see it any more.",
        "de": "Was hier stand, gibt es nicht mehr, oder Sie dürfen es nicht mehr sehen.",
    },
    "meanwhile": {
        "en": "This was changed meanwhile. What you have typed is kept.",
        "de": "Dies wurde inzwischen geändert. Was Sie eingegeben haben, bleibt erhalten.",
    },
    "meanwhile-by": {
        "en": "Changed meanwhile by {who}, {when}. What you have typed is kept.",
        "de": "Inzwischen von {who} geändert, {when}. Was Sie eingegeben haben, bleibt erhalten.",
    },
    "meanwhile-reload": {"en": "Reload", "de": "Neu laden"},
    "meanwhile-gone": {
        "en": "This was deleted meanwhile, or you may not see it any more.",
        "de": "Dies wurde inzwischen gelöscht, oder Sie dürfen es nicht mehr sehen.",
    },
}
