"""What holds for every address: host names, headers, the log line, health, and the small pages."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from schema.problems import Place, Problem
from schema.snapshot import ModuleState, ModuleStatus
from tests.web.toy import SECRET, Toy
from web.edge import SECURITY_HEADERS

MakeToy = Callable[..., Toy]
PATHS = ["/graphql", "/graphiql", "/healthz", "/readyz", "/nothing", "/static/pages/app.css", "/static/nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_the_security_headers(toy: Toy, path: str) -> None:
    answer = await toy.client.get(path)

    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize(
    ("public_url", "told"), [("https://desk.example.org", True), ("http://desk.example.org", False)]
)
async def test_browsers_are_kept_to_https_where_that_is_the_public_address(
    make_toy: MakeToy, public_url: str, told: bool
) -> None:
    answer = await make_toy(public_url=public_url).client.get("/healthz")

    assert answer.headers.get("strict-transport-security") == ("max-age=31536000" if told else None)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "localhost@evil",
        "localhost/path",
        "a b",
        "",
        "localhost:x",
        "[::1",
        "%",
    ],
)
@pytest.mark.parametrize("path", ["/", "/graphql", "/healthz", "/nothing"])
async def test_c6_a_foreign_host_name_is_refused(toy: Toy, host: str, path: str) -> None:
    answer = await toy.client.get(path, headers={"host": host})

    assert answer.status_code == 421
    assert "location" not in answer.headers


async def test_c6_configured_host_names_are_answered(make_toy: MakeToy) -> None:
    toy = make_toy(allowed_hosts=("desk.example.org",), public_url="https://public.example.org")

    for host in (
        "desk.example.org",
        "DESK.example.org:8443",
        "public.example.org",
        "127.0.0.1:9",
        "[::1]:80",
        "localhost",
    ):
        assert (await toy.client.get("/healthz", headers={"host": host})).status_code == 200


async def test_c6_a_probe_may_name_the_address_that_it_came_to(toy: Toy) -> None:
    by_address = httpx.AsyncClient(transport=httpx.ASGITransport(toy.app), base_url="http://10.1.2.3:8000")
    by_name = httpx.AsyncClient(transport=httpx.ASGITransport(toy.app), base_url="http://evil.example")

    assert (await by_address.get("/readyz")).status_code == 200
    assert (await by_address.get("/readyz", headers={"host": "10.1.2.4:8000"})).status_code == 421
    assert (await by_name.get("/readyz")).status_code == 421


async def test_c13_no_other_site_is_given_leave(toy: Toy) -> None:
    for origin in ("null", "https://evil.example", "http://localhost:8000"):
        asked = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        }
        preflight = await toy.client.options("/graphql", headers=asked)
        answer = await toy.client.post("/graphql", json={"query": "{queue{id}}"}, headers={"origin": origin})

        assert preflight.status_code == 403
        assert not [name for name in (*preflight.headers, *answer.headers) if name.startswith("access-control-")]


async def test_c6_no_address_is_built_from_the_host_header(toy: Toy) -> None:
    for path in ("/graphql/", "/static", "/graphiql/"):
        answer = await toy.client.get(path, follow_redirects=False)
        assert answer.status_code == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/%00", "/static/..%5capp.py"])
async def test_no_file_outside_the_folder_is_served(toy: Toy, path: str) -> None:
    request = httpx.Request("GET", f"http://localhost:8000{path}")

    assert (await httpx.ASGITransport(toy.app).handle_async_request(request)).status_code == 404


async def test_a_request_is_one_log_line_without_values(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "lambdesk.access"):
        answer = await toy.ask(
            "query Find($t: String) { echo(text: $t) }", operationName="Find", variables={"t": SECRET}
        )

    (record,) = caplog.records
    fields: dict[str, Any] = record.fields  # type: ignore[attr-defined] # put there with `extra`
    assert fields.pop("ms") > 0
    assert fields == {
        "request_id": answer.headers["x-request-id"],
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "caller": "agent:1",
        "operation": "Find",
    }


async def test_a_refusal_is_logged_with_its_code(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "lambdesk.access"):
        await toy.ask("{nope}")

    assert caplog.records[0].fields["code"] == "GRAPHQL_VALIDATION_FAILED"  # type: ignore[attr-defined] # the same


async def test_ready_says_what_is_missing(toy: Toy) -> None:
    assert (await toy.client.get("/readyz")).json() == {"status": "ok", "reasons": [], "degraded": []}

    toy.registry.is_loaded = False
    toy.database.is_away = True
    answer = await toy.client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "reasons": [
            {"what": "modules", "message": "The modules are not loaded yet."},
            {"what": "database", "message": "The database is not available."},
        ],
        "degraded": [],
    }
    assert (await toy.client.get("/healthz")).status_code == 200


async def test_j1_without_modules_an_operation_is_unavailable(toy: Toy) -> None:
    toy.registry.is_loaded = False

    answer = await toy.ask("{queue{id}}")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_broken_module_degrades_but_serves(toy: Toy) -> None:
    problem = Problem("yaml", "The file ends too early.", Place("site/asset.yaml", 3, 1))
    await toy.registry.publish(
        "v2", status=(ModuleStatus("asset", ModuleState.STALE, "a1", ("site/asset.yaml",), (problem,)),)
    )

    answer = await toy.client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["degraded"] == [
        {"what": "module asset", "state": "STALE", "message": "The file ends too early."}
    ]
    modules = await toy.data("{modules{name version state files problems{code level message file line column hint}}}")
    assert modules["modules"] == [
        {
            "name": "asset", "version": "a1", "state": "STALE", "files": ["site/asset.yaml"],
            "problems": [
                {"code": "yaml", "level": "ERROR", "message": "The file ends too early.", "file": "site/asset.yaml",
                 "line": 3, "column": 1, "hint": None}
            ],
        }
    ]  # fmt: skip


async def test_graphiql_needs_nothing_from_elsewhere(toy: Toy) -> None:
    page = await toy.client.get("/graphiql")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.text
    assert " style=" not in page.text
    links = [part.split('"')[0] for word in ('src="', 'href="') for part in page.text.split(word)[1:]]
    for link in links:
        assert link.startswith(("/", "data:,"))
        if link.startswith("/static/"):
            assert (await toy.client.get(link)).status_code == 200


async def test_a_static_file_is_asked_for_once(toy: Toy) -> None:
    first = await toy.client.get("/static/graphiql/graphiql.min.js")
    again = await toy.client.get("/static/graphiql/graphiql.min.js", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


def test_vendored_files_are_what_the_list_says() -> None:
    static = Path(__file__).parent.parent.parent / "web" / "static"
    told = (static / "THIRD_PARTY.md").read_text(encoding="utf-8")

    for file in static.rglob("*.min.*"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in told


async def test_the_home_page_links_what_there_is(toy: Toy) -> None:
    page = (await toy.client.get("/")).text

    for link in ("/graphiql", "/schema.graphql", "/schema/module.json", "/lambda.d.ts", "/readyz"):
        assert f'href="{link}"' in page


async def test_editors_get_the_types_of_what_lambdas_see(toy: Toy) -> None:
    declared = Path(__file__).parent.parent.parent / "lambdas" / "lambda.d.ts"

    served = await toy.client.get("/lambda.d.ts")

    assert (served.status_code, served.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert served.content == declared.read_bytes()
    assert (await toy.client.get("/lambda.d.ts", headers={"if-none-match": served.headers["etag"]})).status_code == 304
