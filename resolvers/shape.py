"""From flat rows to what GraphQL's executor asks for: each response key of a selection knows where its value stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from resolvers.draft import Draft
from resolvers.file_field import file_mark, file_reader
from resolvers.ids import write_id
from resolvers.lambda_forms import Form, form_of
from resolvers.lambda_rows import Made, Placed, placed
from resolvers.nodes import KeySlot, LambdaSlot, ManySlot, Need, OneSlot, RowNode, Slot, ValueSlot, VersionSlot
from resolvers.scope import NAMED_OBJECTS
from resolvers.terms import Term, joined_column, key_terms
from resolvers.values import Unreadable, certain, output, several, version_of
from schema.catalog import WHOLE_NUMBERS
from schema.spec import Field, Module

Row = list[Any]
Read = Callable[[Row], Any]


class Answer:
    """What the executor's field resolver asks: the value behind a response key."""

    __slots__ = ()

    def get(self, key: str) -> Any:
        """Return the value behind a response key; an exception instance where it failed."""
        raise NotImplementedError


class Record(Answer):
    """One row as one selection sees it."""

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: Row) -> None:
        self.shape = shape
        self.values = values

    def get(self, key: str) -> Any:
        """Read the value from the flat row."""
        return self.shape.reads[key](self.values)


@dataclass(slots=True, eq=False)
class ManyLoad:
    """Rows of a relation that are to be loaded for all owners; `found` is by the owner's value."""

    slot: ManySlot
    position: int
    found: dict[str, Any] = field(default_factory=dict)
    empty: Any = None
    failure: Exception | None = None

    def read(self, row: Row) -> Any:
        """Return the owner's page."""
        if self.failure is not None:
            return self.failure
        value = row[self.position]
        return self.empty if value is None else self.found.get(link_key(value), self.empty)


@dataclass(slots=True, eq=False)
class ListLoad:
    """A dynamic field with several values, to be loaded for all rows; `found` is by the row's object."""

    term: Term
    position: int
    convert: Callable[[Any], Any]
    found: dict[str, list[Any]] = field(default_factory=dict)
    failure: Exception | None = None

    def read(self, row: Row) -> Any:
        """Return the row's values, or null where there are none."""
        if self.failure is not None:
            return self.failure
        values = self.found.get(link_key(row[self.position]))
        return None if values is None else self.convert(values)


@dataclass(slots=True, eq=False)
class LambdaLoad:
    """A computed field by lambda, to be run for all rows; its values stand at `position` of each row when it has run."""

    slot: LambdaSlot
    reads: Sequence[tuple[Need, Placed | Made]]
    position: int = -1
    crossing: tuple[
        tuple[tuple[str, ...], tuple[str, ...]], ...
    ] = ()  # where each value stands in `item`, by its names
    _form: Form | None = None

    @property
    def form(self) -> Form:
        """What of it is the same for every page."""
        if self._form is None:
            self._form = form_of(self.slot, self.reads)
        return self._form

    def read(self, row: Row) -> Any:
        """Return the row's result."""
        return row[self.position]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A value that stands at one position of the row; `convert` makes the API's of it, where they differ.

    One that `is_plain` is read as any of its kind: it has no options and is not computed.
    """

    position: int
    term: Term
    convert: Callable[[Any], Any] | None
    kind: str
    is_plain: bool


@dataclass(slots=True, eq=False)
class Shape:
    """How a selection of a row is read. `present` is the position that is null where a reference leads nowhere.

    `stored` tells which of the reads are of one stored value, `inner` and `linked` what stands behind others, and `keys` where
    the row's key is, if it is selected.
    """

    module: Module
    reads: dict[str, Read] = field(default_factory=dict)
    present: int | None = None
    keys: tuple[int, ...] = ()
    stored: dict[str, Stored] = field(default_factory=dict)
    inner: dict[str, Shape] = field(default_factory=dict)
    linked: dict[str, ManyLoad] = field(default_factory=dict)
    ones: list[Shape] = field(default_factory=list)
    many: list[ManyLoad] = field(default_factory=list)
    lists: list[ListLoad] = field(default_factory=list)
    lambdas: list[LambdaLoad] = field(default_factory=list)

    @property
    def loads(self) -> bool:
        """Whether more than the row's own statement is needed."""
        return bool(self.many or self.lists or self.lambdas) or any(shape.loads for shape in self.ones)

    def is_there(self, row: Row) -> bool:
        """Answer whether the flat row has this row in it."""
        return self.present is None or row[self.present] is not None

    def record(self, row: Row) -> Record | None:
        """Return the row as this selection sees it."""
        return Record(self, row) if self.is_there(row) else None


def link_key(value: Any) -> str:
    """Write a value that links rows, the same for a number and its digits."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)


@dataclass(frozen=True, slots=True)
class Shaper:
    """Makes shapes for one statement, selecting what they need."""

    draft: Draft
    zone: tzinfo
    secret: bytes

    def shape(self, node: RowNode) -> Shape:
        """Make the shape of a selection."""
        found = Shape(node.module)
        if node.hops:
            found.present = self.draft.column(Term(node.hops, node.module, joined_column(node.hops[-1])))
        for key, slot in node.slots.items():
            found.reads[key] = _MAKERS[type(slot)](self, found, node, slot)
            if isinstance(slot, ValueSlot) and not (slot.term.is_rows or slot.term.kind == "file"):
                found.stored[key] = self._stored(slot.term, raw=slot.raw)
            elif isinstance(slot, OneSlot):
                found.inner[key] = found.ones[-1]
            elif isinstance(slot, ManySlot):
                found.linked[key] = found.many[-1]
        return found

    def _key(self, shape: Shape, node: RowNode, slot: KeySlot) -> Read:
        positions = [self.draft.column(term) for term in key_terms(node.module, node.hops)]
        shape.keys = tuple(positions)
        module = node.module
        if slot.name == "id":
            return lambda row: write_id(module, [row[position] for position in positions])
        position = positions[0]
        if module.key_classes[0] in WHOLE_NUMBERS:
            return lambda row: int(row[position])
        return lambda row: link_key(row[position])

    def _value(self, shape: Shape, _node: RowNode, slot: ValueSlot) -> Read:
        return self._read(shape, slot.term, raw=slot.raw)

    def _read(self, shape: Shape, term: Term, *, raw: bool = False) -> Read:
        if term.is_rows:
            load = ListLoad(term, self._object(term), several(term))
            shape.lists.append(load)
            return load.read
        if term.kind == "file":
            return file_mark(self.draft, term) if raw else file_reader(self.draft, term)
        value = self._stored(term, raw=raw)
        position, convert = value.position, value.convert
        return (lambda row: row[position]) if convert is None else _converted(position, convert)

    def _stored(self, term: Term, *, raw: bool) -> Stored:
        convert = output(term, self.zone, raw=raw)
        is_plain = raw or isinstance(term.item, str) or (isinstance(term.item, Field) and not term.item.options)
        kind = "reference" if raw else term.kind
        return Stored(self.draft.column(term), term, convert and certain(term, convert), kind, is_plain)

    def _told_apart(self, shape: Shape, term: Term) -> Read:
        """Read a value for the version, which never fails: what cannot be read counts as it is stored."""
        if term.kind == "file":
            return file_mark(self.draft, term)
        convert = None if term.is_rows else output(term, self.zone)
        if convert is None:
            return self._read(shape, term)
        position = self.draft.column(term)

        def read(row: Row) -> Any:
            stored = row[position]
            found = None if stored is None else convert(stored)
            return str(stored) if isinstance(found, Unreadable) else found

        return read

    def _object(self, term: Term) -> int:
        """Select what the values of a dynamic field hang on."""
        return self.draft.column(Term(term.hops, term.module, dynamic_owner(term)))

    def _version(self, shape: Shape, node: RowNode, slot: VersionSlot) -> Read:
        reads = {term.name: self._told_apart(shape, term) for term in slot.terms}
        keys = [self.draft.column(term) for term in key_terms(node.module, node.hops)]
        type_name, secret = node.module.type_name, self.secret

        def read(row: Row) -> Any:
            values = {name: get(row) for name, get in reads.items()}
            failure = next((value for value in values.values() if isinstance(value, Exception)), None)
            if failure is not None:
                return failure
            return version_of(secret, type_name, {**values, "": [link_key(row[position]) for position in keys]})

        return read

    def _one(self, shape: Shape, _node: RowNode, slot: OneSlot) -> Read:
        target = self.shape(slot.row)
        shape.ones.append(target)
        return target.record

    def _many(self, shape: Shape, _node: RowNode, slot: ManySlot) -> Read:
        load = ManyLoad(slot, self.draft.column(slot.here))
        shape.many.append(load)
        return load.read

    def _lambda(self, shape: Shape, _node: RowNode, slot: LambdaSlot) -> Read:
        reads = [(need, self._needed(shape, need.term)) for need in slot.needs]
        load = LambdaLoad(slot, reads, crossing=tuple((need.inside, need.names) for need in slot.needs))
        shape.lambdas.append(load)
        return load.read

    def _needed(self, shape: Shape, term: Term) -> Placed | Made:
        """Read a lambda's input."""
        if term.kind == "file":
            return Made(self._read(shape, term))
        if term.is_rows:
            load = ListLoad(term, self._object(term), list)
            shape.lists.append(load)
            return Made(load.read)
        return placed(term, self.draft.column(term), self.zone)


def _converted(position: int, convert: Callable[[Any], Any]) -> Read:
    def read(row: Row) -> Any:
        value = row[position]
        return None if value is None else convert(value)

    return read


def dynamic_owner(term: Term) -> str:
    """Name the column that the values of a dynamic field hang on: the key, or the name of a customer."""
    dynamic = term.item.dynamic if isinstance(term.item, Field) else None
    return NAMED_OBJECTS.get(dynamic.object_type if dynamic else "", term.module.key_columns[0])


_MAKERS: Mapping[type[Slot], Callable[[Shaper, Shape, RowNode, Any], Read]] = {
    KeySlot: Shaper._key,  # noqa: SLF001 - the table belongs to the class
    ValueSlot: Shaper._value,  # noqa: SLF001
    VersionSlot: Shaper._version,  # noqa: SLF001
    OneSlot: Shaper._one,  # noqa: SLF001
    ManySlot: Shaper._many,  # noqa: SLF001
    LambdaSlot: Shaper._lambda,  # noqa: SLF001
}
