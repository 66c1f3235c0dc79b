"""The actions of a module file as buttons: those that `ui.actions` names come first, in its order and words; lists offer just these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from schema.spec import Action, Argument, Caption
from web.pages.inputs import Input, argument_input
from web.pages.texts import Texts
from web.pages.view import View
from web.pages.visit import Visit

KEY = "{id}"  # in an address of `ui.actions`


@dataclass(frozen=True, slots=True)
class Button:
    """An action that a page offers."""

    name: str
    label: str
    confirm: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class RowAction:
    """What a list offers for each row: an action, which is asked about on a page of its own, or an address with the row's key."""

    label: str
    action: str = ""
    address: str = ""

    def url(self, row_url: str, key: Any) -> str:
        """Return where it leads for a row; nowhere for one without a key."""
        if self.action:
            return f"{row_url}/act/{self.action}"
        return self.address.replace(KEY, quote(str(key), safe="")) if key is not None else ""


def buttons_of(visit: Visit, view: View) -> list[Button]:
    """Return the actions that the caller may ask for."""
    return [_button(action, said, visit.look.lang, visit.texts) for action, said in _ordered(view)]


def button_of(visit: Visit, view: View, name: str) -> Button | None:
    """Return one of them by the action's name."""
    return next((button for button in buttons_of(visit, view) if button.name == name), None)


def row_actions(view: View, language: str) -> Sequence[RowAction]:
    """Return what `ui.actions` offers for each row of a list."""
    declared = {item.name for item in view.actions}
    found = []
    for said in _said(view):
        label, action, address = said["name"].in_language(language), said.get("action"), str(said.get("endpoint") or "")
        if action in declared:
            found.append(RowAction(label, action=action))
        elif not action and is_safe(address):
            found.append(RowAction(label, address=address))
    return found


def needs_key(view: View) -> bool:
    """Answer whether a list must know the keys of its rows for the addresses that it offers."""
    return view.module.has_database_id and any(item.address for item in row_actions(view, "en"))


def is_safe(address: str) -> bool:
    """Answer whether an address of a file may be a link: a page of this server, or of another one by http."""
    if address.startswith(("https://", "http://")):
        return True
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def label_of(argument: Argument) -> Caption:
    """Return what people call an argument."""
    return argument.label or Caption(argument.name.replace("_", " ").capitalize())


def _said(view: View) -> Sequence[Mapping[str, Any]]:
    return [item for item in view.module.ui.get("actions", ()) if item.get("name")]


def _ordered(view: View) -> Iterator[tuple[Action, Mapping[str, Any]]]:
    """Return the actions with what `ui.actions` says of them: first those that it names."""
    declared = {item.name: item for item in view.actions}
    for said in _said(view):
        action = declared.pop(said.get("action") or "", None)
        if action is not None:
            yield action, said
    for action in declared.values():
        yield action, {}


def _button(action: Action, said: Mapping[str, Any], language: str, texts: Texts) -> Button:
    label, confirm = said.get("name") or action.label, said.get("confirm") or action.confirm
    return Button(
        action.name,
        label.in_language(language),
        confirm.in_language(language) if confirm else "",
        tuple(argument_input(argument, label_of(argument), texts) for argument in action.args),
    )
