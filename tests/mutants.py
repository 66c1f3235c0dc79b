"""Mutation testing: how much of the access compiler and of the tokens can be broken without a test noticing.

`make mutants` runs this in an environment of its own. mutmut (`[tool.mutmut]` in pyproject.toml) writes copies of these
files in `mutants/`, each function once for every small change that could be made to it, and runs the tests that reach the
function against one change at a time. A change that a test notices is killed; what survives is listed, and
`.venv-mutants/bin/mutmut show NAME` tells what it changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

HOUSE = Path(__file__).parent.parent
MUTANTS = HOUSE / "mutants"
LOG = MUTANTS / "run.txt"
LEAST = 85  # per cent of each group
GROUPS: Mapping[str, tuple[str, ...]] = {
    "access compiler": (
        "identity/access.py",
        "resolvers/gate.py",
        "resolvers/guard.py",
    ),
    "tokens": (
        "identity/access_tokens.py",
        "identity/refresh.py",
        "identity/api_tokens.py",
        "identity/lean_jwt.py",
    ),
}
# mutmut's exit codes. Only a test that failed counts as killed: what ran out of time may have been unlucky.
KILLED = frozenset({1, 3})
TIMED_OUT = frozenset({-24, 24, 36, 152})
_ROW = "{:<28} {:>8} {:>8} {:>9} {:>9} {:>8}"


def main(workers: str = "2") -> int:
    """Make the mutants, run them, and print what became of them; 1 where too many survived."""
    started = time.monotonic()
    shutil.rmtree(MUTANTS, ignore_errors=True)  # what was found of them before says nothing of today's tests
    MUTANTS.mkdir()
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", workers]
    with LOG.open("w", encoding="utf-8") as log:
        shared = {**os.environ, "LAMBDESK_TEST_TEMPLATES": str(MUTANTS)}
        done = subprocess.run(command, cwd=HOUSE, env=shared, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(LOG.read_text(encoding="utf-8").replace("\r", "\n")[-4_000:])
        return 1
    print(_ROW.format("", "mutants", "killed", "survived", "timeouts", "killed"))
    is_enough = [_report(group, files) for group, files in GROUPS.items()]
    print(f"\n{round(time.monotonic() - started)} seconds; {LEAST} % of each group must be killed.")
    return 0 if all(is_enough) else 1


def _report(group: str, files: tuple[str, ...]) -> bool:
    found = {file: _outcomes(file) for file in files}
    total: Counter[str] = Counter()
    for file, outcomes in found.items():
        count = Counter(outcomes.values())
        total += count
        print(_line(file, count))
    print(_line(group, total))
    for outcomes in found.values():
        for name, outcome in outcomes.items():
            if outcome != "killed":
                print(f"  {outcome} {name}")
    return bool(total) and total["killed"] * 100 >= total.total() * LEAST


def _outcomes(file: str) -> dict[str, str]:
    """Return what became of each mutant of a file."""
    codes = json.loads((MUTANTS / f"{file}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
    return {
        name: "killed" if code in KILLED else "timeout" if code in TIMED_OUT else "survived"
        for name, code in codes.items()
    }


def _line(name: str, count: Counter[str]) -> str:
    share = f"{count['killed'] * 100 / max(count.total(), 1):.1f} %"
    return _ROW.format(name, count.total(), count["killed"], count["survived"], count["timeout"], share)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
