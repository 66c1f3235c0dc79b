"""Whatever a file holds, the check answers with a module or with problems, each at a place inside the file."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schema.bind import bind, plan
from schema.check import check_module
from schema.keys import sections
from schema.kinds import KINDS
from schema.problem_codes import CODES
from schema.problems import Level, report
from schema.source import read
from tests.schema.catalogs import MODULES, layout, shipped

WORDS = sorted({word for section in sections() for word in section.by_word})
VALUES = [
    *KINDS,
    "queue",
    "name",
    "id",
    "ticket",
    "none",
    "$me.id",
    "a.b",
    "1 + 1",
    "^x$",
    "@k|f",
    "",
    "ä",
    "\U0001f600",
    "x" * 70,
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(VALUES)
    | st.text(max_size=8)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
GOOD = [*MODULES[::6], Path(__file__).parent / "files" / "good" / "gotrs_queue.yaml"]


def judge(data: bytes) -> None:
    source = read("site/any.yaml", data)
    module, problems = check_module([source])
    for problem in problems:
        assert problem.code in CODES
        assert 1 <= problem.line <= len(source.lines) + 1
        assert problem.column >= 1
        assert problem.message.strip()
    assert report(problems) is not None
    assert (module is None) == any(problem.level is Level.ERROR for problem in problems) or source.role == "extend"
    if module is not None:
        plan(module, layout("znuny65"), shipped())
        bound, found = bind(module, layout("znuny65"), {**shipped(), module.name: module})
        assert {problem.code for problem in found} <= set(CODES)
        assert bound is not None or module.optional or found


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    judge(data)


@given(TREES)
def test_any_tree(tree: Any) -> None:
    judge(json.dumps(tree).encode())


@given(st.dictionaries(st.sampled_from(WORDS), TREES, max_size=6))
def test_any_tree_with_a_module_in_it(tree: dict[str, Any]) -> None:
    judge(json.dumps({**tree, "module": {"name": "thing", "table": "queue"}}).encode())


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*path, key))
    return found


@given(st.data())
def test_a_good_file_with_one_thing_changed(data: st.DataObject) -> None:
    tree = json.loads(json.dumps(read("x", data.draw(st.sampled_from(GOOD)).read_bytes()).document))
    path = data.draw(st.sampled_from(paths(tree)[1:]))
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(TREES)
    else:
        del holder[path[-1]]
    judge(json.dumps(tree).encode())


@given(st.data())
def test_a_good_file_with_bytes_changed(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from(GOOD)).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    judge(bytes(text))
