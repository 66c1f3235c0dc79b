"""Makes pictures of pages small: at most 256 colours by a palette, which is a third of the bytes. No library of pictures is needed for it."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
RGB, RGBA = 2, 6
_CHANNELS = {RGB: 3, RGBA: 4}


def shrink(data: bytes) -> bytes:
    """Return a PNG with a palette; a colour beyond the most frequent ones becomes the nearest of them."""
    width, height, pixels = read_pixels(data)
    counted = Counter(pixels)
    palette = [colour for colour, _ in counted.most_common(COLOURS)]
    places = {colour: place for place, colour in enumerate(palette)}
    for colour in counted:
        if colour not in places:
            places[colour] = min(range(len(palette)), key=lambda place: _distance(palette[place], colour))
    indexed = bytes(places[colour] for colour in pixels)
    rows = b"".join(b"\0" + indexed[start : start + width] for start in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def read_pixels(data: bytes) -> tuple[int, int, list[bytes]]:
    """Return width, height and the colours of a picture as Chromium writes it: 8 bits a channel, not interlaced."""
    chunks = list(_chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or kind not in _CHANNELS or interlaced:
        raise ValueError(f"a picture with {depth} bits of kind {kind} is none of a page")
    size = _CHANNELS[kind]
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    length = width * size
    before = bytearray(length)
    pixels: list[bytes] = []
    for start in range(0, len(raw), length + 1):
        before = _unfilter(raw[start], bytearray(raw[start + 1 : start + 1 + length]), before, size)
        pixels += [bytes(before[place : place + 3]) for place in range(0, length, size)]
    return width, height, pixels


def _unfilter(kind: int, row: bytearray, above: bytearray, size: int) -> bytearray:
    """Undo the filter of a row (PNG 9.2)."""
    if kind == 2:
        return bytearray((value + up) & 255 for value, up in zip(row, above, strict=True))
    for place in range(len(row)) if kind else ():
        left = row[place - size] if place >= size else 0
        up, corner = above[place], above[place - size] if place >= size else 0
        guessed = (left, 0, (left + up) // 2, _paeth(left, up, corner))[kind - 1]
        row[place] = (row[place] + guessed) & 255
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = (abs(guess - left), abs(guess - up), abs(guess - corner))
    return (left, up, corner)[distances.index(min(distances))]


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
