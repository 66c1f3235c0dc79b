"""The rules of the checkout itself: who may import whom, what a file may hold, what is locked."""

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent

# What storage and everything above may know of schema: modules as data, never the types made from them.
MODEL = frozenset(
    f"schema.{file}"
    for file in ("spec", "kinds", "names", "problems", "catalog", "ports", "bindings", "snapshot", "writes")
)
ROOMS = ("schema", "lambdas", "storage", "identity", "resolvers", "desk", "web")
# room → the rooms that it may import; "model" stands for the model part of schema.
ARROWS: dict[str, frozenset[str]] = {
    "schema": frozenset(),
    "lambdas": frozenset(),
    "storage": frozenset({"model"}),
    "identity": frozenset({"model", "storage"}),
    "resolvers": frozenset({"model", "storage", "identity", "lambdas"}),
    "desk": frozenset({"model", "storage", "identity", "resolvers"}),
    "web": frozenset(ROOMS),
}
FOLDERS = (*ROOMS, "modules", "tests", "bench")
VAGUE = frozenset(
    {"utils", "util", "helpers", "helper", "core", "services", "service", "manager", "managers", "common"}
)
TARGETS = (
    "install",
    "run",
    "test",
    "check",
    "format",
    "assets",
    "bench",
    "screenshots",
    "soak",
    "mutants",
    "lock",
    "clean",
)
LOCKS = ("run", "dev", "clients", "mutants")
JAVASCRIPT_LOCKS = (
    "tests/clients/package-lock.json",
    "bench/postgraphile/package-lock.json",
    "web/assets/package-lock.json",
)


@dataclass(frozen=True)
class Import:
    """One import statement: `names` is empty for `import room.file`."""

    file: str
    line: int
    target: str
    names: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line} imports {self.target}"


def code(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (HOUSE / folder).rglob("*.py")
        if not {"__pycache__", "node_modules"} & set(path.parts)
    )


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, also those inside functions and under TYPE_CHECKING."""
    file = path.relative_to(HOUSE).as_posix()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, ())
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            for alias in node.names:
                deeper = f"{package}.{alias.name}"
                if source(deeper) is not None:  # `from schema import spec` names a file, not something in one
                    yield Import(file, node.lineno, deeper, ())
                else:
                    yield Import(file, node.lineno, package, (alias.name,))


def source(module: str) -> Path | None:
    """Find the file of one of our modules by its dotted name."""
    path = HOUSE.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def is_allowed(room: str, target: str) -> bool:
    """Whether a file of the room may import the target."""
    other = target.partition(".")[0]
    if other == room or other not in FOLDERS:
        return True
    model = any(target == part or target.startswith(part + ".") for part in MODEL)
    return other in ARROWS[room] or (model and "model" in ARROWS[room])


def test_imports_follow_the_arrows_between_the_rooms() -> None:
    wrong = [
        found.place
        for room in ROOMS
        for path in code(room)
        for found in imports(path)
        if not is_allowed(room, found.target)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("room", "target", "allowed"),
    [
        ("storage", "schema.catalog", True),
        ("storage", "schema.build", False),
        ("storage", "schema", False),
        ("schema", "storage.engine", False),
        ("resolvers", "lambdas.pool", True),
        ("identity", "resolvers.plan", False),
        ("desk", "web.app", False),
        ("web", "schema.build", True),
        ("web", "tests.world", False),
        ("lambdas", "json", True),
    ],
)
def test_the_arrows_mean_what_the_architecture_says(room: str, target: str, *, allowed: bool) -> None:
    assert is_allowed(room, target) is allowed


def test_the_model_part_of_schema_imports_nothing_else_of_schema() -> None:
    wrong = [
        found.place
        for part in sorted(MODEL)
        if (path := source(part))
        for found in imports(path)
        if found.target.startswith("schema") and found.target not in MODEL
    ]

    assert wrong == []


def test_no_file_reaches_itself_through_its_imports() -> None:
    edges = {
        path: {file for found in imports(path) if (file := source(found.target)) and file.name != "__init__.py"}
        - {path}
        for path in code(*ROOMS)
    }

    assert [path.relative_to(HOUSE).as_posix() for path in edges if reaches(edges, path)] == []


def reaches(edges: dict[Path, set[Path]], start: Path) -> bool:
    """Whether following the imports of a file leads back to it."""
    seen: set[Path] = set()
    waiting = list(edges[start])
    while waiting:
        path = waiting.pop()
        if path == start:
            return True
        if path not in seen:
            seen.add(path)
            waiting += edges.get(path, ())
    return False


def test_names_are_imported_from_the_file_that_defines_them() -> None:
    wrong = [
        f"{found.place}.{name}"
        for path in code(*ROOMS)
        for found in imports(path)
        if (file := source(found.target))
        for name in found.names
        if name not in definitions(file)
    ]

    assert wrong == []


@cache
def definitions(path: Path) -> frozenset[str]:
    """The names that a file makes itself at its top level, also inside `if` and `try`."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree(path).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {
                part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
    return frozenset(names)


def test_an_init_file_holds_one_docstring_line() -> None:
    wrong = []
    for path in code(*ROOMS):
        if path.name == "__init__.py":
            body = tree(path).body
            text = path.read_text(encoding="utf-8").strip()
            if len(body) != 1 or ast.get_docstring(tree(path)) is None or "\n" in text:
                wrong.append(path.relative_to(HOUSE).as_posix())

    assert wrong == []


def test_every_room_of_code_is_a_package() -> None:
    packages = {path.parent for path in code(*ROOMS)}

    assert sorted(str(folder) for folder in packages if not (folder / "__init__.py").is_file()) == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in code(*FOLDERS) if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_no_installed_distribution_owns_one_of_our_folder_names() -> None:
    owners = importlib.metadata.packages_distributions()

    assert {name: owners[name] for name in FOLDERS if set(owners.get(name, ())) - {"lambdesk"}} == {}


# What a comparison with a module's name would be made of; `kind == "user"` speaks of something else.
MODULE_LIKE = re.compile(r"module|spec\b|snapshot|type_?name|^name$|\.name$")


def test_no_code_branches_on_the_name_of_a_shipped_module() -> None:
    shipped = {path.stem for path in (HOUSE / "modules").glob("**/*.yaml")}
    general = [room for room in ROOMS if room != "desk"]  # desk is about tickets, and says so

    assert [place for path in code(*general) for place in branches_on(path, shipped)] == []


def test_a_branch_on_the_name_of_a_module_is_recognised() -> None:
    sources = {
        'if module.name == "ticket": pass': ["1: module.name ~ ticket"],
        'x = 1 if "queue" != spec.name else 2': ["1: spec.name ~ queue"],
        'ok = module in ("queue", "stamp")': ["1: module ~ queue"],
        'match module.name:\n    case "queue" | "stamp": pass': ["1: module.name ~ queue"],
        'if principal.kind == "queue": pass': [],
        'if module.name == "anything": pass': [],
    }

    found = {text: [str(branch) for branch in branches(ast.parse(text), {"ticket", "queue"})] for text in sources}

    assert found == sources


def branches_on(path: Path, shipped: set[str]) -> list[str]:
    return [f"{path.relative_to(HOUSE)}:{found}" for found in branches(tree(path), shipped)]


def branches(module: ast.Module, shipped: set[str]) -> Iterator[str]:
    """Every comparison of something module-like with the constant name of a shipped module."""
    for node in ast.walk(module):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            subjects = [text for side in sides if MODULE_LIKE.search(text := ast.unparse(side))]
            constants = [text for side in sides for text in strings(side)]
        elif isinstance(node, ast.Match):
            subjects = [text for text in [ast.unparse(node.subject)] if MODULE_LIKE.search(text)]
            constants = [text for case in node.cases for text in strings(case.pattern)]
        else:
            continue
        for subject in subjects:
            yield from (f"{node.lineno}: {subject} ~ {name}" for name in constants if name in shipped)


def strings(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


@cache
def locked(name: str) -> dict[str, str]:
    """Package → version of a lock file."""
    text = (HOUSE / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(name: str) -> None:
    text = (HOUSE / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())

    assert [
        entry for entry in entries if not re.match(r"[a-z0-9._-]+==\S+.*\\\n", entry) or "--hash=sha256:" not in entry
    ] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_wanted_package_is_locked(name: str) -> None:
    lines = (HOUSE / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = {match[0].lower() for line in lines if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))}

    assert sorted(wanted - set(locked(name))) == []


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    assert {name: version for name, version in locked("run").items() if locked("dev").get(name) != version} == {}
    assert {name: version for name, version in locked("dev").items() if locked("mutants").get(name) != version} == {}


@pytest.mark.parametrize("file", [*(f"requirements/{name}.txt" for name in LOCKS), *JAVASCRIPT_LOCKS])
def test_a_lock_file_names_no_host(file: str) -> None:
    text = (HOUSE / file).read_text(encoding="utf-8")

    assert re.findall(r"^--.*|\"resolved\".*|\S*(?:index|files)\S*://\S*", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("file", JAVASCRIPT_LOCKS)
def test_the_javascript_lock_has_a_hash_for_every_package(file: str) -> None:
    packages = json.loads((HOUSE / file).read_text(encoding="utf-8"))["packages"]

    # What comes inside another package has that one's hash.
    alone = {name: package for name, package in packages.items() if name and not package.get("inBundle")}
    assert [name for name, package in alone.items() if "integrity" not in package] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_how_to(target: str) -> None:
    found = subprocess.run(["make", "--dry-run", target], cwd=HOUSE, capture_output=True, text=True, check=False)

    assert (found.returncode, found.stderr) == (0, "")
