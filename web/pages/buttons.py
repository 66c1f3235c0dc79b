"""The actions of a module file as buttons."""

from __future__ import annotations

from dataclasses import dataclass

from schema.spec import Argument, Caption
from web.pages.inputs import Input, argument_input
from web.pages.view import View
from web.pages.visit import Visit


@dataclass(frozen=True, slots=True)
class Button:
    """An action that a page offers."""

    name: str
    label: str
    confirm: str
    inputs: tuple[Input, ...]


def buttons_of(visit: Visit, view: View) -> list[Button]:
    """Return the actions that the caller may ask for."""
    language = visit.look.lang
    return [
        Button(
            item.name,
            item.label.in_language(language),
            item.confirm.in_language(language) if item.confirm else "",
            tuple(argument_input(argument, label_of(argument), visit.texts) for argument in item.args),
        )
        for item in view.actions
    ]


def label_of(argument: Argument) -> Caption:
    """Return what people call an argument."""
    return argument.label or Caption(argument.name.replace("_", " ").capitalize())
