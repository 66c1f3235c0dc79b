"""What a room adds to the schema by hand beside the generated part, depending on which modules there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from graphql import GraphQLField, GraphQLInputField, GraphQLNamedType

from schema.spec import Audience, Module
from schema.types import World

MakeType = Callable[[World], GraphQLNamedType]
MakeField = Callable[[World], GraphQLField]
MakeInputs = Callable[[World], Mapping[str, GraphQLInputField]]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Named types and root fields, each made when a document first touches it; the names are known from the start.

    `inputs` are more fields for the input of new rows or changes of a module: the keys are its name and `create` or `patch`.
    """

    types: Mapping[str, MakeType] = field(default_factory=dict)
    query: Mapping[str, MakeField] = field(default_factory=dict)
    mutation: Mapping[str, MakeField] = field(default_factory=dict)
    inputs: Mapping[tuple[str, str], MakeInputs] = field(default_factory=dict)


# Given the modules that an audience sees, what there is for it.
Extension = Callable[[Mapping[str, Module], Audience], Contribution]
