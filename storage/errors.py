"""Everything that the storage room raises. No message carries SQL, parameters or a connection string.

StorageError
├── AlreadyDone                      what an idempotency key stands for is there already: roll back and read its result
├── BadDatabaseUrl (ValueError)      the URL names no database that Lambdesk knows
├── BadParameter (ValueError)        a value that no column can be compared with
├── ConstraintViolated               a unique key, a foreign key, a NOT NULL, a check, a length
├── DatabaseClaimed                  another server works on the same SQLite file
├── FileGone (LookupError)           the bytes of a stored file are not there (any more)
├── InstallRefused                   the database holds something that an installation would collide with
├── StatementFailed                  the database refused a statement: our mistake
├── StatementTimeout (TimeoutError)  a statement or its deadline ran out of time
├── TooSlow                          a subscriber took its changes more slowly than they came
├── TransactionConflict              deadlock, serialization failure, lock wait: the whole transaction may be tried again
├── Unavailable (ConnectionError)    the database is away, or does not let us in
│   ├── OutcomeUnknown               it went away at COMMIT: what was written may be there or not
│   └── PoolExhausted                it is there, but every connection is busy
├── UploadRefused (LookupError)      an upload that nobody made, somebody else made, or a row has already
└── WriteFailed                      the disk is full, or the database is read-only
"""

from __future__ import annotations


class StorageError(Exception):
    """The base of the tree above."""


class AlreadyDone(StorageError):
    """What an idempotency key stands for is there already: roll back and read its result."""

    def __init__(self) -> None:
        super().__init__("What this idempotency key stands for has been done.")


class BadDatabaseUrl(StorageError, ValueError):
    """The URL names no database that Lambdesk knows."""


class BadParameter(StorageError, ValueError):
    """A value that cannot be sent to the database: a structure where a scalar belongs, or out of every range."""


class ConstraintViolated(StorageError):
    """A row that the database refuses. `kind` is unique, foreign_key, not_null, check or length."""

    def __init__(self, kind: str, name: str | None = None) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"The row violates a constraint of the database ({kind.replace('_', ' ')}).")


class DatabaseClaimed(StorageError):
    """Another server works on the same SQLite file."""


class FileGone(StorageError, LookupError):
    """The bytes of a stored file are not there: it was removed meanwhile, or its folder is another one now."""

    def __init__(self) -> None:
        super().__init__("The file is not there any more.")


class InstallRefused(StorageError):
    """The database holds something that an installation would collide with."""


class StatementFailed(StorageError):
    """The database refused a statement; `code` is its own error code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"The database refused a statement ({code}).")


class StatementTimeout(StorageError, TimeoutError):
    """A statement or its deadline ran out of time; the connection was thrown away."""

    def __init__(self) -> None:
        super().__init__("The database took too long to answer; the statement was stopped.")


class TooSlow(StorageError):
    """A subscriber took its changes more slowly than they came; it goes on with reading them since the last one it has."""

    def __init__(self) -> None:
        super().__init__("Changes come faster than they are taken.")


class TransactionConflict(StorageError):
    """Deadlock, serialization failure or lock wait: the whole transaction may be tried again."""

    def __init__(self) -> None:
        super().__init__("Another transaction was in the way.")


class Unavailable(StorageError, ConnectionError):
    """The database is away, or does not let us in. `lost` says that a connection broke which had worked before."""

    def __init__(self, reason: str, *, lost: bool = False) -> None:
        self.reason = reason
        self.lost = lost
        super().__init__(f"The database is not available ({reason}).")


class OutcomeUnknown(Unavailable):
    """The database went away while it was told to COMMIT: what was written may be there or not."""

    def __init__(self) -> None:
        super().__init__("it did not say whether it committed", lost=True)


class PoolExhausted(Unavailable):
    """The database is there, but every connection is busy; trying again after `retry_after` seconds is reasonable."""

    def __init__(self, retry_after: float = 1.0) -> None:
        self.retry_after = retry_after
        super().__init__("every connection is busy")


class UploadRefused(StorageError, LookupError):
    """An upload that cannot be used: nobody made it, somebody else did, or a row has it already."""

    def __init__(self) -> None:
        super().__init__("There is no such upload that is free to be used.")


class WriteFailed(StorageError):
    """The disk is full, or the database is read-only; reads still work."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The database cannot write ({reason}).")
