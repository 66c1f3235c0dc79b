"""What a write tells of rows that were hidden: those that it brings into sight, and nothing else.

A rule may look at another row: customers see the notes of jobs of their companies. Whoever may give a job of his such a
company sees from then on the notes that it had all along, and those differ where databases differ in what was hidden. That is
no leak: the write depended on none of them, and the module's rules give them to him now. The author of the rules decides it, by
who may write the fields that rules read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.access.model import TABLES, Desk, Model, Role, Row

Rows = Mapping[str, Collection[int]]  # keys by module


def uncovered(role: Role, before: Desk, after: Desk) -> Rows:
    """Return the rows that are as they were before a write, and that its caller sees only since."""
    was, now = Model(role, before), Model(role, after)
    return {
        module: {
            key
            for key, row in now.visible(module).items()
            if row == before.of(module).get(key) and not was.sees(module, row)
        }
        for module in TABLES
    }


def told(role: Role, before: Desk, after: Desk) -> list[str]:
    """Return all that a role may know after its write, but for what the write brought into sight."""
    rows, was = uncovered(role, before, after), Model(role, before)
    left = Desk(
        {table: _without(after.rows[table], rows[module]) for module, table in TABLES.items()},
        [line for line in after.lines if was.sees("line", line)],
        after.pairs,
        {number: entry for number, entry in after.changes.items() if entry["key"] not in rows[entry["module"]]},
    )
    return shown(role, left)


def shown(role: Role, desk: Desk) -> list[str]:
    """Return all that a role may know, fact by fact."""
    found: list[str] = []
    for name, facts in Model(role, desk).shown().items():
        is_keyed = isinstance(facts, Mapping)
        found += [f"{name} {key}: {facts[key]}" if is_keyed else f"{name}: {key}" for key in facts]
    return found


def _without(rows: Mapping[int, Row], keys: Collection[int]) -> dict[int, Row]:
    return {key: row for key, row in rows.items() if key not in keys}
