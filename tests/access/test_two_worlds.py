"""Two databases that differ only in what a role may not see give the same answers to any operation of that role."""

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
from graphql import parse, validate
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from resolvers.context import Context, OwnFeed
from resolvers.execute import execute
from resolvers.text_index import TextIndex
from schema.bindings import ManyRoot
from storage.engine import Database
from storage.own_tables import TEXT
from tests.access.model import ROLES, Model, Role
from tests.access.operations import Ground, Maker, Operation, step
from tests.access.telling import telling
from tests.access.worlds import SECRET, Place, base, other, rights_of, run_alone
from tests.counts import count
from tests.databases import fresh_url

PATIENCE_S = 120.0
AT_ONCE = 25  # operations of one example
OPERATIONS = {"sqlite": count(2_000, 200_000), "postgresql": count(320, 20_000), "mysql": count(320, 20_000)}
FEW = ("reader", "supervisor", "twice")  # roles that are asked as on every database
CASES = [(dialect, name) for dialect in OPERATIONS for name in (ROLES if dialect == "sqlite" else FEW)]
BASE = base()


# What a run must have met, and in which share of its operations at least.
SHARES = {
    "with values": 0.4,
    "list": 0.25,
    "aggregate": 0.08,
    "one": 0.04,
    "node": 0.04,
    "hidden row named": 0.08,
    "filter through a reference": 0.05,
    "filter on a relation": 0.02,
    "order through a reference": 0.01,
    "nested list": 0.08,
    "search": 0.01,
    "full text": 0.01,
    "cursor": 0.02,
    "fragment": 0.01,
    "lambda": 0.05,
    "LAMBDA_FAILED": 0.01,
}
SEE_MUCH = ("administrator", "supervisor", "reader", "twice")


class Both:
    """Asks two worlds the same, as one role."""

    def __init__(self, role: Role, one: Place, two: Place, ground: Ground, dialect: str) -> None:
        self.role = role
        self.dialect = dialect
        self.ground = ground
        self.runner = asyncio.Runner()
        self.snapshot = one.snapshot  # one for both: what is kept of statements must not tell them apart
        self.databases = [Database(place.url, statement_timeout_s=PATIENCE_S) for place in (one, two)]
        self.met: Counter[str] = Counter()
        self.indexes = [TextIndex(database, OwnFeed(database)) for database in self.databases]
        for index in self.indexes:
            self.runner.run(self._settle(index))

    def close(self) -> None:
        for database in self.databases:
            self.runner.run(database.close())
        self.runner.close()

    async def _settle(self, index: TextIndex) -> None:
        while await index.step(self.snapshot):
            pass
        assert index.ready

    def ask(self, made: Operation, text: str) -> dict[str, Any]:
        """Run an operation in both worlds, hold the answers against each other, and return them."""
        return self.runner.run(self._ask(made, text))

    async def _ask(self, made: Operation, text: str) -> dict[str, Any]:
        document = parse(text)
        answers: list[dict[str, Any]] = []
        statements: list[int] = []
        for database, texts in zip(self.databases, self.indexes, strict=True):
            sent: list[str] = []
            database.statements = sent.append
            deadline = time.monotonic() + PATIENCE_S  # what is answered counts here, not how fast
            rights = rights_of(self.role)
            context = Context(
                self.snapshot, database, SECRET, rights, request_id="same", deadline=deadline, texts=texts, **telling()
            )
            if not answers and self.met["operations"] % 5 == 0:  # a mistake of the maker's is found soon enough
                assert validate(context.schema, document) == [], text
            result = await execute(context, document)
            errors = [error.formatted for error in result.errors or ()]
            answers.append({"data": result.data, "errors": errors})
            statements.append(len(sent))
            self.met["full text"] += any(TEXT.name in text for text in sent)
        first, second = (json.dumps(answer, default=str) for answer in answers)
        assert first == second, f"{self.role.name}\n{text}\n{first}\n{second}"
        if "changes(" not in text:  # pages of it are filled up past what the caller may not see
            assert statements[0] == statements[1], f"{self.role.name}\n{text}\n{statements}\n{first}"
        codes = [error["extensions"]["code"] for error in answers[0]["errors"]]
        if made.is_forbidden:
            assert answers[0]["data"] is None, text
            assert statements == [0, 0], text
            assert codes[0] in ("FORBIDDEN", "BAD_REQUEST"), (text, codes)
        else:
            assert "FORBIDDEN" not in codes, (text, answers[0]["errors"])
            assert "INTERNAL" not in "".join(codes), (text, answers[0]["errors"])
        self._note(made, codes, answers[0])
        return answers[0]

    def lacking(self) -> list[str]:
        """Tell which kinds of operations were too rare."""
        every = self.met["operations"]
        return [name for name, share in SHARES.items() if self.met[name] < share * every]

    def _note(self, made: Operation, codes: list[str], answer: dict[str, Any]) -> None:
        self.met["operations"] += 1
        self.met.update(made.traits.keys())
        self.met.update(codes)
        self.met["forbidden"] += made.is_forbidden
        if '": "' in json.dumps(answer["data"], default=str):
            self.met["with values"] += 1


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Make databases when they are first asked for: the first world, and another one for each role."""
    made: dict[tuple[str, str], Place] = {}
    desks = {"": BASE}
    with ExitStack() as stack:

        def place(dialect: str, role: str) -> Place:
            if (dialect, role) not in made:
                desk = desks.get(role) or desks.setdefault(role, other(ROLES[role], BASE, seed=len(role)))
                url = stack.enter_context(fresh_url(dialect))
                made[dialect, role] = run_alone(url, tmp_path_factory.mktemp("modules"), desk)
            return made[dialect, role]

        place.desks = desks  # type: ignore[attr-defined] # to look at
        yield place


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def both(request: pytest.FixtureRequest, places: Any) -> Iterator[Both]:
    dialect, name = request.param
    role = ROLES[name]
    one, two = places(dialect, ""), places(dialect, name)
    rights = rights_of(role)
    ground = Ground(
        Context(one.snapshot, None, SECRET, rights).schema,  # type: ignore[arg-type] # no statement is sent
        one.snapshot.modules,
        Model(role, BASE),
        Model(role, places.desks[name]),
    )
    found = Both(role, one, two, ground, dialect)
    yield found
    found.close()


def test_the_other_worlds_are_other_worlds_and_show_the_same() -> None:
    for role in ROLES.values():
        found = other(role, BASE, seed=len(role.name))
        assert repr(Model(role, found).shown()) == repr(Model(role, BASE).shown()), role.name
        differing = sum(
            found.rows[table].get(key) != row for table in found.rows for key, row in BASE.rows[table].items()
        )
        assert differing > 20, (role.name, differing)


def test_a_role_is_answered_the_same_in_both_worlds(both: Both) -> None:
    roles = len(ROLES) if both.dialect == "sqlite" else len(FEW)
    examples = -(-OPERATIONS[both.dialect] // AT_ONCE // roles)

    # What fails is a document, which is small enough to be read; a smaller number makes no smaller one.
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
    @given(st.integers(0, 2**63))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(AT_ONCE):
            one_operation(both, chance)

    run()
    if both.role.name in SEE_MUCH and both.dialect == "sqlite":  # of a few operations shares say little
        assert both.lacking() == []


def one_operation(both: Both, chance: random.Random) -> None:
    maker = Maker(both.ground, chance)
    if chance.random() < 0.12 and maker.roots(ManyRoot):
        maker.bold = False
        walk = maker.walk()
        answer = both.ask(walk, walk.text)
        for _ in range(2):
            edges = ((answer["data"] or {}).get("r") or {}).get("edges") or ()
            if not edges:
                return
            cursor = chance.choice(edges)["cursor"]
            page = {"after": cursor, "first": chance.randint(0, 5)}
            if chance.random() < 0.4:
                page = {"before": cursor, "last": chance.randint(0, 5)}
            walk.traits["cursor"] += 1
            answer = both.ask(walk, step(walk, page))
        return
    made = maker.operation()
    both.ask(made, made.text)
