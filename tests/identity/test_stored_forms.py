"""Every form in which OTRS keeps passwords is verified. What is expected comes from crypt(3), OpenSSL, and OTRS's own rows."""

import hashlib
from pathlib import Path

import pytest

from identity.des_crypt import des_crypt
from identity.passwords import PASSWORD_BYTES, hash_password, read_password
from identity.stored_forms import is_right

UMLAUTS = "Grüße, Wörld"
LONG = "averylongpassword that goes beyond every block of every digest, sixty four bytes and more to be sure of it"
VECTORS = [
    # What OTRS 6 and Znuny seed for root@localhost.
    ("root", "roK20XGbWEsSM"),
    # perl -e 'print crypt(...)' with glibc's libcrypt
    ("root", "ab6TRGT20sY26"),
    (UMLAUTS, "zZK1DdHzOlIDw"),
    ("a", "./xT2u5QYaHcU"),
    (LONG, "ab8rPp61EtyKo"),
    ("root", "$1$saltsalt$eddF1Fgeo8xl8zwwEHZMo."),
    ("root", "$1$ab$97TKqrhNM0habba3apc9k/"),
    (UMLAUTS, "$1$saltsalt$qiSN7QY.cisJ4EXYYAiOW/"),
    (LONG, "$1$saltsalt$MD8zkbuJXt3me7XqRIce30"),
    ("root", "$5$saltstring$YFMF7yiQ9V9eCIH9D6jFVOaMhMNpjWG6qrbzxOBzQO8"),
    ("root", "$5$rounds=1400$anotherlongsal$1xlvh4PP3e8G4XVRCs8ZrWV8OuYmBaOLvrD.lilOVV4"),
    (UMLAUTS, "$5$saltstring$Ennx6VzD28XV5dxFBHkYduQjV/Zk.5uGsjFks.MmDx2"),
    (LONG, "$5$saltstring$IyUZuR7ffTtMEJHAev/vHGfeomlf4fYqQ324EXad0g2"),
    (
        "root",
        "$6$saltstring$DdMx7.nV1ZynhlO7EO4TTn5gJugAa.k4jN2nRFAlHDSsA1gGewAT55AkcPA8aHi39qiSEC/Jgxw6MZ0ls9OrM0",
    ),
    (
        UMLAUTS,
        "$6$rounds=1400$anotherlongsal$CKAjumwQd8SAVBCsoz7MYrmOgozlibFnv/lrxEniWAF2XYhpYtb.tubVh7FAluwwlQSCHdGelA7jNHHypcllC1",
    ),
    (
        LONG,
        "$6$saltstring$7.33fJWLvnBxhmjBsppH.nqTm3KhWGHPlJejwPLT9Z6/16.xj2Gp8el/DUdfw9FR7nA.EQkQIdTwCUV4zK2vC.",
    ),
    # Ulrich Drepper's own test vectors
    ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    ("the minimum number is still observed", "$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC"),
    # openssl passwd -apr1
    ("root", "$apr1$r31..$X5t95RbuBHK5Se1evUQ5.1"),
    (UMLAUTS, "$apr1$r31..$Y5yLBbBTRebvEhkrjm1x4/"),
    # crypt(3) of libxcrypt
    ("root", "$2y$05$abcdefghijklmnopqrstuuJ/uqQnGWb.PIEKF.YYD7e.M1.rwki5y"),
    (UMLAUTS, "$2y$05$abcdefghijklmnopqrstuuA/KkEoVXjtZ9N39m8Wt//KE00fECuB2"),
    # The three unsalted digests: FIPS 180's "abc"
    ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        "abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    ("abc", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
    ("abc", f"sha256$pepper${hashlib.sha256(b'abcpepper').hexdigest()}"),
]


@pytest.mark.parametrize(("password", "stored"), VECTORS)
def test_the_right_password_belongs_to_what_is_stored(password: str, stored: str) -> None:
    assert is_right(password.encode(), stored)


@pytest.mark.parametrize(("password", "stored"), VECTORS)
def test_no_other_password_does(password: str, stored: str) -> None:
    assert not is_right(b"x" + password.encode(), stored)
    assert not is_right(password.swapcase().encode(), stored)
    assert not is_right(b"", stored)


@pytest.mark.parametrize(("password", "stored"), VECTORS)
def test_one_letter_changed_in_what_is_stored_and_it_belongs_to_nothing(password: str, stored: str) -> None:
    place = len(stored) - 5
    other = "0" if stored[place] != "0" else "1"

    assert not is_right(password.encode(), stored[:place] + other + stored[place + 1 :])


def test_bcrypt_in_otrs_s_own_form() -> None:
    stored = hash_password(UMLAUTS, cost=4)

    assert stored.startswith("BCRYPT:4:")
    assert is_right(UMLAUTS.encode(), stored)
    assert not is_right(UMLAUTS.lower().encode(), stored)


def test_bcrypt_in_otrs_s_own_form_is_bcrypt_with_the_salt_s_bytes_as_they_are() -> None:
    # libxcrypt makes this hash of `$2a$06$` and the salt in bcrypt's base64.
    assert is_right(b"swordfish", "BCRYPT:6:0123456789abcdef:FM1k06BCgjBDHOOmAPw3MlbTAxcaV5G")


def test_bcrypt_looks_at_72_bytes_as_it_does_in_otrs() -> None:
    stored = hash_password("p" * 72, cost=4)

    assert is_right(b"p" * 80, stored)
    assert not is_right(b"p" * 71, stored)


def test_a_zero_in_a_password_cuts_nothing_off() -> None:
    assert not is_right(b"root\0and more", "roK20XGbWEsSM")


def test_plain_text_counts_only_where_a_setting_says_so() -> None:
    assert not is_right(b"open sesame", "open sesame")
    assert is_right(b"open sesame", "open sesame", plain=True)
    assert not is_right(b"open", "open sesame", plain=True)


@pytest.mark.parametrize(
    "stored", [stored for _, stored in VECTORS] + [pytest.param(hash_password("x", cost=4), id="made here")]
)
def test_a_stored_hash_is_never_the_password_itself(stored: str) -> None:
    assert not is_right(stored.encode(), stored, plain=True)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "*",
        "!",
        "$6$rounds=999999999$salt$" + "a" * 86,
        "$5$rounds=10$roundstoolow$" + "a" * 43,
        "$2b$31$" + "a" * 53,
        "$2b$00$" + "a" * 53,
        "BCRYPT:12:short:" + "a" * 31,
        "BCRYPT:99:0123456789abcdef:" + "a" * 31,
        "BCRYPT:12:0123456789abcdéf:" + "a" * 31,
        "$7$unknown$x",
        "roK20XGbWEsSM\n",
    ],
)
def test_what_cannot_be_checked_is_never_right_and_costs_nothing(stored: str) -> None:
    assert not is_right(b"root", stored)
    assert not is_right(b"", stored, plain=True)


@pytest.mark.parametrize("stored", ["", "!", "*"])
def test_the_marks_of_an_account_without_a_password_are_none(stored: str) -> None:
    assert not is_right(stored.encode(), stored, plain=True)


def test_every_salt_of_des_crypt_swaps_other_places() -> None:
    letters = "./09AZaz"
    salts = [first + last for first in letters for last in letters]

    assert len({des_crypt(b"root", salt)[2:] for salt in salts}) == len(salts)


def test_a_password_is_read_in_its_composed_form() -> None:
    assert read_password("u\N{COMBINING DIAERESIS}") == "ü".encode()


@pytest.mark.parametrize("password", ["", "x" * (PASSWORD_BYTES + 1), "é" * 600, "x" * 1_000_000, "\ud800"])
def test_what_no_account_has_is_not_hashed(password: str) -> None:
    assert read_password(password) is None


def test_the_longest_password_is_read_whole() -> None:
    assert read_password("x" * PASSWORD_BYTES) == b"x" * PASSWORD_BYTES


def test_no_code_needs_the_module_that_python_3_13_dropped() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parents[2].glob("identity/*.py")]

    assert [text for text in sources if "import crypt\n" in text] == []
