"""What the mutations that give and take rights do: what is to be, against what there is, row by row through the writer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from desk.permissions import CONTEXT, GROUP, KEY, RIGHTS_LOCK, VALUE
from desk.roles import Role, find_role
from identity.access import Right
from identity.accounts import LOGIN_COLUMN
from identity.rights import ALL_KEYS
from resolvers.assignments import Given
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hands import Hand, Hands
from resolvers.images import Image, Key, read_images
from resolvers.nodes import VersionSlot
from resolvers.outcome import Outcome, RowOutcome
from resolvers.predicate import Compare
from resolvers.taken import columns_of
from resolvers.terms import Term
from schema.spec import Home, Module
from storage.locks import hold

ROWS_LIMIT = 5_000  # of one holder, or of one role


@dataclass(frozen=True, slots=True)
class _Holder:
    """An input that names who holds permissions: the role of the table of those, and its column."""

    kept_in: Role
    column: str


_HOLDERS: Mapping[str, _Holder] = {
    "agent": _Holder(Role.GROUP_USER, "user_id"),
    "role": _Holder(Role.GROUP_ROLE, "role_id"),
    "company": _Holder(Role.GROUP_CUSTOMER, "customer_id"),
    "customerUser": _Holder(Role.GROUP_CUSTOMER_USER, "user_id"),
}


async def set_group_permissions(hands: Hands) -> Outcome:
    """Give one holder exactly these permissions for a group."""
    named = [name for name in _HOLDERS if hands.given.get(name) is not None]
    if len(named) != 1:
        raise Faulty(Fault(FaultCode.INVALID, "one-holder"))
    group, owner = _key(hands, "group"), _key(hands, named[0])
    holder = _HOLDERS[named[0]]
    module = await _open(hands, holder.kept_in)
    who = await _login(hands, owner) if named[0] == "customerUser" else owner[0]
    where: dict[str, Any] = {holder.column: who, GROUP: group[0]}
    if CONTEXT in module.key_columns:
        where[CONTEXT] = hands.given["context"]
    wanted = set(hands.given["permissions"])
    wanted = {ALL_KEYS} if ALL_KEYS in wanted else wanted
    there = await _rows(hands, module, where)
    kept = [row for row in there if row.columns[KEY] in wanted and row.columns.get(VALUE, 1)]
    gone = [row for row in there if row not in kept]
    new = wanted - {row.columns[KEY] for row in kept}
    granted = {VALUE: True} if VALUE in module.columns else {}
    # Single ones must go before others come, and `rw` before single ones.
    count = await _remove(hands, module, gone)
    count += await _make(hands, module, [{**where, KEY: key, **granted} for key in sorted(new)])
    return Outcome([RowOutcome(group)], affected=count, extra={named[0]: list(owner)})


async def set_role_members(hands: Hands) -> Outcome:
    """Give a role exactly these members."""
    return await _set_members(hands, "role", "role_id", "agents", "user_id")


async def set_agent_roles(hands: Hands) -> Outcome:
    """Give an agent exactly these roles."""
    return await _set_members(hands, "agent", "user_id", "roles", "role_id")


HANDS: Mapping[str, Hand] = {
    "setGroupPermissions": Hand(set_group_permissions),
    "setRoleMembers": Hand(set_role_members),
    "setAgentRoles": Hand(set_agent_roles),
}


# --- inside ---


async def _set_members(hands: Hands, name: str, column: str, others: str, other_column: str) -> Outcome:
    key = _key(hands, name)
    wanted = [_found(found, (others, str(place)))[0] for place, found in enumerate(hands.keys.get(others, ()))]
    module = await _open(hands, Role.ROLE_USER)
    there = await _rows(hands, module, {column: key[0]})
    known = {row.columns[other_column] for row in there}
    new = [number for number in dict.fromkeys(wanted) if number not in known]
    # Who comes is there before others go: one of them may be the only one who may administrate.
    count = await _make(hands, module, [{column: key[0], other_column: number} for number in new])
    count += await _remove(hands, module, [row for row in there if row.columns[other_column] not in set(wanted)])
    return Outcome([RowOutcome(key)], affected=count)


async def _open(hands: Hands, role: Role) -> Module:
    """Return the module of a table, and keep others from writing it: in the order in which the writer and the conduct do."""
    module = find_role(hands.work.context.snapshot.modules, role)
    if module is None:
        raise LookupError(f"No module serves {role}, and yet there is a mutation that writes it.")
    await hold(hands.work.transaction, f"unique {module.table}")
    await hold(hands.work.transaction, RIGHTS_LOCK)
    return module


async def _rows(hands: Hands, module: Module, where: Mapping[str, Any]) -> list[Image]:
    images = await read_images(
        hands.writer.statements,
        module,
        [Compare(Term((), module, column), "eq", value, "input") for column, value in where.items()],
        VersionSlot(()),
        hands.work.transaction.execute,
        right=Right.DELETE,
        limit=ROWS_LIMIT + 1,
        columns=True,
    )
    if len(images) > ROWS_LIMIT:
        raise Faulty(Fault(FaultCode.LIMIT, "limit", None, {"limit": ROWS_LIMIT, "found": f"{ROWS_LIMIT}+"}))
    return images


async def _remove(hands: Hands, module: Module, rows: Sequence[Image]) -> int:
    if rows:
        await hands.writer.delete(module, rows)
    return len(rows)


async def _make(hands: Hands, module: Module, rows: Sequence[Mapping[str, Any]]) -> int:
    given = [Given((), _by_field(module, row)) for row in rows]
    faults = [fault for found in await hands.writer.create(module, given) if isinstance(found, list) for fault in found]
    if faults:
        raise Faulty(*faults)
    return len(rows)


def _by_field(module: Module, row: Mapping[str, Any]) -> dict[str, Any]:
    fields = columns_of(module, Home.TABLE)
    return {fields[column].name: value for column, value in row.items() if column in fields}


async def _login(hands: Hands, key: Key) -> str:
    """Return the login of a customer user, by which OTRS names them."""
    table = sa.table("customer_user", sa.column("id", sa.BigInteger()), sa.column(LOGIN_COLUMN))
    rows = await hands.work.transaction.execute(sa.select(table.c.login).where(table.c.id == key[0]))
    return str(_found(rows[0] if rows else None, ("customerUser",))[0])


def _key(hands: Hands, name: str) -> Key:
    return _found(hands.one(name), (name,))


def _found(key: Any, path: Collection[str]) -> Key:
    if key is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "not-found", tuple(path)))
    return tuple(key)
