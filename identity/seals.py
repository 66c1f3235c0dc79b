"""Secrets at rest: sealed with the server's key, so that a copy of the database does not give them away."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PREFIX = "lambdesk-seal-1:"


class SealBroken(ValueError):
    """A sealed text cannot be opened: it was changed, or sealed with another key."""


def seal(text: str, key: bytes) -> str:
    """Encrypt a text (AES-128-CBC with HMAC-SHA256, as Fernet does)."""
    return PREFIX + _fernet(key).encrypt(text.encode()).decode()


def unseal(sealed: str, key: bytes) -> str:
    """Decrypt what `seal` made. Raises `SealBroken`."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - 16 MB that most servers never need

    token = sealed.removeprefix(PREFIX).encode()
    try:
        opened = _fernet(key).decrypt(token).decode()
    except (InvalidToken, UnicodeError):
        opened = None
    # Of the last letter's bits no byte has some; they must be as they were, too.
    if opened is None or urlsafe_b64encode(urlsafe_b64decode(token)) != token:
        raise SealBroken("The secret cannot be opened with this server's key.")
    return opened


def _fernet(key: bytes) -> Fernet:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - 16 MB that most servers never need

    return Fernet(urlsafe_b64encode(sha256(b"lambdesk seal\0" + key).digest()))
