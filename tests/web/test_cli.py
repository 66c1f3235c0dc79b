"""The command `lambdesk`: what each command says, its exit code, and the same as data with `--json`."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.databases import foreign_url, fresh_url
from web.cli import main

ROOM = """\
module:
  name: room
  singular: Room
  plural: Rooms
  table: room
fields:
  - {name: name, type: string, label: Name, required: true}
"""
WIDER = ROOM + "  - {name: seats, type: int, label: Seats}\n"
MEETINGS = """\
computed_fields:
  - name: meetings
    lambda: |
      // db.query("SELECT nothing") stands in a comment
      return db.queryRow("SELECT COUNT(*) AS count FROM ticket WHERE title = $1", item.name).count;
"""
BROKEN = ROOM + "  - {name: colour, type: strin, label: Colour}\n"


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("modules", "site"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command in a folder with an installed SQLite database."""
    with fresh_url("sqlite") as url:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("LAMBDESK_DATABASE_URL", url)

        def command(*arguments: str) -> Done:
            capsys.readouterr()
            code = main(arguments)
            printed = capsys.readouterr()
            return Done(code, printed.out, printed.err)

        yield command


def test_check_says_that_all_is_well(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")

    assert run("check") == Done(0, "1 module files are fine.\n", "")
    assert run("check", "--database") == Done(0, "1 module files are fine.\n", "")


def test_check_reports_every_problem_and_exits_with_1(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(BROKEN, encoding="utf-8")

    done = run("check")

    assert done.code == 1
    assert done.out.startswith("site/room.yaml:8:26: error: ")
    assert "  8 |   - {name: colour, type: strin, label: Colour}\n" in done.out
    assert "Did you mean `string`?" in done.out


LAMBDA = (
    ROOM
    + """\
computed_fields:
  - name: shout
    type: string
    needs: [name]
    lambda: return item.name.toUpperCase();
    examples: [{item: {name: a}, returns: A}, {for_all: {name: string}, holds: result.length >= item.name.length}]
"""
)


def test_lambdas_are_held_against_their_examples(run: Run, folder: Path) -> None:
    (folder / "site/room.yaml").write_text(LAMBDA)
    done = run("test", "site")
    assert (done.code, done.out) == (0, "1 lambdas compile, and 2 examples hold.\n")


def test_a_failing_example_is_told_with_its_place_and_exits_with_1(run: Run, folder: Path) -> None:
    (folder / "site/room.yaml").write_text(LAMBDA.replace("returns: A}", "returns: B}"))
    done = run("test", "site/room.yaml")
    assert done.code == 1
    assert done.out.startswith("site/room.yaml:13:16: error: The lambda of `shout` does not do what an example says")
    assert run("test", "--json").data["examples"] == 2


def test_a_lambda_that_does_not_compile_is_told(run: Run, folder: Path) -> None:
    (folder / "site/room.yaml").write_text(LAMBDA.replace("item.name.to", "item name.to"))
    done = run("test")
    assert done.code == 1
    assert "Lambda `room.shout` does not compile: SyntaxError: Unexpected identifier 'name'" in done.out


def test_check_names_the_lambdas_that_ask_in_sql_unless_they_may(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "site" / "room.yaml").write_text(ROOM + MEETINGS, encoding="utf-8")
    told = (
        "site/room.yaml:12:14: warning: Lambda `room.meetings` calls db.queryRow(), which has no answer here: "
        "SQL in lambdas is off.  [sql-off]\n"
        '  12 |       return db.queryRow("SELECT COUNT(*) AS count FROM ticket WHERE title = $1", item.name).count;\n'
        "     |              ^\n"
        "  hint: Set LAMBDESK_LAMBDA_SQL=1, or ask with gql().\n\n"
        "1 module files are fine.\n"
    )
    assert run("check") == Done(0, told, "")
    assert run("check", "--database") == Done(0, told, "")

    monkeypatch.setenv("LAMBDESK_LAMBDA_SQL", "1")
    assert run("check").out == "1 module files are fine.\n"


def test_check_as_data(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(BROKEN, encoding="utf-8")

    done = run("check", "--json")

    assert done.code == 1
    (problem,) = done.data["problems"]
    assert (problem["file"], problem["line"], problem["column"], problem["level"]) == ("site/room.yaml", 8, 26, "error")


def test_check_of_paths_reports_on_them_alone(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(BROKEN, encoding="utf-8")
    (folder / "modules" / "hall.yaml").write_text(ROOM.replace("room", "hall"), encoding="utf-8")
    (folder / "draft.yaml").write_text(ROOM.replace("room", "draft"), encoding="utf-8")

    assert run("check", "modules").code == 0
    assert run("check", "modules/hall.yaml").code == 0
    assert run("check", "site/room.yaml").code == 1
    assert run("check", "draft.yaml").code == 0
    assert run("check", "missing.yaml") == Done(1, "", "There is no missing.yaml.\n")


def test_check_against_the_database_makes_no_table(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")

    run("check", "--database")
    done = run("new-module", "--from-table", "room")

    assert done.code == 1
    assert done.err.startswith("The database has no table `room`.")


def test_check_of_an_adopted_database_prints_sql_that_makes_what_its_indexes_lack(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "modules" / "room.yaml").write_text(ROOM, encoding="utf-8")
    with foreign_url("sqlite", "otrs6") as url:
        monkeypatch.setenv("LAMBDESK_DATABASE_URL", url)
        assert run("init").code == 0

        done = run("check", "--database")
        assert done.code == 0
        assert "-- Nothing was changed. This makes them while others work:\n-- ticket: " in done.out
        sql = done.out.partition("\n\n")[2]
        assert run("check", "modules", "--database").out == "1 module files are fine.\n"
        lacking = run("check", "--database", "--json").data["indexes"]
        assert [line for item in lacking for line in item["sql"]] == re.findall(r"^(CREATE .*);$", sql, re.MULTILINE)

        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as shell:
            shell.executescript(sql)
        assert run("check", "--database").out == "1 module files are fine.\n"
        assert run("check", "--database", "--json").data["indexes"] == []


def test_init_is_harmless(run: Run) -> None:
    assert run("init") == Done(0, "The database was ready.\n", "")
    assert run("init", "--json").data == {"outcome": "present", "layout": "znuny"}


def test_demo_fills_a_new_database_once(run: Run) -> None:
    done = run("demo", "--tickets", "20")

    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"The database has 20 demo tickets. The password of its people is [\w-]{12}\n", done.out)

    again = run("demo", "--tickets", "20")

    assert again.code == 1
    assert again.err == "The database is in use, or has its demo data already; nothing was changed.\n"


def test_schema_prints_what_an_audience_may_use(run: Run, folder: Path) -> None:
    (folder / "site" / "room.yaml").write_text(ROOM, encoding="utf-8")

    agents, customers = run("schema"), run("schema", "--audience", "customer")

    assert "\ntype Room implements Node {" in agents.out
    assert "Room" not in customers.out
    assert run("schema", "--json").data["sdl"].startswith('"')


def test_a_new_module_file_is_fine_as_it_is(run: Run, folder: Path) -> None:
    done = run("new-module", "fire_engine")
    (folder / "site" / "fire_engine.yaml").write_text(done.out, encoding="utf-8")

    assert done.code == 0
    assert "name: fire_engine" in done.out
    assert run("check", "--database").code == 0


def test_a_module_file_for_a_table_is_fine_as_it_is(run: Run, folder: Path) -> None:
    done = run("new-module", "--from-table", "ticket_priority")
    (folder / "site" / "ticket_priority.yaml").write_text(done.out, encoding="utf-8")

    assert done.code == 0
    assert "table: ticket_priority" in done.out
    assert run("check", "--database").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new-module",), "Give a name, or --from-table with a table."),
        (("new-module", "Fire-Engine"), "`Fire-Engine` is no name for a module"),
        (("new-module", "--from-table", "tickett"), "The database has no table `tickett`. Did you mean `ticket`?"),
        (("publish", "missing.yaml"), "Cannot read missing.yaml: No such file or directory."),
        (("versions", "nothing"), "Module `nothing` has no kept version."),
        (("rollback", "nothing"), "Module `nothing` has no kept version."),
        (("diff", "nothing"), "Module `nothing` has no kept version."),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)

    assert done.code == 1
    assert words in done.err
    assert done.out == ""


def test_publish_puts_a_file_into_the_top_folder(run: Run, folder: Path) -> None:
    (folder / "draft.yaml").write_text(ROOM, encoding="utf-8")

    done = run("publish", "draft.yaml")

    assert done.code == 0
    assert (folder / "site" / "room.yaml").read_text(encoding="utf-8") == ROOM
    assert "added: Type Room was added" in done.out


def test_publish_refuses_a_broken_file(run: Run, folder: Path) -> None:
    (folder / "draft.yaml").write_text(BROKEN, encoding="utf-8")

    done = run("publish", "draft.yaml")

    assert done.code == 1
    assert "strin" in done.out
    assert not list((folder / "site").iterdir())


def test_versions_can_be_listed_compared_and_brought_back(run: Run, folder: Path) -> None:
    file = folder / "site" / "room.yaml"
    for text in (ROOM, WIDER):
        file.write_text(text, encoding="utf-8")
        (folder / "same.yaml").write_text(text, encoding="utf-8")
        assert run("publish", "same.yaml").code == 0  # loading keeps what goes live

    newest, oldest = run("versions", "room", "--json").data
    assert [newest["file"], oldest["file"]] == ["site/room.yaml"] * 2
    assert "+  - {name: seats, type: int, label: Seats}" in run("diff", "room").out
    assert len(run("versions", "room").out.splitlines()) == 2

    assert run("rollback", "room", str(oldest["id"])).code == 0
    assert file.read_text(encoding="utf-8") == ROOM


def test_a_database_that_is_away_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDESK_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/nothing")

    assert run("init") == Done(1, "", "The database of LAMBDESK_DATABASE_URL is not available.\n")


def test_a_database_url_that_means_nothing_is_said_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDESK_DATABASE_URL", "oracle://me:secret@db/x")

    done = run("init")

    assert done.code == 1
    assert "secret" not in done.err
    assert done.err.strip()


def test_bad_settings_are_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDESK_PORT", "x")

    assert run("init") == Done(2, "", "LAMBDESK_PORT is 'x': write a number from 0 to 65535.\n")


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("demo", "--tickets", "0"), ("check", "--nothing")])
def test_a_wrong_command_line_exits_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: lambdesk" in capsys.readouterr().err


def test_a_folder_of_the_layers_is_checked_within_them(run: Run, folder: Path) -> None:
    (folder / "modules" / "room.yaml").write_text(ROOM)
    (folder / "site" / "desk.yaml").write_text(
        "module: {name: desk}\nfields:\n  - {name: room, type: reference, to: room, label: Room}\n"
    )
    done = run("check", "site", "--database")
    assert (done.code, done.out.strip()) == (0, "1 module files are fine.")


def test_what_publishing_refuses_points_into_the_file_as_it_was_given(run: Run, folder: Path) -> None:
    (folder / "bad.yaml").write_text(BROKEN)
    done = run("publish", "bad.yaml")
    assert done.code == 1
    assert done.out.startswith("bad.yaml:")


def test_versions_name_who_published_them(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    (folder / "room.yaml").write_text(ROOM)
    assert run("publish", "room.yaml").code == 0
    assert [item["author"] for item in run("versions", "room", "--json").data] == ["ada"]


def test_folders_that_are_not_there_are_no_silence(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDESK_MODULES_DIR", "nope")
    done = run("check")
    assert done.code != 0
    assert "LAMBDESK_MODULES_DIR names no folder that exists (nope)." in done.err
