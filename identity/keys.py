"""The keys that identity works with, each derived from the server's secret for one purpose, and digests for what is at rest."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

TOKEN_BYTES = 32  # 256 bits

_PURPOSES = ("access token", "refresh token successor", "account")


@dataclass(frozen=True, slots=True)
class Keys:
    """One key a purpose; with another server secret every session, token and credential of before is void."""

    access: bytes = field(repr=False)  # signs access tokens
    successor: bytes = field(repr=False)  # turns a refresh token into the next one
    account: bytes = field(repr=False)  # fingerprints of passwords, stamps of accounts, names of logins


def derive_keys(secret: bytes) -> Keys:
    """Derive the keys from the server's secret (one HMAC-SHA256 each, as in HKDF's second step)."""
    return Keys(*(hmac.digest(secret, f"lambdesk {purpose}\x01".encode(), "sha256") for purpose in _PURPOSES))


def mark(key: bytes, *parts: str | int | None) -> str:
    """Return a keyed digest of values in their order, as 64 hexadecimal letters: it cannot be made or guessed without the key."""
    return hmac.digest(key, json.dumps(parts).encode(), "sha256").hex()


def make_token(prefix: str) -> str:
    """Make a secret of 256 random bits; its prefix tells people and secret scanners what it is."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def succeed(key: bytes, prefix: str, token: str) -> str:
    """Return the one token that follows another: only hashes are stored, so it must be possible to make it again."""
    return prefix + urlsafe_b64encode(hmac.digest(key, token.encode(), "sha256")).rstrip(b"=").decode()


def digest(token: str) -> str:
    """Return what is stored of a token. A plain SHA-256 will do: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
