"""From an entry of the outbox to the lambda that it is for, as it stands in the file now, and what that is given."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.contract import Batch, Power, Script
from resolvers.lambda_items import items_of
from resolvers.ledger import read_key
from resolvers.outbox import code_digest, hooks_after
from schema.snapshot import Snapshot
from schema.spec import Code, Module
from storage.outbox import Claimed

SCHEDULE = "schedule"  # the first word of an entry's `hook` that is one by the clock

_ASKING: Mapping[str, Power] = {"gql": Power.GQL, "query": Power.SQL}
_POWERS = frozenset({Power.WRITE, Power.HTTP, Power.SECRET})


@dataclass(frozen=True, slots=True)
class Errand:
    """A lambda with what it is given, and the languages of whoever it runs for."""

    module: Module
    batch: Batch
    languages: tuple[str, ...] = ()


def find_errand(snapshot: Snapshot, entry: Claimed, verbs: Collection[str]) -> Errand | None:
    """Return what is to be run for an entry, or None where its lambda is gone; `verbs` are what may be asked of the data."""
    module = snapshot.modules.get(entry.module)
    found = None if module is None else _find(module, entry)
    if module is None or found is None:
        return None
    name, code = found
    powers = _POWERS | {_ASKING[verb] for verb in verbs if verb in _ASKING}
    script = Script(f"{module.name}.{name}", code.source, code.place.line, powers)
    given = json.loads(entry.payload)
    if entry.hook.startswith(SCHEDULE):
        return Errand(module, Batch(script, [{}], given))
    key, items = read_key(entry.row_key), items_of(module)
    before: Any = None if given["before"] is None else items.item(key, given["before"])
    beside: dict[str, Any] = given["beside"]
    row = [*items.row(key, given["item"]), *beside.values()]
    batch = Batch(script, [row], {}, [*items.shape, *(((), (name,)) for name in beside)], [before])
    return Errand(module, batch, tuple(given["languages"]))


def _find(module: Module, entry: Claimed) -> tuple[str, Code] | None:
    """Find a lambda and its name: the one with the same text, else the one that stands in its place."""
    event, _, name = entry.hook.partition(" ")
    if event == SCHEDULE:
        return next(((f"{event}.{name}", item.code) for item in module.schedules if item.name == name), None)
    known = [(place, hook.code) for place, hook in hooks_after(module, event)]
    same = next((item for item in known if code_digest(item[1]) == entry.code), None)
    found = same or next((item for item in known if item[0] == entry.hook), None)
    return None if found is None else (found[0].removesuffix(" 1").replace(" ", "."), found[1])
