"""The access compiler: which rule of a module decides what a caller may do, with which fields and with which rows.

Every path on which a caller names a module, a field or a row asks here: by `resolvers.gate` for what is named, by
`resolvers.guard` for the rows of every table that a statement touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from identity.principals import Scope, Token, audience_of, person_of
from identity.rights import KEYS, Grant, Rights
from schema.spec import (
    ADMINISTRATORS,
    Audience,
    AudienceAccess,
    Computed,
    Field,
    Home,
    Module,
    Operation,
    Relation,
    Rule,
)

# What a rule reads of who is calling, in the order in which `Rights.own` may replace it; the companies come after.
OWN = ("id", "login", "email", "customerId")
_ME = "$me."
_GROUPS = "$me.groups."
_NOW = "$now"
_NOTHING: Mapping[str, Any] = {"in": []}
_NO_RULES: Mapping[str, Rule] = {}


class Right(StrEnum):
    """What a module's rules are about; the operations of the same names need these."""

    VIEW = "view"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Reason:
    """A decision and what it comes from: the rule as it is written, and the grants of the caller that satisfy it."""

    allowed: bool
    rule: str
    grants: tuple[Grant, ...] = ()
    role: str | None = None


class Denied(Exception):
    """A filter of the rules cannot be held against rows, so there are none."""


class Access:
    """The decisions for one caller. They are functions of `rights` and of the module alone; nothing is asked of a database."""

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self.audience: Audience = audience_of(rights.principal)
        self._known: dict[tuple[str, str, str], bool] = {}  # by digest and name of the module, and what

    # --- modules ---

    def may(self, module: Module, right: Right) -> bool:
        """Answer whether the caller may do this with rows of a module at all."""
        return self._once(module, right, lambda: self.reason(module, right).allowed)

    def reason(self, module: Module, right: Right) -> Reason:
        """Decide about a module, and say why."""
        if self.rights.unbounded:
            return Reason(allowed=True, rule="the system may do everything")
        principal = self.rights.principal
        if isinstance(principal, Token) and not principal.scope.allows(module.name, Operation(right)):
            return Reason(allowed=False, rule=f"the token's scope does not have {right} of {module.name}")
        rule: Rule = getattr(self._rules(module), right)
        found = self._holds(rule)
        if found.allowed and right is not Right.VIEW and not self.may(module, Right.VIEW):
            return Reason(allowed=False, rule="who may not view rows may not write them")
        return found

    @property
    def is_reader(self) -> bool:
        """Whether the caller is a token that may not write anything, not even what is kept for him: views, uploads."""
        principal = self.rights.principal
        if not isinstance(principal, Token) or principal.scope.operations is None:
            return False
        return principal.scope.operations <= {Operation.VIEW}

    @property
    def is_administrator(self) -> bool:
        """Whether the caller may change the platform itself; a token only if its scope leaves nothing out."""
        if self.rights.unbounded:
            return True
        principal = self.rights.principal
        if isinstance(principal, Token) and principal.scope != Scope():
            return False
        return self.audience is Audience.AGENT and self._holds(ADMINISTRATORS).allowed

    # --- fields ---

    def sees(self, module: Module, item: Field | Relation | Computed | str) -> bool:
        """Answer whether the caller may use a member of a module's rows, in whatever role; the key is always to be seen."""
        if isinstance(item, str):
            return True
        return self._once(module, f"field {item.name}", lambda: self.reason_of(module, item).allowed)

    def gives(self, module: Module, item: Field) -> bool:
        """Answer whether the caller may give a field a value."""
        return self._once(module, f"write {item.name}", lambda: self.reason_to_give(module, item).allowed)

    def reason_to_give(self, module: Module, item: Field) -> Reason:
        """Decide about giving a field a value, and say why."""
        seen = self.reason_of(module, item)
        rule = module.access.writes.get(item.name, _NO_RULES).get(self.audience)
        return seen if rule is None or not seen.allowed or self.rights.unbounded else self._holds(rule)

    def reason_of(self, module: Module, item: Field | Relation | Computed) -> Reason:
        """Decide about a field, relation or computed field, and say why."""
        if self.rights.unbounded:
            return Reason(allowed=True, rule="the system may do everything")
        rule = module.access.fields.get(item.name, _NO_RULES).get(self.audience)
        if rule is not None:
            return self._holds(rule)
        if not module.access.shows(item, self.audience):
            return Reason(allowed=False, rule="customers see dynamic fields only where a rule names them")
        if isinstance(item, Computed):
            hidden = self._hidden_behind(module, item)
            if hidden is not None:
                return Reason(allowed=False, rule=f"it is computed from {hidden}, and has no rule of its own")
        return Reason(allowed=True, rule="no rule of its own")

    def follows(self, module: Module, item: Field | Relation, target: Module) -> bool:
        """Answer whether the caller may go from rows to those that a reference or relation leads to.

        What links them must be his to see on the other side, too: who is linked to whom tells what is in there.
        """
        return self._once(module, f"link {item.name} {target.digest}", lambda: self._links(module, item, target))

    def _links(self, module: Module, item: Field | Relation, target: Module) -> bool:
        if isinstance(item, Field):
            return item.by_column is None or self._shows(target, item.by_column)
        if not self._shows(module, item.here_column):
            return False
        by = target.field_named(item.by) if item.by and item.through is None else None
        if by is not None:
            return self.sees(target, by)
        return self._shows(target, item.link_column if item.through is None else item.there_column)

    def _shows(self, module: Module, column: str) -> bool:
        """Answer whether a column is the key, or no field of the file, or one that the caller sees."""
        fields = [item for item in module.fields if item.home is Home.TABLE and item.column == column]
        return column in module.key_columns or not fields or any(self.sees(module, item) for item in fields)

    def _hidden_behind(self, module: Module, item: Computed) -> str | None:
        """Name a field that an expression reads and the caller does not see: it would tell what is in there."""
        if item.expression is None:
            return None
        read = set(item.expression.columns)
        return next(
            (field.name for field in module.fields if field.column in read and not self.sees(module, field)), None
        )

    # --- rows ---

    def filters(self, module: Module, right: Right, *, after: bool = False) -> list[Mapping[str, Any]]:
        """Return the filters that rows must meet, in the API's grammar, with values in place of what is known of the caller.

        For writes these are the filters of rows before the write, beside those for viewing them; with `after` all that hold
        for what is written. Raises `Denied` where there can be no such row.
        """
        return [self._filled(item) for item in self._filters(module, right, after=after)]

    def unfilled(self, module: Module, right: Right, *, after: bool) -> list[Mapping[str, Any]]:
        """Return what `filters` returns, as the file writes it."""
        return self._filters(module, right, after=after)

    def filled(self, rows: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put values in place of what is known of the caller. Raises `Denied` where that can hold for no row."""
        return self._filled(rows)

    def is_bounded(self, module: Module, right: Right = Right.VIEW, *, after: bool = False) -> bool:
        """Answer whether there are such filters, without making them."""
        return bool(self._filters(module, right, after=after))

    def _filters(self, module: Module, right: Right, *, after: bool) -> list[Mapping[str, Any]]:
        if self.rights.unbounded:
            return []
        rules = self._rules(module)
        rule: Rule = getattr(rules, right)
        if right is Right.VIEW:
            found = [rules.rows]
        elif not after:
            found = [rule.rows]
        elif right is Right.DELETE:  # what is set invalid may well be out of sight
            found = [rule.check]
        else:
            found = [rules.rows, rule.rows] if rule.check is None else [rule.check]
        return [item for item in found if item]

    def own(self) -> tuple[Any, ...]:
        """Return what rules read of who is calling: `OWN`, then the companies; None stands for what he has not."""
        if self.rights.own is not None:
            return self.rights.own
        person = person_of(self.rights.principal)
        company = getattr(person, "company", "")
        number, login = (person.id, person.login) if person is not None else (None, None)
        return (number, login, self.rights.email or None, company or None, *self.rights.companies)

    # --- inside ---

    def _once(self, module: Module, what: str, decide: Callable[[], bool]) -> bool:
        """Decide about something of a module once for as long as the rights are remembered; the system may everything."""
        if self.rights.unbounded:
            return True
        key = (module.digest, module.name, what)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = decide()
        return known

    def _rules(self, module: Module) -> AudienceAccess:
        return module.access.of(self.audience)

    def _holds(self, rule: Rule) -> Reason:
        text = rule_text(rule)
        if rule.allow:
            return Reason(allowed=True, rule=text)
        if rule.role is not None:
            return Reason(
                rule.role in self.rights.roles, text, role=rule.role if rule.role in self.rights.roles else None
            )
        if rule.group is None:
            return Reason(allowed=False, rule=text)
        grants = tuple(item for item in self.rights.holding(rule.key) if item.group == rule.group)
        return Reason(bool(grants), text, grants)

    def _filled(self, rows: Mapping[str, Any]) -> Mapping[str, Any]:
        own = self.own()
        filled: Mapping[str, Any] = _Fill(dict(zip(OWN, own, strict=False)), own[len(OWN) :], self.rights).filter(rows)
        return filled


def access_of(rights: Rights) -> Access:
    """Return the decisions for whoever has these rights; those that were taken are remembered as long as the rights."""
    found: Access | None = rights.memo.get(Access)
    if found is None:
        found = rights.memo[Access] = Access(rights)
    return found


def rule_text(rule: Rule) -> str:
    """Write a rule as a module file does."""
    if rule.role is not None:
        return f"{{role: {rule.role}}}"
    if rule.group is not None:
        return f"{{group: {rule.group}, key: {rule.key}}}"
    return "true" if rule.allow else "false"


class _Fill:
    """Puts values into one filter. What the caller has not (a company, an address) equals nothing."""

    def __init__(self, own: Mapping[str, Any], companies: Sequence[Any], rights: Rights) -> None:
        self._own = own
        self._companies = list(companies)
        self._rights = rights

    def filter(self, rows: Any, *, plain: bool = True) -> Any:
        """Fill one level. `plain` says that a condition which never holds keeps rows out, and does not let them in."""
        if not isinstance(rows, Mapping):
            raise Denied
        return {key: self._entry(key, value, plain=plain) for key, value in rows.items()}

    def _entry(self, key: str, value: Any, *, plain: bool) -> Any:
        if key in ("and", "or"):
            return [self.filter(item, plain=plain) for item in value]
        if key in ("not", "none", "every"):
            return self.filter(value, plain=False)
        if isinstance(value, Mapping):
            return self._condition(value, plain=plain)
        return value

    def _condition(self, value: Mapping[str, Any], *, plain: bool) -> Any:
        """Fill what stands behind a member: operators with their values, or a filter of what it leads to."""
        if not any(map(_names_own, value.values())):
            return self.filter(value, plain=plain)
        filled = {operator: self._value(given) for operator, given in value.items()}
        lacking = {operator for operator, given in value.items() if self._lacks(given, filled[operator])}
        if not lacking:
            return filled
        if not plain or not lacking <= {"eq", "in"}:
            raise Denied
        # Of a list the rest may still be met; without `eq` nothing else is.
        return _NOTHING if any(filled[operator] is None for operator in lacking) else filled

    def _lacks(self, given: Any, filled: Any) -> bool:
        return len(filled) < len(given) if isinstance(given, list) else filled is None

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self._value(item)) is not None]
        if not _is_own(value):
            return value
        if value == _NOW:
            return self._rights.now or datetime.now(UTC).isoformat()
        if value.startswith(_GROUPS):
            key = value.removeprefix(_GROUPS)
            return sorted(self._rights.groups[key]) if key in KEYS else None
        if value == "$me.customerIds":
            return self._companies
        return self._own.get(value.removeprefix(_ME))


def _is_own(value: Any) -> bool:
    return isinstance(value, str) and (value == _NOW or value.startswith(_ME))


def _names_own(value: Any) -> bool:
    return any(map(_is_own, value)) if isinstance(value, list) else _is_own(value)


def reads_the_clock(rows: Any) -> bool:
    """Answer whether a filter names `$now`, so that what is made of it holds for one request only."""
    if isinstance(rows, Mapping):
        return any(map(reads_the_clock, rows.values()))
    if isinstance(rows, list):
        return any(map(reads_the_clock, rows))
    return isinstance(rows, str) and rows == _NOW
