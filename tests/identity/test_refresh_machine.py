"""Refresh tokens as a state machine: whatever happens at once, it is as if it had happened one after the other.

Random steps of up to three things at once (refreshing with the newest token, the one before, an older one, and logging out) run
against the database through two pools, as two processes would. What they answer must be what a plain sequential model answers
in some order; so there are never two successors, and a token that is reused always ends its session.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
import sqlalchemy as sa

from identity.errors import NotSignedIn
from identity.refresh import GRACE_S, RefreshTokens
from storage.engine import Database
from storage.own_tables import REFRESH_TOKEN, SESSION
from tests.counts import count
from tests.databases import PATIENCE_S
from tests.identity.world import Clock, Desk

INTERLEAVINGS = count(1_000, 10_000)
AT_ONCE = 8  # interleavings, each with a session of its own
HERE = "192.0.2.7"


@dataclass(frozen=True)
class Model:
    """One session: when each of its tokens was used, the newest last; and whether it is over."""

    used: tuple[float | None, ...] = (None,)
    over: bool = False

    def refresh(self, number: int, now: float) -> "tuple[Model, str]":
        if self.over:
            return self, "refused"
        before = self.used[number]
        if before is None:
            return Model((*self.used[:-1], now, None)), f"token {number + 1}"
        if number == len(self.used) - 2 and now - before <= GRACE_S:
            return self, f"token {number + 1}"
        return replace(self, over=True), "refused"

    def log_out(self, _number: int, _now: float) -> "tuple[Model, str]":
        return replace(self, over=True), "nothing" if self.over else "ended"

    def act(self, action: "Action", now: float) -> "tuple[Model, str]":
        # A token that has not been given out in this order is one that nobody can have used yet.
        if action.number >= len(self.used):
            return self, "impossible"
        return (self.refresh if action.name == "refresh" else self.log_out)(action.number, now)


@dataclass(frozen=True)
class Action:
    name: str
    number: int  # of the token


@dataclass
class Interleaving:
    """One session, what was answered, and every state that it may be in."""

    tokens: list[str]
    doors: Sequence[RefreshTokens]
    clock: Clock
    random: random.Random
    models: set[Model] = field(default_factory=lambda: {Model()})
    seen: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        for _ in range(self.random.randint(2, 3)):
            actions = [self.choose() for _ in range(self.random.choice((1, 2, 2, 3)))]
            results = await asyncio.gather(*(self.act(action) for action in actions))
            before, self.models = self.models, set(self.explain(actions, results))
            assert self.models, f"No order of {actions} explains {results}, from {before}."
            self.count(next(iter(before)), actions, results)
            self.clock.now += self.random.choice((0.0, 0.1, 4.0, GRACE_S + 1))

    def choose(self) -> Action:
        """Mostly the newest token, often the one before, sometimes an older one; now and then somebody logs out."""
        newest = len(self.tokens) - 1
        number = max(0, newest - self.random.choices((0, 1, 2, 3), (60, 25, 10, 5))[0])
        return Action("log out" if self.random.random() < 0.06 else "refresh", number)

    async def act(self, action: Action) -> str:
        await asyncio.sleep(self.random.random() / 1_000)
        door, token = self.random.choice(self.doors), self.tokens[action.number]
        if action.name == "log out":
            return "ended" if await door.log_out(token) else "nothing"
        try:
            made = (await door.refresh(token, address=HERE)).token
        except NotSignedIn:
            return "refused"
        if action.number + 1 == len(self.tokens):
            self.tokens.append(made)
        # A second successor would be one that is not known by this number.
        return f"token {self.tokens.index(made)}" if made in self.tokens else f"another successor of {action.number}"

    def explain(self, actions: Sequence[Action], results: Sequence[str]) -> Iterable[Model]:
        for start in self.models:
            for order in permutations(range(len(actions))):
                model = start
                for place in order:
                    model, answer = model.act(actions[place], self.clock.now)
                    if answer != results[place]:
                        break
                else:
                    yield model

    def count(self, start: Model, actions: Sequence[Action], results: Sequence[str]) -> None:
        """Count what the random steps have met, so that the proof is known to be about something."""
        for action, result in zip(actions, results, strict=True):
            if action.name == "log out":
                self.seen["logged out"] += result == "ended"
            elif result == "refused":
                self.seen["refused"] += 1
                self.seen["reused"] += not start.over
            else:
                self.seen["again" if action.number < len(start.used) - 1 else "rotated"] += 1


State = tuple[list[int], bool]


async def states(database: Database) -> dict[str, State]:
    """Read what is stored of every session: the numbers of its tokens, and whether it is over."""
    found: dict[str, State] = {}
    tokens = REFRESH_TOKEN.c
    for name, ended in await database.fetch(sa.select(SESSION.c.id, SESSION.c.ended)):
        found[name] = [], ended is not None
    for name, number in await database.fetch(sa.select(tokens.session, tokens.number).order_by(tokens.number)):
        found[name][0].append(number)
    return found


async def test_whatever_happens_at_once_happened_in_some_order(desk: Desk, shared_url: str) -> None:
    agent, other = await desk.agent("x"), Database(shared_url, statement_timeout_s=PATIENCE_S)
    # An SQLite file has one server (`storage.errors.DatabaseClaimed`), so both are its.
    pools = (desk.database, desk.database if desk.database.dialect.name == "sqlite" else other)
    cases: dict[str, Interleaving] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def interleave(seed: int) -> None:
        async with room:
            clock = Clock()
            doors = [RefreshTokens(pool, desk.keys, lambda _: None, clock=clock) for pool in pools]
            first = await doors[0].start(agent, address=HERE, client=str(seed))
            case = Interleaving([first.token], doors, clock, random.Random(seed))
            try:
                await case.run()
            except AssertionError as error:
                raise AssertionError(f"Interleaving {seed}: {error}") from None
            cases[first.session_id] = case

    try:
        await asyncio.gather(*(interleave(seed) for seed in range(INTERLEAVINGS)))
    finally:
        await other.close()
    found = await states(desk.database)
    for name, case in cases.items():
        right = [(list(range(1, len(model.used) + 1)), model.over) for model in case.models]
        assert found[name] in right, f"{name}: {found[name]} is stored, right would be {right}."
    seen = sum((case.seen for case in cases.values()), Counter[str]())
    assert len(cases) == INTERLEAVINGS
    assert min(seen[what] for what in ("rotated", "again", "reused", "refused", "logged out")) > INTERLEAVINGS / 10


@pytest.mark.parametrize("answers", [["token 1", "another successor of 0"], ["token 1", "refused"]])
def test_two_successors_or_an_end_without_a_reuse_have_no_explanation(answers: list[str]) -> None:
    """The proof notices what it is there to notice."""
    case = Interleaving(["first"], (), Clock(), random.Random(0))
    assert list(case.explain([Action("refresh", 0)] * 2, answers)) == []
