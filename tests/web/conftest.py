from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.web.chromium import chromium
from tests.web.toy import Toy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser, one for the tests of a file."""
    with chromium() as found:
        yield found


@pytest.fixture
def toy() -> Toy:
    """The small world with the usual settings."""
    return Toy()


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    """Make the small world with other settings."""

    def make(**changed: Any) -> Toy:
        return Toy(**changed)

    return make
