"""What an import is asked for: checked as a whole before its first row, by the rights and rules of the module's mutations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resolvers.context import Context
from resolvers.csv_rows import CsvTable, read_csv
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.gate import Gate, Use
from resolvers.importing import Mapped, Target, map_columns
from resolvers.listing import shown_module
from schema.spec import Module
from schema.writes import Deed, writes_of

ID = "id"  # the global id, as a key


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An import as a client wants it. `data` is the file, `upsert_by` the API name of a key of the module's rows."""

    module: str
    data: bytes | Iterable[bytes]
    source: str  # the input that the file came by
    mapping: Mapping[str, str]
    upsert_by: str | None = None
    dry_run: bool = True
    skips_failed: bool = False


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """An import that can begin. `key` is the column by which rows that are there are found."""

    module: Module
    table: CsvTable
    mapped: Mapped
    key: Target | None
    dry_run: bool
    skips_failed: bool

    @property
    def total(self) -> int:
        """How many rows the file has."""
        return len(self.table.rows)


async def plan_import(context: Context, gate: Gate, order: ImportOrder) -> ImportPlan:
    """Check an import. Raises `Faulty`; paths lead into the input of `importRows`."""
    module = shown_module(context, order.module)
    if module is None:
        raise Faulty(Fault(FaultCode.NOT_FOUND, "module-not-found", ("module",), {"name": order.module[:100]}))
    deeds = writes_of(module, context.audience).deeds
    if Deed.CREATE not in deeds or module.features.get("import_csv") is False:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "import-off", ("module",), {"name": module.plural}))
    if order.upsert_by is not None and Deed.UPDATE not in deeds:
        raise Faulty(Fault(FaultCode.FORBIDDEN, "import-no-update", ("upsertBy",), {"name": module.plural}))
    gate.write(module, Use.CREATE, "importRows")
    if order.upsert_by is not None:
        gate.write(module, Use.UPDATE, "importRows")
    try:
        table = await asyncio.to_thread(read_csv, order.data)
    except Faulty as faulty:
        raise Faulty(*(fault.under(order.source) for fault in faulty.faults)) from None
    try:
        mapped = map_columns(
            module, table.header, context.snapshot.modules, chosen=order.mapping, audience=context.audience
        )
    except Faulty as faulty:
        raise Faulty(*(fault.under("mapping") for fault in faulty.faults)) from None
    if not any(target.field is not None for target in mapped.targets.values()):
        raise Faulty(Fault(FaultCode.INVALID, "import-no-columns", ("mapping",), {"name": module.plural}))
    key = None if order.upsert_by is None else _key(module, mapped, order.upsert_by)
    return ImportPlan(module, table, mapped, key, order.dry_run, order.skips_failed)


def _key(module: Module, mapped: Mapped, name: str) -> Target:
    names = [key.api_name for key in module.row_keys] + [ID]
    if name not in names:
        params = {"found": name[:100], "keys": ", ".join(names)}
        raise Faulty(Fault(FaultCode.INVALID, "import-no-key", ("upsertBy",), params))
    found = next((target for target in mapped.targets.values() if target.name == name), None)
    if found is None:
        raise Faulty(Fault(FaultCode.INVALID, "import-key-column", ("upsertBy",), {"key": name}))
    return found
