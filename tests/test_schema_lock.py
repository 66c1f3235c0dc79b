"""The shipped API is reviewed like code: `schema.lock.graphql` holds all of it, and it is the same on every database."""

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
LOCK = ROOT / "schema.lock.graphql"
HINT = "The shipped API has changed. If that is meant: `.venv/bin/lambdesk schema > schema.lock.graphql`, and review the diff."


async def shipped(url: str) -> str:
    """Print the agents' schema of the shipped modules on a database."""
    database = Database(url)
    try:
        registry = Registry([ROOT / "modules"], Library(database), build)
        await registry.start()
        return print_sdl(cast("LambdeskSchema", registry.snapshot.schema_for(Audience.AGENT)))
    finally:
        await database.close()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_shipped_api_is_the_one_that_was_reviewed(dialect: str) -> None:
    with fresh_url(dialect) as url:
        printed = asyncio.run(shipped(url))
    assert printed.strip() == LOCK.read_text().strip(), HINT
