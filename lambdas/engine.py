"""The engine: V8 as mini-racer brings it, behind the few calls that lambdas need. Loading this file loads V8."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterable
from typing import Any, cast

from py_mini_racer._context import Context, ContextType
from py_mini_racer._dll import init_mini_racer, mr_callback_func
from py_mini_racer._objects import ObjectFactoryImpl
from py_mini_racer._value_handle import RawValueHandleType

# V8 ignores every flag after one that it does not know, so the prelude looks whether these are in force.
V8_FLAGS = (
    "--single-threaded",
    "--jitless",
    "--disallow-code-generation-from-strings",
    "--enable-experimental-regexp-engine-on-excessive-backtracks",
)


def init(flags: Iterable[str] = V8_FLAGS) -> None:
    """Start V8 in this process. A second time is an error, because its flags would have no effect."""
    init_mini_racer(flags=tuple(flags))


class Engine:
    """One isolate with one context.

    mini-racer's own class evaluates a timer of its own first, whose class would stay a variable that all lambdas of the
    context could write to; and it gives each isolate an event loop in a thread, which costs a third of every call.
    """

    def __init__(self) -> None:
        self._dll: Any = init_mini_racer(flags=V8_FLAGS, ignore_duplicate_init=True)
        self._callback = mr_callback_func(self._answer)  # kept, because V8 keeps only its address
        self._handle: ContextType | None = ContextType(self._dll.mr_init_context(self._callback))
        no_loop = cast("asyncio.AbstractEventLoop", None)
        self._context = Context(self._dll, self._handle, no_loop, ObjectFactoryImpl(), itertools.count(1))

    def _answer(self, callback_id: int, raw_val_handle: RawValueHandleType) -> None:
        self._context.handle_callback_from_v8(callback_id, raw_val_handle)

    def eval(self, code: str) -> Any:
        """Run a script and return its value; in a thread without a running event loop."""
        return self._context.eval(code)

    def heap_bytes(self) -> int:
        """Return how much memory V8 uses for what lives in the isolate."""
        return int(json.loads(self._context.heap_stats())["used_heap_size"])

    def close(self) -> None:
        """Free the isolate. One that is left open can hang the interpreter at its end."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._dll.mr_free_context(handle)
