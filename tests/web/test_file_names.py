"""What becomes of names that clients say, and what types their files have."""

import pytest

from web.file_names import NAME_LIMIT, clean_name, disposition_of, said_name
from web.sniff import sniff

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("Bericht für Ärzte.pdf", "Bericht für Ärzte.pdf"),
        ("A\u0308rzte.pdf", "Ärzte.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.doc", "plan.doc"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"),
        ("a\0b\x1b[31m.txt", "ab[31m.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u2066a\u2069\u200f.txt", "a.txt"),
        ("a\ud800.txt", "a.txt"),
        ("  .  ", "unnamed"),
        ("..", "unnamed"),
        ("/", "unnamed"),
        ("", "unnamed"),
        ("folder/", "folder"),
        (".profile", ".profile"),
        ("🦊.txt", "🦊.txt"),
    ],
)  # fmt: skip
def test_a_name_loses_folders_controls_and_what_turns_its_direction(said: str, kept: str) -> None:
    assert clean_name(said) == kept


def test_a_long_name_keeps_its_extension() -> None:
    assert clean_name("ä" * 400 + ".pdf") == "ä" * (NAME_LIMIT - 4) + ".pdf"
    assert clean_name("a." + "b" * 400) == ("a." + "b" * 400)[:NAME_LIMIT]
    assert len(clean_name("." + "b" * 400)) == NAME_LIMIT


@pytest.mark.parametrize(
    ("query", "header", "said"),
    [
        ({"name": "a.txt"}, 'attachment; filename="b.txt"', "a.txt"),
        ({}, 'attachment; filename="b.txt"', "b.txt"),
        ({}, "attachment; filename=b.txt", "b.txt"),
        ({}, "attachment; filename=\"b.txt\"; filename*=UTF-8''%C3%A4%20b.txt", "ä b.txt"),
        ({}, "attachment; filename*=utf-8'de'%C3%A4.txt", "ä.txt"),
        ({}, 'attachment; filename="a\\"b.txt"', 'a"b.txt'),
        ({}, 'attachment; filename="' + "ä.txt".encode().decode("latin-1") + '"', "ä.txt"),
        ({}, "attachment", ""),
        ({}, "attachment; filename*=UTF-8''%ff", "\ufffd"),
    ],
)  # fmt: skip
def test_a_request_says_the_name_in_its_address_or_its_header(query: dict[str, str], header: str, said: str) -> None:
    assert said_name(query, {"content-disposition": header}) == said


@pytest.mark.parametrize("name", ["a.txt", 'a"; filename="evil.html', "ä\\%.txt", "a'b;c.txt", "🦊"])
def test_a_name_goes_out_in_a_header_that_it_cannot_leave(name: str) -> None:
    header = disposition_of(name)

    assert header.isascii()
    assert header.count('"') == 2
    assert said_name({}, {"content-disposition": header}) == name


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (PNG, "page.html", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "image/webp"),
        (b"ABCD\0\0\0\0WEBPVP8 ", "", "application/octet-stream"),
        (b"%PDF-1.7\n", "", "application/pdf"),
        (b"PK\x03\x04\x14\0 [Content_Types].xml word/document.xml", "", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.textPK", "", "application/vnd.oasis.opendocument.text"),
        (b"PK\x03\x04\x14\0 a.txt", "", "application/zip"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "innocent.png", "text/html"),
        (b"  \n<!-- x --> <html>", "a.txt", "text/html"),
        (b"harmless <script>alert(1)</script>", "a.csv", "text/html"),
        (b"<svg onload='alert(1)'>", "a.png", "image/svg+xml"),
        (b"<?xml version='1.0'?><svg/>", "a.xml", "application/xml"),
        (b"<?xml version='1.0'?><svg xmlns='x'>", "a.xml", "image/svg+xml"),
        (b"<?xml version='1.0'?><order/>", "a.xml", "application/xml"),
        (b"From: ada@example.org\r\nSubject: <html>\r\n", "a.eml", "message/rfc822"),
        (b"a,b\n1,2\n", "rows.csv", "text/csv"),
        (b"a,b\n1,2\n", "rows.exe", "text/plain"),
        ("Grüße".encode(), "", "text/plain"),
        ("Grüße".encode()[:4], "", "text/plain"),
        (b"Gr\xfc\xdfe und mehr", "", "application/octet-stream"),
        (b"a\0b", "a.txt", "application/octet-stream"),
        (b"", "a.txt", "text/plain"),
        (b"MZ\x90", "a.txt", "application/x-msdownload"),
    ],
)  # fmt: skip
def test_the_type_of_a_file_is_told_by_its_bytes(head: bytes, name: str, kind: str) -> None:
    assert sniff(head, name) == kind
