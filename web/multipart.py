"""The one file of a `multipart/form-data` body, as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from web.errors import Refused

PARTS_LIMIT = 20
ONE_FILE = "Send one file in one form."


class FormFile:
    """`name` and content of the form's file; other fields of the form are passed over.

    Raises `Refused` when the body is no such form, holds no file, or several.
    """

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        _, options = parse_options_header(content_type)
        self.name: str | None = None
        self._chunks = chunks
        self._header = (bytearray(), bytearray())
        self._waiting: list[bytes] = []
        self._inside = False
        self._ended = False
        self._parts = 0
        try:
            self._parser = MultipartParser(
                options.get(b"boundary") or b"",
                {
                    "on_part_begin": self._begin_part,
                    "on_header_begin": self._begin_header,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise Refused(400, "The form's boundary cannot be used.") from None

    async def open(self) -> str:
        """Read up to the file and return the name that the client gave it."""
        while self.name is None and await self._more():
            pass
        if self.name is None:
            raise Refused(400, ONE_FILE)
        return self.name

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the file, to the end of the form."""
        more = True
        while more or self._waiting:
            for part in self._waiting:
                yield part
            self._waiting.clear()
            more = await self._more()

    async def _more(self) -> bool:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            if not self._ended:
                raise Refused(400, "The form ended early.")
            return False
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Refused(400, "The body is no form.") from None
        return True

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS_LIMIT:
            raise Refused(400, ONE_FILE)

    def _begin_header(self) -> None:
        self._header = (bytearray(), bytearray())

    def _end_header(self) -> None:
        field, value = self._header
        if bytes(field).lower() != b"content-disposition":
            return
        _, options = parse_options_header(bytes(value))
        if b"filename" in options:
            if self.name is not None:
                raise Refused(400, ONE_FILE)
            self.name = options[b"filename"].decode("utf-8", "replace")
            self._inside = True

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._waiting.append(data[start:end])

    def _end_part(self) -> None:
        self._inside = False

    def _end(self) -> None:
        self._ended = True
