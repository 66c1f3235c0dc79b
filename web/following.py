"""Subscriptions to the changes of a module's rows: every event is held against the modules and rights of its own moment."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from typing import Protocol

from graphql import ExecutionResult, validate
from graphql.language import DocumentNode

from resolvers.context import Context
from resolvers.errors import BadRequest, from_storage, mask
from resolvers.execute import answer_event
from resolvers.ids import read_id
from resolvers.selection import Selections, select
from resolvers.subscribe import ChangeNode, Follower, analyse_subscription
from schema.snapshot import Snapshot
from storage.changes import Change, make_key
from storage.errors import TooSlow
from web.gathering import Gathered
from web.live import Call
from web.recognition import Caller

GONE = "What this subscription asks for is not there any more: the modules have changed. Subscribe again."


class Source(Protocol):
    """Where changes come from; `storage.feed.Feed` is one."""

    def subscribe(
        self, modules: Collection[str] | None = None, since_ms: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Change]]:
        """Follow the changes of some modules from now on, or from a moment on."""


class Following:
    """One subscription. It sees reloads: the operation is analysed anew when the modules have changed.

    `again` looks at the caller anew: every event is told to whom he is now.
    """

    def __init__(
        self,
        call: Call,
        context_of: Callable[[Call], Context],
        snapshot: Callable[[], Snapshot],
        again: Callable[[Caller], Awaitable[Caller]],
        seconds: float,
    ) -> None:
        self._again = again
        self._call = call
        self._context_of = context_of
        self._snapshot = snapshot
        self._seconds = seconds  # that the answer to one event may take
        self._renew(call)

    @property
    def node(self) -> ChangeNode | None:
        """What is subscribed to; None when the root is written by hand."""
        return self._node

    async def results(self, source: Source) -> AsyncIterator[ExecutionResult]:
        """Yield an answer for every change that the subscriber is told of, until a reload takes away what it asks for."""
        if self._node is None:
            return
        async with source.subscribe([self._node.module.name]) as changes:
            following = aiter(changes)
            while True:
                try:
                    result = await self._answer(await anext(following))
                except StopAsyncIteration:
                    return
                except (BadRequest, TooSlow) as error:
                    yield ExecutionResult(None, [mask(from_storage(error), self._call.request_id)])
                    return
                if result is not None:
                    yield result

    async def gathered(self, source: Source, since_ms: int | None) -> AsyncIterator[ExecutionResult]:
        """Yield an answer about once a second, for the newest of the changes that the subscriber would have been told of."""
        if self._node is None:
            return
        async with source.subscribe([self._node.module.name], since_ms) as changes:
            gathered = Gathered(aiter(changes), _one_row(self._call))
            async with aclosing(gathered.batches()) as batches:
                while True:
                    try:
                        result = await self._answer(*await anext(batches))
                    except StopAsyncIteration:
                        return
                    except (BadRequest, TooSlow) as error:
                        yield ExecutionResult(None, [mask(from_storage(error), self._call.request_id)])
                        return
                    if result is not None:
                        gathered.settle()
                        yield result

    async def _answer(self, *changes: Change) -> ExecutionResult | None:
        snapshot = self._snapshot()
        caller = await self._again(self._call.caller)
        has_changed = snapshot.version != self._call.snapshot.version or caller.rights != self._call.rights
        self._call = replace(self._call, caller=caller, deadline=time.monotonic() + self._seconds)
        if has_changed:
            self._renew(replace(self._call, snapshot=snapshot))
        context = self._context_of(self._call)
        if self._node is None:
            raise BadRequest(GONE)
        follower = Follower(context, self._node)
        event = await (follower.event(changes[0]) if len(changes) == 1 else follower.event_of(changes))
        if event is None:
            return None
        return await answer_event(context, self._selections, self._call.document, self._node.key, event)

    def _renew(self, call: Call) -> None:
        self._call = call
        context = self._context_of(call)
        if validate(context.schema, call.document, max_errors=1):
            raise BadRequest(GONE)
        self._selections: Selections = _select(context, call.document, call)
        self._node = analyse_subscription(context, self._selections)


def _one_row(call: Call) -> str | None:
    """Return the key of the row that a filter names by its id, as changes have it; None where it says more or less than that."""
    match dict(call.variables):
        case {"filter": {"id": {"eq": str(text), **others}, **more}} if not others and not more:
            found = read_id(text, call.snapshot.modules)
            return make_key(found.key) if found is not None else None
    return None


def _select(context: Context, document: DocumentNode, call: Call) -> Selections:
    name = call.operation.name.value if call.operation.name else None
    return select(context.schema, document, name, call.variables)
