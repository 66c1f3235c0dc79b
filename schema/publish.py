"""Publishing and rolling back: a checked file is put in place as a whole, and the watching server takes it from there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schema.placing import Placed, alone, digest_of, place, remove_draft, write_draft
from schema.ports import Database, NewVersion, StoredVersion
from schema.problems import Place, Problem
from schema.registry import Outcome, Registry
from schema.snapshot import SchemaChangeItem
from schema.source import read


class Superseded(Exception):
    """The file, or what serves, is no longer what the publisher started from; nothing was written."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the file it wrote (None when refused) and what the check found.

    `shown` is the file as the operator knows it, `name` the module that it speaks of.
    """

    file: Path | None
    outcome: Outcome
    shown: str = ""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a publisher started from: the version of the module that served, the digest of the file (empty: no file)."""

    version: str | None = None
    digest: str | None = None


async def publish(
    registry: Registry,
    folders: Sequence[Path],
    data: bytes,
    *,
    file: str | None = None,
    refuse_breaking: bool = False,
    keeper: Database | None = None,
    author: str = "",
    basis: Basis | None = None,
) -> Published:
    """Check a module file against everything that serves now and, if it is fit, write it atomically.

    `file` is the display path of an existing file to overwrite; without it the file goes into the top folder under the
    module's name. Nothing is written when the check finds an error, or a breaking change while those are refused.
    One after the other publishes, in whatever process. Raises `LookupError` for an impossible `file`, `Superseded` when
    the `basis` is not what is there, `Busy`, and `OSError` when the folder cannot be written.
    """
    placed = place(folders, data, file)
    async with alone(folders[-1]):
        await _check_basis(registry, placed, basis or Basis())
        outcome = await registry.check(placed.shown, data)
        breaking = [change for change in outcome.changes if change.kind == "BREAKING"]
        if outcome.is_fit and breaking and refuse_breaking:
            outcome = Outcome((*outcome.problems, _breaks(placed.shown, breaking)), outcome.changes)
        if not outcome.is_fit:
            return Published(None, outcome, placed.shown, placed.name)
        # The draft comes first: where the folder cannot be written, no version is kept that never was in place.
        draft = write_draft(placed.path, data)
        try:
            if keeper is not None and placed.name:
                # Kept before it is in place: the watching server then finds it kept, with its author.
                digest = read(placed.shown, data).digest
                await keeper.record_versions([NewVersion(placed.name, placed.shown, digest, data.decode(), author)])
            draft.replace(placed.path)
        except BaseException:
            remove_draft(draft)
            raise
    return Published(placed.path, outcome, placed.shown, placed.name)


def _breaks(shown: str, breaking: Sequence[SchemaChangeItem]) -> Problem:
    what = "; ".join(change.description for change in breaking)
    return Problem(
        "breaking-change", f"This version would break clients: {what}", Place(shown), hint="Deprecate first."
    )


async def _check_basis(registry: Registry, placed: Placed, basis: Basis) -> None:
    if basis.digest is not None and basis.digest != digest_of(placed.path):
        raise Superseded
    if basis.version is not None:
        snapshot = await registry.reload()  # what somebody else has just written counts
        served = next((status.version for status in snapshot.status if status.name == placed.name), "")
        if served != basis.version:
            raise Superseded


async def rollback(
    registry: Registry,
    database: Database,
    folders: Sequence[Path],
    name: str,
    version: int | None = None,
    *,
    author: str = "",
    refuse_breaking: bool = False,
) -> Published:
    """Put an earlier version of a module's file back: the one with this id, or the one before the newest of its file.

    Raises `LookupError` with a sentence when there is no such version, and what `publish` raises.
    """
    kept = await database.versions(name)
    chosen = choose(kept, name, version)
    data = chosen.source.encode()
    return await publish(
        registry,
        folders,
        data,
        file=chosen.file,
        keeper=database,
        author=author,
        refuse_breaking=refuse_breaking,
    )


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
