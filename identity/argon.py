"""argon2id, in which Lambdesk keeps passwords of its own."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_SALT_BYTES = 16
_HASH_BYTES = 32


@dataclass(frozen=True)
class Argon:
    """argon2id with OWASP's smallest recommended cost (Password Storage Cheat Sheet): 19 MiB and 50 ms a hash."""

    memory_kib: int = 19_456
    passes: int = 2

    def make(self, secret: bytes) -> str:
        """Hash a password."""
        return self._hasher.hash(secret)

    def is_right(self, secret: bytes, stored: str) -> bool:
        """Whether a password belongs to a hash."""
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - loaded when somebody signs in

        try:
            return self._hasher.verify(stored, secret)
        except (VerificationError, InvalidHashError):
            return False

    def is_dated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def decoy(self) -> str:
        """A hash that no password has and whose check is as much work as any other's: for logins that nobody has."""
        salt, body = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (_SALT_BYTES, _HASH_BYTES))
        return f"$argon2id$v=19$m={self.memory_kib},t={self.passes},p=1${salt}${body}"

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # noqa: PLC0415 - loaded when somebody signs in

        return PasswordHasher(
            time_cost=self.passes,
            memory_cost=self.memory_kib,
            parallelism=1,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
