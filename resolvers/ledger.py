"""What a write did, noted in its own transaction: the history of the row, and an event for whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from resolvers.conduct import RowChange, Work
from schema.spec import Field, Module
from storage import changes
from storage.changes import NewChange, make_key

Key = tuple[int | str, ...]

_AS_THEY_ARE = frozenset({str, int, bool, float})
# What JSON cannot say is written as text.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "datetime": datetime.fromisoformat,
    "epoch": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
}


async def note(work: Work, rows: Sequence[RowChange], undoes: int | None = None) -> None:
    """Note rows as changed; ids of changes are to be given as late as can be, so this comes last before the commit."""
    await changes.append(work.transaction, changes_of(work, rows, undoes))


def changes_of(work: Work, rows: Sequence[RowChange], undoes: int | None = None) -> list[NewChange]:
    """Say what is kept of changed rows."""
    caller = work.context.caller
    return [
        NewChange(
            module=row.module.name,
            row_key=make_key(row.key),
            kind=int(row.kind),
            actor_kind=caller.kind,
            actor_id=caller.id,
            actor_login=caller.login,
            request_id=work.context.request_id,
            fields={name: [storable(value) for value in pair] for name, pair in row.fields.items()},
            undoes=undoes,
            source=row.source,
        )
        for row in rows
    ]


def keeps(module: Module, item: Field) -> bool:
    """Answer whether the history keeps a field's values: not what is secret, not whole files; who and when is said beside."""
    return item.is_readable and not item.holds_bytes and not module.stamps(item.column)


def kept_names(module: Module) -> frozenset[str]:
    """Name the fields whose values the history keeps."""
    found: frozenset[str] | None = module.derived.get("kept names")
    if found is None:
        found = module.derived["kept names"] = frozenset(item.name for item in module.fields if keeps(module, item))
    return found


def read_key(text: str) -> Key:
    """Read a key as it stands in the ledger."""
    return tuple(json.loads(text))


def storable(value: Any) -> Any:
    """Make JSON of an API value: moments as ISO texts, decimals as their digits."""
    if value is None or value.__class__ in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): storable(item) for name, item in value.items()}
    return value


def read_kept(item: Field, value: Any) -> Any:
    """Return the API's value of what the history has as JSON."""
    read = _READ.get(item.kind)
    return value if value is None or read is None else read(value)


def differs(before: Any, after: Any) -> bool:
    """Answer whether two API values are not the same; a number and its digits are, outside of structures, and 20 is 20.00."""
    if isinstance(before, Decimal) and isinstance(after, Decimal):
        return before != after
    left, right = storable(before), storable(after)
    if left is None or right is None or isinstance(left, list | dict) or isinstance(right, list | dict):
        return differs_as_json(left, right)
    return str(left) != str(right)


def differs_as_json(before: Any, after: Any) -> bool:
    """Answer whether two values are not the same JSON: to Python, true is 1."""
    return json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
