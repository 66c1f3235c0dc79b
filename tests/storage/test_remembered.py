"""What is remembered is made once, never more than there is room for, and nothing is not remembered."""

from __future__ import annotations

from storage.remembered import Remembered


def test_what_is_known_is_not_made_again_and_a_full_table_begins_anew() -> None:
    made: list[int] = []

    def double(value: int) -> int | None:
        made.append(value)
        return 2 * value or None

    known = Remembered(double, 3)
    assert [known[value] for value in (1, 2, 1, 3, 2, 1)] == [2, 4, 2, 6, 4, 2]
    assert made == [1, 2, 3]
    assert [known[value] for value in (0, 0)] == [None, None]
    assert made == [1, 2, 3, 0, 0]
    assert len(known) == 3
    assert (known[4], dict(known)) == (8, {4: 8})
