"""The container image: what its files promise, and the image itself, built and run wherever podman can do that.

Here nothing needs an image registry: where `python:…` is not to be had, a base is made of Debian packages once.
"""

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.databases import fresh_url
from tests.test_house import HOUSE, ROOMS

CONTAINERFILE = (HOUSE / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
IMAGE = "localhost/lambdesk-test"
DEBIAN_BASE = "localhost/lambdesk-test-base:bookworm"
START_S = 60.0
STOP_S = 10
GADGET = """\
module:
  name: gadget
  table: gadget
fields:
  - {name: name, type: string, required: true}
"""


# --- what the files say ---


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, as (word, rest)."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", CONTAINERFILE, flags=re.MULTILINE))
    found: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def said(word: str, stage: int = -1) -> list[str]:
    return [rest for name, rest in stages()[stage] if name == word]


def test_the_image_is_built_in_one_stage_and_run_in_another() -> None:
    assert len(stages()) == 3  # the arguments before the first FROM, and two stages
    assert [rest for rest in said("COPY") if not rest.startswith("--from=build ")] == []


def test_the_image_runs_as_a_user_that_is_not_root_by_number() -> None:
    user, group = said("USER")[-1].split(":")

    assert int(user) > 0
    assert int(group) > 0


def test_state_and_the_modules_of_the_operator_are_volumes() -> None:
    assert json.loads(said("VOLUME")[0]) == ["/lambdesk/var", "/lambdesk/site"]


def test_the_image_asks_readyz_whether_it_is_healthy() -> None:
    options, _, command = said("HEALTHCHECK")[0].partition("CMD ")
    words = json.loads(command)

    assert "--start-period=" in options
    assert words[:2] == ["python", "-c"]
    assert "/readyz" in words[2]
    compile(words[2], "the health check", "exec")


def test_nothing_is_installed_into_the_image_without_a_hash() -> None:
    installs = [line for stage in stages() for word, line in stage if word == "RUN" and "pip install" in line]
    parts = [part for line in installs for part in line.split("&&") if "pip install" in part]

    assert len(parts) == 2
    assert "--require-hashes -r requirements/run.txt" in parts[0]
    assert "--no-deps --no-build-isolation" in parts[1]


def test_the_image_holds_the_program_and_nothing_else() -> None:
    lines = (HOUSE / ".containerignore").read_text(encoding="utf-8").splitlines()
    admitted = {line.removeprefix("!") for line in lines if line.startswith("!")}

    assert "*" in lines
    assert admitted == {*ROOMS, "modules", "pyproject.toml", "README.md", "requirements/run.txt", "requirements/run.in"}
    assert (HOUSE / ".dockerignore").read_text(encoding="utf-8") == "\n".join(lines) + "\n"


def test_a_container_deployment_has_mariadb_unless_told_otherwise() -> None:
    assert COMPOSE["services"]["database"]["image"] == "${MARIADB_IMAGE:-mariadb:11.4}"
    assert COMPOSE["services"]["lambdesk"]["environment"]["LAMBDESK_DATABASE_URL"].startswith("mysql://lambdesk:${")


def test_the_compose_file_holds_no_secret() -> None:
    given = {
        name: str(value) for service in COMPOSE["services"].values() for name, value in service["environment"].items()
    }
    secret = {name: value for name, value in given.items() if name.endswith(("_PASSWORD", "_URL"))}

    assert [name for name, value in secret.items() if "${" not in value and value != "1"] == []
    assert [name for name, value in secret.items() if name.endswith("R_PASSWORD") and ":?" not in value] == []


@pytest.mark.parametrize("service", ["database", "lambdesk"])
def test_a_service_writes_only_where_it_may(service: str) -> None:
    settings = COMPOSE["services"][service]

    assert settings["read_only"] is True
    assert "/tmp" in settings["tmpfs"]  # noqa: S108 # the path inside the container
    assert settings["security_opt"] == ["no-new-privileges"]


def test_lambdesk_waits_until_its_database_is_healthy() -> None:
    assert COMPOSE["services"]["lambdesk"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "--connect" in COMPOSE["services"]["database"]["healthcheck"]["test"]


def test_compose_asks_readyz_itself_because_podman_drops_the_question_from_its_images() -> None:
    word, *command = COMPOSE["services"]["lambdesk"]["healthcheck"]["test"]

    assert word == "CMD"
    assert command[:2] == ["python", "-c"]
    assert "/readyz" in command[2]


def test_compose_publishes_lambdesk_to_this_machine_only() -> None:
    assert COMPOSE["services"]["lambdesk"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]
    assert "ports" not in COMPOSE["services"]["database"]


# --- what the image does ---


@dataclass(frozen=True)
class Podman:
    """A podman that can run containers here, with the options that it needs for that."""

    command: tuple[str, ...]
    limits: tuple[str, ...]
    base: str

    def call(self, *arguments: str, timeout_s: float = 600.0) -> str:
        return run(*self.command, *arguments, timeout_s=timeout_s)

    def run(self, *arguments: str) -> str:
        return self.call("run", *self.limits, "--network=host", *arguments)


def run(*command: str, timeout_s: float = 600.0) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def attempt(*command: str, timeout_s: float = 60.0) -> bool:
    try:
        run(*command, timeout_s=timeout_s)
    except (AssertionError, OSError, subprocess.TimeoutExpired):
        return False
    return True


@pytest.fixture(scope="module")
def podman() -> Podman:
    """Find out by doing whether containers run on this machine."""
    if shutil.which("podman") is None:
        pytest.skip("THE IMAGE IS NOT TESTED: there is no podman on this machine")
    base = find_base()
    if base is None:
        pytest.skip("THE IMAGE IS NOT TESTED: no base image is here, none can be fetched, and none can be made")
    lower = (
        "--ulimit=nofile=4096:4096",
        "--ulimit=nproc=4096:4096",
    )  # some machines forbid podman's own, higher limits
    for command in (("podman",), ("podman", "--runtime=runc")):
        for limits in ((), lower):
            if attempt(*command, "run", "--rm", "--network=host", *limits, base, "python3", "-c", ""):
                return Podman(command, limits, base)
    pytest.skip("THE IMAGE IS NOT TESTED: podman cannot run a container on this machine")


def find_base() -> str | None:
    """The base image of the Containerfile, or one made here that is alike: Debian with Python."""
    wanted = re.findall(r"^ARG BASE_IMAGE=(\S+)", CONTAINERFILE, flags=re.MULTILINE)[0]
    for name in (wanted, DEBIAN_BASE):
        if attempt("podman", "image", "exists", name):
            return str(name)
    if attempt("podman", "pull", "--quiet", wanted, timeout_s=120):
        return str(wanted)
    return DEBIAN_BASE if make_debian_base() else None


def make_debian_base() -> bool:
    """Make a base of Debian packages; for root only, and about a minute's work, once a machine."""
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        return False
    folder = Path(run("mktemp", "-d").strip())
    try:
        packages = "--include=python3,python3-venv,ca-certificates"
        if not attempt("debootstrap", "--variant=minbase", packages, "bookworm", str(folder), timeout_s=600):
            return False
        archive = folder.with_suffix(".tar")
        run(
            "tar",
            "-C",
            str(folder),
            "--exclude=./var/cache/apt",
            "--exclude=./var/lib/apt/lists",
            "-cf",
            str(archive),
            ".",
        )
        imported = attempt("podman", "import", "--quiet", str(archive), DEBIAN_BASE, timeout_s=300)
        archive.unlink()
        return imported
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the image as in a closed network: from a folder of wheels that the lock file's hashes admit."""
    wheels = tmp_path_factory.mktemp("wheels")
    version = podman.run(
        "--rm", podman.base, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
    ).strip()
    download(wheels, version)
    given = {"BASE_IMAGE": podman.base, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    podman.call(
        *("build", "--isolation=chroot", "--format=docker", "--pull=never", "--layers=false", f"--tag={IMAGE}"),
        *(f"--build-arg={name}={value}" for name, value in given.items()),
        f"--volume={wheels}:/wheels:ro",
        str(HOUSE),
    )
    yield IMAGE
    podman.call("rmi", "--force", IMAGE)


def download(wheels: Path, version: str) -> None:
    """Fetch the locked wheels for the Python of the image."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    if version != f"{sys.version_info.major}.{sys.version_info.minor}":
        tags = ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_5", "manylinux1")
        platforms = [f"--platform={tag}_{platform.machine()}" for tag in tags]
        command += [f"--python-version={version}", "--only-binary=:all:", *platforms]
    run(*command, "-r", str(HOUSE / "requirements" / "run.txt"), "-d", str(wheels))


@dataclass(frozen=True)
class Container:
    """A running Lambdesk."""

    podman: Podman
    name: str
    port: int
    site: Path

    def get(self, path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status, answer.read()

    def sign_in(self) -> str:
        given = json.dumps({"login": "root@localhost", "password": PASSWORD}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/auth/login", given, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return f"Bearer {json.load(answer)['accessToken']}"

    def ask(self, document: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": document}).encode(),
            headers={"content-type": "application/json", "authorization": self.sign_in()},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def execute(self, *command: str) -> str:
        return self.podman.call("exec", self.name, *command)


PASSWORD = "a password of tests"
# Every restriction that the image promises to bear.
LOCKED_IN = ("--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module")
def container(podman: Podman, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """Lambdesk on SQLite in its volume, with demo data."""
    with serving(podman, image, tmp_path_factory.mktemp("site"), LAMBDESK_DEMO="1") as running:
        yield running


@contextmanager
def serving(podman: Podman, image: str, site: Path, **settings: str) -> Iterator[Container]:
    """Run the image, locked in, until the block ends."""
    site.chmod(0o755)
    port = free_port()
    settings |= {"LAMBDESK_HOST": "127.0.0.1", "LAMBDESK_ADMIN_PASSWORD": PASSWORD, "LAMBDESK_PORT": str(port)}
    name = f"lambdesk-test-{os.getpid()}-{port}"
    podman.run(
        *("--detach", "--name", name, "--log-driver=k8s-file", *LOCKED_IN, "--volume", f"{site}:/lambdesk/site"),
        *(f"--env={key}={value}" for key, value in settings.items()),
        image,
    )
    try:
        running = Container(podman, name, port, site)
        wait_until_ready(running)
        yield running
    finally:
        podman.call("rm", "--force", "--volumes", name)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(container: Container) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and is_running(container):
        try:
            if container.get("/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(container.podman.call("logs", container.name))


def is_running(container: Container) -> bool:
    return container.podman.call("inspect", "--format={{.State.Running}}", container.name).strip() == "true"


def test_the_container_serves_tickets(container: Container) -> None:
    answer = container.ask("{ tickets(first: 1) { totalCount nodes { title } } }")

    assert "errors" not in answer
    assert answer["data"]["tickets"]["totalCount"] == 2001


def test_the_container_knows_that_it_is_healthy(container: Container) -> None:
    container.podman.call("healthcheck", "run", container.name)


def test_the_container_is_not_root_and_cannot_change_the_program(container: Container) -> None:
    tried = "import os\nprint(os.getuid())\ntry:\n    open('/lambdesk/web/app.py', 'a')\nexcept OSError as error:\n    print(error.errno)"

    uid, number = container.execute("python", "-c", tried).split()

    assert int(uid) == 10001
    assert int(number) in {13, 30}  # EACCES, EROFS


def test_a_module_dropped_into_the_site_volume_is_served(container: Container) -> None:
    (container.site / "gadget.yaml").write_text(GADGET, encoding="utf-8")
    end = time.monotonic() + 20
    answer: dict[str, Any] = {"errors": "not asked yet"}
    while "errors" in answer and time.monotonic() < end:
        time.sleep(0.2)
        answer = container.ask("{ gadgets { totalCount } }")

    assert answer["data"] == {"gadgets": {"totalCount": 0}}


def test_the_container_stops_in_time_and_without_an_error(container: Container) -> None:
    started = time.monotonic()
    container.podman.call("stop", f"--time={STOP_S}", container.name)

    assert time.monotonic() - started < STOP_S
    assert container.podman.call("inspect", "--format={{.State.ExitCode}}", container.name).strip() == "0"


def test_the_container_makes_its_tables_on_mariadb(podman: Podman, image: str, tmp_path: Path) -> None:
    with (
        fresh_url("mysql", installed=False) as url,
        serving(podman, image, tmp_path, LAMBDESK_DATABASE_URL=url) as running,
    ):
        answer = running.ask("{ tickets { nodes { title queue { name } } } }")

    assert answer["data"] == {"tickets": {"nodes": [{"title": "Welcome to Lambdesk", "queue": {"name": "Raw"}}]}}
