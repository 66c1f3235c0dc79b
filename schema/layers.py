"""The folders with module files, one layer on top of the other: which files there are, and how they are opened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from schema.problems import Place, Problem
from schema.source import SIZE_LIMIT_BYTES, Source

SUFFIXES = (".yaml", ".yml")
FOLDER_DEPTH_LIMIT = 16
LINKED_MARK = " (linked folder)"
# Hidden files and what editors put beside a file while they save it.
_SKIPPED_STARTS = (".", "#", "~")
_SKIPPED_ENDS = ("~", "#")


@dataclass(frozen=True, slots=True)
class Found:
    """A module file on disk: the layer that it is in, and its path as the operator knows it."""

    display: str
    where: str
    layer: int
    root: Path

    @property
    def path(self) -> Path:
        """Where it is; as a text while thousands are listed, because making a `Path` costs as much as asking the disk."""
        return Path(self.where)


# What a layer's folder held: where it is, what it is called, and the paths in it.
Listing: TypeAlias = tuple[Path, str, list[str]]


def scan(folders: Sequence[Path]) -> list[Found]:
    """List the module files of all layers once."""
    return Scanner().scan(folders)


class Scanner:
    """Lists module files again and again; as long as a folder holds the same names, what was made of them stays."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Listing, list[Found]]] = {}

    def scan(self, folders: Sequence[Path]) -> list[Found]:
        """List the module files of all layers, sub-folders included, in a stable order. A folder may be missing.

        A link to a folder is not followed; it is listed itself, so that somebody is told.
        """
        found: list[Found] = []
        for layer, (folder, label) in enumerate(zip(folders, labels(folders), strict=True)):
            try:
                root = folder.resolve(strict=True)
            except (OSError, RuntimeError):
                continue
            listing = root, label, list(_walk(str(root), str(root), FOLDER_DEPTH_LIMIT))
            last = self._last.get(layer)
            if last is None or last[0] != listing:
                last = self._last[layer] = listing, _found(listing, layer)
            found += last[1]
        return found


def _found(listing: Listing, layer: int) -> list[Found]:
    root, label, paths = listing
    made = []
    for path in paths:
        # No module is called like that, so the link breaks none of its own name.
        mark = "" if path.endswith(SUFFIXES) else LINKED_MARK
        made.append(Found(f"{label}/{path[len(str(root)) + 1 :]}{mark}", path, layer, root))
    return sorted(made, key=lambda item: item.display)


def labels(folders: Sequence[Path]) -> list[str]:
    """Name folders as the operator wrote them; absolute ones by their last part that tells them apart."""
    found: list[str] = []
    for folder in folders:
        label = folder.as_posix() if not folder.is_absolute() else folder.name
        while label in found:
            label = f"{folder.parent.name}/{label}" if label == folder.name else f"{label}+"
        found.append(label or "modules")
    return found


def is_skipped(name: str) -> bool:
    """Answer whether a file or folder of this name is never looked at."""
    return name.startswith(_SKIPPED_STARTS) or name.endswith(_SKIPPED_ENDS)


def _walk(root: str, folder: str, depth: int) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        name = entry.name
        if is_skipped(name):
            continue
        if name.endswith(SUFFIXES):
            if not _is_folder(entry):
                yield entry.path
        elif depth > 0 and _is_folder(entry):
            if entry.is_symlink() and not _is_hidden_inside(root, entry.path):
                yield entry.path
            else:
                yield from _walk(root, entry.path, depth - 1)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_hidden_inside(root: str, path: str) -> bool:
    """Answer whether a linked folder lies in a hidden folder of the same layer, as Kubernetes's `..data` does."""
    target = os.path.realpath(path)
    if not target.startswith(root + os.sep):
        return False
    return any(part.startswith(".") for part in Path(target[len(root) + 1 :]).parts)


def open_found(found: Found) -> bytes | None:
    """Read a found file; None when it is no regular file of its layer. At most one byte above the size limit is read."""
    try:
        target = os.path.realpath(found.where, strict=True)
        if not target.startswith(str(found.root) + os.sep):
            return None
        # Without O_NONBLOCK, opening a pipe would wait for a writer; the last part is resolved already.
        handle = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return _read_all(handle)
    except OSError:
        return None
    finally:
        os.close(handle)


def _read_all(handle: int) -> bytes:
    parts: list[bytes] = []
    left = SIZE_LIMIT_BYTES + 1
    while left > 0:
        part = os.read(handle, left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def misplaced(found: Found) -> Source:
    """Make the source of a file that could not be read, with the reason as its problem."""
    message, hint = _reason(found)
    problem = Problem("unreadable-file", message, Place(found.display), hint=hint)
    return Source(found.display, "", "", None, (problem,))


def _reason(found: Found) -> tuple[str, str]:
    try:
        target = os.path.realpath(found.where, strict=True)
        status = Path(target).stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "The file is a link that leads to itself.", "Replace it by the file."
        if error.errno == errno.EACCES:
            return "The file cannot be read: permission denied.", "Let the user that runs Lambdesk read it."
        return "The file is a link to something that is not there.", "Mend or remove the link."
    if stat.S_ISDIR(status.st_mode):
        hint = "Replace the link by the folder, or name the folder in LAMBDESK_MODULES_DIR."
        return "The folder is a link; the files in it are not read.", hint
    if not target.startswith(str(found.root) + os.sep):
        return "The file is a link that leads out of its folder.", "Copy the file into the folder."
    if not stat.S_ISREG(status.st_mode):
        return "The file is a pipe, device or socket.", "Only regular files are read."
    return "The file cannot be read: permission denied.", "Let the user that runs Lambdesk read it."
