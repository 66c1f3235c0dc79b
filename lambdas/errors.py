"""What can go wrong with a lambda. Every failure is told by one of these codes.

FailureCode
├── LAMBDA_FAILED        it threw, or does not compile, or its value is not of the declared type
├── LAMBDA_TIMEOUT       it used up its CPU or wall time
├── LAMBDA_MEMORY        it used up its memory
├── LAMBDA_OUTPUT        a value, or what it logged, is larger than may cross
├── LAMBDA_INPUT         what it would be given is larger than may cross
├── LAMBDA_LIMIT         too many questions, rounds, rows or operations
├── LAMBDA_BUSY          more lambdas wait than may wait
├── LAMBDA_BROKEN        it was stopped several times in a row and rests now
├── LAMBDA_CRASHED       the engine broke down under it
└── LAMBDA_UNAVAILABLE   lambdas do not run here
"""

from __future__ import annotations

from enum import StrEnum


class FailureCode(StrEnum):
    """The stable codes of failed lambdas."""

    FAILED = "LAMBDA_FAILED"
    TIMEOUT = "LAMBDA_TIMEOUT"
    MEMORY = "LAMBDA_MEMORY"
    OUTPUT = "LAMBDA_OUTPUT"
    INPUT = "LAMBDA_INPUT"
    LIMIT = "LAMBDA_LIMIT"
    BUSY = "LAMBDA_BUSY"
    BROKEN = "LAMBDA_BROKEN"
    CRASHED = "LAMBDA_CRASHED"
    UNAVAILABLE = "LAMBDA_UNAVAILABLE"


class LambdaError(Exception):
    """The base of what this room raises."""


class HostRefusal(LambdaError, OSError):
    """The host refuses a step of the lock-down, so lambdas do not run here."""


class JobRefused(LambdaError, ValueError):
    """A job is not sent, because something of it is larger or deeper than may cross."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadFrame(LambdaError, ValueError):
    """What a worker sent is not what a worker says."""


class EngineError(LambdaError):
    """V8 could not do what was asked."""


class ScriptError(EngineError):
    """A script threw. The text is V8's: message, excerpt and stack."""


class ParseError(ScriptError):
    """A script does not parse."""


class OutOfMemory(EngineError, MemoryError):
    """A script used up the memory of its isolate."""


class EngineRefusal(LambdaError, RuntimeError):
    """The engine does not keep what lambdas are promised."""


class WrongValue(LambdaError, ValueError):
    """What a lambda returned is not of the type that its field declares."""
