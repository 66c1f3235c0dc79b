"""An operation may follow as many references as a database can join, and is told so where it asks for more."""

from pathlib import Path
from typing import Any

import pytest

from resolvers.scope import TABLES_LIMIT
from tests.databases import DIALECTS, fresh_url
from tests.web.real import open_desk
from tests.web.test_pages_ui import many_references


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_more_references_than_a_database_joins_are_refused(dialect: str, tmp_path: Path) -> None:
    def query(count: int) -> str:
        return f"{{ wides {{ nodes {{ {' '.join(f'c{place} {{ name }}' for place in range(count))} }} }} }}"

    with fresh_url(dialect) as url:
        async with open_desk(url, tmp_path, many_references(TABLES_LIMIT)) as desk:
            # One is the module's own. PostgreSQL needs longer to plan that many than a statement may take.
            most = 12 if dialect == "postgresql" else TABLES_LIMIT - 1
            assert await desk.data(query(most)) == {"wides": {"nodes": []}}
            answer: Any = await desk.ask(query(TABLES_LIMIT))
    assert answer["errors"][0]["extensions"]["code"] == "COMPLEXITY_LIMIT"
    assert "fewer references" in answer["errors"][0]["message"]
