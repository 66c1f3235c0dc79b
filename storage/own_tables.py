"""Lambdesk's own tables, all named `lambdesk_*`: what they hold, and how each database is told to make them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.columns import Blob, LongText

PREFIX = "lambdesk_"
WORD_INDEX = "lambdesk_text_words"  # a full-text one, which each database makes in a way of its own

_METADATA = sa.MetaData()
# Options that only CREATE TABLE needs. Kept beside the tables: naming a dialect there would load it, and its cousins with it.
_OPTIONS: dict[str, dict[str, Any]] = {
    "mysql": {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"},
    "sqlite": {"sqlite_autoincrement": True},
}
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

META = sa.Table(
    "lambdesk_meta",
    _METADATA,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("value", sa.String(250), nullable=False),
)

MODULE = sa.Table(
    "lambdesk_module",
    _METADATA,
    sa.Column("managed_table", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(63), nullable=False),  # the module that asked for the table first
    sa.Column("beside", sa.String(64)),  # the base table of a side table
    sa.Column("created", sa.BigInteger, nullable=False),
)

VERSION = sa.Table(
    "lambdesk_module_version",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("file", sa.String(250), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("source", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),  # seconds since 1970
    sa.Index("lambdesk_module_version_name", "name"),
    sa.Index("lambdesk_module_version_file", "file"),
)

# Every change of every row, as history and as the feed of changes: ids grow with commits (see `storage.feed`).
CHANGE = sa.Table(
    "lambdesk_change",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("origin", sa.String(100), unique=True),  # what OTRS wrote and we found, so that it is noted once
    sa.Column("module", sa.String(63), nullable=False),
    sa.Column("row_key", sa.String(600), nullable=False),  # the values of the key columns, as a JSON list
    sa.Column("kind", sa.SmallInteger, nullable=False),  # 1 created, 2 updated, 3 deleted
    sa.Column("at", sa.BigInteger, nullable=False),  # milliseconds since 1970
    sa.Column("actor_kind", sa.String(10), nullable=False),
    sa.Column("actor_id", sa.BigInteger, nullable=False),
    sa.Column("actor_login", sa.String(250), nullable=False),
    sa.Column("request_id", sa.String(64)),
    sa.Column("undoes", sa.BigInteger),  # the change that this one takes back
    sa.Column("source", sa.BigInteger),  # of a ticket: the newest row of ticket_history that came with it
    sa.Column("fields", LongText("MEDIUMTEXT"), nullable=False),  # JSON: field → [before, after]
    sa.Index("lambdesk_change_row", "module", "row_key", "id"),
)

# What a mutation with an Idempotency-Key did, noted in its own transaction.
IDEMPOTENCY = sa.Table(
    "lambdesk_idempotency",
    _METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),  # of caller, key and response name
    sa.Column("fingerprint", sa.String(64), nullable=False),  # of the field and its input
    sa.Column("result", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Index("lambdesk_idempotency_created", "created"),
)

# Names that a transaction holds while it does what must not happen twice at once.
LOCK = sa.Table("lambdesk_lock", _METADATA, sa.Column("name", sa.String(100), primary_key=True))

FILE = sa.Table(
    "lambdesk_file",
    _METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(250), nullable=False),
    sa.Column("content_type", sa.String(250), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("place", sa.String(20), nullable=False),  # database or folder
    sa.Column("owner_kind", sa.String(10), nullable=False),  # who uploaded it
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("module", sa.String(63)),  # whose row holds it; null until a mutation refers to it
    sa.Column("row_key", sa.String(600)),
    sa.Column("field", sa.String(63)),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Index("lambdesk_file_created", "created"),
)

FILE_PART = sa.Table(
    "lambdesk_file_part",
    _METADATA,
    sa.Column("file_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", Blob(), nullable=False),
)

SAVED_VIEW = sa.Table(
    "lambdesk_saved_view",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("module", sa.String(63), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("owner_kind", sa.String(10), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("shared", sa.SmallInteger, nullable=False),
    sa.Column("settings", LongText("MEDIUMTEXT"), nullable=False),  # JSON: filter, search, order, columns
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("module", "owner_kind", "owner_id", "name", name="lambdesk_saved_view_unique"),
)

# What somebody has begun to write, kept until it is sent; nobody else reads it.
DRAFT = sa.Table(
    "lambdesk_draft",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("owner_kind", sa.String(10), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("place", sa.String(200), nullable=False),  # the form that it belongs to, and the row that this is about
    sa.Column("content", LongText("MEDIUMTEXT"), nullable=False),  # JSON: the texts of the form's fields
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("owner_kind", "owner_id", "place", name="lambdesk_draft_unique"),
    sa.Index("lambdesk_draft_changed", "changed"),
)

# Module files that administrators are writing, until they are published; of a file one for each of them.
MODULE_DRAFT = sa.Table(
    "lambdesk_module_draft",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("file", sa.String(250), nullable=False),
    sa.Column("owner_kind", sa.String(10), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("owner_login", sa.String(200), nullable=False),
    sa.Column(
        "basis", sa.String(64), nullable=False
    ),  # the digest of the file that it started from, empty for a new one
    sa.Column("source", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("owner_kind", "owner_id", "file", name="lambdesk_module_draft_unique"),
    sa.Index("lambdesk_module_draft_file", "file"),
    sa.Index("lambdesk_module_draft_changed", "changed"),
)

JOB = sa.Table(
    "lambdesk_job",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("module", sa.String(63), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # RUNNING, DONE or FAILED
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("owner_kind", sa.String(10), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("result", LongText("MEDIUMTEXT"), nullable=False),  # JSON: what the rows' errors were
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),  # a running job touches it; one that does not is dead
)

# What a merge of tickets moved, so that it can be taken back.
MERGE = sa.Table(
    "lambdesk_merge",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("source_ticket", sa.BigInteger, nullable=False),
    sa.Column("target_ticket", sa.BigInteger, nullable=False),
    sa.Column("actor_kind", sa.String(10), nullable=False),
    sa.Column("actor_id", sa.BigInteger, nullable=False),
    sa.Column("details", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("undone", sa.BigInteger),
    sa.Index("lambdesk_merge_source", "source_ticket"),
)

# Passwords as Lambdesk keeps them beside OTRS's, which stay as they are.
CREDENTIAL = sa.Table(
    "lambdesk_credential",
    _METADATA,
    sa.Column("account_kind", sa.String(10), primary_key=True),
    sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.String(250), nullable=False),  # argon2id, in its own notation
    sa.Column("fingerprint", sa.String(64), nullable=False),  # of OTRS's `pw`; when that is another, this row is void
    sa.Column("changed", sa.BigInteger, nullable=False),
)

# Who is signed in: a browser with a cookie, or a client with refresh tokens. Times are seconds since 1970.
SESSION = sa.Table(
    "lambdesk_session",
    _METADATA,
    sa.Column("id", sa.String(32), primary_key=True),  # no secret: it stands in access tokens and in lists
    sa.Column("kind", sa.String(10), nullable=False),  # page or api
    sa.Column("account_kind", sa.String(10), nullable=False),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.String(64), nullable=False),  # of password, login, groups and roles at sign-in
    sa.Column("cookie_digest", sa.String(64), unique=True),
    sa.Column("newest", sa.Integer, nullable=False),  # the number of the refresh token that is to be used next
    sa.Column("rotated", sa.BigInteger, nullable=False),  # when the one before was used, in milliseconds
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("why", sa.String(20)),  # it ended
    sa.Column("address", sa.String(45), nullable=False),
    sa.Column("client", sa.String(250), nullable=False),  # what the browser or program calls itself
    sa.Index("lambdesk_session_account", "account_kind", "account_id"),
    sa.Index("lambdesk_session_expires", "expires"),
)

REFRESH_TOKEN = sa.Table(
    "lambdesk_refresh_token",
    _METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # in its session, from 1
    sa.UniqueConstraint("session", "number", name="lambdesk_refresh_token_unique"),  # never two successors
)

API_TOKEN = sa.Table(
    "lambdesk_api_token",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("owner_kind", sa.String(10), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("scope", LongText("MEDIUMTEXT"), nullable=False),  # JSON: the modules and operations, null for all
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger),
    sa.Column("revoked", sa.BigInteger),
    sa.Index("lambdesk_api_token_owner", "owner_kind", "owner_id"),
)

# Attempts to sign in, by account and by address. Times are milliseconds since 1970.
THROTTLE = sa.Table(
    "lambdesk_throttle",
    _METADATA,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("tried", sa.BigInteger, nullable=False),
    sa.Column("free_at", sa.BigInteger, nullable=False),  # the next attempt is looked at from then on
    sa.Column("told", sa.BigInteger, nullable=False),  # the `free_at` for which a refusal is in the audit
    sa.Index("lambdesk_throttle_tried", "tried"),
)

SIGN_IN = sa.Table(
    "lambdesk_sign_in",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),  # milliseconds since 1970
    sa.Column("outcome", sa.String(10), nullable=False),  # ok, refused, throttled or reused
    sa.Column("account_kind", sa.String(10), nullable=False),
    sa.Column("account_id", sa.BigInteger),  # null: there is no such account
    sa.Column("login", sa.String(200)),  # of an account only: people type passwords into the wrong field
    sa.Column("account_key", sa.String(64), nullable=False),  # the same for the same login, known or not
    sa.Column("address", sa.String(45), nullable=False),
    sa.Column("session", sa.String(32)),
    sa.Index("lambdesk_sign_in_at", "at"),
    sa.Index("lambdesk_sign_in_account", "account_kind", "account_id", "at"),
)

# The words of rows' texts, with a full-text index of the database's own over them (`storage.words`).
TEXT = sa.Table(
    "lambdesk_text",
    _METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("words", LongText("MEDIUMTEXT"), nullable=False),
    sa.Index(WORD_INDEX, "words"),
)

# Which texts are in there: of which fields of which module, and how far they have been read.
TEXT_SOURCE = sa.Table(
    "lambdesk_text_source",
    _METADATA,
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),  # the low bits of the ids of its texts
    sa.Column("module", sa.String(63), nullable=False),
    sa.Column("form", sa.String(64), nullable=False),  # a digest of the fields and of how their words are told apart
    sa.Column("state", sa.String(10), nullable=False),  # building, complete or leaving
    sa.Column("mark", sa.BigInteger),  # rows from here on are in; null before the first
    sa.Column("upto", sa.BigInteger, nullable=False),  # the change up to which they are current
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),  # rows when it began
    sa.Column("began", sa.BigInteger, nullable=False),  # milliseconds since 1970
    sa.Column("ended", sa.BigInteger),
)

# What lambdas are still to be told of what was written, and what became of it (`storage.outbox`). `due` is in milliseconds
# since 1970, other times in seconds.
OUTBOX = sa.Table(
    "lambdesk_outbox",
    _METADATA,
    sa.Column("id", _COUNTER, primary_key=True),
    sa.Column(
        "delivery", sa.String(32), nullable=False, unique=True
    ),  # the same for every attempt, like no other anywhere
    sa.Column("module", sa.String(63), nullable=False),
    sa.Column(
        "row_key", sa.String(600), nullable=False
    ),  # as in lambdesk_change; entries of one row wait for each other
    sa.Column("hook", sa.String(80), nullable=False),  # which lambda: `after_update 1`, `schedule nightly`
    sa.Column("code", sa.String(64), nullable=False),  # a digest of it as it was then
    sa.Column("payload", LongText("MEDIUMTEXT"), nullable=False),  # JSON: what it is given
    sa.Column("caller_kind", sa.String(10), nullable=False),
    sa.Column("caller_id", sa.BigInteger, nullable=False),
    sa.Column("caller_login", sa.String(250), nullable=False),
    sa.Column("request_id", sa.String(64)),
    sa.Column("depth", sa.SmallInteger, nullable=False),  # how many of such lambdas led to the write
    sa.Column("state", sa.String(10), nullable=False),  # open, done, failed or dead
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),  # of an open one: when it may be taken, also from whoever has it
    sa.Column("worker", sa.String(32)),  # who has it
    sa.Column("failure_code", sa.String(40)),
    sa.Column("failure", sa.String(1000)),
    sa.Column("log", LongText("MEDIUMTEXT")),  # JSON: the lines that it logged
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("took_ms", sa.Integer),  # the last attempt
    sa.Index("lambdesk_outbox_due", "state", "due", "id"),
    sa.Index("lambdesk_outbox_row", "module", "row_key", "state", "id"),
    sa.Index("lambdesk_outbox_ended", "ended"),
)

# When lambdas by the clock run next. Times are milliseconds since 1970.
SCHEDULE = sa.Table(
    "lambdesk_schedule",
    _METADATA,
    sa.Column("module", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("rhythm", sa.String(300), nullable=False),  # the cron line and the time zone that `next` follows from
    sa.Column("next", sa.BigInteger),  # null: never
    sa.Column("last", sa.BigInteger),  # for when the last run was
    sa.Column("entry", sa.BigInteger),  # which stands in the outbox
)

# What lambdas need to know and nobody may read, sealed with the server's key.
SECRET = sa.Table(
    "lambdesk_secret",
    _METADATA,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("value", LongText("MEDIUMTEXT"), nullable=False),
    sa.Column("modules", LongText("MEDIUMTEXT"), nullable=False),  # JSON: whose lambdas may ask for it, null for all
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("changed_by_kind", sa.String(10), nullable=False),
    sa.Column("changed_by_id", sa.BigInteger, nullable=False),
    sa.Column("changed_by_login", sa.String(250), nullable=False),
)

TABLES = (
    META,
    MODULE,
    VERSION,
    CHANGE,
    IDEMPOTENCY,
    LOCK,
    FILE,
    FILE_PART,
    SAVED_VIEW,
    DRAFT,
    MODULE_DRAFT,
    JOB,
    MERGE,
    CREDENTIAL,
    SESSION,
    REFRESH_TOKEN,
    API_TOKEN,
    THROTTLE,
    SIGN_IN,
    TEXT,
    TEXT_SOURCE,
    OUTBOX,
    SCHEDULE,
    SECRET,
)
# SQLite gives the ids of deleted rows out again unless it is told not to.
_NEVER_AGAIN = (VERSION, CHANGE, SAVED_VIEW, DRAFT, MODULE_DRAFT, JOB, MERGE, API_TOKEN, SIGN_IN, OUTBOX)


def tables_for(dialect: str) -> list[sa.Table]:
    """Return the tables as they are created on a dialect."""
    made = []
    for table in TABLES:
        copy = table.to_metadata(sa.MetaData())
        copy.kwargs.update(_OPTIONS.get(dialect, {}) if dialect != "sqlite" or table in _NEVER_AGAIN else {})
        made.append(copy)
    return made
