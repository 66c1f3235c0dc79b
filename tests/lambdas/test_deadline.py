"""What a lambda leaves running is paid for by its own job: a process with a timer dies before it has answered."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timed

HOUSE = Path(__file__).parent.parent.parent
BUDGET_S = 0.1

# Like the zygote: V8 is started once, and each lambda runs in a fork with a timer of CPU time, before one that means no harm.
CHILD = """
import json, os, signal, sys
from lambdas.engine import start_engine
from tests.lambdas.inside import Inside, job_of

def live(source):
    inside = Inside()
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[1]))
    outcome = inside.round(job_of(source)).outcomes[0, 0]
    signal.setitimer(signal.ITIMER_PROF, 0)
    told = outcome.failure.message if outcome.failure else outcome.value
    return f"{told}|" + inside.value("return 'fine';")

def fate(source):
    end, start = os.pipe()
    process = os.fork()
    if process == 0:
        os.write(start, live(source).encode())
        os._exit(0)
    os.close(start)
    said = open(end).read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said

start_engine()
print(json.dumps([fate(source) for source in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def fates() -> dict[str, tuple[int, str]]:
    """For each source the code that its process ended with, and what it said."""
    sources = [*ENDLESS, *(source for source, _ in ENDING)]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(BUDGET_S)],
        cwd=HOUSE,
        env={**os.environ, "TZ": "UTC", "PYTHONPATH": str(HOUSE)},
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return {source: (code, said) for source, (code, said) in zip(sources, json.loads(done.stdout), strict=True)}


ENDLESS = [
    "for (;;);",
    "return {get a() { for (;;); }};",
    "return {get then() { for (;;); }};",
    "return new Proxy({}, {ownKeys() { for (;;); }});",
    "return [1].map(() => ({get a() { for (;;); }}));",
    "throw {get message() { for (;;); }};",
    "throw Object.defineProperty(new Error('x'), 'stack', {get() { for (;;); }});",
    "log({get a() { for (;;); }});",
    "set('a', {get a() { for (;;); }});",
    "html`${{toString() { for (;;); }}}`;",
    "return new Map([[1, {get a() { for (;;); }}]]);",
    "Promise.resolve().then(() => { for (;;); }); return 1;",
    "(function again() { Promise.resolve().then(again); })(); return 1;",
    "(async () => { for (;;) await 1; })(); return 1;",
    "import('x').catch(() => { for (;;); }); return 1;",
    "Array.fromAsync([1]).then(() => { for (;;); }); return 1;",
    "return Array.prototype.includes.call({length: 2 ** 53 - 1}, 1);",
    "sha256('x'.repeat(1e8));",
]


@pytest.mark.parametrize("source", ENDLESS)
def test_f9_nothing_outlives_the_deadline(fates: dict[str, tuple[int, str]], source: str) -> None:
    assert fates[source] == (-signal.SIGPROF, "")


ENDING = [
    ("return new Promise(() => {});", "The lambda returned a promise; lambdas are synchronous."),
    (
        "return (async () => { await new Promise(() => {}); })();",
        "The lambda returned a promise; lambdas are synchronous.",
    ),
    ("(async () => { await new Promise(() => {}); })(); return 1;", "1"),
    ("return (function f() { return f(); })();", "RangeError: Maximum call stack size exceeded"),
    ("return {get a() { return this.a; }};", "RangeError: Maximum call stack size exceeded"),
    ("Promise.reject(new Error('x')); return 1;", "1"),
]


@pytest.mark.parametrize(("source", "said"), ENDING)
def test_f12_what_never_comes_is_not_waited_for(fates: dict[str, tuple[int, str]], source: str, said: str) -> None:
    assert fates[source] == (0, f"{said}|fine")


def test_an_isolate_that_failed_to_start_is_closed_and_says_why() -> None:
    code = (
        "import os, time; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()\\n"
        "from lambdas.language import Isolate\\n"
        "from lambdas.errors import EngineRefusal\\n"
        "try:\\n    Isolate()\\nexcept EngineRefusal as refusal:\\n    print(str(refusal).partition(': ')[2].partition(': ')[2])\\n"
    ).replace("\\n", "\n")

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "Error: the time zone is not UTC\n")


def test_flags_that_v8_does_not_know_are_noticed() -> None:
    """V8 says so on the console and ignores every flag behind it."""
    code = (
        "import os; os.environ['TZ'] = 'UTC'\n"
        "from py_mini_racer import init_mini_racer\nfrom lambdas.engine import FLAGS\n"
        "from lambdas.errors import EngineRefusal\n"
        "from lambdas.language import Isolate\n"
        "init_mini_racer(flags=[FLAGS[0], '--no-such-flag', *FLAGS[1:]])\n"
        "try:\n    Isolate()\nexcept EngineRefusal as refusal:\n    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False
    )

    assert "refused" in done.stdout
