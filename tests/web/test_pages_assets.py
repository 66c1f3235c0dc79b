"""What pages are made with: addresses with a digest, long keeping, small sizes, and a style sheet that is not stale."""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.toy import Toy
from web.pages.assets import STATIC, asset

HOUSE = Path(__file__).parent.parent.parent
SOURCE = HOUSE / "web" / "assets"
NODE = shutil.which("node") or shutil.which(str(HOUSE / ".venv-clients" / "node" / "bin" / "node"))
BUDGET_BYTES = 90_000  # of what every page loads
EDITOR_BYTES = 190_000  # on the pages of administrators with an editor, and on no others
CHART_BYTES = 25_000  # on the dashboard
APART = {
    "editor.js": EDITOR_BYTES,
    "uplot.min.js": CHART_BYTES,
    "uplot.min.css": CHART_BYTES,
    "dashboard.js": CHART_BYTES,
}


async def test_a_file_named_with_its_digest_is_kept_for_good(toy: Toy) -> None:
    answer = await toy.client.get(asset("pages/app.css"))

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert re.fullmatch(r"/static/pages/app\.css\?v=[0-9a-f]{12}", asset("pages/app.css"))


@pytest.mark.parametrize("path", ["/static/pages/app.css", "/static/pages/app.css?v=000000000000"])
async def test_without_its_digest_a_file_is_asked_for_again(toy: Toy, path: str) -> None:
    answer = await toy.client.get(path)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = await toy.client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_texts_are_compressed_for_those_who_take_it(toy: Toy) -> None:
    packed = await toy.client.get("/static/pages/app.css", headers={"accept-encoding": "gzip"})
    plain = await toy.client.get("/static/pages/app.css", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content  # httpx unpacks
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_what_is_not_there_is_not_kept(toy: Toy) -> None:
    for path in ("/static/nothing.css", "/static/pages/", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert (await toy.client.get(path)).status_code == 404


def test_all_that_pages_load_is_within_the_budget() -> None:
    files = [path for path in (STATIC / "pages").iterdir() if path.suffix in {".css", ".js"}]

    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert sum(size for name, size in sizes.items() if name not in APART) <= BUDGET_BYTES
    for budget in set(APART.values()):
        assert sum(sizes[name] for name, own in APART.items() if own == budget) <= budget
    assert not [
        path
        for path in files
        if re.search(
            rb"https?://(?!www\.w3\.org|tailwindcss\.com|daisyui\.com)[\w.]+/[\w./]*\.(js|css|woff2?)",
            path.read_bytes(),
        )
    ]


def test_the_committed_files_are_what_the_sources_make(tmp_path: Path) -> None:
    """`make assets` brings them up to date."""
    if NODE is None or not (SOURCE / "node_modules" / "tailwindcss").is_dir():
        message = "NO NODE OR NO PACKAGES to build the style sheet with: run make install-assets."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    subprocess.run([NODE, "build.mjs", str(tmp_path)], cwd=SOURCE, check=True, capture_output=True)

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == 7
    assert [name for name, content in made.items() if (STATIC / "pages" / name).read_bytes() != content] == []
