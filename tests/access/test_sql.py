"""The SQL of lambdas shows a role what the API shows it: never more rows, never other columns, whatever is asked."""

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
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lambdas.contract import Question
from resolvers.context import Context
from resolvers.lambda_caller import Moment
from resolvers.sql_answers import answer
from tests.access.model import ROLES, TABLES, Model, Role
from tests.access.selects import Made, Maker
from tests.access.worlds import SECRET, Place, base, other, patient, rights_of, run_alone
from tests.counts import count
from tests.databases import DIALECTS, NOW, PATIENCE_S, fresh_url

AT_ONCE = 20  # questions of one example
QUESTIONS = {"sqlite": count(960, 100_000), "postgresql": count(240, 10_000), "mysql": count(240, 10_000)}
FEW = ("reader", "supervisor", "twice")
CASES = [(dialect, name) for dialect in DIALECTS for name in (ROLES if dialect == "sqlite" else FEW)]
BASE = base()
REFUSED = "SQL_REFUSED: "
# What a run must have met, and in which share of its questions at least.
# About half of what is usual: a hundred questions by chance must not fall below it.
SHARES = {
    "with values": 0.3,
    "forbidden": 0.01,
    "join": 0.1,
    "groups": 0.05,
    "query inside": 0.05,
    "query in FROM": 0.05,
}


class Desks:
    """The first world, and another one for each role, made when they are first asked for."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack = stack
        self._folders = folders
        self._places: dict[tuple[str, str], Place] = {}

    def place(self, dialect: str, role: str = "") -> Place:
        if (dialect, role) not in self._places:
            desk = other(ROLES[role], BASE, seed=len(role)) if role else BASE
            url = self._stack.enter_context(fresh_url(dialect))
            self._places[dialect, role] = run_alone(url, self._folders.mktemp("modules"), desk)
        return self._places[dialect, role]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with ExitStack() as stack:
        yield Desks(stack, tmp_path_factory)


class Asker:
    """Asks several databases the same, as one role."""

    def __init__(self, role: Role, places: list[Place]) -> None:
        self.role = role
        self.snapshots = [place.snapshot for place in places]
        self.runner = asyncio.Runner()
        self.databases = [patient(place.url) for place in places]
        self.met: Counter[str] = Counter()
        for database in self.databases:  # what a first connection asks about the server is not counted
            self.runner.run(database.fetch("SELECT 1"))

    def close(self) -> None:
        for database in self.databases:
            self.runner.run(database.close())
        self.runner.close()

    def ask(self, *made: Made) -> list[list[Any]]:
        """Return the answers of each database, and what was sent there."""
        return [self.runner.run(self._ask(place, made)) for place in range(len(self.databases))]

    async def _ask(self, place: int, made: tuple[Made, ...]) -> list[Any]:
        database, sent = self.databases[place], list[str]()
        database.statements = sent.append
        context = Context(
            self.snapshots[place],
            database,
            SECRET,
            rights_of(self.role),
            deadline=time.monotonic() + PATIENCE_S,
            moment=Moment(NOW.timestamp() * 1000),
        )
        questions = [Question("query", (one.text, *one.values)) for one in made]
        found = await answer(context, questions)
        answers = [one.error or sorted(json.dumps(row, ensure_ascii=False) for row in one.value) for one in found]
        return [*answers, len(sent)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def both(request: pytest.FixtureRequest, desks: Desks) -> Iterator[Asker]:
    """A role, before two databases that differ only in what it may not see."""
    dialect, name = request.param
    one, two = desks.place(dialect), desks.place(dialect, name)
    found = Asker(
        ROLES[name], [one, Place(two.url, one.snapshot)]
    )  # what is kept of statements must not tell them apart
    yield found
    found.close()


def test_two_worlds_that_show_a_role_the_same_answer_it_the_same(both: Asker, request: pytest.FixtureRequest) -> None:
    dialect = request.node.callspec.params["both"][0]
    model = Model(both.role, BASE)
    examples = -(-QUESTIONS[dialect] // AT_ONCE // (len(ROLES) if dialect == "sqlite" else len(FEW)))

    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        made = [Maker(model, chance).question() for _ in range(AT_ONCE)]
        first, second = both.ask(*made)
        for one, left, right in zip(made, first, second, strict=False):
            assert left == right, f"{both.role.name}\n{one.text}\n{one.values}\n{left}\n{right}"
            refused = isinstance(left, str)
            assert refused == one.is_forbidden, (one.text, one.values, left)
            assert not refused or left.startswith(REFUSED), (one.text, left)
            both.met.update(one.traits.keys())
            both.met["forbidden"] += one.is_forbidden
            both.met["with values"] += not refused and any(": null" not in row for row in left)
        assert first[-1] == second[-1], "the numbers of statements differ"
        both.met["questions"] += len(made)

    run()
    if both.role.name == "supervisor" and dialect == "sqlite":  # of a few questions shares say little
        assert [name for name, share in SHARES.items() if both.met[name] < share * both.met["questions"]] == []


@pytest.mark.parametrize("name", ["supervisor", "customer"])
def test_three_databases_answer_the_same(desks: Desks, name: str) -> None:
    asker = Asker(ROLES[name], [desks.place(dialect) for dialect in DIALECTS])
    model = Model(asker.role, BASE)

    @settings(max_examples=count(8, 1_000), deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        made = [Maker(model, chance, bold=False).question() for _ in range(AT_ONCE)]
        found = asker.ask(*made)
        for number, one in enumerate(made):
            answers = [answers[number] for answers in found]
            assert answers[0] == answers[1] == answers[2], f"{one.text}\n{one.values}\n" + "\n".join(map(str, answers))

    try:
        run()
    finally:
        asker.close()


@pytest.fixture(params=[*ROLES])
def alone(request: pytest.FixtureRequest, desks: Desks) -> Iterator[Asker]:
    found = Asker(ROLES[request.param], [desks.place("sqlite")])
    yield found
    found.close()


def test_a_role_counts_the_rows_that_it_sees(alone: Asker) -> None:
    model = Model(alone.role, BASE)
    modules = [module for module in TABLES if model.may(module, "view") and module not in ("person", "grp")]
    made = [Made(f"SELECT COUNT(*) AS n FROM {TABLES[module]}", [], False) for module in modules]  # noqa: S608 - the tests' own words
    ((*counts, _),) = alone.ask(*made)
    assert counts == [[f'{{"n": {len(model.visible(module))}}}'] for module in modules]
