"""A new request of a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from schema.writes import Deed
from web.errors import Code, Refused
from web.pages.customer_words import Desk, desk_of
from web.pages.deeds import DONE, create
from web.pages.form_page import NO_RIGHT, UNPROCESSABLE
from web.pages.once import mark_of, shown_mark
from web.pages.otrs_tables import member_on
from web.pages.said import say
from web.pages.visit import Visit
from web.pages.work_composer import BODY, FILES, About, Composer, kept_uploads, uploads_of
from web.pages.work_tables import the_target

QUEUES = 500
TITLE_LETTERS = 255


async def show_new_request(visit: Visit) -> Response:
    """Show the form."""
    return await _form(visit, _desk(visit))


async def take_new_request(visit: Visit) -> Response:
    """Make the ticket."""
    desk = _desk(visit)
    queue, _ = the_target(desk.view, "queue_id")
    title = member_on(desk.view, "title")
    given = {name: visit.form.one(name).strip() for name in ("title", "queue", BODY)}
    wrong = {
        name: (visit.texts("required", field=visit.texts(key)),)
        for name, key in (("title", "my-title"), ("queue", "my-queue"), (BODY, "my-text"))
        if not given[name]
    }
    if not wrong:
        article = {"subject": given["title"], "body": visit.form.one(BODY), "attachments": uploads_of(visit.form)}
        record = {
            title.name if title else "title": given["title"],
            queue.name: {queue.shown: given["queue"]},
            "article": article,
        }
        deal = create(desk.view, record)
        done = (await visit.ask(deal.document, deal.variables, once=mark_of(visit))).data[DONE]
        if not done["errors"]:
            return visit.see(say(f"/my/{done['row']['id']}", "sent"))
        places = {queue.name: "queue", "body": BODY, "attachments": FILES, "subject": "title", "title": "title"}
        for error in done["errors"]:
            path = [str(step) for step in error.get("path") or ()][1:]
            name = next((places[step] for step in reversed(path) if step in places), "")
            wrong[name] = (*wrong.get(name, ()), str(error["message"]))
    return await _form(visit, desk, wrong)


def _desk(visit: Visit) -> Desk:
    desk = desk_of(visit)
    if not desk.view.may(Deed.CREATE):
        raise Refused(403, NO_RIGHT, Code.FORBIDDEN)
    return desk


async def _form(visit: Visit, desk: Desk, wrong: Mapping[str, Sequence[str]] | None = None) -> Response:
    queue, queues = the_target(desk.view, "queue_id")
    order = f", orderBy: [{{{queue.shown}: ASC}}]" if queue.sorts else ""
    document = (
        f"query MyQueues {{ queues: {queues.many_root}(first: {QUEUES}{order}) {{ nodes {{ name: {queue.shown} }} }} }}"
    )
    nodes = (await visit.ask(document)).data["queues"]["nodes"]
    errors = wrong or {}
    return visit.page(
        "customer/new.html",
        UNPROCESSABLE if errors else 200,
        queues=[str(node["name"]) for node in nodes],
        given={name: visit.form.one(name) for name in ("title", "queue")},
        errors=errors,
        composer=Composer(
            "",
            visit.form.one(BODY),
            About(),
            kept=kept_uploads(visit.form),
            errors=errors,
            takes_files=visit.live.transfers is not None,
        ),
        most=TITLE_LETTERS,
        once=shown_mark(visit),
    )
