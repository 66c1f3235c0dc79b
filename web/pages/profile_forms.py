"""The forms of the page about oneself: their inputs, what was typed, and what the API says is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from identity.access import Right
from identity.api_tokens import LONGEST_S, NAME_LETTERS
from schema.spec import Operation
from web.pages.cells import now
from web.pages.inputs import WIDGETS, Input, Widget
from web.pages.view import modules_of
from web.pages.visit import Visit

Errors = Mapping[str, tuple[str, ...]]
NAME, EXPIRES, MODULES, OPERATIONS = "name", "expiresAt", "modules", "operations"
OLD, NEW, AGAIN = "oldPassword", "newPassword", "again"
SEVERAL = Widget("several", wide=True, rows=8)
USUAL_DAYS = 90
USUAL_OPERATIONS = (Operation.VIEW.name,)  # more has to be ticked
_NAME = {"maxlength": str(NAME_LETTERS), "autocomplete": "off"}
_PASSWORDS = ((OLD, "current-password"), (NEW, "new-password"), (AGAIN, "new-password"))


def errors_of(payload: Mapping[str, Any]) -> Errors:
    """Return what a payload says is wrong, by field."""
    found: dict[str, tuple[str, ...]] = {}
    for error in payload["errors"]:
        name = str((error.get("path") or ("",))[-1])
        found[name] = (*found.get(name, ()), str(error["message"]))
    return found


def password_inputs(visit: Visit, errors: Errors) -> Sequence[Input]:
    """Return the inputs of a change of the password; what was typed does not come back."""
    return [
        Input(
            name,
            visit.texts(f"profile-{name}"),
            WIDGETS["password"],
            required=True,
            errors=errors.get(name, ()),
            attributes={"autocomplete": told},
        )
        for name, told in _PASSWORDS
    ]


def token_inputs(visit: Visit, errors: Errors) -> Sequence[Input]:
    """Return the inputs of a new token, with what was typed where something is wrong with it."""
    today = now().astimezone(visit.look.time_zone()).date()
    last = today + timedelta(seconds=LONGEST_S - 86_400)
    usual = today + timedelta(days=USUAL_DAYS)
    operations = [(item.name, visit.texts(f"operation-{item.name}")) for item in Operation]
    made = (
        Input(NAME, "token-name", WIDGETS["text"], required=True, attributes=_NAME),
        Input(
            EXPIRES,
            "token-expires",
            WIDGETS["date"],
            (usual.isoformat(),),
            required=True,
            attributes={"min": today.isoformat(), "max": last.isoformat()},
        ),
        Input(OPERATIONS, "token-operations", WIDGETS["chips"], USUAL_OPERATIONS, options=operations),
        Input(MODULES, "token-modules", SEVERAL, help=visit.texts("token-modules-help"), options=module_options(visit)),
    )
    return [_told(visit, item, errors) for item in made]


def _told(visit: Visit, item: Input, errors: Errors) -> Input:
    values = tuple(visit.form.all(item.name)) if errors else item.values
    return replace(item, label=visit.texts(item.label), values=values, errors=errors.get(item.name, ()))


def module_options(visit: Visit) -> Sequence[tuple[str, str]]:
    """Return the modules that the caller may view, by their labels."""
    found = [
        (name, module.plural.in_language(visit.look.lang))
        for name, module in modules_of(visit.snapshot, visit.audience).items()
        if visit.access.may(module, Right.VIEW)
    ]
    return sorted(found, key=lambda option: option[1].casefold())
