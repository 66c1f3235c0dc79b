"""Jobs and what comes back as bytes: what the server writes, and how it reads what it does not trust.

A frame is a line of JSON for the worker and a text for the isolate, which the worker passes on unread.

to a worker    {"module": name, "scripts": [[key, source], …]}
               {"now", "seed", "me", "texts", "outputBytes", "logBytes", "room", "answers": [[[verb, args], {"value"} or {"error"}], …],
                "batches": [{"key", "powers", "args", "shape", "rows", "befores", "indexes"}, …]}
from a worker  {"broken": {key: [message, line, column], …}}
               {"batches": [[row, …] or null, …], "questions": [[verb, args], …]}
a row          0 while it waits for answers, [value], or [value, {"fail", "log", "asked", "set", "reject", "deeds"}]

Whole numbers that JavaScript does not hold exactly are texts, as in the API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from lambdas.contract import Answer, Batch, Job, Question, Script
from lambdas.errors import BadFrame, FailureCode, JobRefused
from lambdas.limits import ANSWER_LIMIT_BYTES, FRAME_LIMIT_BYTES, NESTING_LIMIT, ROWS_LIMIT, SOURCE_LIMIT_BYTES

EXACT_IN_JAVASCRIPT = 2**53 - 1
KEYS_KEPT = 512  # of sources
HEAD_ROOM_BYTES = 64 * 1024  # of a frame that rows may not fill: brackets, and what the worker adds
_STRICT = orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATACLASS

# For each batch the rows that are to run, by their numbers.
Todo = Sequence[Sequence[int]]


def key_of(script: Script) -> str:
    """Name a source. Lambdas with the same source share a function."""
    return _key_of_source(script.source)


@lru_cache(KEYS_KEPT)
def _key_of_source(source: str) -> str:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def encode_scripts(module: str, scripts: Iterable[Script]) -> bytes:
    """Write a frame that has scripts compiled and nothing run."""
    return _frame(_head(module, scripts), b"")


def encode_job(job: Job, todo: Todo | None = None, answers: Iterable[tuple[Question, Answer]] = ()) -> bytes:
    """Write a job, or those rows of it that wait for answers. Raises JobRefused where it is too large or too deep."""
    if sum(len(batch.rows) for batch in job.batches) > ROWS_LIMIT:
        raise JobRefused(FailureCode.LIMIT, f"A job may have {ROWS_LIMIT} rows.")
    batches = [_batch(batch, None if todo is None else todo[number]) for number, batch in enumerate(job.batches)]
    given = _json({"me": job.me, "texts": job.texts}, "What lambdas see of the caller")
    if sum(map(len, batches)) + len(given) > job.limits.input_bytes:
        raise JobRefused(FailureCode.INPUT, f"The rows are larger than {job.limits.input_bytes} bytes.")
    body = (
        b'{"now":%s,"seed":%s,"outputBytes":%d,"logBytes":%d,"room":%d,%s,"answers":[%s],"batches":[%s]}'
        % (
            orjson.dumps(int(job.now_ms)),  # dates of JavaScript have whole milliseconds
            orjson.dumps(str(job.seed)),
            job.limits.output_bytes,
            job.limits.log_bytes,
            FRAME_LIMIT_BYTES - HEAD_ROOM_BYTES,
            given[1:-1],
            b",".join(_answer(question, answer) for question, answer in answers),
            b",".join(batches),
        )
    )
    return _frame(_head(job.module, (batch.script for batch in job.batches)), body)


def split_frame(data: bytes) -> tuple[Any, bytes]:
    """Take a frame apart: its line of JSON, and the text for or from the isolate. Raises BadFrame."""
    if len(data) > FRAME_LIMIT_BYTES:
        raise BadFrame(f"A frame has {len(data)} bytes.")
    head, line_end, body = data.partition(b"\n")
    if not line_end:
        raise BadFrame("A frame has no head.")
    try:
        return orjson.loads(head), body
    except orjson.JSONDecodeError:
        raise BadFrame("The head of a frame is no JSON.") from None


def join_frame(head: Mapping[str, Any], body: bytes) -> bytes:
    """Put a frame together; what a worker answers with."""
    return orjson.dumps(head) + b"\n" + body


def _frame(head: bytes, body: bytes) -> bytes:
    data = head + b"\n" + body
    if len(data) > FRAME_LIMIT_BYTES:
        raise JobRefused(FailureCode.INPUT, f"A job has {len(data)} bytes; {FRAME_LIMIT_BYTES} may cross.")
    return data


def _head(module: str, scripts: Iterable[Script]) -> bytes:
    sources = {}
    for script in scripts:
        if len(script.source.encode("utf-8", "surrogatepass")) > SOURCE_LIMIT_BYTES:
            message = f"Lambda `{script.name}` is longer than {SOURCE_LIMIT_BYTES} bytes."
            raise JobRefused(FailureCode.INPUT, message)
        sources[key_of(script)] = script.source
    return _json({"module": module, "scripts": list(sources.items())}, "A script")


def _batch(batch: Batch, todo: Sequence[int] | None) -> bytes:
    rows, befores = batch.rows, batch.befores
    if todo is not None:
        rows = [rows[index] for index in todo]
        befores = None if befores is None else [befores[index] for index in todo]
    if batch.shape is not None and any("__proto__" in (*path, *names) for path, names in batch.shape):
        raise JobRefused(FailureCode.INPUT, "No value can be named `__proto__`.")
    what = f"What lambda `{batch.script.name}` is given"
    fields = {
        "key": orjson.dumps(key_of(batch.script)),
        "powers": orjson.dumps(sorted(batch.script.powers)),
        "shape": orjson.dumps(batch.shape),
        "indexes": orjson.dumps(todo),
        "args": _json(batch.args, what),
        "rows": _json(rows, what, around=1, flat=len(rows)),
        "befores": _json(befores, what, around=1, flat=len(rows)),
    }
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), text) for name, text in fields.items())


def _answer(question: Question, answer: Answer) -> bytes:
    """Write a question with its answer. One that is too large is told as an error, since the others are still good."""
    told: dict[str, Any] = {"value": answer.value} if answer.error is None else {"error": answer.error}
    try:
        text = _json(told, "An answer")
    except JobRefused as refusal:
        text = orjson.dumps({"error": str(refusal)})
    if len(text) > ANSWER_LIMIT_BYTES:
        text = orjson.dumps({"error": f"The answer is larger than {ANSWER_LIMIT_BYTES} bytes."})
    return b"[%s,%s]" % (_json([question.verb, question.args], "A question"), text)


def _json(value: Any, what: str, *, around: int = 0, flat: int = 0) -> bytes:
    """Write a value as JSON. `around` is what it stands in, `flat` how many rows it has, each of which opens a bracket."""
    try:
        text = orjson.dumps(value, option=_STRICT)
        if text.count(b"[") + text.count(b"{") - flat > NESTING_LIMIT:
            _check_depth(value, NESTING_LIMIT + around, what)
    except (TypeError, RecursionError):  # orjson's own error is a TypeError
        _check_depth(value, NESTING_LIMIT + around, what)
        text = _loose_json(value, what)
    return text


def _loose_json(value: Any, what: str) -> bytes:
    """Write a value with whole numbers that JavaScript does not hold."""
    try:
        return orjson.dumps(_exact(value), option=_STRICT)
    except TypeError as error:
        raise JobRefused(FailureCode.INPUT, f"{what} is no JSON: {error}.") from None


def _exact(value: Any) -> Any:
    if isinstance(value, int):
        return value if abs(value) <= EXACT_IN_JAVASCRIPT else str(value)
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return value


def _check_depth(value: Any, limit: int, what: str) -> None:
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, Mapping | list | tuple)]
        if not level:
            return
    raise JobRefused(FailureCode.INPUT, f"{what} is nested deeper than {NESTING_LIMIT} levels.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()
