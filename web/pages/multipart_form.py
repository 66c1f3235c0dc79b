"""A form with files: its token comes first and is checked before anything is kept, then files are stored as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from storage.errors import StorageError, Unavailable
from storage.file_claims import Owner
from web.body import Pace, read_chunks, too_large
from web.errors import Refused, unavailable
from web.file_names import clean_name
from web.live import Live, Transfers
from web.origin import check_own_page
from web.pages.door import TOKEN, read_plain
from web.pages.form_body import FURTHER, MAX_FIELDS, Form, collect
from web.recognition import Caller
from web.sniff import sniff

FORM = "multipart/form-data"
FIELD_BYTES = 1_000_000  # of all fields that are no file
MAX_FILES = 5
NO_FILES = "This server keeps no files."


@dataclass(slots=True)
class Part:
    """A part of the body: a field, or a file where it has a file name."""

    name: str = ""
    file_name: str | None = None
    data: list[bytes] = field(default_factory=list)
    has_ended: bool = False


class Parts:
    """Yields the parts of a body as they begin; what is in them comes by `content`. Raises `Refused`."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        _, options = parse_options_header(content_type)
        self._chunks = chunks
        self._header = (bytearray(), bytearray())
        self._begun: list[Part] = []
        self._open = Part()
        self._count = 0
        try:
            self._parser = MultipartParser(
                options.get(b"boundary") or b"",
                {
                    "on_part_begin": self._begin,
                    "on_header_begin": self._begin_header,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": lambda: self._begun.append(self._open),
                    "on_part_data": lambda data, start, end: self._open.data.append(data[start:end]),
                    "on_part_end": self._end,
                },
            )
        except FormParserError:
            raise Refused(400, "The form's boundary cannot be used.") from None

    async def __aiter__(self) -> AsyncIterator[Part]:
        """Go from part to part; one must be read to its end before the next is asked for."""
        while self._begun or await self._more():
            if self._begun:
                yield self._begun.pop(0)

    async def content(self, part: Part) -> AsyncIterator[bytes]:
        """Yield what is in a part."""
        while True:
            while part.data:
                yield part.data.pop(0)
            if part.has_ended:
                return
            if not await self._more():
                raise Refused(400, "The form ended early.")

    async def _more(self) -> bool:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return False
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Refused(400, "The body is no form.") from None
        return True

    def _begin(self) -> None:
        self._open = Part()
        self._count += 1
        if self._count > MAX_FIELDS:
            raise Refused(400, "The form has too many fields.")

    def _end(self) -> None:
        self._open.has_ended = True

    def _begin_header(self) -> None:
        self._header = (bytearray(), bytearray())

    def _end_header(self) -> None:
        name, value = self._header
        if bytes(name).lower() != b"content-disposition":
            return
        _, options = parse_options_header(bytes(value))
        self._open.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            self._open.file_name = options[b"filename"].decode("utf-8", "replace")


async def read_with_files(request: Request, live: Live, caller: Caller) -> Form:
    """Read a form that may have files. Raises `Refused`."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != FORM:
        return await read_plain(request, live, caller)
    check_own_page(request.headers, live.settings)
    if live.transfers is None:
        raise Refused(404, NO_FILES)
    async with live.transfers.uploads:
        try:
            return await _read(request, live, caller, live.transfers)
        except Unavailable:
            raise unavailable() from None
        except StorageError:
            raise unavailable("The file cannot be kept. Try again.") from None


async def _read(request: Request, live: Live, caller: Caller, transfers: Transfers) -> Form:
    settings = live.settings
    pace = Pace(MAX_FILES * settings.file_bytes + 2 * FIELD_BYTES, settings.file_seconds, settings.body_rate)
    parts = Parts(request.headers["content-type"], read_chunks(request, pace))
    pairs: list[tuple[str, str]] = []
    files: dict[str, str] = {}
    names: dict[str, str] = {}
    room = FIELD_BYTES
    async for part in parts:
        if part.file_name is not None:
            await _keep(part, parts, (files, names), (live, caller, transfers), is_ours=bool(pairs))
            continue
        data = b"".join([chunk async for chunk in _at_most(room, parts.content(part))])
        room -= len(data)
        pairs.append((part.name, _text(data)))
        if len(pairs) == 1:
            live.guard.check_form(request.headers, caller.secret, pairs[0][1] if part.name == TOKEN else "")
    if not pairs:
        live.guard.check_form(request.headers, caller.secret, "")
    return Form(collect(pairs), files, names)


async def _keep(
    part: Part,
    parts: Parts,
    kept: tuple[dict[str, str], dict[str, str]],
    around: tuple[Live, Caller, Transfers],
    *,
    is_ours: bool,
) -> None:
    """Store a file; where none was chosen there is a part without a name and without content."""
    live, caller, transfers = around
    files, names = kept
    content = parts.content(part)
    if not part.file_name:
        async for _ in _at_most(0, content):
            pass
        return
    if not is_ours or len(files) >= MAX_FILES:
        raise Refused(400, "The form has too many files, or its token does not come first.")
    name = clean_name(part.file_name)
    stored = await transfers.files.store(
        _at_most(live.settings.file_bytes, content),
        name=name,
        owner=Owner(str(caller.principal.kind), caller.principal.id),
        sniff=partial(sniff, name=name),
    )
    files[part.name if part.name not in files else f"{part.name}{FURTHER}{len(files)}"] = stored.id
    names[stored.id] = name


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(400, "The form is not UTF-8.") from None


async def _at_most(limit: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk
