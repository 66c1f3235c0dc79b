"""What the bytes of a file become, and what hostile bytes do not do."""

import json
import time

import pytest

from schema.source import SIZE_LIMIT_BYTES, read
from schema.tree import Map, Seq


def document(text: str) -> Map:
    source = read("site/x.yaml", text.encode())
    assert source.document is not None, source.problems
    return source.document


def refusal(data: bytes) -> str:
    """The first problem of a file that cannot be read: position, code, message."""
    source = read("site/x.yaml", data)
    assert source.document is None
    problem = source.problems[-1]
    return f"{problem.line}:{problem.column} {problem.code}: {problem.message}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("0777", 777),
        ("0o777", 511),
        ("0xff", 255),
        ("-12", -12),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("~", None),
        ("", None),
        ("Null", None),
        ("True", True),
        ("false", False),
        ('"1"', "1"),
        ("'true'", "true"),
        ("{{ config }}", None),
    ],
)
def test_plain_words_are_read_by_the_core_schema(text: str, value: object) -> None:
    if text.startswith("{{"):
        assert refusal(f"a: {text}".encode()).endswith("A list or mapping is used as a key.")
        return
    found = document(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_stay_texts_as_they_are_written() -> None:
    assert list(document("1: a\nno: b\non: c\nnull: d")) == ["1", "no", "on", "null"]


def test_keys_values_and_items_know_where_they_stand() -> None:
    found = document("module:\n  name: queue\nfields:\n  - name: a\n  - {name: b}")
    assert found["module"].mark("name") == (1, 2, 1, 8)
    assert found["fields"].mark(1) == (4, 4, 4, 4)
    assert found["fields"][1].mark("name") == (4, 5, 4, 11)


def test_positions_are_right_behind_every_line_break_and_letter() -> None:
    found = document("a: ä€😀\r\nb: x\u2028c: 1\r\nd: {ü: 1}")
    assert found.mark("b") == (1, 0, 1, 3)
    assert found["d"].mark("ü") == (3, 4, 3, 7)


def test_nested_brackets_are_refused_in_no_time() -> None:
    """A1: 60 kB of them kill libyaml's composer; a file may nest 32 deep."""
    started = time.process_time()
    assert refusal(b"[" * 60_000) == "1:33 too-deep: Values are nested more than 32 deep."
    assert time.process_time() - started < 0.05
    assert refusal(b"a: " + b"{a: " * 60_000).startswith("1:")
    assert refusal(b"- " * 60_000) == "1:65 too-deep: Values are nested more than 32 deep."
    assert document("a: " + "[" * 31 + "]" * 31)["a"] == json.loads("[" * 31 + "]" * 31)


def test_an_alias_may_repeat_a_little_and_no_more() -> None:
    """A2: nine levels of nine aliases are 387 million values."""
    found = document("a: &a [1, 2]\nb: *a")
    assert found["b"] == [1, 2]
    levels = ["l0: &l0 [x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10))]
    assert refusal("\n".join(levels).encode()) == ("5:35 alias: A file may have 50 aliases, for 10000 values in all.")
    assert refusal(b"a: &a [*a]") == "1:8 alias: The alias `*a` points at something that is not there, or not finished."
    assert refusal(b"a: *b") == "1:4 alias: The alias `*b` points at something that is not there, or not finished."


def test_a_key_twice_names_both_places() -> None:
    """A3: YAML libraries keep the last one."""
    source = read("site/x.yaml", b"a: 1\nb: 2\na: 3\na: 4")
    assert [(problem.line, problem.message) for problem in source.problems] == [
        (3, "The key `a` is here twice; it is also in line 1, column 1."),
        (4, "The key `a` is here twice; it is also in line 1, column 1."),
    ]


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [id]", "!!binary aGk=", "!custom x", "!!str 1"])
def test_tags_are_refused_and_make_nothing(tag: str) -> None:
    """A5."""
    source = read("site/x.yaml", f"a: {tag}".encode())
    assert [problem.code for problem in source.problems] == ["tag"]


def test_large_files_and_many_fields_are_refused() -> None:
    """A6."""
    assert refusal(b"a" * 50_000_000) == (
        "1:1 file-too-large: The file has 50000000 bytes; a module file may have 262144."
    )
    many = "module: {name: a}\nfields:\n" + "- {name: a, type: string}\n" * 201
    assert refusal(many.encode()) == "203:3 too-many-fields: The module has more than 200 fields."
    assert refusal(b"a: [" + b"1," * 100_000 + b"]").split()[1] == "too-many-values:"
    assert SIZE_LIMIT_BYTES == 256 * 1024


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: \xff", "1:4 not-utf8: The file is not UTF-8: byte 0xff at offset 3 cannot be read."),
        (b"\xff\xfea\x00", "1:1 not-utf8: The file is not UTF-8: byte 0xff at offset 0 cannot be read."),
        (b"a: b\nc: \x00", "2:4 bad-character: The file holds a NUL character."),
        (b"a: b\rc: d", "1:5 bad-character: The file holds a carriage return without a line feed."),
        (b"a: \x1b[31m", "1:4 bad-character: The file holds the character U+001B."),
        (
            "a: \u202ecod".encode(),
            "1:4 bad-character: The file holds the character U+202E, which changes the direction of text.",
        ),
        ("a: \ufeff".encode(), "1:4 bad-character: The file holds a byte order mark inside the text."),
    ],
)
def test_bytes_that_are_no_plain_text_are_reported(data: bytes, message: str) -> None:
    """A7."""
    assert refusal(data) == message


def test_unseen_characters_cannot_come_in_as_escapes() -> None:
    source = read("site/x.yaml", b'a: "\\e[31m"\nb: "\\u202e"\nc: "line\\n"')
    assert [(problem.line, problem.message) for problem in source.problems] == [
        (1, "The text holds the character U+001B."),
        (2, "The text holds the character U+202E."),
    ]


def test_a_byte_order_mark_at_the_start_is_only_noted() -> None:
    source = read("site/x.yaml", b"\xef\xbb\xbfmodule: {name: a}")
    assert source.name == "a"
    assert [(problem.code, problem.level) for problem in source.problems] == [("byte-order-mark", "info")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1:1 no-module: The file holds nothing; a module file is a mapping that starts with `module:`."),
        (b"# x\n", "1:1 no-module: The file holds nothing; a module file is a mapping that starts with `module:`."),
        (b"- a", "1:1 no-module: The file holds a list; a module file is a mapping that starts with `module:`."),
        (b"a", "1:1 no-module: The file holds a single value; a module file is a mapping that starts with `module:`."),
        (b"a: 1\n---\nb: 2", "2:1 several-documents: The file holds more than one YAML document (`---`)."),
        (b"? [a]\n: b", "1:3 key-not-text: A list or mapping is used as a key."),
        (b"a: &a b\n*a : c", "2:1 key-not-text: An alias is used as a key."),
        (b"a: [1", "2:1 yaml-syntax: The file is not YAML: did not find expected ',' or ']', while parsing a flow sequence in line 1."),
    ],
)  # fmt: skip
def test_what_is_no_module_is_said_clearly(data: bytes, message: str) -> None:
    """A15."""
    assert refusal(data) == message


def test_templates_in_labels_are_plain_text() -> None:
    """A16."""
    assert document('a: "{{ config }} {% raw %} ${x}"')["a"] == "{{ config }} {% raw %} ${x}"


@pytest.mark.parametrize(
    ("text", "name", "role"),
    [
        ("module: {name: queue}", "queue", "module"),
        ("module: {name: queue, replace: true}", "queue", "replace"),
        ("module: {extend: ticket}", "ticket", "extend"),
        ("module: []", "", "module"),
        ("fields: []", "", "module"),
    ],
)
def test_a_source_says_which_module_it_is_about(text: str, name: str, role: str) -> None:
    source = read("site/x.yaml", text.encode())
    assert (source.name, source.role) == (name, role)


def test_the_digest_follows_the_content_alone() -> None:
    assert read("a.yaml", b"a: 1").digest == read("b.yaml", b"a: 1").digest != read("a.yaml", b"a: 2").digest


def test_values_are_plain_python_for_those_who_do_not_care() -> None:
    found = document("a: {b: [1, {c: d}]}")
    assert found == {"a": {"b": [1, {"c": "d"}]}}
    assert isinstance(found["a"]["b"], Seq)
