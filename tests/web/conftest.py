from collections.abc import Callable
from typing import Any

import pytest

from tests.web.toy import Toy


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
