"""The event stream of pages: it tells of what its caller sees, and ends with his session and with the modules that it began with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DIALECTS, fresh_url
from tests.web.browsing import Browser, browsing
from tests.web.desk_at_work import AGENT, at_work, signed_in
from tests.web.oneself import browsing_as, fill
from tests.web.real import ROOM, Desk, open_desk
from tests.web.streams import Stream, listening

pytestmark = pytest.mark.timed

# Agents see the rows that they keep or are the boss of.
OWNED = """\
module: {name: desk, plural_name: desks, table: desk, plural: Desks}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true}
  - {name: place, type: string, label: Place}
  - {name: keeper, type: string, label: Keeper}
  - {name: boss, type: string, label: Boss}
access: {agent: {view: true, rows: {or: [{keeper: {eq: $me.login}}, {boss: {eq: $me.login}}]}}}
"""


@pytest.fixture(params=DIALECTS)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url(request.param) as url:
        async with open_desk(url, tmp_path, {"room": ROOM, "desk": OWNED}) as found:
            await fill(found)
            yield found


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM, "desk": OWNED}) as found:
            await fill(found)
            yield found


@pytest.fixture
async def browser(small: Desk) -> AsyncIterator[Browser]:
    async with browsing(small) as found:
        yield found


async def create(desk: Desk, name: str, **more: Any) -> str:
    made = await desk.data(
        "mutation ($room: RoomCreate!) { createRoom(input: {room: $room}) { room { id } errors { code } } }",
        room={"name": name, **more},
    )
    assert made["createRoom"]["errors"] == []
    return str(made["createRoom"]["room"]["id"])


async def change(desk: Desk, row: str, **patch: Any) -> None:
    await desk.data(
        "mutation ($id: ID!, $patch: RoomPatch!) { updateRoom(input: {key: {id: $id}, patch: $patch}) { errors { code } } }",
        id=row,
        patch=patch,
    )


async def begun(stream: Stream) -> None:
    name, _ = await stream.event()
    assert name == "ready"
    await asyncio.sleep(0.3)  # until what it watches is followed


async def test_a_change_of_what_is_watched_is_told_once_a_second(small: Desk, browser: Browser) -> None:
    row = await create(small, "Attic", seats=3)
    async with listening(small, browser.client, "/modules/room") as stream:
        await begun(stream)
        start = time.monotonic()
        for seats in range(30):
            await change(small, row, seats=seats)
        took = time.monotonic() - start
        await asyncio.sleep(1.5)
        told = [stream.events.get_nowait() for _ in range(stream.events.qsize())]
        assert set(told) == {("changed", "/modules/room")}
        assert 2 <= len(told) <= took + 3
        await stream.silence(1)


async def test_a_list_is_told_of_rows_of_its_filter_alone(small: Desk, browser: Browser) -> None:
    row = await create(small, "Attic", seats=3)
    watch = "/modules/room?f.seats.gt=10"
    async with listening(small, browser.client, watch) as stream:
        await begun(stream)
        await change(small, row, seats=4)
        await stream.silence(1.2)
        await change(small, row, seats=11)  # it comes
        assert await stream.event() == ("changed", watch)
        await asyncio.sleep(1)
        await change(small, row, seats=5)  # and leaves
        assert await stream.event() == ("changed", watch)


async def test_what_happened_between_the_page_and_its_stream_is_told(small: Desk, browser: Browser) -> None:
    await create(small, "Attic")
    async with listening(small, browser.client, "/modules/room", age=5_000) as stream:
        assert (await stream.event())[0] == "ready"
        assert await stream.event() == ("changed", "/modules/room")
    await asyncio.sleep(0.2)
    async with listening(small, browser.client, "/modules/room", age=0) as stream:
        assert (await stream.event())[0] == "ready"
        await stream.silence(0.5)


async def test_a_row_that_the_caller_may_not_see_causes_no_event(desk: Desk) -> None:
    made = await desk.data(
        'mutation { createDesk(input: {desk: {name: "D", keeper: "bob", boss: "root@localhost"}}) { desk { id } errors { code } } }'
    )
    row = made["createDesk"]["desk"]["id"]
    patch = "mutation ($id: ID!, $patch: DeskPatch!) { updateDesk(input: {key: {id: $id}, patch: $patch}) { errors { code } } }"
    watches = ("/modules/desk", f"/modules/desk/{row}", "/modules/desk?f.keeper=bob")
    async with browsing_as(desk, "ada") as ada, listening(desk, ada.client, *watches, age=9_000) as stream:
        await begun(stream)
        await desk.data(patch, id=row, patch={"place": "cellar"})
        await stream.silence(2.5)  # also the other process's way, and that of OTRS
        await desk.data(patch, id=row, patch={"keeper": "ada"})  # handed over to her
        told = {await stream.event(), await stream.event()}
        assert told == {("changed", "/modules/desk"), ("changed", f"/modules/desk/{row}")}
        await asyncio.sleep(1)
        await desk.data(patch, id=row, patch={"keeper": "bob"})  # and taken away
        assert {await stream.event(), await stream.event()} == told
        await asyncio.sleep(1)
        await desk.data(patch, id=row, patch={"place": "attic"})
        await stream.silence(1.5)


@pytest.mark.parametrize(
    "watch",
    [
        "/modules/nothing",
        "/modules/room/nothing",
        "/modules/room/x/related/nothing",
        "/elsewhere",
        "",
        "//evil.example/modules/room",
        "/modules/room/x/y/z/w",
        "/modules/room?" + "&".join(f"f.seats={n}" for n in range(400)),
        "/modules/%00",
    ],
)
async def test_what_nobody_can_watch_is_passed_over(small: Desk, browser: Browser, watch: str) -> None:
    async with listening(small, browser.client, watch, "/modules/room") as stream:
        await begun(stream)
        await create(small, "Attic")
        assert await stream.event() == ("changed", "/modules/room")
        await stream.silence(0.5)


async def test_a_stream_ends_with_its_session(small: Desk, browser: Browser) -> None:
    async with listening(small, browser.client, "/modules/room") as stream:
        await begun(stream)
        page = await browser.get("/")
        await browser.send(page, page.form("/logout"))
        await create(small, "Attic")
        assert await stream.event() == ("signed-out", "")
        await asyncio.wait_for(stream.has_ended.wait(), 30)
    assert small.live.sockets == 0


async def test_an_idle_stream_ends_with_its_session_too(
    small: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.recognition.WATCH_S", 0.3)
    async with listening(small, browser.client, "/modules/room") as stream:
        await begun(stream)
        page = await browser.get("/")
        await browser.send(page, page.form("/logout"))
        assert await stream.event() == ("signed-out", "")


async def test_other_modules_end_the_stream_with_a_word(small: Desk, browser: Browser) -> None:
    async with listening(small, browser.client, "/modules/room") as stream:
        name, version = await stream.event()
        assert (name, version) == ("ready", small.live.registry.snapshot.version)
        (small.site / "room.yaml").write_text(ROOM + "  - {name: floor, type: int, label: Floor}\n")
        await small.live.registry.reload()  # type: ignore[attr-defined] # the whole registry is there
        assert (await stream.event())[0] == "schema"
        await asyncio.wait_for(stream.has_ended.wait(), 30)


async def test_who_is_not_signed_in_gets_no_stream(small: Desk) -> None:
    async with small.connect(**{"sec-fetch-site": "same-origin"}) as client:
        answer = await client.get("/live?w=/modules/room")
        assert (answer.status_code, answer.headers["location"][:7]) == (303, "/login?")


async def test_streams_count_among_what_may_be_open(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, sockets=1) as desk, browsing(desk) as browser:
            async with listening(desk, browser.client, "/modules/room") as first:
                await begun(first)
                assert (await browser.client.get("/live?w=/modules/room")).status_code == 503
            assert desk.live.sockets == 0


async def test_the_page_of_a_ticket_says_who_changed_it_meanwhile(tmp_path: Path) -> None:
    async with at_work(tmp_path) as desk, signed_in(desk, AGENT) as agent:
        found = await desk.data(
            '{ tickets(first: 1, filter: {queue: {group: {name: {eq: "support"}}}}) { nodes { id } } }'
        )
        row = found["tickets"]["nodes"][0]["id"]
        place = (await agent.get(f"/modules/ticket/{row}")).main.one(id="meanwhile").attributes
        assert place["data-live"] == f"/modules/ticket/{row}"
        headers = {"hx-request": "true", "lambdesk-live": "1"}
        assert (await agent.get(place["data-live-get"], **headers)).text == ""

        patch = (
            'mutation ($id: ID!) { updateTicket(input: {key: {id: $id}, patch: {title: "New"}}) { errors { code } } }'
        )
        async with listening(desk, agent.client, place["data-live"]) as stream:
            await begun(stream)
            await desk.data(patch, id=row)
            assert await stream.event() == ("changed", place["data-live"])
        told = (await agent.get(place["data-live-get"], **headers)).text
        assert told.startswith("Changed meanwhile by root@localhost, just now.")


async def test_every_page_says_once_what_it_has_to_say(browser: Browser) -> None:
    """Two regions of the same name would leave the scripts without the version that they hold against the stream's."""
    for path in ("/", "/modules/room", "/profile"):
        region = (await browser.get(path)).one(id="said")
        assert region.attributes["aria-live"] == "polite"
        assert region.attributes["data-version"]
        assert region.attributes["data-signed-out"].startswith("You are signed out")
