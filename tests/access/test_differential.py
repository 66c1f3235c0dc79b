"""Any operation is answered the same by its plan and by GraphQL's own executor: data, errors, paths, number of statements."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLSchema,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectValueNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    validate,
    value_from_ast_untyped,
    visit,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from resolvers.context import Context
from resolvers.execute import execute
from resolvers.planning import answer_alike, find_plan
from resolvers.selection import select
from storage.engine import Database
from tests.access.model import ROLES, Model
from tests.access.operations import WORDS, Ground, Maker
from tests.access.telling import telling
from tests.access.worlds import SECRET, Place, base, rights_of, run_alone
from tests.counts import count
from tests.databases import DIALECTS, PATIENCE_S, fresh_url

ROLE_NAMES = ("administrator", "reader", "customer")
AT_ONCE = 25  # operations of one example
OPERATIONS = {
    "sqlite": count(1_400, 140_000),
    "postgresql": count(300, 30_000),
    "mysql": count(300, 30_000),
}
BASE = base()
VARIED = count(1, 3)  # times each is asked with other values
WITH_VARIABLES = 0.7  # of the operations
FEW = 300  # answers, of which each kind need not be there
PLANNED = 0.15  # of the answers at least have a plan: the rest is refused, or has roots of other kinds


class Twice:
    """Asks with and without a plan, as one role."""

    def __init__(self, name: str, place: Place) -> None:
        self.rights = rights_of(ROLES[name])
        self.snapshot = place.snapshot
        self.runner = asyncio.Runner()
        self.database = Database(place.url, statement_timeout_s=PATIENCE_S)
        self.sent: list[str] = []
        self.met: Counter[str] = Counter()
        self.runner.run(self.database.fetch("SELECT 1"))
        self.database.statements = self.sent.append
        role = ROLES[name]
        schema = self.context().schema
        self.ground = Ground(schema, place.snapshot.modules, Model(role, BASE), Model(role, BASE))

    def close(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()

    def context(self) -> Context:
        deadline = time.monotonic() + PATIENCE_S
        return Context(
            self.snapshot, self.database, SECRET, self.rights, request_id="same", deadline=deadline, **telling()
        )

    def ask(self, text: str, chance: random.Random) -> None:
        document = parse(text)
        variables: dict[str, Any] = {}
        if chance.random() < WITH_VARIABLES:
            document, variables = take_out(document, self.context().schema, chance)
            assert validate(self.context().schema, document) == [], print_ast(document)
        self.runner.run(self._ask(document, [variables, variables, *(vary(variables, chance) for _ in range(VARIED))]))

    async def _ask(self, document: DocumentNode, given: list[dict[str, Any]]) -> None:
        """Ask with these variables, one after the other: a plan is made when a form comes for the second time."""
        alone: list[tuple[dict[str, Any], str]] = []
        for variables in given:
            expected = await self._answer(document, variables, plain=True)
            found = await self._answer(document, variables, plain=False)
            assert found == expected, f"{print_ast(document)}\n{variables}"
            context = self.context()
            self.met["answers"] += 1
            self.met["with errors"] += '"errors": [{' in expected[0]
            if '"data": null' not in expected[0]:
                planned = find_plan(context, select(context.schema, document, None, variables)) is not None
                self.met["planned"] += planned
                self.met["planned with variables"] += planned and bool(variables)
                self.met["planned lambdas that failed"] += planned and "LAMBDA_FAILED" in expected[0]
                alone.append((variables, expected[0]))
        await self._ask_together(document, alone)
        self.met["operations"] += 1

    async def _ask_together(self, document: DocumentNode, alone: list[tuple[dict[str, Any], str]]) -> None:
        """Ask with all of the variables at once, as the questions of lambdas are: each is answered as it is alone."""
        context = self.context()
        selections = [select(context.schema, document, None, variables) for variables, _ in alone]
        together = await answer_alike(context, selections) if len(alone) > 1 else []
        for (variables, expected), result in zip(alone, together, strict=False):
            if result is not None:
                errors = [error.formatted for error in result.errors or ()]
                found = json.dumps({"data": result.data, "errors": errors}, default=str)
                assert expected.startswith(found[:-1]), f"{print_ast(document)}\n{variables}\n{found}\n{expected}"
                self.met["answered together"] += variables != alone[0][0]

    async def _answer(self, document: DocumentNode, variables: dict[str, Any], *, plain: bool) -> tuple[str, int]:
        self.sent.clear()
        result = await execute(self.context(), document, None, variables, plain=plain)
        errors = [error.formatted for error in result.errors or ()]
        answer: Any = {"data": result.data, "errors": errors, "extensions": result.extensions}
        return json.dumps(answer, default=str), len(self.sent)


class _Taking(Visitor):
    """Puts variables in the place of values."""

    def __init__(self, info: TypeInfo, chance: random.Random) -> None:
        super().__init__()
        self.info = info
        self.chance = chance
        self.types: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def enter(self, node: Any, *_: Any) -> Any:
        if not isinstance(node, ValueNode) or isinstance(node, NullValueNode | VariableNode):
            return None
        is_list = isinstance(node, ListValueNode)  # inside of which the walk is already
        type_ = self.info.get_parent_input_type() if is_list else self.info.get_input_type()
        is_leaf = not isinstance(node, ObjectValueNode | ListValueNode)
        if type_ is None or self.chance.random() > (0.6 if is_leaf else 0.15):
            return None
        name = f"v{len(self.types)}"
        self.types[name] = f"{type_}".removesuffix("!") + "!"
        self.values[name] = value_from_ast_untyped(node)
        return VariableNode(name=NameNode(value=name))


def take_out(
    document: DocumentNode, schema: GraphQLSchema, chance: random.Random
) -> tuple[DocumentNode, dict[str, Any]]:
    """Write the same operation with variables in the place of some of its values."""
    info = TypeInfo(schema)
    taking = _Taking(info, chance)
    changed = visit(document, TypeInfoVisitor(info, taking))
    text = print_ast(changed)
    if taking.types:
        head = ", ".join(f"${name}: {type_}" for name, type_ in taking.types.items())
        text = (
            f"query ({head}) {text.removeprefix('query ')}"
            if text.startswith(("{", "query {"))
            else print_ast(document)
        )
    return parse(text), taking.values if text.startswith("query (") else {}


def vary(value: Any, chance: random.Random) -> Any:
    """Change some of the values, and not what holds them."""
    if isinstance(value, dict):
        return {key: vary(item, chance) for key, item in value.items()}
    if isinstance(value, list):
        return [vary(item, chance) for item in value]
    if type(value) is int and chance.random() < 0.5:
        return chance.choice((value + 1, 0, 1, 2, 3, -1, 2**31 - 1))
    if type(value) is str and chance.random() < 0.3:
        return chance.choice((*WORDS, "", "a\x00b", "\ud800", "Ä" * 300, value[::-1]))
    return value


@pytest.fixture(scope="module", params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        url = stack.enter_context(fresh_url(request.param))
        yield run_alone(url, tmp_path_factory.mktemp("modules"), BASE)


@pytest.mark.parametrize("name", ROLE_NAMES)
def test_a_plan_answers_what_the_executor_answers(place: Place, name: str) -> None:
    twice = Twice(name, place)
    examples = -(-OPERATIONS[twice.database.dialect.name] // AT_ONCE // len(ROLE_NAMES))

    # What fails is a document, which is small enough to be read; a smaller number makes no smaller one.
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(AT_ONCE):
            made = Maker(twice.ground, chance).operation()
            if "changes(" not in made.text:  # whose pages are filled up, and which has no plan
                twice.ask(made.text, chance)

    try:
        run()
    finally:
        twice.close()
    assert twice.met["planned"] >= PLANNED * twice.met["answers"], twice.met
    assert twice.met["planned with variables"] >= PLANNED / 2 * twice.met["answers"], twice.met
    assert twice.met["answered together"] >= PLANNED / 10 * twice.met["operations"], twice.met
    assert twice.met["planned lambdas that failed"] or twice.met["answers"] < FEW, twice.met
