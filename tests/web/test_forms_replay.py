"""Every form writes by GraphQL alone: what it sends, sent to `/graphql` of a copy of the desk, makes the same of it, row for row.

The copy is taken when the form is shown. Two desks that were furnished one after the other would not do: a form says which version of a
row it is about, and a version is a digest of the row with the moment of its change. A second later it is another one, and a conflict.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.routing import Mount, Route

from schema.spec import Audience
from tests.web.every_form import DESK, FORMS, OTHERS, WORKSHOP, Form, Furnishing
from tests.web.two_desks import Now, Worlds, answer_of, open_worlds

PAGES = Path(__file__).parent.parent.parent / "web" / "pages"
WORKSHOP_ROUTES = "/admin/modules"  # they need no modules but their own, and reload them all the time
NOT_TAKEN = 405
pytestmark = pytest.mark.asyncio(loop_scope="module")


def named(at_workshop: bool) -> list[object]:
    return [
        pytest.param(form, id=f"{route} {name}")
        for route, forms in FORMS.items()
        for name, form in forms.items()
        if route.startswith(WORKSHOP_ROUTES) == at_workshop
    ]


@asynccontextmanager
async def opened(factory: pytest.TempPathFactory, furnishing: Furnishing) -> AsyncIterator[Worlds]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with open_worlds(factory.mktemp("worlds"), monkeypatch, furnishing) as found:
            yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    async with opened(tmp_path_factory, DESK) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshops(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    async with opened(tmp_path_factory, WORKSHOP) as found:
        yield found


@pytest.mark.parametrize("form", named(at_workshop=True))
async def test_what_a_form_about_modules_writes_anybody_may_write(workshops: Worlds, form: Form) -> None:
    await check(workshops, form)


@pytest.mark.parametrize("form", named(at_workshop=False))
async def test_what_a_form_writes_anybody_may_write(desks: Worlds, form: Form) -> None:
    await check(desks, form)


async def check(worlds: Worlds, form: Form) -> None:
    await worlds.begin(form)
    before, since = worlds.one.rows(), time.time() - 1
    await worlds.submit(form)
    answers = await worlds.replay(form)
    now = Now(since, time.time() + 1)
    assert [name for item in worlds.sent for name in item.mutations] == list(form.sends)
    assert {item.login for item in worlds.sent} <= {form.who}
    for item, answer in answers:
        assert (answer.get("errors") or [{"message": ""}])[0]["message"] == item.problem, item.document
        assert answer_of(answer.get("data"), now) == answer_of(item.data, now), item.document
    wrong = worlds.differences(now)
    assert not wrong, "\n".join(wrong)
    assert not form.sends or worlds.one.rows() != before


async def test_every_address_that_takes_a_form_is_in_the_table(desks: Worlds) -> None:
    """Also one that a script alone sends; what is no form is named with its reason."""
    taken: set[str] = set()
    async with desks.one.desk.connect() as client:
        for route in desks.one.desk.app.routes:
            if isinstance(route, Route | Mount):
                path = re.sub(r"\{\w+(:\w+)?\}", "x", route.path)
                if (await client.post(f"{path}/x" if isinstance(route, Mount) else path)).status_code != NOT_TAKEN:
                    taken.add(route.path)
    assert "/graphql" not in taken  # it is found before all routes
    assert not set(FORMS) & set(OTHERS)
    assert taken == {*FORMS, *OTHERS}
    assert all(FORMS.values())


async def test_every_mutation_that_pages_name_is_sent_by_a_form_of_the_table(desks: Worlds) -> None:
    known: set[str] = set()
    for audience in Audience:
        mutation = desks.one.desk.live.snapshot().schema_for(audience).mutation_type
        known |= set(mutation.fields) if mutation else set()
    words = {word for path in PAGES.glob("*.py") for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    assert known & words <= {name for forms in FORMS.values() for form in forms.values() for name in form.sends}
