"""Which new passwords are refused, and that the others are not."""

import pytest

from identity.password_rules import Weakness, weakness
from identity.passwords import SHORTEST

ADA = "ada.lovelace"


@pytest.mark.parametrize(
    "password",
    [
        "123456789012",
        "123456123456",
        "098765432109",
        "qwertyuiop12",
        "qwertzuiop123",
        "asdfghjklqwe",
        "abcdefghijkl",
        "ZYXWVUTSRQPO",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "passwordpassword",
        "Password1234!",
        "P@ssw0rd2026!",
        "Summer2026!!",
        "Sommer 2026 !",
        "adminadmin123",
        "lambdesk2026!",
        "zzzzyyyyzzzz",
    ],
)
def test_what_anybody_tries_first_is_refused(password: str) -> None:
    assert weakness(password, ADA) is Weakness.COMMON


@pytest.mark.parametrize("password", ["Ada.Lovelace", "ada.lovelace1815", "!ada.lovelace!", "ADA.LOVELACEada.lovelace"])
def test_the_login_and_a_little_is_refused(password: str) -> None:
    assert weakness(password, ADA) is Weakness.LOGIN


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "ein gutes wort",
        "Tr0ub4dor&3xx",
        "ада любит числа",
        "ada.lovelace wrote the first program",
        "my password is not this",
        "4821 7730 9164",
        "\U0001f98a\U0001f333\U0001f680\U0001f9ca\U0001f3b2\U0001f4a1" * 2,
    ],
)
def test_what_is_long_enough_needs_no_signs(password: str) -> None:
    assert weakness(password, ADA) is None


def test_letters_are_counted_as_they_are_read() -> None:
    assert weakness("zwo\u0308lf Bo\u0308ge") is Weakness.SHORT  # ten letters, written as twelve signs
    assert weakness("plough zebra"[: SHORTEST - 1]) is Weakness.SHORT
    assert weakness("plough zebra") is None


@pytest.mark.parametrize("sign", ["\0", "\a", "\n", "\x7f", "\ud83d"])
def test_what_cannot_be_typed_or_hashed_is_refused(sign: str) -> None:
    assert weakness(f"plough {sign} zebra") is Weakness.UNREADABLE
