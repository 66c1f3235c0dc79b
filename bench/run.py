"""Runs the benchmarks beside this file and keeps their figures in `bench/results/NAME.json`.

A benchmark is a file `bench_NAME.py` with `run(quick) -> {figure: Figure}`. What counts are ratios measured side by
side in one run; absolute numbers only say what machine it was.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import NotRequired, TypedDict

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


class Figure(TypedDict):
    """One measured number; `ratio` is the value over that of `ratio_to`, measured in the same run."""

    value: float
    unit: str
    ratio: NotRequired[float]
    ratio_to: NotRequired[str]


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="benchmarks to run: NAME of bench_NAME.py; all by default")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a look, not a measurement")
    chosen = parser.parse_args(arguments)
    known = find_benchmarks()
    unknown = sorted(set(chosen.names) - set(known))
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(known) or 'none'}.", file=sys.stderr)
        return 2
    for name in chosen.names or known:
        print(f"{name}{' (quick)' if chosen.quick else ''}", flush=True)
        figures: dict[str, Figure] = importlib.import_module(f"bench.bench_{name}").run(chosen.quick)
        print("\n".join(describe(figures)), flush=True)
        keep(name, figures, quick=chosen.quick)
    return 0


def find_benchmarks() -> list[str]:
    """Name every benchmark of the folder."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def describe(figures: dict[str, Figure]) -> list[str]:
    """Say each figure on a line of its own, in columns."""
    width = max((len(name) for name in figures), default=0)
    return [f"  {name:<{width}}  {number(figure)}{comparison(figure)}" for name, figure in figures.items()]


def number(figure: Figure) -> str:
    """Write a value so that large ones need no exponent and small ones keep their digits."""
    value = figure["value"]
    return f"{value:>12,.0f} {figure['unit']}" if abs(value) >= 1000 else f"{value:>12.4g} {figure['unit']}"


def comparison(figure: Figure) -> str:
    """Say what a figure was compared with, if it was."""
    return f"  ({figure['ratio']:.2f} x {figure.get('ratio_to', '?')})" if "ratio" in figure else ""


def keep(name: str, figures: dict[str, Figure], *, quick: bool) -> None:
    """Write the figures, and on what they were measured, to the results folder."""
    RESULTS.mkdir(exist_ok=True)
    measured = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    text = json.dumps({**figures, "_measured": measured}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
