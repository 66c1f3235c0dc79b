"""Writing rows inside one transaction: references found, uniqueness kept, audit columns filled, history noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from identity.access import Right
from resolvers import ledger, outbox
from resolvers.assignments import Given
from resolvers.at_once import AtOnce
from resolvers.claims import take_files
from resolvers.conduct import ChangeKind, Conduct, RowChange, Work
from resolvers.dynamic_values import DynamicValues
from resolvers.faults import Fault, FaultCode, Faulty
from resolvers.hearing import NEW_ROW, NO_FIELDS, Hearable
from resolvers.hooks import BEFORE_CREATE, BEFORE_DELETE, BEFORE_UPDATE, has_hook
from resolvers.ids import key_of
from resolvers.images import Image, Key
from resolvers.ledger import differs, differs_as_json, kept_names
from resolvers.lookups import resolve
from resolvers.rows import RowStore, by_columns
from resolvers.statements import Statements
from resolvers.stored import Binding, Columns
from resolvers.taken import known_keys, mark_taken
from schema.kinds import VALIDITY
from schema.spec import VALIDITY_COLUMN, Field, Home, Module
from schema.writes import soft_deletes
from storage.locks import hold

# What becomes of one row: how it changed, None where it did not, or why it could not.
Result = RowChange | None | list[Fault]


def _permit(images: Sequence[Image], *rights: Right) -> None:
    """Refuse rows that the caller may see and not write; whoever writes them must have asked for the right to it."""
    for image in images:
        if image.right not in rights:
            raise LookupError(f"A row that was read for {image.right} is about to be written for {rights[0]}.")
        if not image.allowed:
            raise Faulty(Fault(FaultCode.FORBIDDEN, "forbidden"))


class Writer:
    """Writes rows of one transaction. `finish` notes them all in the ledger and must come last.

    `at_once` is the one row, where it is written by one statement.
    """

    def __init__(self, work: Work, conducts: Mapping[str, Conduct], statements: Statements) -> None:
        database = work.context.database
        self.work = work
        self.statements = statements
        self.speech = statements.speech()
        self.binding = Binding(database.dialect.name, database.zone)
        self._conducts = conducts
        self._store = RowStore(work.transaction, self.speech)
        self.at_once = AtOnce(statements) if work.transaction.at_once else None
        self._dynamic = DynamicValues(work.transaction, database.zone)
        self.undoes: int | None = None  # the change that all this takes back
        self._changes: list[RowChange] = []

    def conduct(self, module: Module) -> Conduct | None:
        """Return who has a say in the module's rows."""
        return self._conducts.get(module.table)

    async def finish(self) -> None:
        """Note what was written, and what lambdas are to be told of it."""
        if self._changes and self.at_once is not None:
            await self.at_once.finish(self.work, self._changes, self.undoes)
        elif self._changes:
            await outbox.note(self.work, self._changes, self.statements)
            await ledger.note(self.work, self._changes, self.undoes)

    def mark(self) -> int:
        """Return how far one has come, for `forget`."""
        return len(self._changes)

    def forget(self, mark: int) -> None:
        """Forget what came after a mark, because a savepoint took it back."""
        del self._changes[mark:]

    async def foresee(self, module: Module, rows: Sequence[tuple[Given, Key | None]]) -> None:
        """Tell what is wrong with rows, each with its key if it is there, before the database refuses all of them."""
        await self._resolve([given for given, _ in rows])
        keys = known_keys(self.statements, module)
        await mark_taken(self.work.transaction.execute, self.speech, module, keys, rows)

    def add(self, *changes: RowChange) -> None:
        """Take changes that are written already, to note them with the others."""
        for change in changes:
            self._changes += [change, *change.along]

    async def create(self, module: Module, rows: Sequence[Given], *, whole: bool = False) -> list[Result]:
        """Make new rows; those with faults are left out, and their faults returned in their place.

        With `whole` nothing is written where one has faults, and all are looked at for what the database would refuse.
        """
        await self._resolve(rows)
        self.work.hear(BEFORE_CREATE, [Hearable(module, NEW_ROW, NO_FIELDS, given) for given in rows])
        await self._keep_unique(module, [(given, None) for given in rows])
        if whole and any(given.faults for given in rows):
            backed = [key for key in known_keys(self.statements, module) if key.is_backed]
            await mark_taken(
                self.work.transaction.execute, self.speech, module, backed, [(given, None) for given in rows]
            )
            return [list(given.faults) or None for given in rows]
        results: list[Result] = [list(given.faults) or None for given in rows]
        fit = [(number, given) for number, given in enumerate(rows) if not given.faults]
        changes: dict[int, tuple[RowChange, Columns]] = {}
        for number, given in fit:
            try:
                changes[number] = await self._prepared(module, given)
            except Faulty as faulty:
                results[number] = [item.under(*given.path) for item in faulty.faults]
        for group in by_columns([(number, change.values) for number, (change, _) in changes.items()]):
            keys = await self._insert(module, [values for _, values in group])
            for (number, _), key in zip(group, keys, strict=True):
                changes[number][0].key = key
                self.work.made.add((module.table, key))
        await self._insert_beside(module, [changes[number] for number in sorted(changes)])
        if module.has_dynamic:
            await self._dynamic.put(
                module, [(self._named(module, change), columns.dynamic) for change, columns in changes.values()]
            )
        for number in sorted(changes):
            change, _ = changes[number]
            try:
                await self._written(change)
            except Faulty as faulty:  # the row is there already: all of it must go
                raise Faulty(*(item.under(*rows[number].path) for item in faulty.faults)) from None
            results[number] = change
        await self._check(
            module, [(change.key, rows[number].path) for number, (change, _) in changes.items()], Right.CREATE
        )
        return results

    async def update(self, module: Module, image: Image, given: Given) -> RowChange | None:
        """Change a row that was read and locked before. Raises `Faulty`; returns None where nothing differs."""
        _permit([image], Right.UPDATE, Right.DELETE)
        await self._resolve([given])
        self._hear(module, BEFORE_UPDATE, [(image, given)])
        await self._keep_unique(module, [(given, image.key)])
        if given.faults:
            raise Faulty(*given.faults)
        differing = {
            name: value for name, value in given.values.items() if self._differs(module, image.fields, name, value)
        }
        if not differing and not given.extras:
            return None
        columns = self.binding.columns(module, differing)
        return await self._change(module, image, columns, differing, extras=given.extras, path=given.path)

    async def update_all(self, module: Module, images: Sequence[Image], given: Given) -> None:
        """Give many rows, read and locked before, the same values. Raises `Faulty`."""
        _permit(images, Right.UPDATE, Right.DELETE)
        await self._resolve([given])
        if self.conduct(module) is not None or len(images) == 1 or has_hook(module, BEFORE_UPDATE):
            rows = [(image, given.copy()) for image in images]
            self._hear(module, BEFORE_UPDATE, rows)
            for image, own in rows:
                await self.update(module, image, own)
            return
        await self._keep_unique(module, [(given, image.key) for image in images])
        if given.faults:
            raise Faulty(*given.faults)
        columns = self.binding.columns(module, given.values)
        changes = [
            change
            for image in images
            if (change := self._changed(module, image, columns.own, given.values)) is not None
        ]
        if changes and columns.own:
            await self._store.update_all(module, [change.key for change in changes], changes[0].values)
        by_key = {image.key: image for image in images}
        await self._store.put_beside(module, [change.key for change in changes], columns.beside)
        if columns.dynamic:
            named = [self._named(module, change, by_key[change.key]) for change in changes]
            await self._dynamic.put(module, [(row, columns.dynamic) for row in named])
        for change in changes:
            await self._written(change)
        right = images[0].right if images else Right.UPDATE
        await self._check(module, [(change.key, given.path) for change in changes], right)

    def _changed(
        self, module: Module, image: Image, own: Mapping[str, Any], values: Mapping[str, Any]
    ) -> RowChange | None:
        """Return the change of one row among many, or None where nothing of it differs."""
        fields = {
            name: (image.fields.get(name), value)
            for name, value in values.items()
            if self._differs(module, image.fields, name, value) and self._is_kept(module, name, 0)
        }
        hidden = any(self._differs(module, image.fields, name, value) for name, value in values.items())
        if not hidden:
            return None
        change = RowChange(module, ChangeKind.UPDATED, image.key, image.columns, dict(own), fields, was=image.fields)
        self._audit(module, change, ("change_time", "change_by"))
        return change

    async def set_validity(self, module: Module, image: Image, validity: str) -> RowChange | None:
        """Set a row valid or invalid, as a change of it. Raises `Faulty`; returns None where it is so already."""
        _permit([image], Right.UPDATE, Right.DELETE)
        number = VALIDITY[validity]
        shown = _validity_field(module)
        given = Given((), {} if shown is None else {shown.name: number})
        if shown is not None and image.fields.get(shown.name) == number:
            return None
        self._hear(module, BEFORE_UPDATE, [(image, given)])
        if given.faults:
            raise Faulty(*given.faults)
        return await self._set_validity(module, image, number, given.values)

    async def delete(self, module: Module, images: Sequence[Image]) -> None:
        """Remove rows, softly where the module says so. Raises `Faulty`."""
        _permit(images, Right.DELETE)
        heard = [(image, Given(())) for image in images]
        self._hear(module, BEFORE_DELETE, heard)
        faults = [fault for _, given in heard for fault in given.faults]
        if faults:
            raise Faulty(*faults)
        if soft_deletes(module):
            mark = self.mark()
            await self._set_all_invalid(module, images)
            for change in self._changes[mark:]:
                change.removes = change.module is module
            return
        conduct = self.conduct(module)
        changes = [
            RowChange(
                module,
                ChangeKind.DELETED,
                image.key,
                image.columns,
                fields={
                    name: (value, None) for name, value in image.fields.items() if self._is_kept(module, name, value)
                },
                was=image.fields,
            )
            for image in images
        ]
        for change in changes:
            if conduct is not None:
                await conduct.prepare(self.work, change)
        if module.has_dynamic:
            named = [self._named(module, change, image) for change, image in zip(changes, images, strict=True)]
            await self._dynamic.remove(module, named)
        if self.at_once is None:
            await self._store.delete(module, [change.key for change in changes])
        else:
            self.at_once.delete(module, images[0])
        for change in changes:
            await self._written(change)

    # --- inside ---

    async def _check(self, module: Module, rows: Sequence[tuple[Key, tuple[str, ...]]], right: Right) -> None:
        """Refuse rows that are not, now that they are written, what the caller may make of them; each has its input's path."""
        statement = self.statements.written(module, [key for key, _ in rows], right) if rows else None
        if statement is None:
            return
        found = {key_of(module, row) for row in await self.work.transaction.execute(statement)}
        faults = [Fault(FaultCode.FORBIDDEN, "forbidden-value", path or None) for key, path in rows if key not in found]
        if faults:
            raise Faulty(*faults)

    def _hear(self, module: Module, on: str, rows: Sequence[tuple[Image, Given]]) -> None:
        """Let the hooks have their say about rows that are there; see `Hearing.hear`."""
        self.work.hear(on, [Hearable(module, image.key, image.fields, given) for image, given in rows])

    async def _set_validity(
        self, module: Module, image: Image, number: int, values: Mapping[str, Any]
    ) -> RowChange | None:
        shown = _validity_field(module)
        fields = {**values, **({} if shown is None else {shown.name: number})}
        columns = self.binding.columns(module, values)
        columns.own[VALIDITY_COLUMN] = number
        return await self._change(module, image, columns, fields, extras={})

    async def _set_all_invalid(self, module: Module, images: Sequence[Image]) -> None:
        """Set rows invalid; the hooks were asked about removing them."""
        shown, number = _validity_field(module), VALIDITY["INVALID"]
        if shown is not None and self.conduct(module) is None:
            await self.update_all(module, images, Given((), {shown.name: number}, heard=True))
            return
        for image in images:
            if shown is None or image.fields.get(shown.name) != number:
                await self._set_validity(module, image, number, {})

    async def _resolve(self, rows: Sequence[Given]) -> None:
        """Find the rows that references name."""
        await resolve(self.work.transaction.execute, self.statements, rows)

    async def _keep_unique(self, module: Module, rows: Sequence[tuple[Given, Key | None]]) -> None:
        """Keep apart what the database does not."""
        keys = [key for key in known_keys(self.statements, module) if not key.is_backed]
        keys = [key for key in keys if any(key.given(given) is not None for given, _ in rows)]
        if keys:
            await hold(self.work.transaction, f"unique {module.table}")
            await mark_taken(self._newest, self.speech, module, keys, rows)

    async def _newest(self, statement: Any) -> list[tuple[Any, ...]]:
        """Read what others have committed until now; MariaDB reads as of the transaction's first read, unless it locks."""
        if self.speech.dialect.name == "mysql" and isinstance(statement, sa.Select):
            statement = statement.with_for_update(read=True)
        return await self.work.transaction.execute(statement)

    async def _prepared(self, module: Module, given: Given) -> tuple[RowChange, Columns]:
        """Make the change of a new row, with what the module, OTRS and the conduct add to it."""
        columns = self.binding.columns(module, given.values)
        change = RowChange(
            module,
            ChangeKind.CREATED,
            values=columns.own,
            fields={name: (None, value) for name, value in given.values.items() if self._is_kept(module, name, value)},
            extras=given.extras,
        )
        if given.key is not None:
            change.values[module.key_columns[0]] = given.key
        self._audit(module, change, ("create_time", "create_by", "change_time", "change_by"))
        if VALIDITY_COLUMN in module.columns:
            change.values.setdefault(VALIDITY_COLUMN, VALIDITY["VALID"])
        await self._prepare(change)
        return change, columns

    async def _change(
        self,
        module: Module,
        image: Image,
        columns: Columns,
        values: Mapping[str, Any],
        *,
        extras: Mapping[str, Any],
        path: tuple[str, ...] = (),
    ) -> RowChange:
        change = RowChange(
            module,
            ChangeKind.UPDATED,
            image.key,
            image.columns,
            columns.own,
            {name: (image.fields.get(name), value) for name, value in values.items() if self._is_kept(module, name, 0)},
            extras,
            was=image.fields,
        )
        self._audit(module, change, ("change_time", "change_by"))
        try:
            await self._prepare(change)
            if self.at_once is None:
                await self._store.update(module, image.key, change.values)
            else:
                self.at_once.update(module, image, change.values)
            await self._store.put_beside(module, [image.key], columns.beside)
            if module.has_dynamic:
                named = self._named(module, change, image)
                before = self._named(module, RowChange(module, change.kind, image.key, image.columns), image)
                await self._dynamic.rename(module, before, named)
                await self._dynamic.put(module, [(named, columns.dynamic)])
            await self._written(change)
        except Faulty as faulty:
            raise Faulty(*(item.under(*path) for item in faulty.faults)) from None
        await self._check(module, [(change.key, path)], image.right)
        return change

    async def _prepare(self, change: RowChange) -> None:
        """Let the conduct complete a change, and tell the fields whose columns it touched."""
        conduct = self.conduct(change.module)
        if conduct is None:
            return
        given = dict(change.values)
        await conduct.prepare(self.work, change)
        touched = {name for name, value in change.values.items() if name not in given or given[name] != value}
        fields = dict(change.fields)
        for item in change.module.fields:
            if item.home is Home.TABLE and item.column in touched and item.is_readable:
                before = fields[item.name][0] if item.name in fields else self._before(change, item)
                after = self.binding.read(change.module, item, change.values[item.column])
                if differs(before, after):
                    fields[item.name] = (before, after)
                else:
                    fields.pop(item.name, None)
        change.fields = fields

    def _before(self, change: RowChange, item: Field) -> Any:
        return self.binding.read(change.module, item, change.before.get(item.column))

    async def _written(self, change: RowChange) -> None:
        await take_files(self.work, change, anybodys=self.undoes is not None)
        conduct = self.conduct(change.module)
        if conduct is not None:
            await conduct.written(self.work, change)
        self.add(change)

    async def _insert(self, module: Module, rows: Sequence[Mapping[str, Any]]) -> list[Key]:
        if self.at_once is None:
            return await self._store.insert(module, rows)
        return [self.at_once.insert(module, values) for values in rows]

    async def _insert_beside(self, module: Module, changes: Sequence[tuple[RowChange, Columns]]) -> None:
        rows = [
            (number, {**dict(zip(module.key_columns, change.key, strict=True)), **columns.beside})
            for number, (change, columns) in enumerate(changes)
            if any(value is not None for value in columns.beside.values())
        ]
        for group in by_columns(rows):
            await self._store.insert_beside(module, [values for _, values in group])

    def _audit(self, module: Module, change: RowChange, names: Sequence[str]) -> None:
        """Say who did it and when, where the table asks; a column that is part of the key may be given."""
        for name in names:
            if name in module.columns and not (name in module.key_columns and name in change.values):
                is_time = name.endswith("_time")
                change.values[name] = self.binding.moment(self.work.now) if is_time else self.work.actor_id

    def _named(self, module: Module, change: RowChange, image: Image | None = None) -> dict[str, Any]:
        """Return the columns that a row's dynamic fields hang on."""
        named = {item.column: image.fields.get(item.name) for item in module.fields} if image else {}
        return {**named, **change.before, **change.values, **dict(zip(module.key_columns, change.key, strict=True))}

    def _differs(self, module: Module, before: Mapping[str, Any], name: str, value: Any) -> bool:
        item = module.field_named(name)
        if item is None or not item.is_readable:
            return item is not None
        compare = differs_as_json if item.traits.scalar == "JSON" else differs
        if item.home is Home.DYNAMIC and item.kind == "multiselect":  # no rows are no values, however they are given
            return compare(before.get(name) or None, value or None)
        return compare(before.get(name), value)

    def _is_kept(self, module: Module, name: str, value: Any) -> bool:
        """Answer whether a value goes into the history."""
        return value is not None and name in kept_names(module)


def _validity_field(module: Module) -> Field | None:
    return next((item for item in module.fields if item.column == VALIDITY_COLUMN), None)
