"""GraphiQL in a real browser, wherever there is one: it starts under the policy, knows the schema, and complains of nothing.

A browser that is told what to do by its command line cannot sign in, so somebody between it and the server adds the cookie.
"""

import contextlib
import http.client
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.web.server import TOY, Server, running
from tests.web.toy import TOKEN

DROPPED = {"connection", "transfer-encoding", "content-length", "keep-alive"}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Between(BaseHTTPRequestHandler):
    """Passes requests on with the cookie of a session, and answers back as they come."""

    protocol_version = "HTTP/1.0"
    port = 0

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def _pass_on(self, body: bytes) -> None:
        # The server is stopped while the page still listens for changes of the schema.
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection,
        ):
            self._exchange(connection, body)

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
        connection.request(self.command, self.path, body or None, {**headers, "Cookie": f"lambdesk={TOKEN}"})
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.end_headers()
        while part := answer.read1(65_536):
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def signed_in(server: Server) -> Iterator[str]:
    """Stand between a browser and a server; the address is for the browser."""
    handler = type("Handler", (Between,), {"port": server.port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as between:
        between.daemon_threads = True
        threading.Thread(target=between.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{between.server_port}"
        between.shutdown()


def test_the_page_may_ask_with_the_cookie_and_the_token_that_it_holds(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server, signed_in(server) as url:
        page = httpx.get(f"{url}/graphiql").text
        token = re.search(r'<meta name="csrf-token" content="(\w+)">', page)
        assert token is not None
        script = httpx.get(f"{url}/static/graphiql/page.js").text
        asked = {"json": {"query": "{queue{name}}"}, "headers": {"origin": url}}
        alone = httpx.post(f"{url}/graphql", **asked)  # type: ignore[arg-type] # of httpx
        asked["headers"]["x-csrf-token"] = token[1]
        answer = httpx.post(f"{url}/graphql", **asked)  # type: ignore[arg-type] # the same

    assert '"x-csrf-token": document.querySelector("meta[name=csrf-token]").content' in script
    assert alone.status_code == 403
    assert answer.json() == {"data": {"queue": {"name": "Raw"}}}


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_graphiql_starts_under_the_strict_policy(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server, signed_in(server) as url:
        done = subprocess.run(
            [
                str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}/profile",
                "--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom", f"{url}/graphiql",
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip

    assert 'class="graphiql-container"' in done.stdout
    assert "Welcome" in done.stdout
    assert "CONSOLE" not in done.stderr
