"""V8 for a worker: mini-racer's library behind the few calls that lambdas need. Loading this file loads V8's.

mini-racer's own class evaluates a timer of its own first, whose class would stay a variable that all lambdas of the context
could write to; it gives each isolate an event loop in a thread, which costs three quarters of every call; and it makes a callback
for each isolate, which is memory that becomes code: a locked-down worker may not have that. Here one callback is made before.
"""

from __future__ import annotations

import ctypes
import json
import queue
from typing import Any

from py_mini_racer._dll import init_mini_racer, mr_callback_func

from lambdas.errors import EngineError, OutOfMemory, ParseError, ScriptError

# V8 ignores every flag after one that it does not know, so the prelude looks whether these are in force.
FLAGS = (
    "--single-threaded",
    "--optimize-for-size",  # what jobs leave behind is collected before the heap has grown by megabytes
    "--jitless",
    "--disallow-code-generation-from-strings",
    "--enable-experimental-regexp-engine-on-excessive-backtracks",
)

# Of mini-racer's source: the tags of values.
NULL, BOOL, INTEGER, DOUBLE, TEXT, UNDEFINED = 1, 2, 3, 4, 5, 11
ERRORS: dict[int, type[EngineError]] = {
    200: ScriptError,
    201: ParseError,
    202: OutOfMemory,
    203: EngineError,  # a timeout, which nobody sets
    204: OutOfMemory,  # terminated: only the limit of memory does that
}

_answers: queue.SimpleQueue[Any] = queue.SimpleQueue()


@mr_callback_func
def _answered(callback_id: int, raw_val_handle: Any) -> None:  # noqa: ARG001 - mini-racer's names
    """Take an answer from V8's thread."""
    _answers.put(raw_val_handle)


def start_engine(heap_line_mb: int = 0) -> None:
    """Initialise V8 for this process and its forks; at the line V8 ends the process (0: where V8 draws it).

    Raises mini-racer's LibAlreadyInitializedError the second time, because its flags would have no effect.
    """
    init_mini_racer(flags=(*FLAGS, *([f"--max-heap-size={heap_line_mb}"] if heap_line_mb else [])))


class Engine:
    """One isolate with one context. Engines of a process are used by one thread, one at a time."""

    def __init__(self) -> None:
        self._library: Any = init_mini_racer(flags=FLAGS, ignore_duplicate_init=True)
        self._context: int | None = self._library.mr_init_context(_answered)

    def eval(self, code: str) -> Any:
        """Run a script and return its value: None, a bool, a number or a text; of everything else, that there was one.

        Raises ScriptError with V8's message and stack, ParseError, OutOfMemory, EngineError.
        """
        text = code.encode("utf-8", "surrogatepass")
        handle = self._library.mr_alloc_string_val(self._context, text, len(text), TEXT)
        try:
            self._library.mr_eval(self._context, handle, 0)
            return self._take(_answers.get())
        finally:
            self._library.mr_free_value(self._context, handle)

    def limit_heap(self, megabytes: int) -> None:
        """Stop scripts, from now on, when the heap grows beyond this."""
        self._library.mr_set_hard_memory_limit(self._context, megabytes * 1024 * 1024)

    def heap_bytes(self) -> int:
        """Return what the heap holds, garbage included."""
        return int(json.loads(self._take(self._library.mr_heap_stats(self._context)))["used_heap_size"])

    def collect(self) -> None:
        """Collect all garbage, which takes milliseconds."""
        self._library.mr_low_memory_notification(self._context)

    def close(self) -> None:
        """Free the isolate. One that is left open keeps the interpreter from ending."""
        context, self._context = self._context, None
        if context is not None:
            self._library.mr_free_context(context)

    def _take(self, handle: Any) -> Any:
        try:
            return read_value(handle.contents)
        finally:
            self._library.mr_free_value(self._context, handle)


def read_value(raw: Any) -> Any:
    """Make a value of Python's of one of V8's, or raise what it says."""
    kind = raw.type
    if kind == TEXT or kind in ERRORS:
        text = ctypes.string_at(raw.value.bytes_val, raw.len).decode("utf-8", "replace")
        if kind == TEXT:
            return text
        raise ERRORS[kind](text)
    if kind in (NULL, UNDEFINED):
        return None
    if kind == DOUBLE:
        return raw.value.double_val
    return raw.value.int_val if kind == INTEGER else kind != BOOL or raw.value.int_val == 1
