"""Cursors: the sort values of a row, signed, and bound to the list that they came from."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from identity.principals import Principal
from resolvers.errors import BadRequest
from schema.bindings import ToMany
from schema.spec import Module

SIGNATURE_BYTES = 12
LENGTH_LIMIT_CHARS = 100_000
REFUSED = "The cursor is not one of this list: cursors hold for one type, order, filter and caller."

# How values that JSON cannot say are written: a tag, and how to read it back.
_TAGS: Mapping[str, Callable[[str], Any]] = {
    "dt": datetime.fromisoformat,
    "d": date.fromisoformat,
    "t": time.fromisoformat,
    "n": Decimal,
}


@dataclass(frozen=True, slots=True)
class CursorKey:
    """What the cursors of one list are signed with: the server's secret and everything that makes the list this list."""

    secret: bytes
    binding: str

    def write(self, values: Sequence[Any]) -> str:
        """Make the cursor of a row from its sort values."""
        payload = json.dumps([_pack(value) for value in values], ensure_ascii=False, separators=(",", ":"))
        body = payload.encode("utf-8", "surrogatepass")
        return _encode(self._sign(body) + body)

    def read(self, cursor: str, count: int, path: str) -> list[Any]:
        """Return the sort values of a cursor, or refuse it."""
        values = self.find(cursor)
        if values is None or len(values) != count:
            raise BadRequest(f"{path}: {REFUSED}")
        return values

    def find(self, cursor: str) -> list[Any] | None:
        """Return the sort values of a cursor, or None where it is none of this list."""
        raw = _decode(cursor)
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(body)):
            return None
        return [_unpack(value) for value in json.loads(body)]

    def _sign(self, body: bytes) -> bytes:
        key = hashlib.sha256(b"lambdesk cursor\0" + self.secret).digest()
        bound = hashlib.sha256(self.binding.encode("utf-8", "surrogatepass")).digest()
        return hmac.new(key, bound + body, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def list_key(
    secret: bytes, caller: Principal, module: Module, link: ToMany | None, args: Mapping[str, Any]
) -> CursorKey:
    """Return what signs the cursors of a caller's list with these arguments."""
    relation = (link.module.type_name, link.relation.name) if link else None
    parts = (args.get("filter"), args.get("search"), args.get("orderBy"))
    return CursorKey(secret, bind(module.type_name, relation, *parts, caller.kind, caller.id))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(cursor: str) -> bytes:
    """Take only what `_encode` writes: Python's decoder steps over letters that it does not know."""
    if len(cursor) > LENGTH_LIMIT_CHARS:
        return b""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        return b""
    return raw if _encode(raw) == cursor else b""


def bind(*parts: Any) -> str:
    """Write what a list is made of as one text; equal lists give equal texts."""
    return json.dumps(parts, sort_keys=True, default=str)


def _pack(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"dt": value.isoformat()}
    if isinstance(value, date | time):
        return {"d" if isinstance(value, date) else "t": value.isoformat()}
    if isinstance(value, timedelta):  # MariaDB's times of day
        return {"t": (datetime.min + value).time().isoformat()}  # noqa: DTZ901 - only its time of day is used
    if isinstance(value, Decimal):
        return {"n": str(value)}
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | bytearray | memoryview) else value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        tag, text = next(iter(value.items()))
        return _TAGS[tag](text)
    return value
