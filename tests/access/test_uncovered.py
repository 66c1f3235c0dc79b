"""What the proof of writes lets differ between two worlds: rows that a write brought into sight, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.access.model import ROLES, Desk, empty_desk
from tests.access.test_writes import Both
from tests.access.uncovered import shown, told, uncovered
from tests.access.worlds import base, change, run_alone
from tests.databases import DIALECTS, fresh_url

TWICE = ROLES["twice"]
GIVE = 'mutation { m: updateJob(input: {key: {databaseId: 1}, patch: {company: "bolt"}}) { errors { code } } }'


def dark() -> Desk:
    """A job of hers, of a company that is not hers: she does not see its one note."""
    desk = base()
    desk.rows["w_note"] = {1: {"id": 1, "job_id": 1, "text": "red", "is_inner": 0, "create_by": 11}}
    desk.of("job")[1] |= {"buyer_login": "cyril", "company": "gone-co", "internal": 0}
    desk.changes[2] = change("note", 1, 1, {"text": [None, "red"]})
    return desk


def given(desk: Desk) -> Desk:
    """The desk after she gave the job another company."""
    found = copy.deepcopy(desk)
    found.of("job")[1]["company"] = "bolt"
    return found


def test_a_row_that_is_seen_since_a_write_may_differ_with_its_past() -> None:
    one, two = dark(), dark()
    two.of("note")[1]["text"] = "blue"
    two.changes.pop(2)
    assert shown(TWICE, one) == shown(TWICE, two)
    assert shown(TWICE, given(one)) != shown(TWICE, given(two))
    assert told(TWICE, one, given(one)) == told(TWICE, two, given(two))
    assert {module: keys for module, keys in uncovered(TWICE, one, given(one)).items() if keys} == {"note": {1}}


def test_a_row_that_was_seen_before_may_not_differ() -> None:
    one, two = dark(), dark()
    after = given(two)
    after.of("job")[1]["title"] = "something else"
    assert told(TWICE, one, given(one)) != told(TWICE, two, after)


@pytest.mark.parametrize("key", [1, 2])  # one that was there, a new one
def test_a_row_that_the_write_itself_wrote_may_not_differ(key: int) -> None:
    one = dark()
    after = given(one)
    after.of("note")[key] = {**one.of("note")[1], "id": key, "text": "written"}
    assert told(TWICE, one, given(one)) != told(TWICE, one, after)


@pytest.fixture(params=DIALECTS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with fresh_url(request.param) as one, fresh_url(request.param) as two:
        places = [run_alone(url, tmp_path_factory.mktemp("modules"), empty_desk()) for url in (one, two)]
        found = Both(TWICE, request.param, *places)
        yield found
        found.close()


def test_worlds_that_a_write_made_differ_in_sight_are_made_anew(both: Both) -> None:
    one, two = dark(), dark()
    two.of("note").clear()
    both.start(one, two)
    assert both.send(GIVE) == []
    assert both.met["uncovered"] == 1
    assert both.wrote == []
    assert shown(TWICE, both.desks[0]) == shown(TWICE, both.desks[1])


def test_worlds_in_which_a_write_did_something_else_are_refused(both: Both) -> None:
    both.start(dark(), dark())
    assert both.send(GIVE) == []  # what came into sight is the same in both
    assert (both.met["uncovered"], len(both.wrote)) == (0, 1)
    two = copy.deepcopy(both.desks[1])
    two.of("note")[1]["text"] = "blue"
    with pytest.raises(AssertionError, match=r"note 1: \[1, 'blue', 0\]"):
        both.compare(GIVE, [both.desks[0], two])
