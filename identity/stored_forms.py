"""The forms in which OTRS and Znuny keep passwords, each with its check. Nothing here makes one.

Which form a stored text has is decided by its looks alone, before any check, so that a stored hash is never taken for the
password itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

from identity.des_crypt import des_crypt
from identity.digest_crypt import FEWEST_ROUNDS, USUAL_ROUNDS, md5_crypt, sha_crypt
from identity.passwords import BCRYPT_BYTES, encode

MOST_ROUNDS = 1_000_000  # of SHA-2: 3 s; glibc takes a thousand times as many
HIGHEST_COST = 16  # of bcrypt: 4 s

_NONE = frozenset({"", "!", "*"})  # no password, whatever the setting: the marks of /etc/shadow

Check = Callable[[bytes, re.Match[str]], bool]


def is_right(secret: bytes, stored: str, *, plain: bool = False) -> bool:
    """Whether a password's bytes belong to what OTRS stored. Slow on purpose (up to seconds): use a thread.

    `plain` lets a text of no known form be the password itself, as OTRS does where its configuration says so.
    """
    if stored in _NONE or b"\0" in secret:  # crypt(3) would stop at the zero
        return False
    for form, check in _FORMS:
        found = form.fullmatch(stored)
        if found is not None:
            return check(secret, found)
    return plain and hmac.compare_digest(secret, unicodedata.normalize("NFC", stored).encode())


def _hexadecimal(secret: bytes, found: re.Match[str]) -> bool:
    name = {40: "sha1", 64: "sha256", 128: "sha512"}[len(found[0])]
    return _same(hashlib.new(name, secret, usedforsecurity=False).hexdigest(), found[0].lower())


def _salted(secret: bytes, found: re.Match[str]) -> bool:
    # The salt comes after the password.
    return _same(hashlib.sha256(secret + found["salt"].encode()).hexdigest(), found["hash"].lower())


def _otrs_bcrypt(secret: bytes, found: re.Match[str]) -> bool:
    # OTRS writes the bytes of the salt as they are; bcrypt's own notation has them in its base64.
    salt = found["salt"].encode()
    return len(salt) == 16 and _bcrypt(secret, f"$2a${int(found['cost']):02}${encode(salt)}{found['hash']}")  # noqa: PLR2004 - bcrypt's


def _plain_bcrypt(secret: bytes, found: re.Match[str]) -> bool:
    return _bcrypt(secret, f"$2a${found['cost']}${found['rest']}")


def _bcrypt(secret: bytes, stored: str) -> bool:
    import bcrypt  # noqa: PLC0415 - most servers meet none

    if not 4 <= int(stored[4:6]) <= HIGHEST_COST:  # noqa: PLR2004 - bcrypt's lowest
        return False
    try:
        made = bcrypt.hashpw(secret[:BCRYPT_BYTES], stored[:29].encode())  # bcrypt has never looked at more
    except ValueError:  # a salt that is none
        return False
    # Of the salt's last letter only two bits count, and not every program writes the others as zeros.
    return _same(made.decode()[29:], stored[29:])


def _md5(secret: bytes, found: re.Match[str]) -> bool:
    return _same(md5_crypt(secret, found["salt"], found["magic"]), found["hash"])


def _sha2(secret: bytes, found: re.Match[str]) -> bool:
    rounds = int(found["rounds"] or USUAL_ROUNDS)
    if not FEWEST_ROUNDS <= rounds <= MOST_ROUNDS:
        return False
    return _same(sha_crypt(secret, found["salt"], rounds, {"5": "sha256", "6": "sha512"}[found["name"]]), found["hash"])


def _des(secret: bytes, found: re.Match[str]) -> bool:
    return _same(des_crypt(secret, found[0][:2]), found[0])


def _same(made: str, stored: str) -> bool:
    return hmac.compare_digest(made.encode(), stored.encode())


_LETTER = r"[./0-9A-Za-z]"
_FORMS: tuple[tuple[re.Pattern[str], Check], ...] = tuple(
    (re.compile(form, re.ASCII | re.DOTALL), check)
    for form, check in (
        (r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}", _hexadecimal),
        (rf"BCRYPT:(?P<cost>\d{{1,2}}):(?P<salt>.{{1,16}}):(?P<hash>{_LETTER}{{31}})", _otrs_bcrypt),
        (rf"\$2[aby]\$(?P<cost>\d\d)\$(?P<rest>{_LETTER}{{53}})", _plain_bcrypt),
        (rf"(?P<magic>\$(?:1|apr1)\$)(?P<salt>[^$]{{0,64}})\$(?P<hash>{_LETTER}{{22}})", _md5),
        (
            rf"\$(?P<name>[56])\$(?:rounds=(?P<rounds>\d{{1,9}})\$)?(?P<salt>[^$]{{0,64}})\$(?P<hash>{_LETTER}{{43}}|{_LETTER}{{86}})",
            _sha2,
        ),
        (r"sha256\$(?P<salt>[^$]{0,64})\$(?P<hash>[0-9a-fA-F]{64})", _salted),
        (rf"{_LETTER}{{13}}", _des),
    )
)
