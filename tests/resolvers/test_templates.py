"""Statements that are kept as text: every value stands where the statement itself would have it, or nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.predicate import All, Compare, Either, KeyIn, Not, Predicate
from resolvers.templates import Kept, find_template, form_of, marks_of
from resolvers.terms import Term
from schema.spec import Module
from storage.direct import Ready
from tests.resolvers.world import World


def queue(world: World) -> Module:
    return world.snapshot.modules["queue"]


def named(world: World, value: Any, operator: str = "eq") -> Compare:
    module = queue(world)
    return Compare(Term((), module, module.field_named("name") or ""), operator, value, "by")


def prepare(statement: sa.Select[Any]) -> Ready:
    """Write a statement as a driver with question marks would get it."""
    compiled = statement.compile(dialect=sa.create_engine("sqlite://").dialect)
    return Ready(compiled.string, tuple(compiled.params[name] for name in compiled.positiontup or ()), shows=True)


class Nobody:
    """A caller of whom statements hold nothing, or these values."""

    def __init__(self, *own: Any) -> None:
        self.own = own

    def marked(self, turn: int, first: int) -> Nobody:
        return Nobody(*marks_of(self.own, turn, first))


NOBODY = Nobody()
TABLE = sa.table("t", sa.column("a"), sa.column("b"))


def test_conditions_of_one_form_share_it_and_bring_their_values(world: World) -> None:
    first, second = form_of([named(world, "Raw")]), form_of([named(world, "Müll")])
    assert first is not None
    assert second is not None
    assert first[0] == second[0]
    assert (first[1], second[1]) == (["Raw"], ["Müll"])


def test_keys_of_another_count_or_type_are_another_form(world: World) -> None:
    module = queue(world)
    forms = [form_of([KeyIn((), module, keys)]) for keys in (((1,),), ((1,), (2,)), (("1",),))]
    assert len({repr(form and form[0]) for form in forms}) == 3


@pytest.mark.parametrize("value", [2**31, None, 1.5, "a\x00b", "\ud800", ["Raw", 1.5], ["Raw"] * 21])
def test_a_value_that_drivers_get_in_another_way_is_not_kept(world: World, value: Any) -> None:
    assert form_of([named(world, value)]) is None


def test_a_condition_without_a_value_of_its_own_is_another_form(world: World) -> None:
    forms = [form_of([named(world, value, "isNull")]) for value in (True, False)]
    assert [found and found[1] for found in forms] == [[], []]
    assert len({repr(found) for found in forms}) == 2


def test_conditions_within_conditions_bring_their_values_in_order(world: World) -> None:
    module = queue(world)
    where = All((Not(named(world, "Raw")), Either((named(world, ["Junk", "Misc"], "in"), KeyIn((), module, ((7,),))))))
    found = form_of([where])
    assert found is not None
    assert found[1] == ["Raw", "Junk", "Misc", 7]

    def make(marked: Sequence[Predicate], _: Nobody) -> sa.Select[Any]:
        return sa.select(TABLE.c.a).where(*(TABLE.c.a == value for value in values_of(marked)))

    template = find_template(prepare, make, [where], found[1], NOBODY)
    assert template is not None
    assert template.fill([1, 2, 3, 4]).values == (1, 2, 3, 4)


def values_of(predicates: Sequence[Predicate]) -> list[Any]:
    form = form_of(predicates)
    assert form is not None
    return form[1]


def test_a_number_that_is_bound_as_another_type_is_not_kept(world: World) -> None:
    def make(where: Sequence[Predicate], _: Nobody) -> sa.Select[Any]:
        (one,) = where
        assert isinstance(one, Compare)
        return sa.select(TABLE.c.a).where(TABLE.c.a == float(one.value))

    assert find_template(prepare, make, [named(world, 7)], [7], NOBODY) is None


def test_an_operator_that_changes_its_value_is_not_kept(world: World) -> None:
    assert form_of([named(world, "Raw", "contains")]) is None


def test_a_template_gives_the_statement_that_would_have_been_made(world: World) -> None:
    def make(where: Sequence[Predicate], _: Nobody) -> sa.Select[Any]:
        (one,) = where
        assert isinstance(one, Compare)
        return sa.select(TABLE.c.a).where(TABLE.c.a == one.value, TABLE.c.b == one.value).limit(7)

    template = find_template(prepare, make, [named(world, "Raw")], ["Raw"], NOBODY)
    assert template is not None
    assert template.fill(["Junk"]) == prepare(make([named(world, "Junk")], NOBODY))


def test_a_template_takes_the_caller_s_own_values_after_those_of_the_conditions(world: World) -> None:
    def make(where: Sequence[Predicate], caller: Nobody) -> sa.Select[Any]:
        (one,) = where
        assert isinstance(one, Compare)
        return sa.select(TABLE.c.a).where(TABLE.c.a == one.value, TABLE.c.b == caller.own[1])

    caller = Nobody(5, "ada", None)
    template = find_template(prepare, make, [named(world, "Raw")], ["Raw"], caller)
    assert template is not None
    assert template.fill(["Junk", 6, "bob", None]) == prepare(make([named(world, "Junk")], Nobody(6, "bob", None)))


def test_nothing_is_kept_where_a_value_stands_otherwise_than_given(world: World) -> None:
    def make(where: Sequence[Predicate], _: Nobody) -> sa.Select[Any]:
        (one,) = where
        assert isinstance(one, Compare)
        return sa.select(TABLE.c.a).where(TABLE.c.a == f"%{one.value}%")

    assert find_template(prepare, make, [named(world, "Raw")], ["Raw"], NOBODY) is None


def test_nothing_is_kept_where_a_value_does_not_stand_at_all(world: World) -> None:
    def make(_where: Sequence[Predicate], _: Nobody) -> sa.Select[Any]:
        return sa.select(TABLE.c.a).where(sa.false())

    assert find_template(prepare, make, [named(world, "Raw")], ["Raw"], NOBODY) is None


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    kept: Kept[str] = Kept(2)
    kept.put("a", "A")
    kept.put("b", "B")
    assert kept.get("a") == "A"
    kept.put("c", "C")
    assert [kept.get(key) for key in "abc"] == ["A", None, "C"]
