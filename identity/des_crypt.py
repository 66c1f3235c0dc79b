"""Traditional crypt(3), the form of the password that OTRS gives its first agent: DES 25 times over, with a salt.

Verified, never made: 56 bits are no secret today. Written out because Python's own `crypt` is gone from 3.13 and the one
living library (libpass) costs 9 MB and a tenth of a second for four short algorithms. The tables are those of FIPS 46-3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_BYTES = 8  # the rest of a password counts for nothing, in every crypt(3)
_TIMES = 25

# Bits are counted as the standard does: 1 is the highest.
_FINAL = tuple(8 * (column + 1) - row for row in range(8) for column in (4, 0, 5, 1, 6, 2, 7, 3))
_EXPAND = tuple((4 * block + place - 1) % 32 + 1 for block in range(8) for place in range(6))
_MIX = (
    16,
    7,
    20,
    21,
    29,
    12,
    28,
    17,
    1,
    15,
    23,
    26,
    5,
    18,
    31,
    10,
    2,
    8,
    24,
    14,
    32,
    27,
    3,
    9,
    19,
    13,
    30,
    6,
    22,
    11,
    4,
    25,
)
_KEY_FIRST = (
    57,
    49,
    41,
    33,
    25,
    17,
    9,
    1,
    58,
    50,
    42,
    34,
    26,
    18,
    10,
    2,
    59,
    51,
    43,
    35,
    27,
    19,
    11,
    3,
    60,
    52,
    44,
    36,
)
_KEY_LAST = (63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4)
_KEY_ROUND = (
    *(14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2),
    *(41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32),
)
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# The eight S-boxes: four rows of sixteen each, a hexadecimal digit an entry.
_BOXES = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)


def des_crypt(secret: bytes, salt: str) -> str:
    """Return the 13 letters for a password (its first 8 bytes) and a salt of two letters of `ALPHABET`. Takes about 2 ms."""
    key = int.from_bytes(bytes((byte << 1) & 0xFF for byte in secret[:KEY_BYTES].ljust(KEY_BYTES, b"\0")), "big")
    left, right = _encrypt(_round_keys(key), _swaps(salt))
    block = _permute((left << 32) | right, 64, _FINAL) << 2  # 64 bits fill eleven letters but for two
    return salt + "".join(ALPHABET[(block >> shift) & 63] for shift in range(60, -1, -6))


def _encrypt(keys: Sequence[int], swaps: int) -> tuple[int, int]:
    """Encrypt a block of zeros 25 times. Its first and its last permutation cancel each other between two times."""
    expand, boxes = _expansion(), _mixed_boxes()
    first, second, third, fourth, fifth, sixth, seventh, eighth = boxes
    left = right = 0
    for _ in range(_TIMES):
        for key in keys:
            wide = (
                expand[0][right >> 24]
                | expand[1][right >> 16 & 255]
                | expand[2][right >> 8 & 255]
                | expand[3][right & 255]
            )
            differing = ((wide >> 24) ^ wide) & swaps
            wide ^= differing ^ (differing << 24) ^ key
            left, right = (
                right,
                left
                ^ (
                    first[wide >> 42]
                    ^ second[wide >> 36 & 63]
                    ^ third[wide >> 30 & 63]
                    ^ fourth[wide >> 24 & 63]
                    ^ fifth[wide >> 18 & 63]
                    ^ sixth[wide >> 12 & 63]
                    ^ seventh[wide >> 6 & 63]
                    ^ eighth[wide & 63]
                ),
            )
        left, right = right, left
    return left, right


def _swaps(salt: str) -> int:
    """Return the places of the expansion's halves that change sides: the salt's lowest bit stands for the highest place."""
    bits = ALPHABET.index(salt[0]) | ALPHABET.index(salt[1]) << 6
    return sum(1 << (23 - place) for place in range(12) if bits >> place & 1)


def _round_keys(key: int) -> list[int]:
    first, last = _permute(key, 64, _KEY_FIRST), _permute(key, 64, _KEY_LAST)
    keys = []
    for shift in _SHIFTS:
        first, last = _turn(first, shift), _turn(last, shift)
        keys.append(_permute((first << 28) | last, 56, _KEY_ROUND))
    return keys


def _turn(half: int, places: int) -> int:
    return ((half << places) | (half >> (28 - places))) & 0xFFFFFFF


def _permute(value: int, width: int, places: Iterable[int]) -> int:
    made = 0
    for place in places:
        made = (made << 1) | (value >> (width - place) & 1)
    return made


@cache
def _expansion() -> tuple[tuple[int, ...], ...]:
    """Return for each byte of a half, and each of its values, the part of the 48 bits that it gives."""
    return tuple(tuple(_permute(value << shift, 32, _EXPAND) for value in range(256)) for shift in (24, 16, 8, 0))


@cache
def _mixed_boxes() -> tuple[tuple[int, ...], ...]:
    """Return the S-boxes with the permutation that follows them."""
    made = []
    for number, text in enumerate(_BOXES):
        rows = text.split()
        outputs = (int(rows[(value >> 4 & 2) | (value & 1)][value >> 1 & 15], 16) for value in range(64))
        made.append(tuple(_permute(output << (28 - 4 * number), 32, _MIX) for output in outputs))
    return tuple(made)
