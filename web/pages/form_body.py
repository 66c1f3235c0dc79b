"""The body of a form: fields by name, each with its values, and files that were stored as they arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from web.body import read_body
from web.errors import Refused
from web.settings import Settings

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 2_000
FURTHER = "#"  # between a field and the number of a further file in it


@dataclass(frozen=True, slots=True)
class Form:
    """What a browser sent. `files` are ids of uploads by the field that they were chosen in, `names` what these files are called.

    Of several files in one field, the further ones stand in `files` under its name and a number.
    """

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a field: a checkbox stands behind its hidden `no`."""
        return self.fields[name][-1] if self.fields.get(name) else default

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a field."""
        return self.fields.get(name, ())

    def uploads(self, name: str) -> Sequence[str]:
        """Return the ids of all files of a field."""
        return [upload for key, upload in self.files.items() if key == name or key.startswith(f"{name}{FURTHER}")]


async def read_form(request: Request, settings: Settings) -> Form:
    """Read a URL-encoded form. Raises `Refused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused(415, f"Send the form as {FORM_TYPE}.")
    body = await read_body(request, settings)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "The form is not URL-encoded UTF-8, or has too many fields.") from None
    return Form(collect(pairs))


def collect(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    """Put the values of each name together. Line ends of text areas become those that the database has."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found
