"""The crypt(3) forms that turn a common digest over and over: `$1$` and `$apr1$` (MD5), `$5$` and `$6$` (SHA-2).

Verified, never made. Sources: Poul-Henning Kamp's md5crypt, and "Unix crypt using SHA-256 and SHA-512" by Ulrich Drepper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from identity.des_crypt import ALPHABET

SALT_LETTERS_MD5 = 8
SALT_LETTERS_SHA = 16
USUAL_ROUNDS = 5_000  # of SHA-2, where the stored form names none
FEWEST_ROUNDS = 1_000
_MD5_ROUNDS = 1_000


def md5_crypt(secret: bytes, salt: str, magic: str) -> str:
    """Return the 22 letters for a password; `magic` is `$1$`, or Apache's `$apr1$`. Takes about 1 ms."""
    seed = salt[:SALT_LETTERS_MD5].encode()
    inner = _md5(secret + seed + secret)
    start = secret + magic.encode() + seed + _stretch(inner, len(secret))
    length = len(secret)
    while length:
        start += b"\0" if length & 1 else secret[:1]
        length >>= 1
    final = _md5(start)
    for turn in range(_MD5_ROUNDS):
        text = secret if turn & 1 else final
        text += seed if turn % 3 else b""
        text += secret if turn % 7 else b""
        final = _md5(text + (final if turn & 1 else secret))
    triples = [*((place, place + 6, place + 12) for place in range(4)), (4, 10, 5)]
    return "".join(_letters(*(final[place] for place in triple)) for triple in triples) + _letters(0, 0, final[11])[:2]


def sha_crypt(secret: bytes, salt: str, rounds: int, name: str) -> str:
    """Return the 43 or 86 letters for a password; `name` is sha256 or sha512. 5,000 rounds take about 10 ms."""
    seed = salt[:SALT_LETTERS_SHA].encode()
    inner = hashlib.new(name, secret + seed + secret).digest()
    start = secret + seed + _stretch(inner, len(secret))
    length = len(secret)
    while length:
        start += inner if length & 1 else secret
        length >>= 1
    final = hashlib.new(name, start).digest()
    long_secret = _stretch(hashlib.new(name, secret * len(secret)).digest(), len(secret))
    long_seed = _stretch(hashlib.new(name, seed * (16 + final[0])).digest(), len(seed))
    make = hashlib.sha256 if name == "sha256" else hashlib.sha512
    for turn in range(rounds):
        text = long_secret if turn & 1 else final
        text += long_seed if turn % 3 else b""
        text += long_secret if turn % 7 else b""
        final = make(text + (final if turn & 1 else long_secret)).digest()
    return "".join(_sha_letters(final))


def _sha_letters(final: bytes) -> Iterator[str]:
    """Write a digest the way Drepper's table has it: three bytes from its thirds, whose order turns with every step."""
    third = len(final) // 3
    places = (0, third, 2 * third)
    for _ in range(third):
        yield _letters(*(final[place] for place in places))
        first, second, last = (place + 1 for place in places)
        places = (second, last, first) if third == 21 else (last, first, second)  # noqa: PLR2004 - SHA-512's
    left = final[3 * third :][::-1]
    yield _letters(*left.rjust(3, b"\0"))[: len(left) + 1]


def _letters(high: int, middle: int, low: int) -> str:
    """Write three bytes as four letters, the lowest bits first."""
    number = high << 16 | middle << 8 | low
    return "".join(ALPHABET[number >> shift & 63] for shift in (0, 6, 12, 18))


def _stretch(digest: bytes, length: int) -> bytes:
    """Repeat a digest until it has so many bytes."""
    return (digest * (length // len(digest) + 1))[:length]


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
