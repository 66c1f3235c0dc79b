"""The command `lambdesk`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence

from web.settings import Settings, SettingsError, load_settings

WRONG_USE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 used wrongly or set up wrongly."""
    parsed = make_parser().parse_args(arguments)
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    try:
        return _serve(settings) if parsed.command == "serve" else _run(settings, parsed)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `lambdesk schema | head`
        sys.stderr.close()
        return 0


def _serve(settings: Settings) -> int:
    gc.disable()  # what is imported now stays; `serve` collects again once it has begun
    from storage.errors import StorageError  # noqa: PLC0415 - `--help` should not wait for what a server needs
    from web.serve import CannotStart, serve  # noqa: PLC0415 - the same

    try:
        serve(settings)
    except (CannotStart, SettingsError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(settings: Settings, parsed: argparse.Namespace) -> int:
    import orjson  # noqa: PLC0415 - `--help` should not wait for what a command needs

    from storage.errors import StorageError  # noqa: PLC0415 - the same
    from web import commands, search_command, test_command  # noqa: PLC0415 - the same

    command = {
        "check": commands.check,
        "test": test_command.test,
        "init": commands.init,
        "demo": commands.demo,
        "schema": commands.schema,
        "new-module": commands.new_module,
        "publish": commands.publish_file,
        "rollback": commands.roll_back,
        "versions": commands.versions,
        "diff": commands.diff,
        "search": search_command.search,
    }[parsed.command]
    try:
        told = asyncio.run(command(settings, parsed))
    except ConnectionError:
        print(commands.UNREACHABLE, file=sys.stderr)
        return 1
    except (commands.CommandError, SettingsError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1
    if parsed.json:
        print(orjson.dumps(told.data, option=orjson.OPT_INDENT_2, default=str).decode())
    elif told.text:
        print(told.text)
    return told.code


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line, which is also its help."""
    parser = argparse.ArgumentParser(
        prog="lambdesk",
        description="A ticketing platform whose API is generated from YAML modules.",
        epilog="Settings come from LAMBDESK_… variables; docs/settings.md lists them.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument("--json", action="store_true", help="print data instead of text")
        return command

    commands.add_parser("serve", help="serve the API", description="Serve the API until a signal says stop.")
    check = add("check", "check module files and report every problem; exit code 1 when one would not go live")
    check.add_argument(
        "paths", nargs="*", metavar="PATH", help="module files or folders (default: the configured folders)"
    )
    check.add_argument(
        "--database",
        action="store_true",
        help="also check against the tables of the database, and print SQL for indexes that lists need and it lacks",
    )
    test = add("test", "compile the lambdas of module files and run their examples; exit code 1 when one fails")
    test.add_argument(
        "paths", nargs="*", metavar="PATH", help="module files or folders (default: the configured folders)"
    )
    add("init", "make an empty database ready")
    demo = add("demo", "fill a new database with demo data")
    demo.add_argument("--tickets", type=_count, default=2_000, metavar="N", help="how many tickets (default: 2000)")
    schema = add("schema", "print the GraphQL schema")
    schema.add_argument("--audience", choices=("agent", "customer"), default="agent", help="for whom (default: agent)")
    new = add("new-module", "print a new module file")
    new.add_argument("name", nargs="?", metavar="NAME", help="the module's name")
    new.add_argument("--from-table", metavar="TABLE", help="make the file for this table of the database")
    publish = add("publish", "check a module file and put it into the top module folder")
    publish.add_argument("file", metavar="FILE", help="the file")
    rollback = add("rollback", "put an earlier version of a module's file back")
    rollback.add_argument("name", metavar="NAME", help="the module")
    rollback.add_argument(
        "version", nargs="?", type=_count, help="the version's id (default: the one before the newest)"
    )
    versions = add("versions", "list the versions of a module that went live")
    versions.add_argument("name", metavar="NAME", help="the module")
    diff = add("diff", "show what changed since a version of a module's file")
    diff.add_argument("name", metavar="NAME", help="the module")
    diff.add_argument("version", nargs="?", type=_count, help="the version's id (default: the one before the newest)")
    search = add("search", "tell how far the full-text index is")
    search.add_argument(
        "--rebuild", action="store_true", help="have the running server build it anew beside the old one"
    )
    return parser


def _count(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
