"""What a script sends while one writes: the form as it is, to be kept as a draft."""

from __future__ import annotations

from starlette.responses import Response

from schema.spec import Audience
from web.pages.visit import Visit
from web.pages.work_composer import drop_draft, save_draft
from web.pages.work_tables import audience_only

UNPROCESSABLE = 422


async def take_draft(visit: Visit) -> Response:
    """Keep the form that was sent, and say when; or discard what was kept."""
    audience_only(visit, Audience.AGENT)
    place = visit.form.one("place")
    if visit.form.one("deed") == "discard":
        await drop_draft(visit, place)
        return _say(visit.texts("draft-discarded"))
    moment, wrong = await save_draft(visit, place)
    return _say(" ".join(wrong), UNPROCESSABLE) if wrong else _say(visit.texts("draft-kept-at", moment=moment))


def _say(text: str, code: int = 200) -> Response:
    return Response(text, code, {"Cache-Control": "no-store"}, "text/plain; charset=utf-8")
