"""Relay: its compiler accepts the schema, and its store holds what comes back."""

from pathlib import Path
from typing import Any

import pytest

from bench.server import Server
from tests.clients.conftest import Client


@pytest.fixture(scope="module")
def relay(node: Client, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the compiled queries read from the store after two pages and a refetch."""
    folder: Path = tmp_path_factory.mktemp("relay")
    return node("relay.mjs", server.url, str(folder))


def test_relay_joins_two_pages_into_one_connection(relay: Any) -> None:
    assert relay["first"] == 5
    assert relay["hasNextPage"] is True
    assert len(set(relay["ids"])) == 10
    assert relay["isMissingData"] is False


def test_relay_keeps_every_row_under_its_global_id(relay: Any) -> None:
    assert relay["recordType"] == "Ticket"
    assert relay["queueRecord"] == relay["queueName"]


def test_relay_fetches_one_row_again_through_node(relay: Any) -> None:
    assert relay["refetched"] == relay["ids"][0]
    assert relay["refetchedNumber"] == relay["listedNumber"]
    assert relay["articles"] == 1
