"""What a lambda says of a job in which it was given secrets, without them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from lambdas.contract import Outcome, Rejection, Result

MASK = "[secret]"
CUT = "…"  # stands where a text was cut off
PART_LETTERS = 4  # of a secret, at the end of a text, tell that it was cut off there
LINE_LETTERS = 8  # shorter lines of a secret with several are no secret by themselves


def mask_result(result: Result, secrets: Collection[str]) -> Result:
    """Take secrets out of all that is shown of a job: values, logs, failures, rejections. What it asks to be written stays."""
    words = _words(secrets)
    if not words:
        return result
    return replace(result, outcomes=tuple(tuple(_mask_outcome(item, words) for item in row) for row in result.outcomes))


def mask_text(text: str, secrets: Collection[str]) -> str:
    """Take secrets out of a text."""
    return _mask(text, _words(secrets))


def _words(secrets: Collection[str]) -> list[str]:
    """Return the texts to be hidden: secrets as they are, as JSON writes them, and line by line; long ones first."""
    found: set[str] = set()
    for secret in secrets:
        lines = [line.strip() for line in secret.splitlines()]
        found |= {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        found |= {line for line in lines if len(line) >= LINE_LETTERS}
    return sorted((word for word in found if word), key=len, reverse=True)


def _mask(text: str, words: Collection[str]) -> str:
    for word in words:
        text = text.replace(word, MASK)
    return _mask_end(text, words)


def _mask_end(text: str, words: Collection[str]) -> str:
    """Hide the beginning of a secret where a text was cut off in the middle of it."""
    cut = text.removesuffix(CUT)
    longest = max(
        (length for word in words for length in range(PART_LETTERS, len(word)) if cut.endswith(word[:length])),
        default=0,
    )
    return cut[: len(cut) - longest] + MASK if longest else text


def _mask_outcome(outcome: Outcome, words: Collection[str]) -> Outcome:
    failure = outcome.failure
    return replace(
        outcome,
        value=_mask_value(outcome.value, words),
        failure=failure and replace(failure, message=_mask(failure.message, words)),
        log=tuple(_mask(line, words) for line in outcome.log),
        rejections=tuple(Rejection(item.field, _mask(item.message, words)) for item in outcome.rejections),
    )


def _mask_value(value: Any, words: Collection[str]) -> Any:
    if isinstance(value, str):
        return _mask(value, words)
    if isinstance(value, Mapping):
        return {_mask(str(name), words): _mask_value(item, words) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_value(item, words) for item in value]
    return value
