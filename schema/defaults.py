"""Default values of fields: what may be written for each kind, and what is stored for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schema.kinds import VALIDITY
from schema.problems import suggest
from schema.spec import Option

_INT_BITS = {"int": 31, "duration": 31, "epoch": 63, "bigint": 63}


class WrongDefaultError(ValueError):
    """A default value does not fit its kind; the text says what would."""


def stored_default(kind: str, value: Any, options: Sequence[Option] = ()) -> Any:
    """Return the stored value of a default, or raise `WrongDefaultError`."""
    make = _MAKERS.get(kind)
    return value if make is None else make(value, kind, options)


def _text(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise WrongDefaultError("a text")


def _int(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongDefaultError("a whole number")
    if abs(value) >= 2 ** _INT_BITS[kind]:
        raise WrongDefaultError(f"a whole number of {_INT_BITS[kind] + 1} bits")
    return value


def _number(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WrongDefaultError("a number")
    return value


def _bool(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if value in (0, 1, "0", "1") and not isinstance(value, float):
        return value in (1, "1", True)
    raise WrongDefaultError("true or false")


def _moment(parse: Callable[[str], Any], wanted: str) -> Callable[[Any, str, Sequence[Option]], Any]:
    def read(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
        if isinstance(value, str):
            try:
                parse(value)
            except ValueError:
                pass
            else:
                return value
        raise WrongDefaultError(f"{wanted}, or a lambda such as `{{lambda: return now}}`")

    return read


def _option(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, bool):
        value = int(value)
    for option in options:
        if value == option.name or str(value) == str(option.value):
            return option.value
    names = [option.name for option in options]
    near = suggest(str(value), names)
    raise WrongDefaultError(f"one of {', '.join(names)}" + (f" ({near})" if near else ""))


def _options(value: Any, kind: str, options: Sequence[Option]) -> Any:
    if not isinstance(value, list):
        raise WrongDefaultError("a list of options")
    return [_option(item, kind, options) for item in value]


def _validity(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, str) and value in VALIDITY:
        return VALIDITY[value]
    if str(value) in {str(number) for number in VALIDITY.values()}:
        return int(value)
    raise WrongDefaultError(f"one of {', '.join(VALIDITY)}")


def _key(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return value
    raise WrongDefaultError("a key of the target")


def _no_file(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    raise WrongDefaultError("left out; a file has no default")


def _none(value: Any, kind: str, options: Sequence[Option]) -> Any:  # noqa: ARG001 - one signature for the table
    raise WrongDefaultError("left out; what is secret has no default")


_Maker = Callable[[Any, str, Sequence[Option]], Any]
_TEXTS = ("string", "text", "markdown", "html", "color", "email", "url", "phone")
_MAKERS: Mapping[str, _Maker] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_INT_BITS, _int),
    **dict.fromkeys(("float", "decimal", "range"), _number),
    **dict.fromkeys(("select", "radio"), _option),
    **dict.fromkeys(("password", "secret"), _none),
    "file": _no_file,
    "bool": _bool,
    "date": _moment(dt.date.fromisoformat, "a date such as 2026-01-31"),
    "time": _moment(dt.time.fromisoformat, "a time such as 08:30"),
    "datetime": _moment(dt.datetime.fromisoformat, "a time such as 2026-01-31T08:30:00Z"),
    "multiselect": _options,
    "validity": _validity,
    "reference": _key,
}
