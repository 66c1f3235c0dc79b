"""From a CSV table to inputs of a module's rows: which column stands for what, and one input or the faults of every row.

Nothing is read from the database here. What a reference names by a column such as `queue` is taken for the target's first
unique text; who can look rows up gives `known` instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

from resolvers.csv_rows import CsvRow, CsvTable
from resolvers.csv_values import Convert, NotSuch, read_stored, reader_of
from resolvers.faults import Fault, FaultCode, Faulty
from schema.catalog import ColumnClass
from schema.spec import Audience, Caption, Field, Module, RowKey
from schema.writes import default_of, is_required, writes_of

BETWEEN = ": "  # in captions: `Queue: Name`
_NO_INPUT = frozenset({"file"})
_KEY_NAMES = ("id", "databaseId")
_WANTED: Mapping[ColumnClass, str] = defaultdict(
    lambda: "text", {ColumnClass.SMALLINT: "123", ColumnClass.INT: "123", ColumnClass.BIGINT: "123"}
)

Known = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a column stands for: a field of the module, by `key` of its target where it is a reference.

    A reference without a `target` is its stored text. Without a `field` it is the row's own key (`id` or `databaseId`).
    """

    name: str
    field: Field | None = None
    target: Module | None = None
    key: RowKey | None = None

    @property
    def is_open(self) -> bool:
        """Whether the text may be any key of the target."""
        return self.target is not None and self.key is None

    @property
    def what(self) -> str:
        """What must not be said by two columns."""
        return self.field.api_name if self.field else self.name


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a header is understood: by position in the row, and the columns that stand for nothing here."""

    module: Module
    targets: Mapping[int, Target]
    header: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one cell: the row's number in the file, the column as its header has it."""

    row: int
    column: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class RowInput:
    """One row as the JSON value that `<Type>Create` takes. `keys` has the row's own `id` and `databaseId` where given.

    They name a row that is there; a module whose new rows bring their `databaseId` takes it from there, too.
    """

    number: int
    values: Mapping[str, Any]
    keys: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[RowFault, ...] = ()


def map_columns(
    module: Module,
    header: Iterable[str],
    modules: Mapping[str, Module],
    *,
    chosen: Mapping[str, str] | None = None,
    audience: Audience = Audience.AGENT,
) -> Mapped:
    """Find what each column stands for: by the API's name, the file's name, or the caption in any language.

    `chosen` (header → API path, "" to leave the column out) wins over what would be found. Only what the audience may
    write counts. References are named as `queue`, `queue.name` or by captions (`Queue`, `Queue: Name`). Raises `Faulty`
    where two columns stand for one field, or where `chosen` names what is not there.
    """
    names = tuple(header)
    paths = _paths(module, modules, audience)
    words = _words(paths)
    targets: dict[int, Target] = {}
    unknown: list[str] = []
    faults = [_fault("csv-no-column", column=name) for name in chosen or () if name not in names]
    for position, name in enumerate(names):
        path = (chosen or {}).get(name)
        if path == "":
            continue
        found = words.get(name.casefold()) if path is None else paths.get(path)
        if found is not None:
            targets[position] = found
        elif path is None:
            unknown.append(name)
        else:
            faults.append(_fault("csv-no-field", column=name, field=path))
    faults += _repeated(targets, names)
    if faults:
        raise Faulty(*faults)
    return Mapped(module, targets, names, tuple(unknown))


def reference_texts(table: CsvTable, mapped: Mapped) -> dict[str, set[str]]:
    """Return the texts that name rows by any of their keys, by the name of the target's module, so that they can be looked up."""
    found: dict[str, set[str]] = {}
    for position, target in mapped.targets.items():
        if target.target is not None and target.is_open:
            texts = found.setdefault(target.target.name, set())
            texts.update(text for row in table.rows if (text := row.cells[position].strip()))
    return found


def convert_rows(
    table: CsvTable, mapped: Mapped, *, zone: tzinfo = UTC, known: Known | None = None
) -> Iterator[RowInput]:
    """Convert every row, one after the other; all faults of a row are named at once.

    An empty cell is null; where the field has a default it is left out instead. `zone` is the one of moments without an
    offset. `known` says which key input (`{"databaseId": 3}`) stands for a text of `reference_texts`, by module; a text
    that it does not have is a fault.
    """
    readers = [
        (position, target, _reader(target, zone, known), mapped.header[position])
        for position, target in mapped.targets.items()
    ]
    for row in table.rows:
        yield _convert(row, readers)


def _convert(row: CsvRow, readers: Iterable[tuple[int, Target, Convert, str]]) -> RowInput:
    values: dict[str, Any] = {}
    keys: dict[str, Any] = {}
    faults: list[RowFault] = []
    for position, target, read, column in readers:
        text = row.cells[position]
        if not text:
            item = target.field
            if item is None or default_of(item) is not None:
                continue
            if is_required(item):
                faults.append(RowFault(row.number, column, Fault(FaultCode.REQUIRED, "csv-required", (target.name,))))
            else:
                values[target.name] = None
            continue
        try:
            found = read(text)
        except NotSuch as error:
            code = FaultCode.REFERENCE if error.key == "csv-unknown-row" else FaultCode.INVALID
            faults.append(RowFault(row.number, column, Fault(code, error.key, (target.name,), error.params)))
            continue
        (values if target.field is not None else keys)[target.name] = found
    return RowInput(row.number, values, keys, tuple(faults))


def _reader(target: Target, zone: tzinfo, known: Known | None) -> Convert:
    if target.field is None:
        return partial(_read_key, target.name, target.key) if target.key else str.strip
    if target.target is None:
        return read_stored(target.field.column_class) if target.field.to else reader_of(target.field, zone)
    if target.key is not None:
        key = target.key
        if key.api_name == "id":
            return lambda text: {"id": text.strip()}
        return lambda text: {key.api_name: _read_key(key.api_name, key, text, target.target)}
    if known is not None:
        return partial(_read_known, target.target, known.get(target.target.name, {}))
    return _reader(Target(target.name, target.field, target.target, first_key(target.target)), zone, None)


def _read_key(name: str, key: RowKey, text: str, target: Module | None = None) -> Any:
    """Read the value of a key: texts as they are, numbers without blanks around them."""
    try:
        return read_stored(key.column_class)(text if key.scalar == "String" else text.strip())
    except NotSuch as error:
        thing = target.singular.text if target else name
        raise NotSuch("csv-key", text, target=thing, key=name, wanted=_WANTED[key.column_class]) from error


def _read_known(target: Module, rows: Mapping[str, Mapping[str, Any]], text: str) -> Mapping[str, Any]:
    found = rows.get(text.strip())
    if found is None:
        raise NotSuch("csv-unknown-row", text, target=target.singular.text)
    return found


def first_key(module: Module) -> RowKey | None:
    """Return the key by which people name a row: the first unique text, else the first key there is."""
    named = next((key for key in module.row_keys if key.field is not None and key.scalar == "String"), None)
    return named or next(iter(module.row_keys), None)


# --- what a header may say ---


def _paths(module: Module, modules: Mapping[str, Module], audience: Audience) -> dict[str, Target]:
    """Return everything that a column may stand for, by its path in the API."""
    found: dict[str, Target] = {}
    if module.has_id:
        found["id"] = Target("id")
    for key in module.row_keys:
        if key.field is None and key.api_name == "databaseId":
            found["databaseId"] = Target("databaseId", key=key)
    for item in writes_of(module, audience).create:
        if item.kind in _NO_INPUT:
            continue
        if item.to is None:
            found[item.api_name] = Target(item.api_name, item)
            continue
        target = modules.get(item.to)
        if target is not None and target.has_id:
            found |= _reference_paths(item, target)
        if item.raw_name:
            found[item.raw_name] = Target(item.raw_name, item)
    return found


def _reference_paths(item: Field, target: Module) -> dict[str, Target]:
    found: dict[str, Target] = {}
    if first_key(target) is not None:
        found[item.api_name] = Target(item.api_name, item, target)
    found[f"{item.api_name}.id"] = Target(item.api_name, item, target, RowKey("id", "", ColumnClass.STRING, "String"))
    for key in target.row_keys:
        found[f"{item.api_name}.{key.api_name}"] = Target(item.api_name, item, target, key)
    return found


def _words(paths: Mapping[str, Target]) -> dict[str, Target]:
    """Return what a header may call the paths, in small letters; of two that have one caption the first is meant."""
    found: dict[str, Target] = {}
    for path, target in paths.items():
        if target.field is None or path == target.field.raw_name:
            continue
        _, dot, _ = path.partition(".")
        ends = [""] if not dot else [BETWEEN + text for text in _key_captions(target)]
        for text in _captions(target.field.label):
            for end in ends:
                found.setdefault(f"{text}{end}".casefold(), target)
    for path, target in paths.items():  # names are meant before captions
        if target.field is not None and path == target.field.api_name:
            found[target.field.name.casefold()] = target
    found.update((path.casefold(), target) for path, target in paths.items())
    return found


def _key_captions(target: Target) -> list[str]:
    if target.target is None or target.key is None:
        return []
    item = target.target.field_named(target.key.field or "")
    return _captions(item.label) if item else [target.key.api_name]


def _captions(caption: Caption) -> list[str]:
    return list(dict.fromkeys((caption.text, *caption.languages.values())))


def _repeated(targets: Mapping[int, Target], header: tuple[str, ...]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for position, target in targets.items():
        before = first.setdefault(target.what, position)
        if before != position:
            yield _fault("csv-same-field", first=header[before], second=header[position], field=target.what)


def _fault(key: str, **params: Any) -> Fault:
    return Fault(FaultCode.INVALID, key, None, params)
