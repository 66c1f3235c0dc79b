"""One server a SQLite file: whoever serves it holds a lock beside it, which the system takes back when the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import DatabaseClaimed

SUFFIX = ".lock"


@contextmanager
def claim(file: Path | None) -> Iterator[None]:
    """Hold a database file until the block ends; None is a database that may have many servers.

    Raises `DatabaseClaimed` when another server has it. The lock is on a file of its own: SQLite's locks on the database
    would be lost when any handle to it closes.
    """
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file.with_name(file.name + SUFFIX), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseClaimed(
                f"Another Lambdesk serves {file} already. Stop it, or set LAMBDESK_DATABASE_URL to a database of its own."
            ) from None
        yield
    finally:
        os.close(handle)
