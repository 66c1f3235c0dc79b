"""What the desk's own mutations do, each inside its transaction: the rules are in the files about tickets, here they are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from desk.article_input import read_article
from desk.conduct import ARTICLE, article_change
from desk.customers import customer_of, reopen
from desk.desk import Desk
from desk.links import link_tickets, unlink_tickets
from desk.merge import MergeResult, merge_tickets
from desk.permits import EVERYTHING, NOTE, let, permit
from desk.roles import Role, find_role
from desk.split_hand import draft_split, split_article
from desk.tickets import TicketChange, lock_tickets
from desk.unmerge import find_merge, unmerge_tickets
from desk.watch import unwatch, watch
from identity.access import Right
from resolvers.conduct import ChangeKind
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hands import Hand, Hands, listen
from resolvers.images import Image, read_images
from resolvers.nodes import VersionSlot
from resolvers.noted import change_of, hear_written
from resolvers.outcome import Outcome, RowOutcome
from resolvers.predicate import KeyIn
from resolvers.taken import columns_of
from schema.spec import Home, Module


def make_hands(desk: Desk) -> Mapping[str, Hand]:
    """Make the hands for the mutations of `desk.mutations`, by their names."""
    return {
        "addArticle": Hand(partial(_add_article, desk)),
        "splitArticle": Hand(partial(split_article, desk), draft_split),
        "mergeTickets": Hand(partial(_merge, desk)),
        "unmergeTickets": Hand(partial(_unmerge, desk)),
        "linkTickets": Hand(partial(_link, desk, link_tickets)),
        "unlinkTickets": Hand(partial(_link, desk, unlink_tickets)),
        "watchTicket": Hand(partial(_watch, desk, watch, ChangeKind.CREATED)),
        "unwatchTicket": Hand(partial(_watch, desk, unwatch, ChangeKind.DELETED)),
    }


async def _add_article(desk: Desk, hands: Hands) -> Outcome:
    """Change the ticket as its own module does, with an article along."""
    image = _image(hands, "ticket")
    given = hands.patches["ticket"]
    await permit(desk, hands.work, image.columns, NOTE, "ticket")
    if customer_of(hands.work) is not None:
        columns = await reopen(desk, hands.work, image.columns)
        fields = columns_of(hands.node.module, Home.TABLE)
        given.values |= {fields[name].name: value for name, value in columns.items() if name in fields}
    try:
        given.extras[ARTICLE] = await read_article(desk, hands.work, hands.given[ARTICLE])
    except Faulty as faulty:
        raise Faulty(*(fault.under(ARTICLE) for fault in faulty.faults)) from None
    try:
        change = await hands.writer.update(hands.node.module, let(image), given)
    except Faulty as faulty:
        raise Faulty(*map(_beside, faulty.faults)) from None
    written = change.along[0].key if change and change.along else None
    return _done(image.key, article=written)


def _beside(fault: Fault) -> Fault:
    """Tell of an article where it stands: beside the changes of its ticket."""
    return replace(fault, path=fault.path[1:]) if fault.path and ARTICLE in fault.path[1:2] else fault


async def _merge(desk: Desk, hands: Hands) -> Outcome:
    for name in ("ticket", "into"):
        await permit(desk, hands.work, _image(hands, name).columns, EVERYTHING, name)
    source, target = (_number(_image(hands, name).key) for name in ("ticket", "into"))
    result = await merge_tickets(desk, hands.work, source, target)
    _note_merge(hands, result, (source, target))
    return _done((target,), merged=(source,))


async def _unmerge(desk: Desk, hands: Hands) -> Outcome:
    source = _number(_key(hands, "ticket"))
    (ticket,) = await lock_tickets(hands.work, source)
    await permit(desk, hands.work, ticket, EVERYTHING, "ticket")
    await _listen(hands, (await find_merge(hands.work, source))[1], "from")
    result = await unmerge_tickets(desk, hands.work, source)
    await permit(desk, hands.work, result.target.before, EVERYTHING, "ticket")
    target = result.target.after["id"]
    _note_merge(hands, result, (target, source))
    return _done((source,), **{"from": (target,)})


async def _listen(hands: Hands, number: int, name: str) -> None:
    """Let the hooks of tickets have their say about one that no input names."""
    module, fetch = hands.node.module, hands.work.transaction.execute
    where, version = [KeyIn((), module, ((number,),))], VersionSlot(())
    found = await read_images(hands.writer.statements, module, where, version, fetch, right=Right.UPDATE, columns=True)
    if not found or not found[0].allowed:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden", (name,)))
    await listen(hands.writer, [(name, module, found[0])])


async def _link(desk: Desk, change: Any, hands: Hands) -> Outcome:
    numbers = [_number(_key(hands, name)) for name in ("ticket", "other")]
    tickets = await lock_tickets(hands.work, *numbers)
    await permit(desk, hands.work, tickets[0], EVERYTHING, "ticket")
    told = await change(desk, hands.work, *tickets, hands.given["type"])
    if told is not None:
        for number, source in zip(numbers, told, strict=True):
            _touch(hands, number, source)
    return _done((numbers[0],), other=(numbers[1],))


async def _watch(desk: Desk, change: Any, kind: ChangeKind, hands: Hands) -> Outcome:
    number = _number(_key(hands, "ticket"))
    agent = hands.work.actor_id if hands.given.get("agent") is None else _number(_key(hands, "agent"))
    (ticket,) = await lock_tickets(hands.work, number)
    if agent != hands.work.actor_id:  # whoever watches a ticket may read it
        await permit(desk, hands.work, ticket, EVERYTHING, "agent")
    source = await change(desk, hands.work, ticket, agent)
    if source is not None:
        _touch(hands, number, source)
        module = _module(hands, Role.WATCHER)
        row = {"ticket_id": number, "user_id": agent}
        if module is not None:
            before, after = ({}, row) if kind is ChangeKind.CREATED else (row, dict.fromkeys(row))
            hear_written(hands.work, module, kind, () if after is row else (number, agent), before=before, after=row)
            hands.writer.add(change_of(hands.work, module, kind, (number, agent), before=before, after=after))
    return _done((number,))


# --- what the ledger is told ---


def _note_merge(hands: Hands, result: MergeResult, way: tuple[int, int]) -> None:
    """Note both tickets, the articles that went from one to the other, and the one that a merge makes."""
    for change in (result.source, result.target):
        hands.writer.add(_ticket_change(hands, change))
    module = _module(hands, Role.ARTICLE)
    if module is None:
        return
    before, after = ({"ticket_id": number} for number in way)
    kind = ChangeKind.UPDATED
    for number in result.articles:
        hands.writer.add(change_of(hands.work, module, kind, (number,), before=before, after=after))
    note = article_change(hands.work, result.note) if result.note else None
    if note is not None:
        hands.writer.add(note)
    if result.removed is not None:
        hands.writer.add(change_of(hands.work, module, ChangeKind.DELETED, (result.removed,)))


def _ticket_change(hands: Hands, change: TicketChange) -> Any:
    key = (change.after["id"],)
    kind, module = ChangeKind.UPDATED, hands.node.module
    return change_of(hands.work, module, kind, key, before=change.before, after=change.after, source=change.history)


def _touch(hands: Hands, number: int, source: int) -> None:
    """Note that something happened to a ticket that is not in its own columns."""
    hands.writer.add(change_of(hands.work, hands.node.module, ChangeKind.UPDATED, (number,), source=source))


def _module(hands: Hands, role: Role) -> Module | None:
    return find_role(hands.work.context.snapshot.modules, role)


# --- rows that the input names ---


def _key(hands: Hands, name: str) -> tuple[int | str, ...]:
    key = hands.one(name)
    if key is None:
        raise _nothing(name)
    return key


def _image(hands: Hands, name: str) -> Image:
    if name not in hands.images:
        raise _nothing(name)
    return hands.images[name]


def _nothing(name: str) -> Faulty:
    return Faulty(Fault(FaultCode.NOT_FOUND, "not-found", (name,)))


def _number(key: tuple[int | str, ...]) -> int:
    return int(key[0])


def _done(key: tuple[int | str, ...], **beside: Any) -> Outcome:
    extra = {name: list(found) for name, found in beside.items() if found is not None}
    return Outcome([RowOutcome(key)], affected=1, extra=extra)
