"""What a page may show of a module to one caller: members, columns, sections, deeds. From the spec; no data is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema

from identity.access import Access, Right
from schema.outline import Outline, orders, outline_of, sorts, visible
from schema.snapshot import Snapshot
from schema.spec import AUDIT_COLUMNS, Action, Audience, Caption, Computed, Field, Module, Operation, Relation
from schema.writes import Deed, soft_deletes, writes_of

_LINES = frozenset({"string", "email"})
MOST_COLUMNS = 40  # of a list: one operation asks for them
COLUMN_COUNT = 6  # of a list whose file names none
NUMBER = Caption("Number", {"en": "Number", "de": "Nummer"})
# The right that a deed needs; what the operations of the file and the schema leave is asked for this one.
_RIGHTS: Mapping[Deed, tuple[Right, ...]] = {
    Deed.CREATE: (Right.CREATE,),
    Deed.UPDATE: (Right.UPDATE,),
    Deed.DELETE: (Right.DELETE,),
    Deed.RESTORE: (Right.DELETE,),
    Deed.CREATE_MANY: (Right.CREATE,),
    Deed.UPDATE_MANY: (Right.UPDATE,),
    Deed.DELETE_MANY: (Right.DELETE,),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One value of a row as pages show it. A reference has its `target`, and `shown`: the key that names its row."""

    name: str
    label: Caption
    kind: str
    item: Field | Computed | None = None  # None: `databaseId`
    target: Module | None = None
    shown: str = ""
    called: str = ""  # what people read, where the key says nothing
    links: bool = False  # to the page of its target

    @property
    def field(self) -> Field | None:
        """The field, if it is one."""
        return self.item if isinstance(self.item, Field) else None

    @property
    def path(self) -> str:
        """Its path in lists, exports and saved views."""
        return f"{self.name}.{self.shown}" if self.target else self.name

    @property
    def sorts(self) -> bool:
        """Whether a list can be ordered by it."""
        if isinstance(self.item, Computed):
            return orders(self.item)
        if self.target is not None and self.shown == "id":
            return False  # its rows have no key that could be compared
        return self.item is None or sorts(self.item)

    @property
    def filters(self) -> bool:
        """Whether a list can be filtered by it."""
        if isinstance(self.item, Computed):
            return self.item.expression is not None
        return self.item is None or self.item.filterable


@dataclass(frozen=True)
class View:
    """A module as one caller sees it."""

    module: Module
    audience: Audience
    access: Access
    modules: Mapping[str, Module]  # that this audience's schema has

    @cached_property
    def outline(self) -> Outline:
        """What the audience's schema says of it."""
        return outline_of(self.module, self.audience)

    @cached_property
    def members(self) -> Mapping[str, Member]:
        """Every value of a row that can be shown, by its name in the API; the key first."""
        found: dict[str, Member] = {}
        if self.module.has_database_id:
            found["databaseId"] = Member("databaseId", NUMBER, "int")
        for item in self.outline.fields:
            member = self._of_field(item)
            if member is not None:
                found[member.name] = member
        for computed in self.outline.computed:
            if self.access.sees(self.module, computed) and not any(arg.required for arg in computed.args):
                found[computed.api_name] = Member(computed.api_name, computed.label, computed.kind, computed)
        return found

    def _of_field(self, item: Field) -> Member | None:
        if not self.access.sees(self.module, item):
            return None
        if item.to is None:
            return Member(item.api_name, item.label, item.kind, item)
        target = self.reachable(item, item.to)
        if target is not None:
            key = shown_key(target)
            return Member(
                item.api_name, item.label, item.kind, item, target, key, self._called(target, key), target.has_id
            )
        return Member(item.raw_name, item.label, "string", item) if item.raw_name else None

    def _called(self, module: Module, key: str) -> str:
        """Name the field that people know rows by: the key, if that is a text, else the first line of text that there is."""
        is_text = any(item.api_name == key and item.scalar == "String" for item in module.row_keys)
        fields = outline_of(module, self.audience).fields
        lines = (item for item in fields if item.kind in _LINES and self.access.sees(module, item))
        found = None if is_text else next(lines, None)
        return found.api_name if found is not None else key

    def reachable(self, item: Field | Relation, name: str) -> Module | None:
        """Return the module that a reference or relation leads to, if the caller may go there."""
        target = self.modules.get(name)
        if target is None or not self.access.may(target, Right.VIEW):
            return None
        return target if self.access.follows(self.module, item, target) else None

    @cached_property
    def relations(self) -> Mapping[str, tuple[Relation, Module]]:
        """The relations that may be followed, by their names in the API."""
        return {
            item.api_name: (item, target)
            for item in self.outline.relations
            if self.access.sees(self.module, item) and (target := self.reachable(item, item.to)) is not None
        }

    @cached_property
    def columns(self) -> tuple[Member, ...]:
        """The columns of its list where nobody has chosen others."""
        named = self.module.ui.get("list_columns")
        if named is None:
            items: tuple[Field | Computed, ...] = (*self.module.fields, *self.module.computed)
            named = [item.name for item in items if item.show_in_list]
        found = _placed(self._named(named))[:MOST_COLUMNS]
        own = [member for member in self.members.values() if member.item is not None and not is_stamp(member)]
        return found or tuple(own or self.members.values())[:COLUMN_COUNT]

    def _named(self, names: Iterable[str]) -> tuple[Member, ...]:
        """Return the members with these names in the file."""
        by_file = {item.name: member for member in self.members.values() if (item := member.item) is not None}
        key = self.members.get("databaseId")
        if key is not None:
            own = next((item.name for item in self.module.fields if item.column == self.module.key_columns[0]), "id")
            by_file.setdefault(own, key)
        return tuple(by_file[name] for name in names if name in by_file)

    @cached_property
    def sections(self) -> tuple[tuple[Caption | None, tuple[str, ...]], ...]:
        """The sections of its form and detail page: a heading, and fields by their names in the file."""
        said = [(part.get("title"), tuple(part.get("fields", ()))) for part in self.module.ui.get("form_sections", ())]
        placed = {name for _, names in said for name in names}
        rest = tuple(
            item.name
            for item in self.module.fields
            if item.name not in placed and item.show_in_form and item.column not in AUDIT_COLUMNS
        )
        return (*said, (None, rest)) if rest else tuple(said)

    def may(self, deed: Deed) -> bool:
        """Answer whether a page may offer a deed; whether it may be done to a row is the API's to decide."""
        return deed in writes_of(self.module, self.audience).deeds and all(
            self.access.may(self.module, right) for right in _RIGHTS.get(deed, (Right.CREATE, Right.UPDATE))
        )

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The actions of the file that the caller may ask for; about a row the API decides."""
        found = writes_of(self.module, self.audience).actions
        return found if self.access.may(self.module, Right.UPDATE) else ()

    @cached_property
    def soft_deletes(self) -> bool:
        """Whether deleting sets rows invalid, and restoring brings them back."""
        return soft_deletes(self.module)

    @cached_property
    def imports(self) -> bool:
        """Whether the caller may import rows."""
        allowed = self.audience is Audience.AGENT and self.module.features.get("import_csv") is not False
        return allowed and self.may(Deed.CREATE)

    @cached_property
    def exports(self) -> bool:
        """Whether rows may be exported."""
        return self.module.features.get("export_csv") is not False

    @cached_property
    def title(self) -> Member | None:
        """The member that a row is called by."""
        name = self._called(self.module, shown_key(self.module))
        return self.members.get(name) or next(iter(self.members.values()), None)

    def takes(self, schema: GraphQLSchema) -> frozenset[str]:
        """Return the names of what the list's root field takes."""
        query = schema.query_type
        if not isinstance(query, GraphQLObjectType):
            return frozenset()
        return frozenset(query.fields[self.module.many_root].args)


def _placed(members: Sequence[Member]) -> tuple[Member, ...]:
    """Put the members that name their place (`list_position`, from 1) there; the others keep their order around them."""
    said = {item.name: int(place) for item in members if (place := settings_of(item).get("list_position")) is not None}
    found = [member for member in members if member.name not in said]
    for member in sorted((item for item in members if item.name in said), key=lambda item: said[item.name]):
        found.insert(max(0, said[member.name] - 1), member)
    return tuple(found)


def settings_of(member: Member) -> Mapping[str, Any]:
    """Return what the file says of a member for lists and forms alone."""
    return member.item.settings if member.item is not None else {}


def shown_key(module: Module) -> str:
    """Name the field that a row is called by: its first unique text, else the first key that can be read, else its id."""
    keys = module.row_keys
    found = next(
        (key for key in keys if key.field and key.scalar == "String" and _is_readable(module, key.field)), None
    )
    found = found or next((key for key in keys if key.field is None or _is_readable(module, key.field)), None)
    return found.api_name if found is not None else "id"


def _is_readable(module: Module, name: str) -> bool:
    item = module.field_named(name)
    return item is not None and item.is_readable and not item.hidden


def is_stamp(member: Member) -> bool:
    """Answer whether a member says who wrote a row and when."""
    return member.field is not None and member.field.column in AUDIT_COLUMNS


def view_of(snapshot: Snapshot, access: Access, name: str) -> View | None:
    """Return a module as a caller sees it; None where there is none for him. Kept with the snapshot."""
    key = ("page view", access.rights.shape, name)
    found: View | None = snapshot.memo.get(key)
    if found is not None:
        return found
    modules = modules_of(snapshot, access.audience)
    module = modules.get(name)
    if module is None or Operation.VIEW not in module.operations or not access.may(module, Right.VIEW):
        return None
    made: View = snapshot.memo.setdefault(key, View(module, access.audience, access, modules))
    return made


def modules_of(snapshot: Snapshot, audience: Audience) -> Mapping[str, Module]:
    """Return the modules that an audience's schema has."""
    found: Mapping[str, Module] | None = snapshot.memo.get(("page modules", audience))
    if found is None:
        found = snapshot.memo["page modules", audience] = visible(snapshot.modules, audience)
    return found
