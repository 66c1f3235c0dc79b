"""Types on demand: a schema of 120 and 1,000 modules against one built at once, one query's types, introspection, changes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median

from graphql import GraphQLSchema, execute_sync, get_introspection_query, parse, validate

from bench.run import Figure
from schema.build import LambdeskSchema, build_schema
from schema.catalog import ColumnClass
from schema.changes import describe
from schema.introspection import answer
from schema.problems import Place
from schema.sdl import print_sdl
from schema.spec import Audience, Caption, Field, Module, Option, Relation, RowKey

PLACE = Place("modules/farm.yaml")
INTROSPECTION = parse(get_introspection_query(input_value_deprecation=True, one_of=True))
RELATIONS = parse(
    '{ farm7Rows(filter: {before: {name: {contains: "x"}}}, orderBy: [{name: ASC}]) { totalCount nodes { id name state'
    " before { name before { name } } after(first: 3) { nodes { name } } } } }"
)


def run(quick: bool) -> dict[str, Figure]:
    """Measure each work a few times and take the median."""
    rounds = 3 if quick else 9
    figures: dict[str, Figure] = {}
    for count in (120, 1_000):
        figures.update(building(count, rounds))
    figures.update(one_query(rounds))
    figures.update(introspection(rounds))
    figures.update(one_changed(rounds))
    return figures


def building(count: int, rounds: int) -> dict[str, Figure]:
    """Build the schema of a reload (one module new) on demand, and the same types at once."""
    modules = farm(count)
    build_schema(modules, Audience.AGENT)
    lazy = timed(lambda number: build_schema(touched(modules, number), Audience.AGENT), rounds)
    eager = timed(lambda number: at_once(build_schema(touched(modules, number), Audience.AGENT)), min(rounds, 3))
    return {
        f"schema_{count}_modules": Figure(
            value=lazy, unit="ms", ratio=lazy / eager, ratio_to="the same types built at once"
        ),
        f"schema_{count}_modules_at_once": Figure(value=eager, unit="ms"),
    }


def at_once(schema: LambdeskSchema) -> GraphQLSchema:
    """Build what graphql-core's own constructor builds."""
    return GraphQLSchema(query=schema.query_type, types=list(schema.type_map.values()))


def one_query(rounds: int) -> dict[str, Figure]:
    """Validate a query with relations on a schema that nobody has touched."""
    modules = farm(120)
    schemas = [build_schema(modules, Audience.AGENT) for _ in range(rounds)]
    first = timed(lambda number: validate(schemas[number], RELATIONS), rounds)
    again = timed(lambda number: validate(schemas[number], RELATIONS), rounds)
    return {
        "first_query": Figure(value=first, unit="ms to validate", ratio=first / again, ratio_to="the same query again"),
        "first_query_types": Figure(
            value=len(schemas[0].types.made) - len(build_schema({}, Audience.AGENT).types.made), unit="types made"
        ),
    }


def introspection(rounds: int) -> dict[str, Figure]:
    """Answer the standard introspection query of 120 modules: cold, after a reload of one, again; and execute it."""
    modules = farm(120)
    cold = timed(lambda _: answer(build_schema(modules, Audience.AGENT), INTROSPECTION), 1)
    reload_ = timed(
        lambda number: answer(build_schema(touched(modules, number), Audience.AGENT), INTROSPECTION), rounds
    )
    schema = build_schema(modules, Audience.AGENT)
    answer(schema, INTROSPECTION)
    again = timed(lambda _: answer(schema, INTROSPECTION), rounds)
    executed = timed(lambda _: execute_sync(schema, INTROSPECTION), 2)
    text = timed(lambda number: print_sdl(build_schema(touched(modules, number), Audience.AGENT)), rounds)
    ratio_to = "executing it"
    return {
        "introspection_cold": Figure(value=cold, unit="ms", ratio=cold / executed, ratio_to=ratio_to),
        "introspection_after_reload": Figure(value=reload_, unit="ms", ratio=reload_ / executed, ratio_to=ratio_to),
        "introspection_again": Figure(value=again, unit="ms", ratio=again / executed, ratio_to=ratio_to),
        "introspection_executed": Figure(value=executed, unit="ms"),
        "sdl_after_reload": Figure(value=text, unit="ms"),
    }


def one_changed(rounds: int) -> dict[str, Figure]:
    """Describe what one changed module of 120 means for clients."""
    old = farm(120)
    describe(old, old, [])
    value = timed(lambda number: describe(old, touched(old, number), [f"farm_{number}"]), rounds)
    return {"changes_of_one": Figure(value=value, unit="ms", ratio=value / 5, ratio_to="5 ms")}


def timed(work: Callable[[int], object], rounds: int) -> float:
    """Return the median time of a work in milliseconds."""
    found = []
    for number in range(rounds):
        gc.collect()
        started = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - started) * 1e3)
    return median(found)


def farm(count: int) -> dict[str, Module]:
    """Make a chain of modules, each with about fourteen types."""
    return {f"farm_{number}": _module(number, count) for number in range(count)}


def touched(modules: Mapping[str, Module], number: int) -> dict[str, Module]:
    """Give one module a new field."""
    old = modules[f"farm_{number}"]
    return {**modules, old.name: replace(old, fields=(*old.fields, _field("probe", "int", ColumnClass.INT)))}


def _module(number: int, count: int) -> Module:
    options = tuple(Option(word.upper(), word, Caption(word)) for word in ("new", "open", "shut"))
    fields = [
        _field("id", "int", ColumnClass.INT),
        _field("name", "string", unique=True, searchable=True),
        _field("note", "text"),
        _field("amount", "int", ColumnClass.INT),
        _field("price", "decimal", ColumnClass.DECIMAL),
        _field("active", "bool", ColumnClass.SMALLINT),
        _field("state", "select", options=options),
        _field("tags", "multiselect", options=options),
        _field("validity", "validity", ColumnClass.SMALLINT),
        _field("created_at", "datetime", ColumnClass.DATETIME),
        _field("changed_at", "datetime", ColumnClass.DATETIME),
    ]
    if number:
        fields.append(_field("before", "reference", ColumnClass.INT, to=f"farm_{number - 1}"))
    after = Relation("after", f"farm_{number + 1}", PLACE, by="before")
    return Module(
        name=f"farm_{number}",
        plural_name=f"farm_{number}_rows",
        singular=Caption(f"Thing {number}"),
        plural=Caption(f"Things {number}"),
        place=PLACE,
        table=f"farm_{number}",
        fields=tuple(fields),
        relations=(after,) if number < count - 1 else (),
        key_columns=("id",),
        key_classes=(ColumnClass.INT,),
        row_keys=(
            RowKey("databaseId", "id", ColumnClass.INT, "Int"),
            RowKey("name", "name", ColumnClass.STRING, "String", "name"),
        ),
    )


def _field(name: str, kind: str, column_class: ColumnClass = ColumnClass.STRING, **settings: object) -> Field:
    label = Caption(name.replace("_", " ").capitalize())
    return Field(name, kind, name, label, PLACE, column_class=column_class, nullable=False, **settings)  # type: ignore[arg-type]  # by name
