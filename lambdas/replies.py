"""What workers answer, read by the server, which believes nothing: every shape, type, code and right is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lambdas.contract import Batch, Deed, Failure, Job, Outcome, Power, Question, Rejection, Script
from lambdas.errors import BadFrame, FailureCode
from lambdas.frames import EXACT_IN_JAVASCRIPT, Todo, key_of, split_frame
from lambdas.limits import DEEDS_LIMIT, NESTING_LIMIT, QUESTIONS_LIMIT

# What a lambda itself can bring about; all other codes are the server's to say.
_CODES = (FailureCode.FAILED, FailureCode.OUTPUT, FailureCode.LIMIT)
_MESSAGE_LIMIT = 1_000
_REJECTIONS_LIMIT = 100

# Verbs of questions and deeds → the power that they need, and the types of their arguments (the last one for all further).
_TEXT, _KEY, _MAP, _ANY = (str,), (str, int, float), (dict,), (object,)
_MAP_OR_NULL = (dict, type(None))
_QUESTIONS: Mapping[str, tuple[Power, tuple[tuple[type, ...], ...], bool]] = {
    "gql": (Power.GQL, (_TEXT, _MAP_OR_NULL), False),
    "query": (Power.SQL, (_TEXT, _ANY), True),
    "queryRow": (Power.SQL, (_TEXT, _ANY), True),
    "http": (Power.HTTP, (_TEXT, _TEXT, _ANY, _MAP_OR_NULL), False),
    "secret": (Power.SECRET, (_TEXT,), False),
}
_DEEDS: Mapping[str, tuple[tuple[type, ...], ...]] = {
    "create": (_TEXT, _MAP),
    "update": (_TEXT, _KEY, _MAP),
    "remove": (_TEXT, _KEY),
    "note": (_KEY, _TEXT),
}


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of a job brought: outcomes by batch and row, the rows that wait, and what they ask."""

    outcomes: Mapping[tuple[int, int], Outcome]
    waiting: tuple[tuple[int, ...], ...]
    questions: tuple[Question, ...]

    @property
    def is_last(self) -> bool:
        """Whether no row waits."""
        return not any(self.waiting)


def decode_round(data: bytes, job: Job, todo: Todo | None = None) -> Round:
    """Read what a worker made of a job, or of those rows of it. Raises BadFrame."""
    head, body = split_frame(data)
    broken = _broken(head, [batch.script for batch in job.batches])
    told = _load(body)
    _need(isinstance(told, dict) and told.keys() == {"batches", "questions"}, "a job")
    batches = _list(told["batches"], "the batches")
    _need(len(batches) == len(job.batches), "the batches")
    outcomes: dict[tuple[int, int], Outcome] = {}
    waiting = []
    for number, batch in enumerate(job.batches):
        indexes = range(len(batch.rows)) if todo is None else todo[number]
        rows = _rows(batches[number], batch, len(indexes), broken.get(key_of(batch.script)))
        outcomes |= {(number, index): row for index, row in zip(indexes, rows, strict=True) if row is not None}
        waiting.append(tuple(index for index, row in zip(indexes, rows, strict=True) if row is None))
    questions = _questions(told["questions"], {power for batch in job.batches for power in batch.script.powers})
    _need(bool(questions) or not any(waiting), "the questions")
    return Round(outcomes, tuple(waiting), questions)


def decode_failures(data: bytes, scripts: Sequence[Script]) -> list[Failure | None]:
    """Read what a worker says of scripts that it was to compile. Raises BadFrame."""
    head, _ = split_frame(data)
    broken = _broken(head, scripts)
    return [_moved(broken.get(key_of(script)), script) for script in scripts]


def _load(body: bytes) -> Any:
    try:
        told = orjson.loads(body)
        is_long = _SIXTEEN in body.translate(_AS_ZEROS) and _LONG_NUMBER.search(body)
        return _doubles(told) if is_long else told
    except (orjson.JSONDecodeError, RecursionError):
        raise BadFrame("A job's result is no JSON.") from None


# Whether there are so many digits in a row at all is found much sooner than where.
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_SIXTEEN = b"0" * 16
# Not inside a text, but where JSON has a number; texts that look like it only cost time.
_LONG_NUMBER = re.compile(rb"[\[,:]-?\d{16}")


def _doubles(value: Any) -> Any:
    """Make long whole numbers floats. They are over there, and their last digits are zeros that JavaScript writes for them.

    A question with such a number would not be known again when its answer comes.
    """
    if isinstance(value, dict):
        return {key: _doubles(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_doubles(inner) for inner in value]
    return float(value) if type(value) is int and abs(value) > EXACT_IN_JAVASCRIPT else value


def _need(is_right: bool, what: str) -> None:
    if not is_right:
        raise BadFrame(f"A worker answered wrongly: {what}.")


def _list(value: Any, what: str) -> list[Any]:
    _need(isinstance(value, list), what)
    return value  # type: ignore[no-any-return]


def _broken(head: Any, scripts: Sequence[Script]) -> dict[str, Failure]:
    told = head.get("broken") if isinstance(head, dict) else None
    _need(isinstance(told, dict) and told.keys() <= {key_of(script) for script in scripts}, "the scripts")
    return {key: _failure([FailureCode.FAILED, *_list(why, "a script")]) for key, why in (told or {}).items()}


def _failure(told: Any) -> Failure:
    """Read [code, message, line, column]; the line is still that of the body."""
    _need(isinstance(told, list) and len(told) == len(("code", "message", "line", "column")), "a failure")
    code, message, line, column = told
    _need(code in _CODES and isinstance(message, str) and len(message) <= _MESSAGE_LIMIT, "a failure")
    _need(all(place is None or (type(place) is int and place >= 0) for place in (line, column)), "a failure's place")
    return Failure(FailureCode(code), message, line, column)


def _moved(failure: Failure | None, script: Script) -> Failure | None:
    """Turn a line of a body into one of the file; a place that the body does not have is none."""
    if failure is None or failure.line is None:
        return failure
    if not 1 <= failure.line <= script.source.count("\n") + 1:
        return Failure(failure.code, failure.message)
    return Failure(failure.code, failure.message, script.line + failure.line - 1, failure.column)


def _rows(told: Any, batch: Batch, count: int, broken: Failure | None) -> list[Outcome | None]:
    if broken is not None:
        return [Outcome(failure=_moved(broken, batch.script))] * count
    rows = _list(told, "a batch")
    _need(len(rows) == count, "a batch")
    script = batch.script
    return [
        (Outcome(row[0]) if type(row[0]) in _PLAIN else Outcome(_shallow(row[0])))
        if type(row) is list and len(row) == 1
        else _row(row, script)
        for row in rows
    ]


def _row(told: Any, script: Script) -> Outcome | None:
    if type(told) is int and told == 0:
        return None
    _need(isinstance(told, list) and len(told) in (1, 2), "a row")
    value = _shallow(told[0])
    if len(told) == 1:
        return Outcome(value)
    parts = told[1]
    if type(parts) is dict and parts.keys() == _ASKED:  # every row of a page that asks
        return Outcome(value, questions=_count(parts["asked"]))
    return _outcome(value, parts, script)


_ASKED = frozenset({"asked"})
_PARTS = frozenset({"fail", "log", "asked", "set", "reject", "deeds"})
_POWERS = {"set": Power.SET, "reject": Power.REJECT, "deeds": Power.WRITE}


def _outcome(value: Any, parts: Any, script: Script) -> Outcome:
    _need(isinstance(parts, dict) and parts.keys() <= _PARTS, "a row")
    _need(all(power in script.powers for part, power in _POWERS.items() if part in parts), "a power")
    log = _list(parts.get("log", []), "a log")
    _need(all(isinstance(line, str) for line in log), "a log")
    values = parts.get("set", {})
    _need(isinstance(values, dict), "values")
    return Outcome(
        value,
        _moved(_failure(parts["fail"]) if "fail" in parts else None, script),
        tuple(log),
        {field: _shallow(inner) for field, inner in values.items()},
        _some(parts.get("reject", []), _REJECTIONS_LIMIT, _rejection),
        _some(parts.get("deeds", []), DEEDS_LIMIT, _deed),
        _count(parts.get("asked", 0)),
    )


def _count(asked: Any) -> int:
    _need(type(asked) is int and 0 <= asked <= QUESTIONS_LIMIT, "a count of questions")
    return int(asked)


def _some(told: Any, limit: int, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    items = _list(told, "a list")
    _need(len(items) <= limit, "a list")
    return tuple(read(item) for item in items)


def _rejection(told: Any) -> Rejection:
    _need(isinstance(told, list) and len(told) == len(("field", "message")), "a rejection")
    field, message = told
    _need((field is None or isinstance(field, str)) and isinstance(message, str), "a rejection")
    return Rejection(field, message[:_MESSAGE_LIMIT])


def _call(told: Any) -> tuple[str, list[Any]]:
    _need(isinstance(told, list) and len(told) == len(("verb", "args")), "a call")
    verb, args = told
    _need(isinstance(verb, str), "a call")
    return verb, [_shallow(arg) for arg in _list(args, "a call")]


def _fits(args: list[Any], types: tuple[tuple[type, ...], ...], *, more: bool = False) -> bool:
    if not (len(args) >= len(types) - 1 if more else len(args) == len(types)):
        return False
    wanted = (*types, *types[-1:] * max(0, len(args) - len(types)))
    return all(
        isinstance(arg, kinds) and not (kinds is _KEY and isinstance(arg, bool))
        for arg, kinds in zip(args, wanted, strict=False)
    )


def _deed(told: Any) -> Deed:
    verb, args = _call(told)
    _need(verb in _DEEDS and _fits(args, _DEEDS[verb]), "a deed")
    return Deed(verb, tuple(args))


def _questions(told: Any, powers: set[Power]) -> tuple[Question, ...]:
    return tuple(_question(item, powers) for item in _list(told, "the questions"))


def _question(told: Any, powers: set[Power]) -> Question:
    if Power.GQL in powers and _is_plain_gql(told):  # a page has one of them for each of its rows
        return Question("gql", tuple(told[1]))
    verb, args = _call(told)
    _need(verb in _QUESTIONS, "a question")
    power, types, more = _QUESTIONS[verb]
    _need(power in powers and _fits(args, types, more=more), "a question")
    return Question(verb, tuple(args))


def _is_plain_gql(told: Any) -> bool:
    """Answer whether it is a text with variables that hold no others, which is all that there is to be looked at."""
    if type(told) is not list or len(told) != len(("verb", "args")) or told[0] != "gql":
        return False
    args = told[1]
    if type(args) is not list or len(args) != len(("query", "variables")) or type(args[0]) is not str:
        return False
    return type(args[1]) is dict and _PLAIN.issuperset(map(type, args[1].values()))


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _shallow(value: Any) -> Any:
    """Return a value that is nested no deeper than a lambda may nest."""
    if type(value) in _PLAIN or (type(value) is dict and _PLAIN.issuperset(map(type, value.values()))):
        return value
    level = [value]
    for _ in range(NESTING_LIMIT):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return value
    raise BadFrame("A worker answered with a value that is nested too deep.")
