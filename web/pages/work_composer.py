"""What one writes with: the text, templates for it, files, and a draft that the server keeps. Forms of tickets include it.

A page that has it calls `draft_of` to show what was kept, `compose` to show the form (again), `press` when it is sent, which does what buttons
other than *send* ask for, `uploads_of` for the files, and `drop_draft` once it is written; `work/composer.html` draws it, `work.js` makes it quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from web.errors import Refused
from web.pages.form_body import Form
from web.pages.said import say
from web.pages.visit import Visit

BODY, FILES, KEPT, TEMPLATE, DEED = "body", "files", "upload", "template", "deed"
# What the buttons of the form ask for, beside sending it.
KEEP, DISCARD, INSERT, REFRESH = "keep", "discard", "insert", "refresh"
# Of a form, what is no part of a draft.
_NOT_KEPT = frozenset({"csrf", "once", "version", DEED, KEPT, TEMPLATE, FILES, "place"})
FORBIDDEN = 403
TEXTS = """\
query Texts($ticket: ID, $queue: String, $customer: String, $types: [TextTemplateType!]) {
  textTemplates(ticket: $ticket, queue: $queue, customer: $customer, types: $types) { id name text }
}
"""
DRAFT = "query Draft($place: String!) { drafts(place: $place) { content changedAt } }"
SAVE = """\
mutation KeepDraft($place: String!, $content: JSON!) {
  saveDraft(input: {place: $place, content: $content}) { draft { changedAt } errors { code message } }
}
"""
DROP = "mutation DropDraft($place: String!) { deleteDraft(input: {place: $place}) { deletedPlace } }"


@dataclass(frozen=True, slots=True)
class Template:
    """A text to choose."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class About:
    """What templates are filled for: a ticket by its global id, or a new one by its queue and customer."""

    ticket: str = ""
    queue: str = ""
    customer: str = ""
    types: tuple[str, ...] = ()

    @property
    def variables(self) -> Mapping[str, Any]:
        """As the API takes it."""
        queue = None if self.ticket else self.queue
        given = {"ticket": self.ticket or None, "queue": queue, "customer": self.customer or None}
        return {**given, "types": list(self.types) or None}

    @property
    def address(self) -> str:
        """Where a script gets a text from."""
        said = {"ticket": self.ticket, "queue": self.queue, "customer": self.customer}
        pairs = [(name, value) for name, value in said.items() if value] + [("type", kind) for kind in self.types]
        return f"/desk/text?{urlencode(pairs)}"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was kept: the form's fields, and when."""

    fields: Mapping[str, Any]
    moment: str


@dataclass(frozen=True, slots=True)
class Composer:
    """The piece of a form that one writes with, ready for `work/composer.html`. `kept` are uploads of before: id and name."""

    place: str
    body: str
    about: About
    templates: Sequence[Template] = ()
    kept: Sequence[tuple[str, str]] = ()
    draft: str = ""  # when the draft was kept that is shown
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by `body` and `files`
    rows: int = 12
    takes_files: bool = True


async def compose(
    visit: Visit,
    place: str,
    about: About,
    *,
    body: str | None = None,
    draft: Draft | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> Composer:
    """Make the piece for a form: with what was typed, else with what the draft has. The button *insert* has its effect here."""
    templates = await read_templates(visit, about)
    text = body if body is not None else str(draft.fields.get(BODY, "")) if draft else visit.form.one(BODY)
    if visit.form.one(DEED) == INSERT:
        chosen = next((item.text for item in templates if item.id == visit.form.one(TEMPLATE)), "")
        text = f"{text.rstrip()}\n\n{chosen}" if text.strip() and chosen else chosen or text
    return Composer(
        place,
        text,
        about,
        templates,
        kept=kept_uploads(visit.form),
        draft=draft.moment if draft else "",
        errors=errors or {},
        takes_files=visit.live.transfers is not None,
    )


async def read_templates(visit: Visit, about: About) -> list[Template]:
    """Ask for the texts that fit. Nothing without a queue or ticket, and nothing where the caller may not see them."""
    if not about.ticket and not about.queue:
        return []
    if not visit.schema.query_type or "textTemplates" not in visit.schema.query_type.fields:
        return []
    try:
        found = (await visit.ask(TEXTS, about.variables)).data["textTemplates"]
    except Refused as refused:
        if refused.status == FORBIDDEN:
            return []
        raise
    return [Template(item["id"], item["name"], item["text"]) for item in found]


async def draft_of(visit: Visit, place: str) -> Draft | None:
    """Return the draft that the caller has of a form."""
    found = (await visit.ask(DRAFT, {"place": place})).data["drafts"]
    if not found:
        return None
    return Draft(found[0]["content"], _told(visit, found[0]["changedAt"]))


async def save_draft(visit: Visit, place: str) -> tuple[str, Sequence[str]]:
    """Keep the form as a draft; return when, or why not."""
    content = {
        name: list(values) if len(values) > 1 else values[0] for name, values in visit.form.fields.items() if name not in _NOT_KEPT
    }  # fmt: skip
    done = (await visit.ask(SAVE, {"place": place, "content": content})).data["saveDraft"]
    if done["errors"]:
        return "", [error["message"] for error in done["errors"]]
    return _told(visit, done["draft"]["changedAt"]), ()


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came of a button: where to go, or that the form is to be shown again, with what is wrong."""

    answer: Response | None = None
    wrong: Sequence[str] = ()


async def press(visit: Visit, place: str, address: str) -> Pressed | None:
    """Do what a button other than *send* asks for; None where the form is to be sent. `address` is where it is shown."""
    deed = visit.form.one(DEED)
    if deed == DISCARD:
        await drop_draft(visit, place)
        return Pressed(visit.see(say(address, "draft-discarded")))
    if deed == KEEP:
        _, wrong = await save_draft(visit, place)
        return Pressed(wrong=wrong) if wrong else Pressed(visit.see(say(address, "draft-kept")))
    return Pressed() if deed else None


async def drop_draft(visit: Visit, place: str) -> None:
    """Let the draft of a form go: it was sent, or discarded."""
    await visit.ask(DROP, {"place": place})


def form_of(draft: Draft) -> Form:
    """Return a draft as the form that it was."""
    fields = {name: value if isinstance(value, list) else [value] for name, value in draft.fields.items()}
    return Form({name: [str(item) for item in values] for name, values in fields.items()})


def uploads_of(form: Form) -> list[str]:
    """Return the uploads of a form: those chosen now, and those of before that are still ticked."""
    return [upload for upload, _ in kept_uploads(form)]


def kept_uploads(form: Form) -> list[tuple[str, str]]:
    """Return the uploads of a form with their names, to show them again."""
    before = [(upload, name) for upload, mark, name in (value.partition(":") for value in form.all(KEPT)) if mark]
    return [*before, *((upload, form.names.get(upload, "")) for upload in form.uploads(FILES))]


def _told(visit: Visit, moment: str) -> str:
    """Write when something was kept: the time of today, else the day too."""
    zone = visit.look.time_zone()
    found = datetime.fromisoformat(moment).astimezone(zone)
    return f"{found:%H:%M}" if found.date() == datetime.now(zone).date() else f"{found:%Y-%m-%d %H:%M}"
