"""Imports in the API: a file's rows looked at or written, as a job whose progress can be asked for."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

import strawberry

from resolvers.errors import BadRequest
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.gate import Gate
from resolvers.import_order import ImportOrder, plan_import
from storage.jobs import DONE, FAILED, RUNNING, Job
from web.import_jobs import owner_of
from web.platform_errors import UserError, tell
from web.workshop import PlatformContext

SYNC_ROWS = 10_000  # a dry run of so many is waited for
SPARE_S = 0.5  # of the request's time, for the answer
PAGE_SIZE = 1_000
MAX_ID = 2**63

Info = strawberry.Info[PlatformContext, Any]


@strawberry.enum(description="Stands for the kernel's type of this name.")
class BulkPolicy(StrEnum):
    """What becomes of the other rows when one is wrong."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    SKIP_FAILED = "SKIP_FAILED"


@strawberry.enum(description="What an import is doing.")
class ImportJobState(Enum):
    """The state of a job."""

    RUNNING = strawberry.enum_value(RUNNING, description="It waits for its turn or is at work.")
    DONE = strawberry.enum_value(
        DONE, description="It came to its end; rows that were skipped are counted in `failed`."
    )
    FAILED = strawberry.enum_value(FAILED, description="It did not come to its end; `failure` says why.")


@strawberry.type(description="What is wrong with a row of the file.")
class ImportRowError:
    """An error as the API shows it."""

    index: int = strawberry.field(description="Its place among all errors, for `after`.")
    row: int = strawberry.field(description="The row's number in the file; the header is row 1.")
    column: str | None = strawberry.field(description="The column as the header has it; null where it is about none.")
    field: str | None = strawberry.field(description="The input's name in the API.")
    code: str = strawberry.field(description="As in `UserErrorCode`.")
    message: str
    message_key: str


@strawberry.type(description="Why an import as a whole has failed.")
class ImportFailure:
    """The reason of a failed job."""

    message_key: str
    message: str


@strawberry.type(description="An import, and how far it is.")
class ImportJob:
    """A job as the API shows it."""

    id: strawberry.ID
    module: str
    state: ImportJobState
    dry_run: bool
    total: int = strawberry.field(description="Rows of the file.")
    done: int = strawberry.field(description="Rows that are dealt with.")
    failed: int = strawberry.field(description="Rows that are wrong, among `done`.")
    created: int = strawberry.field(description="Rows that were made, or would be.")
    updated: int = strawberry.field(description="Rows that were there, and hold what the file says, or would.")
    ignored_columns: list[str] = strawberry.field(description="Columns that are no field that can be written.")
    failure: ImportFailure | None
    created_at: datetime
    finished_at: datetime | None
    errors: strawberry.Private[list[list[Any]]]

    @strawberry.field(description="What is wrong with the rows, at most 1,000 at once; the first 10,000 are kept.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    def row_errors(self, first: int = 100, after: int = -1) -> list[ImportRowError]:
        """Page through the errors."""
        if not 0 <= first <= PAGE_SIZE:
            raise BadRequest(f"rowErrors.first: must be between 0 and {PAGE_SIZE}; found {first}.")
        start = max(after + 1, 0)
        return [
            ImportRowError(
                index=start + number, row=row, column=column, field=field, code=code, message=message, message_key=key
            )
            for number, (row, column, field, code, key, message) in enumerate(self.errors[start : start + first])
        ]


@strawberry.input(description="What a column of the file stands for.")
class ImportColumn:
    """One entry of a mapping."""

    column: str = strawberry.field(description="The column as the header has it.")
    field: str = strawberry.field(description="A path such as `name` or `queue.name`; empty leaves the column out.")


@strawberry.input
class ImportRowsInput:
    """What `importRows` takes."""

    module: str
    upload: strawberry.ID | None = strawberry.field(default=None, description="The `id` that `POST /files` answered.")
    csv: str | None = strawberry.field(default=None, description="The file itself, where it is small.")
    mapping: list[ImportColumn] = strawberry.field(
        default_factory=list, description="Columns that their header does not say; it wins over the header."
    )
    upsert_by: str | None = strawberry.field(
        default=None,
        description="A key of the rows: what it finds is changed, the others are made. Without it all are.",
    )
    dry_run: bool = strawberry.field(default=True, description="Only look: nothing is written.")
    policy: BulkPolicy = BulkPolicy.ALL_OR_NOTHING
    client_mutation_id: str | None = None


@strawberry.type
class ImportRowsPayload:
    """The answer of `importRows`."""

    job: ImportJob | None = strawberry.field(default=None, description="Null when the import did not begin.")
    errors: list[UserError] = strawberry.field(default_factory=list)
    client_mutation_id: str | None = None


@strawberry.type
class ImportQuery:
    """Root fields about imports."""

    @strawberry.field(description="An import of yours; null when there is none.")  # type: ignore[untyped-decorator] # the same
    async def import_job(self, info: Info, id: strawberry.ID) -> ImportJob | None:  # noqa: A002 - its name in the API
        """Find a job."""
        number = int(id) if id.isascii() and id.isdigit() and len(id) < len(str(MAX_ID)) else None
        found = await info.context.imports.find(info.context, number) if number is not None else None
        return show(found) if found else None


@strawberry.type
class ImportMutation:
    """Mutations of imports."""

    @strawberry.mutation(  # type: ignore[untyped-decorator] # the same
        description="Make or change rows of a module from a CSV file, as a job. By default nothing is written: it says what would be."
    )
    async def import_rows(self, info: Info, input: ImportRowsInput) -> ImportRowsPayload:  # noqa: A002 - its name in the API
        """Begin an import."""
        context = info.context
        try:
            number = await _begin(context, input, str(info.path.key))
        except Faulty as faulty:
            return ImportRowsPayload(errors=tell(context, faulty.faults), client_mutation_id=input.client_mutation_id)
        job = await context.imports.find(context, number)
        return ImportRowsPayload(job=show(job) if job else None, client_mutation_id=input.client_mutation_id)


async def _begin(context: PlatformContext, given: ImportRowsInput, name: str) -> int:
    source, data, sign = await _file(context, given)
    order = ImportOrder(
        module=given.module,
        data=data,
        source=source,
        mapping={item.column: item.field for item in given.mapping},
        upsert_by=given.upsert_by,
        dry_run=given.dry_run,
        skips_failed=given.policy == BulkPolicy.SKIP_FAILED,  # the kernel's enum has its names as values
    )
    plan = await plan_import(context, Gate(context.access, context.snapshot.by_table), order)
    said = [given.module, sign, sorted(order.mapping.items()), given.upsert_by, given.dry_run, str(given.policy)]
    fingerprint = hashlib.sha256(json.dumps(["importRows", *said]).encode()).hexdigest()
    number = await context.imports.begin(context, context.writing, plan, name, fingerprint)
    if plan.dry_run and plan.total <= SYNC_ROWS:
        await context.imports.wait(number, context.deadline - time.monotonic() - SPARE_S)
    return number


async def _file(context: PlatformContext, given: ImportRowsInput) -> tuple[str, bytes, str]:
    """Return by which input the file came, its bytes and their digest. An upload stays: the real run reads it again."""
    if (given.upload is None) == (given.csv is None):
        raise Faulty(Fault(FaultCode.INVALID, "import-source", ("upload",)))
    if given.csv is not None:
        data = given.csv.encode("utf-8", "surrogatepass")
        return "csv", data, hashlib.sha256(data).hexdigest()
    files, owner = context.imports.files, owner_of(context.caller)
    found = await files.find_upload(str(given.upload), owner)
    if found is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "import-upload", ("upload",)))
    return "upload", b"".join([part async for part in files.read(found)]), found.sha256


def show(job: Job) -> ImportJob:
    """Make the API's view of a job."""
    now, kept = job.now, job.now.result
    failure = kept.get("failure")
    return ImportJob(
        id=strawberry.ID(str(job.id)),
        module=job.module,
        state=ImportJobState(now.state),
        dry_run=kept["dryRun"],
        total=now.total,
        done=now.done,
        failed=now.failed,
        created=kept["created"],
        updated=kept["updated"],
        ignored_columns=kept["ignored"],
        failure=ImportFailure(message_key=failure["key"], message=failure["message"]) if failure else None,
        created_at=job.created,
        finished_at=None if now.state == RUNNING else job.changed,
        errors=kept["errors"],
    )
