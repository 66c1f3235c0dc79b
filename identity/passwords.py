"""Passwords as they are read, and as OTRS stores new ones, so that an OTRS on the same database takes them too."""

from __future__ import annotations

import secrets
import string
import unicodedata

COST = 12  # OTRS's own default
BCRYPT_BYTES = 72  # what bcrypt looks at; the rest would count for nothing
SHORTEST = 12  # letters of a new one (ASVS 2.1.1)
PASSWORD_BYTES = 1_024  # of one that is tried; hashing a megabyte would be work for an attacker's sake

_STANDARD = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class PasswordTooLong(ValueError):
    """A password is longer than the hash can tell apart."""


def hash_password(password: str, cost: int = COST) -> str:
    """Hash a password in OTRS's strongest form, `BCRYPT:<cost>:<salt>:<hash>`. Takes a quarter of a second; use a thread.

    The salt stands there as 16 letters, not as bcrypt's 22: OTRS keeps its bytes. Raises `PasswordTooLong`.
    """
    import bcrypt  # noqa: PLC0415 - most servers never set a password

    secret = check_password(password)
    salt = _letters()
    made = bcrypt.hashpw(secret, f"$2a${cost:02}${encode(salt.encode())}".encode()).decode()
    return f"BCRYPT:{cost}:{salt}:{made[29:]}"


def check_password(password: str) -> bytes:
    """Return the bytes of a password that are hashed. Raises `PasswordTooLong`."""
    secret = unicodedata.normalize("NFC", password).encode()
    if len(secret) > BCRYPT_BYTES:
        raise PasswordTooLong(f"A password may have {BCRYPT_BYTES} bytes.")
    return secret


def read_password(password: str) -> bytes | None:
    """Return the bytes of a password that somebody signs in with, in NFC; None for one that no account has.

    That is one of more than `PASSWORD_BYTES` bytes, and what is no text at all (lone surrogates).
    """
    if not password or len(password) > PASSWORD_BYTES:  # before it is normalised, which takes time too
        return None
    try:
        secret = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return secret if len(secret) <= PASSWORD_BYTES else None


def _letters() -> str:
    """Make a salt of 16 random letters (95 bits): bytes that a text column can hold."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(16))


def encode(data: bytes) -> str:
    """Write bytes in bcrypt's base64, without padding: 16 bytes become 22 letters."""
    number = int.from_bytes(data, "big")
    bits = len(data) * 8
    letters = -(-bits // 6)
    number <<= letters * 6 - bits
    return "".join(_STANDARD[(number >> (6 * (letters - 1 - place))) & 63] for place in range(letters))
