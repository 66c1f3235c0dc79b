"""What the program has no use for, and so cannot be made to do: run commands, evaluate texts, call other servers, read XML."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parent.parent
ROOMS = ("schema", "lambdas", "storage", "identity", "resolvers", "desk", "web")
# Where something of this becomes necessary, it gets its own place, its rules in `docs/security.md`, and its exception here.
MODULES = {
    "commands": {"subprocess", "pty", "multiprocessing.popen_fork", "shlex"},
    "objects from bytes": {"pickle", "marshal", "shelve", "dill", "cloudpickle"},
    "XML": {"xml", "lxml", "xmlrpc", "defusedxml"},
    "other servers": {
        "urllib.request", "http.client", "httpx", "requests", "aiohttp", "urllib3", "ftplib", "smtplib", "imaplib", "poplib",
        "telnetlib", "ldap", "ldap3", "memcache", "pymemcache", "redis",
    },
    "templates with a language": {"jinja2", "mako"},
}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__"}
EXCEPTIONS = {
    # What writes answers is made at run time, of positions and names of our own: `tests/resolvers/test_view.py`.
    ("resolvers/view.py", "eval"),
    ("resolvers/view.py", "compile"),
    # Templates are ours alone; what module files and rows say is a value in them: `tests/web/test_pages_xss.py`.
    ("web/pages/rendering.py", "jinja2"),
    # Lambdas run in processes that are started with nothing: `lambdas/THREATS.md`.
    ("lambdas/nursery.py", "subprocess"),
    ("lambdas/zygote.py", "os.fork"),
    # Pages are templates of the program; what people wrote stays a value, and is escaped.
    ("web/pages/rendering.py", "jinja2"),
}
METHODS = {
    ("os", "system"),
    ("os", "popen"),
    ("asyncio", "create_subprocess_shell"),
    ("asyncio", "create_subprocess_exec"),
}
STARTS = ("spawn", "exec", "fork", "posix_spawn")


def dangers(name: str, text: str) -> Iterator[str]:
    """Name every dangerous import and call of a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            found = [call for call in called(node.func) if (name, call) not in EXCEPTIONS]
            yield from (f"{name}:{node.lineno} calls {call}" for call in found)
            continue
        else:
            continue
        for target in targets:
            for what, modules in MODULES.items():
                meant = {module for module in modules if target == module or target.startswith(f"{module}.")}
                if any((name, module) not in EXCEPTIONS for module in meant):
                    yield f"{name}:{node.lineno} imports {target}: {what}"


def called(function: ast.expr) -> Iterator[str]:
    """Name a dangerous function that is called."""
    if isinstance(function, ast.Name) and function.id in CALLS:
        yield function.id
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        owner, name = function.value.id, function.attr
        if (owner, name) in METHODS or (owner == "os" and name.startswith(STARTS)):
            yield f"{owner}.{name}"


def test_no_code_runs_commands_evaluates_texts_or_calls_other_servers() -> None:
    files = [path for room in ROOMS for path in (HOUSE / room).rglob("*.py") if "node_modules" not in path.parts]

    assert len(files) > 100
    found = [told for path in files for told in dangers(str(path.relative_to(HOUSE)), path.read_text("utf-8"))]
    assert found == []


def test_code_is_made_at_one_place_only() -> None:
    text = (HOUSE / "resolvers" / "view.py").read_text("utf-8")

    assert sorted(
        call for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) for call in called(node.func)
    ) == [
        "compile",
        "eval",
    ]


def test_what_is_dangerous_is_recognised() -> None:
    text = "import pickle\nfrom urllib import request\nimport os\nos.system('x')\nos.execv('x', [])\neval('1')\n"

    assert len(list(dangers("file.py", text))) == 5
    assert list(dangers("file.py", "import re\nre.compile('x')\nfrom urllib.parse import quote\n")) == []
