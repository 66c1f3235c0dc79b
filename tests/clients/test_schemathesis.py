"""schemathesis asks every root field for things that the schema allows and nobody would think of."""

import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

from tests.clients.conftest import CLIENTS, ENVIRONMENT
from tests.counts import SOAK, count

LIMIT_S = count(300, 7200)


def test_no_generated_operation_brings_a_5xx_or_shows_the_inside(endpoint: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(
                ENVIRONMENT / "bin" / "schemathesis",
                "run",
                endpoint,
                f"--header=Authorization: {os.environ['AUTHORIZATION']}",
                "--phases=fuzzing",
                "--checks=answers_politely",
            ),
            *(f"--max-examples={count(2, 200)}", "--suppress-health-check=all"),
            # The suite asks for what the schema allows, and the same each time; the soak also for what it does not allow.
            *(("--mode=all",) if SOAK else ("--mode=positive", "--generation-deterministic")),
            *("--continue-on-failure", "--no-color", "--warnings=off"),
        ],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "masking", "PYTHONPATH": str(CLIENTS)},
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.findall(r"Tested: (\d+)", done.stdout) == [str(count_roots(endpoint))]


def count_roots(endpoint: str) -> int:
    """How many fields an operation can begin with."""
    query = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }"
    request = urllib.request.Request(
        endpoint,
        data=json.dumps({"query": query}).encode(),
        headers={"content-type": "application/json", "authorization": os.environ["AUTHORIZATION"]},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        types = json.load(answer)["data"]["__schema"].values()
    return sum(len(type_["fields"]) for type_ in types if type_)
