"""The shipped API is reviewed like code: the lock files hold all of it, agents' and customers', the same on every database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from schema.build import LambdeskSchema
from schema.registry import Registry
from schema.sdl import print_sdl
from schema.spec import Audience
from storage.engine import Database
from storage.library import Library
from tests.databases import DIALECTS, fresh_url
from web.lifecycle import build

ROOT = Path(__file__).parent.parent
LOCKS = {Audience.AGENT: ROOT / "schema.lock.graphql", Audience.CUSTOMER: ROOT / "schema.customer.lock.graphql"}
HINT = (
    "The shipped API has changed. If that is meant: `.venv/bin/lambdesk schema --audience {audience} > {file}`, "
    "and review the diff."
)


async def shipped(url: str) -> dict[Audience, str]:
    """Print the schemas of the shipped modules on a database."""
    database = Database(url)
    try:
        registry = Registry([ROOT / "modules"], Library(database), build)
        await registry.start()
        schemas = {audience: registry.snapshot.schema_for(audience) for audience in Audience}
        return {audience: print_sdl(cast("LambdeskSchema", schema)) for audience, schema in schemas.items()}
    finally:
        await database.close()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_shipped_api_is_the_one_that_was_reviewed(dialect: str) -> None:
    with fresh_url(dialect) as url:
        printed = asyncio.run(shipped(url))
    for audience, lock in LOCKS.items():
        assert printed[audience].strip() == lock.read_text().strip(), HINT.format(audience=audience, file=lock.name)
