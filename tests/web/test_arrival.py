"""Headers of a request that are looked up by name."""

import pytest

from web.arrival import NamedHeaders

HEADERS = NamedHeaders(
    {
        "headers": [
            (b"accept", b"a/b"),
            (b"cookie", b"one=1"),
            (b"cookie", b"two=2"),
            (b"x-name", "Zoë".encode("latin-1")),
        ]
    }
)


@pytest.mark.parametrize("name", ["accept", "Accept", "ACCEPT"])
def test_a_header_is_found_in_any_case(name: str) -> None:
    assert HEADERS[name] == HEADERS.get(name) == "a/b"
    assert name in HEADERS


def test_of_several_with_one_name_the_first_counts_and_all_can_be_listed() -> None:
    assert HEADERS["cookie"] == "one=1"
    assert HEADERS.getlist("Cookie") == ["one=1", "two=2"]


def test_what_is_not_there_is_missing() -> None:
    assert "host" not in HEADERS
    assert HEADERS.get("host") is None
    assert HEADERS.get("host", "") == ""
    with pytest.raises(KeyError):
        HEADERS["host"]


def test_values_are_latin_letters() -> None:
    assert HEADERS["x-name"] == "Zoë"
