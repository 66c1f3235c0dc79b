"""From a filter, a key or search words, as GraphQL coerced them, to conditions on rows. Every name passes the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resolvers.errors import BadRequest
from resolvers.gate import Gate, Use
from resolvers.ids import read_id
from resolvers.predicate import All, Compare, Either, Exists, KeyIn, Not, Predicate, Related
from resolvers.terms import Term, key_terms
from schema.bindings import ToMany, ToOne
from schema.snapshot import Snapshot
from schema.spec import Field, Module, Relation

LIST_LIMIT = 500
PATTERN_LIMIT_CHARS = 200
NESTING_LIMIT = 20
CONDITIONS_LIMIT = 500
SEARCH_LIMIT_CHARS = 200
SEARCH_LIMIT_WORDS = 10

PATTERNS = frozenset({"contains", "startsWith", "endsWith"})
_QUANTIFIERS = ("some", "none", "every")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a filter one is: whose rows, by which references, under which path, how deep."""

    module: Module
    path: str
    hops: tuple[ToOne, ...] = ()
    depth: int = 0

    def under(self, name: str | int) -> Spot:
        """Go one step deeper in the input."""
        return replace(self, path=f"{self.path}.{name}", depth=self.depth + 1)


@dataclass(slots=True)
class FilterReader:
    """Reads the filters of one operation, within its limits."""

    snapshot: Snapshot
    gate: Gate
    conditions: int = 0

    def read(self, module: Module, value: Mapping[str, Any], path: str) -> Predicate:
        """Read a filter of a module's rows; several keys must all hold."""
        return self._filter(Spot(module, path), value)

    def read_key(self, module: Module, value: Mapping[str, Any], path: str) -> Predicate:
        """Read `by:`, which names one row in one of several ways."""
        if len(value) != 1:
            raise BadRequest(f"{path}: name the row in exactly one way.")
        name, given = next(iter(value.items()))
        key = next((key for key in module.row_keys if key.api_name == name), None)
        named = module.field_named(key.field) if key is not None and key.field is not None else None
        self.gate.name(module, named or name, Use.KEY, f"{path}.{name}")
        if given is None:
            raise BadRequest(f"{path}.{name}: null names no row.")
        if name == "id":
            return _ids((), module, [given])
        column = key.column if key is not None else None
        if column is None and name == "databaseId":
            column = module.key_columns[0]
        if column is None:
            raise BadRequest(f"{path}.{name}: rows of {module.type_name} have no such key.")
        return Compare(Term((), module, column), "eq", given, f"{path}.{name}")

    def search(self, module: Module, fields: Sequence[Field], text: str, path: str) -> Predicate:
        """Every word must be found in one of the fields, in any case of letters."""
        words = words_in(text, path)
        for field in fields:
            self.gate.name(module, field, Use.SEARCH, path)
        terms = [Term((), module, field) for field in fields]
        return All(tuple(Either(tuple(Compare(term, "contains", word, path) for term in terms)) for word in words))

    # --- the members of a filter ---

    def _filter(self, spot: Spot, value: Mapping[str, Any]) -> Predicate:
        if spot.depth > NESTING_LIMIT:
            raise BadRequest(f"{spot.path}: a filter may be nested {NESTING_LIMIT} levels deep.")
        parts = [self._member(spot.under(name), name, given) for name, given in value.items()]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _member(self, spot: Spot, name: str, given: Any) -> Predicate:
        module = spot.module
        if given is None:
            raise BadRequest(f"{spot.path}: null is no condition. Leave it out, or use isNull.")
        self._count(spot)
        combine = _COMBINED.get(name)
        if combine is not None:
            _check_list(given, spot.path)
            return combine(tuple(self._filter(spot.under(index), part) for index, part in enumerate(given)))
        if name == "not":
            return Not(self._filter(spot, given))
        if name in ("id", "databaseId"):
            self.gate.name(module, name, Use.FILTER, spot.path)
            if name == "id":
                return self._operators(spot, given, lambda operator, value, at: _id(spot, operator, value, at))
            return self._compare(spot, key_terms(module, spot.hops)[0], given)
        item = module.members.get(name)
        if item is None:
            raise BadRequest(f"{spot.path}: {module.type_name} has no such field.")
        if isinstance(item, Relation):
            self.gate.relation(module, item, Use.FILTER, spot.path)
            return self._relation(spot, item, given)
        self.gate.name(module, item, Use.FILTER, spot.path)
        if isinstance(item, Field) and item.to and name != item.raw_name:
            return self._reference(spot, item, given)
        return self._compare(spot, Term(spot.hops, module, item), given)

    def _reference(self, spot: Spot, field: Field, given: Mapping[str, Any]) -> Predicate:
        """Ask that the referenced row is there, and that the filter holds for it."""
        target = self.snapshot.modules[field.to or ""]
        self.gate.rows(target, spot.path)
        self.gate.link(spot.module, field, target, spot.path)
        hops = (*spot.hops, ToOne(spot.module, field, target))
        return All((Exists(hops), self._filter(replace(spot, module=target, hops=hops), given)))

    def _relation(self, spot: Spot, relation: Relation, given: Mapping[str, Any]) -> Predicate:
        target = self.snapshot.modules[relation.to]
        self.gate.rows(target, spot.path)
        self.gate.link(spot.module, relation, target, spot.path)
        binding = ToMany(spot.module, relation, target)
        parts = []
        for quantifier in _QUANTIFIERS:
            if quantifier in given:
                at = replace(spot.under(quantifier), module=target, hops=())
                if given[quantifier] is None:
                    raise BadRequest(f"{at.path}: null is no condition. Leave it out.")
                parts.append(Related(spot.hops, binding, quantifier, self._filter(at, given[quantifier])))
        return All(tuple(parts))

    # --- operators ---

    def _compare(self, spot: Spot, term: Term, given: Mapping[str, Any]) -> Predicate:
        return self._operators(spot, given, lambda operator, value, at: Compare(term, operator, value, at))

    def _operators(self, spot: Spot, given: Mapping[str, Any], make: Callable[[str, Any, str], Predicate]) -> Predicate:
        parts = []
        for operator, value in given.items():
            at = spot.under(operator)
            self._count(at)
            if value is None:
                raise BadRequest(f"{at.path}: null is no value to compare with. Use isNull.")
            if isinstance(value, list):
                _check_list(value, at.path)
            elif operator in PATTERNS and len(value) > PATTERN_LIMIT_CHARS:
                raise BadRequest(f"{at.path}: at most {PATTERN_LIMIT_CHARS} characters; these are {len(value)}.")
            parts.append(make(operator, value, at.path))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _count(self, spot: Spot) -> None:
        self.conditions += 1
        if self.conditions > CONDITIONS_LIMIT:
            raise BadRequest(f"{spot.path}: the filters of an operation may have {CONDITIONS_LIMIT} conditions.")


def words_in(text: str, path: str) -> list[str]:
    """Return what stands between the spaces of a search, within the limits."""
    if len(text) > SEARCH_LIMIT_CHARS:
        raise BadRequest(f"{path}: a search may have {SEARCH_LIMIT_CHARS} characters; this one has {len(text)}.")
    words = list(dict.fromkeys(text.split()))
    if len(words) > SEARCH_LIMIT_WORDS:
        raise BadRequest(f"{path}: a search may have {SEARCH_LIMIT_WORDS} words; this one has {len(words)}.")
    return words


def _id(spot: Spot, operator: str, value: Any, path: str) -> Predicate:
    if operator == "isNull":
        return Either() if value else All()
    found = _ids(spot.hops, spot.module, value if isinstance(value, list) else [value])
    if operator in ("eq", "in"):
        return found
    if operator in ("ne", "notIn"):
        return Not(found)
    raise BadRequest(f"{path}: an id has no such operator.")


def _ids(hops: tuple[ToOne, ...], module: Module, texts: Sequence[str]) -> Predicate:
    """Ids of other types, and what is no id, name no row here."""
    found = [read_id(text, {module.type_name: module}) for text in texts]
    return KeyIn(hops, module, tuple(dict.fromkeys(item.key for item in found if item)))


def _check_list(given: Sequence[Any], path: str) -> None:
    if len(given) > LIST_LIMIT:
        raise BadRequest(f"{path}: a list may have {LIST_LIMIT} items; this one has {len(given)}.")


_COMBINED: Mapping[str, Callable[[tuple[Predicate, ...]], Predicate]] = {"and": All, "or": Either}
