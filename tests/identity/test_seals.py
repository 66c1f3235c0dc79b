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


@pytest.mark.parametrize("place", [0, 20, 40, -3])
def test_a_sealed_secret_that_was_changed_is_refused(place: int) -> None:
    body = list(seal("hunter2", KEY).removeprefix(PREFIX))
    body[place] = "A" if body[place] != "A" else "B"

    with pytest.raises(SealBroken):
        unseal(PREFIX + "".join(body), KEY)


def test_another_server_cannot_open_it() -> None:
    with pytest.raises(SealBroken):
        unseal(seal("hunter2", KEY), KEY + b"!")
