"""GraphQL over HTTP, judged by the audits of the reference implementation."""

from tests.clients.conftest import Client


def test_the_server_passes_all_61_audits_of_graphql_http(node: Client, endpoint: str) -> None:
    audits = node("audits.mjs", endpoint)

    assert [f"{audit['id']} {audit['name']}: {audit['reason']}" for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
