"""Secrets at rest: nobody opens, changes or moves them to another server without its key."""

import pytest

from identity.seals import PREFIX, SealBroken, seal, unseal

KEY = b"a key of a test's server, of 32 bytes or more"


def test_a_sealed_secret_shows_nothing_and_is_never_sealed_alike() -> None:
    first, second = seal("hunter2", KEY), seal("hunter2", KEY)

    assert first.startswith(PREFIX)
    assert "hunter2" not in first
    assert first != second
    assert unseal(first, KEY) == unseal(second, KEY) == "hunter2"


@pytest.mark.parametrize("letter", ["A", "B", "g", "=", "-", "é"])
def test_a_sealed_secret_that_was_changed_is_refused(letter: str) -> None:
    """Wherever it was changed, and where the last letter has bits that say nothing, too."""
    body = seal("hunter2", KEY).removeprefix(PREFIX)
    for place, there in enumerate(body):
        if there != letter:
            with pytest.raises(SealBroken):
                unseal(PREFIX + body[:place] + letter + body[place + 1 :], KEY)


def test_another_server_cannot_open_it() -> None:
    with pytest.raises(SealBroken):
        unseal(seal("hunter2", KEY), KEY + b"!")
