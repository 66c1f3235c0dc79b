"""Log lines are JSON objects or text; a failing output never fails what it is about."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from web.logs import JsonFormatter, Line, SteadyHandler, TextFormatter


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("lambdesk.access", logging.INFO, "file.py", 1, message, (), None)
    made.fields = fields
    return made


def test_a_json_line_holds_time_level_logger_message_and_fields() -> None:
    line = json.loads(JsonFormatter().format(record("request", status=200, path='/graphql\n"x')))

    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info", "logger": "lambdesk.access", "message": "request", "status": 200, "path": '/graphql\n"x',
    }  # fmt: skip


@pytest.mark.parametrize("moment", [1_780_000_000.0, 1_780_000_000.0625, 1_780_000_000.9375, 1_780_000_001.5])
def test_the_time_of_a_line_has_milliseconds(moment: float) -> None:
    made = record("request")
    made.created = moment

    line = json.loads(JsonFormatter().format(made))

    assert line["time"] == datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def test_a_line_that_is_told_often_reads_like_any_other() -> None:
    formatters = (JsonFormatter(), TextFormatter())
    quick = Line("lambdesk.access", "request", {"status": 200})
    usual = record("request", status=200)
    usual.created = quick.created

    assert [form.format(quick) for form in formatters] == [form.format(usual) for form in formatters]


def test_a_line_with_a_lone_surrogate_is_written() -> None:
    assert json.loads(JsonFormatter().format(record("request", path="/\udcff")))["message"] == "request"


def test_a_text_line_ends_with_the_fields() -> None:
    line = TextFormatter().format(record("modules are live\nreport", modules=3, code=None))

    first, second = line.splitlines()
    assert first.endswith("INFO    modules are live modules=3")
    assert second == "report"


def test_no_field_begins_a_line_or_steers_a_terminal() -> None:
    path = "/a\n12:00:00 INFO    request status=200 \x1b[2J\x9b2J\u202e\udcff"

    for formatter in (JsonFormatter(), TextFormatter()):
        line = formatter.format(record("request", path=path))
        assert len(line.splitlines()) == 1
        assert not set("\x1b\x9b") & set(line)
    assert TextFormatter().format(record("request", path="/ü")).endswith("path=/ü")


class Gone:
    """An output that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_l8_a_closed_output_is_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    SteadyHandler(Gone()).handle(record("nobody reads this"))

    assert capsys.readouterr().err == ""
    assert sys.exc_info() == (None, None, None)


def test_l7_a_full_output_drops_lines_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    handler = SteadyHandler(full.open("w", encoding="utf-8"))
    for number in range(1_000):
        handler.handle(record(f"line {number} {'x' * 100}"))

    with pytest.raises(OSError, match="No space left"):
        handler.stream.close()
    assert capfd.readouterr().err == ""
