"""Everything that the shipped modules offer can be asked for: each field, order, sum, group, filter and search, on each database."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type, is_leaf_type, parse, validate

from lambdas.pool import Sandbox
from resolvers.aggregation import GROUP_BY_LIMIT
from resolvers.context import Context
from resolvers.document import Documents
from resolvers.execute import execute
from resolvers.lambda_gql import Queries
from resolvers.limits import Limits
from resolvers.order import ORDER_LIMIT
from schema.bindings import BINDING, ToMany
from schema.build import LambdeskSchema, build_schema
from schema.registry import Registry
from schema.snapshot import Snapshot
from schema.spec import Audience, Module
from storage.engine import Database
from storage.install import install
from storage.library import Library
from tests.callers import everything
from tests.counts import SOAK
from tests.databases import DIALECTS, foreign_url, fresh_url

MODULES = Path(__file__).parents[2] / "modules"
ROOTS_AT_ONCE = 20
WAIT_S = 60  # what is asked here, not how fast it is answered
FILTERS_AT_ONCE = 15


def schemas(modules: Mapping[str, Module], _before: object) -> dict[Audience, LambdeskSchema]:
    return {audience: build_schema(modules, audience) for audience in Audience}


async def load(database: Database) -> Snapshot:
    return await Registry([MODULES], Library(database), schemas).reload()


def questions(schema: LambdeskSchema, module: Module) -> Iterator[str]:
    """Ask for everything that a module offers, several things at a time."""
    many, name = module.many_root, module.type_name
    yield f"{many}(first: 3) {{nodes {{{' '.join(outputs(schema.named(name)))}}} totalCount}}"
    orders = [f"{{{key}: DESC}}" for key, field in inputs(schema, f"{name}Order") if is_leaf_type(field)]
    for part in batches(orders, ORDER_LIMIT):
        yield f"{many}(first: 2, orderBy: [{part}]) {{nodes {{__typename}} pageInfo {{hasNextPage endCursor}}}}"
    sums = [row for row in schema.named(f"{name}AggregateRow").fields if row != "key"]
    yield f"{module.aggregate_root} {{{' '.join(sums)}}}"
    group_by = schema.get_type(f"{name}GroupBy")
    if group_by is not None:
        keys = " ".join(outputs(schema.named(f"{name}AggregateKey")))
        for part in batches(list(cast("Any", group_by).values), GROUP_BY_LIMIT):
            yield f"{module.aggregate_root}(groupBy: [{part}]) {{count key {{{keys}}}}}"
    filters = [
        f"{{{key}: {asked}}}"
        for key, field in inputs(schema, f"{name}Filter")
        if key not in ("and", "or", "not")
        for asked in asked_of(field)
    ]
    for part in batches(filters, FILTERS_AT_ONCE):
        yield f"{many}(filter: {{or: [{part}]}}) {{totalCount}}"
    if "search" in schema.query_fields[many].args:
        yield f'{many}(search: "a b") {{totalCount}}'


def batches(items: list[str], size: int) -> Iterator[str]:
    for start in range(0, len(items), size):
        yield ", ".join(items[start : start + size])


def outputs(type_: GraphQLObjectType) -> list[str]:
    found = []
    for name, field in type_.fields.items():
        if is_leaf_type(get_named_type(field.type)):
            found.append(name)
        elif isinstance(field.extensions.get(BINDING), ToMany):
            found.append(f"{name}(first: 2) {{nodes {{__typename}} totalCount}}")
        else:
            found.append(f"{name} {{__typename}}")
    return found


def inputs(schema: LambdeskSchema, name: str) -> Iterator[tuple[str, Any]]:
    found = schema.get_type(name)
    if isinstance(found, GraphQLInputObjectType):
        yield from ((key, field.type) for key, field in found.fields.items())


def asked_of(filter_type: Any) -> Iterator[str]:
    operators = filter_type.fields
    if "isNull" in operators:
        yield "{isNull: false}"
    if "contains" in operators:
        yield '{ne: "B", in: ["x", "y"], contains: "a", startsWith: "b", endsWith: "c"}'
    if "isEmpty" in operators:
        yield "{isEmpty: false}"
    if "some" in operators:
        yield "{some: {}, every: {}}"
    if "and" in operators:
        yield "{}"


async def walk(url: str) -> None:
    database = Database(url, statement_timeout_s=WAIT_S)
    sandbox = Sandbox(size=1)
    asks = {"gql": Queries(Documents(Limits()))}
    try:
        await sandbox.start()
        await install(database)
        snapshot = await load(database)
        assert snapshot.problems == ()
        schema = cast("LambdeskSchema", snapshot.schema_for(Audience.AGENT))
        for module in schema.modules.values():
            asked = list(questions(schema, module))
            for start in range(0, len(asked), ROOTS_AT_ONCE):
                part = asked[start : start + ROOTS_AT_ONCE]
                document = parse("{" + " ".join(f"q{n}: {question}" for n, question in enumerate(part)) + "}")
                assert not validate(schema, document)
                deadline = monotonic() + WAIT_S
                rights = everything()
                context = Context(snapshot, database, b"secret", rights, deadline=deadline, lambdas=sandbox, asks=asks)
                result = await execute(context, document)
                failed = [part[int(str((error.path or ["q0"])[0])[1:])] for error in result.errors or ()]
                assert not failed, (module.name, failed, result.errors)
    finally:
        await sandbox.close()
        await database.close()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_everything_that_the_shipped_modules_offer_can_be_asked_for(dialect: str) -> None:
    with fresh_url(dialect) as url:
        await walk(url)


@pytest.mark.parametrize("dialect", DIALECTS if SOAK else ("mysql",))
async def test_the_same_holds_for_a_database_that_otrs_6_made(dialect: str) -> None:
    with foreign_url(dialect, "otrs6") as url:
        await walk(url)
