"""What the command line does beside serving. Every command returns what is to be told, so that tests and `--json` read it too."""

from __future__ import annotations

import asyncio
import getpass
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from identity.passwords import hash_password
from resolvers.lambda_check import codes_of
from schema.build import LambdeskSchema
from schema.check_sql import check_sql
from schema.layers import Found, scan
from schema.loading import Loader
from schema.problems import Problem, has_errors, report
from schema.publish import Published, choose, difference, publish, rollback
from schema.registry import Registry
from schema.spec import Audience, Module
from storage.engine import Database
from storage.indexes import Missing, find_missing
from storage.install import install
from storage.library import Library
from web.first_passwords import demo_password
from web.lifecycle import open_database, open_registry
from web.settings import PREFIX, Settings, require_modules


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome of a command: a text for people, the same as data, and the exit code."""

    text: str
    data: Any = None
    code: int = 0


class CommandError(Exception):
    """A command cannot do what it was asked for; the text says why."""


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings)
    try:
        yield database
    finally:
        await database.close()


async def check(settings: Settings, arguments: Namespace) -> Told:
    """Check module files, alone or against the database; 1 when a file would not go live.

    Against the database also its indexes, where all modules are checked: what lacks is told, and changes no exit code.
    """
    paths = [Path(path) for path in arguments.paths]
    folders, only = choose_folders(settings, paths)
    lacking: list[Missing] = []
    if arguments.database:
        async with _database(settings) as database:
            snapshot = await open_registry(settings, database, folders).survey()
            modules = list(snapshot.modules.values())
            lacking = [] if paths else await find_missing(database)
            problems = [problem for status in snapshot.status for problem in status.problems]
            files = sum(len(status.files) for status in snapshot.status)
    else:
        drafts = Loader(folders).load()
        modules = [draft.first.module for draft in drafts if draft.first is not None]
        problems = [problem for draft in drafts for problem in draft.problems]
        files = sum(len(draft.files) for draft in drafts)
    problems += _find_sql(settings, modules)
    if only:
        problems = [problem for problem in problems if problem.file in only]
        files = len(only)
    told = tell_problems(problems, f"{files} module files are fine.", {"files": files})
    return _tell_indexes(told, lacking) if arguments.database and not paths else told


def _find_sql(settings: Settings, modules: Iterable[Module]) -> list[Problem]:
    """Find the lambdas that ask in SQL where that is off."""
    if settings.lambda_sql:
        return []
    codes = (found for module in modules for found in codes_of(module))
    return list(check_sql(codes, f"{PREFIX}LAMBDA_SQL"))


def _tell_indexes(told: Told, lacking: Sequence[Missing]) -> Told:
    """Add the indexes that the database lacks, as SQL that an administrator can run as it is."""
    shown = [
        {
            "table": item.wanted.table,
            "name": item.wanted.name,
            "reason": item.wanted.reason,
            "sql": list(item.statements),
        }
        for item in lacking
    ]
    lines = [f"-- The database lacks {len(lacking)} of the indexes that lists need when there are many rows."]
    lines += ["-- Nothing was changed. This makes them while others work:"] if lacking else []
    for item in lacking:
        lines += [f"-- {item.wanted.table}: {item.wanted.reason}", *(f"{statement};" for statement in item.statements)]
    text = "\n\n".join(filter(None, (told.text, "\n".join(lines) if lacking else "")))
    return replace(told, text=text, data={**told.data, "indexes": shown})


def choose_folders(settings: Settings, paths: Sequence[Path]) -> tuple[list[Path], set[str]]:
    """Return the layers to look at, and the files to report on (all of them when empty).

    Raises CommandError where a path is not there, or is no module file.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise CommandError(f"There is no {', '.join(missing)}.")
    if not paths:
        require_modules(settings)
    configured = settings.modules_dir
    folders = [path.resolve() for path in paths if path.is_dir()]
    files = [path.parent.resolve() / path.name for path in paths if not path.is_dir()]
    known = [layer.resolve() for layer in configured]
    # A folder of the configured layers is judged within them, so that what it refers to is there.
    inside = [folder for folder in folders if any(folder.is_relative_to(layer) for layer in known)]
    if folders and len(inside) == len(folders):
        files += [_where(found) for found in scan(configured) if _is_below(_where(found), folders)]
        folders = []
    layers = folders or list(configured)
    for file in files:
        if not any(file.is_relative_to(layer.resolve()) for layer in layers):
            layers.append(file.parent)
    shown = {_where(found): found.display for found in scan(layers)}
    strangers = [str(file) for file in files if file not in shown]
    if strangers:
        raise CommandError(f"{', '.join(strangers)} is no module file; its name must end in .yaml or .yml.")
    return layers, {shown[file] for file in files}


def _where(found: Found) -> Path:
    """Say where a file lies; a link stays where it is, wherever it leads."""
    return found.path.parent.resolve() / found.path.name


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


async def init(settings: Settings, arguments: Namespace) -> Told:  # noqa: ARG001 - the shape of a command
    """Make an empty database ready; harmless on any other."""
    async with _database(settings) as database:
        installed = await install(database)
    words = {
        "created": "The database has the OTRS layout and its first rows now.",
        "resumed": "The interrupted installation is finished.",
        "adopted": "The database holds an OTRS system and is served as it is.",
        "present": "The database was ready.",
    }
    return Told(words[installed.outcome], {"outcome": installed.outcome, "layout": installed.layout})


async def demo(settings: Settings, arguments: Namespace) -> Told:
    """Fill a new database with demo data."""
    from storage.demo import fill  # noqa: PLC0415 - only this command needs it

    async with _database(settings) as database:
        await install(database)
        password = demo_password(settings)
        hashed = await asyncio.to_thread(hash_password, password)
        filled = await fill(database, tickets=arguments.tickets, progress=_show_progress, password_hash=hashed)
    if not filled:
        raise CommandError("The database is in use, or has its demo data already; nothing was changed.")
    text = f"The database has {arguments.tickets} demo tickets. The password of its people is {password}"
    return Told(text, {"tickets": arguments.tickets, "password": password})


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} tickets" + ("\n" if done >= total else ""))


async def schema(settings: Settings, arguments: Namespace) -> Told:
    """Print the schema of an audience."""
    from schema.sdl import print_sdl  # noqa: PLC0415 - only this command needs it

    async with _database(settings) as database:
        snapshot = await open_registry(settings, database).survey()
    made = cast("LambdeskSchema", snapshot.schema_for(Audience(arguments.audience)))
    text = print_sdl(made)
    return Told(text.rstrip("\n"), {"version": snapshot.version, "sdl": text})


async def new_module(settings: Settings, arguments: Namespace) -> Told:
    """Print a new module file: one with a table of its own, or one for a table that exists."""
    if (arguments.name is None) == (arguments.from_table is None):
        raise CommandError("Give a name, or --from-table with a table.")
    if arguments.name is not None:
        text = _new(arguments.name)
    else:
        text = await _from_table(settings, arguments.from_table)
    return Told(text.rstrip("\n"), {"yaml": text})


def _new(name: str) -> str:
    from schema.scaffold import new_yaml  # noqa: PLC0415 - only this command needs it

    try:
        return new_yaml(name)
    except ValueError as error:
        raise CommandError(str(error)) from None


async def _from_table(settings: Settings, name: str) -> str:
    from web.scaffolding import scaffold  # noqa: PLC0415 - only this command needs it

    async with _database(settings) as database:
        snapshot = await open_registry(settings, database).survey()  # a reference needs the name of a module
        try:
            return await scaffold(database, name, snapshot.modules)
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from None


async def publish_file(settings: Settings, arguments: Namespace) -> Told:
    """Check a file against everything that serves and put it into the top folder."""
    data = _read(Path(arguments.file))
    async with _loaded(settings) as (registry, library):
        published = await publish(
            registry,
            settings.modules_dir,
            data,
            refuse_breaking=settings.refuse_breaking,
            keeper=library,
            author=_author(),
        )
    return _tell_published(published, shown=arguments.file)


def _author() -> str:
    """Name who runs the command, for the list of versions."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"  # containers run as users without a name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"Cannot read {path}: {error.strerror}.") from None


async def roll_back(settings: Settings, arguments: Namespace) -> Told:
    """Put an earlier version of a module's file back."""
    async with _loaded(settings) as (registry, library):
        try:
            published = await rollback(
                registry, library, settings.modules_dir, arguments.name, arguments.version, author=_author()
            )
        except LookupError as error:
            raise CommandError(str(error)) from None
    return _tell_published(published)


async def versions(settings: Settings, arguments: Namespace) -> Told:
    """List the kept versions of a module."""
    async with _database(settings) as database:
        kept = await Library(database).versions(arguments.name)
    if not kept:
        raise CommandError(f"Module `{arguments.name}` has no kept version.")
    rows = [
        {"id": item.id, "file": item.file, "digest": item.digest[:12], "author": item.author, "created": item.created}
        for item in kept
    ]
    lines = [f"{row['id']:>6}  {row['created']:%Y-%m-%d %H:%M:%S}  {row['author']:<20}  {row['file']}" for row in rows]
    return Told("\n".join(lines), rows)


async def diff(settings: Settings, arguments: Namespace) -> Told:
    """Show what changed since a kept version of a module's file."""
    async with _database(settings) as database:
        kept = await Library(database).versions(arguments.name)
    try:
        old = choose(kept, arguments.name, arguments.version)
    except LookupError as error:
        raise CommandError(str(error)) from None
    newest = next(item for item in kept if item.file == old.file)
    text = difference(old, newest.source, f"{newest.file} (version {newest.id})")
    return Told(text.rstrip("\n") or "Nothing differs.", {"from": old.id, "to": newest.id, "diff": text})


@asynccontextmanager
async def _loaded(settings: Settings) -> AsyncIterator[tuple[Registry, Library]]:
    async with _database(settings) as database:
        await install(database)
        registry = open_registry(settings, database)
        await registry.start()
        yield registry, Library(database)


def _tell_published(published: Published, shown: str | None = None) -> Told:
    """Tell what publishing did; `shown` is the file as it was given, which is what problems point into."""
    changes = [f"{change.kind.lower()}: {change.description}" for change in published.outcome.changes]
    if published.file is None:
        problems = published.outcome.problems
        if shown:
            problems = tuple(replace(item, place=replace(item.place, file=shown)) for item in problems)
        return tell_problems(problems, "", {"file": None})
    done = "\n".join([f"{published.file} is in place; a running server takes it from there.", *changes])
    return tell_problems(published.outcome.problems, done, {"file": str(published.file), "changes": changes})


def tell_problems(problems: Iterable[Problem], otherwise: str, more: Mapping[str, Any]) -> Told:
    """Report problems, or say something else where none is an error; the exit code is 1 with errors."""
    found = list(problems)
    failed = has_errors(found)
    text = "\n\n".join(filter(None, (report(found), "" if failed else otherwise)))
    return Told(text, {**more, "problems": [_as_data(problem) for problem in found]}, 1 if failed else 0)


def _as_data(problem: Problem) -> dict[str, Any]:
    names = ("code", "level", "message", "file", "line", "column", "path", "excerpt", "hint")
    return {name: getattr(problem, name) for name in names}


UNREACHABLE = f"The database of {PREFIX}DATABASE_URL is not available."
