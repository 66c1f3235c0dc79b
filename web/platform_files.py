"""Module files themselves in the API, and beginnings of new ones: for a table of the database, for a spreadsheet, an extension."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.errors import BadRequest
from schema.layers import Found, labels, open_found
from schema.placing import place_of
from schema.scaffold import extension_yaml, new_yaml
from schema.scaffold_csv import csv_yaml
from schema.secrets import is_reserved_table, is_secret_table
from schema.source import digest_of, read
from schema.tables import module_on
from web.administrators import administrators_only
from web.scaffolding import scaffold
from web.workshop import PlatformContext, Workshop

CSV_LIMIT_BYTES = 500_000

Info = strawberry.Info[PlatformContext, Any]


@strawberry.type(description="A module file as it is on the disk, whether it serves or not.")
class ModuleFile:
    """A file as the editor shows it."""

    file: str
    source: str = strawberry.field(description="Its text; bytes that are no UTF-8 are replaced.")
    digest: str = strawberry.field(description="`publishModule` takes it as `ifDigest`.")
    module: str = strawberry.field(description="The module that it is about; empty where it does not say.")
    is_own: bool = strawberry.field(
        description="Whether it lies in the top folder. Files below it are shipped, and an upgrade replaces them."
    )


@strawberry.type(description="A table of the database that can be made a module.")
class ModuleTable:
    """A table as the beginning of a module."""

    name: str
    module: str | None = strawberry.field(description="The module that serves it already.")


@strawberry.type
class FileQuery:
    """Root fields about module files."""

    @strawberry.field(description="A module file, as `modules { files }` names it; null where there is none.")  # type: ignore[untyped-decorator] # Strawberry leaves the schema's own types open
    def module_file(self, info: Info, file: str) -> ModuleFile | None:
        """Read a file."""
        administrators_only(info.context, "moduleFile")
        return _file(info.context.workshop, file)

    @strawberry.field(description="Tables of the database that can be made modules, by name.")  # type: ignore[untyped-decorator] # the same
    async def module_tables(self, info: Info) -> list[ModuleTable]:
        """List tables."""
        administrators_only(info.context, "moduleTables")
        catalog, modules = await info.context.workshop.library.catalog(), info.context.snapshot.modules
        names = sorted(name for name in catalog.tables if not is_reserved_table(name) and not is_secret_table(name))
        found = ((name, module_on(name, modules)) for name in names)
        return [ModuleTable(name=name, module=module.name if module else None) for name, module in found]

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="The beginning of a module file: empty under a `name`, for a `table` of the database, or to `extend` a module. "
        "Nothing is written."
    )
    async def scaffold_module(
        self, info: Info, name: str | None = None, table: str | None = None, extend: str | None = None
    ) -> str:
        """Begin a file."""
        administrators_only(info.context, "scaffoldModule")
        if sum(given is not None for given in (name, table, extend)) != 1:
            raise BadRequest("scaffoldModule: give one of name, table and extend.")
        if extend is not None:
            if extend not in {status.name for status in info.context.snapshot.status}:
                raise BadRequest("scaffoldModule.extend: there is no such module.")
            return extension_yaml(extend)
        try:
            if name is not None:
                return new_yaml(name)
            return await scaffold(info.context.database, table or "", info.context.snapshot.modules)
        except (LookupError, ValueError) as error:
            raise BadRequest(f"scaffoldModule: {error}") from None

    @strawberry.field(  # type: ignore[untyped-decorator] # the same
        description="The beginning of a module file for a CSV text with a heading, up to 500 kB: names from its first row, types "
        "guessed from the others. Nothing is written."
    )
    def scaffold_module_from_csv(self, info: Info, name: str, csv: str) -> str:
        """Begin a file."""
        administrators_only(info.context, "scaffoldModuleFromCsv")
        if len(csv.encode()) > CSV_LIMIT_BYTES:
            raise BadRequest("scaffoldModuleFromCsv.csv: longer than 500 kB; its first rows will do.")
        try:
            return csv_yaml(csv, name)
        except ValueError as error:
            raise BadRequest(f"scaffoldModuleFromCsv: {error}") from None


def _file(workshop: Workshop, file: str) -> ModuleFile | None:
    try:
        path = place_of(workshop.folders, file)
    except LookupError:
        return None
    folder = next(folder for folder in workshop.folders if path.is_relative_to(folder))
    data = open_found(Found(file, str(path), 0, folder.resolve()))
    if data is None:
        return None
    return ModuleFile(
        file=file,
        source=data.decode("utf-8", "replace"),
        digest=digest_of(data),
        module=read(file, data).name,
        is_own=file.startswith(f"{labels(workshop.folders)[-1]}/"),
    )
