"""What a file is, told by its first bytes: what a client says of it is never believed."""

from __future__ import annotations

import re
from collections.abc import Mapping

ANY_BYTES = "application/octet-stream"

# Where the bytes stand, what they are, and what they mean. The first that fits counts.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\1\0", "image/vnd.microsoft.icon"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
)
# RIFF files say what they are only after their length.
_RIFF = frozenset({"image/webp", "audio/wav", "video/x-msvideo"})
_ZIP = b"PK\x03\x04"
# What is a zip and more, by what its first entries are called; OpenDocument says it in plain text.
_ZIPPED: tuple[tuple[bytes, str], ...] = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
)
_OPEN_DOCUMENT = re.compile(rb"mimetype(application/(?:vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip))")
# A page begins with one of these, or has one of those anywhere.
_HTML = re.compile(
    rb"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|iframe|style|meta|title|h1|div|font|table|p|a|br|b|img)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_SCRIPT = re.compile(rb"<(?:!doctype\s+html|html|script)[\s>]", re.IGNORECASE)
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_MAIL = re.compile(rb"(?:received|return-path|from|message-id|mime-version|delivered-to):[ \t]", re.IGNORECASE)
# Kinds of plain text, of which the bytes say nothing and the name nothing dangerous.
_TEXTS: Mapping[str, str] = {
    "csv": "text/csv",
    "ics": "text/calendar",
    "json": "application/json",
    "md": "text/markdown",
    "vcf": "text/vcard",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")


def sniff(head: bytes, name: str = "") -> str:
    """Return the content type of a file that begins with these bytes; `name` tells kinds of plain text apart."""
    if head.startswith(_ZIP):
        return _zipped(head)
    for place, magic, kind in _MAGIC:
        if head.startswith(magic, place) and (kind not in _RIFF or head.startswith(b"RIFF")):
            return kind
    return _text(head, name) if _is_text(head) else ANY_BYTES


def _zipped(head: bytes) -> str:
    found = _OPEN_DOCUMENT.search(head, 0, 200)
    if found:
        return found[1].decode()
    return next((kind for entry, kind in _ZIPPED if entry in head), "application/zip")


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or error.reason != "unexpected end of data":  # a letter may be cut at the end
            return False
    return _CONTROLS.isdisjoint(head)


def _text(head: bytes, name: str) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _MAIL.match(start):
        return "message/rfc822"
    if start.startswith((b"<?xml", b"<svg")):
        return "image/svg+xml" if _SVG.search(start) else "application/xml"
    if _HTML.match(start) or _SCRIPT.search(start):
        return "text/html"
    return _TEXTS.get(name.rpartition(".")[2].lower(), "text/plain")
