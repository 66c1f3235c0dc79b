"""The Python client `gql` and its DSL, which is made from the introspected schema."""

from typing import Any

import pytest

from tests.clients.conftest import TICKETS, Client


@pytest.fixture(scope="module")
def gql(python: Client, endpoint: str) -> Any:
    """What the client got for its questions."""
    return python("gql_client.py", endpoint)


def test_gql_builds_a_query_from_the_schema(gql: Any) -> None:
    assert gql["dsl"]["totalCount"] == TICKETS
    assert [sorted(node) for node in gql["dsl"]["nodes"]] == [["id", "title"], ["id", "title"]]


def test_gql_refuses_an_unknown_field_before_it_is_sent(gql: Any) -> None:
    assert gql["unknown"]["by"] == "gql"
    assert gql["unknown"]["message"].startswith("Cannot query field 'tittle' on type 'Ticket'.")


def test_gql_shows_the_code_of_an_error(gql: Any) -> None:
    assert gql["error"]["by"] == "server"
    assert gql["error"]["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_gql_may_ask_over_a_websocket(gql: Any) -> None:
    assert gql["socket"] == {"tickets": {"totalCount": TICKETS}}
