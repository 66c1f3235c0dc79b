"""Publishing and rolling back: a checked file is put in place as a whole, and the watching server takes it from there."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schema.layers import labels
from schema.ports import Database, NewVersion, StoredVersion
from schema.problems import Place, Problem
from schema.registry import Outcome, Registry
from schema.source import read


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the file it wrote (None when refused) and what the check found."""

    file: Path | None
    outcome: Outcome


async def publish(
    registry: Registry,
    folders: Sequence[Path],
    data: bytes,
    *,
    file: str | None = None,
    refuse_breaking: bool = False,
    keeper: Database | None = None,
    author: str = "",
) -> Published:
    """Check a module file against everything that serves now and, if it is fit, write it atomically.

    `file` is the display path of an existing file to overwrite; without it the file goes into the top folder under the
    module's name. Nothing is written when the check finds an error, or a breaking change while those are refused.
    """
    name = read(file or "draft.yaml", data).name
    path = place_of(folders, file) if file else folders[-1] / f"{name or 'draft'}.yaml"
    shown = file or display(folders, path)
    outcome = await registry.check(shown, data)
    breaking = [change for change in outcome.changes if change.kind == "BREAKING"]
    if outcome.is_fit and breaking and refuse_breaking:
        what = "; ".join(change.description for change in breaking)
        problem = Problem(
            "breaking-change", f"This version would break clients: {what}", Place(shown), hint="Deprecate first."
        )
        outcome = Outcome((*outcome.problems, problem), outcome.changes)
    if not outcome.is_fit:
        return Published(None, outcome)
    if keeper is not None and name:
        # Kept before it is in place: the watching server then finds it kept, with its author.
        await keeper.record_versions([NewVersion(name, shown, read(shown, data).digest, data.decode(), author)])
    write_whole(path, data)
    return Published(path, outcome)


async def rollback(
    registry: Registry,
    database: Database,
    folders: Sequence[Path],
    name: str,
    version: int | None = None,
    *,
    author: str = "",
) -> Published:
    """Put an earlier version of a module's file back: the one with this id, or the one before the newest of its file.

    Raises `LookupError` with a sentence when there is no such version.
    """
    kept = await database.versions(name)
    chosen = choose(kept, name, version)
    data = chosen.source.encode()
    return await publish(registry, folders, data, file=chosen.file, keeper=database, author=author)


def choose(kept: Sequence[StoredVersion], name: str, version: int | None) -> StoredVersion:
    """Pick the version to go back to. Raises `LookupError` with a sentence when there is none."""
    if version is not None:
        for candidate in kept:
            if candidate.id == version:
                return candidate
        known = ", ".join(str(candidate.id) for candidate in kept) or "none"
        raise LookupError(f"Module `{name}` has no version {version}; it has {known}.")
    if not kept:
        raise LookupError(f"Module `{name}` has no kept version.")
    newest = kept[0]
    for candidate in kept[1:]:
        if candidate.file == newest.file:
            return candidate
    raise LookupError(f"Module `{name}` has only one version of {newest.file}; there is nothing to go back to.")


def difference(old: StoredVersion, new: str, label: str) -> str:
    """Return the unified diff from a kept version to a newer text."""
    lines = difflib.unified_diff(
        old.source.splitlines(keepends=True),
        new.splitlines(keepends=True),
        fromfile=f"{old.file} (version {old.id})",
        tofile=label,
    )
    return "".join(lines)


def display(folders: Sequence[Path], path: Path) -> str:
    """Return the path of a file in the top folder as the operator knows it: the folder's label, then the path below it."""
    return f"{labels(folders)[-1]}/{path.relative_to(folders[-1])}"


def place_of(folders: Sequence[Path], shown: str) -> Path:
    """Find the real path behind a display path. Raises `LookupError` when it lies in none of the folders."""
    for folder, label in zip(folders, labels(folders), strict=True):
        rest = shown.removeprefix(f"{label}/")
        if rest not in (shown, "") and ".." not in Path(rest).parts:
            return folder / rest
    raise LookupError(f"{shown} lies in none of the module folders.")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part: temporary file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
