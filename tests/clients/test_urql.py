"""urql's graphcache, which checks every selection against the introspected schema; and its subscriptions."""

from pathlib import Path
from typing import Any

import pytest

from bench.server import Server
from tests.clients.conftest import Client


@pytest.fixture(scope="module")
def urql(node: Client, server: Server, site: Path) -> Any:
    """What graphcache gave after two pages and a wider query, and what the subscription said."""
    return node("urql.mjs", server.url, str(site))


def test_graphcache_merges_two_pages_of_a_list(urql: Any) -> None:
    assert len(set(urql["merged"])) == 10


def test_graphcache_answers_in_part_from_what_it_has_because_it_knows_what_may_be_null(urql: Any) -> None:
    partly, whole = urql["seen"][0], urql["seen"][-1]

    assert partly == {"stale": True, "error": None, "logins": [None] * 10}
    assert whole["stale"] is False
    assert any(whole["logins"])


def test_graphcache_finds_nothing_to_warn_about(urql: Any) -> None:
    assert urql["warnings"] == []


def test_a_subscriber_hears_that_a_module_was_added(urql: Any) -> None:
    assert urql["changed"][-1]["schemaChanged"]["version"]
