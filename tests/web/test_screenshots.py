"""The pictures of the documentation: each is taken by the script and shown by a page, and small ones are the pictures that they were."""

import re
import struct
import zlib
from pathlib import Path

import pytest

from tests.web.screenshots import DOCS, PICTURES
from tests.web.small_png import SIGNATURE, read_pixels, shrink

MOST_KB = 150
PAGES = [DOCS.parent / "README.md", *DOCS.glob("*.md")]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def picture(width: int, rows: list[tuple[int, bytes]]) -> bytes:
    """Write a picture of three bytes a pixel, whose rows are filtered as told."""
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    raw = b"".join(bytes([kind]) + row for kind, row in rows)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def indexed(data: bytes) -> list[bytes]:
    """Read a picture with a palette."""
    palette = data[data.index(b"PLTE") + 4 :]
    (length,) = struct.unpack(">I", data[data.index(b"IDAT") - 4 : data.index(b"IDAT")])
    body = zlib.decompress(data[data.index(b"IDAT") + 4 :][:length])
    (width,) = struct.unpack(">I", data[16:20])
    rows = [body[start + 1 : start + 1 + width] for start in range(0, len(body), width + 1)]
    return [palette[3 * place : 3 * place + 3] for row in rows for place in row]


def test_every_picture_is_taken_by_the_script_and_shown_somewhere() -> None:
    shown = {name for page in PAGES for name in re.findall(r"[(\"/]([\w-]+)\.png", page.read_text(encoding="utf-8"))}

    assert {file.stem for file in DOCS.glob("*.png")} == set(PICTURES)
    assert shown == set(PICTURES)
    assert {file.name for file in DOCS.glob("*.png") if file.stat().st_size > MOST_KB * 1024} == set()


def test_a_picture_of_few_colours_keeps_each_of_them() -> None:
    """By every filter that a row may have: none, left, up, mean, Paeth."""
    first = bytes([10, 20, 30, 200, 100, 50])
    rows = [
        (0, first),
        (1, bytes([5, 6, 7, 1, 1, 1])),
        (2, bytes([1, 2, 3, 4, 5, 6])),
        (3, bytes([9, 8, 7, 6, 5, 4])),
        (4, bytes([3, 3, 3, 2, 2, 2])),
    ]
    data = picture(2, rows)
    width, height, pixels = read_pixels(data)

    assert (width, height) == (2, 5)
    assert pixels == [
        bytes([10, 20, 30]), bytes([200, 100, 50]), bytes([5, 6, 7]), bytes([6, 7, 8]), bytes([6, 8, 10]),
        bytes([10, 12, 14]), bytes([12, 12, 12]), bytes([17, 17, 17]), bytes([15, 15, 15]), bytes([19, 19, 19]),
    ]  # fmt: skip
    assert indexed(shrink(data)) == pixels


def test_a_picture_of_many_colours_gets_the_nearest_ones() -> None:
    rows = [(0, bytes(value for place in range(300) for value in (place % 256, place // 256, line))) for line in (0, 0)]
    before, after = read_pixels(picture(300, rows))[2], indexed(shrink(picture(300, rows)))

    assert len(set(after)) <= 256
    assert (
        max(abs(a - b) for one, other in zip(before, after, strict=True) for a, b in zip(one, other, strict=True)) <= 2
    )


def test_a_picture_of_another_kind_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    with pytest.raises(ValueError, match="16 bits"):
        read_pixels(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IEND", b""))


def test_the_folder_is_that_of_the_documentation() -> None:
    assert (Path(DOCS) / "modules.md").is_file()
