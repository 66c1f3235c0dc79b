"""Module files are checked, published and rolled back through the API; an answer without errors means that the file serves."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schema.placing import digest_of
from schema.ports import Refusal
from schema.source import SIZE_LIMIT_BYTES
from storage.errors import Unavailable
from storage.library import Library
from tests.databases import DIALECTS, fresh_url
from tests.web.real import ROOM, Desk, open_desk

PUBLISH = """
mutation ($input: PublishModuleInput!) {
  publishModule(input: $input) {
    module { name state } file version problems { code line } changes { kind description } clientMutationId
    errors { code message path messageKey params }
  }
}
"""
ROLL_BACK = """
mutation ($input: RollbackModuleInput!) {
  rollbackModule(input: $input) { file version errors { code messageKey path } }
}
"""
VERSIONS = '{ moduleVersions(name: "room") { id file digest author createdAt source } }'
WIDER = ROOM.replace("access:", "  - {name: floor, type: int, label: Floor}\naccess:")
NARROWER = "\n".join(line for line in ROOM.splitlines() if "seats" not in line) + "\n"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as found:
            yield found


async def publish(desk: Desk, source: str, **more: Any) -> Any:
    return (await desk.data(PUBLISH, input={"source": source, **more}))["publishModule"]


def codes(payload: Any) -> list[tuple[str, str]]:
    return [(error["code"], error["messageKey"]) for error in payload["errors"]]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_published_serves_the_next_request(dialect: str, tmp_path: Path) -> None:
    with fresh_url(dialect) as url:
        async with open_desk(url, tmp_path, {"room": ROOM}) as desk:
            done = await publish(desk, WIDER, clientMutationId="m1")

            assert done["errors"] == []
            assert done["module"] == {"name": "room", "state": "LIVE"}
            assert (done["file"], done["clientMutationId"]) == ("site/room.yaml", "m1")
            assert {"kind": "ADDED", "description": "Field Room.floor was added."} in done["changes"]
            assert await desk.data("{ rooms { nodes { floor } } schemaVersion }") == {
                "rooms": {"nodes": []},
                "schemaVersion": done["version"],
            }

            back = (await desk.data(ROLL_BACK, input={"name": "room", "allowBreaking": True}))["rollbackModule"]
            assert (back["file"], back["errors"]) == ("site/room.yaml", [])
            assert (desk.site / "room.yaml").read_text() == ROOM
            assert "errors" in await desk.ask("{ rooms { nodes { floor } } }")
            kept = (await desk.data(VERSIONS))["moduleVersions"]
            assert [(item["author"], item["source"]) for item in kept] == [
                ("root@localhost", ROOM),
                ("root@localhost", WIDER),
                ("file", ROOM),
            ]
            assert kept[0]["digest"] == digest_of(desk.site / "room.yaml")


async def test_a_check_writes_nothing(desk: Desk) -> None:
    query = "query ($source: String!, $file: String) { checkModule(source: $source, file: $file) { file problems { code line } changes { kind } } }"

    good = (await desk.data(query, source=WIDER))["checkModule"]
    bad = (await desk.data(query, source=WIDER.replace("type: int", "type: itn")))["checkModule"]
    large = (await desk.data(query, source="#" * (SIZE_LIMIT_BYTES + 1)))["checkModule"]
    elsewhere = await desk.ask(query, source=WIDER, file="site/../../etc/passwd.yaml")

    assert good["file"] == "site/room.yaml"
    assert good["problems"] == []
    assert {change["kind"] for change in good["changes"]} == {"ADDED"}
    assert [(problem["code"], problem["line"]) for problem in bad["problems"]] == [
        ("unknown-type", 4),
        ("unknown-type", 5),
    ]
    assert [problem["code"] for problem in large["problems"]] == ["file-too-large"]
    assert elsewhere["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert (desk.site / "room.yaml").read_text() == ROOM
    assert len((await desk.data(VERSIONS))["moduleVersions"]) == 1


async def test_what_is_broken_is_not_published(desk: Desk) -> None:
    done = await publish(desk, ROOM.replace("type: int", "type: itn"))

    assert codes(done) == [("INVALID", "module-problems")]
    assert done["problems"] == [{"code": "unknown-type", "line": 4}]
    assert (done["file"], done["version"], done["module"]) == (None, None, None)
    assert (desk.site / "room.yaml").read_text() == ROOM


async def test_what_breaks_clients_wants_to_be_allowed(desk: Desk) -> None:
    refused = await publish(desk, NARROWER)
    assert codes(refused) == [("INVALID", "module-breaking")]
    breaking = [change["description"] for change in refused["changes"] if change["kind"] == "BREAKING"]
    assert any("Room.seats" in description for description in breaking)

    done = await publish(desk, NARROWER, allowBreaking=True)
    assert codes(done) == []
    assert "errors" in await desk.ask("{ rooms { nodes { seats } } }")


async def test_a_server_that_refuses_breaking_changes_refuses_them_here_too(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"room": ROOM}, refuse_breaking=True) as desk:
            assert codes(await publish(desk, NARROWER, allowBreaking=True)) == [("INVALID", "module-breaking-refused")]


async def test_of_two_who_started_from_one_version_one_is_told_of_the_other(desk: Desk) -> None:
    version = (await desk.data("{ modules { version } }"))["modules"][0]["version"]
    drafts = [WIDER, WIDER.replace("floor", "level")]

    done = await asyncio.gather(*(publish(desk, draft, ifVersion=version) for draft in drafts))

    assert sorted(map(codes, done)) == [[], [("CONFLICT", "module-changed")]]
    winner = next(draft for draft, payload in zip(drafts, done, strict=True) if not payload["errors"])
    assert (desk.site / "room.yaml").read_text() == winner

    digest = digest_of(desk.site / "room.yaml")
    (desk.site / "room.yaml").write_text(ROOM)  # somebody with an editor
    assert codes(await publish(desk, WIDER, ifDigest=digest)) == [("CONFLICT", "module-changed")]
    assert codes(await publish(desk, WIDER, ifDigest=digest_of(desk.site / "room.yaml"))) == []


async def test_two_who_say_nothing_of_a_version_both_publish(desk: Desk) -> None:
    done = await asyncio.gather(
        publish(desk, WIDER, allowBreaking=True),
        publish(desk, ROOM.replace("name: seats", "name: places"), allowBreaking=True),
    )

    assert [codes(payload) for payload in done] == [[], []]


async def test_a_folder_that_cannot_be_written_is_an_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("schema.placing.tempfile.mkstemp", refuse)
    done = await publish(desk, WIDER)

    assert done["errors"] == [
        {
            "code": "FORBIDDEN",
            "message": "The folder of module files cannot be written (Read-only file system), so nothing was changed.",
            "path": None,
            "messageKey": "module-read-only",
            "params": {"reason": "Read-only file system"},
        }
    ]
    assert (desk.site / "room.yaml").read_text() == ROOM
    assert len((await desk.data(VERSIONS))["moduleVersions"]) == 1


async def test_a_source_or_place_that_cannot_be_is_named(desk: Desk) -> None:
    large = await publish(desk, "#" * (SIZE_LIMIT_BYTES + 1))
    outside = await publish(desk, WIDER, file="site/../room.yaml")

    assert [(error["code"], error["path"]) for error in large["errors"]] == [("LIMIT", ["source"])]
    assert [(error["path"], error["message"]) for error in outside["errors"]] == [
        (
            ["file"],
            "site/../room.yaml is no place for a module file: name one in a module folder, such as site/name.yaml.",
        )
    ]


async def test_what_is_in_place_but_does_not_serve_says_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check does not know what making tables will meet."""

    async def refuse(*_: object) -> list[Refusal]:
        return [Refusal("desk", None, "The table could not be made.")]

    monkeypatch.setattr(Library, "ensure_tables", refuse)
    done = await publish(desk, ROOM.replace("room", "desk"))

    assert codes(done) == [("CONFLICT", "module-not-live")]
    assert (done["module"], done["file"]) == ({"name": "desk", "state": "BROKEN"}, "site/desk.yaml")
    assert "table-refused" in [problem["code"] for problem in done["problems"]]


async def test_what_is_published_while_the_database_goes_away_is_no_success(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(Library, "record_versions", away)
    answer = await desk.ask(PUBLISH, input={"source": WIDER})

    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert (desk.site / "room.yaml").read_text() == ROOM
    assert [path.name for path in desk.site.iterdir()] == ["room.yaml"]


async def test_going_back_needs_a_version(desk: Desk) -> None:
    for wrong in ({"name": "room"}, {"name": "room", "version": 99}, {"name": "nothing"}):
        done = (await desk.data(ROLL_BACK, input=wrong))["rollbackModule"]
        assert done["errors"] == [{"code": "NOT_FOUND", "messageKey": "module-version", "path": ["version"]}]


async def test_versions_show_what_changed(desk: Desk) -> None:
    await publish(desk, WIDER)
    await publish(desk, WIDER.replace("Floor", "Storey"))
    query = '{ moduleVersions(name: "room", first: 2) { live: diff previous: diff(against: PREVIOUS) } }'

    newest, before = (await desk.data(query))["moduleVersions"]

    assert newest["live"] == ""
    assert newest["previous"].splitlines()[-3:-1] == before["live"].splitlines()[-3:-1]
    assert "+  - {name: floor, type: int, label: Storey}" in newest["previous"].splitlines()
    assert "+  - {name: floor, type: int, label: Floor}" in before["previous"].splitlines()
    first = (await desk.data('{ moduleVersions(name: "room") { diff(against: PREVIOUS) } }'))["moduleVersions"][-1]
    assert first["diff"].startswith("--- nothing\n+++ site/room.yaml (version ")
    assert (await desk.ask('{ moduleVersions(name: "room", first: 101) { id } }'))["errors"][0]["extensions"][
        "code"
    ] == "BAD_REQUEST"


async def test_a_module_may_not_take_the_name_of_a_mutation(desk: Desk) -> None:
    view = ROOM.replace(
        "name: room, plural_name: rooms, table: room", "name: view, plural_name: views, table: view_of_tests"
    )

    done = await publish(desk, view)

    assert codes(done) == [("INVALID", "module-problems")]
    assert [problem["code"] for problem in done["problems"]] == ["name-clash"]
