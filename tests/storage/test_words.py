"""What a word is, the same for all three databases."""

import pytest

from storage.words import TEXT_LIMIT_CHARS, WORD_LIMIT, question, split, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Printer's broken; 2nd time!", ["printer", "s", "broken", "2nd", "time"]),
        ("ÄÖÜ İstanbul ΛΌΓΟΣ", ["äöü", "istanbul", "λόγοσ"]),
        ("e\u0301t\u00e9", ["été"]),
        ("東京 abc漢字", ["東", "京", "abc", "漢", "字"]),
        ("under_score", ["under", "score"]),
        ("\x00a\ud800b", ["a", "b"]),
        ("***", []),
    ],
)
def test_words_are_letters_and_digits_in_any_case(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_of_a_long_word_the_beginning_counts() -> None:
    assert split("a" * 500) == ["a" * WORD_LIMIT]
    assert split("ж" * 500) == ["ж" * (WORD_LIMIT // 4)]


def test_every_word_is_kept_once() -> None:
    assert words_of(["b a", "A c"], "postgresql") == "a b c"
    assert words_of(["b a", "A c"], "sqlite") == "  a  b  c  "
    assert words_of(["b a", "A c"], "mysql") == "zza zzb zzc"
    assert words_of(["...", ""], "sqlite") == ""


def test_mariadb_is_told_other_letters_in_ascii_with_beginnings_kept() -> None:
    whole, beginning = words_of(["größe"], "mysql"), words_of(["grö"], "mysql")
    assert whole.isascii()
    assert whole.startswith(beginning)


def test_of_a_very_long_text_the_beginning_counts() -> None:
    long = "x " * (TEXT_LIMIT_CHARS // 2)
    assert words_of([long + "end"], "postgresql") == "x"
    assert words_of([long, "end"], "postgresql") == "x"
    assert words_of([long[:-10], "end"], "postgresql") == "end x"


def test_long_words_are_asked_for_by_their_beginnings_and_short_ones_whole() -> None:
    assert question(["prin", "a"], "sqlite") == '"  prin" AND "  a  "'
    assert question(["prin", "a"], "mysql") == "+zzprin* +zza"
    assert question(["prin", "a"], "postgresql") == "'prin':* & 'a'"
