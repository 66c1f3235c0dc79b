"""The results of any operation one after the other: one for a query, many for a subscription."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing

from graphql import ExecutionResult, GraphQLError, subscribe
from graphql.language import OperationType

from identity.errors import NotSignedIn
from resolvers.errors import present
from web.answers import encode
from web.edge import Note
from web.errors import Refused, format_exception, format_message
from web.live import Call, Follow, Live
from web.operation import run, shape
from web.platform_modules import Listener


async def stream(live: Live, call: Call, note: Note, follow: Follow | None = None) -> AsyncGenerator[bytes]:
    """Yield the results as JSON. A subscription goes on until it ends by itself or the reader stops.

    `follow` follows rows in another way than usual.
    Before every event its caller is looked at again. Raises `NotSignedIn` when he has been logged out or disabled.
    """
    try:
        if call.operation.operation is not OperationType.SUBSCRIPTION:
            yield (await run(live, call, note)).body
            return
        async with aclosing(_subscribe(live, call, follow or live.follow)) as results:
            async for result in results:
                await live.guard.again(call.caller)
                yield shape(result, note).body
    except NotSignedIn:
        raise
    except Refused as refused:
        yield encode({"errors": [format_message(refused.message, refused.code, call.request_id)]})
    except Exception as error:  # noqa: BLE001 - a stream that ends in the middle says why, and the operator gets the stack
        yield encode({"errors": [format_exception(error, call.request_id)]})


async def _subscribe(live: Live, call: Call, follow: Follow) -> AsyncGenerator[ExecutionResult]:
    try:
        following = follow(call)
    except GraphQLError as error:  # refused before anything was read: a filter, a field, a right
        yield ExecutionResult(None, present([error], call.request_id))
        return
    if following is not None:
        async for result in following:
            yield result
        return
    found = subscribe(
        call.snapshot.schema_for(call.audience),
        call.document,
        context_value=Listener(live.registry.changes),
        variable_values=dict(call.variables),
        operation_name=call.operation.name.value if call.operation.name else None,
        hide_suggestions=not live.settings.shows_suggestions,
    )
    results = await found if inspect.isawaitable(found) else found
    if isinstance(results, ExecutionResult):
        yield results
        return
    async for result in results:
        yield result
