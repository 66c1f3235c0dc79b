"""Every name of an operation passes the gate, and whoever is refused is told where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from identity.access import Access as Decisions
from identity.access import Right
from resolvers.errors import Forbidden
from resolvers.gate import Gate, Touch, Use
from schema.spec import (
    Access,
    AudienceAccess,
    Relation,
)
from tests.access.bare import ALL, BETA, BETA_RW, NAME, NOBODY, PAY, PLACE, STAFF, field, module, rita, ruled, rules


def gate(access: Decisions) -> Gate:
    return Gate(access, {"between": [module("between", access=Access(AudienceAccess(view=BETA)))]})


@pytest.mark.parametrize(
    ("use", "right", "message"),
    [
        (Use.ROWS, Right.VIEW, "here: you may not view items."),
        (Use.CREATE, Right.CREATE, "here: you may not create items."),
        (Use.UPDATE, Right.UPDATE, "here: you may not change items."),
        (Use.DELETE, Right.DELETE, "here: you may not delete items."),
    ],
)
def test_what_is_done_with_rows_needs_its_own_right(use: Use, right: Right, message: str) -> None:
    let_in = gate(rita())
    let_in.write(ruled(rules(**{"view": ALL, right.value: ALL})), use, "here")
    assert let_in.touched == [Touch("item", "", use, "here")]
    others = {other.value: NOBODY if other is right else ALL for other in Right}
    kept_out = gate(rita())
    with pytest.raises(Forbidden, match=f"^{message}$"):
        kept_out.write(ruled(rules(**others)), use, "here")
    assert kept_out.touched == []


def test_rows_are_for_those_who_may_view_them() -> None:
    let_in = gate(rita())
    let_in.rows(ruled(AudienceAccess(view=ALL)), "here")
    assert let_in.touched == [Touch("item", "", Use.ROWS, "here")]
    with pytest.raises(Forbidden, match=r"^there: you may not view items\.$"):
        let_in.rows(ruled(digest="shut"), "there")


def test_names_pass_one_by_one_and_are_kept_in_their_order() -> None:
    let_in = gate(rita())
    let_in.names(STAFF, [NAME, field("first_name")], Use.FILTER, "here")
    let_in.name(STAFF, "version", Use.VERSION, "there")
    let_in.again([Touch("other", "x", Use.SELECT, "before")])
    assert let_in.touched == [
        Touch("item", "name", Use.FILTER, "here"),
        Touch("item", "first_name", Use.FILTER, "here"),
        Touch("item", "version", Use.VERSION, "there"),
        Touch("other", "x", Use.SELECT, "before"),
    ]
    assert let_in.seen(STAFF, [PAY, NAME]) == [NAME]
    assert len(let_in.touched) == 4


def test_a_refused_name_is_told_as_the_api_calls_it_with_its_place() -> None:
    pay, name = field("monthly_pay"), field("first_name")
    access = Access(
        AudienceAccess(view=ALL), fields={"monthly_pay": {"agent": BETA}}, writes={"first_name": {"agent": BETA}}
    )
    staff = module(fields=(pay, name), access=access)
    refused = r"^here: you may not use the field monthlyPay of items\.$"
    with pytest.raises(Forbidden, match=refused):
        gate(rita()).name(staff, pay, Use.ORDER, "here")
    with pytest.raises(Forbidden, match=refused):
        gate(rita()).names(staff, [name, pay], Use.ORDER, "here")
    with pytest.raises(Forbidden, match=refused):
        gate(rita()).link(staff, replace(pay, by_column="c_monthly_pay"), staff, "here")
    with pytest.raises(Forbidden, match=r"^here: you may not give the field firstName of items a value\.$"):
        gate(rita()).name(staff, name, Use.WRITE, "here")
    let_in = gate(rita(BETA_RW))
    let_in.name(staff, name, Use.WRITE, "here")
    let_in.name(staff, "version", Use.WRITE, "here")
    let_in.link(staff, replace(pay, by_column="c_monthly_pay"), staff, "here")
    assert [touch.name for touch in let_in.touched] == ["first_name", "version"]


def test_a_relation_needs_the_rows_of_the_table_between() -> None:
    relation = Relation("link", "other", PLACE, through="between")
    with pytest.raises(Forbidden, match=r"^here: you may not view betweens\.$"):
        gate(rita()).relation(STAFF, relation, Use.FILTER, "here")
    let_in = gate(rita(BETA_RW))
    let_in.relation(STAFF, relation, Use.FILTER, "here")
    assert let_in.touched == [Touch("item", "link", Use.FILTER, "here"), Touch("between", "", Use.ROWS, "here")]
    direct = gate(rita())
    direct.relation(STAFF, replace(relation, through=None), Use.SELECT, "here")
    assert direct.touched == [Touch("item", "link", Use.SELECT, "here")]
