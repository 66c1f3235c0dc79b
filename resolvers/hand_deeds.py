"""Carrying out every mutation of a request: the generated ones, and those written by hand with the same care around them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from identity.access import Right
from resolvers.assignments import Given, complete
from resolvers.conduct import Work
from resolvers.deed_nodes import AnyDeed, DeedNode, HandNode
from resolvers.deeds import Conflict, Deeds
from resolvers.errors import from_storage
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hands import Draft, Hand, Hands, listen
from resolvers.ids import key_of
from resolvers.images import Image, Key, read_images
from resolvers.nodes import RowNode, VersionSlot
from resolvers.outcome import Outcome
from resolvers.payload import Payload, read_rows
from resolvers.predicate import KeyIn, Predicate
from resolvers.refusals import diagnose
from resolvers.stored import protect
from resolvers.undo import HANDS
from resolvers.writer import Writer
from schema.spec import Module
from schema.writes import Deed
from storage.errors import BadParameter, ConstraintViolated, StatementFailed, StorageError


class HandDeeds(Deeds):
    """Carries out the mutations of one request, one after the other."""

    async def carry_out(self, node: AnyDeed) -> Payload:
        """Carry one mutation out."""
        if isinstance(node, HandNode):
            return await self.run_hand(node)
        if isinstance(node, DeedNode):
            return await self.run(node)
        raise TypeError(f"{node.path[0]} is an action, and there are no lambdas here.")

    async def run_hand(self, node: HandNode) -> Payload:
        """Carry out a mutation that is written by hand."""
        hand = self.hand(node)
        try:
            outcome = await self.recall(node) or await self._attempt(hand, node)
        except Conflict as conflict:
            outcome = Outcome(faults=conflict.faults, current=conflict.key)
        except Faulty as faulty:
            outcome = Outcome(faults=faulty.faults)
        except ConstraintViolated as error:
            outcome = Outcome(faults=await self._diagnose_hand(node, error))
        except (BadParameter, StatementFailed):
            outcome = Outcome(faults=[Fault(FaultCode.INVALID, "invalid-row")])
        except StorageError as error:
            raise from_storage(error) from error
        rows = await read_rows(self.door, node.payload, outcome)
        return Payload(node, outcome, rows, self.context.languages)

    def hand(self, node: HandNode) -> Hand:
        """Return who carries a mutation out."""
        hand = self.writing.hands.get(node.name) or HANDS.get(node.name)
        if hand is None:
            raise LookupError(f"Nobody carries out {node.name} here.")
        return hand

    async def _diagnose_hand(self, node: HandNode, error: ConstraintViolated) -> list[Fault]:
        """Say which input a constraint of the database is about, where only one of them is a row."""
        rows: list[tuple[Module, Given, Deed, Key | None]] = [
            (module, given, Deed.CREATE, None) for module, given in node.creates.values()
        ]
        for name, given in node.patches.items():
            module, (where, *_) = node.rows[name]
            found = await read_images(
                self.door.statements, module, [where], VersionSlot(()), self._fetch, right=Right.UPDATE, lock=False
            )
            rows.append((module, given, Deed.UPDATE, found[0].key if found else None))
        if len(rows) != 1:
            return [Fault(FaultCode.INVALID, "invalid-row")]
        ((module, given, deed, own),) = rows
        return await diagnose(self.door.statements, module, [(given, own)], error, deed=deed, fetch=self._fetch)

    async def _draft(self, hand: Hand, node: HandNode) -> Mapping[str, Given]:
        """Make ready what needs no transaction: new rows are completed, passwords hashed and secrets sealed."""
        creates = {name: given.copy() for name, (_, given) in node.creates.items()}
        if hand.draft is not None:
            await hand.draft(Draft(self.context, self.door.statements, node, creates))
        for name, given in creates.items():
            module, _ = node.creates[name]
            complete(module, given, self.context.audience)
            await protect(module, given, self.context.secret)
        for key, given in node.patches.items():
            await protect(node.rows[key][0], given, self.context.secret)
        faults = [fault for given in (*node.patches.values(), *creates.values()) for fault in given.faults]
        if faults:
            raise Faulty(*faults)
        return creates

    async def _attempt(self, hand: Hand, node: HandNode) -> Outcome:
        creates = await self._draft(hand, node)
        return await self.once(node.path[0], node.fingerprint, partial(self.by_hand, hand, node, creates))

    async def by_hand(self, hand: Hand, node: HandNode, creates: Mapping[str, Given], work: Work) -> Outcome:
        """Do what a mutation that is written by hand asks for inside a transaction."""
        writer = self._writer(work)
        images = await self._lock(writer, node)
        keys: dict[str, list[Key | None]] = {
            name: [await self._find(writer, module, where) for where in predicates]
            for name, (module, predicates) in node.rows.items()
            if name not in node.changed
        }
        keys.update({name: [images[name].key if name in images else None] for name in node.changed})
        others = [name for name in node.changed if name in images and name not in node.patches]
        await listen(writer, [(name, node.rows[name][0], images[name]) for name in others])
        patches = {name: _patch(node, name) for name in images}
        given = {name: item.copy() for name, item in creates.items()}
        outcome = await hand.do(Hands(work, node, writer, keys, images, patches, given))
        await writer.finish()
        return outcome

    async def _find(self, writer: Writer, module: Module, where: Predicate) -> Key | None:
        """Find a row that an input names."""
        plan = writer.statements.locked(module, [where], RowNode(module, (), {}), 1, Right.VIEW, lock=False)
        rows = await writer.work.transaction.execute(plan.statement)
        return key_of(module, [rows[0][position] for position in plan.sort]) if rows else None

    async def _lock(self, writer: Writer, node: HandNode) -> dict[str, Image]:
        """Lock the rows that are changed, in the order of their keys, so that two who want the same ones do not wait in a ring.

        Raises `Conflict` where the first of them is not any more what `ifVersion` says.
        """
        images: dict[str, Image] = {}
        for name, among in await self._in_order(writer, node):
            module = node.rows[name][0]
            fetch, columns = writer.work.transaction.execute, writer.conduct(module) is not None
            found = await read_images(
                writer.statements, module, among, node.changed[name], fetch, right=node.right, columns=columns
            )
            if found and not found[0].allowed:
                raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden", (name,)))
            if found:
                images[name] = found[0]
        first = next(iter(node.changed), "")
        if first in images and node.if_version is not None and node.if_version != images[first].version:
            raise Conflict(images[first])
        return images

    async def _in_order(self, writer: Writer, node: HandNode) -> list[tuple[str, list[Predicate]]]:
        """Return the inputs that name rows to be changed, with what finds each, in the order of the rows' keys."""
        wanted = {name: node.rows[name] for name in node.changed}
        if len(wanted) < 2:  # noqa: PLR2004 - one needs no order, and no look at it before
            return [(name, [where]) for name, (_, (where, *_)) in wanted.items()]
        there: list[tuple[str, Key, str]] = []
        for name, (module, (where, *_)) in wanted.items():
            key = await self._find(writer, module, where)
            if key is not None:
                there.append((module.name, key, name))
        return [(name, [wanted[name][1][0], KeyIn((), wanted[name][0], (key,))]) for _, key, name in sorted(there)]


def _patch(node: HandNode, name: str) -> Given:
    given = node.patches.get(name)
    return given.copy() if given is not None else Given((name,))
