"""Module folders of any size for the benchmarks: modules with tables of their own, each leading to the next."""

from __future__ import annotations

from pathlib import Path

_TEMPLATE = """\
module:
  name: {name}
  singular: {{en: Thing {number}, de: Ding {number}}}
  plural: {{en: Things {number}, de: Dinge {number}}}
  table: farm_{number:04d}
  description: A module of the benchmark
  section: Farm
fields:
  - {{name: name, type: string, label: {{en: Name, de: Name}}, required: true, unique: true, searchable: true, sortable: true, show_in_list: true}}
  - {{name: comment, type: text, label: {{en: Comment, de: Kommentar}}, searchable: true}}
  - {{name: amount, type: int, label: {{en: Amount, de: Menge}}}}
  - {{name: price, type: decimal, label: {{en: Price, de: Preis}}}}
  - {{name: active, type: bool, label: {{en: Active, de: Aktiv}}}}
  - {{name: due, type: date, label: {{en: Due, de: Fällig}}}}
  - name: color
    type: select
    options: [{{name: RED, value: red, label: red}}, {{name: GREEN, value: green, label: green}}]
  - {{name: next, type: reference, to: {target}, column: next_id}}
computed_fields:
  - {{name: {probe}, type: int, sql: "amount * 2"}}
relations:
  - {{name: previous, to: {source}, by: next}}
access: {{agent: {{view: true}}}}
"""


def text(number: int, total: int, probe: str = "doubled") -> str:
    """Write one module of a chain of `total`; `probe` names its computed field."""
    return _TEMPLATE.format(
        name=name(number),
        number=number,
        target=name((number + 1) % total),
        source=name((number - 1) % total),
        probe=probe,
    )


def name(number: int) -> str:
    """Name a module of the chain."""
    return f"farm_{number:04d}"


def plant(folder: Path, total: int) -> None:
    """Write a chain of `total` modules into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(total):
        (folder / f"{name(number)}.yaml").write_text(text(number, total))
