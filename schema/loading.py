"""From the files of all layers to drafts: what each module would be now, and what else it could fall back to.

Everything here is synchronous and runs in a worker thread; results are kept by content, so that a save costs the work of
one file. What a draft becomes in the database is decided by the registry.
"""

from __future__ import annotations

import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from pathlib import Path, PurePath
from typing import TypeAlias

from schema.check import check_module, partial_module
from schema.collector import hold_breath
from schema.layers import Found, Scanner, misplaced, open_found
from schema.ports import StoredVersion
from schema.problems import Level, Place, Problem, has_errors
from schema.source import Source, digest_of, read
from schema.spec import Module

# A file that vanishes may be an editor's way of saving (delete, then create). Its last content counts this long.
VANISH_GRACE_S = 0.3
# File times tick coarsely (4 ms on Linux): a file read this soon after its change is read again next time.
RACY_S = 0.05

# A file's layer and what was read of it; the same object as long as both are the same.
_Layered: TypeAlias = tuple[int, Source]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Sources that make a module, and the module that they make."""

    sources: tuple[Source, ...]
    module: Module


@dataclass(frozen=True, slots=True)
class Draft:
    """A module name with its files.

    `first` is the best that the files give by themselves, the files as they are when `current`; `fallbacks` yields what
    else may serve when that does not fit the database, made only when asked for. `partial` is what is right in broken
    files: it never serves, but shows what else is wrong once it meets the database.
    """

    name: str
    files: tuple[str, ...]
    sources: tuple[Source, ...]
    first: Candidate | None
    current: bool
    problems: tuple[Problem, ...]
    fallbacks: Callable[[], Iterator[Candidate]]
    partial: Module | None = None

    def candidates(self) -> Iterator[Candidate]:
        """Yield what may serve, best first."""
        if self.first is not None:
            yield self.first
        yield from self.fallbacks()


@dataclass(slots=True)
class _Known:
    """What is known of one file: its state on disk when read, its layer and source, and since when it is missing."""

    stamp: tuple[int, ...]
    layered: _Layered
    is_settled: bool  # read long enough after its change to be what it is by its stamp
    missing_since: float | None = None

    @property
    def source(self) -> Source:
        """What was read."""
        return self.layered[1]


@dataclass(frozen=True, slots=True)
class _Made:
    """A draft, the files that it was made of, and their content."""

    group: list[_Layered]
    draft: Draft
    key: tuple[str, ...]


@dataclass(slots=True)
class Loader:
    """Reads folders again and again, and remembers by content. Not thread-safe: one load at a time."""

    folders: Sequence[Path]
    _known: dict[str, _Known] = field(default_factory=dict)
    # By the files' content: the module, its problems, and in which load it was last asked for.
    _checked: dict[tuple[str, ...], tuple[Module | None, tuple[Problem, ...], int]] = field(default_factory=dict)
    # By module name: the draft as long as it is the files' own.
    _drafts: dict[str, _Made] = field(default_factory=dict)
    _scanner: Scanner = field(default_factory=Scanner)
    _loads: int = 0
    _good: dict[str, Source] = field(default_factory=dict)  # by file: the source that last went live
    _stored: dict[str, StoredVersion] = field(default_factory=dict)  # by file: what the database kept, read when needed
    _live: dict[str, tuple[Source, ...]] = field(default_factory=dict)  # by module name: the sources that serve
    breathe: Callable[[], None] = hold_breath  # called between two pieces of work
    pending_s: float | None = None  # when a vanished file's grace ends, from now; None when nothing waits

    def remember(self, stored: Mapping[str, StoredVersion]) -> None:
        """Take the last good version of every file from the database, for files that are broken at start."""
        self._stored = dict(stored)

    def went_live(self, name: str, sources: tuple[Source, ...]) -> None:
        """Note what serves for a module from now on, so that it is what a broken file falls back to."""
        self._live[name] = sources
        self._good.update((source.file, source) for source in sources)

    def is_live(self, name: str, sources: tuple[Source, ...]) -> bool:
        """Answer whether it is noted already that these very sources serve for a module."""
        return self._live.get(name) is sources

    def is_kept(self, source: Source) -> bool:
        """Answer whether this source is already the newest kept version of its file."""
        good = self._good.get(source.file)
        if good is not None:
            return good.digest == source.digest
        stored = self._stored.get(source.file)
        return stored is not None and stored.digest == source.digest

    def load(self, drafts: Mapping[str, bytes] | None = None) -> list[Draft]:
        """Read all folders and return a draft for every module name, ordered by name.

        `drafts` are unsaved files (display path → content) that stand in for or beside those on disk, on the top layer.
        """
        layers = self._read_all()
        for file, data in (drafts or {}).items():
            known = layers.get(file)
            layers[file] = (known[0] if known else len(self.folders) - 1, read(file, data))
        grouped: dict[str, list[_Layered]] = defaultdict(list)
        for file, layered in layers.items():
            grouped[self._name_of(file, layered[1])].append(layered)
        made = []
        for name, group in sorted(grouped.items()):
            made.append(self._draft(name, group))
            self.breathe()
        self._loads += 1
        current = {made.key for made in self._drafts.values()}
        self._checked = {
            key: value for key, value in self._checked.items() if value[2] >= self._loads - 2 or key in current
        }
        for gone in (self._live.keys() | self._drafts.keys()) - grouped.keys():
            self._live.pop(gone, None)
            self._drafts.pop(gone, None)
        return made

    def kept_sources(self) -> dict[str, bytes]:
        """Return the last good version of every file that is still there, as the database kept it."""
        return {file: version.source.encode() for file, version in self._stored.items() if file in self._known}

    def _name_of(self, file: str, source: Source) -> str:
        """Name the module that a file belongs to: what it says, what it last said, or its own name."""
        if source.name:
            return source.name
        good = self._good_source(file)
        return (good.name if good else None) or PurePath(file).stem

    def _good_source(self, file: str) -> Source | None:
        """Return the source that last went live for a file: in this process, or kept in the database."""
        if file not in self._good and file in self._stored:
            source = read(file, self._stored[file].source.encode())
            if not has_errors(source.problems):
                self._good[file] = source
        return self._good.get(file)

    def _read_all(self) -> dict[str, _Layered]:
        now = time.monotonic()
        seen: set[str] = set()
        for found in self._scanner.scan(self.folders):
            seen.add(found.display)
            self._read_one(found)
            self.breathe()
        self._forget(seen, now)
        return {file: known.layered for file, known in self._known.items()}

    def _read_one(self, found: Found) -> None:
        known = self._known.get(found.display)
        try:
            status = os.stat(found.where)  # noqa: PTH116 - a text here
        except OSError:
            return  # vanished between the listing and now: the grace decides
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, found.layer)
        if known and known.stamp == stamp and known.is_settled and known.missing_since is None:
            return
        if not stat.S_ISREG(status.st_mode):
            source = misplaced(found)
        else:
            data = open_found(found)
            if data is not None and known and known.source.digest == digest_of(data):
                source = known.source  # the same content keeps its identity, and with it all that was made of it
            else:
                source = misplaced(found) if data is None else read(found.display, data)
        stays = known is not None and known.source is source and known.layered[0] == found.layer
        layered = known.layered if known is not None and stays else (found.layer, source)
        is_settled = time.time() - max(status.st_mtime, status.st_ctime) > RACY_S
        self._known[found.display] = _Known(stamp, layered, is_settled)

    def _forget(self, seen: set[str], now: float) -> None:
        """Drop files that are gone for longer than the grace; at once when another file took their module over."""
        missing = self._known.keys() - seen
        present = {self._known[file].source.name for file in seen if file in self._known} if missing else set()
        waits: list[float] = []
        for file in missing:
            known = self._known[file]
            known.missing_since = known.missing_since or now
            left = known.missing_since + VANISH_GRACE_S - now
            if left <= 0 or known.source.name in present:
                del self._known[file]
                self._good.pop(file, None)
                self._stored.pop(file, None)
            else:
                waits.append(left)
        self.pending_s = min(waits) if waits else None

    def _draft(self, name: str, group: list[_Layered]) -> Draft:
        if len(group) > 1:
            group.sort(key=_layer_order)
        known = self._drafts.get(name)
        if known is not None and len(known.group) == len(group) and all(map(is_, known.group, group)):
            return known.draft
        draft = self._make_draft(name, group)
        self._drafts.pop(name, None)
        if draft.current:  # what else may serve for broken files depends on what served before
            self._drafts[name] = _Made(group, draft, _key(draft.sources))
        return draft

    def _make_draft(self, name: str, group: list[_Layered]) -> Draft:
        problems: list[Problem] = []
        stack = _stack(name, group, problems)
        module, found = self._check(stack.sources)
        problems += found
        current = module is not None and not has_errors(problems)
        broken = {problem.file for problem in problems if problem.level is Level.ERROR}

        def fallbacks() -> Iterator[Candidate]:
            seen = {_key(stack.sources)}
            for sources in self._fallbacks(name, stack, broken):
                if sources and _key(sources) not in seen:
                    seen.add(_key(sources))
                    old, old_problems = self._check(sources)
                    if old is not None and not has_errors(old_problems):
                        yield Candidate(sources, old)

        first = Candidate(stack.sources, module) if module is not None and current else next(fallbacks(), None)
        files = tuple(source.file for _, source in group)
        partial = partial_module(stack.sources) if stack.sources and not current else None
        return Draft(name, files, stack.sources, first, current, tuple(problems), fallbacks, partial)

    def _fallbacks(self, name: str, stack: _Stack, broken: set[str]) -> Iterator[tuple[Source, ...]]:
        """Yield what may serve instead of files that do not: what serves now, their last good versions, ever less of them."""
        if name in self._live:
            yield self._live[name]
        yield tuple(
            (self._good_source(source.file) or source) if source.file in broken else source for source in stack.sources
        )
        yield tuple(self._good_source(source.file) or source for source in stack.sources)
        extensions = [source for source in stack.sources if source.role == "extend"]
        for base in stack.bases:
            yield (base, *(source for source in extensions if source.file not in broken))
            for kept in range(len(extensions) - 1, -1, -1):
                yield (base, *extensions[:kept])

    def _check(self, sources: tuple[Source, ...]) -> tuple[Module | None, tuple[Problem, ...]]:
        key = _key(sources)
        if key in self._checked:
            module, found, _ = self._checked[key]
        else:
            module, problems = check_module(sources) if sources else (None, [])
            found = tuple(problems)
        self._checked[key] = (module, found, self._loads)
        return module, found


@dataclass(frozen=True, slots=True)
class _Stack:
    """The files that make a module, base first, and every base that there is, the one that counts first."""

    sources: tuple[Source, ...]
    bases: tuple[Source, ...]


def _layer_order(item: _Layered) -> tuple[int, bool, str]:
    return item[0], item[1].role != "module", item[1].file


def _stack(name: str, group: list[_Layered], problems: list[Problem]) -> _Stack:
    """Order a module's files into base and extensions, and say where two claim the same place."""
    extensions: list[Source] = []
    bases: list[Source] = []
    base: _Layered | None = None
    for layer, source in group:
        if source.role == "extend":
            extensions.append(source)
        elif base is not None and source.role == "module":
            problems.append(_duplicate(name, source, base, layer))
        else:
            if source.role == "replace":
                extensions.clear()  # they extended what is replaced
            base = (layer, source)
            bases.insert(0, source)
    if base is None and extensions:
        problems.append(
            Problem(
                "nothing-to-extend",
                f"There is no module `{name}` to extend.",
                Place(extensions[0].file),
                hint="Check the name after `extend:`, or whether the folder with that module is in LAMBDESK_MODULES_DIR.",
            )
        )
    return _Stack((*([base[1]] if base else []), *extensions), tuple(bases))


def _duplicate(name: str, source: Source, base: _Layered, layer: int) -> Problem:
    same = "in the same layer" if base[0] == layer else "in a lower layer"
    return Problem(
        "duplicate-module",
        f"Module `{name}` is defined twice: here and in {base[1].file} ({same}).",
        Place(source.file),
        hint="Give one of them another name, or write `extend:` or `replace: true` to change the lower one.",
    )


def _key(sources: Iterable[Source]) -> tuple[str, ...]:
    return tuple(f"{source.file}:{source.digest}" for source in sources)
