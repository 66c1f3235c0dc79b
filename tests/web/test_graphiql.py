"""GraphiQL in a real browser, wherever there is one: it starts under the policy, knows the schema, and complains of nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.server import TOY, running

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_graphiql_starts_under_the_strict_policy(tmp_path: Path) -> None:
    with running(TOY, tmp_path) as server:
        done = subprocess.run(
            [
                str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}/profile",
                "--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom", f"{server.url}/graphiql",
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip

    assert 'class="graphiql-container"' in done.stdout
    assert "NewestTickets" in done.stdout
    # `tickets` is no field of the small world: that GraphiQL marks it says that the schema arrived.
    assert "CodeMirror-lint-mark" in done.stdout
    assert "CONSOLE" not in done.stderr
