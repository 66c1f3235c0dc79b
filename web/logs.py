"""Log lines for machines (JSON) or people (text), on standard output, whatever happens to it."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson

QUIET = ("uvicorn.access", "uvicorn.error", "watchfiles", "aiosqlite", "asyncio", "websockets")


class Line(logging.LogRecord):
    """A record that says something, and nothing of where in the code, by which thread or process: for what is told very often."""

    def __init__(self, name: str, message: str, fields: dict[str, Any]) -> None:
        # What `LogRecord` itself finds out is what is left out here.
        self.__dict__.update(_UNKNOWN)
        self.name = name
        self.msg = message
        self.fields = fields
        self.created = time.time()


_UNKNOWN = logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO"}).__dict__


class _Seconds:
    """Writes moments; the part that is the same for a second is written once."""

    def __init__(self) -> None:
        self._second = -1
        self._written = ""

    def write(self, moment: float) -> str:
        """Write a moment in UTC, to the millisecond."""
        second = int(moment)
        if second != self._second:
            self._written = datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
            self._second = second
        return f"{self._written}.{int(moment % 1 * 1000):03d}+00:00"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the fields given as `extra={"fields": …}`."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = _Seconds()

    def format(self, record: logging.LogRecord) -> str:
        """Make the line."""
        line: dict[str, Any] = {
            "time": self._seconds.write(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(record.fields if isinstance(record, Line) else _fields(record)),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # half a surrogate pair, as file names may hold
            return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given beside the message: any number of fields, or the request id alone."""
    request_id = getattr(record, "request_id", None)
    return {**({"request_id": request_id} if request_id else {}), **getattr(record, "fields", {})}


class TextFormatter(logging.Formatter):
    """A line for people: time, level, message, then the fields as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Make the line."""
        told = " ".join(f"{name}={_shown(value)}" for name, value in _fields(record).items() if value is not None)
        line, _, rest = super().format(record).partition("\n")
        return "\n".join(filter(None, (f"{line} {told}".rstrip(), rest)))


def _shown(value: Any) -> str:
    """Write a field so that nothing in it begins a line of its own or steers a terminal: addresses come from anybody."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class SteadyHandler(logging.StreamHandler[Any]):
    """Writes to standard output, and goes on silently when nobody reads it any more or the disk below it is full."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and let it go out at once."""
        try:
            stream = self.stream
            stream.write(self.format(record) + self.terminator)
            stream.flush()
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as the handlers of logging do
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the line: a log that cannot be written must not stop what it is about."""


FORMATTERS = {"json": JsonFormatter, "text": TextFormatter}


def start_logging(form: str, level: str) -> None:
    """Send every logger's lines to standard output in one form; `auto` is text for a terminal and JSON for all else."""
    if form == "auto":
        form = "text" if _is_terminal() else "json"
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Lines say nothing of where in the code they come from, or in which thread; finding it out costs more than the line.
    logging._srcfile = None  # noqa: SLF001 - as Python's documentation says
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.raiseExceptions = False  # nor do handlers of libraries complain of a full disk on standard error
    handler = SteadyHandler(sys.stdout)
    handler.setFormatter(FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    # It warns of what clients send; each of those requests has its own line already.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _is_terminal() -> bool:
    try:
        return sys.stdout is not None and sys.stdout.isatty()
    except ValueError:  # closed
        return False


class Stopwatch:
    """Milliseconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def ms(self) -> float:
        """Milliseconds until now."""
        return round((time.perf_counter() - self._start) * 1000, 2)
