"""Files that rows take and let go of, inside the transaction that writes the row."""

from __future__ import annotations

from resolvers.checks import fault
from resolvers.conduct import ChangeKind, RowChange, Work
from resolvers.faults import FaultCode, Faulty
from schema.spec import Field
from storage.changes import make_key
from storage.errors import UploadRefused
from storage.file_claims import Owner, claim, release


async def take_files(work: Work, change: RowChange, *, anybodys: bool = False) -> None:
    """Give a row the uploads that it refers to now, and let go of those that it does not refer to any more.

    Raises `Faulty` where an upload is not there, not the caller's, or another row's. `anybodys` is for an undo, which gives
    a row back what it had.
    """
    for item in change.module.fields:
        if item.kind == "file" and not item.holds_bytes and item.name in change.fields:
            await _exchange(work, change, item, anybodys=anybodys)


async def _exchange(work: Work, change: RowChange, item: Field, *, anybodys: bool) -> None:
    before, after = change.fields[item.name]
    after = None if change.kind is ChangeKind.DELETED else after
    module, row_key = change.module.name, make_key(change.key)
    caller = work.context.caller
    if after:
        owner = None if anybodys else Owner(caller.kind, caller.id)
        try:
            await claim(work.transaction, after, owner, module=module, row_key=row_key, field=item.name)
        except UploadRefused:
            raise Faulty(fault(item, FaultCode.REFERENCE, "upload").under(item.api_name)) from None
    if before:
        await release(work.transaction, before, module=module, row_key=row_key, field=item.name)
