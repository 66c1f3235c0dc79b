"""What lambdas have no value for, in an answer that is written without GraphQL's executor, and told as that would tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """What stands in an answer where a lambda has no value, until it is taken out."""

    error: Exception
    nodes: Sequence[FieldNode]


def or_failed(write: Callable[[Any], Any], nodes: Sequence[FieldNode]) -> Callable[[Any], Any]:
    """Return what writes a lambda's value, or marks where there is none."""
    return lambda value: Failed(value, nodes) if isinstance(value, Exception) else write(value)


def take_out(data: Any) -> list[GraphQLError]:
    """Put null in the place of what failed; return the errors, in the order of the answer."""
    return take_out_of([data])[0]


def take_out_of(answers: Sequence[Any]) -> list[list[GraphQLError]]:
    """Do so with several answers.

    The same rows may stand at several places, so first everything is told, and then everything is taken out.
    """
    found = [list(_walk(data, ())) for data in answers]
    for holder, key, _, _ in (part for parts in found for part in parts):
        holder[key] = None
    return [
        [
            GraphQLError(str(failed.error), nodes=list(failed.nodes), path=list(path), original_error=failed.error)
            for _, _, failed, path in parts
        ]
        for parts in found
    ]


def _walk(value: Any, path: Path) -> Iterator[tuple[Any, Any, Failed, Path]]:
    if isinstance(value, dict):
        parts: Any = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        return
    for key, part in parts:
        if isinstance(part, Failed):
            yield value, key, part, (*path, key)
        else:
            yield from _walk(part, (*path, key))
