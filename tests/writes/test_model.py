"""Random creates, changes and removals of rows of every kind, against a plain Python model of the same rows."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.counts import count
from tests.writes.conftest import open_desk
from tests.writes.world import Desk, Place, fresh

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
SAFE_INTS = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SAFE_INTS | st.floats(allow_nan=False, allow_infinity=False, width=32) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z")
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "story": TEXT,
    "notes": TEXT,
    "amount": st.integers(-(2**31), 2**31 - 1),
    "big": SAFE_INTS,
    "ratio": st.floats(allow_nan=False, allow_infinity=False),
    # As many digits as SQLite's floats keep.
    "price": st.integers(-(10**11), 10**11).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
    "active": st.booleans(),
    "day": st.dates().map(str),
    "clock": st.times().map(lambda moment: moment.replace(microsecond=0).isoformat()),
    "moment": MOMENTS,
    "span": st.sampled_from(["PT0S", "PT1S", "-P1DT1H", "P400D"]),
    "grade": st.sampled_from(["LOW", "HIGH"]),
    "marks": st.lists(st.sampled_from(["RED", "BLUE"]), unique=True, max_size=2),
    "owner": st.just({"databaseId": 1}),
    "tint": st.sampled_from(["#fff", "red", ""]),
    "extra": JSON,
    "config": JSON,
}
ROW = st.fixed_dictionaries({}, optional={name: st.none() | kind for name, kind in KINDS.items()})
STEPS: st.SearchStrategy[list[tuple[str, int, dict[str, Any]]]] = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.just(0), ROW),
        st.tuples(st.just("update"), st.integers(0, 5), ROW),
        st.tuples(st.just("delete"), st.integers(0, 5), st.just({})),
    ),
    min_size=1,
    max_size=6,
)
SHOWN = " ".join(name if name != "owner" else "owner { databaseId }" for name in KINDS)


@given(STEPS)
@settings(
    max_examples=count(12, 1_000), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_rows_hold_what_a_plain_model_holds(place: Place, steps: list[tuple[str, int, dict[str, Any]]]) -> None:
    asyncio.run(play(place, steps))


async def play(place: Place, steps: list[tuple[str, int, dict[str, Any]]]) -> None:
    desk = await open_desk(place)
    try:
        model: dict[str, dict[str, Any]] = {}
        for deed, number, row in steps:
            await step(desk, model, deed, number, row)
        for key, wanted in model.items():
            found = (await desk.ask(f"query($k: GadgetKey!) {{ gadget(by: $k) {{ {SHOWN} }} }}", {"k": {"id": key}}))[
                "gadget"
            ]
            assert found == {**dict.fromkeys(KINDS), **{name: shown(name, value) for name, value in wanted.items()}}
    finally:
        await desk.database.close()


async def step(desk: Desk, model: dict[str, dict[str, Any]], deed: str, number: int, row: dict[str, Any]) -> None:
    """Do one thing to the desk and to the model."""
    if deed == "create":
        model[(await desk.made("Gadget", {"name": fresh("model"), **row}, "id"))["id"]] = dict(row)
        return
    key = list(model)[number] if number < len(model) else None
    if key is None:
        return
    if deed == "update":
        assert (await desk.write("updateGadget", {"key": {"id": key}, "patch": row}))["errors"] == []
        model[key].update(row)
    else:
        assert (await desk.write("deleteGadget", {"key": {"id": key}}))["errors"] == []
        del model[key]


def shown(name: str, value: Any) -> Any:
    """Write a value as the API answers it."""
    if name == "price" and value is not None:
        text = value.rstrip("0").rstrip(".")
        return "0" if text in {"", "-0"} else text
    return value
