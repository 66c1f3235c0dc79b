"""Keeping Python's garbage collector out of the way while modules are loaded.

A load makes many objects that stay. Collections in the middle of it walk all of them and find nothing: measured with 1,000
modules, they more than double the time of a start, and each holds every request for tens of milliseconds.
"""

from __future__ import annotations

import gc
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
