"""The documentation is true: every file in it loads, every query answers, every command exists, every name is explained."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from bench.server import PASSWORD, Server, running
from lambdas.errors import FailureCode
from resolvers.faults import FaultCode
from schema.kinds import ALIASES, KINDS
from schema.problem_codes import CODES
from web.errors import Code
from web.settings import settings_table

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "docs/api.md",
    "docs/modules.md",
    "docs/lambdas.md",
    "docs/administration.md",
    "docs/rights.md",
)
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LIVE_LIMIT_S = 5.0


@dataclass(frozen=True)
class Example:
    page: str
    line: int
    language: str
    info: str
    text: str


def examples(*pages: str) -> list[Example]:
    found = []
    for page in pages:
        text = (ROOT / page).read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Example(page, line, match[1], match[2].strip(), match[3]))
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "site").mkdir()
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/lambdesk.db",
        "MODULES_DIR": f"{ROOT / 'modules'}:{folder / 'site'}",
        "DEMO": "1",
        "LAMBDA_SQL": "1",
    }
    with running(folder, settings) as started:
        yield started, folder / "site"


def ask(server: Server, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{server.url}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json", "authorization": server.bearer},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        result: dict[str, Any] = json.load(answer)
    return result


def wait_until_live(server: Server, name: str) -> None:
    """Wait until the module's newest file serves without a problem."""
    query = "{ modules { name state files problems { message level } } }"
    until = time.monotonic() + LIVE_LIMIT_S
    status: dict[str, Any] | None = None
    while time.monotonic() < until:
        modules = ask(server, query)["data"]["modules"]
        status = next(
            (item for item in modules if any(file.endswith(f"site/{name}.yaml") for file in item["files"])), None
        )
        if status and status["state"] == "LIVE":
            assert status["problems"] == [], status
            return
        time.sleep(0.02)
    raise AssertionError(f"site/{name}.yaml did not go live: {status}")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_loads_and_every_query_answers_in_the_order_of_the_page(
    page: str, server: tuple[Server, Path]
) -> None:
    started, site = server
    ran = 0
    answer: dict[str, Any] = {}
    for example in examples(page):
        where = f"{example.page}:{example.line}"
        if example.language == "yaml":
            name = re.match(r"# site/(\w+)\.yaml\n", example.text)
            assert name, f"{where}: a YAML example begins with the file that it is"
            (site / f"{name[1]}.yaml").write_text(example.text)
            wait_until_live(started, name[1])
        elif example.language == "graphql" and example.info not in {"subscription", "mutation"}:
            assert "errors" not in (answer := ask(started, example.text)), f"{where}: {answer}"
            if example.text.startswith("mutation"):
                assert ('"code"' in json.dumps(answer)) == (example.info == "refused"), f"{where}: {answer}"
            ran += 1
        elif example.language == "json" and "data" in (shown := json.loads(example.text)):
            assert shown["data"] == answer["data"], where
    assert ran or page == "docs/administration.md"


def test_every_document_fits_the_schema(server: tuple[Server, Path]) -> None:
    started, _ = server
    request = urllib.request.Request(f"{started.url}/schema.graphql", headers={"authorization": started.bearer})
    with urllib.request.urlopen(request, timeout=10) as answer:
        schema = build_schema(answer.read().decode())
    for example in examples("docs/api.md"):
        if example.language == "graphql":
            assert validate(schema, parse(example.text)) == [], f"{example.page}:{example.line}"


def test_every_command_exists(server: tuple[Server, Path]) -> None:
    """A command of a shell example is a target of the Makefile, or a subcommand of `lambdesk` that explains itself."""
    started, _ = server
    makefile = (ROOT / "Makefile").read_text()
    compose = (ROOT / "compose.yaml").read_text()
    lines = [
        line
        for page in (*PAGES, "CONTRIBUTING.md")
        for item in examples(page)
        if item.language in {"sh", ""}
        for line in commands(item.text)
    ]
    assert len(lines) > 8
    for line in lines:
        words = [word for word in shlex.split(line, comments=True) if not word.startswith("LAMBDESK_")]
        if words[0] == "make":
            assert f"\n{words[1]}:" in makefile, line
        elif words[0].endswith("lambdesk"):
            result = subprocess.run(
                [ROOT / ".venv/bin/lambdesk", words[1], "--help"], capture_output=True, text=True, check=False
            )
            assert result.returncode == 0, line
            for option in (word for word in words[2:] if word.startswith("--")):
                assert option in result.stdout, line
        elif words[0] == "curl":
            words = [filled(word, started) for word in words]
            result = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
            if "/export/" in line:
                assert result.stdout.splitlines()[0] == "name,group.name,validity", line
            else:
                answer = json.loads(result.stdout)
                assert answer.get("data") or answer.get("id") or answer.get("accessToken"), line
        elif words[0] == "printf":  # what compose.yaml reads from .env
            assert set(re.findall(r"([A-Z_]+)=%s", line)) == set(re.findall(r"\$\{([A-Z_]+):\?", compose)), line
        elif words[:2] == ["podman", "compose"]:
            assert compose, line
        else:
            raise AssertionError(f"nobody checks this command: {line}")


def filled(word: str, server: Server) -> str:
    """Put in what the reader has in variables of his shell."""
    values = {"http://127.0.0.1:8000": server.url, "Bearer $TOKEN": server.bearer, "$PASSWORD": PASSWORD}
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def commands(text: str) -> list[str]:
    """Join continued lines and drop empty ones."""
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_field_kind_and_alias_is_explained() -> None:
    text = (ROOT / "docs/modules.md").read_text()
    for word in (*KINDS, *ALIASES):
        assert f"`{word}`" in text, word


def test_every_error_code_is_explained() -> None:
    text = (ROOT / "docs/api.md").read_text()
    for code in Code:
        assert f"| `{code.value}` |" in text, code


def test_every_way_of_a_lambda_to_fail_is_explained() -> None:
    text = (ROOT / "docs/api.md").read_text()
    errors = text[text.index("`LAMBDA_FAILED` | the lambda") :]
    for code in FailureCode:
        assert f"`{code.value}`" in errors, code


def test_every_code_of_a_refused_write_is_explained() -> None:
    text = (ROOT / "docs/api.md").read_text()
    writing = text[text.index("## Writing") : text.index("## Files")]
    for code in FaultCode:
        assert f"`{code.value}`" in writing, code


def test_every_problem_code_is_explained() -> None:
    text = (ROOT / "docs/administration.md").read_text()
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning} |" in text, code


def test_the_list_of_settings_is_the_one_that_the_program_has() -> None:
    assert settings_table() in (ROOT / "docs/settings.md").read_text()
