"""Where a module file belongs in the folders, and how one is put there: alone, and whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from schema.layers import FOLDER_DEPTH_LIMIT, SUFFIXES, is_skipped, labels
from schema.source import read

LOCK_WAIT_S = 2.0
_LOCK_PAUSE_S = 0.02


class Busy(Exception):
    """Somebody else has been publishing all the time; nothing was written."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a source belongs: the module that it names, its path, and the path as the operator knows it."""

    name: str | None
    path: Path
    shown: str


def place(folders: Sequence[Path], data: bytes, file: str | None = None) -> Placed:
    """Say where a source belongs: at `file`, a display path, or under the module's name in the top folder.

    Raises `LookupError` when `file` is no place for a module file.
    """
    name = read(file or "draft.yaml", data).name
    path = place_of(folders, file) if file else folders[-1] / f"{name or 'draft'}.yaml"
    return Placed(name, path, file or display(folders, path))


def display(folders: Sequence[Path], path: Path) -> str:
    """Return the path of a file in the top folder as the operator knows it: the folder's label, then the path below it."""
    return f"{labels(folders)[-1]}/{path.relative_to(folders[-1])}"


def place_of(folders: Sequence[Path], shown: str) -> Path:
    """Find the real path behind a display path. Raises `LookupError` when no module file could be there.

    A path that leads out of its folder, also by a link, is none; nor is one that would not be noticed.
    """
    for folder, label in zip(folders, labels(folders), strict=True):
        rest = shown.removeprefix(f"{label}/")
        if rest != shown and _is_plain(rest) and (folder / rest).resolve().is_relative_to(folder.resolve()):
            return folder / rest
    raise LookupError(f"{shown} lies in none of the module folders.")


def _is_plain(rest: str) -> bool:
    parts = rest.split("/")
    return (
        rest.isprintable()
        and len(parts) <= FOLDER_DEPTH_LIMIT
        and all(part and not is_skipped(part) for part in parts)
        and rest.endswith(SUFFIXES)
    )


def write_draft(path: Path, data: bytes) -> Path:
    """Write what is to become a file beside it, safely on the disk; renaming it then shows old or new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    draft = Path(temporary)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        draft.chmod(0o644)
    except BaseException:
        remove_draft(draft)
        raise
    return draft


def remove_draft(draft: Path) -> None:
    """Take a draft away again."""
    with contextlib.suppress(OSError):
        draft.unlink()


def digest_of(path: Path) -> str:
    """Return the digest of a file as kept versions have it; empty where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """Hold a folder while something is published into it, against other processes too. Raises `Busy`."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # it is made when the file is written
        yield
        return
    try:
        until = time.monotonic() + LOCK_WAIT_S
        while not _lock(handle):
            if time.monotonic() > until:
                raise Busy
            await asyncio.sleep(_LOCK_PAUSE_S)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks; there the basis is compared all the same
        return True
    return True
