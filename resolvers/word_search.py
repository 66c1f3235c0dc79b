"""`search:` of modules with full text: by the index where it is complete, else in the texts themselves.

Rows are found by texts of their own and by those of rows below them, as far as the caller may read them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from identity.access import Right
from resolvers.context import Context
from resolvers.filters import FilterReader, words_in
from resolvers.gate import Use
from resolvers.guard import guard_of
from resolvers.predicate import All, Compare, Either, Predicate, Related, TextPlace, Worded
from resolvers.terms import Term
from resolvers.text_sources import TextSource, is_text, path_of, sources_of
from schema.bindings import ToMany, ToOne
from schema.spec import Field, Module
from storage.words import split

Step = ToOne | ToMany
Readable = Callable[[Module], Sequence[Field]]  # the fields of a module that the caller may read


def search(
    context: Context, reader: FilterReader, readable: Readable, module: Module, text: str, *, path: str
) -> Predicate:
    """Read search words for a module's rows."""
    if not module.search.full_text and not module.search.below:
        return reader.search(module, [item for item in readable(module) if is_text(item)], text, path)
    return WordSearch(context, reader, readable, path).read(module, text)


class WordSearch:
    """One search for words."""

    def __init__(self, context: Context, reader: FilterReader, readable: Readable, path: str) -> None:
        self._context = context
        self._reader = reader
        self._readable = readable
        self._path = path

    def read(self, module: Module, text: str) -> Predicate:
        """Return the condition that all of the words are in one of the texts."""
        given = words_in(text, self._path)
        words = tuple(dict.fromkeys(word for part in given for word in split(part)))
        if not given:
            return All()
        if not words:
            return Either()
        places: list[TextPlace] = []
        parts: list[Predicate] = []
        for steps in self._ways(module):
            target = steps[-1].target if steps else module
            fields = [item for item in self._readable(target) if is_text(item)]
            for item in fields:
                self._reader.gate.name(target, item, Use.SEARCH, self._path)
            found = self._places(steps, target, fields)
            if found is None:
                parts.append(self._scan(steps, target, fields, words))
            else:
                places += found
        if places:
            parts.append(Worded(module, words, tuple(places)))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _ways(self, module: Module) -> list[tuple[Step, ...]]:
        """Return the ways to texts which the caller may go."""
        found: list[tuple[Step, ...]] = [()]
        for path in module.search.below:
            steps = path_of(module, path, self._context.snapshot.modules)
            if steps and all(map(self._may_go, steps)):
                found.append(steps)
        for step in (step for steps in found for step in steps):
            member = step.field if isinstance(step, ToOne) else step.relation
            self._reader.gate.rows(step.target, self._path)
            self._reader.gate.name(step.module, member, Use.SEARCH, self._path)
            self._reader.gate.link(step.module, member, step.target, self._path)
        return found

    def _may_go(self, step: Step) -> bool:
        access, schema = self._context.access, self._context.schema
        member = step.field if isinstance(step, ToOne) else step.relation
        return (
            schema.get_type(step.target.type_name) is not None
            and access.may(step.target, Right.VIEW)
            and step.module.access.shows(member, self._context.audience)
            and access.sees(step.module, member)
            and access.follows(step.module, member, step.target)
        )

    def _places(self, steps: tuple[Step, ...], module: Module, fields: Sequence[Field]) -> list[TextPlace] | None:
        """Return where the index has these texts; None where it has not all of them yet."""
        names = {item.name for item in fields}
        sources = [source for source in sources_of(module) if names.issuperset(item.name for item in source.fields)]
        if {item.name for source in sources for item in source.fields} != names or not self._is_open(module):
            return None
        slots = [self._context.texts.ready.get(source.form) for source in sources]
        known = tuple(slot for slot in slots if slot is not None)
        if len(known) < len(slots):
            return None
        return [TextPlace(steps, module, _owner(sources), known)] if known else []

    def _is_open(self, module: Module) -> bool:
        """Answer whether rows whose texts are one in the index are visible together."""
        of = module.field_named(module.search.of) if module.search.of else None
        if of is None:
            return True
        guard = guard_of(self._context.rights, self._context.snapshot)
        rule = guard.rule(module, Right.VIEW, led=of.api_name)
        return isinstance(rule, All) and not rule.parts

    def _scan(
        self, steps: tuple[Step, ...], module: Module, fields: Sequence[Field], words: Sequence[str]
    ) -> Predicate:
        """Look for the words in the texts themselves: rows whose texts are not in the index are found all the same."""
        hops: list[ToOne] = []
        for place, step in enumerate(steps):
            if isinstance(step, ToMany):
                part = self._scan(steps[place + 1 :], module, fields, words)
                return Related(tuple(hops), step, "some", part)
            hops.append(step)
        terms = [Term(tuple(hops), module, item) for item in fields]
        return All(
            tuple(Either(tuple(Compare(term, "contains", word, self._path) for term in terms)) for word in words)
        )


def _owner(sources: Sequence[TextSource]) -> str:
    return sources[0].owner.name if sources else ""
