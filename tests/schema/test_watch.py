"""Changes are noticed on the real file system: every way of saving, folders that come and go, links that are swapped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schema.watch import watch

NOTICE_S = 10.0


class Bell:
    def __init__(self) -> None:
        self.rings = asyncio.Event()

    def __call__(self) -> None:
        self.rings.set()

    async def rung(self) -> None:
        await asyncio.wait_for(self.rings.wait(), NOTICE_S)
        await asyncio.sleep(0.1)  # let the echo of the same change pass
        self.rings.clear()


@asynccontextmanager
async def watching(*folders: Path, force_polling: bool = False) -> AsyncIterator[Bell]:
    bell, stop = Bell(), asyncio.Event()
    task = asyncio.create_task(watch(folders, bell, stop=stop, force_polling=force_polling))
    await asyncio.sleep(0.2)
    bell.rings.clear()
    try:
        yield bell
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


def write(path: Path) -> None:
    path.write_text("new")


def rename_over(path: Path) -> None:
    path.with_suffix(".tmp").write_text("new")
    path.with_suffix(".tmp").rename(path)


def delete_and_create(path: Path) -> None:
    path.unlink()
    path.write_text("new")


def append(path: Path) -> None:
    with path.open("a") as out:
        out.write("more")


@pytest.mark.parametrize("save", [write, rename_over, delete_and_create, append, Path.unlink])
@pytest.mark.parametrize("polling", [False, True])
async def test_every_way_of_saving_is_noticed(tmp_path: Path, save: Callable[[Path], None], polling: bool) -> None:
    file = tmp_path / "queue.yaml"
    file.write_text("old")
    async with watching(tmp_path, force_polling=polling) as bell:
        save(file)
        await bell.rung()


async def test_sub_folders_are_watched_also_new_ones(tmp_path: Path) -> None:
    async with watching(tmp_path) as bell:
        (tmp_path / "places").mkdir()
        await bell.rung()
        (tmp_path / "places" / "room.yaml").write_text("new")
        await bell.rung()


async def test_a_folder_that_appears_later_is_noticed_and_watched(tmp_path: Path) -> None:
    site = tmp_path / "site"
    async with watching(tmp_path / "modules", site) as bell:
        site.mkdir()
        await bell.rung()
        await asyncio.sleep(0.3)
        bell.rings.clear()
        (site / "asset.yaml").write_text("new")
        await bell.rung()


async def test_a_swap_as_kubernetes_does_it_is_noticed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"..2026_{number}").mkdir()
        (tmp_path / f"..2026_{number}" / "queue.yaml").write_text(str(number))
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "queue.yaml").symlink_to("..data/queue.yaml")
    async with watching(tmp_path) as bell:
        (tmp_path / "..data_tmp").symlink_to("..2026_2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        await bell.rung()
        assert (tmp_path / "queue.yaml").read_text() == "2"


async def test_a_folder_that_is_a_link_and_points_elsewhere_is_noticed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("one")
    async with watching(tmp_path / "current") as bell:
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").rename(tmp_path / "current")
        await bell.rung()
        await asyncio.sleep(0.3)
        bell.rings.clear()
        (tmp_path / "two" / "queue.yaml").write_text("new")
        await bell.rung()


async def test_watching_ends_when_told_to(tmp_path: Path) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(watch([tmp_path / "missing"], lambda: None, stop=stop))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(task, NOTICE_S)


async def test_nothing_goes_on_watching_in_the_background(tmp_path: Path) -> None:
    async with watching(tmp_path):
        assert any(thread.name.startswith("watch") for thread in threading.enumerate())
    await asyncio.sleep(0.1)
    assert not any(thread.name.startswith("watch") for thread in threading.enumerate())


async def test_polling_takes_over_where_watching_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Path, **options: object) -> object:
        raise OSError(28, "No space left on device")  # what inotify says when there are no watches left

    monkeypatch.setattr("watchfiles.watch", refuse)
    async with watching(tmp_path) as bell:
        await asyncio.sleep(0.5)
        bell.rings.clear()
        (tmp_path / "queue.yaml").write_text("new")
        await bell.rung()
