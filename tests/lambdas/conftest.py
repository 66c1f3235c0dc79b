import os
import time
from collections.abc import Iterator

import pytest

from tests.lambdas.inside import Inside


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    """An isolate in this process; for code that means no harm."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    made = Inside()
    yield made
    made.close()
