"""The pages around the modules: the choice of how everything looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from web.errors import NOTHING_HERE, Code, Refused
from web.pages.look import CHOICES, choose, write_look, zone_names
from web.pages.replies import see
from web.pages.safe_next import safe_next
from web.pages.visit import Visit


async def show_look(visit: Visit) -> Response:
    """Show what can be chosen."""
    return visit.page("look.html", **look_form(safe_next(visit.request.query_params.get("next", "")), leaves=True))


def look_form(after: str, *, leaves: bool = False) -> Mapping[str, Any]:
    """Return what the form of the look is made of: where it leads, and whether one can leave it."""
    return {"choices": CHOICES, "zones": zone_names(), "next": after, "leaves": leaves}


async def choose_look(visit: Visit) -> Response:
    """Keep what was chosen, and go back."""
    told = {name: values[-1] for name, values in visit.form.fields.items()}
    response = see(safe_next(visit.form.one("next")))
    response.headers.append("Set-Cookie", write_look(choose(visit.look, told), visit.live.settings))
    return response


async def show_nothing(_visit: Visit) -> Response:
    """Say that there is no such page."""
    raise Refused(404, NOTHING_HERE, Code.BAD_REQUEST)
