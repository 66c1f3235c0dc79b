"""One snapshot a request: modules, schemas and status, immutable. A reload makes a new one and swaps the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from graphql import GraphQLSchema

from schema.catalog import Catalog
from schema.problems import Level, Problem
from schema.spec import Audience, Module


class ModuleState(StrEnum):
    """What serves for a module file."""

    LIVE = "LIVE"  # the file as it is now
    STALE = "STALE"  # the file is broken; its last good version serves
    BROKEN = "BROKEN"  # the file is broken and there is no good version
    ABSENT = "ABSENT"  # optional, and its table is not in this database


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """A module file's state for people: what `modules { name version state problems }` answers."""

    name: str
    state: ModuleState
    version: str
    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    module: Module | None = None

    @property
    def is_broken(self) -> bool:
        """Whether the newest version of the file does not serve."""
        return self.state in (ModuleState.STALE, ModuleState.BROKEN)


@dataclass(frozen=True, slots=True)
class SchemaChangeItem:
    """One difference between two snapshots: `kind` is ADDED, CHANGED, DEPRECATED or BREAKING."""

    kind: str
    module: str
    description: str


@dataclass(frozen=True)
class Snapshot:
    """What a request works with from beginning to end.

    `version` is a short stable hash over every live module's digest and the schema builder's own version; `number`
    counts snapshots of this process. `compare` finds out what differs from the one before.
    """

    version: str
    number: int
    modules: Mapping[str, Module]
    status: tuple[ModuleStatus, ...]
    schemas: Mapping[Audience, GraphQLSchema]
    catalog: Catalog
    compare: Callable[[], tuple[SchemaChangeItem, ...]] = tuple

    @cached_property
    def changes(self) -> tuple[SchemaChangeItem, ...]:
        """What differs from the snapshot before; found out when somebody asks, which takes some milliseconds."""
        return self.compare()

    @cached_property
    def memo(self) -> dict[object, Any]:
        """What others make of this snapshot and want to find again; it is gone with the snapshot."""
        return {}

    @cached_property
    def by_type_name(self) -> Mapping[str, Module]:
        """Live modules by the name of their GraphQL type."""
        return {module.type_name: module for module in self.modules.values()}

    @cached_property
    def by_table(self) -> Mapping[str, tuple[Module, ...]]:
        """Live modules by the table of their rows."""
        found: dict[str, tuple[Module, ...]] = {}
        for module in self.modules.values():
            found[module.table] = (*found.get(module.table, ()), module)
        return found

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every file that keeps a version from serving or warns."""
        return tuple(
            problem for status in self.status for problem in status.problems if problem.level is not Level.INFO
        )

    def schema_for(self, audience: Audience) -> GraphQLSchema:
        """Return the schema of an audience."""
        return self.schemas[audience]
