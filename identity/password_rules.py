"""Which new passwords are refused: short ones, and those that somebody who knows the login tries first.

Twelve letters (ASVS 2.1.1) and no rules about kinds of letters, which only make people write `Password1!`. Of the lists of
leaked passwords next to nothing is that long; what is follows a few forms, which are recognised instead of listed.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from itertools import pairwise

from identity.passwords import SHORTEST

_FEWEST_DIFFERENT = 5
_FEWEST_BESIDE = 8  # letters that a password has beside a common word or the login
_LONGEST_PIECE = 4  # a password that repeats a piece of so many letters is as good as the piece
_FEWEST_STEPS = 3  # an alphabet, a row of the keyboard or a repetition shows after so many

_ROWS = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
)
_COMMON = (
    "password",
    "passwort",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "welcome",
    "willkommen",
    "letmein",
    "iloveyou",
    "princess",
    "sunshine",
    "football",
    "baseball",
    "superman",
    "starwars",
    "trustno1",
    "whatever",
    "computer",
    "internet",
    "security",
    "changeme",
    "changeit",
    "secret",
    "geheim",
    "hallo",
    "hello",
    "master",
    "monkey",
    "dragon",
    "login",
    "admin",
    "administrator",
    "root",
    "guest",
    "test",
    "demo",
    "default",
    "support",
    "helpdesk",
    "servicedesk",
    "ticket",
    "customer",
    "agent",
    "lambdesk",
    "otrs",
    "znuny",
    "otobo",
    "spring",
    "summer",
    "autumn",
    "winter",
    "sommer",
    "herbst",
)


class Weakness(StrEnum):
    """Why a password is refused; the values are the keys of the messages."""

    SHORT = "too-short"
    COMMON = "password-common"
    LOGIN = "password-login"
    UNREADABLE = "password-letters"


def weakness(password: str, login: str = "") -> Weakness | None:
    """Say why a new password must not be taken; None where it may. Letter case makes no difference but for the length."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in password):
        return Weakness.UNREADABLE  # nobody types these, crypt(3) stops at a zero, and half a letter cannot be hashed
    text = unicodedata.normalize("NFC", password)
    if len(text) < SHORTEST:
        return Weakness.SHORT
    folded = text.casefold()
    if is_login(text, login):
        return Weakness.LOGIN
    if len(set(folded)) < _FEWEST_DIFFERENT or _repeats(folded) or _runs(folded):
        return Weakness.COMMON
    return Weakness.COMMON if any(_is_little_more(folded, word) for word in _COMMON) else None


def is_login(password: str, login: str) -> bool:
    """Answer whether a password is the login with at most a little beside it."""
    folded, name = (unicodedata.normalize("NFC", text).strip().casefold() for text in (password, login))
    return bool(name) and _is_little_more(folded, name)


def _is_little_more(text: str, word: str) -> bool:
    return word in text and len(text.replace(word, "")) < min(_FEWEST_BESIDE, len(text))


def _repeats(text: str) -> bool:
    """Answer whether a text is one short piece again and again, as in `abcabcabcabc`."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, _LONGEST_PIECE + 1))


def _runs(text: str) -> bool:
    """Answer whether most of a text follows the alphabet, the digits or a row of the keyboard, up or down."""
    steps = [_is_step(one, other) for one, other in pairwise(text)]
    return len(text) - sum(steps) <= max(_FEWEST_STEPS, len(text) // 4)


def _is_step(one: str, other: str) -> bool:
    return (
        abs(ord(one) - ord(other)) <= 1
        or any(one + other in row or other + one in row for row in _ROWS)
        or (one + other in ("90", "09"))
    )
