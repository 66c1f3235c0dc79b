"""Noticing that module files changed: inotify through watchfiles, polling where that fails, folders that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import watchfiles

# Editors write a file in several steps. A change is passed on when nothing more happened for a step, or after the
# debounce time at the latest, so that a stream of saves cannot hold a reload back for ever.
STEP_MS = 6
DEBOUNCE_MS = 40
# How often folders are looked at that do not exist yet, or that a symbolic link may swap as a whole.
FOLDER_CHECK_S = 0.25
POLL_S = 0.25

_log = logging.getLogger("lambdesk.modules")


async def watch(
    folders: Sequence[Path], changed: Callable[[], object], *, stop: asyncio.Event, force_polling: bool = False
) -> None:
    """Call `changed` whenever something below the folders may have changed, until `stop` is set.

    Folders may be missing, appear later, vanish, or be symbolic links that are pointed elsewhere. Where inotify is
    refused (no watches left, some network file systems) the folders are polled instead, and the log says so.
    """
    polling = force_polling
    while not stop.is_set():
        identity = _identity(folders)
        present = [folder for folder in folders if folder.is_dir()]
        moved = asyncio.Event()
        guard = asyncio.create_task(_guard(folders, identity, moved, stop))
        try:
            if present:
                async for _ in _changes(present, moved, polling=polling):
                    changed()
            else:
                await moved.wait()
        except OSError as error:
            if polling:
                raise
            _log.warning(
                "watching the module folders failed (%s); polling them instead", error.strerror or "no reason given"
            )
            polling = True
        finally:
            guard.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await guard
        if not stop.is_set():
            changed()


async def _changes(folders: Sequence[Path], stop: asyncio.Event, *, polling: bool) -> AsyncIterator[object]:
    async for change in _poll(folders, stop) if polling else _notified(folders, stop):
        yield change


async def _notified(folders: Sequence[Path], stop: asyncio.Event) -> AsyncIterator[object]:
    """Wait for inotify in a thread. `awatch` of watchfiles does the same by way of anyio, whose import takes 35 ms of a start."""
    loop = asyncio.get_running_loop()
    news, ended = asyncio.Event(), threading.Event()
    thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
    listening = loop.run_in_executor(thread, _listen, folders, ended, lambda: loop.call_soon_threadsafe(news.set))
    listening.add_done_callback(lambda _: news.set())
    stopping = asyncio.ensure_future(stop.wait())
    stopping.add_done_callback(lambda _: news.set())
    try:
        while True:
            await news.wait()
            news.clear()
            if stop.is_set():
                return
            if listening.done():
                listening.result()
                return
            yield None
    finally:
        ended.set()
        stopping.cancel()
        listening.cancel()  # the thread itself ends within a step, perhaps after the event loop
        thread.shutdown(wait=False)


def _listen(folders: Sequence[Path], ended: threading.Event, tell: Callable[[], object]) -> None:
    """Call `tell` at every change until `ended` is set. Raises OSError where inotify is refused."""
    for _ in watchfiles.watch(
        *folders,
        watch_filter=None,  # a Kubernetes swap renames `..data`, which the usual filters would hide
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        stop_event=ended,
        raise_interrupt=False,
        force_polling=False,
        ignore_permission_denied=True,
    ):
        tell()


async def _poll(folders: Sequence[Path], stop: asyncio.Event) -> AsyncIterator[object]:
    """Look at every file again and again. The polling of watchfiles sees whole seconds only, and misses quick saves."""
    seen = await asyncio.to_thread(_fingerprint, folders)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_S)
        now = await asyncio.to_thread(_fingerprint, folders)
        if now != seen:
            seen = now
            yield now


def _fingerprint(folders: Sequence[Path]) -> dict[str, tuple[int, ...] | None]:
    found: dict[str, tuple[int, ...] | None] = {}
    waiting = [str(folder) for folder in folders]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            found[folder] = None
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                found[entry.path] = _stamp(entry)
    return found


def _stamp(entry: os.DirEntry[str]) -> tuple[int, ...] | None:
    try:
        status = entry.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


async def _guard(
    folders: Sequence[Path], identity: tuple[object, ...], moved: asyncio.Event, stop: asyncio.Event
) -> None:
    """Set `moved` when a folder appears, vanishes or becomes another one, or when everything stops."""
    while not stop.is_set() and _identity(folders) == identity:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), FOLDER_CHECK_S)
    moved.set()


def _identity(folders: Sequence[Path]) -> tuple[object, ...]:
    return tuple(_inode(folder) for folder in folders)


def _inode(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)  # noqa: PTH116 - follows links on purpose: a swapped link is another folder
    except OSError:
        return None
    return status.st_dev, status.st_ino
