"""A running server builds the full-text index and keeps it current; the command line says how far it is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from storage.text_rows import COMPLETE
from tests.databases import DIALECTS, fresh_url
from tests.web.real import Desk, open_desk
from web import search_command
from web.cli import make_parser

PATIENCE_S = 60.0
MANUAL = """\
module: {name: manual, plural_name: manuals, table: manual}
search: {full_text: true}
fields:
  - {name: title, type: string, label: Title, searchable: true}
  - {name: text, type: text, label: Text, searchable: true}
"""
CREATE = (
    "mutation ($t: String) { createManual(input: {manual: {title: $t}}) { manual { databaseId } errors { code } } }"
)
UPDATE = """mutation ($k: Int!, $t: String) {
  updateManual(input: {key: {databaseId: $k}, patch: {title: $t}}) { errors { code } }
}"""
DELETE = "mutation ($k: Int!) { deleteManual(input: {key: {databaseId: $k}}) { errors { code } } }"


async def find(desk: Desk, text: str) -> list[str]:
    data = await desk.data("query ($s: String) { manuals(search: $s) { nodes { title } } }", s=text)
    return [node["title"] for node in data["manuals"]["nodes"]]


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not await what():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def told(desk: Desk, *arguments: str) -> Any:
    return await search_command.search(desk.live.settings, make_parser().parse_args(["search", *arguments]))


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_written_is_found_and_what_is_gone_is_not(dialect: str, tmp_path: Path) -> None:
    with fresh_url(dialect) as url:
        async with open_desk(url, tmp_path, {"manual": MANUAL}) as desk:
            texts = desk.live.texts
            assert texts is not None
            made = (await desk.data(CREATE, t="Coffee machine"))["createManual"]
            assert made["errors"] == []
            key = made["manual"]["databaseId"]

            async def is_complete() -> bool:
                return bool(texts.ready)

            async def is_found() -> bool:
                return await find(desk, "coff MACH") == ["Coffee machine"]

            await until(is_complete)
            await until(is_found)
            assert await find(desk, "achine") == [], "the index knows words by how they begin"

            async def is_found_anew() -> bool:
                return await find(desk, "tea") == ["Teapot"]

            await desk.data(UPDATE, k=key, t="Teapot")
            await until(is_found_anew)
            assert await find(desk, "coffee") == []

            await desk.data(DELETE, k=key)
            assert await find(desk, "tea") == []

            async def is_gone() -> bool:
                return not await desk.live.texts.database.fetch("SELECT * FROM lambdesk_text")  # type: ignore[union-attr] # it is there

            await until(is_gone)


async def test_the_command_line_says_how_far_the_index_is(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"manual": MANUAL}) as desk:
            texts = desk.live.texts
            assert texts is not None

            async def is_complete() -> bool:
                return bool(texts.ready)

            await until(is_complete)
            found = await told(desk)
            assert (found.text, found.code) == ("manual: complete, 0 of 0 rows (100 %)", 0)

            slot = next(iter(texts.ready.values()))
            again = await told(desk, "--rebuild")
            assert [row["state"] for row in again.data][:1] == [COMPLETE], "the old one serves meanwhile"

            async def is_another() -> bool:
                return bool(texts.ready) and slot not in texts.ready.values()

            await until(is_another)


async def test_without_a_server_there_is_no_index(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {}) as desk:
            found = await told(desk)
            assert found.code == 1
            assert found.text.startswith("Nothing is in the full-text index.")
