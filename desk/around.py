"""What surrounds a ticket: the keys that its reader holds, whether its merge can be taken back, and what it is linked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.links import NORMAL, PARENT_CHILD, TICKET
from desk.roles import Role, find_role
from desk.tables import LINK_OBJECT, LINK_RELATION, LINK_TYPE, QUEUE
from desk.tables import TICKET as TICKETS
from identity.access import Right, access_of
from identity.principals import Agent, person_of
from identity.rights import KEYS
from resolvers.context import Context
from resolvers.draft import Draft
from resolvers.errors import from_storage
from resolvers.guard import guard_of
from resolvers.ids import read_id
from resolvers.predicate import KeyIn
from resolvers.scope import Speech
from resolvers.terms import Term
from schema.spec import Module
from storage.direct import Kept
from storage.errors import StorageError
from storage.own_tables import MERGE

LINKS_LIMIT = 200  # of one ticket; nobody reads more
# How the other ticket stands to this one, by the link's type and whether it is the link's source.
WAYS: Mapping[tuple[str, bool], str] = {
    (NORMAL, True): "NORMAL",
    (NORMAL, False): "NORMAL",
    (PARENT_CHILD, True): "PARENT",
    (PARENT_CHILD, False): "CHILD",
}
OTHER_WAY = "OTHER"  # a type of link that an OTRS has beside its usual ones


@dataclass(frozen=True, slots=True)
class Hold:
    """What a caller may do with a ticket, and whether there is a merge of it to be taken back."""

    keys: tuple[str, ...]
    was_merged: bool


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket that a ticket is linked with."""

    way: str
    type: str
    number: int


async def find_ticket(context: Context, row_id: str) -> tuple[Module, int] | None:
    """Return the ticket that a global id names, if the caller sees it."""
    module = find_role(context.snapshot.modules, Role.TICKET)
    found = read_id(row_id, context.snapshot.by_type_name)
    if module is None or found is None or found.module is not module:
        return None
    number = int(found.key[0])
    return (module, number) if number in await _seen(context, module, [number]) else None


async def read_hold(context: Context, number: int) -> Hold:
    """Return the keys that the caller holds to a ticket that he sees: those of its queue's group, as its owner all."""
    rows = await _fetch(context, _STANDING, {"number": number})
    if not rows:
        return Hold((), was_merged=False)
    owner, group, merges = rows[0]
    rights, person = context.rights, person_of(context.caller)
    has_all = rights.unbounded or (isinstance(person, Agent) and owner == person.id)
    return Hold(tuple(key for key in KEYS if has_all or group in rights.groups[key]), was_merged=bool(merges))


async def read_links(context: Context, module: Module, number: int) -> list[Linked]:
    """Return the tickets that a ticket is linked with, as far as the caller sees them; parents first."""
    rows = await _fetch(context, _LINKS, {"key": str(number)})
    found = [
        Linked(WAYS.get((kind, bool(is_source)), OTHER_WAY), kind, int(other))
        for kind, is_source, other in rows
        if str(other).isascii() and str(other).isdigit()
    ]
    seen = await _seen(context, module, {item.number for item in found}) if found else set()
    return sorted(
        {item for item in found if item.number in seen}, key=lambda item: (item.way != "PARENT", item.way, item.number)
    )


# --- inside ---

_NUMBER: sa.BindParameter[int] = sa.bindparam("number", type_=sa.BigInteger)
_STANDING = Kept(
    sa.select(
        TICKETS.c.user_id,
        QUEUE.c.group_id,
        sa.select(sa.func.count())
        .select_from(MERGE)
        .where(MERGE.c.source_ticket == TICKETS.c.id, MERGE.c.undone.is_(None))
        .scalar_subquery(),
    ).where(TICKETS.c.id == _NUMBER, QUEUE.c.id == TICKETS.c.queue_id)
)


def _links() -> Kept:
    relation = LINK_RELATION.c
    key: sa.BindParameter[str] = sa.bindparam("key", type_=sa.String)
    source, target = LINK_OBJECT.alias("source"), LINK_OBJECT.alias("target")
    here: Any = sa.literal_column("1")
    there: Any = sa.literal_column("0")

    def half(is_source: Any, own: Any, other: Any) -> sa.Select[Any]:
        return (
            sa.select(LINK_TYPE.c.name.label("kind"), is_source.label("way"), other.label("other"))
            .where(
                own == key,
                relation.type_id == LINK_TYPE.c.id,
                relation.source_object_id == source.c.id,
                relation.target_object_id == target.c.id,
                source.c.name == sa.literal_column(f"'{TICKET}'"),
                target.c.name == sa.literal_column(f"'{TICKET}'"),
            )
            .limit(sa.literal_column(str(LINKS_LIMIT)))
        )

    # The other ticket is the link's source where this one is its target.
    first = half(there, relation.source_key, relation.target_key).subquery()
    second = half(here, relation.target_key, relation.source_key).subquery()
    return Kept(sa.union_all(sa.select(first), sa.select(second)))


_LINKS = _links()


async def _seen(context: Context, module: Module, numbers: Iterable[int]) -> set[int]:
    """Return those of some tickets that the caller sees, by the rules of their module."""
    if not access_of(context.rights).may(module, Right.VIEW):
        return set()
    database, snapshot = context.database, context.snapshot
    speech = Speech(
        database.dialect,
        snapshot.catalog,
        database.zone,
        snapshot.modules,
        snapshot.by_table,
        guard_of(context.rights, snapshot),
    )
    draft = Draft(speech, module)
    draft.column(Term((), module, module.key_columns[0]))
    draft.where([KeyIn((), module, tuple((number,) for number in sorted(set(numbers))))])
    context.statements += 1
    try:
        rows = await database.fetch(draft.statement())
    except StorageError as error:
        raise from_storage(error) from error
    return {int(row[0]) for row in rows}


async def _fetch(context: Context, statement: Kept, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    context.statements += 1
    try:
        return await context.database.fetch_kept(statement, values)
    except StorageError as error:
        raise from_storage(error) from error
