"""What holds secrets in an OTRS database.

Such columns can be written through `password` and `secret` fields, never read; tables of sessions and tokens are no
modules at all. The lists err on the side of refusing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# Tables of sessions, tokens, keys and raw settings, and all that is Lambdesk's own.
_SECRET_TABLES = frozenset(
    {
        "sessions",
        "session",
        "oauth2_token",
        "smime_keys",
        "smime_signer_cert_relations",
        "pgp_keys",
        "cloud_service_config",
        "system_data",
    }
)
_SECRET_TABLE_PATTERN = re.compile(r"(^|_)(session|sessions|token|tokens|credential|credentials)(_|$)")
_OWN_PREFIX = "lambdesk_"
_SIDE_PREFIX = "lambdesk_ext_"
# Named like tokens, but only say how tokens are got; their secret columns are found by name.
_NOT_SECRET_TABLES = frozenset({"oauth2_token_config"})

_SECRET_COLUMNS = frozenset(
    {
        "pw",
        "pwd",
        "passwd",
        "password",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "auth_key",
        "otp",
        "totp",
        "session_id",
        "access_key",
    }
)
_SECRET_COLUMN_PATTERN = re.compile(
    r"(^|_)(pw|pwd|passwd|password|passphrase|secret|secrets|token|tokens|apikey|otp|totp|credential|credentials)(_?\d*)$"
    r"|^(pw|password|passwd|secret)_(hash|hashed|enc|encrypted|salt|plain|crypt|md5|sha\d*)$"
    r"|(api|private|secret|access|auth|encryption|signing)_?key$"
    r"|^(access|refresh|id|bearer|auth|reset|session)_?token(_\w*)?$"
    r"|token_(hash|value|secret)$"
    r"|client_secret"
)
# Columns that are secret only in one table.
_SECRET_IN_TABLE = frozenset(
    {
        ("oauth2_token_config", "config"),
        ("gi_webservice_config", "config"),
        ("gi_webservice_config_history", "config"),
        ("gi_debugger_entry_content", "content"),
    }
)


@dataclass(frozen=True, slots=True)
class Guard:
    """Rows of names and values: the value may be read where the name beside it holds none of these words."""

    key: str
    words: tuple[str, ...]


_PASSWORD_WORDS = ("secret", "token", "password", "passwd", "pw", "passphrase", "credential", "apikey", "authkey")
_PREFERENCE = Guard("preferences_key", (*_PASSWORD_WORDS, "key", "certificate"))
_SETTING = Guard("name", (*_PASSWORD_WORDS, "privatekey"))
_SETTING_TABLES = "sysconfig_"
_SETTING_COLUMNS = frozenset({"effective_value", "xml_content_raw", "xml_content_parsed"})

# Salts sign links; GOTRS's files read them. A field on one becomes write-only by itself.
_SALTS = frozenset({"salt", "salt_string"})


def is_salt(column: str) -> bool:
    """Answer whether a column holds a salt: a field on it is made write-only, with a warning."""
    return column.lower() in _SALTS


# Tables of the databases themselves.
_SYSTEM_PREFIXES = ("sqlite_", "pg_", "information_schema", "performance_schema")
_SYSTEM_NAMES = frozenset({"mysql"})


def is_reserved_table(table: str) -> bool:
    """Answer whether a name belongs to a database or to Lambdesk itself, so that no module file may take it."""
    name = table.lower()
    return name in _SYSTEM_NAMES or name.startswith((*_SYSTEM_PREFIXES, _OWN_PREFIX))


@lru_cache(maxsize=4096)
def is_secret_table(table: str) -> bool:
    """Answer whether a table holds sessions, tokens or keys, so that no module may sit on it."""
    name = table.lower()
    if name in _NOT_SECRET_TABLES:
        return False
    if name.startswith(_OWN_PREFIX) and not name.startswith(_SIDE_PREFIX):
        return True
    return name in _SECRET_TABLES or _SECRET_TABLE_PATTERN.search(name) is not None


@lru_cache(maxsize=16384)
def is_secret_column(table: str, column: str) -> bool:
    """Answer whether a column holds a password, token or key, so that it can be written and never read."""
    name = column.lower()
    return (
        name in _SECRET_COLUMNS
        or name in _SALTS
        or (table.lower(), name) in _SECRET_IN_TABLE
        or _SECRET_COLUMN_PATTERN.search(name) is not None
    )


def guard_of(table: str, column: str) -> Guard | None:
    """Return what decides, row by row, whether a value may be read; None for columns that are not kept that way."""
    name = column.lower()
    if name == "preferences_value":
        return _PREFERENCE
    if name in _SETTING_COLUMNS and table.lower().startswith(_SETTING_TABLES):
        return _SETTING
    return None


def guards_in(table: str, columns: Iterable[str]) -> dict[str, Guard]:
    """Return the guards of a table by the column that each stands before."""
    found = ((column, guard_of(table, column)) for column in columns)
    return {column: guard for column, guard in found if guard is not None}


def is_unreadable(table: str, column: str) -> bool:
    """Answer whether the bare values of a column may go nowhere: it holds secrets, or does in some rows."""
    return is_secret_column(table, column) or guard_of(table, column) is not None
