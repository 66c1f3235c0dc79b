"""What a caller may do is decided by his rights and the rules alone, and every decision says what it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from identity.access import Access as Decisions
from identity.access import Right, access_of, rule_text
from identity.principals import Scope
from identity.rights import Grant, Rights
from schema.spec import (
    Access,
    Audience,
    AudienceAccess,
    Home,
    Operation,
    Relation,
    Rule,
)
from tests.access.bare import (
    ADMIN,
    ALL,
    ALPHA_RO,
    BETA,
    BETA_BY_ROLE,
    BETA_RW,
    CARLA,
    CHIEFS,
    FIELDS,
    NAME,
    NOBODY,
    PAY,
    PLACE,
    STAFF,
    SYSTEM,
    carla,
    field,
    machine,
    module,
    rita,
    ruled,
    rules,
)

# --- modules ---


@pytest.mark.parametrize(
    ("rule", "text", "grants", "role"),
    [
        (ALL, "true", (), None),
        (NOBODY, "false", None, None),
        (BETA, "{group: beta, key: note}", (BETA_RW, BETA_BY_ROLE), None),
        (Rule(group="alpha"), "{group: alpha, key: ro}", (ALPHA_RO,), None),
        (Rule(group="alpha", key="rw"), "{group: alpha, key: rw}", None, None),
        (Rule(group="gamma"), "{group: gamma, key: ro}", None, None),
        (CHIEFS, "{role: Chiefs}", (), "Chiefs"),
        (Rule(role="Others"), "{role: Others}", None, None),
    ],
)
def test_a_decision_names_the_rule_and_the_grants_that_satisfy_it(
    rule: Rule, text: str, grants: tuple[Grant, ...] | None, role: str | None
) -> None:
    access = rita(ALPHA_RO, BETA_RW, BETA_BY_ROLE, roles=("Chiefs",))
    found = access.reason(ruled(AudienceAccess(view=rule)), Right.VIEW)
    assert (found.allowed, found.rule, found.role) == (grants is not None, text, role)
    assert found.grants == (grants or ())
    assert rule_text(rule) == text


@pytest.mark.parametrize("right", [Right.CREATE, Right.UPDATE, Right.DELETE])
def test_each_right_has_its_own_rule_and_writing_needs_viewing(right: Right) -> None:
    access = rita()
    only = {right.value: ALL}
    found = access.reason(ruled(rules(view=ALL, **only)), right)
    assert (found.allowed, found.rule) == (True, "true")
    for other in Right:
        assert access.may(ruled(rules(view=ALL, **only), digest=right), other) is (other in ("view", right))
    found = access.reason(ruled(rules(**only), digest="hidden"), right)
    assert (found.allowed, found.rule) == (False, "who may not view rows may not write them")


def test_agents_and_customers_have_rules_of_their_own() -> None:
    found = ruled(AudienceAccess(view=ALL), AudienceAccess(create=ALL))
    assert (rita().audience, carla().audience) == (Audience.AGENT, Audience.CUSTOMER)
    assert rita().may(found, Right.VIEW)
    assert not carla().may(found, Right.VIEW)
    assert machine(Scope(), owner=CARLA).audience is Audience.CUSTOMER


def test_decisions_are_remembered_by_what_they_are_about() -> None:
    access = rita()
    open_, shut = ruled(AudienceAccess(view=ALL), digest="1"), ruled(digest="2")
    for _ in range(2):
        assert access.may(open_, Right.VIEW)
        assert not access.may(open_, Right.CREATE)
        assert not access.may(shut, Right.VIEW)
        assert access.may(replace(open_, name="other"), Right.VIEW)
        assert not access.may(replace(shut, name="other"), Right.VIEW)
    assert access_of(access.rights) is access_of(access.rights)
    assert access_of(access.rights).rights is access.rights


def test_a_token_may_what_is_in_its_scope_and_its_owner_may() -> None:
    found = ruled(AudienceAccess(view=ALL, create=ALL, update=ALL))
    access = machine(Scope(frozenset({"item"}), frozenset({Operation.VIEW, Operation.UPDATE, Operation.DELETE})))
    assert [right for right in Right if access.may(found, right)] == [Right.VIEW, Right.UPDATE]
    reason = access.reason(found, Right.CREATE)
    assert (reason.allowed, reason.rule) == (False, "the token's scope does not have create of item")
    assert not access.may(replace(found, name="other"), Right.VIEW)
    assert access.reason(found, Right.DELETE).rule == "false"


def test_the_system_may_everything_and_rules_are_not_asked() -> None:
    found = ruled(fields=(field("a"),), relations=(Relation("r", "item", PLACE),))
    reasons = [SYSTEM.reason(found, Right.DELETE), SYSTEM.reason_of(found, found.fields[0])]
    assert {(reason.allowed, reason.rule) for reason in reasons} == {(True, "the system may do everything")}
    assert SYSTEM.may(found, Right.DELETE)
    assert SYSTEM.sees(found, found.fields[0])
    assert SYSTEM.gives(found, found.fields[0])
    assert SYSTEM.follows(found, found.relations[0], found)
    assert SYSTEM.filters(ruled(AudienceAccess(rows={"a": {"eq": 1}})), Right.VIEW) == []
    assert (SYSTEM.is_administrator, SYSTEM.is_reader) == (True, False)


def test_who_is_an_administrator() -> None:
    assert rita(ADMIN).is_administrator
    assert not rita(replace(ADMIN, key="ro"), BETA_RW).is_administrator
    assert not Decisions(Rights(CARLA, (ADMIN,))).is_administrator
    assert machine(Scope(), ADMIN).is_administrator
    assert not machine(Scope(), BETA_RW).is_administrator
    assert not machine(Scope(operations=frozenset(Operation)), ADMIN).is_administrator
    assert not machine(Scope(modules=frozenset({"item"})), ADMIN).is_administrator


def test_a_token_for_viewing_is_a_reader() -> None:
    assert machine(Scope(operations=frozenset({Operation.VIEW}))).is_reader
    assert not machine(Scope(operations=frozenset({Operation.VIEW, Operation.BULK}))).is_reader
    assert not machine(Scope(operations=frozenset({Operation.CREATE}))).is_reader
    assert not machine(Scope()).is_reader
    assert not rita().is_reader


# --- fields ---

DOUBLE, SHORT, FREE = STAFF.computed


def test_a_field_is_for_whom_its_rule_names_and_without_one_for_everybody() -> None:
    for access, sees in ((rita(), False), (rita(BETA_RW), True), (carla(), False)):
        for _ in range(2):
            assert access.sees(STAFF, PAY) is sees
            assert access.sees(STAFF, NAME)
            assert access.sees(STAFF, "version")
    assert rita(BETA_RW).reason_of(STAFF, PAY).rule == "{group: beta, key: note}"
    assert rita().reason_of(STAFF, NAME).rule == "no rule of its own"
    assert rita().reason_of(STAFF, NAME).allowed


def test_what_is_computed_is_as_hidden_as_what_it_reads() -> None:
    assert [item.name for item in STAFF.computed if rita().sees(STAFF, item)] == ["short", "free"]
    assert [item.name for item in STAFF.computed if rita(BETA_RW).sees(STAFF, item)] == ["double", "short", "free"]
    reason = rita().reason_of(STAFF, DOUBLE)
    assert (reason.allowed, reason.rule) == (False, "it is computed from pay, and has no rule of its own")
    own = replace(STAFF, access=replace(STAFF.access, fields={**FIELDS, "double": {"agent": ALL}}), digest="own")
    assert rita().sees(own, DOUBLE)
    assert rita().reason_of(own, DOUBLE).rule == "true"


def test_a_dynamic_field_is_for_customers_only_where_a_rule_names_it() -> None:
    extra = field("extra", home=Home.DYNAMIC)
    reason = carla().reason_of(STAFF, extra)
    assert (reason.allowed, reason.rule) == (False, "customers see dynamic fields only where a rule names them")
    assert rita().sees(STAFF, extra)


def test_who_may_give_a_field_a_value_must_see_it_and_meet_the_rule_for_giving() -> None:
    chief, rich = rita(roles=("Chiefs",)), rita(BETA_RW)
    for _ in range(2):
        assert [access.gives(STAFF, NAME) for access in (rita(), chief, rich)] == [False, True, False]
        assert [access.gives(STAFF, PAY) for access in (rita(), chief, rich)] == [False, False, True]
    assert rita().reason_to_give(STAFF, NAME).rule == "{role: Chiefs}"
    assert rita().reason_to_give(STAFF, PAY).rule == "{group: beta, key: note}"
    assert rich.reason_to_give(STAFF, PAY).rule == "true"
    assert carla().reason_to_give(STAFF, NAME).rule == "no rule of its own"
    assert carla().gives(STAFF, NAME)
    assert SYSTEM.reason_to_give(STAFF, NAME).rule == "the system may do everything"


def test_decisions_about_seeing_giving_and_following_are_kept_apart() -> None:
    access, link = rita(), field("name", to="staff", by_column="c_pay")
    for _ in range(2):
        assert (access.sees(STAFF, link), access.gives(STAFF, link), access.follows(STAFF, link, STAFF)) == (
            True,
            False,
            False,
        )
        open_ = replace(STAFF, access=Access(AudienceAccess(view=ALL)), digest="open")
        assert (access.sees(open_, PAY), access.gives(open_, link), access.follows(STAFF, link, open_)) == (True,) * 3


# --- what leads from rows to rows ---

OTHER = module("other", fields=(PAY, NAME, field("side", home=Home.SIDE)), access=STAFF.access)


@pytest.mark.parametrize(("column", "poor"), [(None, True), ("c_name", True), ("c_pay", False), ("id", True)])
def test_a_reference_leads_on_where_what_it_is_found_by_is_to_be_seen(column: str | None, poor: bool) -> None:
    link = field("link", to="other", by_column=column)
    assert (rita().follows(STAFF, link, OTHER), rita(BETA_RW).follows(STAFF, link, OTHER)) == (poor, True)


@pytest.mark.parametrize(
    ("relation", "poor"),
    [
        ({"by": "name", "here_column": "id", "link_column": "c_name"}, True),
        ({"by": "pay", "here_column": "id", "link_column": "c_pay"}, False),
        ({"by": "name", "here_column": "c_pay", "link_column": "c_name"}, False),
        ({"by": "c_pay", "here_column": "id", "link_column": "c_pay"}, False),  # a column, and no field's name
        ({"by": "c_name", "here_column": "id", "link_column": "c_name"}, True),
        ({"by": "side", "here_column": "id", "link_column": "c_side"}, False),  # not of the table, and hidden
        ({"by": "unknown", "here_column": "id", "link_column": "unknown"}, True),
        ({"through": "between", "here_column": "id", "link_column": "c_pay", "there_column": "id"}, True),
        ({"through": "between", "here_column": "id", "link_column": "x", "there_column": "c_pay"}, False),
        ({"through": "between", "by": "pay", "here_column": "id", "there_column": "c_name"}, True),
        ({"through": "between", "here_column": "c_pay", "there_column": "id"}, False),
    ],
    ids=str,
)
def test_a_relation_leads_on_where_both_ends_are_to_be_seen(relation: Mapping[str, Any], poor: bool) -> None:
    link = Relation("link", "other", PLACE, **relation)
    assert (rita().follows(STAFF, link, OTHER), rita(BETA_RW).follows(STAFF, link, OTHER)) == (poor, True)


def test_a_column_of_several_fields_shows_where_one_of_them_does_and_others_homes_do_not_count() -> None:
    link = field("link", to="other", by_column="c_pay")
    twice = replace(OTHER, fields=(PAY, replace(NAME, column="c_pay")), digest="twice")
    beside = replace(OTHER, fields=(replace(PAY, home=Home.SIDE),), digest="beside")
    key = replace(OTHER, key_columns=("c_pay",), digest="key")
    assert [rita().follows(STAFF, link, target) for target in (twice, beside, key)] == [True] * 3
