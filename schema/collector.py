"""Loading modules without getting in the way of requests: the garbage collector, and Python's lock.

A load makes many objects that stay. Collections in the middle of it walk all of them and find nothing: measured with 1,000
modules, they more than double the time of a start, and each holds every request for tens of milliseconds.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Put collections off until the end of the block; nested blocks and a switched-off collector stay as they are."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle() -> None:
    """Collect once and take what is there now out of later collections: it is going to stay."""
    gc.collect()
    gc.freeze()


class Breath:
    """Lets other threads run between two pieces of work.

    Python's own switching shares its lock evenly between a load and the requests beside it. A load is in no hurry: it
    steps back after every slice, long enough for a waiting event loop to take the lock.
    """

    SLICE_S = 0.001
    PAUSE_S = 0.00005

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def __call__(self) -> None:
        """Step back if the slice is used up."""
        if time.perf_counter() - self._since > self.SLICE_S:
            time.sleep(self.PAUSE_S)
            self._since = time.perf_counter()


def hold_breath() -> None:
    """Do not step back: nobody is waiting yet."""
