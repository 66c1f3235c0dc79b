"""Apollo Client: what comes back fills its cache, and its protocols are understood."""

from typing import Any

import pytest

from bench.server import Server
from tests.clients.conftest import Client


@pytest.fixture(scope="module")
def apollo(node: Client, server: Server) -> Any:
    """What Apollo's cache holds after two pages, and what it sent for a persisted query."""
    return node("apollo.mjs", server.url)


def test_apollo_merges_two_pages_of_a_list(apollo: Any) -> None:
    assert apollo["first"] == 5
    assert len(set(apollo["ids"])) == 10


def test_apollo_keeps_every_row_once_by_type_and_id(apollo: Any) -> None:
    assert apollo["ticketRecords"] == 10
    assert apollo["queueReference"] == f"Queue:{apollo['queueId']}"
    assert apollo["queueName"]


def test_apollo_matches_a_fragment_of_a_node_by_its_type(apollo: Any) -> None:
    assert apollo["nodeTitle"] == apollo["listTitle"]
    assert apollo["numberFromCache"] == apollo["nodeNumber"]


def test_apollo_sends_a_document_once_and_its_hash_afterwards(apollo: Any) -> None:
    asked_by_hash = {"hasQuery": False, "hash": True}

    assert apollo["persisted"] == [asked_by_hash, {"hasQuery": True, "hash": True}, asked_by_hash]
    assert apollo["same"] is True
