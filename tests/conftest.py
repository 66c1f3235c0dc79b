"""What every test runs under: which tests come last, and how many examples a generated test tries."""

from pathlib import Path

import hypothesis
import pytest

from storage.engine import Database
from tests.counts import SOAK, count
from tests.databases import DIALECTS

TESTS = Path(__file__).parent
PATIENCE_S = 20.0
# A database has two seconds for a statement because a person waits; a test that says no limit of its own waits for a machine
# that does several things at once.
assert Database.__init__.__kwdefaults__ is not None
Database.__init__.__kwdefaults__ |= dict.fromkeys(("statement_timeout_s", "acquire_timeout_s"), PATIENCE_S)
# Slowest last, so that a mistake in a name shows in seconds.
SLOW = ("writes", "storage", "web", "proofs", "clients", "test_container.py")

# A test that is marked as timed measures the machine, too, which stands still for a second now and then. What is slow is
# slow three times; the summary counts what was asked again.
AGAIN = pytest.mark.flaky(reruns=2, reruns_delay=1)

hypothesis.settings.register_profile(
    "house",
    deadline=None,  # the machine is shared; time is measured in bench/
    max_examples=count(50, 2_000),
    derandomize=not SOAK,  # the suite says the same thing twice; the soak looks for what is new
    database=None,
)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timed"):
            item.add_marker(AGAIN)
    items.sort(key=lambda item: (slowness(item.path), asks_a_database(item), str(item.path)))


def slowness(path: Path) -> int:
    room = path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else ""
    return SLOW.index(room) + 1 if room in SLOW else 0


def asks_a_database(item: pytest.Item) -> bool:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return any(isinstance(value, str) and value in DIALECTS for value in params.values())
