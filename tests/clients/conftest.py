"""A running Lambdesk with demo data, and the two ways to run somebody else's client against it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from bench.server import Server, running

HOUSE = Path(__file__).parents[2]
CLIENTS = HOUSE / "tests" / "clients"
ENVIRONMENT = HOUSE / ".venv-clients"
NODE = ENVIRONMENT / "node" / "bin" / "node"
CLIENT_LIMIT_S = 120.0
AUTHORIZATION = "AUTHORIZATION"
TICKETS = 2001  # those of the demo data, and the one that every new database begins with


class Client(Protocol):
    """Runs a client's script with arguments in its own process and returns what it printed, as JSON."""

    def __call__(self, script: str, *arguments: str) -> Any: ...


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's folder of modules, empty at first."""
    folder = tmp_path_factory.mktemp("served") / "site"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[Server]:
    """One server for all clients: demo data on SQLite, the shipped modules and the operator's folder."""
    settings = {
        "DATABASE_URL": f"sqlite:///{site.parent / 'lambdesk.db'}",
        "MODULES_DIR": f"{HOUSE / 'modules'}:{site}",
        "VAR_DIR": str(site.parent / "var"),
        "DEMO": "1",
    }
    with running(site.parent, settings) as started:
        yield started


@pytest.fixture(scope="session")
def endpoint(server: Server) -> str:
    """The address of the API."""
    return f"{server.url}/graphql"


@pytest.fixture(scope="session", autouse=True)
def signed_in(server: Server) -> Iterator[None]:
    """Let every client find in its environment what it has to send as `Authorization`."""
    os.environ[AUTHORIZATION] = server.bearer
    yield
    del os.environ[AUTHORIZATION]


@pytest.fixture(scope="session")
def node() -> Client:
    """Run one of the JavaScript clients beside this file."""
    return lambda script, *arguments: answer([str(NODE), str(CLIENTS / script), *arguments])


@pytest.fixture(scope="session")
def python() -> Client:
    """Run one of the Python clients beside this file, in their own environment."""
    return lambda script, *arguments: answer([str(ENVIRONMENT / "bin" / "python"), str(CLIENTS / script), *arguments])


def answer(command: list[str]) -> Any:
    """Read what a client printed; a client that fails fails the test with all that it said."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=CLIENT_LIMIT_S,
        stdin=subprocess.DEVNULL,
        cwd=CLIENTS,
        env={name: value for name, value in os.environ.items() if not name.startswith("LAMBDESK_")},
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout)
