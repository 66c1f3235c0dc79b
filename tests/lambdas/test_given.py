"""What a lambda is given reaches it by every way to name it, and what it changes of it no other row sees."""

import pytest

from tests.lambdas.inside import Inside

ARGS = {"style": "long"}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return me.login;", "ann"),
        ("return m\\u0065.login;", "ann"),
        ("return arguments[2].login;", "ann"),
        ("return args.style;", "long"),
        ("return arg\\u{73}.style;", "long"),
        ("return Array.from(arguments)[1].style;", "long"),
        ("return now.toISOString();", "2026-03-01T12:00:00.000Z"),
        ("return n\\u006fw.getTime() === arguments[3].getTime();", True),
        ("const inner = () => `${me.id} ${args.style}`; return inner();", "7 long"),
    ],
)
def test_it_is_there_under_each_of_its_names(inside: Inside, source: str, value: object) -> None:
    assert inside.value(source, args=ARGS) == value


def test_each_row_has_its_own(inside: Inside) -> None:
    source = "me.groups.push('x'); args.style += '!'; now.setTime(0); return [me.groups.length, args.style, item.n];"
    rows = [{"n": 1}, {"n": 2}]

    assert [outcome.value for outcome in inside.outcomes(source, rows, args=ARGS)] == [[2, "long!", 1], [2, "long!", 2]]


def test_what_is_inside_a_reference_takes_its_place_in_any_order(inside: Inside) -> None:
    shape = [
        (("queue", "group"), ("name",)),
        (("queue",), ("group", "groupId")),
        ((), ("queue", "queue_id")),
        (("queue",), ("name",)),
    ]

    item = inside.value("return item;", ["users", 1, 7, "Raw"], shape=shape)
    assert item == {"queue": {"group": {"name": "users"}, "groupId": 1, "name": "Raw"}, "queue_id": 7}
