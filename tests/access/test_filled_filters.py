"""Which filters hold for rows, and what becomes of the values in them that are the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from identity.access import Access as Decisions
from identity.access import Denied, Right, reads_the_clock
from identity.principals import Customer, Scope
from identity.rights import Grant, Rights
from schema.spec import (
    AudienceAccess,
    Rule,
)
from tests.access.bare import ALL, CARLA, RITA, SYSTEM, carla, machine, rita, ruled, rules

A, B, C = {"a": {"eq": 1}}, {"b": {"eq": 2}}, {"c": {"eq": 3}}


@pytest.mark.parametrize(
    ("right", "after", "check", "rows"),
    [
        (Right.VIEW, False, None, [A]),
        (Right.VIEW, True, None, [A]),
        (Right.UPDATE, False, None, [B]),
        (Right.UPDATE, False, C, [B]),
        (Right.UPDATE, True, None, [A, B]),
        (Right.UPDATE, True, C, [C]),
        (Right.UPDATE, True, {}, []),
        (Right.DELETE, False, None, [B]),
        (Right.DELETE, True, None, []),
        (Right.DELETE, True, C, [C]),
        (Right.CREATE, True, None, [A, B]),
    ],
)
def test_which_filters_hold_before_and_after_a_write(
    right: Right, after: bool, check: Mapping[str, Any] | None, rows: list[Mapping[str, Any]]
) -> None:
    given = {} if right is Right.VIEW else {right.value: Rule(allow=True, rows=B, check=check)}
    found = ruled(rules(view=ALL, rows=A, **given))
    assert rita().filters(found, right, after=after) == rows
    assert rita().is_bounded(found, right, after=after) is bool(rows)


def test_before_and_viewing_are_what_is_asked_for_without_a_word() -> None:
    found = ruled(AudienceAccess(view=ALL, rows=A, delete=Rule(allow=True, check=C)))
    assert rita().is_bounded(found)
    assert not rita().is_bounded(found, Right.DELETE)
    assert rita().filters(found, Right.DELETE) == []
    assert not rita().is_bounded(ruled(AudienceAccess(view=ALL)))


def test_who_is_calling() -> None:
    assert rita().own() == (11, "rita", "rita@example.com", None)
    assert carla("acme", "bolt").own() == (21, "carla", None, "acme", "acme", "bolt")
    assert Decisions(Rights(Customer(22, "cyril", ""))).own() == (22, "cyril", None, None)
    assert machine(Scope(), owner=CARLA).own() == (21, "carla", None, "acme")
    assert SYSTEM.own() == (None, None, None, None)
    assert Decisions(Rights(RITA, own=("marks",))).own() == ("marks",)


NOTHING: Mapping[str, Any] = {"in": []}
GROUPS = (Grant(9, "i", "ro"), Grant(4, "d", "ro"), Grant(2, "beta", "rw"))


def filled(access: Decisions, rows: Any) -> Any:
    """What becomes of a filter; None where no row can meet it."""
    same = AudienceAccess(view=ALL, rows=rows)
    try:
        (found,) = access.filters(ruled(same, same), Right.VIEW)
    except Denied:
        return None
    return found


@pytest.mark.parametrize(
    ("rows", "agent", "customer"),
    [
        ({"x": {"eq": 5}}, ..., ...),
        ({"x": 5}, ..., ...),
        ({"x": {"eq": "$meal"}}, ..., ...),
        ({"x": {"eq": "$me.id"}}, {"x": {"eq": 11}}, {"x": {"eq": 21}}),
        ({"x": {"eq": "$me.login"}}, {"x": {"eq": "rita"}}, {"x": {"eq": "carla"}}),
        ({"x": {"ne": "$me.login"}}, {"x": {"ne": "rita"}}, {"x": {"ne": "carla"}}),
        ({"x": {"eq": "$me.email"}}, {"x": {"eq": "rita@example.com"}}, {"x": NOTHING}),
        ({"x": {"eq": "$me.email", "gt": "a"}}, {"x": {"eq": "rita@example.com", "gt": "a"}}, {"x": NOTHING}),
        ({"x": {"ne": "$me.email"}}, {"x": {"ne": "rita@example.com"}}, None),
        ({"x": {"eq": "$me.customerId"}}, {"x": NOTHING}, {"x": {"eq": "acme"}}),
        ({"x": {"in": ["$me.customerId", "z"]}}, {"x": {"in": ["z"]}}, {"x": {"in": ["acme", "z"]}}),
        ({"x": {"notIn": ["$me.customerId", "z"]}}, None, {"x": {"notIn": ["acme", "z"]}}),
        ({"x": {"in": "$me.customerIds"}}, {"x": NOTHING}, {"x": {"in": ["acme", "bolt"]}}),
        ({"x": {"notIn": "$me.customerIds"}}, {"x": {"notIn": []}}, {"x": {"notIn": ["acme", "bolt"]}}),
        ({"x": {"in": "$me.groups.ro"}}, {"x": {"in": [2, 4, 9]}}, {"x": NOTHING}),
        ({"x": {"in": "$me.groups.note"}}, {"x": {"in": [2]}}, {"x": NOTHING}),
        ({"x": {"in": "$me.groups.none"}}, {"x": NOTHING}, {"x": NOTHING}),
        ({"x": {"eq": "$me.unknown"}}, {"x": NOTHING}, {"x": NOTHING}),
        ({"x": {"y": {"eq": "$me.id"}}}, {"x": {"y": {"eq": 11}}}, {"x": {"y": {"eq": 21}}}),
        ({"x": {"some": {"y": {"eq": "$me.email"}}}}, {"x": {"some": {"y": {"eq": "rita@example.com"}}}}, {"x": {"some": {"y": NOTHING}}}),
        ({"x": {"none": {"y": {"eq": "$me.email"}}}}, {"x": {"none": {"y": {"eq": "rita@example.com"}}}}, None),
        ({"x": {"every": {"y": {"eq": "$me.email"}}}}, {"x": {"every": {"y": {"eq": "rita@example.com"}}}}, None),
        ({"not": {"x": {"eq": "$me.email"}}}, {"not": {"x": {"eq": "rita@example.com"}}}, None),
        ({"not": {"x": {"y": {"eq": "$me.email"}}}}, {"not": {"x": {"y": {"eq": "rita@example.com"}}}}, None),
        ({"not": {"or": [{"x": {"eq": "$me.email"}}]}}, {"not": {"or": [{"x": {"eq": "rita@example.com"}}]}}, None),
        ({"or": [{"x": {"eq": "$me.email"}}, {"x": 1}]}, {"or": [{"x": {"eq": "rita@example.com"}}, {"x": 1}]}, {"or": [{"x": NOTHING}, {"x": 1}]}),
        ({"and": [{"x": {"eq": "$me.id"}}]}, {"and": [{"x": {"eq": 11}}]}, {"and": [{"x": {"eq": 21}}]}),
        ({"not": "$visible"}, None, None),
    ],
    ids=str,
)  # fmt: skip
def test_filters_are_filled_with_what_the_caller_has(rows: Mapping[str, Any], agent: Any, customer: Any) -> None:
    """`...` stands for a filter that stays as it is, None for one that no row can meet."""
    access = Decisions(Rights(RITA, GROUPS, email="rita@example.com"))
    assert filled(access, rows) == (rows if agent is ... else agent)
    assert filled(carla("acme", "bolt"), rows) == (rows if customer is ... else customer)


def test_the_clock_is_that_of_the_request_or_now() -> None:
    moment = "2026-01-02T03:04:05+00:00"
    rows = {"x": {"lt": "$now"}}
    assert filled(Decisions(Rights(RITA, now=moment)), rows) == {"x": {"lt": moment}}
    before = datetime.now(UTC)
    told = datetime.fromisoformat(filled(rita(), rows)["x"]["lt"])
    assert before <= told <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("rows", "reads"),
    [
        ({"x": {"lt": "$now"}}, True),
        ({"or": [{"x": {"eq": 1}}, {"y": {"lt": ["$now"]}}]}, True),
        ([{"x": 1}, {"y": "$now"}], True),
        ({"x": {"eq": "$nowhere"}}, False),
        ({"x": {"eq": "$me.id"}, "y": [1, None]}, False),
        (None, False),
    ],
)
def test_which_filters_read_the_clock(rows: Any, reads: bool) -> None:
    assert reads_the_clock(rows) is reads
