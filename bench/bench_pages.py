"""The list of tickets as a page: what it takes over 8 connections, beside the operation that it asks, and what goes over the wire.

It is measured once the new server has read the texts of its tickets into the full-text index, which takes it some seconds.
The bare operation is sent to `/graphql` in turn with the page, so that both meet the same machine.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median

from bench.load import alternate, ask, press, write_request
from bench.run import Figure
from bench.server import PASSWORD, Server, running, wait_for_index
from identity.first_agent import LOGIN
from web.pages.assets import STATIC

CONNECTIONS = 8
PAGE = "/modules/ticket?size=50"
OPERATION = """{
  tickets(first: 50, orderBy: [{createdAt: DESC}]) {
    nodes {
      id number title queue { id name } state { id name } priority { id name } owner { id login } customer { id name }
    }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def run(quick: bool) -> dict[str, Figure]:
    """Serve the demo data on SQLite and fetch the page."""
    seconds = 2.0 if quick else 15.0
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), {"DEMO": "1", "MODULES_DIR": _modules()}) as server,
    ):
        wait_for_index(Path(folder))
        return _measure(server, seconds)


def _measure(server: Server, seconds: float) -> dict[str, Figure]:
    cookie = sign_in(server)
    page = _get(server.port, PAGE, cookie, "identity")
    operation = write_request(server.port, json.dumps({"query": OPERATION}).encode(), {"Authorization": server.bearer})
    for question in (page, operation):
        press(server.port, question, 1, 1.0)
    of_page, of_operation = alternate([(server.port, page), (server.port, operation)], seconds)
    load = press(server.port, page, CONNECTIONS, seconds)
    packed = ask(server.port, _get(server.port, PAGE, cookie, "gzip"))
    assets = sum(len(gzip.compress(path.read_bytes(), 9)) for path in (STATIC / "pages").iterdir())
    return {
        "list of 50, p50": {"value": 1000 * load.percentile(0.5), "unit": "ms"},
        "list of 50, p95": {"value": 1000 * load.percentile(0.95), "unit": "ms"},
        "list of 50, rate": {"value": load.rate, "unit": "pages/s"},
        "its operation alone": {"value": 1000 * median(of_operation), "unit": "ms"},
        "the page alone": {
            "value": 1000 * median(of_page), "unit": "ms",
            "ratio": median(of_page) / median(of_operation), "ratio_to": "its operation alone",
        },
        "the page compressed": {"value": len(packed) / 1000, "unit": "kB"},
        "scripts and styles compressed": {"value": assets / 1000, "unit": "kB"},
    }  # fmt: skip


def sign_in(server: Server) -> str:
    """Sign in as a browser does, and return what it sends as `Cookie`."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = opener.open(f"{server.url}/login", timeout=20).read().decode()
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    given = {**fields, "login": LOGIN, "password": PASSWORD, "kind": "agent"}
    body, origin = urllib.parse.urlencode(given).encode(), {"Origin": server.url}
    request = urllib.request.Request(f"{server.url}/login", body, origin)  # noqa: S310 - the address is ours
    opener.open(request, timeout=20).read()
    return "; ".join(f"{item.name}={item.value}" for item in jar)


def _get(port: int, path: str, cookie: str, encoding: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {cookie}", f"Accept-Encoding: {encoding}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _modules() -> str:
    return str(Path(__file__).parent.parent / "modules")
