"""Data that is made for every request or statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def quick(kind: type[Made]) -> type[Made]:
    """Make a dataclass that nobody changes, as the type checker sees to.

    Where Python sees to it, each field is a call, and making the object takes four times as long. Such an object can be
    compared, and is no key of a table.
    """
    return dataclass(slots=True)(kind)
