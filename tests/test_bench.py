"""The runner of the benchmarks: what it prints and what it keeps."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import run
from bench.run import Figure

FIGURES: dict[str, Figure] = {
    "list_p95": {"value": 12.5, "unit": "ms"},
    "list_rate": {"value": 1234.5, "unit": "requests/s", "ratio": 0.618, "ratio_to": "hand-written"},
}


@pytest.fixture(autouse=True)
def benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One benchmark, `lists`, that takes no time."""
    (tmp_path / "bench_lists.py").touch()
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    monkeypatch.setitem(sys.modules, "bench.bench_lists", SimpleNamespace(run=lambda _quick: FIGURES))


def test_figures_are_printed_in_columns_with_what_they_were_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["lists"]) == 0

    assert capsys.readouterr().out == (
        "lists\n"
        "  list_p95           12.5 ms\n"
        "  list_rate         1,234 requests/s  (0.62 x hand-written)\n"
    )  # fmt: skip


def test_figures_are_kept_with_what_they_were_measured_on(tmp_path: Path) -> None:
    run.main(["--quick"])

    kept = json.loads((tmp_path / "results" / "lists.json").read_text(encoding="utf-8"))
    assert kept["list_rate"] == FIGURES["list_rate"]
    assert kept["_measured"]["quick"] is True


def test_an_unknown_benchmark_is_refused_with_the_names_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["list"]) == 2
    assert capsys.readouterr().err == "There is no benchmark list. There are: lists.\n"
