"""Where workers cannot be locked up, lambdas do not run, unless the operator says that their authors are trusted."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambdas import wire
from lambdas.contract import Script
from lambdas.errors import FailureCode
from lambdas.nursery import Nursery
from lambdas.pool import Sandbox
from tests.lambdas.walled import job_of

LAMBDAS = Path(__file__).parents[2] / "lambdas"
PROGRAM = Path(__file__).parent / "unfiltered_zygote.py"


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without libseccomp."""
    monkeypatch.setattr(Nursery, "__init__", _with(PROGRAM, Nursery.__init__))


def _with(program: Path, made: object) -> object:
    def init(self: Nursery, settings: object, lost: object) -> None:
        made(self, settings, lost, program)  # type: ignore[operator]

    return init


@pytest.mark.usefixtures("unfiltered")
async def test_where_the_host_refuses_the_filter_lambdas_are_off_and_say_why() -> None:
    sandbox = Sandbox(size=1)
    await sandbox.start()
    try:
        assert not sandbox.is_on
        failure = (await sandbox.run(job_of("return 1;"))).outcomes[0][0].failure
        assert failure
        assert failure.code == FailureCode.UNAVAILABLE
        assert failure.message == "The host does not lock workers up: seccomp (libseccomp is not installed.)."
        assert sandbox.health().held["limits"] is None
    finally:
        await sandbox.close()


@pytest.mark.usefixtures("unfiltered")
async def test_trusted_authors_run_without_the_filter_and_health_says_so() -> None:
    sandbox = Sandbox(size=1, trusted=True)
    await sandbox.start()
    try:
        assert (await sandbox.run(job_of("return 1;"))).outcomes[0][0].value == 1
        assert sandbox.health().held["seccomp"] == "libseccomp is not installed."
    finally:
        await sandbox.close()


async def test_other_systems_have_no_such_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.pool.sys.platform", "darwin")
    sandbox = Sandbox()
    await sandbox.start()
    assert sandbox.reason == "Lambdas need Linux, whose kernel locks their workers up."
    await sandbox.close()


async def test_until_workers_are_there_lambdas_are_starting() -> None:
    sandbox = Sandbox(size=1)
    failure = (await sandbox.run(job_of("return 1;"))).outcomes[0][0].failure
    assert failure
    assert (failure.code, failure.message) == (FailureCode.UNAVAILABLE, "Lambdas are starting.")
    await asyncio.wait_for(sandbox.start(), 30)
    assert (await sandbox.run(job_of("return 1;"))).outcomes[0][0].value == 1
    await sandbox.close()


def test_the_server_has_no_v8_in_it() -> None:
    look = "import sys, lambdas.pool; print('py_mini_racer' in sys.modules, 'pyseccomp' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", look], cwd=LAMBDAS.parent, capture_output=True, text=True, check=True)
    assert seen.stdout == "False False\n"


def test_every_promise_names_a_test_that_exists() -> None:
    promises = (LAMBDAS / "THREATS.md").read_text()
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", promises)
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(), (file, test)


@pytest.mark.parametrize(
    "frame", [b"", b"nonsense", b"[1]\n", b'{"broken": 7}\n', b'{"broken": {"computed.a": [[], "", 1, 1]}}\n']
)
async def test_what_a_worker_says_of_a_draft_that_makes_no_sense_is_a_problem_of_the_draft(
    monkeypatch: pytest.MonkeyPatch, frame: bytes
) -> None:
    sandbox = Sandbox(size=1)

    async def exchange(_sandbox: Sandbox, _caller: str, messages: list[object]) -> list[object]:
        return [wire.Message({}, frame)] * len(messages)

    monkeypatch.setattr(Sandbox, "_exchange", exchange)
    told = await sandbox.compile("room", [Script("a", "return 1;"), Script("b", "return 2;")])
    assert [found and found.code for found in told] == [FailureCode.CRASHED] * 2
