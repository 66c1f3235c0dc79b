"""The three root types as one table: which of their fields stand before, which belong to a module, which stand behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from graphql import GraphQLField

from schema.build import HandWritten, LambdeskSchema, Lazy
from schema.extension import Contribution
from schema.kernel import KERNEL_MUTATIONS, KERNEL_ROOTS
from schema.outline import Names, names_of
from schema.spec import Module

Fields = Mapping[str, GraphQLField]


@dataclass(frozen=True, slots=True)
class Roots:
    """How the fields of one root type are put together: the kernel's, every module's, then those written by hand."""

    type_name: str
    kernel: Fields
    names: Callable[[Names], Iterable[str]]
    fields: Callable[[LambdeskSchema], Lazy[GraphQLField]]
    contributed: Callable[[Contribution], Iterable[str]]
    by_hand: Callable[[HandWritten], Fields]

    def around(self, schema: LambdeskSchema) -> tuple[Fields, Fields]:
        """Return the fields that stand before and behind those of the modules."""
        made = self.fields(schema)
        behind = {name: made[name] for item in schema.contributions for name in self.contributed(item)}
        before = {name: field for name, field in self.kernel.items() if name in made}
        return before, {**behind, **self.by_hand(schema.hand_written)}

    def of(self, schema: LambdeskSchema, module: Module) -> Fields:
        """Return a module's fields."""
        made = self.fields(schema)
        return {name: made[name] for name in self.names(names_of(module, schema.audience, schema.modules))}


ROOTS = (
    Roots(
        "Query",
        KERNEL_ROOTS,
        lambda names: names.roots,
        lambda schema: schema.query_fields,
        lambda contribution: contribution.query,
        lambda hand: hand.query,
    ),
    Roots(
        "Mutation",
        KERNEL_MUTATIONS,
        lambda names: names.mutations,
        lambda schema: schema.mutation_fields,
        lambda contribution: contribution.mutation,
        lambda hand: hand.mutation,
    ),
    Roots(
        "Subscription",
        {},
        lambda names: names.subscriptions,
        lambda schema: schema.subscription_fields,
        lambda _contribution: (),
        lambda hand: hand.subscription,
    ),
)
