"""Words of texts, and each database's own full-text index over them.

What a word is, is decided here and not by the databases, so that the same is found on all three: letters and digits in any
case, found by how they begin. SQLite's index is made of trigrams, which know no words; so words stand between spaces there,
and what is looked for begins with the spaces. MariaDB's leaves out what is short, what is frequent in English and what it takes
for no letter; so words have two letters before them there, and nothing but ASCII in them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from storage.dialects import Expression, fold
from storage.own_tables import TEXT, WORD_INDEX

if TYPE_CHECKING:
    from storage.engine import Database

TEXT_LIMIT_CHARS = 300_000  # of a row's texts: PostgreSQL's vectors hold a megabyte
WORD_LIMIT = 80  # letters of a word that count, one outside of ASCII as four: MariaDB knows words of 84
SHORT = 3  # letters from which on a word is found by its beginning
SLOT_BITS = 8
SLOTS = range(1, 1 << SLOT_BITS)

INDEX = WORD_INDEX  # on SQLite a table, as its full-text indexes are
_VECTOR = "array_to_tsvector(string_to_array(words, ' '))"

# Languages that put no spaces between words: every letter is one.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_ALONE}]|[^\\W_{_ALONE}]+")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

_LEFT = f"DROP TABLE IF EXISTS {INDEX}"  # of a table of texts that somebody has dropped
_FTS = f"""
CREATE VIRTUAL TABLE {INDEX} USING fts5(words, content='{TEXT.name}', content_rowid='id', tokenize='trigram case_sensitive 1')
"""
_ADDED = f"""
CREATE TRIGGER {INDEX}_insert AFTER INSERT ON {TEXT.name} BEGIN
  INSERT INTO {INDEX} (rowid, words) VALUES (new.id, new.words);
END
"""  # noqa: S608 - names of ours
_REMOVED = f"""
CREATE TRIGGER {INDEX}_delete AFTER DELETE ON {TEXT.name} BEGIN
  INSERT INTO {INDEX} ({INDEX}, rowid, words) VALUES ('delete', old.id, old.words);
END
"""  # noqa: S608 - the same
# What is added gathers in a list that every search reads: a short one.
_GIN = f"CREATE INDEX {INDEX} ON {TEXT.name} USING gin ({_VECTOR}) WITH (gin_pending_list_limit = 512)"
_INDEXES: Mapping[str, tuple[str, ...]] = {"sqlite": (_LEFT, _FTS, _ADDED, _REMOVED), "postgresql": (_GIN,)}
_TRIGRAMS_SINCE = (3, 34)
_HAS_FTS = "SELECT sqlite_compileoption_used('ENABLE_FTS5')"
_IS_THERE = sa.text("SELECT count(*) FROM sqlite_master WHERE name = :name AND type = 'table'").bindparams(name=INDEX)


class _Question(sa.types.UserDefinedType[Any]):
    """PostgreSQL's type of what is asked of a vector."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type."""
        return "TSQUERY"


class Runner(Protocol):
    """Something that runs statements."""

    @property
    def dialect(self) -> Any:
        """Whose database it is."""

    async def execute(self, statement: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement."""


# --- what words are ---


def split(text: str) -> list[str]:
    """Split a text into its words, in their order: folded, without what counts no more of long ones."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return [_cut(word) for word in _WORD.findall(fold(text))]


def words_of(texts: Iterable[str], dialect: str) -> str:
    """Return the different words of a row's texts as the index of a database has them; nothing where there are none."""
    found: set[str] = set()
    left = TEXT_LIMIT_CHARS
    for text in texts:
        found.update(split(text[:left]))
        left -= len(text)
        if left <= 0:
            break
    if not found:
        return ""
    words = sorted(found)
    if dialect == "sqlite":
        return f"  {'  '.join(words)}  "
    return " ".join(map(_spelt, words) if dialect == "mysql" else words)


def question(words: Collection[str], dialect: str) -> str:
    """Ask for texts that have all of these words, as `split` gives them. Nothing in them can be an operator."""
    if dialect == "sqlite":
        return " AND ".join(f'"  {word}{"" if _is_beginning(word) else "  "}"' for word in words)
    if dialect == "mysql":
        return " ".join(f"+{_spelt(word)}{'*' if _is_beginning(word) else ''}" for word in words)
    return " & ".join(f"'{word}'{':*' if _is_beginning(word) else ''}" for word in words)


def _is_beginning(word: str) -> bool:
    return len(word) >= SHORT


def _cut(word: str) -> str:
    if word.isascii():
        return word[:WORD_LIMIT]
    left = WORD_LIMIT
    for place, letter in enumerate(word):
        left -= 1 if letter.isascii() else 4
        if left < 0:
            return word[:place]
    return word


def _spelt(word: str) -> str:
    """Spell a word for MariaDB: `zz` before it, other letters than those of ASCII as `_` and three signs."""
    if word.isascii():
        return f"zz{word}"
    return "zz" + "".join(letter if letter.isascii() else _sign(ord(letter)) for letter in word)


def _sign(number: int) -> str:
    """Write a code point with a fixed length, so that the beginnings of words stay beginnings."""
    number, low = divmod(number, 36)
    number, middle = divmod(number, 36)
    # Beyond 36 * 36 * 36 are rare letters and what is written without letters; those that collide find a little too much.
    return f"_{_DIGITS[number % 36]}{_DIGITS[middle]}{_DIGITS[low]}"


# --- the index ---


async def make_word_index(runner: Runner) -> None:
    """Make the index of the table of texts, where it is not made with the table; a SQLite that is too old has none."""
    dialect = runner.dialect.name
    if dialect == "sqlite":
        import sqlite3  # noqa: PLC0415 - only where it is in use

        has_fts = bool((await runner.execute(_HAS_FTS))[0][0])
        if not has_fts or sqlite3.sqlite_version_info < _TRIGRAMS_SINCE:
            return
    for statement in _INDEXES.get(dialect, ()):
        await runner.execute(statement)


async def has_word_index(database: Database) -> bool:
    """Answer whether the database has the index."""
    return database.dialect.name != "sqlite" or bool((await database.fetch(_IS_THERE))[0][0])


def text_id(row: int, slot: int) -> int:
    """Return the id of a row's text."""
    return row << SLOT_BITS | slot


def slot_of(number: Expression) -> Expression:
    """Return the slot that an id of a text has in it."""
    return number.op("&")(sa.literal_column(str((1 << SLOT_BITS) - 1)))


@dataclass(frozen=True, slots=True)
class TextsWith:
    """A table of texts, of which a condition leaves those with some words: of which row each is, and in which slot."""

    table: FromClause
    row: Expression
    slot: Expression
    condition: Expression


def texts_with(words: Collection[str], dialect: str, alias: str) -> TextsWith:
    """Return the texts that have all of the words."""
    asked = sa.literal(question(words, dialect), sa.String)
    if dialect == "sqlite":  # its index knows the ids, and the table with the words is not looked at
        table: FromClause = sa.table(INDEX).alias(alias)
        number: Expression = sa.column("rowid", _selectable=table)
        found: Expression = sa.column(INDEX, _selectable=table).match(asked)
    else:
        table = sa.table(TEXT.name).alias(alias)
        number = sa.column("id", _selectable=table)
        if dialect == "mysql":
            found = sa.column("words", _selectable=table).match(asked)
        else:
            vector: Expression = sa.literal_column(_VECTOR.replace("words", f"{alias}.words"))
            found = vector.op("@@")(sa.cast(asked, _Question()))
    # A shift on MariaDB has no sign, and what is compared with it uses no index.
    divide = {"mysql": "DIV"}.get(dialect, "/")
    row = number.op(divide)(sa.literal_column(str(1 << SLOT_BITS)))
    return TextsWith(table, row, slot_of(number), found)


def among(slot: Expression, slots: Collection[int]) -> Expression:
    """Say that a slot is one of these."""
    return slot.in_([sa.literal_column(str(each)) for each in sorted(slots)])
