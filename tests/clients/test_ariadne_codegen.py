"""ariadne-codegen: a typed Python client made from our schema, and used."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import CLIENTS, ENVIRONMENT, Client

CONFIG = """\
[tool.ariadne-codegen]
remote_schema_url = "{endpoint}"
remote_schema_headers = {{authorization = "$AUTHORIZATION"}}
remote_schema_timeout = 60
queries_path = "operations.graphql"
target_package_name = "desk_client"
target_package_path = "{folder}"

[tool.ariadne-codegen.scalars.DateTime]
type = "datetime.datetime"
"""


@pytest.fixture(scope="module")
def ariadne(python: Client, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Generate the package and run a program that uses it."""
    folder: Path = tmp_path_factory.mktemp("ariadne")
    shutil.copy(CLIENTS / "ariadne" / "operations.graphql", folder)
    (folder / "pyproject.toml").write_text(CONFIG.format(endpoint=endpoint, folder=folder), encoding="utf-8")
    made = subprocess.run(
        [ENVIRONMENT / "bin" / "ariadne-codegen"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return python("ariadne_client.py", endpoint, str(folder))


def test_the_generated_client_walks_pages_of_a_filtered_list(ariadne: Any) -> None:
    assert ariadne["type"] == "TicketPage"
    assert len(set(ariadne["ids"])) == 6


def test_the_generated_client_reads_enums_and_rows_as_types(ariadne: Any) -> None:
    assert (ariadne["enum"], ariadne["validity"]) == ("Validity", ["VALID"] * 3)
    assert (ariadne["row"], ariadne["sameTitle"]) == ("Ticket", True)
