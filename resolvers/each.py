"""Writing rows of which those that cannot be written are left out: all at once, and one by one where that was refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from resolvers.assignments import Given
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.images import Image
from resolvers.refusals import diagnose
from resolvers.taken import Row
from resolvers.writer import Result, Writer
from schema.spec import Module
from schema.writes import Deed
from storage.errors import BadParameter, ConstraintViolated, StatementFailed
from storage.savepoint import savepoint

_REFUSALS = (ConstraintViolated, BadParameter, StatementFailed, Faulty)


# Writes copies of these rows. A row whose input is wrong has its faults in its place; what the database refuses is raised.
Write = Callable[[Sequence[int]], Awaitable[list[Result]]]


async def create_each(writer: Writer, module: Module, rows: Sequence[Given]) -> list[Result]:
    """Make new rows; what is wrong with one stands in its place."""

    async def write(places: Sequence[int]) -> list[Result]:
        copies = [rows[place].copy() for place in places]
        await writer.foresee(module, [(given, None) for given in copies])
        return await writer.create(module, copies)

    return await _each(writer, module, [(given, None) for given in rows], write, Deed.CREATE)


async def update_each(writer: Writer, module: Module, rows: Sequence[tuple[Image, Given]]) -> list[Result]:
    """Change rows that were read and locked before; what is wrong with one stands in its place."""

    async def write(places: Sequence[int]) -> list[Result]:
        copies = [(rows[place][0], rows[place][1].copy()) for place in places]
        await writer.foresee(module, [(given, image.key) for image, given in copies])
        return [
            list(given.faults) if given.faults else await writer.update(module, image, given) for image, given in copies
        ]

    return await _each(writer, module, [(given, image.key) for image, given in rows], write, Deed.UPDATE)


async def _each(writer: Writer, module: Module, rows: Sequence[Row], write: Write, deed: Deed) -> list[Result]:
    transaction = writer.work.transaction
    mark = writer.mark()
    try:
        async with savepoint(transaction):
            return await write(range(len(rows)))
    except _REFUSALS:
        writer.forget(mark)
    results: list[Result] = []
    for place, (given, own) in enumerate(rows):
        mark = writer.mark()
        try:
            async with savepoint(transaction):
                results += await write([place])
                continue
        except ConstraintViolated as error:
            fetch = transaction.execute
            results.append(await diagnose(writer.statements, module, [(given, own)], error, deed=deed, fetch=fetch))
        except Faulty as faulty:
            results.append(list(faulty.faults))
        except (BadParameter, StatementFailed):
            results.append([Fault(FaultCode.INVALID, "invalid-row", given.path)])
        writer.forget(mark)
    return results
