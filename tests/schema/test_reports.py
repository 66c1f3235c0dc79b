"""Every refusal, read as the author of the file reads it: the file, and beside it the report in full."""

import os
from pathlib import Path

import pytest

from schema.problems import report
from tests.schema.catalogs import everything_wrong, layout

BAD = sorted((Path(__file__).parent / "files" / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_the_report_of_a_bad_file_says_all_that_is_wrong_with_it(path: Path) -> None:
    """`LAMBDESK_WRITE_REPORTS=1` writes the reports anew; read the difference before you commit it."""
    found = report(everything_wrong(f"modules/{path.name}", path.read_bytes(), layout("znuny65"))) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("LAMBDESK_WRITE_REPORTS"):
        golden.write_text(found)
    assert found == golden.read_text()
